//! (see docs/architecture.md)

pub mod exit;
