//! A command that is run in the live release, and its terminal.

use serde::{Deserialize, Serialize};

use crate::model::ServiceName;

/// The size of a terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Lines.
    pub rows: u16,
    /// Characters per line.
    pub columns: u16,
}

/// So many bytes of a command's input may be on their way, or wait for the command, at once.
pub const EXEC_WINDOW: usize = 1 << 20;

/// A command to run in the live release.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Exec {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// The service whose environment it gets; the first one when none is named.
    pub service: Option<ServiceName>,
    /// Its terminal; `None` to give it pipes.
    pub terminal: Option<Terminal>,
    /// Whether its standard output is wanted exactly as it is written.
    pub raw_stdout: bool,
    /// The same for its standard error.
    pub raw_stderr: bool,
    /// Who asks: `user@machine`.
    pub who: String,
    /// Names the operation, on all hosts ([`Operation::id`]).
    pub operation: String,
}

/// The terminal at the controller's end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terminal {
    /// Its size.
    pub size: Size,
    /// Its kind (`$TERM`, term(7)).
    pub kind: String,
}

/// A signal that is passed on to a command. By name: the numbers differ between systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExecSignal {
    /// SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP.
    Hangup,
    /// SIGQUIT.
    Quit,
    /// SIGUSR1.
    User1,
    /// SIGUSR2.
    User2,
}
