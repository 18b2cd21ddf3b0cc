//! The end of a command: what is true now.

use crate::model::event::{Diagnosis, HostOutcome, Outcome, Verb};
use crate::model::{Failure, FailureKind, HostName, ReleaseId};

use super::by_hand;
use super::humanize::{bytes, count, duration};
use super::paint::Paint;
use super::phrase::{list, of, unanswered};
use super::story::Story;
use super::table::table;
use super::wrap::wrapped;

/// The lines of an end that is good, or as the policy allows: those that explain it, and the
/// sentence that says it all.
pub(super) fn good(
    story: &Story,
    paint: Paint,
    columns: Option<usize>,
    outcome: &Outcome,
) -> (Vec<String>, Vec<String>) {
    let mut blocks = Vec::new();
    if amiss(outcome) > 0 {
        blocks.extend(diagnoses(story, paint, columns));
    }
    blocks.push(match outcome.hosts.len() > 1 {
        true => truth(story, columns, outcome),
        false => Vec::new(),
    });
    let last = wrapped(&sentence(story, paint, outcome), columns, 2);
    (blocks.join(&String::new()), last)
}

/// The line for a release that is live already.
pub(super) fn unchanged(story: &Story, paint: Paint, release: ReleaseId) -> String {
    let (app, environment) = subject(story);
    let release = format!("{app} {release}");
    format!(
        "{} is already live on {environment}; nothing changed",
        paint.strong(release.trim_start())
    )
}

/// The line that names the failure, and the lines that explain it.
pub(super) fn bad(
    story: &Story,
    paint: Paint,
    columns: Option<usize>,
    failure: &Failure,
    outcome: Option<&Outcome>,
) -> (String, Vec<String>) {
    let details: Vec<String> = failure
        .details
        .iter()
        .flat_map(|detail| detail.split('\n'))
        .map(|line| indented("  ", line))
        .collect();
    let mut blocks = diagnoses(story, paint, columns);
    if let Some(outcome) = outcome.filter(|outcome| !outcome.hosts.is_empty()) {
        let mut block = truth(story, columns, outcome);
        let outage = outage(story, outcome);
        block.extend(outage.iter().flat_map(|text| wrapped(text, columns, 2)));
        blocks.push(block);
    }
    let needs_person = failure.kind == FailureKind::NeedsPerson;
    let hint = failure.hint.iter().map(|hint| {
        let mut lines = hint.split('\n');
        let first = lines.next().unwrap_or_default();
        let mut text = vec![format!("{} {first}", paint.hint("hint:"))];
        text.extend(lines.map(|line| indented("      ", line)));
        text
    });
    blocks.extend(hint);
    if needs_person {
        blocks.push(by_hand::block(story, paint, columns, outcome));
    }
    // Short failures stay in one piece; what explains a host stands apart.
    let apart = blocks.len() > 1 || (!details.is_empty() && failure.hint.is_none());
    let mut lines = details;
    for (at, block) in blocks.into_iter().enumerate() {
        if apart || at > 0 {
            lines.push(String::new());
        }
        lines.extend(block);
    }
    (failure.message(), lines)
}

/// The one line that a person reads when they read only one.
fn sentence(story: &Story, paint: Paint, outcome: &Outcome) -> String {
    let (app, environment) = subject(story);
    let named = match outcome.release {
        Some(release) => paint.strong(format!("{app} {release}").trim_start()),
        None => paint.strong(app),
    };
    let off = amiss(outcome);
    let hosts = outcome.hosts.len();
    let place = match outcome.hosts.as_slice() {
        [only] if only.host.as_str() == environment => environment.to_owned(),
        [only] => format!("{environment} ({})", story.name(&only.host)),
        [] => environment.to_owned(),
        _ if off > 0 => format!(
            "{} of {} of {environment}",
            hosts - off,
            count(hosts as u64, "host")
        ),
        _ => format!("{environment} ({})", count(hosts as u64, "host")),
    };
    let verb = outcome.verb.as_str();
    let mut text = match outcome.verb {
        Verb::Deployed => format!("{named} is live on {place}"),
        Verb::RolledBack | Verb::Reverted => format!("{named} is live again on {place}"),
        Verb::Unchanged => format!("{named} is already live on {place}; nothing changed"),
        Verb::Stopped | Verb::Frozen | Verb::Thawed => {
            format!("{} is {verb} on {place}", paint.strong(app))
        }
        Verb::NotFrozen => format!("{} was not frozen on {place}", paint.strong(app)),
        Verb::Cancelled => format!("the running operation on {named} on {place} was cancelled"),
        Verb::Idle => format!("nothing is going on with {named} on {place}"),
        Verb::Started | Verb::Restarted => format!("{named} was {verb} on {place}"),
    };
    if outcome.verb != Verb::NotFrozen {
        text.push_str(&format!(" in {}", duration(outcome.ms)));
    }
    if outcome.sent > 0 {
        text.push_str(&format!(" · sent {}", bytes(outcome.sent)));
    }
    if let Some(ms) = outcome.unanswered_ms {
        text.push_str(&format!(" · {}", unanswered(ms, "the service")));
    }
    text
}

