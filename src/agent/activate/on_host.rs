//! The effects of an activation on the host that this is.

mod acts;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::effects::{Trouble, Way};
use super::together::{restart_all, worth_telling};
use super::{Activation, Pending};
use crate::agent::before::{Before, Befores};
use crate::agent::downtime::Downtime;
use crate::agent::fault::Fault;
use crate::agent::host::LoadedRelease;
use crate::agent::journal;
use crate::agent::prove::{Span, Unproven, add_log};
use crate::agent::service::{LogCursor, ServiceState, ServiceStatus};
use crate::model::event::{Diagnosis, HostEvent};
use crate::model::{Cause, Failure, ReleaseId, ServiceName, ServiceSpec};

/// For so long a service manager that fails is asked again to restart the release from before.
const INSISTING: Duration = Duration::from_secs(5);

/// The pause between two such attempts.
const PAUSE: Duration = Duration::from_millis(500);

/// A diagnosis, and where in the log its story is.
pub struct Found {
    diagnosis: Diagnosis,
    cursor: Option<LogCursor>,
    since: Option<jiff::Timestamp>,
    until: Option<jiff::Timestamp>,
}

/// What is looked at while the first note is on its way to the disk.
type Look = JoinHandle<(Befores, Vec<Option<Downtime>>)>;

pub struct OnHost<'a> {
    activation: &'a Activation<'a>,
    settle: bool,
    /// Whether what was asked of the service manager is known: not after a death, whose last
    /// question may still be on its way.
    pub knows: bool,
    boot: Option<String>,
    loaded: BTreeMap<ReleaseId, Arc<LoadedRelease>>,
    /// How the services looked a moment ago, when the transaction knows.
    given: Option<Befores>,
    look: Option<Look>,
    befores: BTreeMap<ServiceName, Before>,
    /// The last that is known of each service; not of one whose restart failed.
    seen: BTreeMap<ServiceName, ServiceStatus>,
    probes: Vec<Option<Downtime>>,
    /// How long each service took to be proven, ms.
    times: Vec<(ServiceName, bool, u64)>,
    /// What was found of services that are not healthy, and not told yet.
    pub diagnoses: Vec<Found>,
    /// When the way back began.
    turned: Option<jiff::Timestamp>,
    /// What [`unanswered`](Self::unanswered) told.
    unanswered: Option<u64>,
}

impl<'a> OnHost<'a> {
    pub fn new(activation: &'a Activation<'a>, settle: bool, given: Option<Befores>) -> Self {
        Self {
            activation,
            settle,
            knows: true,
            boot: journal::boot(),
            loaded: BTreeMap::new(),
            given,
            look: None,
            befores: BTreeMap::new(),
            seen: BTreeMap::new(),
            probes: Vec::new(),
            times: Vec::new(),
            diagnoses: Vec::new(),
            turned: None,
            unanswered: None,
        }
    }

    fn emit(&self, event: HostEvent) {
        (self.activation.emit)(event);
    }

    fn release(&mut self, id: ReleaseId) -> Result<Arc<LoadedRelease>, Failure> {
        if let Some(loaded) = self.loaded.get(&id) {
            return Ok(Arc::clone(loaded));
        }
        let loaded = Arc::new(self.activation.host.release(id)?);
        self.loaded.insert(id, Arc::clone(&loaded));
        Ok(loaded)
    }

    /// How the services look, and how long they do not answer from now on.
    fn begin_to_look(&mut self, services: Vec<ServiceSpec>, old: Vec<ServiceSpec>) {
        let host = self.activation.host.clone();
        let given = self.given.take().and_then(Befores::if_fresh);
        self.look = Some(std::thread::spawn(move || {
            let befores = match given {
                Some(given) => given.complete(&host, &services),
                None => Befores::of(&host, &services),
            };
            let probes = services.iter().map(|new| Downtime::start(&both(new, &old)));
            (befores, probes.collect())
        }));
    }

    fn end_of_look(&mut self) {
        let Some(Ok((befores, probes))) = self.look.take().map(JoinHandle::join) else {
            return;
        };
        self.probes = probes;
        for (name, before) in befores.into_each() {
            if let Some(status) = &before.status {
                self.seen.insert(name.clone(), status.clone());
            }
            self.befores.insert(name, before);
        }
    }

    fn before(&self, service: &ServiceSpec) -> Before {
        self.befores.get(&service.name).cloned().unwrap_or_default()
    }

