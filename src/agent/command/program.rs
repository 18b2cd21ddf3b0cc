//! A command as a value: what to run, where, and with which environment.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::wire::Size;

/// A command that is about to be started. It can be sent to another process, which starts it there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// The folder it starts in.
    pub dir: PathBuf,
    /// What is run.
    pub what: What,
    /// Its whole environment: nothing of the starting process's own is added.
    pub env: BTreeMap<String, String>,
    /// The size of its terminal; `None` to give it pipes.
    pub terminal: Option<Size>,
}

/// What a [`Program`] runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A program, searched on the `PATH` of its environment, and its arguments.
    Argv(Vec<String>),
    /// A line for `/bin/sh -c`.
    Shell(String),
}

impl Program {
    /// The words to execute.
    #[must_use]
    pub fn words(&self) -> Vec<&str> {
        match &self.what {
            What::Argv(argv) => argv.iter().map(String::as_str).collect(),
            What::Shell(line) => vec!["/bin/sh", "-c", line],
        }
    }
}

impl fmt::Debug for Program {
    /// Without the environment, which holds secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("dir", &self.dir)
            .field("what", &self.what)
            .field("terminal", &self.terminal)
            .finish_non_exhaustive()
    }
}
