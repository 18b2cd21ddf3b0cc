//! Runs scenarios, several at a time, each on hosts of its own.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;

use crate::chaos::{Ground, Report, Scenario};
use crate::say::say;

/// A scenario to run.
pub struct Job {
    /// Its number.
    pub seed: u64,
    pub scenario: Scenario,
}

/// One that has ended.
pub struct End {
    pub job: Job,
    pub report: Report,
}

/// Runs all, so many at a time.
pub fn all(jobs: Vec<Job>, at_once: usize) -> Vec<End> {
    let total = jobs.len();
    // Those on the same number of hosts after each other: hosts are used again.
    let (single, several): (Vec<Job>, Vec<Job>) =
        jobs.into_iter().partition(|job| job.scenario.hosts == 1);
    let queue: Mutex<VecDeque<Job>> = Mutex::new(single.into_iter().chain(several).collect());
    let ended = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..at_once.min(total) {
            scope.spawn(|| work(&queue, &ended, total));
        }
    });
    let mut ended = ended.into_inner().unwrap_or_default();
    ended.sort_by_key(|end: &End| end.job.seed);
    ended
}

/// Takes jobs until there are none.
fn work(queue: &Mutex<VecDeque<Job>>, ended: &Mutex<Vec<End>>, total: usize) {
    let mut ground: Option<Ground> = None;
    loop {
        let Some(job) = queue.lock().ok().and_then(|mut queue| queue.pop_front()) else {
            return;
        };
        let hosts = job.scenario.hosts;
        let here = ground.take().filter(|ground| ground.hosts().len() == hosts);
        let run = catch_unwind(AssertUnwindSafe(|| {
            let mut here = here.unwrap_or_else(|| Ground::boot(hosts));
            let report = job.scenario.run(&mut here);
            (report, here)
        }));
        let report = match run {
            Ok((report, here)) => {
                // Hosts on which something went wrong are not used again.
                ground = Some(here).filter(|_| report.violations.is_empty());
                report
            }
            Err(panic) => Report {
                outcome: "the suite failed".to_owned(),
                violations: vec![message(&*panic)],
                ..Report::default()
            },
        };
        let Ok(mut ended) = ended.lock() else { return };
        tell(&job, &report, ended.len() + 1, total);
        ended.push(End { job, report });
    }
}

/// A line, and everything about a violation.
fn tell(job: &Job, report: &Report, number: usize, total: usize) {
    let came = if report.came {
        ""
    } else {
        " (its point was not reached)"
    };
    say(format!(
        "{number}/{total}  seed {}  {}: {}{came}",
        job.seed,
        job.scenario.sentence(),
        report.outcome,
    ));
    for remark in &report.remarks {
        say(format!("    note: {remark}"));
    }
    for violation in &report.violations {
        say(format!("    VIOLATION (seed {}): {violation}", job.seed));
    }
    if !report.violations.is_empty() {
        say(&report.evidence);
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic")
        .to_owned()
}
