//! Random walks through the decisions of an activation, on a model of a host: whatever fails or
//! dies, a recovery brings the host to a release that is good.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::Pending;
use super::effects::Effects;
use super::machine::{self, Back, Ran, When};
use super::model::{Death, Dice, Made, World};
use crate::agent::switch_plan::SwitchPlan;
use crate::model::{ReleaseId, ReleaseState};

/// So many walks; each is up to three activations, with recoveries between them.
const WALKS: u32 = 100_000;

const V1: ReleaseId = ReleaseId(1);

/// A walk, and what has been promised to whoever asked.
struct Walk {
    world: World,
    /// The release that must be live in the end, while nobody asks for another.
    promised: Option<Option<ReleaseId>>,
    good_from_the_start: BTreeSet<ReleaseId>,
    /// Releases that something died or failed for before the first note: nobody knows of them.
    unnoted: BTreeSet<ReleaseId>,
}

impl Walk {
    fn new(bytes: Vec<u8>, plan: SwitchPlan) -> Self {
        let mut world = World::new(Dice::new(bytes), plan);
        let mut good_from_the_start = BTreeSet::new();
        for number in 1..=4 {
            let services: &[_] = match world.dice.roll(4) {
                0 | 1 => &["web"],
                2 => &["jobs"],
                _ => &["jobs", "web"],
            };
            let made = Made {
                works: world.dice.roll(3) < 2,
                services: services.iter().copied().collect(),
            };
            world.add(ReleaseId(number), made, ReleaseState::Staged);
        }
        if world.dice.roll(4) < 3 {
            let services = world.releases[&V1].services.clone();
            // Good once, and perhaps no more.
            let works = world.dice.roll(8) < 7;
            world.add(V1, Made { works, services }, ReleaseState::Good);
            world.serve(V1);
            good_from_the_start.insert(V1);
        }
        Self {
            promised: Some(world.live()),
            world,
            good_from_the_start,
            unnoted: BTreeSet::new(),
        }
    }

    /// Does `work`; the host is up again when something died in its midst, and `None` is returned.
    fn step<T>(&mut self, work: impl FnOnce(&mut World) -> T) -> Option<T> {
        let death = match self.world.survive(work) {
            Ok(done) => return Some(done),
            Err(death) => death,
        };
        if death == Death::Power {
            self.boot();
        }
        None
    }

    /// The power comes back: the recovery's unit runs, where there is one, then the services.
    fn boot(&mut self) {
        self.world.lose_power();
        if self.world.dice.roll(4) < 3 {
            let recovery = |world: &mut World| recover(world, When::Boot);
            if let Err(Death::Power) = self.world.survive(recovery) {
                return self.boot();
            }
        }
        self.world.start_all();
    }

    /// Somebody comes: what was left is repaired, then `to` is activated.
    fn transaction(&mut self, to: ReleaseId) {
        let Some(from) = self.step(|world| {
            recover(world, When::Contact);
            world.live()
        }) else {
            return;
        };
        let plan = self.world.plan;
        let pending = Pending { from, to, plan };
        if from == Some(to) {
            return;
        }
        self.world.begun = false;
        let ran = self.step(|world| machine::run(world, pending, |_, _| "it failed".to_owned()));
        if self.world.begun {
            self.promised = None;
        } else {
            self.unnoted.insert(to);
        }
        match ran {
            Some(Ok(Ran::Proven)) => self.fleet(pending),
            Some(Ok(Ran::Back {
                back: Back::Healthy,
                ..
            })) => self.promised = Some(from),
            Some(Err(_)) => assert_eq!(self.world.live(), from, "nothing was changed"),
            Some(Ok(Ran::Back { .. })) | None => {}
        }
    }

