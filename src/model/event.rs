//! What the engine says while it works. It never prints: a person's screen, plain lines, JSON
//! lines and CI annotations are consumers of this one stream. `--json` prints each event as it
//! serializes here; `docs/events.md` is the reference.

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::name::{AppName, EnvironmentName, HostName, ServiceName};
use super::release::ReleaseId;

/// One thing that happened. Times are milliseconds, sizes bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A command began.
    Started {
        /// `deploy`, `rollback`, `setup`, `restart`…
        command: String,
        /// The app.
        app: AppName,
        /// Where.
        environment: EnvironmentName,
        /// The hosts, in the order of the manifest.
        hosts: Vec<HostName>,
        /// Short commit id, with `-dirty` when the release is made of uncommitted changes.
        commit: Option<String>,
    },
    /// Something worth a line, on no host in particular.
    Note {
        /// A lower-case sentence.
        text: String,
    },
    /// Something a person should look at; the command goes on.
    Warning {
        /// A lower-case sentence.
        text: String,
        /// What to do.
        hint: Option<String>,
    },
    /// A build, test or hook step of this machine began.
    StepStarted {
        /// Which list it belongs to.
        phase: Phase,
        /// Its name.
        name: String,
    },
    /// A line of a step's output.
    StepOutput {
        /// Which list it belongs to.
        phase: Phase,
        /// Its name.
        name: String,
        /// The line, without its end; control characters as they came.
        line: String,
    },
    /// A step ended.
    StepFinished {
        /// Which list it belongs to.
        phase: Phase,
        /// Its name.
        name: String,
        /// Whether it succeeded.
        ok: bool,
        /// `exit code 1`, `killed by signal 9 (SIGKILL)`, `timed out after 10m`; `None` when ok.
        why: Option<String>,
        /// Whether it was stopped from outside, and so did not fail by itself.
        #[serde(default)]
        is_stopped: bool,
        /// How long it ran.
        ms: u64,
        /// The file that holds its whole output, relative to the project.
        log: Option<String>,
    },
    /// This machine waits for something that is not a step, such as a download. Said again with
    /// the same text as it goes on.
    Waiting {
        /// What for, after "still": `fetching node 20.11.1`.
        text: String,
        /// Bytes so far, where bytes are what is waited for.
        done: Option<u64>,
        /// Bytes in all, where known.
        total: Option<u64>,
    },
    /// That wait is over.
    Waited {
        /// The text that it began with.
        text: String,
        /// Bytes in all, where bytes were what was waited for.
        bytes: Option<u64>,
        /// How long it took.
        ms: u64,
    },
    /// One request to a host and its answer (`-v`).
    RoundTrip {
        /// The host.
        host: HostName,
        /// The request.
        what: String,
        /// From sending to the answer.
        ms: u64,
    },
    /// What a deploy will do, before the release travels (`-v`).
    Planned {
        /// The release.
        release: ReleaseId,
        /// The hosts, in the order of the manifest.
        hosts: Vec<PlannedHost>,
        /// Names of the hooks that run before the switch.
        before: Vec<String>,
        /// Names of the hooks that run once every host is proven.
        after: Vec<String>,
        /// How long the release is watched before it is good.
        watch_ms: u64,
    },
    /// Something happened on a host.
    Host {
        /// The host.
        host: HostName,
        /// What.
        #[serde(flatten)]
        what: HostEvent,
    },
    /// The live release already is what would be deployed; nothing was changed.
    Unchanged {
        /// The live release.
        release: ReleaseId,
    },
    /// The next release has its number.
    Numbered {
        /// The number, the same on all hosts.
        release: ReleaseId,
    },
    /// The hosts are put back; what follows concerns the previous releases.
    Reverting {
        /// The release that does not stay.
        release: ReleaseId,
        /// The host that is the reason.
        host: HostName,
        /// Whether the release was activated on that host; false where the host failed before that.
        activated: bool,
    },
    /// The command ended well, or as the policy allows.
    Finished {
        /// What is true now.
        outcome: Outcome,
    },
    /// The command ended well, and has no outcome on hosts to tell: it prepared them, or worked on
    /// this machine only.
    Done,
    /// The command failed.
    Failed {
        /// What went wrong and what to do.
        failure: Failure,
        /// What is true now, when hosts were touched.
        outcome: Option<Outcome>,
        /// The exit code.
        exit: u8,
    },
}

/// The list that a step belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// `[build]`.
    Build,
    /// `[test]`.
    Test,
    /// `[hooks]`, on a host.
    Hook,
}

