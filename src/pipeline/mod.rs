//! Build and test steps on this machine, and where a release comes from.
//!
//! [`run_steps`] runs `[build]` or `[test]`; [`origin()`] tells commit, author and CI run of what is
//! deployed. Nothing here reads the environment of the process: the caller hands it in.

pub mod ci;
pub mod environment;
pub mod git;
mod group;
mod lines;
pub mod log;
pub mod origin;
pub mod step;

pub use environment::StepEnvironment;
pub use git::{Git, GitState};
pub use log::state_folder;
pub use origin::{origin, who};
pub use step::run_steps;

#[cfg(test)]
mod tests;
