//! What the hosts say when they compare themselves with the manifest, before anything is built.

use std::mem::take;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::context::Context;
use super::fleet::Fleet;
use super::link::HostLink;
use crate::model::event::HostEvent;
use crate::model::{Failure, HostName};
use crate::wire::{Finding, FromAgent, Level};

/// What a host was compared with stays true this long: after it, the rights are looked at again.
const FRESH: Duration = Duration::from_secs(60);

/// What one host says of itself. The answer may come between others.
#[derive(Debug, Default)]
pub struct Comparison {
    is_awaited: bool,
    found: Vec<Finding>,
    /// When it turned out to be as the manifest says.
    was_right: Option<Instant>,
}

impl Comparison {
    /// One that the host was asked for, or was not.
    #[must_use]
    pub fn asked_for(is_awaited: bool) -> Self {
        Self {
            is_awaited,
            ..Self::default()
        }
    }

    /// Whether the host was asked and has not answered.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        self.is_awaited
    }

    /// Whether the host was as the manifest says a moment ago.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.was_right.is_some_and(|at| at.elapsed() < FRESH)
    }

    /// Takes the answer down when it is the one that is waited for; any other one is given back.
    pub fn take(&mut self, answer: FromAgent) -> Option<FromAgent> {
        match answer {
            FromAgent::Findings(found) if self.is_awaited => {
                let is_right = |found: &Finding| found.level != Level::Failure;
                self.was_right = found.iter().all(is_right).then(Instant::now);
                self.is_awaited = false;
                self.found = found;
                None
            }
            other => Some(other),
        }
    }
}

/// Waits for what each host found, and says it once. What only needs a look is a warning, one for
/// each host. Can be given up, and called again.
///
/// # Errors
/// `Refused` when a release could not run on a host as the manifest says; each difference is named.
pub async fn refuse(context: &Context, fleet: &mut Fleet) -> Result<(), Failure> {
    let waits = fleet.hosts.iter_mut().map(HostLink::compared);
    join_all(waits)
        .await
        .into_iter()
        .collect::<Result<(), _>>()?;
    let hosts = fleet.hosts.iter_mut();
    let found: Vec<_> = hosts
        .map(|link| (link.host.clone(), take(&mut link.comparison.found)))
        .collect();
    let mut refused: Option<Failure> = None;
    for (host, findings) in &found {
        warn(context, host, findings);
        let Some(failure) = failure(context, host, findings) else {
            continue;
        };
        match &mut refused {
            None => refused = Some(failure),
            Some(first) => {
                first.details.push(failure.message());
                first.details.extend(failure.details);
            }
        }
    }
    refused.map_or(Ok(()), Err)
}

fn of_level(findings: &[Finding], level: Level) -> Vec<&Finding> {
    let is_it = |found: &&Finding| found.level == level;
    findings.iter().filter(is_it).collect()
}

/// All that needs a look on one host, in one sentence.
fn warn(context: &Context, host: &HostName, findings: &[Finding]) {
    let found = of_level(findings, Level::Warning);
    let Some(hint) = found.first().map(|first| first.hint.as_deref()) else {
        return;
    };
    let texts: Vec<&str> = found.iter().map(|found| found.text.as_str()).collect();
    let mends = hint.map(|hint| format!(" ({hint} mends it)"));
    let text = format!("{}{}", texts.join("; "), mends.unwrap_or_default());
    context.sink.host(host, HostEvent::Warning { text });
}

fn failure(context: &Context, host: &HostName, findings: &[Finding]) -> Option<Failure> {
    let found = of_level(findings, Level::Failure);
    let first = found.first()?;
    let failure = match found.as_slice() {
        [only] => Failure::refused(only.text.clone()).on(host),
        all => Failure::refused(format!(
            "{host} is not set up for {} as ship.toml says",
            context.environment.app
        ))
        .details(all.iter().map(|found| match &found.hint {
            // The first one's stands below all.
            Some(hint) if found.hint != first.hint => format!("{} ({hint})", found.text),
            _ => found.text.clone(),
        })),
    };
    Some(match &first.hint {
        Some(hint) => failure.hint(hint.clone()),
        None => failure,
    })
}
