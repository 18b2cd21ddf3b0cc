//! Measures for how long a service did not answer during a switch, by asking it all the while.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
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
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Option<u64>>>,
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
        let stop = Arc::new(AtomicBool::new(false));
        let prober = Prober::new().ok()?;
        if !ask(&prober, &probe) {
            return None;
        }
        let seen = Arc::clone(&stop);
        let thread = std::thread::spawn(move || Some(watch(&prober, &probe, &seen)));
        Some(Self {
            stop,
            thread: Some(thread),
        })
    }

    /// Stops asking: the longest time between two good answers beyond the pause, ms; `None` when
    /// the last answers were bad.
    #[must_use]
    pub fn finish(mut self) -> Option<u64> {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take()?;
        thread.thread().unpark();
        thread.join().ok()?
    }
}

impl Drop for Downtime {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
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

/// The longest time without a good answer, ms: from the first bad answer's question to the good
/// answer that ended it.
fn watch(prober: &Prober, probe: &Probe, stop: &AtomicBool) -> u64 {
    let mut longest = Duration::ZERO;
    let mut bad_since: Option<Instant> = None;
    loop {
        let asked = Instant::now();
        if ask(prober, probe) {
            if let Some(since) = bad_since.take() {
                longest = longest.max(since.elapsed());
            }
        } else {
            bad_since.get_or_insert(asked);
        }
        if stop.load(Ordering::Relaxed) {
            if let Some(since) = bad_since {
                longest = longest.max(since.elapsed());
            }
            return u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
        }
        std::thread::park_timeout(pause(bad_since.map(|since| since.elapsed())));
    }
}

fn pause(down: Option<Duration>) -> Duration {
    let tenth = down.unwrap_or_default() / 10;
    tenth.clamp(
        Duration::from_millis(PAUSE_MS),
        Duration::from_millis(MAX_PAUSE_MS),
    )
}
