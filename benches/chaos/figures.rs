//! Figures: what a fleet costs against one host, and how soon a host that was cut off is back.

use std::fs;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::chaos::{Behaviour, Fault, Ground, LEASE, Manifest, Point, Scenario};
use crate::say::say;
use crate::support::Running;

/// The fleet that is compared with one host.
const FLEET: usize = 30;

/// Medians are of this many deploys.
const RUNS: usize = 5;

/// The fleet may take so many times as long as one host.
const RATIO: f64 = 3.0;

/// After the lease, a host that was cut off has so long to be back.
const PROMISE: Duration = Duration::from_secs(2);

pub fn measure() -> ExitCode {
    let (one, one_kib) = deploys(1);
    let (fleet, fleet_kib) = deploys(FLEET);
    let ratio = fleet / one;
    say(format!(
        "1 host: {one:.2} s, controller {one_kib} KiB; {FLEET} hosts: {fleet:.2} s, controller \
         {fleet_kib} KiB; ratio {ratio:.2} (at most {RATIO}): {}",
        verdict(ratio <= RATIO)
    ));
    let back = cut();
    let limit = Duration::from_secs(LEASE) + PROMISE;
    say(format!(
        "cut connection to reverted host, lease {LEASE} s: {:.2} s (at most {} s): {}",
        back.as_secs_f64(),
        limit.as_secs(),
        verdict(back <= limit)
    ));
    ExitCode::SUCCESS
}

fn verdict(reached: bool) -> &'static str {
    if reached { "reached" } else { "MISSED" }
}

/// The median of some deploys to so many hosts, s, and the controller's largest resident set, KiB.
fn deploys(hosts: usize) -> (f64, u64) {
    let mut ground = Ground::boot(hosts);
    // What is measured is ship and not how long a release shall be looked at.
    ground.manifest(&Manifest {
        settle: 0,
        ..Manifest::default()
    });
    let mut seconds = Vec::new();
    let mut largest = 0;
    for _ in 0..RUNS {
        ground.next(Behaviour::Good);
        let deploy = ground.person.spawn(&["deploy", "production"]);
        let memory = Memory::of(&deploy);
        let run = deploy.wait();
        run.ok();
        seconds.push(run.duration.as_secs_f64());
        largest = largest.max(memory.peak());
    }
    seconds.sort_by(f64::total_cmp);
    (seconds[RUNS / 2], largest)
}

/// From a cut to the first answer of the release that was good, the longest of some.
fn cut() -> Duration {
    let mut ground = Ground::boot(1);
    // The proof outlasts the lease: nothing can be done before that is over.
    let manifest = Manifest {
        settle: LEASE as u32 + 5,
        ..Manifest::default()
    };
    let backs = (0..RUNS).map(|_| {
        let scenario = Scenario {
            manifest,
            ..Scenario::of(Fault::KillController, Point::Restarted)
        };
        let report = scenario.run(&mut ground);
        report.kept();
        report.back.expect("the old release comes back")
    });
    backs.max().unwrap_or_default()
}

/// The largest resident set of a process, asked for while it runs.
struct Memory {
    done: Arc<AtomicBool>,
    peak: Arc<AtomicU64>,
    thread: thread::JoinHandle<()>,
}

impl Memory {
    fn of(running: &Running) -> Self {
        let (done, peak) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let status = format!("/proc/{}/status", running.pid());
        let thread = {
            let (done, peak) = (Arc::clone(&done), Arc::clone(&peak));
            thread::spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    peak.fetch_max(high_water(&status), Ordering::Relaxed);
                    thread::sleep(Duration::from_millis(5));
                }
            })
        };
        Self { done, peak, thread }
    }

    fn peak(self) -> u64 {
        self.done.store(true, Ordering::Relaxed);
        let _ = self.thread.join();
        self.peak.load(Ordering::Relaxed)
    }
}

/// `VmHWM`, proc(5), KiB.
fn high_water(status: &str) -> u64 {
    let text = fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}
