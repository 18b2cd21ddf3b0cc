//! Deploys with a fault in the middle, hundreds of them; see `benches/README.md`.
//!
//! `cargo bench --bench chaos [-- [--faults N] [--seed N] [--jobs N] [--only TEXT] [--list] [--figures]]`

#[path = "../../tests/chaos/mod.rs"]
mod chaos;
#[path = "../../tests/support/mod.rs"]
mod support;

mod figures;
mod options;
mod run;
mod say;
mod table;

use std::process::ExitCode;

use chaos::Scenario;
use options::Options;
use run::Job;
use say::say;

fn main() -> ExitCode {
    let options = match Options::read() {
        Ok(options) => options,
        Err(why) => {
            say(&why);
            return ExitCode::from(2);
        }
    };
    let jobs = jobs(&options);
    if options.list {
        for Job { seed, scenario } in &jobs {
            say(format!("{seed:>6}  {}", scenario.sentence()));
        }
        return ExitCode::SUCCESS;
    }
    if !options.is_bench {
        say("nothing is measured here: cargo bench --bench chaos");
        return ExitCode::SUCCESS;
    }
    let Some(()) = support::require_hosts() else {
        return ExitCode::FAILURE;
    };
    if options.figures {
        return figures::measure();
    }
    let ended = run::all(jobs, options.jobs);
    say(table::whole(&ended));
    let kept = ended.iter().all(|end| end.report.violations.is_empty());
    if kept {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The scenarios that were asked for, by their numbers.
fn jobs(options: &Options) -> Vec<Job> {
    // Every pair of fault and point comes round long before this.
    const FAR: u64 = 100_000;
    let numbers = options.seed..options.seed + FAR;
    let drawn = numbers.map(|seed| Job {
        seed,
        scenario: Scenario::draw(seed),
    });
    drawn
        .filter(|job| options.wants(&job.scenario))
        .take(options.faults)
        .collect()
}
