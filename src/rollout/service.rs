//! Restart, stop and start of services on every host, under the lock.

use std::time::Instant;

use futures_util::future::join_all;

use super::conclude::{Conclusion, Ended};
use super::context::Context;
use super::fleet::{Brings, Fleet};
use super::link::unasked;
use crate::model::event::{HostOutcome, Outcome};
use crate::model::{Failure, FailureKind, ServiceName};
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
    fleet
        .begin(context, action.as_str(), Brings::Nothing)
        .await?;
    let request = ToAgent::Service {
        action,
        services: services.to_vec(),
    };
    let asked = fleet.hosts.iter_mut().map(|host| {
        let request = &request;
        async move {
            let result = match host.ask(request, action.as_str()).await {
                Ok(FromAgent::Done) => Ok(()),
                Ok(other) => Err(unasked(&host.host, &other)),
                Err(failure) => Err(failure),
            };
            let current = host.facts.current;
            let row = HostOutcome {
                host: host.host.clone(),
                was: current,
                is: current,
                healthy: (action != ServiceAction::Stop).then_some(result.is_ok()),
                why: result.as_ref().err().map(|failure| failure.message.clone()),
                by_hand: Vec::new(),
            };
            (row, result)
        }
    });
    let (hosts, results): (Vec<_>, Vec<Result<(), Failure>>) =
        join_all(asked).await.into_iter().unzip();
    fleet.end().await;
    let verb = match action {
        ServiceAction::Restart => "restarted",
        ServiceAction::Stop => "stopped",
        ServiceAction::Start => "started",
    };
    let outcome = Outcome {
        verb: verb.to_owned(),
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
