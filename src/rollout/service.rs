//! Restart, stop and start of services on every host, under the lock.

use std::time::Instant;

use futures_util::future::join_all;

use super::conclude::{Conclusion, Ended};
use super::context::Context;
use super::fleet::{Brings, Fleet};
use super::link::unasked;
use crate::model::event::{HostOutcome, Outcome, Verb};
use crate::model::{Failure, FailureKind, HostName, ServiceName};
use crate::wire::{FromAgent, ServiceAction, ToAgent};

/// Does `action` to `services` (all when empty) on every host.
///
/// # Errors
/// The first failure, with a row per host.
pub async fn act(
    context: &Context,
    action: ServiceAction,
    services: &[ServiceName],
) -> Result<Outcome, Ended> {
    let started = Instant::now();
    let mut fleet = Fleet::connect(context).await?;
    // Before the lock, and without a row per host: no host was touched.
    if fleet.hosts.iter().all(|host| host.facts.current.is_none()) {
        let what = action.as_str();
        return Err(Failure::refused(format!(
            "nothing is deployed, so there is nothing to {what}"
        ))
        .hint(format!("ship deploy {}", context.environment.name))
        .into());
    }
    super::freeze::mention(context, &fleet, action.as_str());
    fleet.begin(context, action.into(), Brings::Nothing).await?;
    let request = ToAgent::Service {
        action,
        services: services.to_vec(),
    };
    let asked = fleet.hosts.iter_mut().map(|host| {
        let request = &request;
        async move {
            let answered = host.ask(request, action.as_str()).await;
            let result = done(&host.host, answered);
            let current = host.facts.current;
            let row = HostOutcome {
                host: host.host.clone(),
                was: current,
                is: current,
                healthy: match &result {
                    Err(failure) if failure.kind == FailureKind::Interrupted => None,
                    result => (action != ServiceAction::Stop).then_some(result.is_ok()),
                },
                why: result.as_ref().err().map(|failure| failure.message()),
                unanswered_ms: None,
                by_hand: Vec::new(),
            };
            (row, result)
        }
    });
    let (hosts, results): (Vec<_>, Vec<Result<(), Failure>>) =
        join_all(asked).await.into_iter().unzip();
    fleet.end().await;
    let verb = match action {
        ServiceAction::Restart => Verb::Restarted,
        ServiceAction::Stop => Verb::Stopped,
        ServiceAction::Start => Verb::Started,
    };
    let outcome = Outcome {
        verb,
        release: hosts.iter().find_map(|row| row.is),
        hosts,
        ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        sent: 0,
        unanswered_ms: None,
    };
    // Of several failures the worst decides: one that needs a person.
    let failure = results
        .into_iter()
        .filter_map(Result::err)
        .max_by_key(|failure| failure.kind == FailureKind::NeedsPerson);
    Conclusion { outcome, failure }.into_result()
}

/// Whether it was done on `host`.
fn done(host: &HostName, answered: Result<FromAgent, Failure>) -> Result<(), Failure> {
    let mut failure = match answered {
        Ok(FromAgent::Done) => return Ok(()),
        // It was done while the connection was away. Of a wait that ended early, what serves now
        // is the end.
        Ok(FromAgent::Ended(Some(ended))) if ended.ok || ended.healthy => return Ok(()),
        Ok(FromAgent::Ended(Some(ended))) => {
            let why = ended.why.unwrap_or_else(|| "not healthy".to_owned());
            Failure::new(FailureKind::NeedsPerson, why).on(host)
        }
        Ok(other) => unasked(host, &other),
        Err(failure) => failure,
    };
    // The request was on its way: nobody can say that nothing changed.
    if failure.kind == FailureKind::Unreachable {
        failure.kind = FailureKind::NeedsPerson;
    }
    Err(failure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::fake::{back, kept};

    /// The kind of what is said of an answer.
    fn kind(answered: Result<FromAgent, Failure>) -> Option<FailureKind> {
        let host = HostName::try_from("web1").unwrap();
        done(&host, answered).err().map(|failure| failure.kind)
    }

    #[test]
    fn what_was_done_while_the_connection_was_away_is_not_called_unreachable() {
        let ended = |end| Ok(FromAgent::Ended(Some(Box::new(end))));
        assert_eq!(kind(Ok(FromAgent::Done)), None);
        assert_eq!(kind(ended(kept())), None);
        let mut failed = back("web: not healthy");
        failed.healthy = false;
        assert_eq!(kind(ended(failed)), Some(FailureKind::NeedsPerson));
        let unknown = Some(FailureKind::NeedsPerson);
        assert_eq!(kind(Ok(FromAgent::Ended(None))), unknown);
        let lost = Failure::connection("web1: the connection was lost");
        assert_eq!(kind(Err(lost)), unknown);
        let interrupted = Failure::interrupted("interrupted");
        assert_eq!(kind(Err(interrupted)), Some(FailureKind::Interrupted));
    }
}
