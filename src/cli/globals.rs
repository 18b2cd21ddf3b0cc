//! Options that every command takes.

use std::path::PathBuf;

use clap::Args;

use crate::report::Verbosity;

/// Options that every command takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Globals {
    /// Folder of the project; default: this one or the nearest above with a ship.toml
    #[arg(long, short = 'C', global = true, value_name = "DIR")]
    pub project: Option<PathBuf>,

    /// Prints one event per line as JSON on stdout
    #[arg(long, global = true)]
    pub json: bool,

    /// Prints plain lines, also at a terminal
    #[arg(long, global = true)]
    pub plain: bool,

    /// Says more: round trips, and the output of steps as it comes
    #[arg(long, short, global = true, conflicts_with = "quiet")]
    pub verbose: bool,

    /// Says only warnings, errors and the result
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

impl Globals {
    /// How much is said.
    #[must_use]
    pub fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        }
    }
}
