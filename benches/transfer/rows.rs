//! What is measured: which project, which scenario, over which network, by whom.

use crate::app::Kind;
use crate::capistrano::Capistrano;
use crate::cat::Cat;
use crate::contender::Contender;
use crate::lab::Network;
use crate::restart::Restart;
use crate::rsync::Script;
use crate::ship::{Build, Ship};
use crate::target::Target;
use crate::{host_time, memory};

/// The row whose `ship` may use the connection of the deploy just before.
const RIGHT_AFTER: &str = "rollback-right-after";

/// What happens in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// The first deploy to hosts that are ready.
    Cold,
    /// What is live is deployed again.
    Unchanged,
    /// The same, and a release is made of it.
    Forced,
    /// One file changed; in an executable, one line, which shifts every address.
    OneFile,
    /// A few bytes changed in their place.
    FewBytes,
    /// Back to the release before.
    Rollback,
}

/// A row of the table, or several: one per contender.
pub struct Row {
    pub id: &'static str,
    pub kind: Kind,
    pub scenario: Scenario,
    pub network: Network,
    pub hosts: usize,
    pub contenders: Vec<Box<dyn Contender>>,
    pub targets: Vec<Target>,
}

impl Row {
    fn new(id: &'static str, kind: Kind, scenario: Scenario) -> Self {
        Self {
            id,
            kind,
            scenario,
            network: Network::Near,
            hosts: 1,
            contenders: vec![ship(), script()],
            targets: Vec::new(),
        }
    }

    fn over(self, network: Network) -> Self {
        Self { network, ..self }
    }

    fn on(self, hosts: usize) -> Self {
        Self { hosts, ..self }
    }

    fn and(mut self, contenders: impl IntoIterator<Item = Box<dyn Contender>>) -> Self {
        self.contenders.extend(contenders);
        self
    }

    fn instead(self, contenders: Vec<Box<dyn Contender>>) -> Self {
        Self { contenders, ..self }
    }

    /// Also measures an older build of `ship`, as connected as this one.
    fn beside_before(self) -> Self {
        let before = Ship {
            stays_connected: self.id == RIGHT_AFTER,
            build: Build::Before,
        };
        self.and([Box::new(before) as Box<dyn Contender>])
            .target(Target::Seconds("before", THAN_BEFORE))
    }

    fn ratio(self, most: f64) -> Self {
        self.target(Target::Seconds("script", most))
    }

    fn target(mut self, target: Target) -> Self {
        self.targets.push(target);
        self
    }
}

/// The names of all rows, and of what has a table of its own.
pub fn ids(rows: &[Row]) -> impl Iterator<Item = &'static str> {
    rows.iter()
        .map(|row| row.id)
        .chain([host_time::ID, memory::ID])
}

/// How much longer than an older build this one may take: a twentieth.
const THAN_BEFORE: f64 = 1.05;

/// All rows, in the order of the table; `with_before` adds an older build of `ship` to each.
pub fn all(with_before: bool) -> Vec<Row> {
    let mut rows = cold();
    rows.extend(unchanged());
    rows.extend(one_file());
    rows.extend(executable());
    rows.extend(rollback());
    rows.extend(far_and_slow());
    if with_before {
        rows = rows.into_iter().map(Row::beside_before).collect();
    }
    rows
}

fn cold() -> Vec<Row> {
    let row = |id, kind| Row::new(id, kind, Scenario::Cold).and([zipped(), capistrano(), cat()]);
    vec![
        row("cold-small", Kind::Small),
        row("cold-modules", Kind::Modules)
            .ratio(0.9)
            .target(Target::SentBy("script -z")),
        row("cold-binary", Kind::Binary),
    ]
}

fn unchanged() -> Vec<Row> {
    let row = |id, kind| Row::new(id, kind, Scenario::Unchanged).and([capistrano()]);
    vec![
        row("unchanged-small", Kind::Small),
        row("unchanged-modules", Kind::Modules).ratio(0.3),
        Row::new("forced-modules", Kind::Modules, Scenario::Forced)
            .and([restart()])
            .ratio(0.45),
    ]
}

