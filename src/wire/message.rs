//! The messages. Times are milliseconds, sizes bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::found::{Activated, Facts, Finding, HistoryEntry, HostStatus, ReleaseSummary};
use crate::model::event::HostEvent;
use crate::model::{
    Deployment, Digest, Failure, Freeze, HostRuntime, Release, ReleaseId, Secret, ServiceName,
    ServiceSpec, Sha256,
};

/// From the controller to the agent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToAgent {
    /// First message of a connection: answered by [`FromAgent::Opened`].
    Open(Box<Open>),
    /// Takes the lock; from here on the transaction process answers. → [`FromAgent::Begun`].
    Begin(Box<Begin>),
    /// What `ship check` looks at. → [`FromAgent::Findings`].
    Preflight(Box<Preflight>),
    /// Reads every kept release and compares it with what was deployed. → [`FromAgent::Findings`].
    Verify,
    /// Makes the host ready. → [`FromAgent::Changes`].
    Setup(Box<SetupRequest>),
    /// Offers an artifact; its index follows, under zstd, as data frames and [`ToAgent::DataEnd`].
    /// → [`FromAgent::Need`] or [`FromAgent::NeedIndex`].
    Offer(Offer),
    /// Packed content follows as data frames and [`ToAgent::DataEnd`]. No answer of its own.
    Content,
    /// The bytes of a runtime's archive, as it is, follow as data frames and
    /// [`ToAgent::DataEnd`]. No answer of its own.
    Archive {
        /// Which.
        sha256: Sha256,
        /// From this byte on.
        from: u64,
    },
    /// The end of bulk data.
    DataEnd,
    /// Makes the offered artifact a release. → [`FromAgent::Published`], or [`FromAgent::Need`]
    /// once more when what the host has turned out to be damaged.
    Publish(Box<Publish>),
    /// Runs a hook in a release's folder. → [`FromAgent::Done`].
    Hook(HookRequest),
    /// Switches to a release and proves it; puts the previous one back when it fails.
    /// → [`FromAgent::Activated`].
    Activate(ActivateRequest),
    /// Keeps an eye on the release that is proven here, which is not final yet. Answered when the
    /// time is over, or when it turned bad and the one before is back.
    /// → [`FromAgent::Activated`].
    Watch {
        /// For so long, ms.
        ms: u64,
    },
    /// Ends a [`ToAgent::Watch`] that is under way; what it watches stays. No answer of its own.
    EndWatch,
    /// Whether what was activated is still there, and is heard. → [`FromAgent::Done`].
    Present,
    /// Every host of the fleet has proven the release. From now on the end of the lease keeps it
    /// and no longer puts the one before back. → [`FromAgent::Done`].
    Precommit,
    /// The fleet is on the release: it is good now. → [`FromAgent::Done`].
    Commit {
        /// How many good releases to keep.
        keep: u32,
    },
    /// Goes back to the release from before the activation. → [`FromAgent::Activated`].
    Revert {
        /// Why, for the history.
        why: String,
    },
    /// Ends a transaction that activated nothing. → [`FromAgent::Done`].
    End,
    /// Restart, stop or start services of the live release. → [`FromAgent::Done`].
    Service {
        /// What to do.
        action: ServiceAction,
        /// Which; empty means all.
        services: Vec<ServiceName>,
    },
    /// → [`FromAgent::Status`].
    Status,
    /// → [`FromAgent::Releases`].
    Releases,
    /// → [`FromAgent::History`].
    History {
        /// The newest so many.
        limit: usize,
    },
    /// → [`FromAgent::Log`] lines, then [`FromAgent::Done`].
    Logs {
        /// Which; empty means all.
        services: Vec<ServiceName>,
        /// How many old lines per service.
        lines: usize,
        /// Whether to go on.
        follow: bool,
    },
    /// Runs a command in the live release. → [`FromAgent::Output`], then [`FromAgent::Exited`].
    Exec {
        /// Program and arguments.
        argv: Vec<String>,
    },
    /// The controller lives. No answer.
    Heartbeat,
    /// Orderly stop of what is going on: an activation reverts. No answer of its own.
    Cancel,
    /// Goes on with a transaction whose connection was lost. → [`FromAgent::Attached`], or
    /// [`FromAgent::Ended`] when it has come to its end.
    Attach(Attach),
    /// Asks somebody's transaction that is under way here to go back and stop.
    /// → [`FromAgent::Done`].
    CancelRunning {
        /// Who asks: `user@machine`.
        by: String,
    },
    /// Sets the stop sign for deploys, or takes it away. → [`FromAgent::Done`].
    Freeze(Option<Freeze>),
    /// Asks for all of a release, to bring it to another host. → [`FromAgent::Exported`], then its
    /// index and its packed content as data frames, each with [`FromAgent::DataEnd`].
    Export {
        /// Which.
        release: ReleaseId,
    },
}

