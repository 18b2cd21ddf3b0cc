//! What the hosts say when they compare themselves with the manifest, before anything is built.

use futures_util::future::join_all;

use super::context::Context;
use super::fleet::Fleet;
use crate::model::event::HostEvent;
use crate::model::{Failure, HostName};
use crate::wire::{Finding, Level};

/// Waits for what each host found. What only needs a look is a warning, one for each host.
///
/// # Errors
/// `Refused` when a release could not run on a host as the manifest says; each difference is named.
pub async fn refuse(context: &Context, fleet: &mut Fleet) -> Result<(), Failure> {
    let asked = fleet.hosts.iter_mut().map(|link| async {
        let found = link.findings().await;
        found.map(|findings| (link.host.clone(), findings))
    });
    let found: Vec<_> = join_all(asked)
        .await
        .into_iter()
        .collect::<Result<_, _>>()?;
    let mut refused: Option<Failure> = None;
    for (host, findings) in &found {
        warn(context, host, findings);
        let Some(failure) = failure(context, host, findings) else {
            continue;
        };
        match &mut refused {
            None => refused = Some(failure),
            Some(first) => {
                first.details.push(failure.message);
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
        [only] => Failure::refused(format!("{host}: {}", only.text)),
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
