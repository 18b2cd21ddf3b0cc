//! Each effect, one after the other.

use std::sync::atomic::AtomicBool;

use super::super::effects::{Effects, Ending, Trouble, Way};
use super::super::together::{prove_all, stop_all};
use super::super::{Activation, Ended, Pending, all, first};
use super::OnHost;
use crate::agent::journal::{self, Entry};
use crate::agent::switch_plan::Step;
use crate::agent::{disk, flip, history, releases};
use crate::model::event::{Diagnosis, HostEvent};
use crate::model::{Failure, ReleaseId, ReleaseState};

/// This ship plans no other switch; it can only have been begun by a later one.
fn in_place_only() -> Trouble {
    Trouble::other("a later version of ship began this, and only that can go on with it")
}

impl Effects for OnHost<'_> {
    fn unfinished(&self) -> Result<Option<Entry>, Trouble> {
        Ok(journal::unfinished(&self.activation.host.layout)?)
    }

    fn current(&self) -> Result<Option<ReleaseId>, Trouble> {
        Ok(releases::current(&self.activation.host.layout)?)
    }

    fn prepare(&mut self, Pending { from, to, .. }: Pending) -> Result<(), Trouble> {
        let services = self.release(to)?.release.services.clone();
        let old = from.and_then(|from| self.release(from).ok());
        let old = old.map(|old| old.release.services.clone());
        self.begin_to_look(services, old.unwrap_or_default());
        let layout = &self.activation.host.layout;
        flip::prepare(layout, from.into_iter().chain([to]))?;
        if releases::state(layout, to) != ReleaseState::Good {
            // The sync of the note that follows brings this to the disk, too.
            releases::set_active(layout, to, from)?;
        }
        Ok(())
    }

    fn forget(&mut self, Pending { to, .. }: Pending) {
        let layout = &self.activation.host.layout;
        flip::clear(layout);
        if releases::state(layout, to) == ReleaseState::Active {
            let _ = releases::set_state(layout, to, ReleaseState::Staged);
        }
    }

    fn note(&mut self, Pending { from, to, plan }: Pending, step: Step) -> Result<(), Trouble> {
        let layout = &self.activation.host.layout;
        let boot = self.boot.clone();
        let transaction = self.activation.transaction.map(str::to_owned);
        if step == plan.first() {
            history::reserve(layout);
        }
        journal::note(
            layout,
            &Entry {
                step,
                plan,
                from,
                to,
                boot,
                transaction,
            },
        )?;
        if step.is_end() {
            flip::clear(layout);
        }
        Ok(())
    }

    fn flip(&mut self, to: Option<ReleaseId>) -> Result<(), Trouble> {
        let layout = &self.activation.host.layout;
        let was = releases::current(layout)?;
        if was == to {
            return Ok(disk::sync_folder(layout.root())?);
        }
        flip::flip(layout, to)?;
        if let Some(to) = to {
            self.emit(HostEvent::Flipped { from: was, to });
        }
        Ok(())
    }

    fn stop(&mut self, of: ReleaseId, kept: Option<ReleaseId>) -> Result<(), Trouble> {
        let kept = match kept {
            Some(kept) => self.release(kept)?.release.services.clone(),
            None => Vec::new(),
        };
        // Of a release that cannot be read nobody knows what to stop.
        let Ok(gone) = self.release(of) else {
            return Ok(());
        };
        let services = gone.release.services.iter();
        let surplus = services.filter(|s| kept.iter().all(|other| other.name != s.name));
        let Activation { host, emit, .. } = self.activation;
        Ok(stop_all(host, surplus, *emit)?)
    }

    fn restart(&mut self, of: ReleaseId, way: Way) -> Result<(), Trouble> {
        let release = self.release(of)?;
        match way {
            Way::Forth => self.restart_forth(&release),
            Way::Back => self.restart_back(&release),
        }
    }

    fn prove(&mut self, of: ReleaseId, way: Way) -> Result<(), Trouble> {
        let release = self.release(of)?;
        let services = &release.release.services;
        let befores: Vec<_> = services
            .iter()
            .map(|service| self.before(service))
            .collect();
        let never = AtomicBool::new(false);
        let Activation {
            host, stop, emit, ..
        } = self.activation;
        let (stop, settle) = match way {
            Way::Forth => (*stop, self.settle),
            Way::Back => (&never, false),
        };
        match prove_all(host, &release, &befores, settle, stop, *emit) {
            Ok(times) => {
                let proven = services.iter().zip(times);
                let proven =
                    proven.map(|(it, ms)| (it.name.clone(), it.health.probe.is_some(), ms));
                self.times = proven.collect();
                Ok(())
            }
            Err(unproven) => {
                let fault = self.keep(way, unproven);
                let found = self.diagnoses.iter().map(|found| found.diagnosis.clone());
                let found: Vec<Diagnosis> = found.collect();
                let why = match way {
                    Way::Forth => first(&found, "not proven"),
                    Way::Back => format!("{of} is not healthy either ({})", all(&found)),
                };
                let failure = Failure::unexpected(why);
                Err(Trouble { failure, fault })
            }
        }
    }

    fn start(&mut self, _of: ReleaseId) -> Result<(), Trouble> {
        Err(in_place_only())
    }

    fn prove_beside(&mut self, _of: ReleaseId, _way: Way) -> Result<(), Trouble> {
        Err(in_place_only())
    }

    fn route(&mut self, _to: Option<ReleaseId>) -> Result<(), Trouble> {
        Err(in_place_only())
    }

    fn drain(&mut self, _of: ReleaseId) -> Result<(), Trouble> {
        Err(in_place_only())
    }

    fn retire(&mut self, _of: ReleaseId) -> Result<(), Trouble> {
        Err(in_place_only())
    }

    fn state(&self, of: ReleaseId) -> ReleaseState {
        releases::state(&self.activation.host.layout, of)
    }

    fn set_state(&mut self, of: ReleaseId, state: ReleaseState) -> Result<(), Trouble> {
        let layout = &self.activation.host.layout;
        Ok(releases::set_state(layout, of, state)?)
    }

    fn record(&mut self, pending: Pending, ending: Ending, why: Option<&str>) {
        let unanswered_ms = match ending {
            Ending::Good => None,
            Ending::Reverted | Ending::Failed => self.unanswered(),
        };
        (self.activation.record)(Ended {
            pending,
            ending,
            why,
            unanswered_ms,
        });
    }
}
