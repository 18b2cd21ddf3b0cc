//! `ship try`.

use clap::Args;

use super::globals::Globals;

/// Shows it all on this machine: a deploy, a broken one, the automatic way back
#[derive(Debug, Clone, Args)]
pub struct TryArgs {}

/// Runs it; the exit code.
pub fn run(_globals: &Globals, _args: &TryArgs) -> u8 {
    1
}