fn subject(story: &Story) -> (&str, &str) {
    (
        story.app.as_deref().unwrap_or_default(),
        story.environment.as_deref().unwrap_or("its environment"),
    )
}

/// How many hosts are not what was asked for.
fn amiss(outcome: &Outcome) -> usize {
    let amiss = |row: &&HostOutcome| row.healthy == Some(false) || row.why.is_some();
    outcome.hosts.iter().filter(amiss).count()
}

/// The truth table: a row per host.
fn truth(story: &Story, columns: Option<usize>, outcome: &Outcome) -> Vec<String> {
    let mut rows = table(["host", "was", "is", "health", "no answer", "why"]);
    // With one host, or none that was silent, the sentence below says it.
    let silent = outcome.hosts.iter().any(|row| row.unanswered_ms > Some(0));
    let per_host = silent && outcome.hosts.len() > 1;
    for row in &outcome.hosts {
        rows.row([
            story.name(&row.host),
            release(row.was),
            release(row.is),
            health(row).to_owned(),
            row.unanswered_ms
                .filter(|_| per_host)
                .map(|ms| match ms {
                    0 => "-".to_owned(),
                    _ => duration(ms),
                })
                .unwrap_or_default(),
            row.why.clone().unwrap_or_default(),
        ]);
    }
    rows.lines(columns)
}

/// How long the users of a service had no answer, after a deploy that failed.
fn outage(story: &Story, outcome: &Outcome) -> Option<String> {
    let measured = outcome
        .hosts
        .iter()
        .filter(|row| row.unanswered_ms > Some(0));
    let worst = measured.max_by_key(|row| row.unanswered_ms)?;
    let ms = worst.unanswered_ms?;
    let place = match outcome.hosts.as_slice() {
        [_] => String::new(),
        _ => format!(" on {}", story.name(&worst.host)),
    };
    Some(match worst.healthy {
        Some(false) => format!("the service{place} has not answered for {}", duration(ms)),
        _ => format!("the service{place} did not answer for {}", duration(ms)),
    })
}

/// `v42`, or `-` for none.
pub(super) fn release(release: Option<ReleaseId>) -> String {
    release.map_or_else(|| "-".to_owned(), |release| release.to_string())
}

/// The health of a host in words.
pub(super) fn health(row: &HostOutcome) -> &'static str {
    match (row.healthy, row.is) {
        (Some(true), _) => "healthy",
        (Some(false), _) => "not healthy",
        (None, Some(_)) => "not asked",
        (None, None) => "-",
    }
}

/// A block per finding: what, where, the facts, the service's own last words. Hosts that found
/// the same share one.
fn diagnoses(story: &Story, paint: Paint, columns: Option<usize>) -> Vec<Vec<String>> {
    let mut findings: Vec<(Vec<&HostName>, &Diagnosis)> = Vec::new();
    for (host, found) in &story.diagnoses {
        let same = |other: &Diagnosis| {
            (&other.service, other.release, &other.reason, &other.facts)
                == (&found.service, found.release, &found.reason, &found.facts)
        };
        match findings.iter_mut().find(|(_, other)| same(other)) {
            Some((hosts, _)) if hosts.contains(&host) => {}
            Some((hosts, _)) => hosts.push(host),
            None => findings.push((vec![host], found)),
        }
    }
    let block = |(hosts, found): (Vec<&HostName>, &Diagnosis)| {
        let first = story.name(hosts[0]);
        let many = hosts.len() > 1;
        let place = list(hosts.into_iter().map(|host| story.name(host)));
        let head = format!(
            "{} on {place}: {}",
            paint.strong(format!("{}{}", found.service, of(found.release))),
            found.reason
        );
        let mut lines = wrapped(&head, columns, 2);
        let facts = found.facts.iter().flat_map(|fact| fact.split('\n'));
        let facts = facts.map(|fact| indented("  ", fact));
        lines.extend(facts.flat_map(|fact| wrapped(&fact, columns, 4)));
        if found.log.is_empty() {
            lines.push(format!(
                "  {} logged nothing since the restart",
                found.service
            ));
        } else {
            let there = if many {
                format!(" on {first}")
            } else {
                String::new()
            };
            lines.push(match found.log.len() {
                1 => format!("  the last line of its log{there}:"),
                n => format!("  the last {n} lines of its log{there}:"),
            });
            lines.extend(found.log.iter().map(|line| quoted(paint, line)));
        }
        lines
    };
    findings.into_iter().map(block).collect()
}

/// A line that somebody else wrote, marked as such.
pub(super) fn quoted(paint: Paint, line: &str) -> String {
    if line.is_empty() {
        return format!("  {}", paint.faint("|"));
    }
    format!("  {} {line}", paint.faint("|"))
}

fn indented(indent: &str, line: &str) -> String {
    if line.is_empty() {
        return String::new();
    }
    format!("{indent}{line}")
}
