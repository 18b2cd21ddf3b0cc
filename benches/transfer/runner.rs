//! Runs rows: in each run all contenders in turn, each beginning once in a while.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::app::{App, Apps, Change};
use crate::contender::{Action, Contender, Site};
use crate::lab::Lab;
use crate::options::Options;
use crate::rows::{Row, Scenario};
use crate::sample::{Sample, Series};
use crate::say::say;
use crate::support::{Running, eventually};
use crate::wire::Meter;

/// The name under which a project that could not be made is a failure.
pub const PROJECT: &str = "the project";

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
    fn of(row: Row) -> Self {
        Self {
            row,
            title: String::new(),
            series: BTreeMap::new(),
            failures: BTreeMap::new(),
        }
    }

    /// The runs of a contender.
    pub fn series(&self, name: &str) -> Option<&Series> {
        self.series.get(name)
    }

    /// Whether all contenders did all their runs.
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty()
    }

    /// Does a contender's work, unless it failed before; its failure is said and kept, and the
    /// others go on.
    fn attempt<T>(
        &mut self,
        who: &'static str,
        work: impl FnOnce() -> Result<T, String>,
    ) -> Option<T> {
        if self.failures.contains_key(who) || self.failures.contains_key(PROJECT) {
            return None;
        }
        match guarded(work) {
            Ok(value) => Some(value),
            Err(why) => {
                say(format!("{who} of {} FAILED: {why}", self.row.id));
                self.failures.insert(who, first_line(&why));
                None
            }
        }
    }
}

/// Runs one row after the other on the same hosts.
pub struct Runner<'a> {
    lab: &'a Lab,
    apps: Apps<'a>,
    options: &'a Options,
    /// On how many hosts a contender has releases of an app already.
    ready: BTreeMap<(&'static str, &'static str), usize>,
}

impl<'a> Runner<'a> {
    pub fn new(lab: &'a Lab, options: &'a Options) -> Self {
        Self {
            lab,
            apps: Apps::new(lab),
            options,
            ready: BTreeMap::new(),
        }
    }

    /// Measures a row.
    pub fn run(&mut self, mut row: Row) -> Outcome {
        say(format!("... {}", row.id));
        row.contenders
            .retain(|contender| self.options.wants_contender(contender.name()));
        let kind = row.kind;
        let contenders = std::mem::take(&mut row.contenders);
        let mut outcome = Outcome::of(row);
        if let Some(app) = outcome.attempt(PROJECT, || self.apps.get(kind)) {
            outcome.title.clone_from(&app.title);
            self.measure(&mut outcome, &contenders, &app);
        }
        outcome.row.contenders = contenders;
        outcome
    }

    fn measure(&mut self, outcome: &mut Outcome, contenders: &[Box<dyn Contender>], app: &App) {
        let site = Site {
            lab: self.lab,
            app,
            network: outcome.row.network,
            hosts: self.lab.hosts(outcome.row.hosts),
        };
        let scenario = outcome.row.scenario;
        for contender in contenders {
            self.make_ready(outcome, &**contender, &site);
        }
        if scenario != Scenario::Cold {
            warm_up(outcome, contenders, &site);
        }
        // Over a slow network, making ready would take minutes.
        let _shaped = self.lab.shape(site.network, site.hosts);
        for number in 0..self.options.runs {
            outcome.attempt(PROJECT, || scenario.change(&site));
            for index in 0..contenders.len() {
                let contender = &*contenders[(index + number) % contenders.len()];
                let name = contender.name();
                if let Some(sample) = outcome.attempt(name, || scenario.run(contender, &site)) {
                    if self.options.each {
                        say(format!("    {name} {:.3}", sample.seconds));
                    }
                    outcome.series.entry(name).or_default().push(sample);
                }
            }
        }
        for name in outcome.failures.keys() {
            self.ready.remove(&(name, app.name));
        }
    }

    /// Sets a contender up and lets it make a first release, where it has none yet.
    fn make_ready(&mut self, outcome: &mut Outcome, contender: &dyn Contender, site: &Site) {
        let name = contender.name();
        let ready = self.ready.entry((name, site.app.name)).or_default();
        let is_first = *ready < site.hosts.len();
        *ready = site.hosts.len().max(*ready);
        let cold = outcome.row.scenario == Scenario::Cold;
        outcome.attempt(name, || {
            if let Some(tool) = contender.missing() {
                return Err(format!("SKIPPED: {tool} is not installed here"));
            }
            if is_first && !cold {
                contender.set_up(site)?;
                once(contender, site, Action::First, &site.app.version())?;
            }
            Ok(())
        });
    }
}

/// Lets each make a release that is not measured: after it, all its caches are warm, and there is
/// one to go back to.
fn warm_up(outcome: &mut Outcome, contenders: &[Box<dyn Contender>], site: &Site) {
    outcome.attempt(PROJECT, || site.app.change(Change::Line, site.lab));
    for contender in contenders {
        outcome.attempt(contender.name(), || {
            once(&**contender, site, Action::Deploy, &site.app.version())
        });
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
///
/// # Errors
/// All that it said.
pub fn once(
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
pub fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
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
