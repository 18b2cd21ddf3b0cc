//! Bytes to a host: over SSH (so that the user's `ssh_config`, agent and jump hosts work) or to a
//! child process on this machine; both end in a [`Link`] to an agent of this same build.

pub mod agents;
pub mod bootstrap;
pub mod keyscan;
pub mod link;
pub mod local;
pub mod ssh;

pub use link::Link;

use std::path::PathBuf;
use std::time::Duration;

use crate::model::{Deployment, Failure, HostName};

/// How hosts are reached.
#[derive(Debug, Clone)]
pub struct Options {
    /// The project's folder: its pinned host keys are in `.ship/known_hosts`.
    pub project: PathBuf,
    /// A replacement for the user's ssh_config(5) (`SHIP_SSH_CONFIG`).
    pub ssh_config: Option<PathBuf>,
    /// A private key, as a path or as its content (`SHIP_SSH_KEY`).
    pub ssh_key: Option<String>,
    /// How long a connection may take, up to the agent's first word.
    pub timeout: Duration,
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
}

/// Connects to `target` and to an agent there.
///
/// # Errors
/// [`crate::model::FailureKind::Unreachable`] when the host cannot be reached, is not known, does
/// not authenticate, or cannot run an agent; the message says which, the hint what to do.
pub async fn connect(target: &Target, options: &Options) -> Result<Link, Failure> {
    if target.host == HostName::local() {
        return local::connect();
    }
    ssh::connect(target, options).await
}

/// Where the root folder of `deployment` is, as the bootstrap line needs it.
#[must_use]
pub fn root_of(deployment: &Deployment) -> String {
    use crate::model::ServiceManagerKind::{Supervisor, Systemd, SystemdUser};
    match (&deployment.root, deployment.manager) {
        (Some(root), _) => root.clone(),
        (None, Systemd) => format!("/srv/{}", deployment.app),
        (None, SystemdUser | Supervisor) => format!("~/apps/{}", deployment.app),
    }
}
