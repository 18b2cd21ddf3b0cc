//! A rollback: the same activation and proof as a deploy, of a release that is on the hosts
//! already. Needs no build machine, no git, and no network beyond the hosts.

use std::time::Instant;

use super::conclude::Ended;
use super::context::Context;
use super::fleet::{Brings, Compares, Fleet};
use super::freeze;
use super::left_out::LeftOut;
use super::plan::{Plan, rollback_target, waves};
use super::switch::Switch;
use crate::model::event::{Event, Outcome, Verb};
use crate::model::{OperationKind, ReleaseId};
use crate::project::{OnFailure, Strategy};

/// Goes back to `to`, or to the good release from before the current one; on the hosts that can be
/// reached, if `skip_unreachable` says so.
///
/// # Errors
/// The failure, with what is true on the hosts when they were touched.
pub async fn rollback(
    context: &Context,
    to: Option<ReleaseId>,
    skip_unreachable: bool,
) -> Result<Outcome, Ended> {
    let started = Instant::now();
    let (fleet, left_out) = LeftOut::connect(context, skip_unreachable, Compares::Nothing).await?;
    let rest = left_out.rest(context);
    let result = roll_back(&rest, fleet, to, started).await;
    left_out.conclude(context, result)
}

async fn roll_back(
    context: &Context,
    mut fleet: Fleet,
    to: Option<ReleaseId>,
    started: Instant,
) -> Result<Outcome, Ended> {
    // Before the lock: nothing to go back to is said at once, and takes nobody's lock.
    target(context, &fleet, to)?;
    freeze::mention(context, &fleet, "rollback");
    fleet
        .begin(context, OperationKind::Rollback, Brings::Nothing)
        .await?;
    let release = match target(context, &fleet, to) {
        Ok(release) => release,
        Err(failure) => {
            fleet.end().await;
            return Err(failure.into());
        }
    };
    context.sink.emit(Event::Note {
        text: format!("going back to {release}"),
    });
    let plan = Plan {
        verb: Verb::RolledBack,
        release,
        waves: waves(fleet.hosts.len(), Strategy::AllAtOnce),
        before: Vec::new(),
        after: Vec::new(),
        settle: false,
        watch_ms: 0,
        on_failure: OnFailure::RevertAll,
        keep: context.project.release.keep,
    };
    let switch = Switch {
        context,
        members: &mut fleet.hosts,
        plan: &plan,
        started,
    };
    switch.run().await.into_result()
}

fn target(
    context: &Context,
    fleet: &Fleet,
    to: Option<ReleaseId>,
) -> Result<ReleaseId, crate::model::Failure> {
    rollback_target(&context.environment.name, &fleet.facts(), to)
}
