//! systemd as the service manager: the system's, or the user's own.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::journal::Journal;
use super::systemctl::{self, Scope};
use super::unit::unit_name;
use super::{LogCursor, LogLine, LogSpan, ServiceManager, ServiceState, ServiceStatus, show};
use crate::model::{Deployment, EnvironmentName, Failure, Instance, ServiceName};

/// A start that takes longer is looked at this often.
const LOOK: Duration = Duration::from_millis(500);

/// Services as units that `ship setup` wrote.
#[derive(Debug, Clone)]
pub struct Systemd {
    deployment: Deployment,
    scope: Scope,
    journal: Journal,
}

impl Systemd {
    /// The units of `deployment`'s app in `scope`.
    #[must_use]
    pub fn new(deployment: Deployment, scope: Scope) -> Self {
        let journal = Journal::new(deployment.clone(), scope);
        Self {
            deployment,
            scope,
            journal,
        }
    }

    fn act(&self, verb: &str, instance: &Instance, deadline: Duration) -> Result<(), Failure> {
        let unit = unit_name(&self.deployment.app, instance);
        systemctl::act(self.scope, &self.deployment, verb, &unit, deadline)
    }

    /// The same until another start than `before` is under way: systemctl waits until a `notify`
    /// service is ready (systemd.service(5)), and how long that may take is for the proof to say.
    /// It is left to end by itself then.
    fn begin(
        &self,
        verb: &'static str,
        instance: &Instance,
        before: Option<&str>,
        deadline: Duration,
    ) -> Result<(), Failure> {
        let (sender, ended) = mpsc::channel();
        let (this, of) = (self.clone(), instance.clone());
        thread::spawn(move || sender.send(this.act(verb, &of, deadline)));
        loop {
            match ended.recv_timeout(LOOK) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Timeout) => {
                    let status = self.status(instance);
                    if status.is_ok_and(|status| is_begun(&status, before)) {
                        return Ok(());
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Failure::unexpected("systemctl was not waited for"));
                }
            }
        }
    }

    /// Clears what a failed unit remembers: its start limit and its count of restarts. A unit that
    /// waits for its own restart is stopped first: systemd would run what it is asked to start as
    /// that restart, and count it as one.
    fn forget_failures(
        &self,
        instance: &Instance,
        status: &ServiceStatus,
        deadline: Duration,
    ) -> Result<(), Failure> {
        match status.state {
            ServiceState::Missing => {
                let unit = unit_name(&self.deployment.app, instance);
                return Err(systemctl::not_installed(&self.deployment, &unit));
            }
            ServiceState::Restarting => self.act("stop", instance, deadline)?,
            ServiceState::Failed => {}
            _ if status.restarts > 0 => {}
            // Nothing to forget: one call of sudo less.
            _ => return Ok(()),
        }
        self.act("reset-failed", instance, deadline)
    }
}

impl ServiceManager for Systemd {
    fn runtime_dir(&self, instance: &Instance) -> PathBuf {
        let name = format!("{}-{instance}", self.deployment.app);
        match self.scope {
            Scope::System => Path::new("/run").join(name),
            Scope::User => {
                let uid = rustix::process::geteuid().as_raw();
                PathBuf::from(format!("/run/user/{uid}")).join(name)
            }
        }
    }

    fn by_hand_restart(&self, _environment: &EnvironmentName, service: &ServiceName) -> String {
        let unit = unit_name(&self.deployment.app, &Instance::only(service));
        match self.scope {
            Scope::System => format!("sudo systemctl restart {unit}"),
            Scope::User => format!("systemctl --user restart {unit}"),
        }
    }

    fn status(&self, instance: &Instance) -> Result<ServiceStatus, Failure> {
        let mut statuses = self.statuses(std::slice::from_ref(instance))?;
        statuses
            .pop()
            .ok_or_else(|| Failure::unexpected("systemctl show said nothing"))
    }

