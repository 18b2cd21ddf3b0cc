//! Bytes to a host: over SSH (so that the user's `ssh_config`, agent and jump hosts work) or to a
//! child process on this machine; both end in a [`Link`] to an agent of this same build.

pub mod agents;
pub mod bootstrap;
mod digests;
pub mod link;
pub mod local;
pub mod pins;
pub mod resolve;
pub mod ssh;

pub use link::Link;
pub use ssh::SshKey;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::{Failure, HostName};
use crate::wire::Open;

/// How hosts are reached.
#[derive(Debug, Clone)]
pub struct Options {
    /// The project's folder: its pinned host keys are in `.ship/known_hosts`.
    pub project: PathBuf,
    /// A replacement for the user's ssh_config(5) (`SHIP_SSH_CONFIG`).
    pub ssh_config: Option<PathBuf>,
    /// The private key to log in with (`SHIP_SSH_KEY`).
    pub ssh_key: Option<SshKey>,
    /// How long an idle connection outlives its command, so that the next one pays no handshake,
    /// seconds (`SHIP_SSH_PERSIST`); `None`: it ends with its command. A key that was given as its
    /// content is on the disk only while its command runs, and so is its connection.
    pub persist_s: Option<NonZeroUsize>,
    /// Where digests of agents' binaries are remembered; without it, they are not.
    pub cache: Option<PathBuf>,
    /// How long a connection may take, up to the agent's first word.
    pub timeout: Duration,
}

impl Options {
    /// The host keys that `ship host trust` pinned.
    fn pinned(&self) -> PathBuf {
        self.project.join(".ship/known_hosts")
    }
}

/// What a connection shall lead to.
#[derive(Debug, Clone)]
pub struct Target {
    /// The host, as in the manifest.
    pub host: HostName,
    /// Another user than the address names (`ship setup --as`).
    pub user: Option<String>,
    /// Whether the agent runs as root, through `sudo -n`.
    pub sudo: bool,
    /// The app's root folder, where a first agent may lie; `~/` is the login's home.
    pub root: String,
    /// Whether it takes a new login: one that an earlier command kept is too old.
    pub anew: bool,
}

impl Target {
    /// The root folder, unless it is another's than the login's. What lies there is the deploying
    /// user's to change: run by root it would give that user all rights.
    fn own_root(&self) -> Option<&str> {
        let is_own = self.user.is_none() && !self.sudo;
        is_own.then_some(self.root.as_str())
    }
}

/// Connects to `target` and to an agent there, whose first message is the answer to `open`.
///
/// # Errors
/// [`crate::model::FailureKind::Unreachable`] when the host cannot be reached, is not known, does
/// not authenticate, or cannot run an agent; the message says which, the hint what to do.
pub async fn connect(target: &Target, options: &Options, open: &Open) -> Result<Link, Failure> {
    if target.host == HostName::local() {
        return local::connect(open);
    }
    ssh::connect(target, options, open).await
}
