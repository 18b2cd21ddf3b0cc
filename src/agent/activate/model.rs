//! A model of a host, in memory: what is on its disk and what would be lost with the power, which
//! process runs which release. Any effect fails, or dies with the process or the power, before it
//! or after it, as the walk says.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::Pending;
use super::effects::{Effects, Ending, Trouble, Way};
use crate::agent::journal::{Entry, Step};
use crate::model::{ReleaseId, ReleaseState};

/// Bytes that decide what happens next; at their end, all goes well.
#[derive(Debug, Clone)]
pub struct Dice {
    bytes: Vec<u8>,
    at: usize,
}

impl Dice {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, at: 0 }
    }

    /// A number below `sides`; 0 once there are no more.
    pub fn roll(&mut self, sides: u8) -> u8 {
        let byte = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        byte % sides
    }
}

/// What dies in the middle of an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    Process,
    Power,
}

/// What a disk holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Disk {
    journal: Option<Entry>,
    current: Option<ReleaseId>,
    states: BTreeMap<ReleaseId, ReleaseState>,
}

/// A release of the model.
#[derive(Debug, Clone)]
pub struct Made {
    pub works: bool,
    pub services: BTreeSet<&'static str>,
}

#[derive(Debug)]
pub struct World {
    pub dice: Dice,
    pub releases: BTreeMap<ReleaseId, Made>,
    /// What processes see.
    seen: Disk,
    /// What a power cut leaves.
    kept: Disk,
    /// Which release the process of a service is of.
    pub running: BTreeMap<&'static str, ReleaseId>,
    /// Releases that failed their own proof.
    pub failed: BTreeSet<ReleaseId>,
    /// Releases that passed their proof.
    pub proven: BTreeSet<ReleaseId>,
    /// Releases that the fleet decided to keep.
    pub decided: BTreeSet<ReleaseId>,
    /// What the history holds.
    pub history: Vec<(Ending, ReleaseId)>,
    /// Whether the first word of an activation is in the journal.
    pub begun: bool,
    /// Nothing fails or dies any more.
    pub calm: bool,
    /// What was done, for whoever reads about a walk that failed.
    pub log: Vec<String>,
}

impl World {
    pub fn new(dice: Dice) -> Self {
        Self {
            dice,
            releases: BTreeMap::new(),
            seen: Disk::default(),
            kept: Disk::default(),
            running: BTreeMap::new(),
            failed: BTreeSet::new(),
            proven: BTreeSet::new(),
            decided: BTreeSet::new(),
            history: Vec::new(),
            begun: false,
            calm: false,
            log: Vec::new(),
        }
    }

    pub fn add(&mut self, id: ReleaseId, made: Made, state: ReleaseState) {
        self.releases.insert(id, made);
        for disk in [&mut self.seen, &mut self.kept] {
            disk.states.insert(id, state);
        }
    }

    /// A release serves that an earlier deploy brought.
    pub fn serve(&mut self, id: ReleaseId) {
        for disk in [&mut self.seen, &mut self.kept] {
            disk.current = Some(id);
        }
        self.start_all();
    }

    pub fn live(&self) -> Option<ReleaseId> {
        self.seen.current
    }

    /// Runs `work`; what died in its midst, if anything did.
    pub fn survive<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> Result<T, Death> {
        let done = catch_unwind(AssertUnwindSafe(|| work(self)));
        done.map_err(|thrown| match thrown.downcast::<Death>() {
            Ok(death) => *death,
            Err(bug) => resume_unwind(bug),
        })
    }

    /// The power goes. What was not synced is lost, file by file or not; all processes are.
    pub fn lose_power(&mut self) {
        self.log.push("power cut".to_owned());
        if self.dice.roll(2) == 1 {
            self.kept.current = self.seen.current;
        }
        if self.dice.roll(2) == 1 {
            self.kept.journal.clone_from(&self.seen.journal);
        }
        for (id, state) in &self.seen.states {
            if self.dice.roll(2) == 1 {
                self.kept.states.insert(*id, *state);
            }
        }
        self.seen = self.kept.clone();
        self.running.clear();
    }

    /// The service manager starts what `current` leads to.
    pub fn start_all(&mut self) {
        if let Some(live) = self.seen.current {
            for service in self.releases[&live].services.clone() {
                self.running.insert(service, live);
            }
        }
    }

    /// A process ends and is started again, from where `current` leads to now.
    fn maybe_one_restarts(&mut self) {
        if self.calm || self.dice.roll(16) != 15 {
            return;
        }
        let services: Vec<_> = self.running.keys().copied().collect();
        let Some(live) = self.seen.current else {
            return;
        };
        if services.is_empty() {
            return;
        }
        let service = services[usize::from(self.dice.roll(2)) % services.len()];
        if self.releases[&live].services.contains(service) {
            self.log.push(format!("{service} restarts by itself"));
            self.running.insert(service, live);
        }
    }

