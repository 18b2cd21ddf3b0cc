//! The work of each request.

use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Transaction;
use super::phase::{Offered, Phase, Proven, Receiving};
use crate::agent::activate::{Activation, Ended, Pending};
use crate::agent::adopt::{self, ADOPTED};
use crate::agent::as_app::Way;
use crate::agent::command::Undone;
use crate::agent::explain::what_was_refused;
use crate::agent::prune::{self, Keep};
use crate::agent::runtimes::Incoming;
use crate::agent::stage::{Room, Stage};
use crate::agent::watch::Spell;
use crate::agent::{command, fleet_note, releases, reserve, seeds, stage, tidy, written};
use crate::model::event::HostEvent;
use crate::model::{Failure, FailureKind, Operation, OperationOutcome, ReleaseId, Sha256};
use crate::wire::{
    ActivateRequest, Activated, FromAgent, HookRequest, Need, Offer, Publish, Seed, ServiceAction,
};

/// So many of the last lines of a hook are looked through for why it failed.
const LAST: usize = 40;

impl Transaction {
    /// An artifact is offered; its index follows. Whether its runtimes are here and can run here is
    /// being found out meanwhile.
    pub(super) fn begin_offer(&mut self, offer: Offer) -> Result<(), Failure> {
        self.phase = Phase::Refused;
        let incoming = Incoming::begin(&self.host, &offer.runtimes)?;
        let index = Vec::new();
        self.phase = Phase::Offered(Box::new(Offered {
            offer,
            index,
            incoming,
        }));
        Ok(())
    }

