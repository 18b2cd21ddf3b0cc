//! An eye on a release that is proven here and not final yet: it was healthy; does it stay so?

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::activate::{Activation, Pending, TurnedBad, first};
use super::before::Before;
use super::explain::{how_it_ended, what_listens, what_was_said};
use super::fault::Fault;
use super::health::{CommandContext, Prober, secs};
use super::host::{Host, LoadedRelease};
use super::prove::{Refuted, Unproven, drop_stopped};
use super::service::{ServiceState, ServiceStatus};
use crate::model::event::{Diagnosis, HostEvent};
use crate::model::{Failure, ServiceSpec};
use crate::wire::Activated;

/// So many bad answers in a row are an outage; fewer are a slow moment.
const BAD_IN_A_ROW: usize = 3;

/// The shortest pause between two health questions. A proof asks more often; a watch is long, and
/// three bad answers within a fraction of a second would say little.
const LEAST_PAUSE: Duration = Duration::from_secs(1);

/// The longest that one answer is waited for.
const ANSWER: Duration = Duration::from_secs(5);

/// The service manager is asked this often while the main process is there. That it is there is
/// seen without, on every [`TICK`].
const LOOK: Duration = Duration::from_secs(2);

/// How quickly the end of a process is noticed.
const TICK: Duration = Duration::from_millis(100);

/// How often it is said that the watch goes on.
const SAY: Duration = Duration::from_secs(5);

const GONE: &str = "the service manager no longer knows this service";

/// For how long, and what ends it early.
#[derive(Debug, Clone, Copy)]
pub struct Spell<'a> {
    /// How long, ms.
    pub ms: u64,
    /// When the release was proven.
    pub proven: Instant,
    /// Set when it was watched long enough, for the controller.
    pub enough: &'a AtomicBool,
}

impl Activation<'_> {
    /// Watches the services of `pending`. It stays pending when they stay as they were proven, or
    /// when the spell is ended as long enough; when one turns bad, or the wait shall end early
    /// (cancel, lease), the release before is put back.
    ///
    /// # Errors
    /// When the release cannot be read; nothing was changed then.
    pub fn watch(
        &self,
        pending: Pending,
        spell: Spell<'_>,
    ) -> Result<(Activated, Option<Pending>), Failure> {
        let release = self.host.release(pending.to)?;
        let services = &release.release.services;
        let befores = Before::of_all(self.host, services);
        let Err((fallen, down)) = self.stays(&release, &befores, spell) else {
            (self.emit)(HostEvent::Watched {
                release: pending.to,
                ms: millis(spell.proven.elapsed()),
            });
            let activated = Activated::proven(pending.from, pending.to, None);
            return Ok((activated, Some(pending)));
        };
        let fault = match Fault::of(&fallen) {
            _ if self.cancelled() => Fault::Stopped,
            fault => fault,
        };
        let diagnoses: Vec<Diagnosis> = fallen.into_iter().map(|found| found.diagnosis).collect();
        let reason = first(&diagnoses, "it could not be watched");
        let why = match fault {
            Fault::Stopped => self.why_stopped(&reason),
            Fault::Host => reason,
            Fault::Release => format!(
                "turned bad {} s after it was proven: {reason}",
                spell.proven.elapsed().as_secs()
            ),
        };
        let named = services.iter().zip(befores);
        let cursors = named.map(|(service, before)| (service.name.clone(), before.cursor));
        let turned = TurnedBad {
            diagnoses,
            cursors: cursors.collect(),
            down,
        };
        let activated = self.go_back(pending, fault == Fault::Release, &why, turned);
        Ok((activated, None))
    }

    /// Watches all services side by side; the first that turns bad ends it. With what was found
    /// comes since when a service has not answered well.
    fn stays(
        &self,
        release: &LoadedRelease,
        befores: &[Before],
        spell: Spell<'_>,
    ) -> Result<(), (Vec<Unproven>, Option<Instant>)> {
        let begun = Instant::now();
        let end = begun + Duration::from_millis(spell.ms);
        let say = |bad: Option<String>| {
            (self.emit)(HostEvent::Watching {
                release: release.release.id,
                ms: spell.ms,
                left_ms: millis(end.saturating_duration_since(Instant::now())),
                bad,
            });
        };
        let failed = AtomicBool::new(false);
        let fallen: Vec<(Unproven, Option<Instant>)> = std::thread::scope(|scope| {
            let watching: Vec<_> = release
                .release
                .services
                .iter()
                .zip(befores)
                .map(|(service, before)| {
                    let mut eye = Eye {
                        host: self.host,
                        release,
                        service,
                        proven: before.status.clone(),
                        status: ServiceStatus::default(),
                        bad: Vec::new(),
                        said_last: Vec::new(),
                        down: None,
                        said: &say,
                    };
                    let (failed, say_no) = (&failed, || self.cancelled());
                    scope.spawn(move || {
                        let stop = || say_no() || failed.load(Ordering::Relaxed);
                        let enough = || spell.enough.load(Ordering::Relaxed);
                        let stayed = eye.watch(end, &stop, &enough);
                        stayed.map_err(|refuted| {
                            failed.store(true, Ordering::Relaxed);
                            let own = matches!(refuted, Refuted::Own(_));
                            let down = eye.down.or_else(|| own.then(Instant::now));
                            let status = eye.status.clone();
                            let found = refuted.told(status, |reason| eye.diagnose(reason));
                            Box::new((found, down))
                        })
                    })
                })
                .collect();
            let mut told: Option<Instant> = None;
            while !watching.iter().all(|thread| thread.is_finished()) {
                if told.is_none_or(|told| told.elapsed() >= SAY) {
                    say(None);
                    told = Some(Instant::now());
                }
                std::thread::sleep(TICK);
            }
            watching
                .into_iter()
                .filter_map(|thread| thread.join().ok()?.err().map(|found| *found))
                .collect()
        });
        let down = fallen.iter().filter_map(|(_, down)| *down).min();
        let mut fallen: Vec<Unproven> = fallen.into_iter().map(|(found, _)| found).collect();
        drop_stopped(&mut fallen);
        match fallen.is_empty() {
            true => Ok(()),
            false => Err((fallen, down)),
        }
    }
}

