//! All services of a release at once: the slowest decides how long it takes.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::deadline;
use crate::agent::before::Before;
use crate::agent::health::secs;
use crate::agent::host::{Host, LoadedRelease};
use crate::agent::prove::{Unproven, drop_stopped, prove};
use crate::agent::service::ServiceStatus;
use crate::model::event::{Diagnosis, HostEvent};
use crate::model::{Failure, ServiceName, ServiceSpec};

/// Where events go.
pub type Emit<'a> = &'a (dyn Fn(HostEvent) + Sync);

/// Restarts services side by side.
///
/// # Errors
/// The first failure; the others are restarted all the same.
pub fn restart_all(
    host: &Host,
    services: &[(&ServiceSpec, &Before)],
    emit: Emit<'_>,
) -> Result<(), Failure> {
    let results: Vec<(ServiceName, u64, Result<(), Failure>)> = std::thread::scope(|scope| {
        let running: Vec<_> = services
            .iter()
            .map(|(service, before)| {
                scope.spawn(move || {
                    let started = Instant::now();
                    let seen = before.status.as_ref();
                    let result = host
                        .manager
                        .restart(&service.instance(), seen, deadline(service));
                    if was_killed(service, seen, millis(started)) {
                        emit(killed(service, "the old "));
                    }
                    (service.name.clone(), millis(started), result)
                })
            })
            .collect();
        let joined = running.into_iter().filter_map(|thread| thread.join().ok());
        joined.collect()
    });
    let mut first = Ok(());
    for (service, ms, result) in results {
        match result {
            Ok(()) => emit(HostEvent::Restarted { service, ms }),
            Err(failure) => first = first.and(Err(failure)),
        }
    }
    first
}

/// Whether the old process of `service`, which looked like `seen`, was killed: it is gone, and the
/// restart took at least its whole stop timeout (systemd.service(5) `TimeoutStopSec=`).
fn was_killed(service: &ServiceSpec, seen: Option<&ServiceStatus>, ms: u64) -> bool {
    let pid = seen.and_then(|seen| seen.main_pid);
    let is_there = |pid: u32| Path::new("/proc").join(pid.to_string()).exists();
    ms >= service.stop_timeout_ms && pid.is_some_and(|pid| !is_there(pid))
}

fn killed(service: &ServiceSpec, which: &str) -> HostEvent {
    let limit = secs(Duration::from_millis(service.stop_timeout_ms));
    let name = &service.name;
    HostEvent::Warning {
        text: format!("{which}{name} did not stop within {limit} and was killed"),
    }
}

/// Stops services, one after the other.
///
/// # Errors
/// The first failure; the others are stopped all the same.
pub fn stop_all<'a>(
    host: &Host,
    services: impl Iterator<Item = &'a ServiceSpec>,
    emit: Emit<'_>,
) -> Result<(), Failure> {
    let mut first = Ok(());
    for service in services {
        let started = Instant::now();
        match host.manager.stop(&service.instance(), deadline(service)) {
            Ok(()) => {
                // Unlike a restart, nothing but the old process takes time.
                if millis(started) >= service.stop_timeout_ms {
                    emit(killed(service, ""));
                }
                emit(HostEvent::Stopped {
                    service: service.name.clone(),
                });
            }
            Err(failure) => first = first.and(Err(failure)),
        }
    }
    first
}

/// Proves all services of `release` side by side, until `stop` is set or one has failed; the times
/// it took, ms. `befores` are how they looked before.
///
/// # Errors
/// Those that failed, and those that were not waited for any more.
pub fn prove_all(
    host: &Host,
    release: &LoadedRelease,
    befores: &[Before],
    settle: bool,
    stop: &AtomicBool,
    emit: Emit<'_>,
) -> Result<Vec<u64>, Vec<Unproven>> {
    let failed = AtomicBool::new(false);
    let services = &release.release.services;
    let results: Vec<Result<u64, Box<Unproven>>> = std::thread::scope(|scope| {
        let running: Vec<_> = services
            .iter()
            .zip(befores)
            .map(|(service, before)| {
                let failed = &failed;
                scope.spawn(move || {
                    let started = Instant::now();
                    let stop = || stop.load(Ordering::Relaxed) || failed.load(Ordering::Relaxed);
                    prove(host, release, service, before, settle, &stop, emit)
                        .map(|()| millis(started))
                        .inspect_err(|_| failed.store(true, Ordering::Relaxed))
                })
            })
            .collect();
        let joined = running.into_iter().filter_map(|thread| thread.join().ok());
        joined.collect()
    });
    let mut times = Vec::new();
    let mut unproven = Vec::new();
    for result in results {
        match result {
            Ok(ms) => times.push(ms),
            Err(found) => unproven.push(*found),
        }
    }
    if unproven.is_empty() && times.len() == services.len() {
        return Ok(times);
    }
    Err(unproven)
}

/// Those that have something to tell: not those that were waited for no more because another one
/// failed.
pub fn worth_telling(mut unproven: Vec<Unproven>) -> Vec<Diagnosis> {
    drop_stopped(&mut unproven);
    unproven.into_iter().map(|found| found.diagnosis).collect()
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
