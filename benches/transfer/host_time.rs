//! The second table: what the number of files of a project costs, when one of them changed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use crate::app::{App, Apps, Change, Kind, grouped};
use crate::contender::{Action, Contender, Site};
use crate::lab::{Lab, Network};
use crate::options::Options;
use crate::rsync::Script;
use crate::runner::{guarded, once};
use crate::sample::median;
use crate::say::say;
use crate::ship::{Build, Ship};
use crate::support::Running;

/// Asks for this table.
pub const ID: &str = "host-time";

/// Files of the projects.
const COUNTS: [usize; 3] = [1_000, 10_000, 50_000];

/// The host time with the most files may be so many times that with the fewest.
const MOST: f64 = 1.5;

const SHIP: Ship = Ship {
    stays_connected: false,
    build: Build::This,
};

const SCRIPT: Script = Script {
    compresses: false,
    stays_connected: false,
};

/// Of one project, seconds of each run.
#[derive(Default)]
struct Times {
    /// All of `ship deploy`.
    whole: Vec<f64>,
    /// What the host took to answer, the restart included: the sum of the round trips.
    host: Vec<f64>,
    /// The same, of each round trip by its name.
    trips: BTreeMap<String, Vec<f64>>,
    /// All of the script.
    script: Vec<f64>,
}

/// Measures and prints; whether everything ran.
pub fn measure(options: &Options) -> bool {
    say(format!("... {ID}"));
    match guarded(|| table(options)) {
        Ok(text) => {
            say(text);
            true
        }
        Err(why) => {
            say(format!("{ID} FAILED: {why}"));
            false
        }
    }
}

fn table(options: &Options) -> Result<String, String> {
    let lab = Lab::boot(1, options);
    let mut apps = Apps::new(&lab);
    let mut found = Vec::new();
    for count in COUNTS {
        let app = apps.get(Kind::Files(count))?;
        make_ready(&site(&lab, &app))?;
        found.push((app, Times::default()));
    }
    for _ in 0..options.runs {
        for (app, times) in &mut found {
            run(&site(&lab, app), times)?;
        }
    }
    Ok(print(
        &found
            .into_iter()
            .map(|(_, times)| times)
            .collect::<Vec<_>>(),
    ))
}

fn site<'a>(lab: &'a Lab, app: &'a App) -> Site<'a> {
    Site {
        lab,
        app,
        network: Network::Near,
        hosts: lab.hosts(1),
    }
}

fn make_ready(site: &Site) -> Result<(), String> {
    for action in [Action::First, Action::Deploy] {
        for contender in [&SHIP as &dyn Contender, &SCRIPT] {
            if action == Action::First {
                contender.set_up(site)?;
            }
            once(contender, site, action, &site.app.version())?;
        }
        site.app.change(Change::Line, site.lab)?;
    }
    Ok(())
}

/// One file changes; ship and the script deploy it.
fn run(site: &Site, times: &mut Times) -> Result<(), String> {
    site.app.change(Change::Line, site.lab)?;
    let script = once(&SCRIPT, site, Action::Deploy, &site.app.version())?;
    SHIP.prepare(site, Action::Deploy)?;
    site.lab.rest(site.hosts);
    let ship = Running::start(
        SHIP.command(site, Action::Deploy)
            .args(["--json", "--verbose"]),
    )
    .wait();
    if !ship.status.success() {
        return Err(ship.to_string());
    }
    times.script.push(script.seconds);
    times.whole.push(ship.duration.as_secs_f64());
    let trips = round_trips(&ship.stdout);
    times
        .host
        .push(trips.iter().map(|(_, seconds)| seconds).sum());
    for (what, seconds) in trips {
        times.trips.entry(what).or_default().push(seconds);
    }
    Ok(())
}

/// The round trips that the events tell of: a name, and seconds.
fn round_trips(events: &str) -> Vec<(String, f64)> {
    let events = events.lines().flat_map(serde_json::from_str::<Value>);
    let trips = events.filter(|event| event["event"] == "round-trip");
    let named = |trip: Value| {
        let (what, ms) = (trip["what"].as_str()?, trip["ms"].as_f64()?);
        Some((what.to_owned(), ms / 1000.0))
    };
    trips.filter_map(named).collect()
}

fn print(found: &[Times]) -> String {
    let mut text = format!(
        "\none file changed, seconds    {:>9} {:>9} {:>9}   round trips\n",
        "host time", "ship", "script"
    );
    for (count, times) in COUNTS.iter().zip(found) {
        let [host, whole, script] =
            [&times.host, &times.whole, &times.script].map(|times| median(times.iter().copied()));
        let files = format!("{} files", grouped(*count as u64));
        let _ = write!(text, "{files:<28} {host:>9.3} {whole:>9.3} {script:>9.3}  ");
        for (what, seconds) in &times.trips {
            let _ = write!(text, " {what} {:.3}", median(seconds.iter().copied()));
        }
        text.push('\n');
    }
    let of =
        |times: Option<&Times>| times.map_or(f64::NAN, |times| median(times.host.iter().copied()));
    let ratio = of(found.last()) / of(found.first());
    let verdict = if ratio <= MOST { "reached" } else { "MISSED" };
    let _ = write!(
        text,
        "host time, most files / fewest <= {MOST}: {verdict} ({ratio:.2})"
    );
    text
}
