//! The agent itself, left for the deploying user: whose first deploy need not bring it then.

use std::path::PathBuf;

use crate::model::Digest;
use crate::wire::agent_name;

/// The program that runs here, and its name; `None` where it is not called as agents are, so that
/// no connection would look for it.
#[must_use]
pub fn program() -> Option<(PathBuf, String)> {
    let program = std::env::current_exe().ok()?;
    let name = program.file_name()?.to_str()?.to_owned();
    let digest = Digest::of(&std::fs::read(&program).ok()?);
    (name == agent_name(&digest)).then_some((program, name))
}
