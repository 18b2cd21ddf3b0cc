//! SSH by the user's own `ssh`, so that their ssh_config(5), agent, keys and jump hosts work.

mod address;
mod explain;
mod folder;
mod identity;
mod kept;
mod start;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use openssh::{ControlPersist, KnownHosts, Session, SessionBuilder};

use self::address::Address;
use self::explain::{explain, unreachable_host};
use self::folder::Folder;
use self::kept::Kept;
use self::start::Started;
use super::bootstrap::First;
use super::{Link, Options, Target};
use crate::model::Failure;
use crate::wire::Open;

/// How long an idle connection that ends with its command outlives a command that was killed,
/// seconds: long enough for one command's several steps.
const KILLED_S: NonZeroUsize = NonZeroUsize::new(30).expect("not zero");

/// A kept connection on which nothing is heard for this long is given up for a new one: the
/// network may have changed under it, which ssh(1) itself notices after three times [`ALIVE_S`].
const SILENT: Duration = Duration::from_secs(4);

/// ssh(1) asks a silent server for a sign of life this often (`ServerAliveInterval`), seconds;
/// three unanswered questions end the connection.
const ALIVE_S: u64 = 5;

/// Connects and starts the agent; over a connection that an earlier command kept, if there is one.
///
/// # Errors
/// As [`super::connect`].
pub async fn connect(target: &Target, options: &Options, open: &Open) -> Result<Link, Failure> {
    let (folder, kept) = match Kept::find(target, options).await {
        Some((folder, kept)) => (folder, Some(kept)),
        None => (Folder::make(options)?, None),
    };
    if let Some(kept) = &kept
        && let Some(started) = again(kept, target, options, open).await
    {
        return in_time(started.link(target, folder), target, options).await;
    }
    let session = match &kept {
        Some(kept) => kept_session(target, options, &folder, kept).await?,
        None => own_session(target, options, &folder).await?,
    };
    let session = Arc::new(session);
    let link = async {
        Started::on(&session, target, options, open)
            .await?
            .link(target, folder)
            .await
    };
    in_time(link, target, options).await
}

/// The agent's start over a kept connection. `None`, whatever the reason, asks for a new one: if it
/// fails there too, its words are about the host and not about a connection of the past.
async fn again(kept: &Kept, target: &Target, options: &Options, open: &Open) -> Option<Started> {
    let session = Arc::new(Session::resume_mux(kept.socket()?.into(), None));
    let started = Started::on(&session, target, options, open);
    let started = tokio::time::timeout(SILENT, started).await.ok()?.ok()?;
    (!matches!(started.first, First::Ended(_))).then_some(started)
}

/// The agent's start, within four times the time that a connection may take.
async fn in_time(
    link: impl Future<Output = Result<Link, Failure>>,
    target: &Target,
    options: &Options,
) -> Result<Link, Failure> {
    let late = || {
        let why = "connected, but its login shell did not start the agent in time";
        Err(unreachable_host(target, why))
    };
    tokio::time::timeout(options.timeout * 4, link)
        .await
        .unwrap_or_else(|_| late())
}

/// A connection that ends with this command.
async fn own_session(
    target: &Target,
    options: &Options,
    folder: &Folder,
) -> Result<Session, Failure> {
    let socket = launch(target, options, folder, KILLED_S).await?;
    Ok(Session::new_native_mux(socket))
}

/// A connection for this command and for those that follow within `kept.idle_s`.
async fn kept_session(
    target: &Target,
    options: &Options,
    folder: &Folder,
    kept: &Kept,
) -> Result<Session, Failure> {
    let socket = launch(target, options, folder, kept.idle_s).await?;
    folder.keep();
    let socket = socket.keep();
    kept.publish(&socket);
    Ok(Session::resume_mux(
        socket.join(folder::SOCKET).into(),
        None,
    ))
}

/// Has ssh(1) log in and go to the background, where it ends `idle_s` after its last use. The
/// folder of its control socket.
async fn launch(
    target: &Target,
    options: &Options,
    folder: &Folder,
    idle_s: NonZeroUsize,
) -> Result<tempfile::TempDir, Failure> {
    let address = Address::of(target);
    let mut builder = SessionBuilder::default();
    builder
        .known_hosts_check(KnownHosts::Strict)
        .config_file(folder.config())
        .control_directory(folder.path())
        .control_persist(ControlPersist::IdleFor(idle_s))
        .connect_timeout(options.timeout)
        .server_alive_interval(Duration::from_secs(ALIVE_S));
    if let Some(key) = &options.ssh_key {
        let file: PathBuf = folder.key_file(key)?;
        builder.keyfile(file);
    }
    if let Some(user) = address.user {
        builder.user(user.to_owned());
    }
    if let Some(port) = address.port {
        builder.port(port);
    }
    let launched = tokio::time::timeout(options.timeout, builder.launch_master(address.host)).await;
    let late = format!("no connection within {} s", options.timeout.as_secs());
    launched
        .map_err(|_| unreachable_host(target, &late))?
        .map_err(|error| explain(target, &error))
}
