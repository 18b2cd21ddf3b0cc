//! `ship status`.

use clap::Args;
use jiff::Timestamp;

use super::globals::Globals;
use super::listing::{self, Answer, show};
use crate::model::Freeze;
use crate::report::{humanize, table};
use crate::rollout::freeze::described;
use crate::rollout::query;
use crate::wire::HostStatus;

/// Shows what is live where, since when, and whether it is healthy right now
#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// Environment; may be left out when there is one besides `local`, or a default
    #[arg(value_name = "ENV")]
    pub environment: Option<String>,
}

/// Runs it; the exit code.
pub fn run(globals: &Globals, args: &StatusArgs) -> u8 {
    show(
        globals,
        args.environment.as_deref(),
        async |context| query::status(context).await,
        text,
    )
}

fn text(answers: &[Answer<HostStatus>], now: Timestamp) -> String {
    let mut table = table([
        "HOST", "RELEASE", "SERVICE", "STATE", "HEALTH", "UP", "RESTARTS", "MEMORY", "RUNTIMES",
    ]);
    let mut notes = Vec::new();
    for (host, answer) in answers {
        let status = match answer {
            Ok(status) => status,
            Err(failure) => {
                table.row([host.to_string(), "unreachable".to_owned()]);
                notes.push(failure.message.clone());
                continue;
            }
        };
        if let Some(holder) = &status.holder {
            let since = humanize::ago(&holder.since, now);
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
            "{host}: {} is live since {since}, deployed by {}",
            current.id, current.who
        ));
        let runtimes = listing::runtimes(&current.runtimes);
        for (at, service) in status.services.iter().enumerate() {
            let first = at == 0;
            let health = match (service.healthy, service.seen.is_empty()) {
                (Some(true), _) => "healthy".to_owned(),
                (Some(false), true) => "not healthy".to_owned(),
                (Some(false), false) => format!("not healthy: {}", service.seen),
                (None, _) => "no check".to_owned(),
            };
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
                service.state.clone(),
                health,
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
    let mut lines = table.lines();
    if !notes.is_empty() {
        lines.push(String::new());
        lines.extend(notes);
    }
    format!("{}\n", lines.join("\n"))
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
