//! The decisions of an activation, apart from what they are done with: in which order effects
//! follow each other, and what follows when one fails or the process dies between two.
//!
//! ```text
//! flipping ─ restarting ─ proven ─ precommitted ─ committed      (a switch in place)
//!     │          │          │           │             (the end: the release is good)
//!     └──────────┴─────┬────┘           └ only when the fleet says so
//!                      ▼                ▼
//!              failed or reverting ─ reverted (the end: the release before is back)
//! ```
//!
//! A switch beside begins with `starting`, and has `routing` before `proven`
//! ([`SwitchPlan`](crate::agent::switch_plan::SwitchPlan)).
//!
//! The journal's last word decides what a recovery does: up to `proven` it goes back, from
//! `precommitted` on it goes on. A word that could not be written changes neither: the way back is
//! the same from each word before, and what is committed was precommitted.

use super::effects::{Effects, Ending, Trouble, Way};
use super::{Pending, name};
use crate::agent::journal::Entry;
use crate::agent::switch_plan::{Act, Step, SwitchPlan};
use crate::model::{Failure, ReleaseId, ReleaseState};

/// How a switch went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ran {
    /// The release is proven here. Whether it stays is for the fleet to say.
    Proven,
    /// It failed, and the way back was gone.
    Back {
        /// Why, for the history.
        why: String,
        /// How that ended.
        back: Back,
    },
}

/// Switches, and goes back where that fails. Before it goes back, `turn` learns the trouble and says
/// why, for the history.
///
/// # Errors
/// When it cannot be prepared or noted: then nothing was changed. Refused as long as an earlier
/// activation has not come to its end, which a recovery could not bring about.
pub fn run<E: Effects>(
    effects: &mut E,
    pending: Pending,
    turn: impl FnOnce(&mut E, &Trouble) -> String,
) -> Result<Ran, Failure> {
    begin(effects, pending)?;
    let Err(trouble) = switch(effects, pending) else {
        return Ok(Ran::Proven);
    };
    let why = turn(effects, &trouble);
    let back = back(effects, pending, trouble.is_own(), &why);
    Ok(Ran::Back { why, back })
}

/// Prepares and notes a switch. Nothing on the host is different yet.
fn begin(effects: &mut impl Effects, pending: Pending) -> Result<(), Failure> {
    let left = effects.unfinished().map_err(|trouble| trouble.failure)?;
    if let Some(left) = left {
        return Err(Failure::refused(format!(
            "the activation of {} has not ended, and could not be ended",
            left.to
        ))
        .hint("the history says why; each contact tries again"));
    }
    let begun = effects
        .prepare(pending)
        .and_then(|()| effects.note(pending, pending.plan.first()));
    begun.map_err(|trouble| {
        effects.forget(pending);
        trouble.failure
    })
}

/// Does what was begun, up to the first trouble.
fn switch(effects: &mut impl Effects, pending: Pending) -> Result<(), Trouble> {
    let mut noted = pending.plan.first();
    for act in pending.plan.forth() {
        if act.intention() != noted {
            noted = act.intention();
            effects.note(pending, noted)?;
        }
        go(effects, pending, *act)?;
    }
    effects.note(pending, Step::Proven)
}

/// One step to the new release.
fn go(
    effects: &mut impl Effects,
    Pending { from, to, .. }: Pending,
    act: Act,
) -> Result<(), Trouble> {
    match (act, from) {
        (Act::Start, _) => effects.start(to),
        (Act::ProveBeside, _) => effects.prove_beside(to, Way::Forth),
        (Act::Flip, _) => effects.flip(Some(to)),
        (Act::Stop, Some(from)) => effects.stop(from, Some(to)),
        (Act::Restart, _) => effects.restart(to, Way::Forth),
        (Act::Prove, _) => effects.prove(to, Way::Forth),
        (Act::Route, _) => effects.route(Some(to)),
        (Act::Drain, Some(from)) => effects.drain(from),
        (Act::Retire, Some(from)) => effects.retire(from),
        (Act::Stop | Act::Drain | Act::Retire, None) => Ok(()),
    }
}

