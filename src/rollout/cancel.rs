//! Asking somebody's deploy to go back and stop, and waiting until it has.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::conclude::{Ended, HostEnd};
use super::context::Context;
use super::link::{HostLink, unasked};
use crate::model::event::{HostEvent, HostOutcome, Outcome, Verb};
use crate::model::{Failure, FailureKind, HostName, Operation, OperationOutcome, ReleaseId};
use crate::wire::{Activated, Attach, FromAgent, HostStatus, ToAgent};

/// How long going back may take beyond the lease: the old release stops, starts and is proven.
const GRACE: Duration = Duration::from_secs(120);

/// How often a host is asked whether it is over.
const ASK_EVERY: Duration = Duration::from_millis(250);

/// What became of what was going on on a host.
#[derive(Debug)]
struct Stopped {
    was: Option<ReleaseId>,
    /// Whether anything was going on.
    was_busy: bool,
    status: HostStatus,
    /// What it wrote into the history since it was asked.
    entry: Option<Operation>,
    /// How that ended, as its controller is told; `None` when nothing was switched, or it is final.
    ended: Option<Box<Activated>>,
}

impl Stopped {
    /// The release that was final before it could be cancelled.
    fn was_final(&self) -> Option<ReleaseId> {
        let entry = self.entry.as_ref()?;
        entry
            .release
            .filter(|_| entry.outcome == OperationOutcome::Good)
    }

    /// Why a person must look at the host.
    fn trouble(&self) -> Option<&str> {
        let ended = self.ended.as_ref().filter(|ended| !ended.healthy)?;
        Some(ended.why.as_deref().unwrap_or("not healthy"))
    }

    fn row(&self, host: &HostName) -> HostOutcome {
        let status = &self.status;
        let is = status.current.as_ref().map(|release| release.id);
        let why = match (self.was_final(), self.trouble()) {
            (Some(release), _) => Some(format!("{release} was final already")),
            (None, trouble) => trouble.map(str::to_owned),
        };
        let row = match &self.ended {
            Some(ended) => HostEnd::Reported(ended.clone()).row(host),
            None => HostOutcome {
                host: host.clone(),
                was: None,
                is,
                healthy: is.map(|_| status.serves()),
                why: None,
                unanswered_ms: None,
                by_hand: Vec::new(),
            },
        };
        HostOutcome {
            was: self.was,
            why,
            ..row
        }
    }
}

/// Asks what is going on on the hosts to go back and stop, and waits for it, for the lease and two
/// minutes more.
///
/// # Errors
/// [`FailureKind::NeedsPerson`] when a way back failed; [`FailureKind::Unreachable`] when a host
/// cannot be reached; refused, when a release was final already; [`FailureKind::Partial`], when it was final on some hosts only; unexpected, when it does
/// not stop.
pub async fn cancel(context: &Context) -> Result<Outcome, Ended> {
    let started = Instant::now();
    let quiet = &context.quiet();
    let asked = context.environment.hosts.iter().map(|host| async move {
        let asked = cancel_one(quiet, &host.name);
        let stopped = tokio::select! {
            stopped = asked => stopped,
            () = context.interruption() => Err(Failure::interrupted("interrupted; the stop that was asked for continues",
            )),
        };
        (host.name.clone(), stopped)
    });
    let ends = join_all(asked).await;
    let busy = |(_, end): &(HostName, Result<Stopped, Failure>)| {
        end.as_ref().is_ok_and(|end| end.was_busy)
    };
    let verb = if ends.iter().any(busy) {
        Verb::Cancelled
    } else {
        Verb::Idle
    };
    let row = |(host, end): &(HostName, Result<Stopped, Failure>)| match end {
        Ok(stopped) => stopped.row(host),
        Err(failure) => HostOutcome {
            host: host.clone(),
            was: None,
            is: None,
            healthy: None,
            why: Some(failure.cause.to_string()),
            unanswered_ms: None,
            by_hand: Vec::new(),
        },
    };
    let outcome = Outcome {
        verb,
        release: None,
        hosts: ends.iter().map(row).collect(),
        ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        sent: 0,
        unanswered_ms: None,
    };
    match failure(context, &ends) {
        None => Ok(outcome),
        Some(failure) => Err(Ended {
            failure,
            outcome: Some(Box::new(outcome)),
        }),
    }
}

