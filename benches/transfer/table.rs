//! The table of the rows.

use std::fmt::Write as _;

use crate::lab::Network;
use crate::rows::Scenario;
use crate::runner::{Outcome, PROJECT};
use crate::sample::Sample;

/// The contender whose seconds are 1.
const YARDSTICK: [&str; 2] = ["script", "script -z"];

/// The whole table, and how many targets were reached.
pub fn whole(outcomes: &[Outcome]) -> String {
    let mut verdicts = outcomes.iter().flat_map(verdicts).peekable();
    let mut text = format!("\n{}", rows(outcomes));
    if verdicts.peek().is_some() {
        let (all, good) = verdicts.fold((0, 0), |(all, good), reached| {
            (all + 1, good + usize::from(reached == Some(true)))
        });
        let _ = write!(text, "{good} of {all} targets reached");
    }
    text
}

/// Some rows of the table, below a head.
pub fn rows(outcomes: &[Outcome]) -> String {
    let mut text = format!(
        "{:<24} {:<22} {:>8} {:>8} {:>10} {:>10} {:>5} {:>6}  {}\n",
        "", "", "seconds", "fastest", "sent kB", "recv kB", "conn", "ratio", "target"
    );
    for outcome in outcomes {
        describe(outcome, &mut text);
    }
    text
}

fn describe(outcome: &Outcome, text: &mut String) {
    let row = &outcome.row;
    let _ = writeln!(text, "{}: {}", row.id, sentence(outcome));
    let yardstick = YARDSTICK
        .iter()
        .find_map(|name| outcome.series(name)?.median());
    let mut targets = row.targets.iter();
    for contender in &row.contenders {
        let name = contender.name();
        let series = outcome.series(name);
        let numbers = series.and_then(|series| Some((series.median()?, series.fastest())));
        let mut line = numbers.map_or_else(
            || format!("{:<24} {name:<22} {:>8}", "", "-"),
            |(median, fastest)| numbers_of(name, median, fastest, yardstick),
        );
        if name == "ship" {
            let first = targets.next().map(|target| verdict(outcome, *target));
            let _ = write!(line, "  {}", first.unwrap_or_default());
        }
        if let Some(why) = outcome.failures.get(name) {
            let _ = write!(line, "  FAILED: {why}");
        }
        let _ = writeln!(text, "{}", line.trim_end());
        if name == "ship" {
            for target in targets.by_ref() {
                let _ = writeln!(text, "{:<101}{}", "", verdict(outcome, *target));
            }
        }
    }
    if let Some(why) = outcome.failures.get(PROJECT) {
        let _ = writeln!(text, "{:<24} FAILED: {why}", "");
    }
}

fn numbers_of(name: &str, median: Sample, fastest: f64, yardstick: Option<Sample>) -> String {
    let Sample {
        seconds,
        sent,
        received,
        connections,
    } = median;
    let [sent, received] = [sent, received].map(|bytes| bytes as f64 / 1000.0);
    let ratio = yardstick.map_or("-".to_owned(), |one| {
        format!("{:.2}", seconds / one.seconds)
    });
    format!(
        "{:<24} {name:<22} {seconds:>8.3} {fastest:>8.3} {sent:>10.1} {received:>10.1} {connections:>5} {ratio:>6}",
        ""
    )
}

/// The target and the word `reached` or `MISSED`.
fn verdict(outcome: &Outcome, target: crate::target::Target) -> String {
    match target.judge(outcome) {
        Some((found, true)) => format!("{}: reached ({found})", target.text()),
        Some((found, false)) => format!("{}: MISSED ({found})", target.text()),
        None => format!("{}: not measured", target.text()),
    }
}

fn verdicts(outcome: &Outcome) -> impl Iterator<Item = Option<bool>> {
    let targets = outcome.row.targets.iter();
    targets.map(|target| target.judge(outcome).map(|(_, reached)| reached))
}

fn sentence(outcome: &Outcome) -> String {
    let row = &outcome.row;
    let what = match row.scenario {
        Scenario::Cold => "first deploy",
        Scenario::Unchanged => "nothing changed",
        Scenario::Forced => "nothing changed, --force",
        Scenario::OneFile if row.id.contains("binary") => "one line changed, every address shifts",
        Scenario::OneFile => "one file changed",
        Scenario::FewBytes => "a few bytes changed",
        Scenario::Rollback => "rollback",
    };
    let network = match row.network {
        Network::Near => "",
        Network::Far => ", 50 ms round trip",
        Network::Slow => ", 20 Mbit/s",
    };
    let hosts = match row.hosts {
        1 => "1 host".to_owned(),
        more => format!("{more} hosts"),
    };
    format!("{what}; {}; {hosts}{network}", outcome.title)
}