/// All hosts have proven the release: from now on it stays, whatever dies.
///
/// # Errors
/// When that cannot be noted: then nothing is decided.
pub fn precommit(effects: &mut impl Effects, pending: Pending) -> Result<(), Failure> {
    let noted = effects.note(pending, Step::Precommitted);
    noted.map_err(|trouble| trouble.failure)
}

/// The fleet is on the release: it is good now. What cannot be written is done by the next
/// contact, which finds that it was decided.
///
/// # Errors
/// When it cannot be noted that it stays: then nothing is decided.
pub fn commit(
    effects: &mut impl Effects,
    pending: Pending,
    why: Option<&str>,
) -> Result<(), Failure> {
    precommit(effects, pending)?;
    let _ = conclude(effects, pending, why);
    Ok(())
}

/// Keeps a release that the journal says all hosts have proven. It may say so without having been
/// synced, so that it is noted once more before anything is built on it. A way back may have begun
/// without a note, and requests may go to the release before.
fn keep(
    effects: &mut impl Effects,
    pending: Pending,
    when: When,
    why: &str,
) -> Result<(), Trouble> {
    effects.note(pending, Step::Precommitted)?;
    match (pending.plan, when) {
        (SwitchPlan::InPlace, _) => {}
        (SwitchPlan::Beside, When::Boot) => effects.route(Some(pending.to))?,
        (SwitchPlan::Beside, When::Contact) => route_to(effects, Some(pending.to)).0?,
    }
    conclude(effects, pending, Some(why))
}

/// Writes down that the release is good.
///
/// # Errors
/// When that cannot be written: the next contact does it.
fn conclude(
    effects: &mut impl Effects,
    pending: Pending,
    why: Option<&str>,
) -> Result<(), Trouble> {
    effects.set_state(pending.to, ReleaseState::Good)?;
    for act in pending.plan.afterwards() {
        go(effects, pending, *act)?;
    }
    effects.record(pending, Ending::Good, why);
    effects.note(pending, Step::Committed)
}

/// How a way back ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Back {
    /// The release before serves.
    Healthy,
    /// The release before is there, and fails too: a person must look, no second try helps.
    Unhealthy(Trouble),
    /// Something could not be done: the journal stays open, and the next contact tries again.
    Undone(Trouble),
}

impl Back {
    /// What went wrong.
    #[must_use]
    pub fn trouble(&self) -> Option<&Trouble> {
        match self {
            Self::Healthy => None,
            Self::Unhealthy(trouble) | Self::Undone(trouble) => Some(trouble),
        }
    }
}

/// Puts the host back to the release from before, proves that, and records what became of the
/// other one: bad when it failed by itself. Never gives up half way. `why` is for the history.
pub fn back(effects: &mut impl Effects, pending: Pending, own: bool, why: &str) -> Back {
    let step = match own {
        true => Step::Failed,
        false => Step::Reverting,
    };
    // Not written, the word before it leads back as well.
    let _ = effects.note(pending, step);
    let back = put_back(effects, pending);
    let (ending, why) = match back.trouble() {
        None => (Ending::Reverted, why.to_owned()),
        Some(trouble) => (Ending::Failed, not_put_back(pending, why, &trouble.failure)),
    };
    let demoted = demote(effects, pending, own);
    effects.record(pending, ending, Some(&why));
    if demoted.is_ok() && !matches!(back, Back::Undone(_)) {
        let _ = effects.note(pending, Step::Reverted);
    }
    back
}

/// The sentence for a way back that failed.
pub fn not_put_back(pending: Pending, why: &str, failure: &Failure) -> String {
    format!(
        "{why}; and putting {} back failed: {failure}",
        name(pending.from)
    )
}

