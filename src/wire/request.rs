//! What requests and answers hold. Times are milliseconds, sizes bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::service::{HealthCheck, Run};
use crate::model::{
    Deployment, Digest, HostName, HostRuntime, Made, OperationKind, Release, ReleaseId, Secret,
    ServiceName, ServiceSpec, Sha256,
};

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

/// All that makes a release besides its files.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Exported {
    /// Its metadata.
    pub release: Release,
    /// Environment and secrets.
    pub env: BTreeMap<String, Secret>,
}
