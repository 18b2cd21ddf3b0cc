//! Scenarios by number: the same number is always the same scenario.

use std::time::Duration;

use super::app::Behaviour;
use super::fault::Fault;
use super::ground::{Manifest, Strategy};
use super::point::Point;
use super::scenario::{Scenario, Trouble};

/// Random numbers: splitmix64 (Steele, Lea, Flood, 2014).
pub struct Dice(u64);

impl Dice {
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// One below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end.max(1)
    }
}

/// All faults.
pub fn faults() -> Vec<Fault> {
    vec![
        Fault::KillController,
        Fault::KillSsh,
        Fault::KillSession,
        Fault::KillServe,
        Fault::KillTransaction,
        Fault::KillBoth,
        Fault::Signal("INT"),
        Fault::Signal("TERM"),
        Fault::Signal("HUP"),
        Fault::LinkDown(2),
        Fault::LinkDown(60),
        Fault::Pause(60),
        Fault::PowerCut,
        Fault::FullDisk,
        Fault::NoInodes,
        Fault::SystemctlFails(3),
        Fault::SystemctlFails(0),
        Fault::SystemctlHangs(3),
        Fault::SystemctlHangs(0),
        Fault::SudoHangs(3),
        Fault::SudoHangs(0),
        Fault::StopTransaction(3),
        Fault::StopTransaction(20),
        Fault::HostClock(86_400),
        Fault::HostClock(-86_400),
        Fault::ControllerClock(86_400),
        Fault::ControllerClock(-86_400),
        Fault::Second,
    ]
}

/// Where this fault is worth a try: those that take a minute come at fewer points.
pub fn points(fault: Fault) -> Vec<Point> {
    use Point::{
        Flipped, GoingBack, Numbered, Proven, Proving, Restarted, Spawned, Staged, Started,
    };
    match fault {
        Fault::LinkDown(60) | Fault::Pause(_) => vec![Numbered, Staged, Flipped, Proving, Proven],
        Fault::Signal("TERM" | "HUP") => vec![Staged, Proving],
        Fault::SystemctlHangs(0) | Fault::SudoHangs(0) | Fault::StopTransaction(20) => {
            vec![Staged, Flipped, Proving]
        }
        Fault::SystemctlFails(_) | Fault::SystemctlHangs(_) | Fault::SudoHangs(_) => {
            vec![Started, Staged, Flipped, Restarted, Proving, GoingBack]
        }
        Fault::HostClock(_) | Fault::ControllerClock(_) => vec![Numbered, Flipped, Proving],
        Fault::Second => vec![Spawned],
        _ => Point::TOLD.to_vec(),
    }
}

/// What can be wrong without a fault.
pub fn troubles() -> Vec<Trouble> {
    vec![
        Trouble::Release(Behaviour::Crashes(0)),
        Trouble::Release(Behaviour::Crashes(1)),
        Trouble::Release(Behaviour::Crashes(5)),
        Trouble::Release(Behaviour::Sick),
        Trouble::Release(Behaviour::Fifo),
        Trouble::Release(Behaviour::Endless),
        Trouble::StubbornBefore,
        Trouble::Refused,
        Trouble::BothRefused,
    ]
}

impl Scenario {
    /// The scenario of this number: the pairs of fault and point come round and round, everything
    /// else is drawn.
    pub fn draw(seed: u64) -> Self {
        let mut pairs: Vec<(Option<Fault>, Trouble, Point)> = Vec::new();
        for fault in faults() {
            for point in points(fault) {
                pairs.push((Some(fault), Trouble::None, point));
            }
        }
        // Each host's role has its turn.
        for trouble in troubles().into_iter().flat_map(|trouble| [trouble; 3]) {
            pairs.push((None, trouble, Point::Started));
        }
        let at = usize::try_from(seed % pairs.len() as u64).unwrap_or_default();
        Self::with(pairs[at], seed)
    }

    fn with((fault, trouble, point): (Option<Fault>, Trouble, Point), seed: u64) -> Self {
        let mut dice = Dice::of(seed);
        let hosts = match dice.below(5) {
            _ if point == Point::Precommitted || fault == Some(Fault::Second) => 3,
            0..=1 => 3,
            _ => 1,
        };
        let strategy = [Strategy::AllAtOnce, Strategy::OneByOne, Strategy::Canary];
        let manifest = Manifest {
            strategy: match hosts {
                1 => Strategy::AllAtOnce,
                _ => strategy[dice.below(3) as usize],
            },
            ..attentive(trouble, &mut dice)
        };
        let trouble = match (point, dice.below(2)) {
            (Point::GoingBack, 0) => Trouble::Release(Behaviour::Crashes(0)),
            (Point::GoingBack, _) => Trouble::Refused,
            _ => trouble,
        };
        let delay = match dice.below(2) {
            _ if fault == Some(Fault::Second) => dice.below(10),
            0 => 0,
            _ => dice.below(match point {
                Point::Started => 1500,
                Point::Proving => 1200,
                // It ends soon.
                Point::Proven => 150 + 1000 * u64::from(manifest.watch),
                Point::Precommitted => 10,
                _ => 400,
            }),
        };
        let host = dice.below(hosts as u64) as usize;
        let on_failure = match (hosts, dice.below(4)) {
            (1, _) | (_, 0..=1) => "revert-all",
            (_, 2) => "stop",
            _ => "continue",
        };
        Self {
            hosts,
            host,
            manifest: Manifest {
                on_failure,
                ..manifest
            },
            trouble,
            fault,
            point,
            delay: Duration::from_millis(delay),
        }
    }
}

/// A release that crashes late does so while somebody looks: during the settle time, or the watch.
fn attentive(trouble: Trouble, dice: &mut Dice) -> Manifest {
    let late = match trouble {
        Trouble::Release(Behaviour::Crashes(seconds)) => seconds + 1,
        _ => 1,
    };
    let (settle, watch) = match dice.below(4) {
        0 if late > 1 => (1, late + 2),
        0 => (1, 3),
        _ => (late, 0),
    };
    Manifest {
        settle,
        watch,
        ..Manifest::default()
    }
}
