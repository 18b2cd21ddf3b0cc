//! The proof that the NEW release serves: a new start of the service, whose main process lives in
//! the new release, that does not restart, answers its health check in a row, and stays up.

use std::path::Path;
use std::time::{Duration, Instant};

use super::before::Before;
use super::explain::{
    how_it_ended, processes, unnamed_port, what_cannot_start, what_listens, what_was_refused,
    what_was_said,
};
use super::fault::Fault;
use super::health::{CommandContext, Prober, secs};
use super::host::{Host, LoadedRelease};
use super::listeners;
use super::service::{LogCursor, LogLine, ServiceState, ServiceStatus};
use crate::model::event::{Diagnosis, HostEvent};
use crate::model::{Instance, Probe, ServiceSpec};

/// Log lines that a diagnosis shows.
const LOG_LINES: usize = 20;

/// How long a log that is empty is asked for again.
const LOG_PATIENCE: Duration = Duration::from_millis(600);

/// The shortest pause between two questions, ms. Later ones are a part of the time that passed, one
/// in [`PATIENCE`]: a quick service is found ready at once, and a slow one is not asked too often.
const LEAST_PAUSE_MS: u64 = 5;

/// See [`LEAST_PAUSE_MS`].
const PATIENCE: u128 = 32;

/// Who listens on a port is asked this often while nobody answers well.
const STRANGERS: Duration = Duration::from_millis(250);

const NOT_SET_UP: &str = "the service manager does not know this service; it was not set up";

/// The service manager is asked this often while the process is there and does not answer yet.
/// That costs a process, on a host that is busy starting the service; and whether the process is
/// there can be seen without.
const LOOK: Duration = Duration::from_millis(500);

/// A wait is cut into pieces of this length, so that it can end early.
const PIECE: Duration = Duration::from_millis(20);

/// A service that is not proven.
#[derive(Debug, Clone)]
pub struct Unproven {
    /// What was found.
    pub diagnosis: Diagnosis,
    /// The last that the service manager said of it.
    pub status: ServiceStatus,
    /// Whose fault that is.
    pub fault: Fault,
}

/// Of several services, those that have something to tell: not those that were waited for no longer
/// because another one failed.
pub fn drop_stopped(unproven: &mut Vec<Unproven>) {
    if unproven.iter().any(|found| found.fault != Fault::Stopped) {
        unproven.retain(|found| found.fault != Fault::Stopped);
    }
}

/// Why a proof, or a watch, ended.
pub(super) enum Refuted {
    /// It was told to.
    Stopped,
    /// The service manager does not answer, or does not know the service.
    Unseen(String),
    /// The release's own fault.
    Own(String),
}

impl Refuted {
    /// What is told of a service that looked like `status` last.
    pub(super) fn told(
        self,
        status: ServiceStatus,
        diagnose: impl FnOnce(String) -> Diagnosis,
    ) -> Unproven {
        let (fault, reason) = match self {
            Self::Stopped => (Fault::Stopped, "cancelled".to_owned()),
            Self::Unseen(reason) => (Fault::Host, reason),
            Self::Own(reason) => (Fault::Release, reason),
        };
        Unproven {
            diagnosis: diagnose(reason),
            status,
            fault,
        }
    }
}

impl From<String> for Refuted {
    fn from(reason: String) -> Self {
        Self::Own(reason)
    }
}

/// Proves `service` of `release`, which looked like `before` when it was restarted. When `stop`
/// says so, the wait ends early with the reason `cancelled`.
///
/// # Errors
/// When the service is not proven in time or cannot become so any more, and when that cannot be
/// told.
pub fn prove(
    host: &Host,
    release: &LoadedRelease,
    service: &ServiceSpec,
    before: &Before,
    settle: bool,
    stop: &dyn Fn() -> bool,
    emit: &dyn Fn(HostEvent),
) -> Result<(), Box<Unproven>> {
    let mut proof = Proof {
        host,
        release,
        service,
        before,
        last_seen: String::new(),
        tells_answer: false,
        last_said: Vec::new(),
        status: ServiceStatus::default(),
        looked: None,
        asked: Some(Instant::now()),
    };
    proof.wait(settle, stop, emit).map_err(|refuted| {
        let status = proof.status.clone();
        Box::new(refuted.told(status, |reason| proof.diagnose(reason)))
    })?;
    let services = &release.release.services;
    if services.iter().all(|service| service.port.is_none())
        && let Some(text) = unnamed_port(service, &proof.status)
    {
        emit(HostEvent::Note { text });
    }
    Ok(())
}

