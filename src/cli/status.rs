//! `ship status`.

use clap::Args;
use jiff::Timestamp;

use super::globals::Globals;
use super::listing::{self, Answer, View, show_and_judge};
use crate::model::{Failure, FailureKind, Freeze, HostName, ServiceState};
use crate::report::{humanize, table};
use crate::rollout::freeze::described;
use crate::rollout::{Context, query};
use crate::wire::{HostStatus, ServiceReport};

/// Shows what is live where, since when, and whether it is healthy right now
#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// Environment; may be left out when there is one besides `local`, or a default
    #[arg(value_name = "ENV")]
    pub environment: Option<String>,

    /// For a probe: exits with 10 unless the services run and are healthy on every host
    #[arg(long)]
    pub exit_code: bool,
}

/// Runs it; the exit code.
pub fn run(globals: &Globals, args: &StatusArgs) -> u8 {
    show_and_judge(
        globals,
        args.environment.as_deref(),
        async |context| query::status(context).await,
        text,
        |context, answers| match args.exit_code {
            true => healthy(context, answers),
            false => Ok(()),
        },
    )
}

/// # Errors
/// [`FailureKind::Unhealthy`], when something is not live, not running or not healthy.
fn healthy(context: &Context, answers: &[Answer<HostStatus>]) -> Result<(), Failure> {
    let known = answers.iter().filter_map(|(host, answer)| {
        let status = answer.as_ref().ok()?;
        Some((host, status))
    });
    let problems: Vec<String> = known
        .flat_map(|(host, status)| amiss(host, status))
        .collect();
    if problems.is_empty() {
        return Ok(());
    }
    let (app, environment) = (&context.project.app, &context.environment.name);
    let message = format!("{app} is not healthy on {environment}");
    Err(Failure::new(FailureKind::Unhealthy, message).details(problems))
}

/// What is not as it should be on a host, a sentence each.
fn amiss(host: &HostName, status: &HostStatus) -> Vec<String> {
    if status.current.is_none() {
        return vec![format!("{host}: nothing is deployed")];
    }
    let bad = status.services.iter().filter(|service| !service.serves());
    bad.map(|service| match service.state == ServiceState::Running {
        true => format!("{host}: {} is {}", service.service, health(service)),
        false => format!("{host}: {} is {}", service.service, service.state.as_str()),
    })
    .collect()
}

fn health(service: &ServiceReport) -> String {
    match (service.healthy, service.seen.is_empty()) {
        (Some(true), _) => "healthy".to_owned(),
        (Some(false), true) => "not healthy".to_owned(),
        (Some(false), false) => format!("not healthy: {}", service.seen),
        (None, _) => "no check".to_owned(),
    }
}

fn text(answers: &[Answer<HostStatus>], view: View) -> String {
    let now = view.now;
    let mut table = table([
        "HOST", "RELEASE", "SERVICE", "STATE", "HEALTH", "UP", "RESTARTS", "MEMORY", "RUNTIMES",
    ])
    .first_to_leave([8, 7, 6, 5]);
    let mut notes = Vec::new();
    for (host, answer) in answers {
        let status = match answer {
            Ok(status) => status,
            Err(failure) => {
                table.row([host.to_string(), "unreachable".to_owned()]);
                notes.push(failure.message());
                continue;
            }
        };
        if let Some(holder) = &status.holder {
            let since = holder.since.as_deref();
            let since = since.map_or("an unknown time".to_owned(), |since| {
                humanize::ago(since, now)
            });
            let doing = holder.doing.as_ref().map(|what| format!(": {what}"));
            notes.push(format!(
                "{host}: {} by {} since {since}{}",
                holder.what,
                holder.who,
                doing.unwrap_or_default()
            ));
        }
        let Some(current) = &status.current else {
            table.row([host.to_string(), "nothing".to_owned()]);
            if let Some(adoptable) = &status.adoptable {
                notes.push(format!(
                    "{host}: {adoptable} is live, not made by ship; the next deploy adopts it"
                ));
            }
            continue;
        };
        let since = status
            .since
            .as_deref()
            .map(|since| humanize::ago(since, now))
            .unwrap_or_default();
        notes.push(format!(
            "{host}: {} went live {since}, deployed by {}",
            current.id, current.who
        ));
        let runtimes = listing::runtimes(&current.runtimes);
        for (at, service) in status.services.iter().enumerate() {
            let first = at == 0;
            table.row([
                if first {
                    host.to_string()
                } else {
                    String::new()
                },
                if first {
                    current.id.to_string()
                } else {
                    String::new()
                },
                service.service.to_string(),
                service.state.as_str().to_owned(),
                health(service),
                service.uptime_ms.map(humanize::elapsed).unwrap_or_default(),
                service.restarts.to_string(),
                service.memory.map(humanize::bytes).unwrap_or_default(),
                if first {
                    runtimes.clone()
                } else {
                    String::new()
                },
            ]);
        }
    }
    notes.extend(freezes(answers, now));
    view.page(&table, &notes)
}

/// A line per freeze, which is usually the same on all hosts.
fn freezes(answers: &[Answer<HostStatus>], now: Timestamp) -> Vec<String> {
    let mut found: Vec<(&Freeze, Vec<&str>)> = Vec::new();
    for (host, answer) in answers {
        let Some(freeze) = answer
            .as_ref()
            .ok()
            .and_then(|status| status.freeze.as_ref())
        else {
            continue;
        };
        match found.iter_mut().find(|(other, _)| *other == freeze) {
            Some((_, hosts)) => hosts.push(host.as_str()),
            None => found.push((freeze, vec![host.as_str()])),
        }
    }
    let line = |(freeze, hosts): (&Freeze, Vec<&str>)| {
        let place = match hosts.len() == answers.len() && hosts.len() > 1 {
            true => "every host".to_owned(),
            false => hosts.join(", "),
        };
        let lasts = u64::try_from(now.as_millisecond()).is_ok_and(|now| freeze.lasts(now));
        match lasts {
            true => format!("{place}: frozen {}", described(freeze)),
            false => {
                let until = humanize::ago(&freeze.until, now);
                format!("{place}: was frozen by {}; that ended {until}", freeze.who)
            }
        }
    };
    found.into_iter().map(line).collect()
}
