//! Questions to every host that change nothing.

use futures_util::future::join_all;

use super::context::Context;
use super::link::{HostLink, unasked};
use super::programs::with_versions_here;
use super::runtimes::Runtimes;
use crate::model::{Failure, HostName, Operation, ServiceName};
use crate::wire::{
    Finding, FromAgent, HostStatus, Level, LogsRequest, Preflight, ReleaseSummary, ToAgent,
};

/// What each host answered.
pub type PerHost<T> = Vec<(HostName, Result<T, Failure>)>;

/// Asks every host by itself: one that cannot be reached does not silence the others.
async fn each<T>(
    context: &Context,
    request: &ToAgent,
    read: impl Fn(FromAgent) -> Result<T, FromAgent>,
) -> PerHost<T> {
    let read = &read;
    let context = &context.quiet();
    join_all(context.environment.hosts.iter().map(|host| async move {
        let name = host.name.clone();
        let answered = async {
            let mut link = HostLink::connect(context, name.clone(), None, false).await?;
            let answer = link.ask(request, "question").await?;
            read(answer).map_err(|other| unasked(&name, &other))
        };
        (
            host.name.clone(),
            unless_interrupted(context, answered).await,
        )
    }))
    .await
}

/// The answer to a question; nobody who interrupts it has to wait for that.
async fn unless_interrupted<T>(
    context: &Context,
    answered: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        answered = answered => answered,
        () = context.interruption() => Err(Context::interrupted()),
    }
}

/// What is live where.
pub async fn status(context: &Context) -> PerHost<HostStatus> {
    each(context, &ToAgent::Status, |answer| match answer {
        FromAgent::Status(status) => Ok(*status),
        other => Err(other),
    })
    .await
}

/// The releases on each host, newest first.
pub async fn releases(context: &Context) -> PerHost<Vec<ReleaseSummary>> {
    each(context, &ToAgent::Releases, |answer| match answer {
        FromAgent::Releases(releases) => Ok(releases),
        other => Err(other),
    })
    .await
}

/// The newest `limit` entries of each host's history.
pub async fn history(context: &Context, limit: usize) -> PerHost<Vec<Operation>> {
    each(
        context,
        &ToAgent::History { limit },
        |answer| match answer {
            FromAgent::History(entries) => Ok(entries),
            other => Err(other),
        },
    )
    .await
}

/// The largest clock difference that is not worth a word, ms.
const CLOCK_SKEW_MS: u64 = 5_000;

/// The findings of a preflight on each host; one that cannot be reached is a finding itself. With
/// `deep` every kept release is read and compared with what was deployed.
pub async fn preflight(context: &Context, deep: bool) -> Vec<(HostName, Vec<Finding>)> {
    let context = &context.quiet();
    join_all(context.environment.hosts.iter().map(|host| async move {
        let asked = async {
            let mut link = HostLink::connect(context, host.name.clone(), None, false).await?;
            let mut findings = vec![
                finding(
                    "connection",
                    match context.environment.name.is_local() {
                        true => format!("this machine, as {}", link.facts.user),
                        false => format!("reached as {}, host key known", link.facts.user),
                    },
                ),
                finding("architecture", link.facts.platform.clone()),
                clock(link.facts.clock_ms),
            ];
            let platform = link.facts.platform.clone();
            let runtimes = match Runtimes::locked(context, [platform.as_str()]).await {
                Ok(runtimes) => runtimes.of(&platform).to_vec(),
                Err(failure) => {
                    findings.push(not_to_be_had(failure));
                    Vec::new()
                }
            };
            let mut wants = context.wants_of(host);
            with_versions_here(&mut wants.programs, &context.caller).await;
            let request = ToAgent::Preflight(Box::new(Preflight { wants, runtimes }));
            let questions = std::iter::once((request, "preflight"))
                .chain(deep.then_some((ToAgent::Verify, "verify")));
            for (question, what) in questions {
                match link.ask(&question, what).await? {
                    FromAgent::Findings(found) => findings.extend(found),
                    other => return Err(unasked(&host.name, &other)),
                }
            }
            Ok(findings)
        };
        let asked = unless_interrupted(context, asked).await;
        let findings = asked.unwrap_or_else(|failure: Failure| {
            let mut lines = vec![failure.cause.to_string()];
            lines.extend(failure.details.clone());
            vec![Finding {
                level: Level::Failure,
                subject: "connection".to_owned(),
                text: lines.join("; "),
                hint: failure.hint,
            }]
        });
        (host.name.clone(), findings)
    }))
    .await
}

/// Runtimes that are not locked for the host, or not here.
fn not_to_be_had(failure: Failure) -> Finding {
    let mut lines = vec![failure.message()];
    lines.extend(failure.details);
    Finding {
        level: Level::Failure,
        subject: "runtimes".to_owned(),
        text: lines.join("; "),
        hint: failure.hint,
    }
}

fn finding(subject: &str, text: String) -> Finding {
    Finding {
        level: Level::Ok,
        subject: subject.to_owned(),
        text,
        hint: None,
    }
}

fn clock(theirs: u64) -> Finding {
    let ours = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |elapsed| {
            u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
        });
    let skew = ours.abs_diff(theirs);
    if skew <= CLOCK_SKEW_MS {
        return finding("clock", "agrees with this machine's".to_owned());
    }
    Finding {
        level: Level::Warning,
        subject: "clock".to_owned(),
        text: format!("differs by {} s from this machine's", skew / 1000),
        hint: Some("logs and certificates need a correct clock: set up NTP on the host".to_owned()),
    }
}

/// Streams the logs of all hosts; `line` gets the host, the time, the service and the text.
///
/// # Errors
/// The first host's failure, after all have ended.
pub async fn logs(
    context: &Context,
    asked: LogsRequest,
    line: &(dyn Fn(&HostName, &str, &ServiceName, &str) + Sync),
) -> Result<(), Failure> {
    let is_followed = asked.follow;
    let request = ToAgent::Logs(asked);
    let request = &request;
    let quiet = &context.quiet();
    let streams = context.environment.hosts.iter().map(|host| async move {
        let mut link = HostLink::connect(quiet, host.name.clone(), None, false).await?;
        link.send(request).await?;
        loop {
            let answer = match is_followed {
                true => link.answer().await,
                false => link.answer_to(request, "logs").await,
            };
            match answer? {
                FromAgent::Log {
                    time,
                    service,
                    text,
                } => line(&host.name, &time, &service, &text),
                FromAgent::Done => return Ok(()),
                other => return Err(unasked(&host.name, &other)),
            }
        }
    });
    let mut cancel = context.cancel.clone();
    tokio::select! {
        results = join_all(streams) => results.into_iter().find(Result::is_err).unwrap_or(Ok(())),
        _ = cancel.wait_for(|on| *on) => Ok(()),
    }
}
