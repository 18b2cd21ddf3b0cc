//! `ship completions`.

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
    super::print(&render(args.shell));
    0
}

/// The completions of `shell`.
#[must_use]
pub fn render(shell: Shell) -> Vec<u8> {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut for_people(), "ship", &mut bytes);
    bytes
}

/// The command line's definition without the commands that `ship` itself types: nobody is offered
/// those.
fn for_people() -> clap::Command {
    let all = super::definition();
    let shown = all
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    clap::Command::new("ship")
        .version(env!("CARGO_PKG_VERSION"))
        .propagate_version(false)
        .args(all.get_arguments())
        .subcommands(shown)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    /// `UPDATE_DOCS=1 cargo test` rewrites them.
    #[test]
    fn the_committed_completions_are_current() {
        for shell in Shell::value_variants() {
            let name = match shell {
                Shell::Bash => "ship.bash",
                Shell::Zsh => "_ship",
                Shell::Fish => "ship.fish",
                Shell::Elvish => "ship.elv",
                Shell::PowerShell => "_ship.ps1",
                _ => continue,
            };
            let path = format!("{}/completions/{name}", env!("CARGO_MANIFEST_DIR"));
            if std::env::var_os("UPDATE_DOCS").is_some() {
                std::fs::write(&path, render(*shell)).unwrap();
            }
            let committed = std::fs::read(&path).unwrap_or_default();
            assert!(
                committed == render(*shell),
                "completions/{name} is old: UPDATE_DOCS=1 cargo test"
            );
        }
    }
}