    /// The bytes of an archive follow. After a failure they are passed over, as content is.
    pub(super) fn begin_archive(&mut self, sha256: Sha256, from: u64) -> Result<(), Failure> {
        match &mut self.phase {
            Phase::Receiving(receiving) => {
                let started = receiving.incoming.start(sha256, from);
                started.map_err(stage::or_full)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn data_end(&mut self) -> Result<Option<FromAgent>, Failure> {
        match std::mem::replace(&mut self.phase, Phase::Refused) {
            Phase::Offered(offered) => self.index_end(*offered).map(Some),
            Phase::Receiving(mut receiving) => {
                if receiving.incoming.is_receiving() {
                    receiving.incoming.end().map_err(stage::or_full)?;
                } else {
                    receiving.stage.end_content()?;
                }
                self.phase = Phase::Receiving(receiving);
                Ok(None)
            }
            other => {
                self.phase = other;
                Ok(None)
            }
        }
    }

    /// The index of what is offered is here: what the artifact needs.
    fn index_end(&mut self, offered: Offered) -> Result<FromAgent, Failure> {
        let Offered {
            offer,
            index,
            mut incoming,
        } = offered;
        let Some((stage, mut need)) = self.begin_stage(&offer, &index, incoming.room())? else {
            self.phase = Phase::Idle;
            return Ok(FromAgent::NeedIndex);
        };
        need.archives = incoming.needed()?;
        // What is known already is said before anything travels.
        if self.checks.as_ref().is_some_and(JoinHandle::is_finished) {
            self.checked()?;
        }
        self.phase = Phase::Receiving(Box::new(Receiving { stage, incoming }));
        Ok(FromAgent::Need(need))
    }

    /// Begins the tree that is offered. Where it has no room, what nobody needs any more goes first.
    fn begin_stage(
        &mut self,
        offer: &Offer,
        index: &[u8],
        beside: Room,
    ) -> Result<Option<(Stage, Need)>, Failure> {
        match Stage::begin(&self.host, offer, index, beside, &mut self.ahead) {
            Err(failure) if failure.cause.is_full() && self.make_room(offer.keep) => {
                Stage::begin(&self.host, offer, index, beside, &mut None)
            }
            begun => begun,
        }
    }

    /// Removes what interrupted transfers left, the releases that failed, and the good ones beyond
    /// `keep`; whether there was any of that.
    fn make_room(&self, keep: u32) -> bool {
        let layout = &self.host.layout;
        let given_up = stage::give_up(layout);
        let gone = prune::prune(layout, Keep::under_pressure(keep));
        tidy::empty_trash(layout);
        let made = given_up || !gone.is_empty();
        if !gone.is_empty() {
            self.speaker.event(HostEvent::Pruned { releases: gone });
        }
        made
    }

    /// Waits for the checks that were begun with the transaction.
    fn checked(&mut self) -> Result<(), Failure> {
        match self.checks.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(found)) => {
                self.befores = Some(found?);
                Ok(())
            }
            Some(Err(_)) => Err(Failure::unexpected("a check of the services ended early")),
        }
    }

    pub(super) fn publish(&mut self, publish: &Publish) -> Result<FromAgent, Failure> {
        let Phase::Receiving(receiving) = std::mem::replace(&mut self.phase, Phase::Refused) else {
            return Err(Failure::unexpected("nothing was offered"));
        };
        let Receiving {
            mut stage,
            mut incoming,
        } = *receiving;
        let again = incoming.settle(&publish.release.runtimes);
        let archives = again.map_err(stage::or_full)?;
        if !archives.is_empty() {
            self.phase = Phase::Receiving(Box::new(Receiving { stage, incoming }));
            let need = Need {
                archives,
                ..Need::default()
            };
            return Ok(FromAgent::Need(need));
        }
        let host = self.host.clone();
        if let Some(need) = stage.publish(&host, publish, || self.checked())? {
            self.phase = Phase::Receiving(Box::new(Receiving { stage, incoming }));
            return Ok(FromAgent::Need(need));
        }
        self.phase = Phase::Staged(publish.release.id);
        self.made.clone_from(&publish.made);
        self.speaker.secrets().look_again();
        Ok(FromAgent::Published)
    }

    pub(super) fn seed(&self, seed: &Seed) -> Result<FromAgent, Failure> {
        self.host.commands.note();
        let brought = seeds::bring(&self.host, seed);
        self.tell_the_way();
        brought.map(|()| FromAgent::Done)
    }

    pub(super) fn hook(&self, request: &HookRequest) -> Result<FromAgent, Failure> {
        let release = self.host.release(request.release)?;
        let name = request.name.clone();
        self.speaker
            .event(HostEvent::HookStarted { name: name.clone() });
        let started = Instant::now();
        let mut last: Vec<String> = Vec::new();
        self.host.commands.note();
        let ended = command::run_hook(
            &self.host,
            &release,
            &self.speaker.secrets().redactor(),
            &request.run,
            Duration::from_millis(request.timeout_ms),
            // A hook is worth nothing without the controller that waits for it.
            &|| self.life.stopped() || self.life.is_abandoned(),
            &mut |line| {
                if last.len() == LAST {
                    last.remove(0);
                }
                last.push(line.clone());
                self.speaker.event(HostEvent::HookOutput {
                    name: name.clone(),
                    line,
                })
            },
        );
        self.tell_the_way();
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let undone = ended.as_ref().err();
        self.speaker.event(HostEvent::HookFinished {
            name: name.clone(),
            ok: ended.is_ok(),
            why: undone.map(|undone| undone.why.clone()),
            is_stopped: undone.is_some_and(|undone| undone.is_stopped),
            ms,
        });
        match ended {
            Ok(()) => Ok(FromAgent::Done),
            Err(Undone { why, .. }) => {
                let who = format!("hook `{name}`");
                let refused = what_was_refused(&who, self.host.layout.root(), &last);
                let failure = Failure::unexpected(format!("{who} failed: {why}"));
                Err(failure.details(refused))
            }
        }
    }

    /// Says once when commands do not run as the services' user, and what to do about it.
    fn tell_the_way(&self) {
        if let Some(Way::NoRight(text)) = self.host.commands.way()
            && !self.told_the_way.swap(true, Ordering::Relaxed)
        {
            self.speaker.event(HostEvent::Warning { text });
        }
    }

    /// Does something of an activation: what happens is said to the controller, how it ends goes
    /// into the history.
    fn with_activation<T>(&self, act: impl FnOnce(&Activation<'_>) -> T) -> T {
        self.host.commands.note();
        let done = act(&Activation {
            host: &self.host,
            transaction: Some(&self.begin.transaction),
            stop: &self.life.stop,
            left: &self.life.left,
            emit: &|event| self.speaker.event(event),
            record: &|ended| self.ended(ended),
        });
        self.tell_the_way();
        done
    }

    /// How a switch ended, into the history.
    fn ended(&self, ended: Ended<'_>) {
        let Pending { from, to, .. } = ended.pending;
        let operation = self.operation(Some(to), from, ended.ending.into(), ended.why);
        self.record(Operation {
            unanswered_ms: operation.unanswered_ms.max(ended.unanswered_ms),
            ..operation
        });
    }

    pub(super) fn activate(&mut self, request: &ActivateRequest) -> Result<Activated, Failure> {
        reserve::give(&self.host.layout);
        self.adopt(request.release)?;
        let left = self.left_behind(request.release);
        let befores = self.befores.take();
        let (mut activated, pending) = self.with_activation(|activation| {
            activation.run(request.release, request.settle, befores)
        })?;
        let at = Instant::now();
        self.phase = match pending {
            Some(pending) => Phase::Proven(Proven { pending, at }),
            None => Phase::Idle,
        };
        // A controller that is not there any more may have been stopped: the lease decides then.
        if request.commit.is_some() && activated.ok && self.life.is_near() && !self.life.stopped() {
            match self.commit(None) {
                Ok(FromAgent::Activated(back)) => {
                    let unanswered_ms = activated.unanswered_ms;
                    activated = Activated {
                        unanswered_ms,
                        ..*back
                    };
                }
                committed => activated.committed = committed.is_ok(),
            }
        }
        if activated.ok {
            let new = request.release;
            self.warn(left.or_else(|| written::will_be_left(&self.host, new)));
        }
        Ok(activated)
    }

    /// What the app wrote into the live release, as a sentence, before a switch to `new`.
    fn left_behind(&self, new: ReleaseId) -> Option<String> {
        let old = releases::current(&self.host.layout).ok().flatten()?;
        (old != new).then(|| written::left_behind(&self.host, old, new))?
    }

    fn warn(&self, text: Option<String>) {
        if let Some(text) = text {
            self.speaker.event(HostEvent::Warning { text });
        }
    }

    /// What another tool left live becomes a release to go back to, just before the switch.
    fn adopt(&self, beside: ReleaseId) -> Result<(), Failure> {
        if let Some(found) = adopt::adopt(&self.host, beside)? {
            let text = format!("adopted {found} as {ADOPTED}; a rollback can return to it");
            self.speaker.event(HostEvent::Note { text });
            let why = format!("{found} was live, made by another tool");
            self.note(Some(ADOPTED), None, OperationOutcome::Adopted, Some(&why));
        }
        Ok(())
    }

    /// Watches what is pending for `ms` milliseconds.
    pub(super) fn watch(&mut self, ms: u64) -> Result<Activated, Failure> {
        let Proven { pending, at } = self.phase.proven()?;
        let spell = Spell {
            ms,
            proven: at,
            enough: &self.life.enough,
        };
        let (activated, still) =
            self.with_activation(|activation| activation.watch(pending, spell))?;
        self.phase = match still {
            Some(pending) => Phase::Proven(Proven { pending, at }),
            None => Phase::Idle,
        };
        Ok(activated)
    }

    /// What is proven here waits for the fleet.
    pub(super) fn present(&self) -> Result<FromAgent, Failure> {
        let Proven { pending, .. } = self.phase.proven()?;
        self.turned(pending)
            .map_or(Ok(FromAgent::Done), |why| Err(Failure::unexpected(why)))
    }

    /// How `current` was changed by somebody else since it was switched; `None` when it was not.
    fn turned(&self, pending: Pending) -> Option<String> {
        let to = pending.to;
        let current = self.host.layout.current();
        let current = current.display();
        match releases::current(&self.host.layout) {
            Ok(Some(is)) if is == to => None,
            Ok(Some(is)) => Some(format!(
                "{current} points to {is}, not to {to}: somebody changed it after the proof"
            )),
            Ok(None) => Some(format!(
                "{current} is gone: somebody removed it after {to} was proven"
            )),
            Err(failure) => Some(format!(
                "somebody changed {current} after {to} was proven: {}",
                failure.message()
            )),
        }
    }

    /// Every host has proven the release: what the end of the lease means changes.
    pub(super) fn precommit(&mut self) -> Result<FromAgent, Failure> {
        let Proven { pending, .. } = self.phase.proven()?;
        if let Some(why) = self.turned(pending) {
            return Err(Failure::unexpected(why));
        }
        self.with_activation(|activation| activation.precommit(pending))?;
        self.life.precommitted.store(true, Ordering::Relaxed);
        Ok(FromAgent::Done)
    }

    /// Makes the release good; `why` is told where that was decided here. Where somebody changed
    /// `current` since it was proven, this host goes back: the answer says how that ended.
    pub(super) fn commit(&mut self, why: Option<&str>) -> Result<FromAgent, Failure> {
        let Proven { pending, .. } = self.phase.proven()?;
        if let Some(why) = self.turned(pending) {
            return Ok(self.revert(&why));
        }
        self.with_activation(|activation| activation.commit(pending, why))?;
        self.phase = Phase::Idle;
        self.note_fleet();
        Ok(FromAgent::Done)
    }

    /// A deploy has reached all hosts of the environment that the manifest has.
    pub(super) fn note_fleet(&self) {
        if self.begin.services.is_some() {
            fleet_note::keep(&self.host.layout, &self.begin.fleet);
        }
    }

    pub(super) fn revert(&mut self, why: &str) -> FromAgent {
        let Ok(Proven { pending, .. }) = self.phase.proven() else {
            self.drop_staged();
            return FromAgent::Done;
        };
        self.phase = Phase::Idle;
        self.life.precommitted.store(false, Ordering::Relaxed);
        // It was proven here: not its fault.
        let activated = self.with_activation(|activation| activation.revert(pending, why, false));
        FromAgent::Activated(Box::new(activated))
    }

    /// The controller is gone: back to where the host was, unless every host has proven the release.
    /// What a controller that comes back should know; `None` where nothing had been switched.
    #[must_use]
    pub(super) fn give_up(&mut self, why: &str) -> Option<FromAgent> {
        if self.life.precommitted.load(Ordering::Relaxed) {
            let why = format!("{why}; every host had proven it");
            return match self.commit(Some(&why)) {
                Ok(back @ FromAgent::Activated(_)) => Some(back),
                Ok(_) => None,
                Err(failure) => {
                    let text = failure.message();
                    self.speaker.event(HostEvent::Warning { text });
                    None
                }
            };
        }
        let switched = self.phase.proven().is_ok();
        let answer = self.revert(why);
        switched.then_some(answer)
    }

    /// A controller that comes back begins its offer anew; what came of the last one is kept.
    pub(super) fn start_over(&mut self) {
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Receiving(receiving) => receiving.stage.leave(),
            Phase::Offered(_) => {}
            other => self.phase = other,
        }
    }

    /// A release that nobody switched to leaves no trace; a transfer that was cut leaves what came.
    pub(super) fn drop_staged(&mut self) {
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Receiving(receiving) => receiving.stage.leave(),
            Phase::Staged(id) => stage::unstage(&self.host, id),
            _ => {}
        }
    }

    pub(super) fn service(
        &self,
        action: ServiceAction,
        names: &[crate::model::ServiceName],
    ) -> Result<(), Failure> {
        let id = releases::current(&self.host.layout)?
            .ok_or_else(|| Failure::refused("nothing is deployed here"))?;
        let live = self.host.release(id)?;
        let result = self.with_activation(|activation| activation.act(&live, action, names));
        let why = result.as_ref().err().map(|failure| failure.message());
        let outcome = match &result {
            Ok(()) => OperationOutcome::Good,
            Err(failure) if failure.kind == FailureKind::Interrupted => {
                OperationOutcome::Interrupted
            }
            Err(_) => OperationOutcome::Failed,
        };
        self.note(Some(id), Some(id), outcome, why.as_deref());
        result
    }
}
