//! Bringing the hosts that are behind to the release that the others have: the very same one, taken
//! from a host that has it. No build, no tests, no checkout.

use std::time::Instant;

use super::behind::{CatchUp, catch_up, sentence};
use super::conclude::{Ended, HostEnd, outcome};
use super::context::Context;
use super::export::{Fetched, fetch};
use super::fleet::{Brings, Compares, Fleet};
use super::freeze;
use super::hook::run_before_switch;
use super::left_out::LeftOut;
use super::offer::Offers;
use super::plan::{Plan, waves};
use super::switch::Switch;
use super::transfer::{Delivery, stage_everywhere};
use crate::model::event::{Event, HostOutcome, Outcome, Verb};
use crate::model::{Failure, HostName, OperationKind, ServiceSpec};
use crate::project::{Hook, HookScope, Host};

/// Brings the hosts that are behind up; hosts that cannot be reached are left out, if
/// `skip_unreachable` says so.
///
/// # Errors
/// The failure, with what is true on the hosts when they were touched.
pub async fn resume(context: &Context, skip_unreachable: bool) -> Result<Outcome, Ended> {
    let started = Instant::now();
    let (fleet, left_out) = LeftOut::connect(context, skip_unreachable, Compares::Nothing).await?;
    freeze::refuse(context, &fleet)?;
    let rest = left_out.rest(context);
    let result = resume_reached(&rest, fleet, &left_out, started).await;
    left_out.conclude(context, result)
}

async fn resume_reached(
    context: &Context,
    mut fleet: Fleet,
    left_out: &LeftOut,
    started: Instant,
) -> Result<Outcome, Ended> {
    // Before the lock: when there is nothing to do, nobody's lock is taken.
    let plan = catch_up(&fleet.facts())?;
    let text = sentence(&plan, left_out);
    context.sink.emit(Event::Note { text });
    if plan.done.len() == fleet.hosts.len() {
        return Ok(nothing_behind(context, &fleet, &plan, left_out, started));
    }
    fleet
        .begin(context, OperationKind::Resume, Brings::Later)
        .await?;
    // Under the lock, which nobody else can change any more.
    let planned = freeze::refuse(context, &fleet).and_then(|()| catch_up(&fleet.facts()));
    let plan = match planned {
        Ok(plan) => plan,
        Err(failure) => {
            fleet.end().await;
            return Err(failure.into());
        }
    };
    let (behind, mut others) = fleet.split(|host| plan.concerns(host));
    let result = bring_up(context, &plan, behind, &others, started).await;
    others.end().await;
    with_rows_of(context, &plan, result)
}

/// Gets the release to the hosts that have it not, runs the hooks of each host, and switches.
async fn bring_up(
    context: &Context,
    plan: &CatchUp,
    behind: Fleet,
    others: &Fleet,
    started: Instant,
) -> Result<Outcome, Ended> {
    let context = &context.only(|host| plan.concerns(host));
    let (mut lacking, having) = behind.split(|host| plan.bring.contains(host));
    let staged = match lacking.hosts.is_empty() {
        true => Ok(()),
        false => bring(context, plan, &mut lacking, others).await,
    };
    let mut behind = lacking.join(having, context);
    let hooks = |hooks: &[Hook]| -> Vec<Hook> {
        let each = hooks.iter().filter(|hook| hook.on == HookScope::EachHost);
        each.cloned().collect()
    };
    let rules = &context.environment.rollout;
    let rollout = Plan {
        verb: Verb::Deployed,
        release: plan.release,
        waves: waves(behind.hosts.len(), rules.strategy),
        before: hooks(&context.project.before_activate),
        after: hooks(&context.project.after_activate),
        settle: true,
        watch_ms: rules.watch_ms,
        on_failure: rules.on_failure,
        keep: context.project.release.keep,
    };
    let ready = match staged {
        Ok(()) => run_before_switch(&mut behind, &rollout.before, plan.release).await,
        Err(failure) => Err(failure),
    };
    if let Err(failure) = context.unless_cancelled(ready) {
        behind.end().await;
        return Err(failure.into());
    }
    let switch = Switch {
        context,
        members: &mut behind.hosts,
        plan: &rollout,
        started,
    };
    switch.run().await.into_result()
}