impl Phase {
    /// The word on the screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Test => "test",
            Self::Hook => "hook",
        }
    }
}

/// Something that happened on one host. Times are milliseconds, sizes bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum HostEvent {
    /// A connection stands and the agent answers.
    Connected {
        /// Whether the agent had to be sent first.
        agent_sent: bool,
        /// What is live there.
        current: Option<ReleaseId>,
        /// From the start of the connection to the agent's answer.
        ms: u64,
    },
    /// The connection was lost and is being made again; what is done on the host goes on.
    Reconnecting,
    /// The connection is there again.
    Reconnected {
        /// For so long it was not, ms, counted from the moment that this was found out.
        ms: u64,
    },
    /// The host waits before it can go on, such as for another deploy's lock.
    Waiting {
        /// What for, after "waiting for": `the deploy that ann@laptop began at 10:31`.
        text: String,
    },
    /// Bytes travel.
    Transferring {
        /// Bytes of content and of runtimes sent so far, before compression.
        done: u64,
        /// Bytes of content and of runtimes to send, before compression.
        total: u64,
        /// Bytes on the wire so far.
        sent: u64,
        /// The runtime that travels, `node 20.11.1`; null while it is content.
        runtime: Option<String>,
    },
    /// The whole release is there, verified, not active.
    Staged {
        /// The release.
        release: ReleaseId,
        /// Files in it.
        files: u64,
        /// Files of it that travelled.
        files_sent: u64,
        /// Bytes on the wire for it.
        sent: u64,
        /// Bytes of its files that were on the host already.
        reused: u64,
        /// From the offer to the published folder.
        ms: u64,
    },
    /// A hook began on the host.
    HookStarted {
        /// The hook's name.
        name: String,
    },
    /// A line of a hook's output.
    HookOutput {
        /// The hook's name.
        name: String,
        /// The line.
        line: String,
    },
    /// A hook ended.
    HookFinished {
        /// The hook's name.
        name: String,
        /// Whether it succeeded.
        ok: bool,
        /// Why not.
        why: Option<String>,
        /// Whether it was stopped from outside, and so did not fail by itself.
        #[serde(default)]
        is_stopped: bool,
        /// How long it ran.
        ms: u64,
    },
    /// `current` points to the release.
    Flipped {
        /// From.
        from: Option<ReleaseId>,
        /// To.
        to: ReleaseId,
    },
    /// A service is being stopped because the release does not have it, or by request.
    Stopped {
        /// The service.
        service: ServiceName,
    },
    /// A service was told to restart.
    Restarted {
        /// The service.
        service: ServiceName,
        /// How long the service manager took.
        ms: u64,
    },
    /// The proof goes on; what was last seen.
    Proving {
        /// The service.
        service: ServiceName,
        /// `no answer yet: connection refused`, `200, 1 of 2`, `up for 2s of 5s`…
        seen: String,
    },
    /// A service of the new release is proven.
    Proven {
        /// The service.
        service: ServiceName,
        /// Since the restart.
        ms: u64,
        /// Longest time without a good answer during the switch; `None` where nothing was asked.
        unanswered_ms: Option<u64>,
        /// Whether it has answered; a service that nobody can ask has kept running.
        answered: bool,
    },
    /// A service failed its proof, or could not be restarted.
    Unproven {
        /// What was found.
        diagnosis: Diagnosis,
    },
    /// The release is proven and being watched, to see whether it stays healthy. Said every five
    /// seconds, and when an answer is a bad one.
    Watching {
        /// The release.
        release: ReleaseId,
        /// For how long in all.
        ms: u64,
        /// How long still.
        left_ms: u64,
        /// The last answer, when it was a bad one: `web: answered 500, 1 of 3`.
        bad: Option<String>,
    },
    /// The release stayed healthy while it was watched.
    Watched {
        /// The release.
        release: ReleaseId,
        /// Since it was proven.
        ms: u64,
    },
    /// The host is put back to a release (`None`: to nothing, services stopped).
    Reverted {
        /// To.
        to: Option<ReleaseId>,
        /// Whether that one was proven.
        healthy: bool,
        /// Longest time without a good answer, from the switch until it was put back; `None` where
        /// nothing was asked.
        unanswered_ms: Option<u64>,
    },
    /// Old releases were removed.
    Pruned {
        /// Which.
        releases: Vec<ReleaseId>,
    },
    /// Something was changed on the host (setup), or would be.
    Changed {
        /// A lower-case sentence in the past tense.
        text: String,
    },
    /// A line worth showing.
    Note {
        /// A lower-case sentence.
        text: String,
    },
    /// Something a person should look at.
    Warning {
        /// A lower-case sentence.
        text: String,
    },
}

