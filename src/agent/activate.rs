//! The switch on one host: flip, restart, prove, keep or put back. Every intention is in the
//! journal before its act.

mod revert;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::before::{Before, Befores};
use super::downtime::Downtime;
use super::host::{Host, LoadedRelease};
use super::journal::{self, Entry, Step};
use super::prove::{add_log, prove};
use super::releases;
use crate::model::event::{Diagnosis, HostEvent};
use crate::model::{Failure, FailureKind, ReleaseId, ReleaseState, ServiceName, ServiceSpec};
use crate::wire::{Activated, ServiceAction};

/// An activation that is proven here and waits for the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Pending {
    /// The release before.
    pub from: Option<ReleaseId>,
    /// The release now.
    pub to: ReleaseId,
}

/// What it takes to switch.
pub struct Activation<'a> {
    /// The app.
    pub host: &'a Host,
    /// Set when the wait shall end early (cancel, lease).
    pub stop: &'a AtomicBool,
    /// Where events go.
    pub emit: &'a (dyn Fn(HostEvent) + Sync),
}

impl std::fmt::Debug for Activation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Activation").finish_non_exhaustive()
    }
}

/// How long the service manager may take over what it was asked, beyond the service's own stop
/// timeout, ms.
const GRACE_MS: u64 = 30_000;

