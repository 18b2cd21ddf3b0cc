//! SSH by the user's own `ssh`, so that their ssh_config(5), agent, keys and jump hosts work.

mod address;
mod base64;
pub mod dial;
mod effective;
mod explain;
mod folder;
pub mod host_keys;
mod identity;
mod kept;
mod key;
mod master;
mod start;

pub use self::key::SshKey;

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use openssh::Session;
use tempfile::TempDir;
use tokio::sync::Semaphore;

use self::effective::Effective;
use self::explain::{not_connected, unreachable_host};
use self::folder::Folder;
use self::kept::Kept;
use self::master::NotConnected;
use self::start::Started;
use super::bootstrap::First;
use super::{Link, Options, Target};
use crate::model::Failure;
use crate::wire::Open;

/// How long an idle connection that ends with its command outlives a command that was killed,
/// seconds: long enough for one command's several steps.
const KILLED_S: NonZeroUsize = NonZeroUsize::new(30).expect("not zero");

/// A kept connection on which nothing is heard for this long is given up for a new one: the
/// network may have changed under it, which ssh(1) itself notices after three unanswered questions (`ServerAliveInterval`).
const SILENT: Duration = Duration::from_secs(4);

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
        && !target.anew
        && let Some(started) = again(kept, target, options, open).await
    {
        return in_time(started.link(target, folder), target, options).await;
    }
    let login = Login {
        target,
        options,
        folder: &folder,
        effect: effect.as_ref(),
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
    let open = &Open {
        is_kept: true,
        ..open.clone()
    };
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
    let limit = options.timeout * 4;
    let late = || {
        let limit = limit.as_secs();
        let who = match target.sudo {
            true => "`sudo -n`",
            false => "its login shell",
        };
        let why = format!("connected, but {who} did not start the agent within {limit}s");
        let failure = unreachable_host(target, &why);
        Err(match target.sudo {
            // What is known of the host, an agent would tell.
            true => failure.hint(
                "sudo waits for a name server where the host's own name is not in /etc/hosts; see on \
                 the host: getent hosts $(hostname)",
            ),
            false => failure,
        })
    };
    tokio::time::timeout(limit, link)
        .await
        .unwrap_or_else(|_| late())
}

/// A connection that is to be made.
struct Login<'a> {
    target: &'a Target,
    options: &'a Options,
    folder: &'a Folder,
    /// The configuration in effect, where ssh(1) tells it.
    effect: Option<&'a Effective>,
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
    /// folder of its control socket. We dial ([`dial`]) where that suits; where our dialling gets
    /// no connection, ssh(1) tries by itself and says why.
    async fn launch(&self, idle_s: NonZeroUsize) -> Result<TempDir, Failure> {
        let dials = self.effect.is_some_and(dial::suits);
        let _turn = match dials {
            true => None,
            false => THROUGH_OTHERS.acquire().await.ok(),
        };
        let until = Instant::now() + self.options.timeout;
        let mut ended = None;
        if dials && let Ok(config) = self.folder.dialling_config() {
            ended = Some(self.master(idle_s, &config, until).await);
        }
        let ended = match ended {
            Some(ended) if !ended.as_ref().is_err_and(dial::has_failed) => ended,
            _ => self.master(idle_s, &self.folder.config(), until).await,
        };
        let limit_s = self.options.timeout.as_secs();
        ended.map_err(|why| not_connected(self.target, self.effect, why, limit_s))
    }

    /// Runs ssh(1) with the configuration `config`.
    async fn master(
        &self,
        idle_s: NonZeroUsize,
        config: &Path,
        until: Instant,
    ) -> Result<TempDir, NotConnected> {
        let limit = until.saturating_duration_since(Instant::now());
        master::launch(
            self.target,
            self.options,
            self.folder,
            config,
            idle_s,
            limit,
        )
        .await
    }
}
