//! Measures for how long a service did not answer during a switch, by asking it all the while.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use super::health::{CommandContext, Prober};
use crate::model::{Probe, ServiceSpec};

/// The pause between two questions, ms: the resolution of the figure. While a service is down for
/// long, a tenth of that time is resolution enough.
const PAUSE_MS: u64 = 10;

/// The longest pause, ms. A release that answers badly logs each question, and shall not bury in
/// them what it has to tell about the reason.
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
    /// Starts asking `service`; `None` when there is nothing to ask over the network, or when it
    /// does not answer before the switch either.
    #[must_use]
    pub fn start(service: &ServiceSpec) -> Option<Self> {
        let probe = match service.health.probe.clone()? {
            Probe::Command { .. } => return None,
            probe => probe,
        };
        let prober = Prober::new().ok()?;
        if !ask(&prober, &probe) {
            return None;
        }
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shared = Arc::clone(&seen);
        let running = std::thread::spawn(move || watch(&prober, &probe, &shared));
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

fn ask(prober: &Prober, probe: &Probe) -> bool {
    let none = BTreeMap::new();
    let context = CommandContext {
        dir: Path::new("/"),
        env: &none,
    };
    prober.ask(probe, Duration::from_secs(1), context).ok
}

fn watch(prober: &Prober, probe: &Probe, seen: &Mutex<Seen>) {
    loop {
        let asked = Instant::now();
        let good = ask(prober, probe);
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