/// Why a service is not healthy, as found on the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// The service.
    pub service: ServiceName,
    /// The release that was being proven.
    pub release: Option<ReleaseId>,
    /// One lower-case sentence: `the process exited with code 1 after 0.2s, 3 restarts`.
    pub reason: String,
    /// Further facts: what the health check saw, what listens where.
    pub facts: Vec<String>,
    /// The service's own last log lines since just before the restart.
    pub log: Vec<String>,
}

/// What a deploy will do on one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedHost {
    /// The host.
    pub host: HostName,
    /// The release that is live there.
    pub from: Option<ReleaseId>,
    /// Hosts of one wave switch together, those of wave 1 first.
    pub wave: u32,
    /// The services that the release has there.
    pub services: Vec<ServiceName>,
    /// What they run on: `node 20.11.1`.
    pub runtimes: Vec<String>,
}

/// What is true on one host after a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostOutcome {
    /// The host.
    pub host: HostName,
    /// The release before.
    pub was: Option<ReleaseId>,
    /// The release now.
    pub is: Option<ReleaseId>,
    /// Whether what is there now was proven; `None` when nothing was asked.
    pub healthy: Option<bool>,
    /// Why, when it is not what was asked for.
    pub why: Option<String>,
    /// Longest time without a good answer on this host during the switch and the way back; `None`
    /// where nothing was asked.
    pub unanswered_ms: Option<u64>,
    /// Commands for a person, when the host needs one.
    pub by_hand: Vec<String>,
}

/// What a command did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// A new release is live.
    Deployed,
    /// What would be deployed was live already.
    Unchanged,
    /// An older release is live again, as asked.
    RolledBack,
    /// The release failed, and the one before is live again.
    Reverted,
    /// Services were restarted.
    Restarted,
    /// Services were stopped.
    Stopped,
    /// Services were started.
    Started,
    /// Deploys are refused.
    Frozen,
    /// Deploys are allowed again.
    Thawed,
    /// Deploys were allowed before, too.
    NotFrozen,
    /// Another command was made to stop.
    Cancelled,
    /// There was no other command to stop.
    Idle,
}

impl Verb {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Deployed,
        Self::Unchanged,
        Self::RolledBack,
        Self::Reverted,
        Self::Restarted,
        Self::Stopped,
        Self::Started,
        Self::Frozen,
        Self::Thawed,
        Self::NotFrozen,
        Self::Cancelled,
        Self::Idle,
    ];

    /// The word in a sentence.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deployed => "deployed",
            Self::Unchanged => "unchanged",
            Self::RolledBack => "rolled back",
            Self::Reverted => "reverted",
            Self::Restarted => "restarted",
            Self::Stopped => "stopped",
            Self::Started => "started",
            Self::Frozen => "frozen",
            Self::Thawed => "thawed",
            Self::NotFrozen => "not frozen",
            Self::Cancelled => "cancelled",
            Self::Idle => "idle",
        }
    }
}

/// What is true after a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// What was done.
    pub verb: Verb,
    /// The release that was asked for.
    pub release: Option<ReleaseId>,
    /// A row per host, in the order of the manifest.
    pub hosts: Vec<HostOutcome>,
    /// The whole command.
    pub ms: u64,
    /// Bytes on the wire to the hosts.
    pub sent: u64,
    /// Longest time without a good answer on any host during the switch and the way back.
    pub unanswered_ms: Option<u64>,
}

/// Hears each event.
type Subscriber = std::sync::Arc<dyn Fn(&Event) + Send + Sync>;

/// Where events go: to any number of subscribers. Cheap to clone; usable from any thread.
#[derive(Clone, Default)]
pub struct Sink(Vec<Subscriber>);

impl Sink {
    /// A sink that hands each event to `subscriber`, in order of arrival.
    pub fn new(subscriber: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self::default().and(subscriber)
    }

    /// The same with one more subscriber.
    #[must_use]
    pub fn and(mut self, subscriber: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.0.push(std::sync::Arc::new(subscriber));
        self
    }

    /// Emits one event.
    pub fn emit(&self, event: Event) {
        for subscriber in &self.0 {
            subscriber(&event);
        }
    }

    /// Emits something that happened on `host`.
    pub fn host(&self, host: &HostName, what: HostEvent) {
        self.emit(Event::Host {
            host: host.clone(),
            what,
        });
    }
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sink")
    }
}