/// One service that is watched.
struct Eye<'a> {
    host: &'a Host,
    release: &'a LoadedRelease,
    service: &'a ServiceSpec,
    /// How it was when the watch began.
    proven: Option<ServiceStatus>,
    status: ServiceStatus,
    /// The bad answers since the last good one, with how long ago the first look was.
    bad: Vec<String>,
    /// What a health command said with the last of them.
    said_last: Vec<String>,
    /// When the first of them was asked for.
    down: Option<Instant>,
    said: &'a (dyn Fn(Option<String>) + Sync),
}

impl Eye<'_> {
    /// Watches until `end`; beyond it while the last answer was a bad one.
    fn watch(
        &mut self,
        end: Instant,
        stop: &dyn Fn() -> bool,
        enough: &dyn Fn() -> bool,
    ) -> Result<(), Refuted> {
        let prober = Prober::new().map_err(|error| error.to_string())?;
        let env = || self.host.service_env(self.release, self.service);
        let context = CommandContext {
            commands: &self.host.commands,
            dir: &self.release.dir,
            env: &env,
        };
        let pause = Duration::from_millis(self.service.health.interval_ms).max(LEAST_PAUSE);
        let (mut looked, mut asked): (Option<Instant>, Option<Instant>) = (None, None);
        let mut unseen = 0;
        loop {
            if stop() {
                return Err(Refuted::Stopped);
            }
            if enough() {
                return Ok(());
            }
            let last = Instant::now() >= end;
            if last || !self.is_there() || looked.is_none_or(|at| at.elapsed() >= LOOK) {
                looked = Some(Instant::now());
                match self.host.manager.status(&self.service.instance()) {
                    Ok(status) => {
                        self.status = status;
                        unseen = 0;
                        if self.status.state == ServiceState::Missing {
                            return Err(Refuted::Unseen(GONE.to_owned()));
                        }
                        let proven = self.proven.get_or_insert_with(|| self.status.clone());
                        if let Some(reason) = fallen(proven, &self.status) {
                            return Err(reason.into());
                        }
                    }
                    Err(failure) => {
                        unseen += 1;
                        if unseen >= BAD_IN_A_ROW {
                            return Err(Refuted::Unseen(failure.message()));
                        }
                    }
                }
            }
            if last || asked.is_none_or(|at| at.elapsed() >= pause) {
                self.ask(&prober, context)?;
                asked = Some(Instant::now());
            }
            if last && self.bad.is_empty() && unseen == 0 {
                return Ok(());
            }
            std::thread::sleep(if last { pause } else { TICK });
        }
    }

    /// Asks the health question, where there is one.
    fn ask(&mut self, prober: &Prober, context: CommandContext<'_>) -> Result<(), String> {
        let health = &self.service.health;
        let Some(probe) = &self.service.probe_at(self.service.endpoint()) else {
            return Ok(());
        };
        let timeout = Duration::from_millis(health.timeout_ms).min(ANSWER);
        let asked = Instant::now();
        let answer = prober.ask(probe, timeout, context);
        if answer.ok {
            self.down = None;
            if !self.bad.is_empty() {
                self.bad.clear();
                (self.said)(None);
            }
            return Ok(());
        }
        self.down.get_or_insert(asked);
        self.bad.push(answer.seen.clone());
        self.said_last.clone_from(&answer.said);
        if self.bad.len() < BAD_IN_A_ROW {
            (self.said)(Some(format!(
                "{}: {}, {} of {BAD_IN_A_ROW}",
                self.service.name,
                answer.seen,
                self.bad.len()
            )));
            return Ok(());
        }
        Err(format!(
            "{BAD_IN_A_ROW} health checks in a row failed, the last one: {}",
            answer.seen
        ))
    }

    /// Whether the main process is there: without it the service manager is asked at once.
    fn is_there(&self) -> bool {
        let is_there = |pid: u32| Path::new("/proc").join(pid.to_string()).exists();
        self.status.main_pid.is_some_and(is_there)
    }

    fn diagnose(&self, reason: String) -> Diagnosis {
        let mut facts = Vec::new();
        if self.bad.len() >= BAD_IN_A_ROW {
            let pause = Duration::from_millis(self.service.health.interval_ms).max(LEAST_PAUSE);
            facts.push(format!(
                "the health check saw, {} apart: {}",
                secs(pause),
                self.bad.join("; ")
            ));
            facts.extend(what_was_said(self.service, &self.said_last));
            facts.extend(what_listens(self.service, &self.status));
        }
        Diagnosis {
            service: self.service.name.clone(),
            release: Some(self.release.release.id),
            reason,
            facts,
            log: Vec::new(),
        }
    }
}

