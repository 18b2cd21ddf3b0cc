//! `ship pin`.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;

use super::globals::Globals;
use super::session::{Session, cache_folder};
use crate::model::Failure;
use crate::model::event::Event;
use crate::project::Project;
use crate::runtime::pin::{Change, Pinned, Report, Upgrade, Work, pin, pin_what_can_be};
use crate::runtime::{self, Http, LOCK, Registries};

/// Writes the exact runtimes, with checksums, to ship.lock
///
/// Resolves what [runtimes] asks for, and keeps what still matches. Build, test and deploy take the
/// versions from ship.lock: commit it.
#[derive(Debug, Clone, Args)]
pub struct PinArgs {
    /// Updates to the newest versions that match: all, or only these
    #[arg(long, value_name = "NAME", num_args = 0..)]
    pub upgrade: Option<Vec<String>>,

    /// Writes nothing and needs no network: fails when ship.lock does not match ship.toml
    #[arg(long, conflicts_with = "upgrade")]
    pub check: bool,
}

/// Runs it; the exit code.
pub fn run(globals: &Globals, args: &PinArgs) -> u8 {
    let session = match Session::start(globals) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let result = session.manifest().and_then(|project| {
        if args.check {
            let lock = runtime::check(&project)?;
            session.say_not_compared(&project, &lock);
            if globals.json {
                for (runtime, pin) in &lock.runtimes {
                    let version = &pin.version;
                    let object = serde_json::json!({ "runtime": runtime, "version": version });
                    session.reporter.json(&object);
                }
            } else {
                let versions = lock.runtimes.iter();
                let versions = versions.map(|(name, pin)| format!("{name} {}", pin.version));
                session
                    .reporter
                    .data(&answered(&versions.collect::<Vec<_>>()));
            }
            return Ok(());
        }
        let upgrade = match &args.upgrade {
            None => Upgrade::Nothing,
            Some(names) if names.is_empty() => Upgrade::Everything,
            Some(names) => Upgrade::Only(names.clone()),
        };
        let report = write(&session, &project, &upgrade)?;
        say(&session, globals, &report);
        Ok(())
    });
    session.done(result)
}

/// Pins the runtimes of `project`; Ctrl-C ends it, with nothing written.
///
/// # Errors
/// As [`pin`].
pub(super) fn write(
    session: &Session,
    project: &Project,
    upgrade: &Upgrade,
) -> Result<Report, Failure> {
    let caller = std::env::vars_os().collect();
    let cache = cache_folder();
    let http = Http::new().at(Registries::of(&caller, &project.folders()));
    let work = Work {
        project,
        upgrade,
        caller: &caller,
        cache: cache.as_deref(),
        http: &http,
        sink: &session.sink,
    };
    interruptible(session, pin(&work))
}

/// Pins those runtimes of `project` that can be pinned within `limit` each; the others are returned
/// with what stood in the way. Ctrl-C ends it, with nothing written.
///
/// # Errors
/// As [`pin_what_can_be`].
pub(super) fn write_what_can_be(
    session: &Session,
    project: &Project,
    limit: Duration,
) -> Result<(Report, BTreeMap<String, Failure>), Failure> {
    let caller = std::env::vars_os().collect();
    let cache = cache_folder();
    let http = Http::impatient().at(Registries::of(&caller, &project.folders()));
    let work = Work {
        project,
        upgrade: &Upgrade::Nothing,
        caller: &caller,
        cache: cache.as_deref(),
        http: &http,
        sink: &session.sink,
    };
    interruptible(session, pin_what_can_be(&work, limit))
}

/// Pins `project` for a deploy on this machine, where it has no lock yet, and says so.
///
/// # Errors
/// As [`pin`], and when version files disagree with the manifest.
pub(super) fn write_where_missing(session: &Session, project: &Project) -> Result<(), Failure> {
    if !runtime::is_unpinned(project)? {
        return Ok(());
    }
    let report = write(session, project, &Upgrade::Nothing)?;
    let pinned = report.runtimes.iter();
    let pinned: Vec<String> = pinned
        .map(|pinned| format!("{} {}", pinned.runtime, pinned.version))
        .collect();
    let text = format!("wrote {LOCK}: {}; commit it", pinned.join(", "));
    session.sink.emit(Event::Note { text });
    Ok(())
}

fn interruptible<T>(
    session: &Session,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut cancel = session.cancel.clone();
    session.block_on(async {
        tokio::select! {
            done = work => done,
            _ = cancel.wait_for(|stop| *stop) => Err(Failure::new(
                crate::model::FailureKind::Interrupted,
                format!("interrupted; {LOCK} is as it was"),
            )),
        }
    })
}

fn answered(versions: &[String]) -> String {
    match versions {
        [] => "[runtimes] asks for nothing that ship provides\n".to_owned(),
        _ => format!("{LOCK} matches ship.toml: {}\n", versions.join(", ")),
    }
}

/// Says what was pinned.
pub(super) fn say(session: &Session, globals: &Globals, report: &Report) {
    if globals.json {
        report
            .runtimes
            .iter()
            .for_each(|pinned| session.reporter.json(pinned));
    } else {
        session.reporter.data(&text(report));
    }
}

/// A line for each runtime, the platforms without an archive, and what became of the file.
fn text(report: &Report) -> String {
    let runtimes = &report.runtimes;
    if runtimes.is_empty() {
        return answered(&[]);
    }
    let versions: Vec<String> = runtimes.iter().map(version).collect();
    let width = |texts: &mut dyn Iterator<Item = &str>| {
        texts.map(|text| text.chars().count()).max().unwrap_or(0)
    };
    let names = width(&mut runtimes.iter().map(|pinned| pinned.runtime.as_str()));
    let wide = width(&mut versions.iter().map(String::as_str));
    let mut text = String::new();
    for (pinned, version) in runtimes.iter().zip(&versions) {
        let (word, name) = (word(pinned.change), &pinned.runtime);
        let asked = match &pinned.request {
            Some(request) => format!("matches {request}"),
            None => "ship.toml no longer asks for it".to_owned(),
        };
        text.push_str(&format!(
            "{word}  {name:<names$}  {version:<wide$}  {asked}\n"
        ));
        for line in missing(pinned) {
            text.push_str(&format!("         {:names$}  {line}\n", ""));
        }
    }
    text.push_str(match report.is_written {
        true => "wrote ship.lock; commit it\n",
        false => "ship.lock matches ship.toml\n",
    });
    text
}

/// The platforms without an archive, a line for each reason.
fn missing(pinned: &Pinned) -> Vec<String> {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (platform, why) in &pinned.missing {
        reasons.entry(why).or_default().push(platform.as_str());
    }
    let lines = reasons.into_iter().map(|(why, platforms)| {
        let line = format!("no build for {}", platforms.join(", "));
        match why.is_empty() {
            true => line,
            false => format!("{line}: {why}"),
        }
    });
    lines.collect()
}

fn version(pinned: &Pinned) -> String {
    match &pinned.from {
        Some(from) => format!("{from} → {}", pinned.version),
        None => pinned.version.clone(),
    }
}

fn word(change: Change) -> &'static str {
    match change {
        Change::Pinned => "pinned ",
        Change::Moved => "moved  ",
        Change::Kept => "kept   ",
        Change::Dropped => "dropped",
    }
}
