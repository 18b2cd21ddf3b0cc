//! One deploy with one fault, from a good release to the next good one.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::app::{Behaviour, REFUSED};
use super::fault::{Fault, Injected};
use super::ground::{Ground, LEASE, Manifest};
use super::judge::{self, Case};
use super::load::{Load, ask};
use super::look::Look;
use super::point::Point;
use super::story::{Story, Told};

/// After the lease and the promised 2 s, how much longer a host may take to be at rest: its
/// service's stop and start, on a machine that others use too.
const GRACE: Duration = Duration::from_secs(10);

/// How long hosts are at rest whose controller was killed: what it had sent begins within this.
const CALM: Duration = Duration::from_secs(1);

/// What is wrong before the deploy begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    None,
    /// The new release behaves so.
    Release(Behaviour),
    /// The old release ignores SIGTERM.
    StubbornBefore,
    /// The new release does not run on the host that faults come to.
    Refused,
    /// Nor does the old one, once it has to start again.
    BothRefused,
}

impl Trouble {
    pub fn name(self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Release(Behaviour::Good) => "a good release".to_owned(),
            Self::Release(Behaviour::Crashes(s)) => format!("release crashes after {s} s"),
            Self::Release(Behaviour::Sick) => "release is sick".to_owned(),
            Self::Release(Behaviour::Stubborn) => "release ignores SIGTERM".to_owned(),
            Self::Release(Behaviour::Fifo) => "release leaves a FIFO".to_owned(),
            Self::Release(Behaviour::Endless) => "release leaves an endless file".to_owned(),
            Self::StubbornBefore => "old release ignores SIGTERM".to_owned(),
            Self::Refused => "one host refuses".to_owned(),
            Self::BothRefused => "old release broken too".to_owned(),
        }
    }

    /// Whether the new release can be proven.
    pub fn spares_the_release(self) -> bool {
        match self {
            Self::None | Self::StubbornBefore => true,
            Self::Release(behaviour) => matches!(behaviour, Behaviour::Good | Behaviour::Stubborn),
            Self::Refused | Self::BothRefused => false,
        }
    }
}

/// What happens.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// So many hosts.
    pub hosts: usize,
    /// Which of them it happens to.
    pub host: usize,
    pub manifest: Manifest,
    pub trouble: Trouble,
    pub fault: Option<Fault>,
    pub point: Point,
    /// So long after the point.
    pub delay: Duration,
}

impl Scenario {
    /// A fault at a point, on one host, everything else as it should be.
    pub fn of(fault: Fault, point: Point) -> Self {
        Self {
            hosts: 1,
            host: 0,
            manifest: Manifest::default(),
            trouble: Trouble::None,
            fault: Some(fault),
            point,
            delay: Duration::ZERO,
        }
    }

    /// A deploy in trouble, without a fault.
    pub fn in_trouble(trouble: Trouble) -> Self {
        Self {
            trouble,
            fault: None,
            ..Self::of(Fault::KillController, Point::Started)
        }
    }

    /// Whether it can be done here.
    pub fn is_possible(&self) -> bool {
        self.fault.is_none_or(Fault::is_possible)
    }

    /// What it does, in a line.
    pub fn sentence(&self) -> String {
        let Self {
            hosts,
            host,
            manifest,
            delay,
            ..
        } = self;
        format!(
            "{} at {}, {} ms later, host {} of {hosts}, {}, {}, watch {} s, trouble: {}",
            self.what(),
            self.point,
            delay.as_millis(),
            host + 1,
            manifest.strategy.name(),
            manifest.on_failure,
            manifest.watch,
            self.trouble.name(),
        )
    }