    /// Measures from now on how long the services of the two releases do not answer, for a way back
    /// that begins with both of them well; with `down`, for one that begins with a service that has
    /// not answered since then.
    pub fn begin_to_measure(&mut self, pending: Pending, down: Option<Instant>) {
        let Some(from) = pending.from else {
            return;
        };
        let mut services = |id| match self.release(id) {
            Ok(loaded) => loaded.release.services.clone(),
            Err(_) => Vec::new(),
        };
        let (new, old) = (services(pending.to), services(from));
        let start = |service: &ServiceSpec| match down {
            Some(down) => Downtime::since(down, &both(service, &old)),
            None => Downtime::start(&both(service, &old)),
        };
        self.probes = std::thread::scope(|scope| {
            let asked = new.iter().map(|service| scope.spawn(|| start(service)));
            let asked: Vec<_> = asked.collect();
            let answers = asked.into_iter().map(|thread| thread.join().ok().flatten());
            answers.collect()
        });
    }

    /// Ends the measurement of downtime: the longest time without a good answer of any service, ms.
    /// Asked once more, it tells the same.
    pub fn unanswered(&mut self) -> Option<u64> {
        let measured = self.end_of_downtime().into_iter().flatten().max();
        self.unanswered = self.unanswered.max(measured);
        self.unanswered
    }

    /// Ends the measurement of downtime: the longest time without a good answer of each service,
    /// ms.
    fn end_of_downtime(&mut self) -> Vec<Option<u64>> {
        self.end_of_look();
        let probes = self.probes.drain(..);
        probes.map(|probe| probe.map(Downtime::finish)).collect()
    }

    /// Tells that all services are proven; the longest time without a good answer, ms.
    pub fn say_proven(&mut self) -> Option<u64> {
        let unanswered = self.end_of_downtime();
        for (at, (service, answered, ms)) in std::mem::take(&mut self.times).into_iter().enumerate()
        {
            self.emit(HostEvent::Proven {
                service,
                ms,
                unanswered_ms: unanswered.get(at).copied().flatten(),
                answered,
            });
        }
        unanswered.into_iter().flatten().max()
    }

    /// What was found of the new release, which `trouble` ended; the way back begins now.
    pub fn turn(&mut self, to: ReleaseId, trouble: &Trouble) -> Vec<Found> {
        self.turned = Some(jiff::Timestamp::now());
        let found = std::mem::take(&mut self.diagnoses);
        if !found.is_empty() {
            return found;
        }
        let service = self
            .release(to)
            .ok()
            .and_then(|new| new.release.services.first().map(|s| s.name.clone()));
        let Some(service) = service else {
            return Vec::new();
        };
        let cursor = self.befores.get(&service).and_then(|b| b.cursor.clone());
        vec![Found {
            diagnosis: Diagnosis {
                service,
                release: Some(to),
                reason: trouble.failure.message(),
                facts: trouble.failure.details.clone(),
                log: Vec::new(),
            },
            cursor,
            since: None,
            until: self.turned,
        }]
    }

    /// What was found of a release that was proven before; the way back begins now.
    pub fn turned_bad(
        &mut self,
        diagnoses: Vec<Diagnosis>,
        mut cursors: BTreeMap<ServiceName, Option<LogCursor>>,
    ) -> Vec<Found> {
        self.turned = Some(jiff::Timestamp::now());
        let found = diagnoses.into_iter().map(|diagnosis| Found {
            cursor: cursors.remove(&diagnosis.service).flatten(),
            diagnosis,
            since: None,
            until: self.turned,
        });
        found.collect()
    }

    /// Adds the services' own last log lines to what was found, and says it.
    pub fn tell(&self, found: Vec<Found>) -> Vec<Diagnosis> {
        let each = found.into_iter().map(|mut found| {
            let span = Span {
                cursor: found.cursor.as_ref(),
                since: found.since,
                until: found.until,
            };
            add_log(self.activation.host, &mut found.diagnosis, &span);
            self.emit(HostEvent::Unproven {
                diagnosis: found.diagnosis.clone(),
            });
            found.diagnosis
        });
        each.collect()
    }

    /// Keeps what a proof found, and says whose fault it is.
    fn keep(&mut self, way: Way, unproven: Vec<Unproven>) -> Fault {
        let fault = Fault::of(&unproven);
        // Of those that were proven before another one failed, what was seen is too old.
        let seen = unproven.iter();
        self.seen = seen
            .map(|found| (found.diagnosis.service.clone(), found.status.clone()))
            .collect();
        for diagnosis in worth_telling(unproven) {
            let before = self.befores.get(&diagnosis.service);
            let (cursor, since, until) = match way {
                Way::Forth => {
                    let cursor = before.and_then(|before| before.cursor.clone());
                    (cursor, None, Some(jiff::Timestamp::now()))
                }
                Way::Back => (None, self.turned, None),
            };
            self.diagnoses.push(Found {
                diagnosis,
                cursor,
                since,
                until,
            });
        }
        fault
    }