async fn cancel_one(context: &Context, host: &HostName) -> Result<Stopped, Failure> {
    let mut link = HostLink::connect(context, host.clone(), None, false).await?;
    let was = link.facts.current;
    // One that only tidies up has answered its controller: nothing of it can be cancelled.
    let holder = link.facts.holder.clone();
    let Some(holder) = holder.filter(|holder| !holder.is_tidying) else {
        let status = status(&mut link).await?;
        return Ok(Stopped {
            was,
            was_busy: false,
            status,
            entry: None,
            ended: None,
        });
    };
    let before = newest(&mut link).await?;
    let doing = holder.doing.as_ref().map(|what| format!(": {what}"));
    let text = format!(
        "asking the {} by {} to stop{}",
        holder.what,
        holder.who,
        doing.unwrap_or_default()
    );
    context.sink.host(host, HostEvent::Note { text });
    let request = ToAgent::CancelRunning {
        by: context.who.clone(),
    };
    let patience = Duration::from_millis(context.environment.rollout.lease_ms) + GRACE;
    let since = Instant::now();
    let mut is_asked = false;
    loop {
        // Refused, where it is about to end anyway, or has hardly begun.
        if !is_asked {
            is_asked = match link.ask(&request, "cancel").await {
                Ok(FromAgent::Done) => true,
                Ok(other) => return Err(unasked(host, &other)),
                Err(failure) if failure.kind == FailureKind::Refused => false,
                Err(failure) => return Err(failure),
            };
        }
        let status = status(&mut link).await?;
        let is_over = match &status.holder {
            None => true,
            Some(now) => holder.is_followed_by(now),
        };
        if is_over {
            let entry = newest(&mut link).await?;
            let entry = entry.filter(|now| Some(now) != before.as_ref());
            let not_final = entry
                .as_ref()
                .filter(|entry| entry.outcome != OperationOutcome::Good);
            let ended = match not_final.and_then(|entry| entry.id.clone()) {
                Some(transaction) => how_it_ended(&mut link, transaction).await?,
                None => None,
            };
            return Ok(Stopped {
                was,
                was_busy: true,
                status,
                entry,
                ended,
            });
        }
        if since.elapsed() >= patience {
            let (what, who) = (&holder.what, &holder.who);
            let seconds = patience.as_secs();
            return Err(Failure::unexpected(match is_asked {
                true => format!(
                    "{host}: the {what} by {who} was asked to stop {seconds} s ago and has not"
                ),
                false => format!(
                    "{host}: the {what} by {who} holds the lock and cannot be asked to stop: for \
                     {seconds} s nobody has answered at its socket"
                ),
            }));
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// What the exit code must tell: the worst of the hosts.
fn failure(context: &Context, ends: &[(HostName, Result<Stopped, Failure>)]) -> Option<Failure> {
    let mut failures: Vec<&Failure> = ends
        .iter()
        .filter_map(|(_, end)| end.as_ref().err())
        .collect();
    let troubles: Vec<String> = ends
        .iter()
        .filter_map(|(host, end)| Some((host, end.as_ref().ok()?.trouble()?)))
        .map(|(host, why)| format!("{host}: {why}"))
        .collect();
    if !troubles.is_empty() {
        let others = failures.iter().map(|failure| failure.message());
        let what = "cancelled; at least one host needs you";
        let failure = Failure::new(FailureKind::NeedsPerson, what);
        return Some(failure.details(troubles).details(others));
    }
    failures.sort_by_key(|failure| failure.kind == FailureKind::Unreachable);
    if let Some((first, others)) = failures.split_first() {
        let others = others.iter().map(|failure| failure.message());
        return Some((*first).clone().details(others));
    }
    let stopped = || ends.iter().filter_map(|(_, end)| end.as_ref().ok());
    let release = stopped().find_map(Stopped::was_final)?;
    let (kind, what) = match stopped().all(|end| !end.was_busy || end.was_final().is_some()) {
        true => (FailureKind::Refused, "was final already"),
        false => (FailureKind::Partial, "was final already on some hosts"),
    };
    let environment = &context.environment.name;
    Some(
        Failure::new(kind, format!("{release} {what}: it is done, and serves"))
            .hint(format!("the way back from it: ship rollback {environment}")),
    )
}

/// How a transaction ended that is over.
async fn how_it_ended(
    link: &mut HostLink,
    transaction: String,
) -> Result<Option<Box<Activated>>, Failure> {
    let attach = Attach {
        transaction,
        events: 0,
        answers: 0,
    };
    match link.ask(&ToAgent::Attach(attach), "end").await? {
        FromAgent::Ended(ended) => Ok(ended),
        other => Err(unasked(&link.host, &other)),
    }
}

async fn status(link: &mut HostLink) -> Result<HostStatus, Failure> {
    match link.ask(&ToAgent::Status, "status").await? {
        FromAgent::Status(status) => Ok(*status),
        other => Err(unasked(&link.host, &other)),
    }
}

/// The entries of the history that are looked through: others may stand between those of
/// transactions.
const ENTRIES: usize = 50;

/// The newest entry of the history that tells of a transaction.
async fn newest(link: &mut HostLink) -> Result<Option<Operation>, Failure> {
    let request = ToAgent::History { limit: ENTRIES };
    match link.ask(&request, "history").await? {
        FromAgent::History(entries) => Ok(entries.into_iter().find(|entry| !entry.is_beside())),
        other => Err(unasked(&link.host, &other)),
    }
}
