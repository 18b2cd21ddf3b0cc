//! Measures for how long a service did not answer during a switch, by asking it all the while.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use super::as_app::Commands;
use super::health::{CommandContext, Prober};
use crate::model::{Probe, ServiceSpec};

/// How long the first question of [`Downtime::start`] waits for its answer.
const FIRST_ANSWER: Duration = Duration::from_secs(1);

/// How long each later question waits for its answer.
const ANSWER: Duration = Duration::from_secs(1);

/// The pause between two questions, ms: the resolution of the figure. While a service is down for
/// long, a tenth of that time is resolution enough.
const PAUSE_MS: u64 = 10;

/// The longest pause, ms. A release that answers badly logs each question, and those lines must not
/// bury the ones that tell the reason.
const MAX_PAUSE_MS: u64 = 500;

/// A probe that runs beside a switch.
#[derive(Debug)]
pub struct Downtime {
    seen: Arc<Mutex<Seen>>,
    thread: Thread,
}

/// What was seen so far.
#[derive(Debug, Default)]
struct Seen {
    /// The longest time without a good answer that is over: from the first bad answer's question
    /// to the good answer that ended it.
    longest: Duration,
    /// When the question was asked whose answer was bad, and none has been good since.
    bad_since: Option<Instant>,
    ended: bool,
}

impl Downtime {
    /// Starts asking a service, in the way of each of `specs`: the old release and the new one may
    /// answer on different ports or paths, and a good answer to either is one. `None` when there is
    /// nothing to ask over the network, or when nobody answers before the switch either.
    #[must_use]
    pub fn start(specs: &[&ServiceSpec]) -> Option<Self> {
        let (prober, probes) = (Prober::new().ok()?, network_probes(specs));
        if !ask(&prober, &probes, FIRST_ANSWER) {
            return None;
        }
        Self::watch(prober, probes, Seen::default())
    }

    /// Starts asking a service that has not answered well since `down`.
    #[must_use]
    pub fn since(down: Instant, specs: &[&ServiceSpec]) -> Option<Self> {
        let seen = Seen {
            bad_since: Some(down),
            ..Seen::default()
        };
        Self::watch(Prober::new().ok()?, network_probes(specs), seen)
    }

    fn watch(prober: Prober, probes: Vec<Probe>, seen: Seen) -> Option<Self> {
        if probes.is_empty() {
            return None;
        }
        let seen = Arc::new(Mutex::new(seen));
        let shared = Arc::clone(&seen);
        let running = std::thread::spawn(move || watch(&prober, &probes, &shared));
        Some(Self {
            seen,
            thread: running.thread().clone(),
        })
    }

    /// Stops asking: the longest time without a good answer, ms. A bad time that no good answer
    /// has ended lasts until now. A question that is under way is not waited for.
    #[must_use]
    pub fn finish(self) -> u64 {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.ended = true;
        seen.end_of_bad_time();
        u64::try_from(seen.longest.as_millis()).unwrap_or(u64::MAX)
    }
}

impl Drop for Downtime {
    fn drop(&mut self) {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .ended = true;
        self.thread.unpark();
    }
}

impl Seen {
    fn end_of_bad_time(&mut self) {
        if let Some(since) = self.bad_since.take() {
            self.longest = self.longest.max(since.elapsed());
        }
    }
}

/// The different health checks of `specs` that ask over the network.
fn network_probes(specs: &[&ServiceSpec]) -> Vec<Probe> {
    let mut probes: Vec<Probe> = Vec::new();
    for probe in specs
        .iter()
        .filter_map(|spec| spec.probe_at(spec.endpoint()))
    {
        if probe.port().is_some() && !probes.contains(&probe) {
            probes.push(probe);
        }
    }
    probes
}

/// Whether one of `probes` gets a good answer.
fn ask(prober: &Prober, probes: &[Probe], patience: Duration) -> bool {
    let none = || Ok(BTreeMap::new());
    let context = CommandContext {
        commands: &Commands::here(),
        dir: Path::new("/"),
        env: &none,
    };
    let mut probes = probes.iter();
    probes.any(|probe| prober.ask(probe, patience, context).ok)
}

fn watch(prober: &Prober, probes: &[Probe], seen: &Mutex<Seen>) {
    loop {
        let asked = Instant::now();
        let good = ask(prober, probes, ANSWER);
        let pause = {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.ended {
                return;
            }
            if good {
                seen.end_of_bad_time();
            } else {
                seen.bad_since.get_or_insert(asked);
            }
            pause(seen.bad_since.map(|since| since.elapsed()))
        };
        std::thread::park_timeout(pause);
    }
}

fn pause(down: Option<Duration>) -> Duration {
    let tenth = down.unwrap_or_default() / 10;
    tenth.clamp(
        Duration::from_millis(PAUSE_MS),
        Duration::from_millis(MAX_PAUSE_MS),
    )
}