    /// The row of the table.
    pub fn what(&self) -> String {
        match self.fault {
            Some(fault) => fault.name(),
            None => self.trouble.name(),
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The exit code and what serves, in a few words.
    pub outcome: String,
    /// Whether the fault came; false when the deploy ended before its point.
    pub came: bool,
    pub exit: Option<i32>,
    /// Whether all hosts are on the new release.
    pub new: bool,
    /// What no promise allows.
    pub violations: Vec<String>,
    /// What is true and could be better.
    pub remarks: Vec<String>,
    /// The longest time that a visitor of any host was without an answer, the time without power or
    /// network included.
    pub longest: Duration,
    /// From the fault to the first answer of the old release by a new process, where it came back.
    pub back: Option<Duration>,
    /// From the end of the fault and of the deploy until all hosts were at rest.
    pub rest: Duration,
    /// What was said and seen, for a person.
    pub evidence: String,
}

impl Report {
    /// Panics with all that is known unless every promise was kept.
    #[track_caller]
    pub fn kept(&self) -> &Self {
        assert!(
            self.violations.is_empty(),
            "{}\n{}\n{}",
            self.outcome,
            self.violations.join("\n"),
            self.evidence
        );
        self
    }

    /// Panics with all that is known unless the deploy ended so.
    #[track_caller]
    pub fn exited(&self, code: i32) -> &Self {
        assert!(
            self.exit == Some(code),
            "expected exit {code}: {}\n{}",
            self.outcome,
            self.evidence
        );
        self
    }
}

impl Scenario {
    /// Runs it on hosts that are at rest, and leaves them so.
    pub fn run(&self, ground: &mut Ground) -> Report {
        let old = self.old_release(ground);
        let new = ground.next(self.new_behaviour());
        ground.manifest(&self.manifest);
        self.prepare(ground, &old, &new);
        let before: Vec<Look> = ground.hosts().iter().map(Look::at).collect();
        let loads: Vec<Load> = ground.hosts().iter().map(Load::on).collect();
        let begun = Instant::now();

        let deploy = ground
            .person
            .spawn(&["deploy", "production", "--json", "--verbose"]);
        let story = Story::of(deploy);
        let mut injected = self.strike(ground, &story);
        let second = injected.as_mut().and_then(|fault| fault.second.take());
        let told = story.end();
        let second = second.map(|(running, version)| (Story::of(running).end(), version));
        let ended = Instant::now();
        // A look takes a while; what the exit code says is true now.
        let at_exit: Vec<_> = ground.hosts().iter().map(|h| answers(h.addr())).collect();

        // What a killed controller had sent may still arrive.
        let calm = match told.exit() {
            Some(_) => Duration::ZERO,
            None => CALM,
        };
        let (after, rest) = settle(ground, calm, ended + self.allowance());
        if let Some(fault) = &injected {
            fault.heal(ground);
        }
        let mut verdict = judge::judge(&Case {
            scenario: self,
            came: injected.is_some(),
            told: &told,
            second: second.as_ref().map(|(told, version)| (told, &**version)),
            old: &old,
            new: &new,
            before: &before,
            at_exit: &at_exit,
            after: &after,
        });
        let served: Vec<_> = loads.iter().map(|load| load.since(begun)).collect();
        for (host, service) in ground.hosts().iter().zip(&served) {
            let strange = |v: &&String| **v != old && **v != new && !is_of(&second, v);
            for version in service.versions.iter().filter(strange) {
                verdict
                    .violations
                    .push(format!("{version} answered on {}", host.name()));
            }
        }
        let back = injected.as_ref().and_then(|fault| {
            let came_back = |load: &Load| {
                let gone = load.first(&new, begun)?;
                Some(load.first(&old, gone)?.saturating_duration_since(fault.at))
            };
            loads.get(self.host).and_then(came_back)
        });
        drop(loads);
        self.mend(ground);
        if let Err(why) = next_deploy(ground) {
            verdict.violations.push(format!("the next deploy: {why}"));
        }
        Report {
            outcome: outcome(&told, &after, &new),
            came: injected.is_some() || self.fault.is_none(),
            exit: told.exit(),
            new: after.iter().all(|look| look.version() == Some(&*new)),
            evidence: evidence(&told, &after),
            violations: verdict.violations,
            remarks: verdict.remarks,
            longest: served.iter().map(|s| s.longest).max().unwrap_or_default(),
            back,
            rest,
        }
    }

    fn new_behaviour(&self) -> Behaviour {
        match self.trouble {
            Trouble::Release(behaviour) => behaviour,
            _ => Behaviour::Good,
        }
    }

    /// The version that serves; a release that is as the trouble says, where that is about it.
    #[track_caller]
    fn old_release(&self, ground: &mut Ground) -> String {
        if self.trouble == Trouble::StubbornBefore {
            ground.next(Behaviour::Stubborn);
            ground.manifest(&Manifest::default());
            ground.deploy().ok();
        }
        // The deploy before may still be tidying up.
        let until = Instant::now() + GRACE;
        let (looks, _) = settle(ground, Duration::ZERO, until);
        let version = looks[0].version().expect("a good release").to_owned();
        for look in &looks {
            let unrest = look.unrest();
            assert!(
                unrest.is_empty() && look.version() == Some(&*version),
                "the hosts are not at rest: {unrest:?}\n{look}"
            );
        }
        version
    }

    fn prepare(&self, ground: &Ground, old: &str, new: &str) {
        let refused = match self.trouble {
            Trouble::Refused => new.to_owned(),
            Trouble::BothRefused => format!("{old} {new}"),
            _ => return,
        };
        ground.fleet[self.host].write(REFUSED, refused);
    }

    fn mend(&self, ground: &Ground) {
        ground.fleet[self.host].sh(&format!("rm -f {REFUSED}"));
    }

    fn strike(&self, ground: &mut Ground, story: &Story) -> Option<Injected> {
        let fault = self.fault?;
        let destination = ground.destination(self.host);
        if !story.reaches(self.point, &destination) {
            return None;
        }
        std::thread::sleep(self.delay);
        if story.deploy.has_ended() {
            return None;
        }
        fault.inject(ground, self.host, &story.deploy)
    }

    /// From the end of the deploy and of the fault, until hosts must be at rest.
    fn allowance(&self) -> Duration {
        Duration::from_secs(LEASE + 2) + GRACE
    }
}

/// The version that answers; asked twice, as a browser would.
fn answers(addr: std::net::Ipv4Addr) -> Result<String, String> {
    ask(addr).or_else(|_| {
        std::thread::sleep(Duration::from_millis(100));
        ask(addr)
    })
}

/// Waits until all hosts have been at rest for so long, or until then; how they look, and how long
/// it took until they were.
fn settle(ground: &Ground, calm: Duration, until: Instant) -> (Vec<Look>, Duration) {
    let begun = Instant::now();
    let look = || -> Vec<Look> { ground.hosts().iter().map(Look::at).collect() };
    let mut at_rest_since: Option<Instant> = None;
    loop {
        let looks = look();
        let now = Instant::now();
        if !looks.iter().all(|look| look.unrest().is_empty()) {
            at_rest_since = None;
        } else if let since = *at_rest_since.get_or_insert(now)
            && now - since >= calm
        {
            // What a look sees is not of one moment: this one is all of the rest.
            return (look(), since - begun);
        }
        if now > until {
            return (looks, begun.elapsed());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Deploys another version, which must serve everywhere.
fn next_deploy(ground: &mut Ground) -> Result<(), String> {
    let version = ground.next(Behaviour::Good);
    ground.manifest(&Manifest::default());
    let run = ground.deploy();
    if run.status.code() != Some(0) {
        return Err(run.to_string());
    }
    // The transaction tidies up after its last word.
    let (looks, _) = settle(
        ground,
        Duration::ZERO,
        Instant::now() + Duration::from_secs(5),
    );
    for (host, look) in ground.hosts().iter().zip(looks) {
        let wrong = [look.unrest(), look.leftovers()].concat();
        if !wrong.is_empty() || look.version() != Some(&version) {
            return Err(format!("{wrong:?} on {}\n{look}", host.name()));
        }
        if !look.staging.is_empty() {
            return Err(format!("{} keeps {:?}", host.name(), look.staging));
        }
    }
    Ok(())
}

fn is_of(second: &Option<(Told, String)>, version: &str) -> bool {
    second.as_ref().is_some_and(|(_, theirs)| theirs == version)
}

fn outcome(told: &Told, after: &[Look], new: &str) -> String {
    let exit = told
        .exit()
        .map_or_else(|| "killed".to_owned(), |code| format!("exit {code}"));
    let on_new = after.iter().filter(|l| l.version() == Some(new)).count();
    let serving = after
        .iter()
        .filter(|look| look.not_serving().is_empty())
        .count();
    let what = match (on_new, serving) {
        (_, serving) if serving < after.len() => format!("{serving} of {} serve", after.len()),
        (0, _) => "old".to_owned(),
        (all, _) if all == after.len() => "new".to_owned(),
        (some, _) => format!("{some} of {} new", after.len()),
    };
    format!("{exit}, {what}")
}

fn evidence(told: &Told, after: &[Look]) -> String {
    let mut text = String::new();
    let lines: Vec<&str> = told.run.stdout.lines().collect();
    for line in &lines[lines.len().saturating_sub(25)..] {
        let _ = writeln!(text, "  {line}");
    }
    for line in told.run.stderr.lines() {
        let _ = writeln!(text, "  stderr: {line}");
    }
    for (host, look) in after.iter().enumerate() {
        let _ = writeln!(text, "  host {}: {look}", host + 1);
    }
    text
}
