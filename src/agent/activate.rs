//! The switch on one host: flip, restart, prove, keep or put back. Every intention is in the
//! journal before its act.
//!
//! What follows what is decided in `machine`; `on_host` is how each of it is done here; `services`
//! starts and stops services without a switch. `walks` sends the decisions through 100,000 walks
//! of faults and deaths on the host of `model`.

mod effects;
mod machine;
#[cfg(test)]
mod model;
mod on_host;
mod services;
mod together;
#[cfg(test)]
mod walks;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::before::Befores;
use super::fault::Fault;
use super::host::Host;
use super::journal::Entry;
use super::service::LogCursor;
use super::switch_plan::SwitchPlan;
use super::{launcher, releases, setup};
use crate::model::event::{Diagnosis, HostEvent};
use crate::model::{Failure, ReleaseId, ServiceName, ServiceSpec};
use crate::wire::Activated;

pub use effects::{Ending, Trouble};
pub use machine::{Back, Ran, Recovered, When};
use on_host::OnHost;

/// An activation: from where to where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Pending {
    /// The release before.
    pub from: Option<ReleaseId>,
    /// The release now.
    pub to: ReleaseId,
    /// How the one takes over from the other.
    pub plan: SwitchPlan,
}

/// How a release that was proven is not healthy any more.
#[derive(Debug)]
pub(super) struct TurnedBad {
    /// What was found.
    pub diagnoses: Vec<Diagnosis>,
    /// The ends of the services' logs when they were still well.
    pub cursors: BTreeMap<ServiceName, Option<LogCursor>>,
    /// Since when a service has not answered well, where that is known.
    pub down: Option<Instant>,
}

/// How a switch ended, for the history.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    /// Which.
    pub pending: Pending,
    /// How.
    pub ending: Ending,
    /// Why, when not good.
    pub why: Option<&'a str>,
    /// Longest time without a good answer on the way back, ms.
    pub unanswered_ms: Option<u64>,
}

/// Writes that into the history.
pub type Recorder<'a> = &'a (dyn Fn(Ended<'_>) + Sync);

/// What it takes to switch.
pub struct Activation<'a> {
    /// The app.
    pub host: &'a Host,
    /// The transaction that it is part of.
    pub transaction: Option<&'a str>,
    /// Set when the wait shall end early (cancel, lease).
    pub stop: &'a AtomicBool,
    /// Set before `stop` when it is the lease that ended.
    pub left: &'a AtomicBool,
    /// Where events go.
    pub emit: &'a (dyn Fn(HostEvent) + Sync),
    /// Where the end goes.
    pub record: Recorder<'a>,
}

impl std::fmt::Debug for Activation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Activation").finish_non_exhaustive()
    }
}

/// Why a host goes back by itself.
pub const LEASE_IS_OVER: &str = "the controller was not heard of for the length of the lease";

/// How long the service manager may take over what it was asked, beyond the service's own stop
/// timeout, ms.
const GRACE_MS: u64 = 30_000;