    /// Does one effect, or fails, or dies.
    fn effect(&mut self, what: &str, act: impl FnOnce(&mut Self)) -> Result<(), Trouble> {
        self.maybe_one_restarts();
        let fate = match self.calm {
            true => 0,
            false => self.dice.roll(28),
        };
        self.log.push(format!("{what} ({fate})"));
        let death = |fate| match fate % 2 {
            0 => Death::Process,
            _ => Death::Power,
        };
        match fate {
            1 => return Err(Trouble::other(format!("{what} failed"))),
            2 | 3 => resume_unwind(Box::new(death(fate))),
            _ => act(self),
        }
        match fate {
            4 => Err(Trouble::other(format!("{what} failed, and was done"))),
            5 | 6 => resume_unwind(Box::new(death(fate))),
            _ => Ok(()),
        }
    }

    /// Whether what should run runs, and nothing else does.
    pub fn runs_what_is_live(&self) -> bool {
        let wanted: BTreeMap<_, _> = self
            .seen
            .current
            .map(|live| {
                let services = self.releases[&live].services.iter();
                services.map(|service| (*service, live)).collect()
            })
            .unwrap_or_default();
        self.running == wanted
    }
}

impl Effects for World {
    fn unfinished(&self) -> Result<Option<Entry>, Trouble> {
        let last = self.seen.journal.clone();
        Ok(last.filter(|entry| !entry.step.is_end()))
    }

    fn current(&self) -> Result<Option<ReleaseId>, Trouble> {
        Ok(self.seen.current)
    }

    fn prepare(&mut self, Pending { to, .. }: Pending) -> Result<(), Trouble> {
        self.effect("prepare", |world| {
            if world.seen.states[&to] != ReleaseState::Good {
                // Not synced.
                world.seen.states.insert(to, ReleaseState::Active);
            }
        })
    }

    fn forget(&mut self, Pending { to, .. }: Pending) {
        let _ = self.effect("forget", |world| {
            if world.seen.states[&to] == ReleaseState::Active {
                world.seen.states.insert(to, ReleaseState::Staged);
            }
        });
    }

    fn note(&mut self, pending: Pending, step: Step) -> Result<(), Trouble> {
        let entry = Some(Entry {
            step,
            from: pending.from,
            to: pending.to,
            boot: None,
            transaction: None,
        });
        let noted = entry.clone();
        self.effect(&format!("note {step:?}"), |world| {
            world.seen.journal = noted;
        })?;
        self.begun |= step == Step::Flipping;
        self.kept.journal = entry;
        Ok(())
    }

    fn flip(&mut self, to: Option<ReleaseId>) -> Result<(), Trouble> {
        let what = format!("flip to {to:?}");
        let seen = self.effect(&what, |world| world.seen.current = to);
        if seen.is_ok() {
            self.kept.current = to;
        }
        seen
    }

    fn stop(&mut self, of: ReleaseId, kept: Option<ReleaseId>) -> Result<(), Trouble> {
        let kept = kept.map(|id| self.releases[&id].services.clone());
        let kept = kept.unwrap_or_default();
        let gone: Vec<_> = self.releases[&of]
            .services
            .difference(&kept)
            .copied()
            .collect();
        if gone.is_empty() {
            return Ok(());
        }
        self.effect("stop", |world| {
            world.running.retain(|service, _| !gone.contains(service));
        })
    }

    fn restart(&mut self, of: ReleaseId, way: Way) -> Result<(), Trouble> {
        let services = self.releases[&of].services.clone();
        let untouched = services
            .iter()
            .all(|service| self.running.get(service) == Some(&of));
        if way == Way::Back && untouched {
            return Ok(());
        }
        self.effect("restart", |world| {
            // A unit names `current`, and nothing else.
            let Some(live) = world.seen.current else {
                return;
            };
            for service in services {
                world.running.insert(service, live);
            }
        })
    }

    fn prove(&mut self, of: ReleaseId, way: Way) -> Result<(), Trouble> {
        self.effect(&format!("prove {of}"), |_| ())?;
        let made = &self.releases[&of];
        let runs = made
            .services
            .iter()
            .all(|service| self.running.get(service) == Some(&of));
        if !runs {
            return Err(Trouble::other("another release runs"));
        }
        if made.works {
            self.proven.insert(of);
            return Ok(());
        }
        if way == Way::Forth {
            self.failed.insert(of);
        }
        Err(Trouble::own("not healthy"))
    }

    fn state(&self, of: ReleaseId) -> ReleaseState {
        self.seen.states[&of]
    }

    fn set_state(&mut self, of: ReleaseId, state: ReleaseState) -> Result<(), Trouble> {
        self.effect(&format!("{of} is {state:?}"), |world| {
            world.seen.states.insert(of, state);
        })?;
        self.kept.states.insert(of, state);
        Ok(())
    }

    fn record(&mut self, pending: Pending, ending: Ending, _why: Option<&str>) {
        let _ = self.effect("history", |world| {
            world.history.push((ending, pending.to));
        });
    }
}
