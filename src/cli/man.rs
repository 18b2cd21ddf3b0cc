//! `ship man`.

use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man;

use super::globals::Globals;
use super::session::Session;
use crate::model::{Failure, FailureKind};

/// In each page, so that install.sh can tell its own files from others'.
const MARK: &str = ".\\\" A page of ship's manual, written by `ship man`.\n";

/// Prints a page of the manual, for `man -l -`
#[derive(Debug, Clone, Args)]
pub struct ManArgs {
    /// Command that the page is about, such as deploy or host trust; default: ship itself
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,

    /// Writes all pages into a folder instead: ship.1, ship-deploy.1 and so on
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub dir: Option<PathBuf>,
}

/// Runs it; the exit code.
pub fn run(globals: &Globals, args: &ManArgs) -> u8 {
    let mut definition = super::definition().disable_help_subcommand(true);
    definition.build();
    let result = match &args.dir {
        Some(dir) => write_all(&definition, dir),
        None => page_of(&definition, &args.command).map(|page| super::print(&page)),
    };
    let Err(failure) = result else {
        return 0;
    };
    match Session::start(globals) {
        Ok(session) => session.finish(Err(failure)),
        Err(code) => code,
    }
}

fn page_of(definition: &Command, words: &[String]) -> Result<Vec<u8>, Failure> {
    let mut command = definition;
    for word in words {
        let mut shown = command.get_subcommands().filter(|c| !c.is_hide_set());
        command = shown.find(|c| c.get_name() == word).ok_or_else(|| {
            let what = words.join(" ");
            Failure::new(FailureKind::Usage, format!("ship has no command `{what}`"))
                .hint("ship --help lists the commands")
        })?;
    }
    page(command)
}

fn page(command: &Command) -> Result<Vec<u8>, Failure> {
    let mut bytes = MARK.as_bytes().to_vec();
    Man::new(command.clone()).render(&mut bytes)?;
    Ok(bytes)
}

/// Writes the page of a command and those of the commands in it.
fn write_all(command: &Command, dir: &std::path::Path) -> Result<(), Failure> {
    std::fs::create_dir_all(dir)?;
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name());
    std::fs::write(dir.join(format!("{name}.1")), page(command)?)?;
    let mut shown = command.get_subcommands().filter(|c| !c.is_hide_set());
    shown.try_for_each(|command| write_all(command, dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_that_is_shown_has_a_page() {
        let dir = tempfile::tempdir().unwrap();
        let mut definition = crate::cli::definition().disable_help_subcommand(true);
        definition.build();
        write_all(&definition, dir.path()).unwrap();
        let has = |name: &str| dir.path().join(name).is_file();
        for name in [
            "ship.1",
            "ship-deploy.1",
            "ship-rollback.1",
            "ship-host-trust.1",
        ] {
            assert!(has(name), "{name}");
        }
        for hidden in [
            "ship-agent.1",
            "ship-dial.1",
            "ship-complete.1",
            "ship-help.1",
        ] {
            assert!(!has(hidden), "{hidden}");
        }
        let deploy = std::fs::read_to_string(dir.path().join("ship-deploy.1")).unwrap();
        assert!(
            deploy.contains("ship\\-deploy") && deploy.contains("skip\\-tests"),
            "{deploy}"
        );
        let again = page_of(&definition, &["deploy".to_owned()]).unwrap();
        assert_eq!(again, deploy.into_bytes());
        let unknown = page_of(&definition, &["agent".to_owned()]).unwrap_err();
        assert_eq!(unknown.kind, FailureKind::Usage);
    }
}