impl Activation<'_> {
    /// Switches to `to` and proves it; when that fails, puts the previous release back. `befores` is
    /// how the services looked a moment ago, when that is at hand. The pending activation is one
    /// that is proven here and waits for the fleet.
    ///
    /// # Errors
    /// When nothing was changed: the release, what it runs on or a unit of it is not there, `current`
    /// is not ours, the journal cannot be written.
    pub fn run(
        &self,
        to: ReleaseId,
        settle: bool,
        befores: Option<Befores>,
    ) -> Result<(Activated, Option<Pending>), Failure> {
        let from = releases::current(&self.host.layout)?;
        let new = self.host.release(to)?;
        new.runtimes.present()?;
        setup::has_units(self.host, &new.release.services)?;
        let plan = SwitchPlan::InPlace;
        let pending = Pending { from, to, plan };
        let mut effects = OnHost::new(self, settle, befores);
        let mut found = Vec::new();
        let turn = |effects: &mut OnHost<'_>, trouble: &Trouble| {
            let why = match trouble.fault {
                Fault::Stopped => self.why_stopped(&trouble.failure.message()),
                Fault::Release | Fault::Host => trouble.failure.message(),
            };
            (self.emit)(HostEvent::Note {
                text: format!("{why}; {}", going_back(from)),
            });
            found = effects.turn(to, trouble);
            why
        };
        match machine::run(&mut effects, pending, turn)? {
            Ran::Proven => {
                let activated = Activated::proven(from, to, effects.say_proven());
                Ok((activated, Some(pending)))
            }
            Ran::Back { why, back } => {
                let mut activated = self.told(&mut effects, pending, &back, &why);
                // The way back came first; what the logs say can be read afterwards.
                activated.diagnoses = effects.tell(found);
                Ok((activated, None))
            }
        }
    }

    /// Puts the host back to the release from before `pending`, proves that, and records the other
    /// one as bad when it `failed` by itself. Never gives up half way: what fails is in the result.
    pub fn revert(&self, pending: Pending, why: &str, failed: bool) -> Activated {
        let mut effects = OnHost::new(self, false, None);
        effects.begin_to_measure(pending, None);
        self.back(&mut effects, pending, failed, why)
    }

    /// All hosts have proven the release: from now on it stays, whatever dies.
    ///
    /// # Errors
    /// When that cannot be noted: then nothing is decided.
    pub fn precommit(&self, pending: Pending) -> Result<(), Failure> {
        machine::precommit(&mut OnHost::new(self, false, None), pending)
    }

    /// The fleet is on the release: it is good now, and in the history, with `why` where that was
    /// decided here.
    ///
    /// # Errors
    /// When it cannot be noted that it stays: then nothing is decided.
    pub fn commit(&self, pending: Pending, why: Option<&str>) -> Result<(), Failure> {
        machine::commit(&mut OnHost::new(self, false, None), pending, why)
    }

    /// Brings the activation that died at `left` to its end. `why` says how it died.
    ///
    /// # Errors
    /// When what there is cannot be told, or the end cannot be written down: the next contact
    /// tries again.
    pub fn recover(&self, left: &Entry, when: When, why: &str) -> Result<Recovered, Trouble> {
        let mut effects = OnHost::new(self, false, None);
        effects.knows = false;
        let recovered = machine::recover(&mut effects, left, when, why);
        let mine = std::mem::take(&mut effects.diagnoses);
        effects.tell(mine);
        recovered
    }

    /// Puts the host back from a release that was proven and is not healthy any more.
    pub(super) fn go_back(
        &self,
        pending: Pending,
        own: bool,
        why: &str,
        turned: TurnedBad,
    ) -> Activated {
        (self.emit)(HostEvent::Note {
            text: format!("{why}; {}", going_back(pending.from)),
        });
        let mut effects = OnHost::new(self, false, None);
        effects.begin_to_measure(pending, turned.down);
        let found = effects.turned_bad(turned.diagnoses, turned.cursors);
        let mut activated = self.back(&mut effects, pending, own, why);
        // The way back came first; what the logs say can be read afterwards.
        activated.diagnoses = effects.tell(found);
        activated
    }

    /// Whether the wait shall end early.
    pub(super) fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Why it ended early: `why`, unless it was the lease.
    pub(super) fn why_stopped(&self, why: &str) -> String {
        match self.left.load(Ordering::Relaxed) {
            true => LEASE_IS_OVER.to_owned(),
            false => why.to_owned(),
        }
    }

    fn back(&self, effects: &mut OnHost<'_>, pending: Pending, own: bool, why: &str) -> Activated {
        let back = machine::back(effects, pending, own, why);
        self.told(effects, pending, &back, why)
    }

    /// Tells how a way back ended.
    fn told(
        &self,
        effects: &mut OnHost<'_>,
        pending: Pending,
        back: &Back,
        why: &str,
    ) -> Activated {
        let healthy = *back == Back::Healthy;
        let unanswered_ms = effects.unanswered();
        let not_healthy = std::mem::take(&mut effects.diagnoses);
        effects.tell(not_healthy);
        (self.emit)(HostEvent::Reverted {
            to: pending.from,
            healthy,
            unanswered_ms,
        });
        let (why, by_hand) = match back.trouble() {
            None => (why.to_owned(), Vec::new()),
            Some(trouble) => (
                machine::not_put_back(pending, why, &trouble.failure),
                by_hand(self.host, pending.from),
            ),
        };
        Activated {
            was: pending.from,
            is: releases::current(&self.host.layout).unwrap_or_default(),
            healthy,
            ok: false,
            committed: false,
            why: Some(why),
            diagnoses: Vec::new(),
            unanswered_ms,
            by_hand,
        }
    }
}

/// What a person types on the host to do what could not be done: to go back to `from`.
pub(in crate::agent) fn by_hand(host: &Host, from: Option<ReleaseId>) -> Vec<String> {
    let root = launcher::quote(&host.layout.root().display().to_string());
    let mut lines = match from {
        Some(from) => {
            vec![format!(
                "cd {root} && ln -sfn releases/{from} .current.hand && mv -T .current.hand current"
            )]
        }
        None => vec![format!("rm -f {root}/current")],
    };
    let services = from
        .and_then(|id| host.release(id).ok())
        .map(|loaded| loaded.release.services)
        .unwrap_or_default();
    let (manager, environment) = (&host.manager, &host.deployment.environment);
    lines.extend(
        services
            .iter()
            .map(|service| manager.by_hand_restart(environment, &service.name)),
    );
    lines
}

/// A release as the target of a way back.
fn going_back(to: Option<ReleaseId>) -> String {
    match to {
        Some(id) => format!("going back to {id}"),
        None => "nothing was live before: its services are being stopped".to_owned(),
    }
}

/// A release as something to put back.
fn name(id: Option<ReleaseId>) -> String {
    id.map_or_else(|| "the empty state".to_owned(), |id| id.to_string())
}

fn deadline(service: &ServiceSpec) -> Duration {
    Duration::from_millis(service.stop_timeout_ms + GRACE_MS)
}

/// `web: not healthy within 4s`, of the first; `otherwise` when there is none.
pub(super) fn first(diagnoses: &[Diagnosis], otherwise: &str) -> String {
    diagnoses.first().map_or_else(
        || otherwise.to_owned(),
        |found| format!("{}: {}", found.service, found.reason),
    )
}

/// All of them in one line.
fn all(diagnoses: &[Diagnosis]) -> String {
    let each = diagnoses
        .iter()
        .map(|found| format!("{}: {}", found.service, found.reason));
    each.collect::<Vec<_>>().join("; ")
}
