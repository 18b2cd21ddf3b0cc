//! The stop sign for deploys on every host: set, taken away, and minded.

use std::time::Instant;

use futures_util::future::join_all;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::conclude::Ended;
use super::context::Context;
use super::fleet::Fleet;
use super::link::{HostLink, unasked};
use crate::model::event::{Event, HostOutcome, Outcome, Verb};
use crate::model::{Failure, FailureKind, Freeze, HostName};
use crate::wire::{Facts, FromAgent, ToAgent};

/// What became of a host.
struct Done {
    facts: Facts,
    /// The stop sign that was there before and lasted.
    before: Option<Freeze>,
}

/// Sets the stop sign `freeze` on every host, or takes it away from every host. It waits for no lock:
/// a deploy that is under way goes on, and that is said.
///
/// # Errors
/// [`FailureKind::Unreachable`] when a host cannot be reached, after it was done on the others; what
/// a host refuses.
pub async fn set(context: &Context, freeze: Option<&Freeze>) -> Result<Outcome, Ended> {
    let started = Instant::now();
    let request = match freeze {
        Some(freeze) => ToAgent::Freeze {
            freeze: freeze.clone(),
            operation: context.new_operation(),
        },
        None => ToAgent::Thaw {
            who: context.who.clone(),
            operation: context.new_operation(),
        },
    };
    let quiet = &context.quiet();
    let asked = context.environment.hosts.iter().map(|host| {
        let request = &request;
        async move {
            let name = host.name.clone();
            let mut link = HostLink::connect(quiet, name.clone(), None, false).await?;
            match link.ask(request, "freeze").await? {
                FromAgent::Done => Ok(link.facts.clone()),
                other => Err(unasked(&name, &other)),
            }
        }
    });
    let answers: Vec<Result<Facts, Failure>> = join_all(asked).await;
    let hosts = context.environment.hosts.iter().map(|host| &host.name);
    let done: Vec<(&HostName, Result<Done, Failure>)> = hosts
        .zip(answers)
        .map(|(host, answer)| {
            let done = answer.map(|facts| Done {
                before: lasting(&facts).cloned(),
                facts,
            });
            (host, done)
        })
        .collect();
    tell(context, &done, freeze.is_some());
    let was_frozen = |(_, done): &(_, Result<Done, Failure>)| {
        done.as_ref().is_ok_and(|done| done.before.is_some())
    };
    let verb = match freeze {
        Some(_) => Verb::Frozen,
        None if done.iter().any(was_frozen) => Verb::Thawed,
        None => Verb::NotFrozen,
    };
    conclude(context, started, verb, done)
}

/// Says what a person should know: each thing once, as it is usually the same on all hosts.
fn tell(context: &Context, done: &[(&HostName, Result<Done, Failure>)], is_set: bool) {
    let mut notes: Vec<String> = Vec::new();
    for done in done.iter().filter_map(|(_, done)| done.as_ref().ok()) {
        if let Some(before) = &done.before {
            let what = if is_set { "in place of" } else { "ended:" };
            notes.push(format!("{what} the freeze {}", described(before)));
        }
        if let (Some(holder), true) = (&done.facts.holder, is_set) {
            let environment = &context.environment.name;
            notes.push(format!(
                "a {} by {} is still running; to stop it: ship cancel {environment}",
                holder.what, holder.who
            ));
        }
    }
    notes.sort_unstable();
    notes.dedup();
    for text in notes {
        context.sink.emit(Event::Note { text });
    }
}

fn conclude(
    context: &Context,
    started: Instant,
    verb: Verb,
    done: Vec<(&HostName, Result<Done, Failure>)>,
) -> Result<Outcome, Ended> {
    let row = |(host, done): &(&HostName, Result<Done, Failure>)| {
        let current = done.as_ref().ok().and_then(|done| done.facts.current);
        HostOutcome {
            host: (*host).clone(),
            was: current,
            is: current,
            healthy: None,
            why: done.as_ref().err().map(|failure| failure.cause.to_string()),
            unanswered_ms: None,
            by_hand: Vec::new(),
        }
    };
    let outcome = Outcome {
        verb,
        release: None,
        hosts: done.iter().map(row).collect(),
        ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        sent: 0,
        unanswered_ms: None,
    };
    let count = done.len();
    let mut failures: Vec<Failure> = done
        .into_iter()
        .filter_map(|(_, done)| done.err())
        .collect();
    if failures.is_empty() {
        return Ok(outcome);
    }
    let reached = count - failures.len();
    failures.sort_by_key(|failure| failure.kind != FailureKind::Unreachable);
    let first = failures.remove(0);
    let environment = &context.environment.name;
    let mut whole = Failure::new(
        first.kind,
        format!(
            "{environment} is {} on {reached} of {count} hosts",
            verb.as_str()
        ),
    )
    .detail(first.message())
    .details(failures.into_iter().map(|failure| failure.message()));
    whole.hint = first.hint;
    Err(Ended {
        failure: whole,
        outcome: Some(Box::new(outcome)),
    })
}

/// Refuses a deploy while the stop sign of any host lasts, by that host's clock.
///
/// # Errors
/// Refused, with why, who, and until when.
pub fn refuse(context: &Context, fleet: &Fleet) -> Result<(), Failure> {
    let hosts = fleet.facts();
    let Some((_, freeze)) = first_lasting(&hosts) else {
        return Ok(());
    };
    let environment = &context.environment.name;
    Err(
        Failure::refused(format!("{environment} is frozen {}", described(freeze))).hint(format!(
            "wait until it ends, or agree with {} and run: ship thaw {environment}",
            freeze.who
        )),
    )
}

/// Mentions a stop sign to whoever does what is allowed through it.
pub fn mention(context: &Context, fleet: &Fleet, what: &str) {
    let hosts = fleet.facts();
    if let Some((_, freeze)) = first_lasting(&hosts) {
        let environment = &context.environment.name;
        let text = format!(
            "{environment} is frozen {}; a {what} is allowed through it",
            described(freeze)
        );
        context.sink.emit(Event::Note { text });
    }
}

fn first_lasting<'a>(hosts: &[(&'a HostName, &'a Facts)]) -> Option<(&'a HostName, &'a Freeze)> {
    let mut hosts = hosts.iter();
    hosts.find_map(|(host, facts)| lasting(facts).map(|freeze| (*host, freeze)))
}

fn lasting(facts: &Facts) -> Option<&Freeze> {
    let freeze = facts.freeze.as_ref()?;
    freeze.lasts(facts.clock_ms).then_some(freeze)
}

/// `by ann@laptop until 2026-12-27 08:00 CET: holidays`.
#[must_use]
pub fn described(freeze: &Freeze) -> String {
    let Freeze {
        reason, who, until, ..
    } = freeze;
    format!("by {who} until {}: {reason}", local(until))
}

/// A time as the clock on this machine's wall shows it; what is no time as it is.
#[must_use]
pub fn local(time: &str) -> String {
    time.parse::<Timestamp>().map_or_else(
        |_| time.to_owned(),
        |time| {
            let time = time.to_zoned(TimeZone::system());
            time.strftime("%Y-%m-%d %H:%M %Z").to_string()
        },
    )
}