fn put_back(effects: &mut impl Effects, pending: Pending) -> Back {
    let Pending { from, to, .. } = pending;
    let flipped = effects.flip(from);
    if let Err(trouble) = &flipped
        && !effects.current().is_ok_and(|current| current == from)
    {
        // Restarted now, the services would run the release that failed.
        return Back::Undone(trouble.clone());
    }
    let (routed, beside) = match pending.plan {
        SwitchPlan::InPlace => (Ok(()), Ok(())),
        SwitchPlan::Beside => route_to(effects, from),
    };
    let stopped = effects.stop(to, from);
    let mut proven = Ok(());
    if let Some(from) = from {
        let restarted = effects
            .restart(from, Way::Back)
            .or_else(|_| effects.restart(from, Way::Back));
        proven = restarted.and_then(|()| effects.prove(from, Way::Back));
    }
    // Requests may still go to the new instances where the way to the old ones was not opened.
    let retired = match (pending.plan, &routed) {
        (SwitchPlan::Beside, Ok(())) => effects.retire(to),
        _ => Ok(()),
    };
    let done = flipped.and(routed).and(stopped).and(retired);
    match (done, beside.and(proven)) {
        (Ok(()), Ok(())) => Back::Healthy,
        (Ok(()), Err(trouble)) if trouble.is_own() => Back::Unhealthy(trouble),
        (_, Err(trouble)) | (Err(trouble), Ok(())) => Back::Undone(trouble),
    }
}

/// Sends requests to the instances of a release that was proven before, which still run unless the
/// host has restarted since: whether that was done, and whether they are healthy. Those that are not
/// get the requests all the same, as a service would that is switched in its place.
fn route_to(
    effects: &mut impl Effects,
    to: Option<ReleaseId>,
) -> (Result<(), Trouble>, Result<(), Trouble>) {
    let Some(to) = to else {
        return (effects.route(None), Ok(()));
    };
    let beside = effects
        .start(to)
        .and_then(|()| effects.prove_beside(to, Way::Back));
    match &beside {
        Err(trouble) if !trouble.is_own() => (Err(trouble.clone()), beside),
        _ => (effects.route(Some(to)), beside),
    }
}

/// What was switched to and did not stay is no longer active. A release that was good before
/// stays so.
fn demote(effects: &mut impl Effects, pending: Pending, own: bool) -> Result<(), Trouble> {
    if effects.state(pending.to) == ReleaseState::Good || pending.from == Some(pending.to) {
        return Ok(());
    }
    let state = match own {
        true => ReleaseState::Bad,
        false => ReleaseState::Staged,
    };
    effects.set_state(pending.to, state)
}

/// What a recovery did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovered {
    /// The release stays: all hosts had proven it.
    Kept,
    /// The way back was gone.
    Back(Back),
    /// Somebody else pointed `current` to another release since: that stays.
    Left,
}

/// When a recovery runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Services may run.
    Contact,
    /// The host is booting: no service runs yet, and each will be started from `current`.
    Boot,
}

/// Brings an activation that died to its end. `why` says how it died, for the history.
///
/// # Errors
/// When what there is cannot be told, or the end cannot be written down: the next contact tries
/// again.
pub fn recover(
    effects: &mut impl Effects,
    left: &Entry,
    when: When,
    why: &str,
) -> Result<Recovered, Trouble> {
    let pending = Pending {
        from: left.from,
        to: left.to,
        plan: left.plan,
    };
    let own = left.step == Step::Failed;
    let current = effects.current()?;
    let elsewhere = current.is_some_and(|id| pending.from != Some(id) && pending.to != id);
    if elsewhere {
        demote(effects, pending, own)?;
        let why = format!("{why}; somebody else chose another release since");
        effects.record(pending, Ending::Reverted, Some(&why));
        effects.note(pending, Step::Reverted)?;
        return Ok(Recovered::Left);
    }
    if left.step == Step::Precommitted && current == Some(pending.to) {
        keep(effects, pending, when, why)?;
        return Ok(Recovered::Kept);
    }
    if when == When::Contact {
        return Ok(Recovered::Back(back(effects, pending, own, why)));
    }
    if pending.plan == SwitchPlan::Beside {
        effects.route(pending.from)?;
    }
    effects.flip(pending.from)?;
    demote(effects, pending, own)?;
    effects.record(pending, Ending::Reverted, Some(why));
    effects.note(pending, Step::Reverted)?;
    Ok(Recovered::Back(Back::Healthy))
}