    fn statuses(&self, instances: &[Instance]) -> Result<Vec<ServiceStatus>, Failure> {
        if instances.is_empty() {
            return Ok(Vec::new());
        }
        let property = format!("--property={}", show::PROPERTIES);
        let units: Vec<_> = instances
            .iter()
            .map(|instance| unit_name(&self.deployment.app, instance))
            .collect();
        let mut args = vec!["show", &property];
        args.extend(units.iter().map(String::as_str));
        let output = systemctl::ask(self.scope, &self.deployment, &args)?;
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let now_us = u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000
            + u64::try_from(now.tv_nsec).unwrap_or(0) / 1000;
        let blocks = show::blocks(&output.stdout);
        if blocks.len() != instances.len() {
            return Err(Failure::unexpected(format!(
                "systemctl show told of {} units, asked for {}",
                blocks.len(),
                instances.len()
            ))
            .details(output.stderr.lines().map(str::to_owned)));
        }
        Ok(blocks
            .iter()
            .map(|unit| show::status(unit, now_us))
            .collect())
    }

    fn restart(
        &self,
        instance: &Instance,
        seen: Option<&ServiceStatus>,
        deadline: Duration,
    ) -> Result<(), Failure> {
        let end = Instant::now() + deadline;
        let seen = match seen {
            Some(seen) => seen.clone(),
            None => self.status(instance)?,
        };
        self.forget_failures(instance, &seen, deadline)?;
        self.begin(
            "restart",
            instance,
            seen.invocation.as_deref(),
            end.saturating_duration_since(Instant::now()),
        )
    }

    fn start(&self, instance: &Instance, deadline: Duration) -> Result<(), Failure> {
        let end = Instant::now() + deadline;
        self.forget_failures(instance, &self.status(instance)?, deadline)?;
        self.begin(
            "start",
            instance,
            None,
            end.saturating_duration_since(Instant::now()),
        )
    }

    fn stop(&self, instance: &Instance, deadline: Duration) -> Result<(), Failure> {
        if self.status(instance)?.state == ServiceState::Missing {
            return Ok(());
        }
        self.act("stop", instance, deadline)
    }

    fn log_cursor(&self, _instance: &Instance) -> Result<LogCursor, Failure> {
        self.journal.cursor()
    }

    fn log_since(
        &self,
        instance: &Instance,
        cursor: Option<&LogCursor>,
        max: usize,
    ) -> Result<Vec<LogLine>, Failure> {
        self.journal.since(instance, cursor, max)
    }

    fn log_within(
        &self,
        instances: &[Instance],
        span: &LogSpan,
        newest_first: bool,
        line: &mut dyn FnMut(LogLine) -> bool,
    ) -> Result<(), Failure> {
        self.journal.within(instances, span, newest_first, line)
    }

    fn follow(
        &self,
        instances: &[Instance],
        line: &mut dyn FnMut(Option<LogLine>) -> bool,
    ) -> Result<(), Failure> {
        self.journal.follow(instances, line)
    }
}

/// Whether a start other than `before` is under way that was asked for: one of systemd's own is
/// counted as a restart.
fn is_begun(now: &ServiceStatus, before: Option<&str>) -> bool {
    now.state == ServiceState::Starting
        && now.restarts == 0
        && now.invocation.is_some()
        && now.invocation.as_deref() != before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_that_was_asked_for_is_told_from_the_one_before_and_from_systemds_own() {
        let is_begun = |state, invocation: Option<&str>, restarts| {
            let now = ServiceStatus {
                state,
                invocation: invocation.map(str::to_owned),
                restarts,
                ..ServiceStatus::default()
            };
            is_begun(&now, Some("before"))
        };
        assert!(is_begun(ServiceState::Starting, Some("now"), 0));
        assert!(!is_begun(ServiceState::Starting, Some("before"), 0));
        assert!(!is_begun(ServiceState::Starting, None, 0));
        assert!(!is_begun(ServiceState::Starting, Some("now"), 1));
        assert!(!is_begun(ServiceState::Stopping, Some("now"), 0));
    }
}
