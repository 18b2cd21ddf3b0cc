//! A rollback: the same activation and proof as a deploy, of a release that is on the hosts
//! already. Needs no build machine, no git, and no network beyond the hosts.

use std::time::Instant;

use super::conclude::Ended;
use super::fleet::{Context, Fleet};
use super::plan::rollback_target;
use super::switch::Switch;
use crate::model::ReleaseId;
use crate::model::event::{Event, Outcome};
use crate::project::{OnFailure, Strategy};

/// Goes back to `to`, or to the good release from before the current one.
///
/// # Errors
/// The failure, with what is true on the hosts when they were touched.
pub async fn rollback(context: &Context, to: Option<ReleaseId>) -> Result<Outcome, Ended> {
    let started = Instant::now();
    let mut fleet = Fleet::connect(context).await?;
    // Before the lock: nothing to go back to is said at once, and takes nobody's lock.
    target(&fleet, to)?;
    fleet.begin(context, "rollback", None).await?;
    let release = match target(&fleet, to) {
        Ok(release) => release,
        Err(failure) => {
            fleet.end().await;
            return Err(failure.into());
        }
    };
    context.sink.emit(Event::Note {
        text: format!("going back to {release}"),
    });
    let switch = Switch {
        context,
        fleet: &mut fleet,
        release,
        settle: false,
        strategy: Strategy::AllAtOnce,
        on_failure: OnFailure::RevertAll,
        verb: "rolled back",
        after: &[],
        started,
        keep: context.project.release.keep,
        watch_ms: 0,
    };
    switch.run().await.into_result()
}

fn target(fleet: &Fleet, to: Option<ReleaseId>) -> Result<ReleaseId, crate::model::Failure> {
    let hosts: Vec<_> = fleet
        .hosts
        .iter()
        .map(|host| (&host.host, &host.facts))
        .collect();
    rollback_target(&hosts, to)
}
