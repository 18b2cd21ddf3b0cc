//! Makes every text of an event safe to print, in one place: what comes after need not think of
//! it. The match names every variant, so that a new one cannot be forgotten.

use crate::model::Failure;
use crate::model::event::{Diagnosis, Event, HostEvent, Outcome};

use super::untrusted::{Colours, line, text};

/// The event with safe texts.
///
/// `colours` decides for what a person reads as it came: output, log lines, the texts of notes and
/// failures. Names, which end up in columns, never keep them.
pub(super) fn scrub(event: Event, colours: Colours) -> Event {
    let name = |s: String| line(&s, Colours::Strip);
    let line = |s: String| line(&s, colours);
    let text = |s: String| text(&s, colours);
    match event {
        Event::Started {
            command,
            app,
            environment,
            hosts,
            commit,
        } => Event::Started {
            command: name(command),
            app,
            environment,
            hosts,
            commit: commit.map(name),
        },
        Event::Note { text: said } => Event::Note { text: text(said) },
        Event::Warning { text: said, hint } => Event::Warning {
            text: text(said),
            hint: hint.map(text),
        },
        Event::StepStarted { phase, name: step } => Event::StepStarted {
            phase,
            name: name(step),
        },
        Event::StepOutput {
            phase,
            name: step,
            line: said,
        } => Event::StepOutput {
            phase,
            name: name(step),
            line: line(said),
        },
        Event::StepFinished {
            phase,
            name: step,
            ok,
            why,
            ms,
            log,
        } => Event::StepFinished {
            phase,
            name: name(step),
            ok,
            why: why.map(name),
            ms,
            log: log.map(name),
        },
        Event::Waiting {
            text: said,
            done,
            total,
        } => Event::Waiting {
            text: name(said),
            done,
            total,
        },
        Event::Waited {
            text: said,
            bytes,
            ms,
        } => Event::Waited {
            text: name(said),
            bytes,
            ms,
        },
        Event::RoundTrip { host, what, ms } => Event::RoundTrip {
            host,
            what: name(what),
            ms,
        },
        Event::Host { host, what } => Event::Host {
            host,
            what: scrub_host(what, colours),
        },
        Event::Unchanged { .. } | Event::Numbered { .. } | Event::Reverting { .. } => event,
        Event::Finished { outcome } => Event::Finished {
            outcome: scrub_outcome(outcome),
        },
        Event::Failed {
            failure,
            outcome,
            exit,
        } => Event::Failed {
            failure: Failure {
                kind: failure.kind,
                message: text(failure.message),
                details: failure.details.into_iter().map(text).collect(),
                hint: failure.hint.map(text),
            },
            outcome: outcome.map(scrub_outcome),
            exit,
        },
    }
}

fn scrub_host(what: HostEvent, colours: Colours) -> HostEvent {
    let clean = |s: String| line(&s, Colours::Strip);
    let line = |s: String| line(&s, colours);
    let text = |s: String| text(&s, colours);
    match what {
        HostEvent::Connected { .. }
        | HostEvent::Reconnecting
        | HostEvent::Reconnected { .. }
        | HostEvent::Staged { .. }
        | HostEvent::Flipped { .. }
        | HostEvent::Stopped { .. }
        | HostEvent::Restarted { .. }
        | HostEvent::Proven { .. }
        | HostEvent::Watched { .. }
        | HostEvent::Reverted { .. }
        | HostEvent::Pruned { .. } => what,
        HostEvent::Waiting { text: said } => HostEvent::Waiting { text: clean(said) },
        HostEvent::Transferring {
            done,
            total,
            sent,
            runtime,
        } => HostEvent::Transferring {
            done,
            total,
            sent,
            runtime: runtime.map(clean),
        },
        HostEvent::HookStarted { name } => HostEvent::HookStarted { name: clean(name) },
        HostEvent::HookOutput { name, line: said } => HostEvent::HookOutput {
            name: clean(name),
            line: line(said),
        },
        HostEvent::HookFinished { name, ok, why, ms } => HostEvent::HookFinished {
            name: clean(name),
            ok,
            why: why.map(clean),
            ms,
        },
        HostEvent::Proving { service, seen } => HostEvent::Proving {
            service,
            seen: clean(seen),
        },
        HostEvent::Watching {
            release,
            ms,
            left_ms,
            bad,
        } => HostEvent::Watching {
            release,
            ms,
            left_ms,
            bad: bad.map(clean),
        },
        HostEvent::Unproven { diagnosis } => HostEvent::Unproven {
            diagnosis: Diagnosis {
                service: diagnosis.service,
                release: diagnosis.release,
                reason: clean(diagnosis.reason),
                facts: diagnosis.facts.into_iter().map(text).collect(),
                log: diagnosis.log.into_iter().map(line).collect(),
            },
        },
        HostEvent::Changed { text: said } => HostEvent::Changed { text: text(said) },
        HostEvent::Note { text: said } => HostEvent::Note { text: text(said) },
        HostEvent::Warning { text: said } => HostEvent::Warning { text: text(said) },
    }
}

fn scrub_outcome(mut outcome: Outcome) -> Outcome {
    outcome.verb = line(&outcome.verb, Colours::Strip);
    for row in &mut outcome.hosts {
        row.why = row.why.take().map(|why| line(&why, Colours::Strip));
        for command in &mut row.by_hand {
            *command = text(command, Colours::Strip);
        }
    }
    outcome
}
