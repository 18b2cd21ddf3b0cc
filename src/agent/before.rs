//! How services look before a switch: what the proof compares with.

use std::time::{Duration, Instant};

use super::host::Host;
use super::service::{LogCursor, ServiceStatus};
use crate::model::{Failure, Instance, ServiceName, ServiceSpec};

/// How a service looked just before it was told to restart.
#[derive(Debug, Clone, Default)]
pub struct Before {
    /// The start that was running.
    pub invocation: Option<String>,
    /// Its whole status.
    pub status: Option<ServiceStatus>,
    /// The end of the log.
    pub cursor: Option<LogCursor>,
    /// Why the service manager did not tell the status.
    pub silent: Option<Failure>,
    /// Whether it is this start that is to be proven: it was not restarted.
    pub kept: bool,
}

impl Before {
    /// The start that is to be proven, and how often it had been restarted by itself before: known
    /// of a service that was not restarted.
    #[must_use]
    pub fn start_that_was_kept(&self) -> Option<(String, u32)> {
        let restarts = self.status.as_ref().map_or(0, |status| status.restarts);
        let invocation = self.invocation.clone().filter(|_| self.kept)?;
        Some((invocation, restarts))
    }

    /// Takes down how each of `services` looks now: two questions to two programs, side by side.
    #[must_use]
    pub fn of_all(host: &Host, services: &[ServiceSpec]) -> Vec<Self> {
        let instances: Vec<Instance> = services.iter().map(ServiceSpec::instance).collect();
        let (statuses, cursors) = std::thread::scope(|scope| {
            let cursors = scope.spawn(|| {
                let cursor = |instance| host.manager.log_cursor(instance).ok();
                instances.iter().map(cursor).collect::<Vec<_>>()
            });
            let statuses = host.manager.statuses(&instances);
            (statuses, cursors.join().unwrap_or_default())
        });
        let (statuses, silent) = match statuses {
            Ok(statuses) => (statuses, None),
            Err(failure) => (Vec::new(), Some(failure)),
        };
        let mut statuses = statuses.into_iter();
        let mut cursors = cursors.into_iter();
        instances
            .iter()
            .map(|_| {
                let status = statuses.next();
                Self {
                    invocation: status.as_ref().and_then(|status| status.invocation.clone()),
                    status,
                    cursor: cursors.next().flatten(),
                    silent: silent.clone(),
                    kept: false,
                }
            })
            .collect()
    }
}

/// What was taken down stays true this long: nobody else restarts services under the lock, but the
/// log goes on.
const FRESH: Duration = Duration::from_secs(2);

/// How some services looked at a certain time.
#[derive(Debug)]
pub struct Befores {
    taken: Instant,
    of: Vec<(ServiceName, Before)>,
}

impl Befores {
    /// Takes down how `services` look now.
    #[must_use]
    pub fn of(host: &Host, services: &[ServiceSpec]) -> Self {
        let taken = Instant::now();
        let names = services.iter().map(|service| service.name.clone());
        Self {
            taken,
            of: names.zip(Before::of_all(host, services)).collect(),
        }
    }

    /// The statuses that were found.
    pub fn statuses(&self) -> impl Iterator<Item = &ServiceStatus> {
        self.of
            .iter()
            .filter_map(|(_, before)| before.status.as_ref())
    }

    /// Why the service manager did not tell how the services looked.
    #[must_use]
    pub fn silent(&self) -> Option<&Failure> {
        self.of
            .iter()
            .find_map(|(_, before)| before.silent.as_ref())
    }

    /// These, unless they are too old to be relied on.
    #[must_use]
    pub fn if_fresh(self) -> Option<Self> {
        (self.taken.elapsed() < FRESH).then_some(self)
    }

    /// How each of `services` looked; those that are not among these are looked at now.
    #[must_use]
    pub fn complete(mut self, host: &Host, services: &[ServiceSpec]) -> Self {
        let is_new = |service: &&ServiceSpec| self.of.iter().all(|(name, _)| *name != service.name);
        let new: Vec<_> = services.iter().filter(is_new).cloned().collect();
        if !new.is_empty() {
            self.of.extend(Self::of(host, &new).of);
        }
        self
    }

    /// Each service, and how it looked.
    #[must_use]
    pub fn into_each(self) -> Vec<(ServiceName, Before)> {
        self.of
    }
}