/// A part of a log.
#[derive(Debug, Clone, Default)]
pub struct Span<'a> {
    /// What came after this.
    pub cursor: Option<&'a LogCursor>,
    /// From then on.
    pub since: Option<jiff::Timestamp>,
    /// Up to then: what a later process says is not this one's.
    pub until: Option<jiff::Timestamp>,
}

impl Span<'_> {
    fn holds(&self, line: &LogLine) -> bool {
        if self.since.is_none() && self.until.is_none() {
            return true;
        }
        line.time.parse().is_ok_and(|time: jiff::Timestamp| {
            self.since.is_none_or(|since| time >= since)
                && self.until.is_none_or(|until| time <= until)
        })
    }
}

/// Adds what the service itself said in `span`. Logs arrive a moment after they are written: an
/// empty one is asked for again.
pub fn add_log(host: &Host, diagnosis: &mut Diagnosis, span: &Span<'_>) {
    let asked = Instant::now();
    loop {
        let lines = host.manager.log_since(
            &Instance::only(&diagnosis.service),
            span.cursor,
            LOG_LINES * 4,
        );
        match lines {
            Ok(lines) => {
                let own = lines.into_iter().filter(|line| span.holds(line));
                diagnosis.log = folded(own.map(|line| line.text));
                let surplus = diagnosis.log.len().saturating_sub(LOG_LINES);
                diagnosis.log.drain(..surplus);
            }
            Err(failure) => {
                diagnosis.log = vec![format!("(no log: {})", failure.message())];
                return;
            }
        }
        if !diagnosis.log.is_empty() || asked.elapsed() >= LOG_PATIENCE {
            let refused = what_was_refused("the service", host.layout.root(), &diagnosis.log);
            diagnosis.facts.extend(refused);
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Lines that are said again and again are shown once, with a count.
fn folded(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut folded: Vec<(String, usize)> = Vec::new();
    for line in lines {
        match folded.last_mut() {
            Some((last, count)) if *last == line => *count += 1,
            _ => folded.push((line, 1)),
        }
    }
    let shown = folded.into_iter().map(|(line, count)| match count {
        1 => line,
        _ => format!("{line}  ({count} times)"),
    });
    shown.collect()
}

/// Waits for so long, or until `stop` says so.
fn pause(time: Duration, stop: &dyn Fn() -> bool) {
    let end = Instant::now() + time;
    while let Some(left) = end.checked_duration_since(Instant::now())
        && !left.is_zero()
        && !stop()
    {
        std::thread::sleep(left.min(PIECE));
    }
}

struct Proof<'a> {
    host: &'a Host,
    release: &'a LoadedRelease,
    service: &'a ServiceSpec,
    before: &'a Before,
    last_seen: String,
    /// Whether the reason that it failed for tells what was seen last.
    tells_answer: bool,
    /// What a health command said last.
    last_said: Vec<String>,
    status: ServiceStatus,
    /// When the process was last found to be the new release's.
    looked: Option<Instant>,
    /// When it was last asked who listens.
    asked: Option<Instant>,
}

impl Proof<'_> {
    fn wait(
        &mut self,
        settle: bool,
        stop: &dyn Fn() -> bool,
        emit: &dyn Fn(HostEvent),
    ) -> Result<(), Refuted> {
        let health = &self.service.health;
        let started = Instant::now();
        let timeout = Duration::from_millis(health.timeout_ms);
        let settle_ms = if settle { health.settle_ms } else { 0 };
        let prober = Prober::new().map_err(|error| error.to_string())?;
        let env = || self.host.service_env(self.release, self.service);
        let context = CommandContext {
            commands: &self.host.commands,
            dir: &self.release.dir,
            env: &env,
        };
        let mut successes = 0;
        let mut start = self.before.start_that_was_kept();
        let mut told = String::new();
        loop {
            if stop() {
                return Err(Refuted::Stopped);
            }
            let process = if self.was_just_seen() {
                None
            } else {
                self.status = self
                    .host
                    .manager
                    .status(&self.service.instance())
                    .map_err(|failure| Refuted::Unseen(failure.message()))?;
                if self.status.state == ServiceState::Missing {
                    return Err(Refuted::Unseen(NOT_SET_UP.to_owned()));
                }
                let process = self.judge_process(&mut start)?;
                self.looked = process.is_none().then(Instant::now);
                process
            };
            let is_answer = process.is_none();
            let seen = match process {
                Some(waiting) => waiting,
                None => match self.judge_answer(&prober, context, &mut successes) {
                    Some(waiting) => waiting,
                    None => match self.settled(settle_ms) {
                        None => match self.last_look(&start)? {
                            None => return Ok(()),
                            Some(stranger) => {
                                successes = 0;
                                stranger
                            }
                        },
                        Some(waiting) => waiting,
                    },
                },
            };
            // What was proven stays waited for beyond the timeout only while it settles.
            let proven = successes >= health.successes || health.probe.is_none();
            let waiting_for_settle =
                proven && started.elapsed() < timeout + Duration::from_millis(settle_ms);
            if started.elapsed() >= timeout && !waiting_for_settle {
                self.tells_answer = is_answer;
                let within = secs(Duration::from_millis(health.timeout_ms));
                return Err(format!("not healthy within {within}: {seen}").into());
            }
            if seen != told {
                emit(HostEvent::Proving {
                    service: self.service.name.clone(),
                    seen: seen.clone(),
                });
                told = seen;
            }
            let part = u64::try_from(started.elapsed().as_millis() / PATIENCE).unwrap_or(u64::MAX);
            let most = health.interval_ms.max(LEAST_PAUSE_MS);
            pause(
                Duration::from_millis(part.clamp(LEAST_PAUSE_MS, most)),
                stop,
            );
        }
    }

    /// Whether the process was found fine a moment ago and is still there.
    fn was_just_seen(&self) -> bool {
        let is_there = |pid: u32| Path::new("/proc").join(pid.to_string()).exists();
        self.looked.is_some_and(|looked| looked.elapsed() < LOOK)
            && self.status.main_pid.is_some_and(is_there)
    }

    /// Looks at the process. `Ok(None)`: the new release runs; `Ok(Some)`: not yet; `Err`: it
    /// never will.
    fn judge_process(
        &mut self,
        start: &mut Option<(String, u32)>,
    ) -> Result<Option<String>, String> {
        let status = &self.status;
        match status.state {
            ServiceState::Failed => return Err(self.how_it_ended("the service failed")),
            ServiceState::Restarting => return Err(self.how_it_ended("the process ended")),
            ServiceState::Stopped if status.last_exit.is_some() => {
                return Err(self.how_it_ended("the process ended"));
            }
            ServiceState::Missing | ServiceState::Stopped | ServiceState::Stopping => {
                return Ok(Some("waiting for the process to start".to_owned()));
            }
            ServiceState::Starting => {
                if let Some((invocation, restarts)) = start
                    && (status.invocation.as_ref() != Some(invocation)
                        || status.restarts != *restarts)
                {
                    return Err(self.how_it_ended("the process ended"));
                }
                if status.restarts > 0
                    && start.is_none()
                    && status.invocation != self.before.invocation
                {
                    return Err(self.how_it_ended("the process ended"));
                }
                return Ok(Some("starting".to_owned()));
            }
            ServiceState::Running => {}
        }
        let Some(invocation) = status.invocation.clone() else {
            return Ok(Some("waiting for the process to start".to_owned()));
        };
        if !self.before.kept && Some(&invocation) == self.before.invocation.as_ref() {
            return Ok(Some("the old process still runs".to_owned()));
        }
        match start {
            None if status.restarts > 0 => return Err(self.how_it_ended("the process ended")),
            None => *start = Some((invocation, status.restarts)),
            Some((first, restarts)) if *first != invocation || *restarts != status.restarts => {
                return Err(self.how_it_ended("the process ended"));
            }
            Some(_) => {}
        }
        Ok(self.lives_elsewhere())
    }

    /// The launcher wrote which process runs which release; `None` when that is this one.
    fn lives_elsewhere(&self) -> Option<String> {
        let (pid, release) = match self.host.announced(&self.service.instance()) {
            Ok(Some(announced)) => announced,
            Ok(None) => return Some("waiting for the launcher".to_owned()),
            Err(error) => return Some(format!("{error}; only the launcher may write it")),
        };
        let id = self.release.release.id.to_string();
        if release == id && Some(pid) == self.status.main_pid {
            return None;
        }
        Some(format!(
            "the main process is of release {release}, not {id}"
        ))
    }

    fn judge_answer(
        &mut self,
        prober: &Prober,
        context: CommandContext<'_>,
        successes: &mut u32,
    ) -> Option<String> {
        let health = &self.service.health;
        let probe = &self.probe()?;
        let timeout = Duration::from_millis(health.timeout_ms.min(5_000));
        let answer = prober.ask(probe, timeout, context);
        self.last_seen = answer.seen.clone();
        self.last_said.clone_from(&answer.said);
        if !answer.ok {
            *successes = 0;
            if self.may_ask_for_strangers()
                && let Some(stranger) = self.stranger()
            {
                self.last_seen = stranger.clone();
                return Some(stranger);
            }
            return Some(answer.seen);
        }
        *successes += 1;
        if *successes < health.successes {
            return Some(format!(
                "{}, {successes} of {}",
                answer.seen, health.successes
            ));
        }
        None
    }

    fn probe(&self) -> Option<Probe> {
        self.service.probe_at(self.service.endpoint())
    }

    /// Somebody else listens on the port that is asked: an answer would prove nothing.
    fn stranger(&self) -> Option<String> {
        let port = self.probe()?.port()?;
        let all = listeners::all();
        let there: Vec<_> = all.iter().filter(|found| found.port == port).collect();
        if there.is_empty() {
            return None;
        }
        let pids = self.pids();
        let ours = listeners::of_processes(&all, &pids);
        if pids.is_empty() || ours.iter().any(|found| found.port == port) {
            return None;
        }
        // Socket-activated services inherit a listener of the service manager (uid 0). Where their
        // sockets may be seen, it would have been among them.
        let visible = listeners::are_visible(&pids);
        let foreign = there.iter().find(|found| visible || found.uid != 0)?;
        Some(format!(
            "port {port} belongs to another process (user id {}), not to this service",
            foreign.uid
        ))
    }

    fn pids(&self) -> Vec<u32> {
        processes(&self.status)
    }

    fn settled(&self, settle_ms: u64) -> Option<String> {
        let up = self.status.uptime_ms.unwrap_or(0);
        (up < settle_ms).then(|| {
            format!(
                "up for {}s of {}",
                up / 1000,
                secs(Duration::from_millis(settle_ms))
            )
        })
    }

    /// The process may have died while the question was being asked, and somebody else may have
    /// answered it: both are looked at once more, side by side. The second is told, the first is
    /// an error. The service manager need not be asked when it named the main process a moment ago,
    /// and that one is there and the launcher has not run again since.
    fn last_look(&mut self, start: &Option<(String, u32)>) -> Result<Option<String>, Refuted> {
        let still_there = self.was_just_seen() && self.lives_elsewhere().is_none();
        let (status, stranger) = std::thread::scope(|scope| {
            let stranger = scope.spawn(|| self.stranger());
            let status = match still_there {
                true => Ok(self.status.clone()),
                false => self.host.manager.status(&self.service.instance()),
            };
            (status, stranger.join().ok().flatten())
        });
        self.status = status.map_err(|failure| Refuted::Unseen(failure.message()))?;
        let now = (
            self.status.invocation.clone().unwrap_or_default(),
            self.status.restarts,
        );
        if self.status.state != ServiceState::Running || Some(&now) != start.as_ref() {
            return Err(self.how_it_ended("the process ended").into());
        }
        if let Some(stranger) = &stranger {
            self.last_seen = stranger.clone();
        }
        Ok(stranger)
    }

    /// Who listens is worth a look now and then while the answers are bad.
    fn may_ask_for_strangers(&mut self) -> bool {
        let may = self.asked.is_none_or(|asked| asked.elapsed() >= STRANGERS);
        if may {
            self.asked = Some(Instant::now());
        }
        may
    }

    fn how_it_ended(&self, otherwise: &str) -> String {
        how_it_ended(&self.status, otherwise)
    }

    fn diagnose(&self, reason: String) -> Diagnosis {
        let mut facts = Vec::new();
        let runs = self.status.state == ServiceState::Running;
        if runs && !self.last_seen.is_empty() && !self.tells_answer {
            facts.push(format!("the health check last saw: {}", self.last_seen));
        }
        facts.extend(what_was_said(self.service, &self.last_said));
        if !runs {
            facts.extend(what_cannot_start(&self.release.dir, &self.service.run));
        }
        facts.extend(what_listens(self.service, &self.status));
        Diagnosis {
            service: self.service.name.clone(),
            release: Some(self.release.release.id),
            reason,
            facts,
            log: Vec::new(),
        }
    }
}
