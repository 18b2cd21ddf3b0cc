//! Build and test steps on this machine, and where a release comes from.
//!
//! [`run_steps`] runs `[build]` or `[test]`; [`origin()`] tells commit, author and CI run of what is
//! deployed. Nothing here reads the environment of the process: the caller hands it in.

pub mod ci;
pub mod environment;
pub mod files;
pub mod git;
mod group;
pub mod log;
pub mod origin;
mod review;
mod seeds;
pub mod step;

pub use environment::StepEnvironment;
pub use git::{Git, GitState, History};
pub use log::state_folder;
pub use origin::{Committed, Provenance, origin, who};
pub use review::{Remark, When, review, submodules};
pub use seeds::{Place, SeedFile, Seeds};
pub use step::run_steps;

#[cfg(test)]
mod tests;
