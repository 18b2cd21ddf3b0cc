//! Runs a row: in each run all contenders in turn, each beginning once in a while.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use crate::app::{App, Apps, Change};
use crate::contender::{Action, Contender, Site};
use crate::lab::Lab;
use crate::rows::{Row, Scenario};
use crate::sample::{Sample, Series};
use crate::say::say;
use crate::support::{Running, eventually};
use crate::wire::Meter;

/// What came out of a row.
pub struct Outcome {
    pub row: Row,
    /// The project, for a person.
    pub title: String,
    series: BTreeMap<&'static str, Series>,
    /// Why a contender has no numbers, or too few.
    pub failures: BTreeMap<&'static str, String>,
}

impl Outcome {
    /// The runs of a contender.
    pub fn series(&self, name: &str) -> Option<&Series> {
        self.series.get(name)
    }

    /// Whether all contenders did all their runs.
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty()
    }

    fn fail(&mut self, who: &'static str, why: &str) {
        say(format!("{} of {} FAILED: {why}", who, self.row.id));
        self.failures.insert(who, first_line(why));
    }
}

/// Measures a row. A contender that fails is left out from then on; the others go on.
pub fn run(row: Row, lab: &Lab, apps: &mut Apps, runs: usize) -> Outcome {
    say(format!("... {}", row.id));
    let mut outcome = Outcome {
        row,
        title: String::new(),
        series: BTreeMap::new(),
        failures: BTreeMap::new(),
    };
    match guarded(|| apps.get(outcome.row.kind)) {
        Ok(app) => measure(&mut outcome, lab, &app, runs),
        Err(why) => outcome.fail("the project", &why),
    }
    outcome
}

fn measure(outcome: &mut Outcome, lab: &Lab, app: &Rc<App>, runs: usize) {
    outcome.title.clone_from(&app.title);
    let contenders = std::mem::take(&mut outcome.row.contenders);
    let site = Site {
        lab,
        app,
        network: outcome.row.network,
        hosts: lab.hosts(outcome.row.hosts),
    };
    let scenario = outcome.row.scenario;
    let _shaped = {
        // Over a slow network, making ready would take minutes.
        make_ready(outcome, &contenders, &site, scenario);
        lab.shape(site.network, site.hosts)
    };
    for number in 0..runs {
        if let Err(why) = guarded(|| scenario.change(&site)) {
            outcome.fail("the project", &why);
            break;
        }
        for index in 0..contenders.len() {
            let contender = &*contenders[(index + number) % contenders.len()];
            let name = contender.name();
            if outcome.failures.contains_key(name) {
                continue;
            }
            match guarded(|| scenario.run(contender, &site)) {
                Ok(sample) => outcome.series.entry(name).or_default().push(sample),
                Err(why) => outcome.fail(name, &why),
            }
        }
    }
    outcome.row.contenders = contenders;
}

/// Sets all contenders up, and unless the first deploy is what is measured, lets each make two
/// releases: after the second, all its caches are warm.
fn make_ready(
    outcome: &mut Outcome,
    contenders: &[Box<dyn Contender>],
    site: &Site,
    scenario: Scenario,
) {
    for contender in contenders {
        let ready = guarded(|| match contender.missing() {
            Some(tool) => Err(format!("SKIPPED: {tool} is not installed here")),
            None => contender.set_up(site),
        });
        if let Err(why) = ready {
            outcome.fail(contender.name(), &why);
        }
    }
    let warm_ups: &[Action] = match scenario {
        Scenario::Cold => &[],
        _ => &[Action::First, Action::Deploy],
    };
    for action in warm_ups {
        if let Err(why) = guarded(|| site.app.change(Change::Line, site.lab)) {
            outcome.fail("the project", &why);
        }
        for contender in contenders {
            if !outcome.failures.contains_key(contender.name()) {
                let done = guarded(|| once(&**contender, site, *action, &site.app.version()));
                if let Err(why) = done {
                    outcome.fail(contender.name(), &why);
                }
            }
        }
    }
}

impl Scenario {
    /// What is different in this run, for all contenders.
    fn change(self, site: &Site) -> Result<(), String> {
        match self {
            Self::Unchanged | Self::Forced | Self::Cold => Ok(()),
            Self::OneFile | Self::Rollback => site.app.change(Change::Line, site.lab),
            Self::FewBytes => site.app.change(Change::Bytes, site.lab),
        }
    }

    /// One timed run, with what has to be before it.
    fn run(self, contender: &dyn Contender, site: &Site) -> Result<Sample, String> {
        let new = site.app.version();
        match self {
            Self::Cold => {
                contender.set_up(site)?;
                once(contender, site, Action::First, &new)
            }
            Self::Unchanged | Self::OneFile | Self::FewBytes => {
                once(contender, site, Action::Deploy, &new)
            }
            Self::Forced => once(contender, site, Action::Force, &new),
            Self::Rollback => {
                let before = live(contender, site)?;
                once(contender, site, Action::Deploy, &new)?;
                once(contender, site, Action::Rollback, &before)
            }
        }
    }
}

/// Runs the command of a contender; checks that afterwards this version serves on all hosts.
fn once(
    contender: &dyn Contender,
    site: &Site,
    action: Action,
    version: &str,
) -> Result<Sample, String> {
    contender.prepare(site, action)?;
    site.lab.rest(site.hosts);
    let meter = Meter::start(site.hosts);
    let run = Running::start(&mut contender.command(site, action)).wait();
    let counters = meter.stop();
    contender.hang_up(site);
    if !run.status.success() {
        return Err(run.to_string());
    }
    if contender.port(site.app).is_some() {
        let now = live(contender, site)?;
        if now != version {
            return Err(format!("{now} serves, and not {version}, after\n{run}"));
        }
    }
    Ok(Sample {
        seconds: run.duration.as_secs_f64(),
        sent: counters.sent,
        received: counters.received,
        connections: counters.connections,
    })
}

/// The version that serves, the same on all hosts.
fn live(contender: &dyn Contender, site: &Site) -> Result<String, String> {
    let Some(port) = contender.port(site.app) else {
        return Ok(String::new());
    };
    let mut versions = Vec::new();
    for host in site.hosts {
        let mut answer = None;
        eventually("an answer of the app", || {
            answer = host.http_get(port, "/").ok();
            answer.is_some()
        });
        versions.extend(answer.map(|answer| answer.body.trim().to_owned()));
    }
    versions.dedup();
    match &*versions {
        [version] => Ok(version.clone()),
        _ => Err(format!("different versions serve: {versions:?}")),
    }
}

/// A panic of the hosts' support is a failure like any other.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(message(&*panic)))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic")
        .to_owned()
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