/// What the agent must know first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Open {
    /// Which app, where, how.
    pub deployment: Deployment,
}

/// What a preflight looks at.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Preflight {
    /// The services that a release will have on this host.
    pub services: Vec<ServiceSpec>,
    /// The runtimes that it will run on.
    pub runtimes: Vec<HostRuntime>,
}

/// The start of a transaction.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Begin {
    /// Names this transaction among all of its host: [`Attach`] finds it by this.
    pub transaction: String,
    /// Who and what, for whoever comes second and for the history.
    pub holder: Holder,
    /// How long to wait for the lock, ms.
    pub wait_ms: u64,
    /// How long the host waits for a silent controller before it reverts, ms.
    pub lease_ms: u64,
    /// The services that the release will have on this host; checked against what setup made.
    /// `None` when nothing will be deployed.
    pub services: Option<Vec<ServiceSpec>>,
}

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// `deploy`, `rollback`…
    pub what: String,
    /// `user@machine`, or the CI's actor.
    pub who: String,
    /// Since when, RFC 3339, UTC.
    pub since: String,
    /// The CI run's address.
    pub ci: Option<String>,
    /// What it is at right now: `activating v42`.
    #[serde(default)]
    pub doing: Option<String>,
}

/// Goes on with a transaction whose connection was lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attach {
    /// Which: what [`Begin`] named it.
    pub transaction: String,
    /// So many of its events came already.
    pub events: u64,
    /// So many of its answers came already.
    pub answers: u64,
}

/// Where a transaction is that a controller came back to. Its events and answers that the
/// controller had not had came before this; what comes after is new.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// So many requests came to it ([`ToAgent::is_counted`]). An offer that was under way is
    /// forgotten; what came of it is kept.
    pub requests: u64,
}

/// An artifact that is offered. Its contents have numbers: their positions in the list of the
/// different non-empty contents of the index, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Its name.
    pub artifact: Digest,
    /// The artifact that the index is a change of; `None` when it comes whole.
    pub base: Option<Digest>,
    /// Contents that could travel as differences.
    pub deltas: Vec<DeltaOffer>,
    /// Contents that share little with what they were: chunks of them are not worth a search,
    /// unless a transfer was interrupted.
    pub whole: Vec<u32>,
    /// The runtimes that the release runs on.
    pub runtimes: Vec<HostRuntime>,
    /// Good releases that stay (`release.keep`) when there is no room for this one.
    pub keep: u32,
}

/// A content that could travel as a difference to another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeltaOffer {
    /// The content's number.
    pub content: u32,
    /// To which.
    pub base: Digest,
    /// The length of that, bytes.
    pub size: u64,
}

/// What a host lacks of an offered artifact.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Need {
    /// Runs of numbers of missing contents: the first, and how many ([`crate::artifact::Index::runs`]).
    pub missing: Vec<(u32, u32)>,
    /// Those of them that may come as the difference that was offered.
    pub deltas: Vec<u32>,
    /// Chunks that are here of those of them that are large: the content's number, and name and
    /// length (bytes) of each chunk.
    pub chunks: Vec<(u32, Vec<(u64, u32)>)>,
    /// What the tree shares with what is here already, bytes.
    pub reused: u64,
    /// Archives of runtimes that are not here.
    pub archives: Vec<NeededArchive>,
}

/// An archive that a host lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeededArchive {
    /// Which.
    pub sha256: Sha256,
    /// So many of its bytes came already, in a transfer that was interrupted.
    pub have: u64,
}

/// Makes the offered artifact a release.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Publish {
    /// Its metadata.
    pub release: Release,
    /// What makes two releases the same.
    pub identity: Digest,
    /// Environment and secrets.
    pub env: BTreeMap<String, Secret>,
}