    /// The release is proven here; what the fleet decides comes, or does not.
    fn fleet(&mut self, pending: Pending) {
        let mut precommitted = false;
        for _ in 0..4 {
            let event = self.world.dice.roll(8);
            match event {
                // Of the one host that is the whole fleet, or of all of one, also when the lease is
                // over.
                0 | 1 if event == 0 || precommitted => {
                    self.world.decided.insert(pending.to);
                    let Some(committed) = self.step(|world| machine::commit(world, pending, None))
                    else {
                        return;
                    };
                    if committed.is_ok() {
                        self.promised = Some(Some(pending.to));
                        return;
                    }
                }
                2 | 3 => {
                    self.world.decided.insert(pending.to);
                    match self.step(|world| machine::precommit(world, pending)) {
                        Some(Ok(())) => {
                            precommitted = true;
                            self.promised = Some(Some(pending.to));
                        }
                        Some(Err(_)) => {}
                        None => return,
                    }
                }
                1 | 4 | 5 => {
                    // The lease is over, another host failed, or, while it was watched, this one.
                    let own = !precommitted && self.world.dice.roll(2) == 1;
                    if own {
                        self.world.failed.insert(pending.to);
                    }
                    self.promised = None;
                    let back =
                        self.step(|world| machine::back(world, pending, own, "another failed"));
                    if back == Some(Back::Healthy) {
                        self.promised = Some(pending.from);
                    }
                    return;
                }
                6 => return, // kill -9
                _ => return self.boot(),
            }
        }
    }

    fn check(&mut self) {
        let world = &mut self.world;
        world.calm = true;
        recover(world, When::Contact);
        assert_eq!(world.unfinished().unwrap(), None, "the journal is ended");
        let live = world.live();
        let any_good = world
            .releases
            .keys()
            .any(|id| world.state(*id) == ReleaseState::Good);
        if any_good {
            let live = live.expect("a good release, and nothing serves");
            assert_eq!(world.state(live), ReleaseState::Good, "{live} is live");
        } else {
            assert_eq!(live, None);
        }
        assert!(
            world.runs_what_is_live(),
            "{:?} runs, {:?} beside, {live:?} is live",
            world.running,
            world.beside
        );
        assert!(
            world.lost.is_empty(),
            "requests were lost: {:?}",
            world.lost
        );
        for id in world.releases.keys() {
            match world.state(*id) {
                ReleaseState::Bad => assert!(world.failed.contains(id), "{id} did not fail"),
                ReleaseState::Good if !self.good_from_the_start.contains(id) => assert!(
                    world.proven.contains(id) && world.decided.contains(id),
                    "{id} was not committed"
                ),
                ReleaseState::Active => assert!(self.unnoted.contains(id), "{id} is active"),
                ReleaseState::Good | ReleaseState::Staged => {}
            }
        }
        for id in &self.good_from_the_start {
            assert_eq!(world.state(*id), ReleaseState::Good, "{id} was good");
        }
        if let Some(promised) = self.promised {
            assert_eq!(live, promised, "what was promised");
        }
    }
}

fn recover(world: &mut World, when: When) {
    if let Ok(Some(left)) = world.unfinished() {
        let _ = machine::recover(world, &left, when, "it ended without a result");
    }
}

fn walk(bytes: Vec<u8>, plan: SwitchPlan) -> World {
    let mut walk = Walk::new(bytes, plan);
    for number in 2..=4 {
        // A rollback now and then.
        let to = match walk.world.dice.roll(6) {
            5 => V1,
            _ => ReleaseId(number),
        };
        if to != V1 || walk.world.state(V1) == ReleaseState::Good {
            walk.transaction(to);
        }
    }
    let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| walk.check()));
    if let Err(why) = checked {
        // Shown with the failed case.
        let log = walk.world.log.join("\n  ");
        let why = why.downcast_ref::<String>().cloned().unwrap_or_default();
        std::panic::resume_unwind(Box::new(format!("{why}\n  {log}")));
    }
    walk.world
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: WALKS,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]
    #[test]
    fn every_walk_ends_on_a_good_release(
        bytes in proptest::collection::vec(any::<u8>(), 0..120)
    ) {
        let world = walk(bytes, SwitchPlan::InPlace);
        prop_assert!(world.calm);
    }

    /// The same with the plan that comes next; and no request goes to an instance that is not there.
    #[test]
    fn every_walk_beside_ends_on_a_good_release_and_loses_no_request(
        bytes in proptest::collection::vec(any::<u8>(), 0..160)
    ) {
        let world = walk(bytes, SwitchPlan::Beside);
        prop_assert!(world.calm);
    }
}

#[test]
fn without_faults_the_new_release_is_committed() {
    for plan in [SwitchPlan::InPlace, SwitchPlan::Beside] {
        let world = walk(Vec::new(), plan);
        assert_eq!(world.live(), Some(ReleaseId(4)));
        assert_eq!(world.history.len(), 3, "{:?}", world.history);
    }
}
