//! systemd as the service manager: the system's, or the user's own.

use std::time::{Duration, Instant};

use super::journal::Journal;
use super::systemctl::{self, Scope};
use super::unit::unit_name;
use super::{LogCursor, LogLine, ServiceManager, ServiceState, ServiceStatus, show};
use crate::model::{Deployment, Failure, ServiceName};

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

    fn act(&self, verb: &str, service: &ServiceName, deadline: Duration) -> Result<(), Failure> {
        let unit = unit_name(&self.deployment.app, service);
        systemctl::act(self.scope, &self.deployment, verb, &unit, deadline)
    }

    /// Clears what a failed unit remembers: its start limit and its count of restarts.
    fn forget_failures(
        &self,
        service: &ServiceName,
        seen: Option<&ServiceStatus>,
        deadline: Duration,
    ) -> Result<(), Failure> {
        let asked;
        let status = match seen {
            Some(seen) => seen,
            None => {
                asked = self.status(service)?;
                &asked
            }
        };
        match status.state {
            ServiceState::Missing => {
                let unit = unit_name(&self.deployment.app, service);
                return Err(systemctl::not_installed(&self.deployment, &unit));
            }
            ServiceState::Failed | ServiceState::Restarting => {}
            _ if status.restarts > 0 => {}
            // Nothing to forget: one call of sudo less.
            _ => return Ok(()),
        }
        self.act("reset-failed", service, deadline)
    }
}

impl ServiceManager for Systemd {
    fn status(&self, service: &ServiceName) -> Result<ServiceStatus, Failure> {
        let mut statuses = self.statuses(std::slice::from_ref(service))?;
        statuses
            .pop()
            .ok_or_else(|| Failure::unexpected("systemctl show said nothing"))
    }

    fn statuses(&self, services: &[ServiceName]) -> Result<Vec<ServiceStatus>, Failure> {
        if services.is_empty() {
            return Ok(Vec::new());
        }
        let property = format!("--property={}", show::PROPERTIES);
        let units: Vec<_> = services
            .iter()
            .map(|service| unit_name(&self.deployment.app, service))
            .collect();
        let mut args = vec!["show", &property];
        args.extend(units.iter().map(String::as_str));
        let output = systemctl::ask(self.scope, &self.deployment, &args)?;
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let now_us = u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000
            + u64::try_from(now.tv_nsec).unwrap_or(0) / 1000;
        let blocks = show::blocks(&output.stdout);
        if blocks.len() != services.len() {
            return Err(Failure::unexpected(format!(
                "systemctl show told of {} units, asked for {}",
                blocks.len(),
                services.len()
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
        service: &ServiceName,
        seen: Option<&ServiceStatus>,
        deadline: Duration,
    ) -> Result<(), Failure> {
        let end = Instant::now() + deadline;
        self.forget_failures(service, seen, deadline)?;
        self.act(
            "restart",
            service,
            end.saturating_duration_since(Instant::now()),
        )
    }

    fn start(&self, service: &ServiceName, deadline: Duration) -> Result<(), Failure> {
        let end = Instant::now() + deadline;
        self.forget_failures(service, None, deadline)?;
        self.act(
            "start",
            service,
            end.saturating_duration_since(Instant::now()),
        )
    }

    fn stop(&self, service: &ServiceName, deadline: Duration) -> Result<(), Failure> {
        if self.status(service)?.state == ServiceState::Missing {
            return Ok(());
        }
        self.act("stop", service, deadline)
    }

    fn log_cursor(&self, _service: &ServiceName) -> Result<LogCursor, Failure> {
        self.journal.cursor()
    }

    fn log_since(
        &self,
        service: &ServiceName,
        cursor: Option<&LogCursor>,
        max: usize,
    ) -> Result<Vec<LogLine>, Failure> {
        self.journal.since(service, cursor, max)
    }

    fn follow(
        &self,
        services: &[ServiceName],
        line: &mut dyn FnMut(Option<LogLine>) -> bool,
    ) -> Result<(), Failure> {
        self.journal.follow(services, line)
    }
}
