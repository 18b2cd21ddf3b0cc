//! Service managers behind one trait, all real.

use std::path::PathBuf;
use std::time::Duration;

use crate::agent::Layout;
use crate::model::{
    Deployment, EnvironmentName, Failure, Instance, ServiceManagerKind, ServiceName,
};

pub mod account;
pub(in crate::agent) mod child;
pub mod env_file;
mod exit;
mod journal;
mod show;
pub mod supervisor;
pub(in crate::agent) mod systemctl;
mod systemd;
pub mod unit;

pub use journal::GROUP as JOURNAL_GROUP;
pub use supervisor::Supervisor;
pub use systemctl::Scope;
pub use systemd::Systemd;

/// The service manager of `deployment` on this host.
#[must_use]
pub fn manager(deployment: &Deployment, layout: &Layout) -> Box<dyn ServiceManager> {
    let systemd = |scope| Box::new(Systemd::new(deployment.clone(), scope));
    match deployment.manager {
        ServiceManagerKind::Systemd => systemd(Scope::System),
        ServiceManagerKind::SystemdUser => systemd(Scope::User),
        ServiceManagerKind::Supervisor => Box::new(Supervisor::new(layout.clone())),
    }
}

pub use crate::model::ServiceState;

/// What a service manager knows about a service right now.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct ServiceStatus {
    /// What it does.
    pub state: ServiceState,
    /// Its main process.
    pub main_pid: Option<u32>,
    /// Names this start of the service: new for every start (systemd.exec(5) `$INVOCATION_ID`).
    pub invocation: Option<String>,
    /// Automatic restarts since it was last started by hand (`NRestarts=`).
    pub restarts: u32,
    /// How long the main process has been up, ms.
    pub uptime_ms: Option<u64>,
    /// How the last main process ended, when it did: `exit code 1`, `killed by signal 9
    /// (SIGKILL)`, `killed: out of memory`.
    pub last_exit: Option<String>,
    /// Memory of all its processes, bytes.
    pub memory: Option<u64>,
    /// All its processes, where that can be known.
    pub pids: Vec<u32>,
}

/// A position in the logs, taken BEFORE a restart, so that what the new process says can be told
/// from what the old one said. Opaque; each service manager has its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogCursor(pub String);

/// A span of time whose log lines are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogSpan {
    /// Not before this.
    pub since: Option<jiff::Timestamp>,
    /// Not after this.
    pub until: Option<jiff::Timestamp>,
}

/// A line of a service's log.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LogLine {
    /// RFC 3339 with milliseconds, UTC.
    pub time: String,
    /// The service.
    pub service: ServiceName,
    /// What it said, without the line end.
    pub text: String,
}

/// Keeps services running on this host.
///
/// Every call returns by its deadline, whatever the service does; a call that had to give up says
/// so in its error.
pub trait ServiceManager: Send + Sync {
    /// The folder that `instance` has as `$RUNTIME_DIRECTORY`: its launcher says there which process
    /// runs which release (systemd.exec(5) `RuntimeDirectory=`).
    fn runtime_dir(&self, instance: &Instance) -> PathBuf;

    /// What a person types to restart `service` of `environment`: without ship, where there is such a
    /// way.
    fn by_hand_restart(&self, environment: &EnvironmentName, service: &ServiceName) -> String;

    /// The status of `instance`.
    ///
    /// # Errors
    /// When the service manager does not answer.
    fn status(&self, instance: &Instance) -> Result<ServiceStatus, Failure>;

    /// The status of each of `instances`, in their order, in one question where that is possible.
    ///
    /// # Errors
    /// When the service manager does not answer.
    fn statuses(&self, instances: &[Instance]) -> Result<Vec<ServiceStatus>, Failure> {
        instances
            .iter()
            .map(|instance| self.status(instance))
            .collect()
    }

    /// Clears a start limit, then restarts `instance` (starts it when it is not running). Returning
    /// `Ok` means only that the service manager began it: whether it becomes ready is not waited
    /// for. `seen` is its status of a moment ago,
    /// when that is at hand.
    ///
    /// # Errors
    /// When the manager refuses, the rights are missing, or `deadline` passes.
    fn restart(
        &self,
        instance: &Instance,
        seen: Option<&ServiceStatus>,
        deadline: Duration,
    ) -> Result<(), Failure>;

    /// Starts `instance` unless it runs.
    ///
    /// # Errors
    /// As [`restart`](Self::restart).
    fn start(&self, instance: &Instance, deadline: Duration) -> Result<(), Failure>;

    /// Stops `instance` and waits until its processes are gone.
    ///
    /// # Errors
    /// As [`restart`](Self::restart).
    fn stop(&self, instance: &Instance, deadline: Duration) -> Result<(), Failure>;

    /// The end of the logs as of now.
    ///
    /// # Errors
    /// When the logs cannot be read (rights).
    fn log_cursor(&self, instance: &Instance) -> Result<LogCursor, Failure>;

    /// What `instance` itself said after `cursor` (`None`: at all), the last `max` lines, oldest
    /// first.
    ///
    /// # Errors
    /// When the logs cannot be read (rights).
    fn log_since(
        &self,
        instance: &Instance,
        cursor: Option<&LogCursor>,
        max: usize,
    ) -> Result<Vec<LogLine>, Failure>;

    /// What `instances` themselves said within `span`, line by line until `line` returns `false`:
    /// in the order of time, or the newest first.
    ///
    /// # Errors
    /// When the logs cannot be read (rights).
    fn log_within(
        &self,
        instances: &[Instance],
        span: &LogSpan,
        newest_first: bool,
        line: &mut dyn FnMut(LogLine) -> bool,
    ) -> Result<(), Failure>;

    /// Follows the logs of `services` from now on, calling `line` until it returns `false`: with
    /// each new line, and with `None` at least once a second, so that a caller can stop while
    /// nothing is said.
    ///
    /// # Errors
    /// When the logs cannot be read (rights).
    fn follow(
        &self,
        instances: &[Instance],
        line: &mut dyn FnMut(Option<LogLine>) -> bool,
    ) -> Result<(), Failure>;
}