/// Fetches the release from a host that has it and stages it on those that have not.
async fn bring(
    context: &Context,
    plan: &CatchUp,
    lacking: &mut Fleet,
    others: &Fleet,
) -> Result<(), Failure> {
    let source = source(plan, lacking, others)?;
    let release = plan.release;
    let text = format!("fetching {release} from {}", source.short());
    context.sink.emit(Event::Note { text });
    let platforms: Vec<String> = lacking
        .hosts
        .iter()
        .map(|host| host.facts.platform.clone())
        .collect();
    let platforms: Vec<&str> = platforms.iter().map(String::as_str).collect();
    let others: Vec<HostName> = plan
        .done
        .iter()
        .chain(&plan.switch)
        .filter(|host| **host != source)
        .cloned()
        .collect();
    let fetched = fetch(context, &source, release, &platforms, &others).await?;
    let context = &context.only(|host| plan.bring.contains(host));
    let delivery = Delivery {
        release,
        payload: &fetched.payload,
        offers: &Offers::new(&fetched.payload),
        offered: false,
        services: &|host| services_of(context, &fetched, host),
    };
    stage_everywhere(context, lacking, &delivery).await
}

/// The host that gives the release away: one of the platform of those that lack it, if there is one.
fn source(plan: &CatchUp, lacking: &Fleet, others: &Fleet) -> Result<HostName, Failure> {
    let platform = lacking.hosts.first().map(|host| &host.facts.platform);
    let fits = |name: &&HostName| {
        let mut hosts = others.hosts.iter();
        let host = hosts.find(|host| host.host == **name);
        host.map(|host| &host.facts.platform) == platform
    };
    let there = plan.done.iter().find(fits).or_else(|| plan.done.first());
    there
        .cloned()
        .ok_or_else(|| Failure::refused(format!("{} is not live on any host", plan.release)))
}

/// The services of the release on `host`: which, the manifest says; what they are, the release. One
/// that does not run on the host that gave it away is what the manifest says.
fn services_of(context: &Context, fetched: &Fetched, host: &Host) -> Vec<ServiceSpec> {
    let of_release = |service: ServiceSpec| {
        let mut there = fetched.release.services.iter();
        let same = there.find(|other| other.name == service.name).cloned();
        same.unwrap_or(service)
    };
    context
        .services_of(host)
        .into_iter()
        .map(of_release)
        .collect()
}

fn nothing_behind(
    context: &Context,
    fleet: &Fleet,
    plan: &CatchUp,
    left_out: &LeftOut,
    started: Instant,
) -> Outcome {
    let release = plan.release;
    if left_out.is_empty() {
        context.sink.emit(Event::Unchanged { release });
    }
    let current = Some(release);
    let end = |host| (host, HostEnd::Untouched { current });
    let ends: Vec<_> = fleet.names().into_iter().map(end).collect();
    let mut unchanged = outcome(Verb::Unchanged, current, &ends, started, 0);
    for host in &mut unchanged.hosts {
        host.why = None;
    }
    unchanged
}

/// Adds the hosts that were on the release before.
fn with_rows_of(
    context: &Context,
    plan: &CatchUp,
    mut result: Result<Outcome, Ended>,
) -> Result<Outcome, Ended> {
    let outcome = match &mut result {
        Ok(outcome) => Some(outcome),
        Err(ended) => ended.outcome.as_deref_mut(),
    };
    if let Some(outcome) = outcome {
        outcome
            .hosts
            .extend(plan.done.iter().map(|host| HostOutcome {
                host: host.clone(),
                was: Some(plan.release),
                is: Some(plan.release),
                healthy: None,
                why: None,
                unanswered_ms: None,
                by_hand: Vec::new(),
            }));
        outcome.hosts.sort_by_key(|row| context.position(&row.host));
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FailureKind, ReleaseId};
    use crate::rollout::fake::Fake;
    use crate::wire::{FromAgent, ToAgent};

    #[tokio::test]
    async fn a_hook_that_was_interrupted_has_not_failed() {
        let hooks = "[hooks]\nbefore-activate = [{ name = \"warm\", run = \"true\", on = \"each-host\" }]\n";
        let Fake { context, fleet, .. } = Fake::fleet(1, hooks, |_, request| match request {
            ToAgent::Hook(_) => vec![FromAgent::Failed(Failure::unexpected("it was ended"))],
            ToAgent::End => vec![FromAgent::Done],
            _ => vec![],
        });
        let plan = CatchUp {
            release: ReleaseId(2),
            done: Vec::new(),
            switch: fleet.names(),
            bring: Vec::new(),
        };
        let others = Fleet { hosts: Vec::new() };
        context.stop.ask();
        let ended = bring_up(&context, &plan, fleet, &others, Instant::now()).await;
        assert_eq!(ended.unwrap_err().failure.kind, FailureKind::Interrupted);
    }
}
