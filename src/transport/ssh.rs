//! SSH by the user's own `ssh`, so that their ssh_config(5), agent, keys and jump hosts work.

mod address;
pub mod dial;
mod effective;
mod explain;
mod folder;
mod identity;
mod kept;
mod start;

pub use self::explain::is_about_key;

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use openssh::{ControlPersist, KnownHosts, Session, SessionBuilder};
use tempfile::TempDir;
use tokio::sync::Semaphore;

use self::address::Address;
use self::effective::Effective;
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

/// Logins that go on at once where they may lead through one and the same machine (jump hosts,
/// proxies): sshd refuses bursts from ten on (sshd_config(5), `MaxStartups`).
static THROUGH_OTHERS: Semaphore = Semaphore::const_new(8);

/// Connects and starts the agent; over a connection that an earlier command kept, if there is one.
///
/// # Errors
/// As [`super::connect`].
pub async fn connect(target: &Target, options: &Options, open: &Open) -> Result<Link, Failure> {
    let (folder, keeps) = match Kept::folder(options).await {
        Some(folder) => (folder, true),
        None => (Folder::make(options)?, false),
    };
    let effect = Effective::of(target, options, &folder).await;
    let kept = match &effect {
        Some(effect) if keeps => Kept::place(target, options, &folder, effect),
        _ => None,
    };
    if let Some(kept) = &kept
        && let Some(started) = again(kept, target, options, open).await
    {
        return in_time(started.link(target, folder), target, options).await;
    }
    let dials = effect.is_some_and(|effect| dial::suits(&effect));
    let login = Login {
        target,
        options,
        folder: &folder,
        dials,
    };
    let session = match &kept {
        Some(kept) => login.kept_session(kept).await?,
        None => login.own_session().await?,
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

/// A connection that is to be made.
struct Login<'a> {
    target: &'a Target,
    options: &'a Options,
    folder: &'a Folder,
    /// Whether we dial ([`dial`]); else ssh(1) does.
    dials: bool,
}

impl Login<'_> {
    /// A connection that ends with this command.
    async fn own_session(&self) -> Result<Session, Failure> {
        Ok(Session::new_native_mux(self.launch(KILLED_S).await?))
    }

    /// A connection for this command and for those that follow within `kept.idle_s`.
    async fn kept_session(&self, kept: &Kept) -> Result<Session, Failure> {
        let socket = self.launch(kept.idle_s).await?;
        self.folder.keep();
        let socket = socket.keep();
        kept.publish(&socket);
        Ok(Session::resume_mux(
            socket.join(folder::SOCKET).into(),
            None,
        ))
    }

    /// Has ssh(1) log in and go to the background, where it ends `idle_s` after its last use. The
    /// folder of its control socket. Where our dialling gets no connection, ssh(1) shall say why.
    async fn launch(&self, idle_s: NonZeroUsize) -> Result<TempDir, Failure> {
        let (target, timeout) = (self.target, self.options.timeout);
        let _turn = match self.dials {
            true => None,
            false => THROUGH_OTHERS.acquire().await.ok(),
        };
        let both = async {
            if self.dials
                && let Ok(config) = self.folder.dialling_config()
            {
                match self.master(idle_s, &config).await? {
                    Err(error) if dial::has_failed(&error) => {}
                    ended => return Ok(ended),
                }
            }
            self.master(idle_s, &self.folder.config()).await
        };
        let late = format!("no connection within {} s", timeout.as_secs());
        tokio::time::timeout(timeout, both)
            .await
            .map_err(|_| unreachable_host(target, &late))??
            .map_err(|error| explain(target, &error))
    }

    /// Runs ssh(1) with the configuration `config`.
    async fn master(
        &self,
        idle_s: NonZeroUsize,
        config: &Path,
    ) -> Result<Result<TempDir, openssh::Error>, Failure> {
        let address = Address::of(self.target);
        let mut builder = SessionBuilder::default();
        builder
            .known_hosts_check(KnownHosts::Strict)
            .config_file(config)
            .control_directory(self.folder.path())
            .control_persist(ControlPersist::IdleFor(idle_s))
            .connect_timeout(self.options.timeout)
            .server_alive_interval(Duration::from_secs(ALIVE_S));
        if let Some(key) = &self.options.ssh_key {
            builder.keyfile(self.folder.key_file(key)?);
        }
        if let Some(user) = address.user {
            builder.user(user.to_owned());
        }
        if let Some(port) = address.port {
            builder.port(port);
        }
        Ok(builder.launch_master(address.host).await)
    }
}