impl Activation<'_> {
    /// Switches to `to` and proves it; when that fails, puts the previous release back. `befores` is
    /// how the services looked a moment ago, when that is at hand.
    ///
    /// # Errors
    /// When nothing was changed: the release or what it runs on is not there, `current` is not ours,
    /// the journal cannot be written.
    pub fn run(
        &self,
        to: ReleaseId,
        settle: bool,
        befores: Option<Befores>,
    ) -> Result<(Activated, Option<Pending>), Failure> {
        let layout = &self.host.layout;
        let from = releases::current(layout)?;
        let new = self.host.release(to)?;
        new.runtimes.present()?;
        let proven_before = releases::state(layout, to) == ReleaseState::Good;
        let pending = Pending { from, to };
        let note = |step| journal::note(layout, &Entry { step, from, to });

        let (befores, noted) = std::thread::scope(|scope| {
            let services = &new.release.services;
            let befores = scope.spawn(|| match befores.and_then(Befores::if_fresh) {
                Some(mut befores) => befores.take(self.host, services),
                None => Before::of_all(self.host, services),
            });
            // The note's sync brings this to the disk, too.
            let noted = match proven_before {
                true => Ok(()),
                false => releases::set_active(layout, to, from),
            }
            .and_then(|()| note(Step::Flipping));
            let none = || vec![Before::default(); new.release.services.len()];
            (befores.join().unwrap_or_else(|_| none()), noted)
        });
        noted?;
        let old = from
            .filter(|id| *id != to)
            .and_then(|id| self.host.release(id).ok());
        let probes: Vec<Option<Downtime>> =
            new.release.services.iter().map(Downtime::start).collect();

        let switched = self.switch(from, &new, old.as_ref(), &befores, &note);
        let proof = match switched {
            Ok(()) => self.prove_all(&new, &befores, settle),
            Err(failure) => Err(vec![unstarted(&new, &failure)]),
        };
        let unanswered: Vec<Option<u64>> = probes
            .into_iter()
            .map(|probe| probe.map(Downtime::finish))
            .collect();
        match proof {
            Ok(times) => {
                for ((service, ms), unanswered_ms) in
                    new.release.services.iter().zip(times).zip(&unanswered)
                {
                    (self.emit)(HostEvent::Proven {
                        service: service.name.clone(),
                        ms,
                        unanswered_ms: *unanswered_ms,
                    });
                }
                note(Step::Proven)?;
                let activated = Activated {
                    was: from,
                    is: Some(to),
                    healthy: true,
                    ok: true,
                    committed: false,
                    why: None,
                    diagnoses: Vec::new(),
                    unanswered_ms: unanswered.into_iter().flatten().max(),
                    by_hand: Vec::new(),
                };
                Ok((activated, Some(pending)))
            }
            Err(mut diagnoses) => {
                // The way back comes first; what the logs say can be read afterwards.
                let until = jiff::Timestamp::now();
                let why = diagnoses.first().map_or_else(
                    || "not proven".to_owned(),
                    |d| format!("{}: {}", d.service, d.reason),
                );
                let target = from.map_or_else(|| "nothing".to_owned(), |id| id.to_string());
                (self.emit)(HostEvent::Note {
                    text: format!("{why}; going back to {target}"),
                });
                let mut activated = self.revert(pending, &why, self.cancelled());
                self.tell(&mut diagnoses, &new.release.services, &befores, Some(until));
                activated.diagnoses = diagnoses;
                Ok((activated, None))
            }
        }
    }

    /// Adds the services' own last log lines to what was found, and says it.
    pub(super) fn tell(
        &self,
        diagnoses: &mut [Diagnosis],
        services: &[ServiceSpec],
        befores: &[Before],
        until: Option<jiff::Timestamp>,
    ) {
        for diagnosis in diagnoses {
            let known = services
                .iter()
                .zip(befores)
                .find(|(s, _)| s.name == diagnosis.service);
            if let Some((_, before)) = known {
                add_log(self.host, diagnosis, before, until);
            }
            (self.emit)(HostEvent::Unproven {
                diagnosis: diagnosis.clone(),
            });
        }
    }

    pub(super) fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Flips the link and restarts the services.
    fn switch(
        &self,
        from: Option<ReleaseId>,
        new: &LoadedRelease,
        old: Option<&LoadedRelease>,
        befores: &[Before],
        note: &dyn Fn(Step) -> std::io::Result<()>,
    ) -> Result<(), Failure> {
        let to = new.release.id;
        releases::flip(&self.host.layout, Some(to))?;
        (self.emit)(HostEvent::Flipped { from, to });
        note(Step::Restarting)?;
        if let Some(old) = old {
            self.stop_those_not_in(old, &new.release.services)?;
        }
        self.restart_all(&new.release.services, befores)
    }

    /// Stops the services of `old` that `kept` does not have.
    fn stop_those_not_in(&self, old: &LoadedRelease, kept: &[ServiceSpec]) -> Result<(), Failure> {
        for service in &old.release.services {
            if kept.iter().all(|other| other.name != service.name) {
                self.host.manager.stop(&service.name, deadline(service))?;
                (self.emit)(HostEvent::Stopped {
                    service: service.name.clone(),
                });
            }
        }
        Ok(())
    }

    /// Restarts services side by side: the slowest decides how long it takes.
    fn restart_all(&self, services: &[ServiceSpec], befores: &[Before]) -> Result<(), Failure> {
        let results: Vec<(ServiceName, u64, Result<(), Failure>)> = std::thread::scope(|scope| {
            let running: Vec<_> = services
                .iter()
                .enumerate()
                .map(|(at, service)| {
                    scope.spawn(move || {
                        let started = Instant::now();
                        let seen = befores.get(at).and_then(|before| before.status.as_ref());
                        let result =
                            self.host
                                .manager
                                .restart(&service.name, seen, deadline(service));
                        (service.name.clone(), millis(started), result)
                    })
                })
                .collect();
            running
                .into_iter()
                .filter_map(|thread| thread.join().ok())
                .collect()
        });
        let mut first = Ok(());
        for (service, ms, result) in results {
            match result {
                Ok(()) => (self.emit)(HostEvent::Restarted { service, ms }),
                Err(failure) if first.is_ok() => first = Err(failure),
                Err(_) => {}
            }
        }
        first
    }

    /// Proves all services side by side; the times it took, ms.
    fn prove_all(
        &self,
        release: &LoadedRelease,
        befores: &[Before],
        settle: bool,
    ) -> Result<Vec<u64>, Vec<Diagnosis>> {
        let failed = AtomicBool::new(false);
        let results: Vec<Result<u64, Diagnosis>> = std::thread::scope(|scope| {
            let running: Vec<_> = release
                .release
                .services
                .iter()
                .zip(befores)
                .map(|(service, before)| {
                    let failed = &failed;
                    scope.spawn(move || {
                        let started = Instant::now();
                        let stop = || self.cancelled() || failed.load(Ordering::Relaxed);
                        let proof = prove(
                            self.host, release, service, before, settle, &stop, &self.emit,
                        );
                        proof
                            .map(|()| millis(started))
                            .inspect_err(|_| failed.store(true, Ordering::Relaxed))
                    })
                })
                .collect();
            running
                .into_iter()
                .filter_map(|thread| thread.join().ok())
                .collect()
        });
        let mut times = Vec::new();
        let mut diagnoses = Vec::new();
        for result in results {
            match result {
                Ok(ms) => times.push(ms),
                Err(diagnosis) => diagnoses.push(diagnosis),
            }
        }
        if diagnoses.is_empty() && times.len() == release.release.services.len() {
            return Ok(times);
        }
        // Services that were stopped waiting because another one failed have nothing to tell.
        if diagnoses.iter().any(|d| d.reason != "cancelled") {
            diagnoses.retain(|d| d.reason != "cancelled");
        }
        Err(diagnoses)
    }

    /// Restarts, stops or starts services of the live release; none named means all. What runs
    /// afterwards is proven.
    ///
    /// # Errors
    /// When a service is not of this release, the service manager refuses, or what was started is
    /// not healthy.
    pub fn act(
        &self,
        live: &LoadedRelease,
        action: ServiceAction,
        names: &[ServiceName],
    ) -> Result<(), Failure> {
        let all = &live.release.services;
        if let Some(unknown) = names
            .iter()
            .find(|name| all.iter().all(|s| s.name != **name))
        {
            let there: Vec<&str> = all.iter().map(|service| service.name.as_str()).collect();
            return Err(
                Failure::refused(format!("{} has no service {unknown}", live.release.id))
                    .hint(format!("its services are: {}", there.join(", "))),
            );
        }
        let mut chosen = live.clone();
        chosen
            .release
            .services
            .retain(|s| names.is_empty() || names.contains(&s.name));
        let services = &chosen.release.services;
        let befores: Vec<Before> = match action {
            ServiceAction::Restart => Before::of_all(self.host, services),
            ServiceAction::Stop | ServiceAction::Start => {
                services.iter().map(|_| Before::default()).collect()
            }
        };
        match action {
            ServiceAction::Stop => {
                for service in services {
                    self.host.manager.stop(&service.name, deadline(service))?;
                    (self.emit)(HostEvent::Stopped {
                        service: service.name.clone(),
                    });
                }
                return Ok(());
            }
            ServiceAction::Restart => self.restart_all(services, &befores)?,
            ServiceAction::Start => {
                for service in services {
                    self.host.manager.start(&service.name, deadline(service))?;
                }
            }
        }
        let times = self
            .prove_all(&chosen, &befores, false)
            .map_err(|mut diagnoses| {
                self.tell(&mut diagnoses, services, &befores, None);
                let why: Vec<String> = diagnoses
                    .iter()
                    .map(|d| format!("{}: {}", d.service, d.reason))
                    .collect();
                Failure::new(
                    FailureKind::NeedsPerson,
                    format!("not healthy: {}", why.join("; ")),
                )
            })?;
        for (service, ms) in services.iter().zip(times) {
            (self.emit)(HostEvent::Proven {
                service: service.name.clone(),
                ms,
                unanswered_ms: None,
            });
        }
        Ok(())
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn deadline(service: &ServiceSpec) -> Duration {
    Duration::from_millis(service.stop_timeout_ms + GRACE_MS)
}

fn unstarted(release: &LoadedRelease, failure: &Failure) -> Diagnosis {
    let service = release.release.services.first();
    Diagnosis {
        service: service.map_or_else(
            || ServiceName::try_from("app").unwrap_or_else(|_| unreachable!("a valid name")),
            |service| service.name.clone(),
        ),
        release: Some(release.release.id),
        reason: failure.message.clone(),
        facts: failure.details.clone(),
        log: Vec::new(),
    }
}