    /// Whether a service that could not be restarted had been started anew: then what was started
    /// failed, and not the service manager.
    fn was_started(&self, services: &[ServiceSpec]) -> bool {
        let instances: Vec<_> = services.iter().map(ServiceSpec::instance).collect();
        let statuses = self.activation.host.manager.statuses(&instances);
        statuses.is_ok_and(|now| {
            now.iter().zip(services).any(|(now, service)| {
                let before = self.before(service).invocation;
                matches!(now.state, ServiceState::Failed | ServiceState::Restarting)
                    || (now.invocation.is_some() && now.invocation != before)
            })
        })
    }

    fn restart_forth(&mut self, new: &LoadedRelease) -> Result<(), Trouble> {
        self.end_of_look();
        if self.activation.stop.load(Ordering::Relaxed) {
            return Err(Trouble::stopped());
        }
        let services = &new.release.services;
        let befores: Vec<_> = services
            .iter()
            .map(|service| self.before(service))
            .collect();
        let each: Vec<_> = services.iter().zip(&befores).collect();
        let restarted = restart_all(self.activation.host, &each, self.activation.emit);
        restarted.map_err(|failure| {
            self.seen.clear();
            let fault = match self.was_started(services) {
                true => Fault::Release,
                false => Fault::Host,
            };
            Trouble { failure, fault }
        })
    }

    /// What was never stopped goes on, and is only proven; the rest is restarted at once.
    fn restart_back(&mut self, old: &LoadedRelease) -> Result<(), Trouble> {
        self.end_of_look();
        let host = self.activation.host;
        let services = &old.release.services;
        if !services.iter().all(|s| self.seen.contains_key(&s.name)) {
            let instances: Vec<_> = services.iter().map(ServiceSpec::instance).collect();
            // Without an answer each is restarted.
            let statuses = host.manager.statuses(&instances).unwrap_or_default();
            let names = instances.into_iter().map(|instance| instance.service);
            self.seen.extend(names.zip(statuses));
        }
        let befores: Vec<Before> = services
            .iter()
            .map(|service| {
                let status = self.seen.get(&service.name).cloned();
                let is_kept = |status| self.knows && self.is_still_of(old, service, status);
                let kept = status.as_ref().is_some_and(is_kept);
                Before {
                    invocation: status.as_ref().and_then(|s| s.invocation.clone()),
                    status,
                    cursor: None,
                    silent: None,
                    kept,
                }
            })
            .collect();
        let each = services.iter().zip(&befores);
        let each: Vec<_> = each.filter(|(_, before)| !before.kept).collect();
        let began = Instant::now();
        // A service manager that does not answer may do so in a moment, and nobody else will ask it.
        let restarted = loop {
            let Err(failure) = restart_all(host, &each, self.activation.emit) else {
                break Ok(());
            };
            let was_started = self.was_started(services);
            if was_started || began.elapsed() >= INSISTING {
                // Rights or units that are missing stay so: a later try changes nothing.
                let is_lacking = matches!(
                    *failure.cause,
                    Cause::NoRight { .. } | Cause::NotSetUp { .. } | Cause::NoProgram { .. }
                );
                let fault = match was_started || is_lacking {
                    true => Fault::Release,
                    false => Fault::Host,
                };
                break Err(Trouble { failure, fault });
            }
            std::thread::sleep(PAUSE);
        };
        let names = services.iter().map(|s| s.name.clone());
        self.befores = names.zip(befores).collect();
        restarted.inspect_err(|_| self.seen.clear())
    }

    /// Whether the main process of a service is one that `release` started, and lives: its
    /// launcher told its id.
    fn is_still_of(
        &self,
        release: &LoadedRelease,
        service: &ServiceSpec,
        status: &ServiceStatus,
    ) -> bool {
        let announced = self.activation.host.announced(&service.instance());
        let is_there = |pid: u32| Path::new("/proc").join(pid.to_string()).exists();
        announced.ok().flatten().is_some_and(|(pid, id)| {
            status.state == ServiceState::Running
                && status.main_pid == Some(pid)
                && id == release.release.id.to_string()
                && is_there(pid)
        })
    }
}

/// A service as a release starts it, and as the one before did, where that had it.
fn both<'a>(new: &'a ServiceSpec, old: &'a [ServiceSpec]) -> Vec<&'a ServiceSpec> {
    let old = old.iter().find(|old| old.name == new.name);
    std::iter::once(new).chain(old).collect()
}
