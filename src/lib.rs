//! `ship` takes a project from a developer's machine to production and keeps it there.
//!
//! The folders are the architecture; an arrow may only point down this list (a test keeps it so):
//! `cli` → `report` → `rollout` → `pipeline` → `runtime` → `project` → `transport` → `agent` →
//! `artifact` → `wire` → `model`. `docs/architecture.md` tells one deploy step by step.

pub mod agent;
pub mod artifact;
pub mod cli;
pub mod model;
pub mod pipeline;
pub mod project;
pub mod report;
pub mod rollout;
pub mod runtime;
pub mod transport;
pub mod wire;
