//! Events as sentences. Each is meaningful on its own: it names its host where there are several.

use crate::model::event::{HostEvent, PlannedHost};
use crate::model::{HostName, ReleaseId};

use super::humanize::{bytes, count, duration, thousands};
use super::story::Story;

/// How much a sentence matters: what is below the reporter's level is not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// Only with `-v`.
    Detail,
    /// In lines, not above live progress, which shows it already.
    Fact,
    /// Always, unless `-q`.
    Loud,
}

/// What a deploy of `release` will do, a line for each host.
pub(super) fn plan(story: &Story, release: ReleaseId, hosts: &[PlannedHost]) -> Vec<String> {
    let waves = hosts.iter().map(|host| host.wave).max().unwrap_or(1);
    let line = |planned: &PlannedHost| {
        let prefix = story.prefix(&planned.host);
        let services: Vec<String> = planned.services.iter().map(ToString::to_string).collect();
        let mut text = match planned.from {
            Some(from) => format!("{prefix}{from} becomes {release}"),
            None => format!("{prefix}{release} is the first release"),
        };
        text.push_str(&format!(", with {}", services.join(", ")));
        if !planned.runtimes.is_empty() {
            text.push_str(&format!(" on {}", planned.runtimes.join(", ")));
        }
        if waves > 1 {
            text.push_str(&format!(", in wave {} of {waves}", planned.wave));
        }
        text
    };
    hosts.iter().map(line).collect()
}

/// What is to be said about something on a host; `None` where that is said in another way:
/// warnings, and hooks and progress, which need what came before.
pub(super) fn host(story: &Story, host: &HostName, what: &HostEvent) -> Option<(Weight, String)> {
    let (weight, text) = match what {
        HostEvent::Connected {
            agent_sent,
            current,
            ms,
        } => {
            let to = match story.prefix(host).as_str() {
                "" => format!(" to {}", story.name(host)),
                _ => String::new(),
            };
            let sent = if *agent_sent {
                ", the agent was sent first"
            } else {
                ""
            };
            let live = match current {
                Some(release) => format!("{release} is live"),
                None => "nothing is live yet".to_owned(),
            };
            (
                Weight::Fact,
                format!("connected{to} in {}{sent}; {live}", duration(*ms)),
            )
        }
        HostEvent::Reconnecting => (
            Weight::Loud,
            format!(
                "the connection to {} was lost, reconnecting",
                story.name(host)
            ),
        ),
        HostEvent::Reconnected { ms } => (
            Weight::Detail,
            format!("connected again after {}", duration(*ms)),
        ),
        HostEvent::Waiting { text } => (Weight::Loud, format!("waiting for {text}")),
        HostEvent::Staged {
            release,
            files,
            files_sent,
            sent,
            reused,
            ms,
        } => (
            Weight::Fact,
            match files_sent {
                0 => format!(
                    "staged {release} in {}; nothing had to be sent",
                    duration(*ms)
                ),
                _ => format!(
                    "staged {release} in {}; sent {} of {}, {}{}",
                    duration(*ms),
                    thousands(*files_sent),
                    count(*files, "file"),
                    bytes(*sent),
                    match reused {
                        0 => String::new(),
                        reused => format!("; {} were there", bytes(*reused)),
                    }
                ),
            },
        ),
        HostEvent::HookStarted { name } => (Weight::Detail, format!("hook `{name}` began")),
        HostEvent::Flipped { from, to } => (
            Weight::Fact,
            match from {
                Some(from) => format!("switched from {from} to {to}"),
                None => format!("switched to {to}"),
            },
        ),
        HostEvent::Stopped { service } => (Weight::Fact, format!("stopped {service}")),
        HostEvent::Restarted { service, ms } => (
            Weight::Fact,
            format!("restarted {service} in {}", duration(*ms)),
        ),
        HostEvent::Proven {
            service,
            ms,
            unanswered_ms,
            answered,
        } => (
            Weight::Fact,
            format!(
                "{service} is {} after {}{}",
                proven(*answered),
                duration(*ms),
                match unanswered_ms {
                    None => String::new(),
                    Some(ms) => format!("; {}", unanswered(*ms, service.as_str())),
                }
            ),
        ),
        HostEvent::Unproven { diagnosis } => {
            let of = of(diagnosis.release);
            (
                Weight::Loud,
                format!(
                    "{}{of} is not healthy: {}",
                    diagnosis.service, diagnosis.reason
                ),
            )
        }
        HostEvent::Watching { bad, .. } => match bad {
            Some(bad) => (Weight::Fact, bad.clone()),
            None => return None,
        },
        HostEvent::Watched { release, ms } => (
            Weight::Fact,
            format!(
                "{release} stayed healthy, {} after its proof",
                duration(*ms)
            ),
        ),
        HostEvent::Reverted {
            to,
            healthy,
            unanswered_ms,
        } => {
            let unanswered = match (to, unanswered_ms) {
                (Some(_), Some(ms)) => format!("; {}", unanswered(*ms, "the service")),
                _ => String::new(),
            };
            let back = match (to, healthy) {
                (Some(to), true) => format!("put back to {to}, which is healthy{unanswered}"),
                (Some(to), false) => format!("put back to {to}, which is not healthy either"),
                (None, _) => "put back to nothing live, its services are stopped".to_owned(),
            };
            (Weight::Loud, back)
        }
        HostEvent::Pruned { releases } if releases.is_empty() => return None,
        HostEvent::Pruned { releases } => (
            Weight::Fact,
            format!(
                "removed the old {}",
                list(releases.iter().map(ToString::to_string))
            ),
        ),
        HostEvent::Changed { text } | HostEvent::Note { text } => (Weight::Loud, text.clone()),
        HostEvent::Transferring { .. }
        | HostEvent::HookOutput { .. }
        | HostEvent::HookFinished { .. }
        | HostEvent::Proving { .. }
        | HostEvent::Warning { .. } => return None,
    };
    Some((weight, format!("{}{text}", story.prefix(host))))
}

/// How the switch felt to those who asked: `no request went unanswered`.
pub(super) fn unanswered(ms: u64, who: &str) -> String {
    match ms {
        0 => "no request went unanswered".to_owned(),
        _ => format!("{who} did not answer for {}", duration(ms)),
    }
}

/// ` of v42`, or nothing.
pub(super) fn of(release: Option<ReleaseId>) -> String {
    release.map_or_else(String::new, |release| format!(" of {release}"))
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list(items: impl IntoIterator<Item = String>) -> String {
    let mut items: Vec<String> = items.into_iter().collect();
    match items.pop() {
        None => String::new(),
        Some(last) if items.is_empty() => last,
        Some(last) => format!("{} and {last}", items.join(", ")),
    }
}

/// The state of a service that is proven: one that was not asked has only kept running.
pub(super) fn proven(answered: bool) -> &'static str {
    match answered {
        true => "healthy",
        false => "running",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_counts_of_files_are_written_alike() {
        let event = HostEvent::Staged {
            release: ReleaseId(1),
            files: 5_098,
            files_sent: 3_965,
            sent: 2_400_000,
            reused: 0,
            ms: 4_900,
        };
        let (_, said) = host(&Story::default(), &HostName::local(), &event).unwrap();
        assert!(
            said.ends_with("sent 3,965 of 5,098 files, 2.4 MB"),
            "{said}"
        );
    }
}
