//! The table: point of injection, fault, outcome.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::run::End;

/// What came of all scenarios of one fault at one point.
#[derive(Default)]
struct Row {
    outcomes: BTreeMap<String, usize>,
    missed: usize,
    violations: usize,
    longest: Duration,
    back: Duration,
    rest: Duration,
}

/// The whole table, and what is to be said below it.
pub fn whole(ended: &[End]) -> String {
    let mut rows: BTreeMap<(String, String), Row> = BTreeMap::new();
    for End { job, report } in ended {
        let point = match job.scenario.fault {
            Some(_) => job.scenario.point.name(),
            None => "from the start",
        };
        let row = rows
            .entry((job.scenario.what(), point.to_owned()))
            .or_default();
        *row.outcomes.entry(report.outcome.clone()).or_default() += 1;
        row.missed += usize::from(!report.came);
        row.violations += report.violations.len();
        row.longest = row.longest.max(report.longest);
        row.back = row.back.max(report.back.unwrap_or_default());
        row.rest = row.rest.max(report.rest);
    }
    let mut text = format!(
        "\n{:<28} {:<14} {:>5} {:>10} {:>8} {:>8} {:>4}  {}\n",
        "fault", "point", "runs", "unansw. ms", "back ms", "rest ms", "bad", "outcomes"
    );
    for ((fault, point), row) in &rows {
        let _ = writeln!(text, "{}", line(fault, point, row));
    }
    let faults = ended.iter().filter(|end| end.report.came).count();
    let bad = ended.iter().filter(|end| !end.report.violations.is_empty());
    let _ = write!(
        text,
        "{} scenarios, {faults} faults came, {} with a violation",
        ended.len(),
        bad.clone().count()
    );
    for end in bad {
        for violation in &end.report.violations {
            let first = violation.lines().next().unwrap_or_default();
            let _ = write!(text, "\n  seed {}: {first}", end.job.seed);
        }
    }
    text
}

fn line(fault: &str, point: &str, row: &Row) -> String {
    let Row {
        outcomes,
        missed,
        violations,
        longest,
        back,
        rest,
    } = row;
    let runs: usize = outcomes.values().sum();
    let counted = outcomes
        .iter()
        .map(|(what, count)| format!("{count} x {what}"));
    let mut told: Vec<String> = counted.collect();
    if *missed > 0 {
        told.push(format!("({missed} before the point)"));
    }
    format!(
        "{fault:<28} {point:<14} {runs:>5} {:>10} {:>8} {:>8} {violations:>4}  {}",
        longest.as_millis(),
        back.as_millis(),
        rest.as_millis(),
        told.join("; ")
    )
}
