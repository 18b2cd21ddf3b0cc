//! Figures: what a fleet costs against one host, and how soon a host that was cut off is back.

use std::fs;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::chaos::{Behaviour, Fault, Ground, LEASE, Manifest, PORT, Point, Scenario};
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

/// How long a new process must have been up where the manifest does not say, s.
const SETTLE: u32 = 5;

pub fn measure() -> ExitCode {
    let (one, fleet) = (Costs::of(1), Costs::of(FLEET));
    say(format!(
        "{:<44} {:>8} {:>8} {:>6}",
        "all at once, s",
        "1 host",
        format!("{FLEET} hosts"),
        "ratio"
    ));
    let row = |what: &str, of: fn(&Costs) -> f64| {
        let (one, fleet) = (of(&one), of(&fleet));
        let ratio = fleet / one;
        say(format!("{what:<44} {one:>8.2} {fleet:>8.2} {ratio:>6.2}"));
        ratio
    };
    let usual = row("deploy, as manifests are (settle 5 s)", |costs| costs.usual);
    let hasty = row("deploy, without a settle time", |costs| costs.hasty);
    let machine = row("ssh, restart, one answer, without ship", |costs| {
        costs.machine
    });
    say(format!(
        "as manifests are at most {RATIO}: {}; without a settle {hasty:.2}, where this machine \
         without ship takes {machine:.2}",
        verdict(usual <= RATIO)
    ));
    say(format!(
        "controller's memory: {} KiB for 1 host, {} KiB for {FLEET}",
        one.memory, fleet.memory
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

/// What a fleet costs: medians, s, and the controller's largest resident set, KiB.
struct Costs {
    /// A deploy that looks at the release for as long as one does that is not told otherwise.
    usual: f64,
    /// One that does not wait: what is measured is ship alone.
    hasty: f64,
    /// What no tool can do without, done without ship.
    machine: f64,
    memory: u64,
}

impl Costs {
    fn of(hosts: usize) -> Self {
        let mut ground = Ground::boot(hosts);
        let (usual, usual_memory) = deploys(&mut ground, SETTLE);
        let (hasty, hasty_memory) = deploys(&mut ground, 0);
        let machine = median((0..RUNS).map(|_| restarts(&ground)));
        Self {
            usual,
            hasty,
            machine,
            memory: usual_memory.max(hasty_memory),
        }
    }
}

fn median(seconds: impl Iterator<Item = f64>) -> f64 {
    let mut seconds: Vec<f64> = seconds.collect();
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

/// The median of some deploys, s, and the controller's largest resident set, KiB.
fn deploys(ground: &mut Ground, settle: u32) -> (f64, u64) {
    ground.manifest(&Manifest {
        settle,
        ..Manifest::default()
    });
    let mut largest = 0;
    let seconds = (0..RUNS).map(|_| {
        ground.next(Behaviour::Good);
        let deploy = ground.person.spawn(&["deploy", "production"]);
        let memory = Memory::of(&deploy);
        let run = deploy.wait();
        run.ok();
        largest = largest.max(memory.peak());
        run.duration.as_secs_f64()
    });
    (median(seconds), largest)
}

/// The service of each host is restarted over a connection of its own, all at the same time, and
/// asked until it answers well; s.
fn restarts(ground: &Ground) -> f64 {
    let script = format!(
        "systemctl restart shop-web && \
         until curl -fsS -o /dev/null http://127.0.0.1:{PORT}/healthz 2> /dev/null; do sleep 0.02; done"
    );
    let started = Instant::now();
    let running: Vec<Running> = ground
        .hosts()
        .iter()
        .map(|host| {
            let mut ssh = ground.person.command("ssh");
            ssh.arg("-F").arg(ground.person.ssh_config());
            Running::start(ssh.arg(format!("root@{}", host.name())).arg(&script))
        })
        .collect();
    for restart in running {
        restart.wait().ok();
    }
    started.elapsed().as_secs_f64()
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