/// What setup shall make.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SetupRequest {
    /// All services that may run there.
    pub services: Vec<ServiceSpec>,
    /// Paths below `shared/`.
    pub shared: Vec<String>,
    /// The user that deploys.
    pub login: String,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// A hook to run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HookRequest {
    /// Its name.
    pub name: String,
    /// A line for `/bin/sh`.
    pub run: String,
    /// In this release's folder, with its environment.
    pub release: ReleaseId,
    /// After this long it is killed, ms.
    pub timeout_ms: u64,
}

/// An activation to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ActivateRequest {
    /// To which release.
    pub release: ReleaseId,
    /// Whether the settle time is waited for: not for a release that was proven before.
    pub settle: bool,
    /// The host is the whole fleet: proven, it commits at once, while the controller is there, and
    /// keeps so many good releases. Else [`ToAgent::Commit`] says when.
    pub commit: Option<u32>,
}

/// What to do with a running service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceAction {
    /// Stop and start.
    Restart,
    /// Stop.
    Stop,
    /// Start.
    Start,
}

impl ToAgent {
    /// Whether this is a request to a transaction that has an answer of its own: both ends count
    /// these, and so find out after a lost connection which one did not arrive. An offer and what
    /// follows it is begun anew instead.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        matches!(
            self,
            Self::Begin(_)
                | Self::Publish(_)
                | Self::Hook(_)
                | Self::Activate(_)
                | Self::Watch { .. }
                | Self::Present
                | Self::Precommit
                | Self::Commit { .. }
                | Self::Revert { .. }
                | Self::End
                | Self::Service { .. }
        )
    }
}

impl ServiceAction {
    /// The word on the screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::Stop => "stop",
            Self::Start => "start",
        }
    }
}

/// From the agent to the controller.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FromAgent {
    /// What was found on the host.
    Opened(Box<Facts>),
    /// The lock is held by this transaction.
    Begun {
        /// The facts again, now that nobody else can change them.
        facts: Box<Facts>,
    },
    /// Something happened.
    Event(HostEvent),
    /// Which contents the host lacks.
    Need(Need),
    /// The host has not the artifact that the index was a change of: it must come whole.
    NeedIndex,
    /// The release is there, verified.
    Published,
    /// The activation, or the revert, ended.
    Activated(Box<Activated>),
    /// What was asked is done.
    Done,
    /// The findings of a preflight.
    Findings(Vec<Finding>),
    /// What setup changed.
    Changes(Vec<String>),
    /// The status.
    Status(Box<HostStatus>),
    /// The releases on the host, newest first.
    Releases(Vec<ReleaseSummary>),
    /// The history, newest first.
    History(Vec<HistoryEntry>),
    /// A line of a log.
    Log {
        /// RFC 3339 with milliseconds, UTC.
        time: String,
        /// The service.
        service: ServiceName,
        /// What it said.
        text: String,
    },
    /// Output of an exec'd command: the next frame is the data.
    Output {
        /// Whether it is stderr's.
        stderr: bool,
    },
    /// An exec'd command ended.
    Exited {
        /// Its exit code; 128 + n for signal n, as sh does.
        code: i32,
    },
    /// What was asked failed; the transaction, if any, goes on.
    Failed(Failure),
    /// The agent lives.
    Heartbeat,
    /// The transaction is there, and this connection is its now.
    Attached(Attached),
    /// The transaction has come to its end without this controller: how, when it had switched.
    Ended(Option<Box<Activated>>),
    /// Somebody else asks this transaction's controller to stop.
    CancelAsked {
        /// Who: `user@machine`.
        by: String,
    },
    /// A release as it is here; its index and its content follow.
    Exported(Box<Exported>),
    /// The end of bulk data.
    DataEnd,
}

impl FromAgent {
    /// Whether this answers a request, of a transaction: both ends count these.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        !matches!(
            self,
            Self::Event(_)
                | Self::Heartbeat
                | Self::Attached(_)
                | Self::Ended(_)
                | Self::CancelAsked { .. }
        )
    }
}

/// All that makes a release besides its files.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Exported {
    /// Its metadata.
    pub release: Release,
    /// Environment and secrets.
    pub env: BTreeMap<String, Secret>,
}
