//! `ship completions`: scripts that ask `ship complete` at each Tab, so that they never get old.

use clap::Args;
use clap_complete::Shell;

/// Prints the completions of a shell
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

/// Runs it; the exit code.
pub fn run(args: &CompletionsArgs) -> u8 {
    super::print(render(args.shell).as_bytes());
    0
}

/// The completions of `shell`.
#[must_use]
pub fn render(shell: Shell) -> &'static str {
    match shell {
        Shell::Zsh => include_str!("../../completions/_ship"),
        Shell::Fish => include_str!("../../completions/ship.fish"),
        Shell::Elvish => include_str!("../../completions/ship.elv"),
        Shell::PowerShell => include_str!("../../completions/_ship.ps1"),
        _ => include_str!("../../completions/ship.bash"),
    }
}