fn one_file() -> Vec<Row> {
    let row = |id, kind| Row::new(id, kind, Scenario::OneFile);
    vec![
        row("one-file-small", Kind::Small)
            .and([capistrano(), cat(), restart()])
            .ratio(0.85),
        row("one-file-modules", Kind::Modules)
            .and([capistrano(), cat(), restart()])
            .ratio(0.45)
            .target(Target::Seconds("capistrano", 0.06)),
        row("one-file-small-3-hosts", Kind::Small)
            .and([cat()])
            .on(3),
        row("one-file-modules-3-hosts", Kind::Modules)
            .and([cat(), restart()])
            .on(3)
            .ratio(0.45),
    ]
}

fn executable() -> Vec<Row> {
    vec![
        Row::new("one-line-binary", Kind::Binary, Scenario::OneFile)
            .and([zipped(), capistrano(), cat()])
            .ratio(0.75),
        Row::new("one-line-binary-slow", Kind::Binary, Scenario::OneFile)
            .over(Network::Slow)
            .instead(vec![ship(), zipped()])
            .target(Target::Seconds("script -z", 0.45))
            .target(Target::Sent(5_200_000)),
        Row::new("few-bytes-binary", Kind::Binary, Scenario::FewBytes)
            .and([zipped()])
            .target(Target::Sent(40_000)),
    ]
}

fn rollback() -> Vec<Row> {
    let row = |id, kind| Row::new(id, kind, Scenario::Rollback);
    vec![
        row("rollback-small", Kind::Small)
            .and([capistrano()])
            .ratio(0.95),
        row("rollback-modules", Kind::Modules)
            .and([capistrano()])
            .ratio(0.95),
        row(RIGHT_AFTER, Kind::Small)
            .instead(vec![ship_connected(), script(), script_connected()])
            .ratio(0.6),
        row("rollback-modules-3-hosts", Kind::Modules).on(3),
    ]
}

fn far_and_slow() -> Vec<Row> {
    let row = |id, kind, network| Row::new(id, kind, Scenario::OneFile).over(network);
    vec![
        row("one-file-small-far", Kind::Small, Network::Far)
            .and([capistrano(), cat(), restart()])
            .ratio(0.75),
        row("one-file-modules-far", Kind::Modules, Network::Far)
            .and([restart()])
            .ratio(0.45),
        Row::new("unchanged-modules-far", Kind::Modules, Scenario::Unchanged).over(Network::Far),
        Row::new("rollback-small-far", Kind::Small, Scenario::Rollback).over(Network::Far),
        row("one-file-small-slow", Kind::Small, Network::Slow),
        row("one-file-modules-slow", Kind::Modules, Network::Slow),
        Row::new("cold-modules-slow", Kind::Modules, Scenario::Cold)
            .over(Network::Slow)
            .instead(vec![ship(), zipped()]),
    ]
}

fn ship() -> Box<dyn Contender> {
    Box::new(Ship {
        stays_connected: false,
        build: Build::This,
    })
}

fn ship_connected() -> Box<dyn Contender> {
    Box::new(Ship {
        stays_connected: true,
        build: Build::This,
    })
}

fn script() -> Box<dyn Contender> {
    Box::new(Script {
        compresses: false,
        stays_connected: false,
    })
}

fn script_connected() -> Box<dyn Contender> {
    Box::new(Script {
        compresses: false,
        stays_connected: true,
    })
}

fn zipped() -> Box<dyn Contender> {
    Box::new(Script {
        compresses: true,
        stays_connected: false,
    })
}

fn capistrano() -> Box<dyn Contender> {
    Box::new(Capistrano)
}

fn cat() -> Box<dyn Contender> {
    Box::new(Cat)
}

fn restart() -> Box<dyn Contender> {
    Box::new(Restart)
}
