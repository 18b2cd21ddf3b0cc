//! The messages. Times are milliseconds, sizes bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Seed;
use super::found::{Activated, Facts, Finding, HostStatus, ReleaseSummary};
use crate::model::event::HostEvent;
use crate::model::service::{HealthCheck, Run};
use crate::model::{
    Deployment, Digest, Failure, Freeze, HostName, HostRuntime, Made, Operation, OperationKind,
    Release, ReleaseId, Secret, ServiceName, ServiceSpec, Sha256,
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
    /// Takes the app off the host. → [`FromAgent::Changes`].
    Remove(RemoveRequest),
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
    /// Puts a file into `shared/`, unless something is there. → [`FromAgent::Done`].
    Seed(Seed),
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
    Logs(LogsRequest),
    /// Runs a command in the live release; the connection is its own from here on. Its input follows
    /// as data frames and [`ToAgent::DataEnd`].
    /// → [`FromAgent::Output`], then [`FromAgent::Exited`]; or [`FromAgent::NotStarted`].
    Exec(Box<Exec>),
    /// The terminal of the command has another size now. No answer.
    Resize(Size),
    /// Sends a signal to the command. No answer.
    Signal(ExecSignal),
    /// Nobody reads this output of the command any more. No answer.
    Unread {
        /// Whether it is standard error.
        stderr: bool,
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
    /// Sets the stop sign for deploys. → [`FromAgent::Done`].
    Freeze {
        /// The stop sign.
        freeze: Freeze,
        /// Names the operation, on all hosts ([`Operation::id`]).
        operation: String,
    },
    /// Takes the stop sign away. → [`FromAgent::Done`].
    Thaw {
        /// Who asks: `user@machine`.
        who: String,
        /// As in [`ToAgent::Freeze`].
        operation: String,
    },
    /// Asks for all of a release, to bring it to another host. → [`FromAgent::Exported`], then its
    /// index and its packed content as data frames, each with [`FromAgent::DataEnd`].
    Export {
        /// Which.
        release: ReleaseId,
    },
}

/// Which lines of logs are wanted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogsRequest {
    /// Of which services; empty means all.
    pub services: Vec<ServiceName>,
    /// The newest so many old lines of each service; all of them when there is no number.
    pub lines: Option<usize>,
    /// Not before this, RFC 3339.
    pub since: Option<String>,
    /// Not after this, RFC 3339.
    pub until: Option<String>,
    /// Only lines that match this regular expression.
    pub pattern: Option<String>,
    /// Whether to go on with what comes.
    pub follow: bool,
}

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

/// What the agent must know first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Open {
    /// Which app, where, how.
    pub deployment: Deployment,
    /// What a deploy needs of the host: compared with what is there, and answered by
    /// [`FromAgent::Findings`] behind [`FromAgent::Opened`]. `None` asks for no comparison.
    #[serde(default)]
    pub wants: Option<Wants>,
    /// Whether the login is that of an earlier command, and may be older than what it needs.
    pub is_kept: bool,
}

/// What the manifest says that only `ship setup` can make true on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wants {
    /// The services that may run there.
    pub services: Vec<ServiceSpec>,
    /// Paths below `shared/`.
    pub shared: Vec<String>,
    /// Those of them that the project has something for, without slashes at their ends.
    #[serde(default)]
    pub seeded: Vec<String>,
    /// Whether the manifest names the user that the services run as: an account that ship did not
    /// make is taken only then.
    pub user_is_named: bool,
    /// What a release starts there and does not bring.
    #[serde(default)]
    pub programs: Vec<HostProgram>,
    /// The commits that the project's git history begins with; empty when that is not known.
    #[serde(default)]
    pub history: Vec<String>,
}

/// A program that a release starts on a host, looked up on its `PATH`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostProgram {
    /// `node`.
    pub program: String,
    /// Who starts it: `the service web`.
    pub by: String,
    /// Whether it is started in any case: a shell has nothing to decide.
    pub is_certain: bool,
    /// The runtime that it is, when its version counts.
    pub runtime: Option<String>,
    /// The Debian package that has it.
    pub package: Option<String>,
    /// The version on the machine that deploys.
    pub here: Option<String>,
    /// What the project asks for, and the file that does.
    pub asks: Option<(String, String)>,
}

