//! The app's commands, run as the app's user.
//!
//! The deploying user may not become the services' user, send it signals, or give it descriptors
//! through sudo(8). So one process per transaction, `ship agent as-app`, is started with
//! `sudo -n -u <user>` and spoken to over its standard input and output. It starts [`Program`]s,
//! and ends with all that they started when its standard input closes: also when the transaction is
//! killed. Where the app's user is the deploying user the same process runs without sudo.
//!
//! [`Program`]: super::command::Program

mod client;
mod commands;
mod one_before;
mod right;
mod server;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::agent::command::{NotStarted, Program};
use crate::wire::Size;

pub use commands::{Commands, Way, program};
pub use one_before::wait_for_the_one_before;
pub use right::{Barred, barred, barred_by_root};
pub use server::run;

/// Names a program for as long as it runs.
type Id = u32;

/// A request to the process that runs as the app's user.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Ask {
    /// Start a program.
    Start { id: Id, program: Box<Program> },
    /// A piece of its standard input follows.
    Input { id: Id },
    /// Its standard input has ended.
    InputEnd { id: Id },
    /// Its terminal has another size.
    Resize { id: Id, size: Size },
    /// Send it a signal, by number.
    Signal { id: Id, signal: i32 },
    /// Nobody reads its standard output (`errors`: standard error) any more.
    Unread { id: Id, errors: bool },
    /// Let it end; kill it after this many ms.
    End { id: Id, grace_ms: u64 },
    /// Kill it.
    Kill { id: Id },
}

/// What that process says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Tell {
    /// It is ready.
    Ready { pid: u32 },
    /// A program runs.
    Started { id: Id },
    /// A program does not.
    NotStarted { id: Id, why: NotStarted },
    /// A piece of its input was taken.
    Taken { id: Id },
    /// A piece of its output follows; `errors` is its standard error.
    Output { id: Id, errors: bool },
    /// That output has ended.
    OutputEnd { id: Id, errors: bool },
    /// It has ended, with this status of wait(2).
    Ended { id: Id, status: i32 },
}

/// How much of an input or output travels in one piece, bytes.
const PIECE: usize = 32 << 10;

/// Who a command runs as, and where that user is at home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The user's name.
    pub name: String,
    /// Its home folder.
    pub home: PathBuf,
}
