//! A model of a host, in memory: what is on its disk and what would be lost with the power, which
//! process runs which release. Any effect fails, or dies with the process or the power, before it
//! or after it, as the walk says.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::Pending;
use super::effects::{Effects, Ending, Trouble, Way};
use crate::agent::journal::Entry;
use crate::agent::switch_plan::{Step, SwitchPlan};
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
    /// To which release's instances requests go.
    route: Option<ReleaseId>,
    states: BTreeMap<ReleaseId, ReleaseState>,
}

/// A release of the model.
#[derive(Debug, Clone)]
pub struct Made {
    pub works: bool,
    pub services: BTreeSet<&'static str>,
}

/// The service whose instances run beside each other in a world that switches so.
pub const FRONT: &str = "web";

#[derive(Debug)]
pub struct World {
    pub dice: Dice,
    /// How this host switches.
    pub plan: SwitchPlan,
    pub releases: BTreeMap<ReleaseId, Made>,
    /// What processes see.
    seen: Disk,
    /// What a power cut leaves.
    kept: Disk,
    /// Which release the process of a service is of.
    pub running: BTreeMap<&'static str, ReleaseId>,
    /// The releases of which an instance of [`FRONT`] runs beside others.
    pub beside: BTreeSet<ReleaseId>,
    /// Requests that were lost, each with what lost it.
    pub lost: Vec<String>,
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
    pub fn new(dice: Dice, plan: SwitchPlan) -> Self {
        Self {
            dice,
            plan,
            beside: BTreeSet::new(),
            lost: Vec::new(),
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
            disk.route = Some(id);
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
            self.kept.route = self.seen.route;
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
        self.beside.clear();
    }

    /// The services of a release that are restarted in their place.
    fn in_place(&self, of: ReleaseId) -> BTreeSet<&'static str> {
        let mut services = self.releases[&of].services.clone();
        if self.plan == SwitchPlan::Beside {
            services.remove(FRONT);
        }
        services
    }

    /// Whether a release has instances that run beside others.
    fn has_front(&self, of: ReleaseId) -> bool {
        self.plan == SwitchPlan::Beside && self.releases[&of].services.contains(FRONT)
    }

    /// The service manager starts what `current` leads to, and the instances that requests go to.
    pub fn start_all(&mut self) {
        if let Some(live) = self.seen.current {
            for service in self.in_place(live) {
                self.running.insert(service, live);
            }
        }
        self.beside
            .extend(self.seen.route.filter(|id| self.has_front(*id)));
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
        if self.in_place(live).contains(service) {
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

    /// Whether a release that runs is healthy.
    fn health(&mut self, of: ReleaseId, way: Way) -> Result<(), Trouble> {
        if self.releases[&of].works {
            self.proven.insert(of);
            return Ok(());
        }
        if way == Way::Forth {
            self.failed.insert(of);
        }
        Err(Trouble::own("not healthy"))
    }

    /// Whether what should run runs, and nothing else does.
    pub fn runs_what_is_live(&self) -> bool {
        let live = self.seen.current;
        let in_place = live.map(|live| self.in_place(live)).unwrap_or_default();
        let wanted = in_place.into_iter().zip(live.into_iter().cycle());
        let beside: BTreeSet<_> = live.into_iter().filter(|id| self.has_front(*id)).collect();
        self.running == wanted.collect()
            && self.beside == beside
            && (self.plan == SwitchPlan::InPlace || self.seen.route == live)
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
            plan: pending.plan,
            from: pending.from,
            to: pending.to,
            boot: None,
            transaction: None,
        });
        let noted = entry.clone();
        self.effect(&format!("note {step:?}"), |world| {
            world.seen.journal = noted;
        })?;
        self.begun |= step == self.plan.first();
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
        let kept = kept.map(|id| self.in_place(id)).unwrap_or_default();
        let gone: Vec<_> = self.in_place(of).difference(&kept).copied().collect();
        if gone.is_empty() {
            return Ok(());
        }
        self.effect("stop", |world| {
            world.running.retain(|service, _| !gone.contains(service));
        })
    }

    fn restart(&mut self, of: ReleaseId, way: Way) -> Result<(), Trouble> {
        let services = self.in_place(of);
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
        let services = self.in_place(of);
        let runs = services
            .iter()
            .all(|service| self.running.get(service) == Some(&of));
        if !runs {
            return Err(Trouble::other("another release runs"));
        }
        self.health(of, way)
    }

    fn start(&mut self, of: ReleaseId) -> Result<(), Trouble> {
        if !self.has_front(of) || self.beside.contains(&of) {
            return Ok(());
        }
        self.effect(&format!("start {of} beside"), |world| {
            world.beside.insert(of);
        })?;
        assert!(self.beside.len() < 3, "there are two places");
        Ok(())
    }

    fn prove_beside(&mut self, of: ReleaseId, way: Way) -> Result<(), Trouble> {
        self.effect(&format!("prove {of} beside"), |_| ())?;
        if !self.has_front(of) {
            return Ok(());
        }
        if !self.beside.contains(&of) {
            return Err(Trouble::other("it does not run"));
        }
        self.health(of, way)
    }

    fn route(&mut self, to: Option<ReleaseId>) -> Result<(), Trouble> {
        let what = format!("route to {to:?}");
        let seen = self.effect(&what, |world| {
            // At boot nothing runs yet, and nothing is lost by it.
            let answers = |id: ReleaseId| !world.has_front(id) || world.beside.contains(&id);
            if !world.beside.is_empty() && !to.is_none_or(answers) {
                world.lost.push(what.clone());
            }
            world.seen.route = to;
        });
        if seen.is_ok() {
            self.kept.route = to;
        }
        seen
    }

    fn drain(&mut self, of: ReleaseId) -> Result<(), Trouble> {
        self.effect(&format!("drain {of}"), |_| ())
    }

    fn retire(&mut self, of: ReleaseId) -> Result<(), Trouble> {
        if !self.beside.contains(&of) {
            return Ok(());
        }
        let what = format!("retire {of}");
        self.effect(&what, |world| {
            if world.seen.route == Some(of) {
                world.lost.push(what.clone());
            }
            world.beside.remove(&of);
        })
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
