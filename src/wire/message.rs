//! The messages. Times are milliseconds, sizes bytes.

use serde::{Deserialize, Serialize};

use super::Seed;
use super::exec::{Exec, ExecSignal, Size};
use super::found::{Activated, Facts, Finding, HostStatus, ReleaseSummary};
use super::request::{
    ActivateRequest, Attach, Attached, Begin, Changes, Exported, HookRequest, LogsRequest, Need,
    Offer, Open, Preflight, Publish, RemoveRequest, ServiceAction, SetupRequest,
};
use crate::model::event::HostEvent;
use crate::model::{Failure, Freeze, Operation, ReleaseId, ServiceName, Sha256};

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