impl Wants {
    /// The same with only those parts of each service that setup writes down. Commands and
    /// environments stay here: every user of the host may read an argument (proc(5), `cmdline`).
    #[must_use]
    pub fn for_an_argument(&self) -> Self {
        let bare = |service: &ServiceSpec| ServiceSpec {
            run: Run::Argv(Vec::new()),
            fallback: None,
            env: BTreeMap::new(),
            health: HealthCheck {
                probe: None,
                ..service.health.clone()
            },
            ..service.clone()
        };
        Self {
            services: self.services.iter().map(bare).collect(),
            ..self.clone()
        }
    }
}

/// What a preflight looks at.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Preflight {
    /// What a release needs of the host.
    pub wants: Wants,
    /// The runtimes that it will run on.
    pub runtimes: Vec<HostRuntime>,
}

/// The start of a transaction.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Begin {
    /// Names this transaction among all, and the same on all hosts: [`Attach`] finds it by this, and
    /// it is the [`Operation::id`] in the history.
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
    /// As [`Wants::history`].
    #[serde(default)]
    pub history: Vec<String>,
    /// As [`Wants::seeded`].
    #[serde(default)]
    pub seeded: Vec<String>,
    /// The hosts of the environment; noted when a release of this becomes final.
    pub fleet: Vec<FleetMember>,
    /// Whether the host was compared with the manifest a moment ago, and was right: the rights of
    /// the deploying user are not looked at again then.
    pub compared: bool,
}

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// What is done.
    pub what: OperationKind,
    /// `user@machine`, or the CI's actor.
    pub who: String,
    /// Since when, RFC 3339, UTC; unknown where its note on the host cannot be read.
    pub since: Option<String>,
    /// The CI run's address.
    pub ci: Option<String>,
    /// What it is at right now: `activating v42`.
    #[serde(default)]
    pub doing: Option<String>,
    /// Whether all that is left to do is to tidy up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_tidying: bool,
}

impl Holder {
    /// Whether `now` is surely another holder than this one was. Where one of the two notes could not
    /// be read, nobody knows.
    #[must_use]
    pub fn is_followed_by(&self, now: &Self) -> bool {
        let both = self.since.as_ref().zip(now.since.as_ref());
        both.is_some_and(|(then, now)| then != now)
    }
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
    /// For the history, where it was made by this very deploy.
    pub made: Option<Made>,
}

/// A request to make a host ready.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SetupRequest {
    /// What the host is made ready for.
    pub wants: Wants,
    /// The user that deploys.
    pub login: String,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// A request to take an app off a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveRequest {
    /// The user that deploys.
    pub login: String,
    /// Whether the shared files go as well.
    pub purge: bool,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// A host of the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetMember {
    /// Its address in the manifest.
    pub name: HostName,
}

/// What was done to a host, or would be, in sentences.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Changes {
    /// Each change, in the past tense.
    pub made: Vec<String>,
    /// What stays there although it is not wanted any more, and why.
    pub left: Vec<String>,
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
                | Self::Seed(_)
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

    /// Its word on the wire: `publish`.
    #[must_use]
    pub fn name(&self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(name)) => name,
            Ok(serde_json::Value::Object(fields)) => fields.into_iter().map(|it| it.0).collect(),
            _ => String::new(),
        }
    }
}

impl From<ServiceAction> for OperationKind {
    fn from(action: ServiceAction) -> Self {
        match action {
            ServiceAction::Restart => Self::Restart,
            ServiceAction::Stop => Self::Stop,
            ServiceAction::Start => Self::Start,
        }
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
    /// What setup or a removal changed.
    Changes(Changes),
    /// The status.
    Status(Box<HostStatus>),
    /// The releases on the host, newest first.
    Releases(Vec<ReleaseSummary>),
    /// The history, newest first.
    History(Vec<Operation>),
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
    /// An exec'd command, or nobody any more, took so many bytes of its input: as many more may
    /// come ([`EXEC_WINDOW`]).
    Taken {
        /// Bytes.
        bytes: usize,
    },
    /// An exec'd command has closed its input.
    InputClosed,
    /// A command could not be started.
    NotStarted {
        /// The exit code that a shell would give.
        code: i32,
        /// Why.
        failure: Failure,
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