/// How a service that was `proven` is not what it was; `None` when it is.
fn fallen(proven: &ServiceStatus, now: &ServiceStatus) -> Option<String> {
    match now.state {
        ServiceState::Failed => return Some(how_it_ended(now, "the service failed")),
        ServiceState::Restarting | ServiceState::Starting => {
            return Some(how_it_ended(now, "the process ended"));
        }
        ServiceState::Stopped | ServiceState::Stopping => {
            return Some(how_it_ended(now, "the service was stopped"));
        }
        ServiceState::Missing | ServiceState::Running => {}
    }
    // The proof ended with a process that had not been restarted.
    if now.restarts > 0 {
        return Some(how_it_ended(now, "the process ended"));
    }
    if now.invocation != proven.invocation {
        return Some("somebody restarted the service".to_owned());
    }
    if now.main_pid != proven.main_pid {
        return Some("its main process has changed".to_owned());
    }
    None
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::service::{HealthCheck, Run, StartType};
    use crate::model::{Deployment, ServiceManagerKind};

    /// Who does not answer for the service says nothing about the release, which was marked bad.
    #[test]
    fn a_service_manager_that_does_not_answer_is_not_the_releases_fault() {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::new(Deployment {
            app: "shop".try_into().unwrap(),
            environment: "production".try_into().unwrap(),
            root: Some(folder.path().display().to_string()),
            manager: ServiceManagerKind::Supervisor,
            user: "shop".to_owned(),
            readable_by: Vec::new(),
        });
        // Nobody can be found behind a file.
        std::fs::write(host.layout.state(), "").unwrap();
        let service = ServiceSpec {
            name: "web".try_into().unwrap(),
            run: Run::Shell("unused".to_owned()),
            fallback: None,
            port: None,
            env: BTreeMap::new(),
            health: HealthCheck {
                probe: None,
                timeout_ms: 1_000,
                interval_ms: 100,
                successes: 1,
                settle_ms: 0,
            },
            start_type: StartType::Simple,
            stop_timeout_ms: 1_000,
        };
        let release = LoadedRelease::bare(folder.path(), vec![service.clone()]);
        let mut eye = Eye {
            host: &host,
            release: &release,
            service: &service,
            proven: None,
            status: ServiceStatus::default(),
            bad: Vec::new(),
            said_last: Vec::new(),
            down: None,
            said: &|_| {},
        };
        let end = Instant::now() + Duration::from_secs(60);
        let watched = eye.watch(end, &|| false, &|| false);
        assert!(matches!(watched, Err(Refuted::Unseen(_))));
    }

    fn running() -> ServiceStatus {
        ServiceStatus {
            state: ServiceState::Running,
            main_pid: Some(10),
            invocation: Some("a".to_owned()),
            ..ServiceStatus::default()
        }
    }

    #[test]
    fn what_stays_as_it_was_proven_is_fine_and_nothing_else_is() {
        let proven = running();
        assert_eq!(fallen(&proven, &running()), None);
        let grown = ServiceStatus {
            uptime_ms: Some(9_000),
            pids: vec![10, 11],
            ..running()
        };
        assert_eq!(fallen(&proven, &grown), None);
        let other = |change: fn(&mut ServiceStatus)| {
            let mut now = running();
            change(&mut now);
            fallen(&proven, &now).unwrap_or_default()
        };
        assert_eq!(
            other(|now| {
                now.state = ServiceState::Restarting;
                now.last_exit = Some("exit code 3".to_owned());
            }),
            "the process ended: exit code 3"
        );
        assert_eq!(
            other(|now| now.restarts = 2),
            "the process ended, and was restarted 2 times"
        );
        assert_eq!(
            other(|now| now.state = ServiceState::Failed),
            "the service failed"
        );
        assert_eq!(
            other(|now| now.state = ServiceState::Stopped),
            "the service was stopped"
        );
        assert_eq!(
            other(|now| now.invocation = Some("b".to_owned())),
            "somebody restarted the service"
        );
        assert_eq!(
            other(|now| now.main_pid = Some(12)),
            "its main process has changed"
        );
        // Restarted already when the watch began: the baseline is the proof, not the first look.
        let mut proven = running();
        proven.restarts = 1;
        assert_eq!(
            fallen(&proven, &proven.clone()).as_deref(),
            Some("the process ended, and was restarted once")
        );
    }
}
