//! What an agent finds on its host and tells. Times are milliseconds, sizes bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::request::{FleetMember, Holder};
use crate::model::event::Diagnosis;
use crate::model::{Digest, Freeze, ReleaseId, ReleaseState, ServiceName, ServiceState};

/// What an agent finds on its host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The host's own name.
    pub hostname: String,
    /// The user that the agent runs as.
    pub user: String,
    /// Its user id.
    pub uid: u32,
    /// As uname(2) says it: `x86_64-linux`.
    pub platform: String,
    /// The root folder, absolute.
    pub root: String,
    /// Whether the root folder is there and ours.
    pub ready: bool,
    /// The live release.
    pub current: Option<ReleaseId>,
    /// What another tool left live, and the next deploy adopts: `releases/20240101120000`.
    pub adoptable: Option<String>,
    /// The live release's identity.
    pub identity: Option<Digest>,
    /// The highest release number that was ever used here.
    pub last: u32,
    /// The releases on the host, newest first.
    pub releases: Vec<ReleaseSummary>,
    /// Who holds the lock.
    pub holder: Option<Holder>,
    /// The stop sign that somebody set, also when its time is over.
    pub freeze: Option<Freeze>,
    /// The hosts of the environment, as the last deploy here knew them.
    pub fleet: Vec<FleetMember>,
    /// The host's clock, ms since the epoch.
    pub clock_ms: u64,
    /// What the agent repaired when it came: a sentence each.
    pub recovered: Vec<String>,
    /// Which root folder of which machine this is.
    pub root_id: RootId,
    /// Whether the user was added to a group since the login began; only looked for where
    /// [`super::Open::is_kept`] asks for it.
    pub is_login_old: bool,
    /// Those of [`super::Begin::seeded`] with nothing in them here, which are to be filled.
    #[serde(default)]
    pub bare: Vec<String>,
}

/// What tells a root folder from all others. Commands that come at the same time find the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RootId {
    /// The machine, under any name and through every boot; a copy of it has the same.
    pub machine: Option<String>,
    /// The boot of its kernel, which a copy does not share; containers of one machine do.
    pub boot: Option<String>,
    /// Where the folder lies on that kernel's file systems.
    pub folder: Option<String>,
}

impl RootId {
    /// Whether both are known to be the same folder of the same machine.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let known = |id: &Self| Some((id.boot.clone()?, id.folder.clone()?));
        known(self).is_some() && known(self) == known(other)
    }
}

/// A release as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseSummary {
    /// Its number.
    pub id: ReleaseId,
    /// How far it got.
    pub state: ReleaseState,
    /// The release that was live when this one was first switched to.
    pub after: Option<ReleaseId>,
    /// Whether it is live.
    pub current: bool,
    /// When it was staged, RFC 3339.
    pub created: String,
    /// Who deployed it.
    pub who: String,
    /// From which commit.
    pub commit: Option<String>,
    /// The commit's first line.
    pub subject: Option<String>,
    /// Exact runtimes.
    pub runtimes: BTreeMap<String, String>,
    /// The artifact.
    pub artifact: Digest,
}

/// How an activation or a revert ended on the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activated {
    /// The release before.
    pub was: Option<ReleaseId>,
    /// The release now.
    pub is: Option<ReleaseId>,
    /// Whether what is there now was proven.
    pub healthy: bool,
    /// Whether what was asked for is what is there.
    pub ok: bool,
    /// Whether that is final.
    pub committed: bool,
    /// Why not.
    pub why: Option<String>,
    /// What was found.
    pub diagnoses: Vec<Diagnosis>,
    /// Longest time without a good answer during the switch and the way back.
    pub unanswered_ms: Option<u64>,
    /// Commands for a person, when the host needs one.
    pub by_hand: Vec<String>,
}

impl Activated {
    /// The release `is` there, proven, and not final yet.
    #[must_use]
    pub fn proven(was: Option<ReleaseId>, is: ReleaseId, unanswered_ms: Option<u64>) -> Self {
        Self {
            was,
            is: Some(is),
            healthy: true,
            ok: true,
            committed: false,
            why: None,
            diagnoses: Vec::new(),
            unanswered_ms,
            by_hand: Vec::new(),
        }
    }
}

/// One line of a preflight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What was looked at, a word or two: `service manager`, `disk`.
    pub subject: String,
    /// What was found.
    pub text: String,
    /// What to do.
    pub hint: Option<String>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Worth a look.
    Warning,
    /// A deploy would fail.
    Failure,
}

/// What is live on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostStatus {
    /// The live release.
    pub current: Option<ReleaseSummary>,
    /// What another tool left live, and the next deploy adopts: `releases/20240101120000`.
    pub adoptable: Option<String>,
    /// Since when, RFC 3339.
    pub since: Option<String>,
    /// Its services.
    pub services: Vec<ServiceReport>,
    /// Who is deploying right now.
    pub holder: Option<Holder>,
    /// The stop sign that somebody set, also when its time is over.
    pub freeze: Option<Freeze>,
}

impl HostStatus {
    /// Whether every service runs and none is known to be unhealthy.
    #[must_use]
    pub fn serves(&self) -> bool {
        self.services.iter().all(ServiceReport::serves)
    }
}

/// A service of the live release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceReport {
    /// Its name.
    pub service: ServiceName,
    /// What it does.
    pub state: ServiceState,
    /// Whether it is healthy right now; `None` when there is nothing to ask.
    pub healthy: Option<bool>,
    /// What the health check saw.
    pub seen: String,
    /// Automatic restarts since it was started.
    pub restarts: u32,
    /// How long it has been up.
    pub uptime_ms: Option<u64>,
    /// Memory of all its processes.
    pub memory: Option<u64>,
    /// Its main process.
    pub pid: Option<u32>,
}

impl ServiceReport {
    /// Whether it runs and is not known to be unhealthy.
    #[must_use]
    pub fn serves(&self) -> bool {
        self.state == ServiceState::Running && self.healthy != Some(false)
    }
}
