//! `ship pin`.

use std::collections::BTreeMap;

use clap::Args;

use super::globals::Globals;
use super::session::Session;
use crate::model::Failure;
use crate::project::Project;
use crate::runtime::pin::{Change, Pinned, Report, Upgrade, Work, pin};
use crate::runtime::{self, Http, LOCK};

/// Writes the exact runtimes, with checksums, to ship.lock
///
/// Resolves what [runtimes] asks for, and keeps what still answers it. Everything else takes the
/// versions from ship.lock: commit it.
#[derive(Debug, Clone, Args)]
pub struct PinArgs {
    /// Moves on to the newest versions that answer: all, or these
    #[arg(long, value_name = "NAME", num_args = 0..)]
    pub upgrade: Option<Vec<String>>,

    /// Writes nothing and needs no network: fails when ship.lock does not answer ship.toml
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
            if !globals.json {
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
        let text = match globals.json {
            true => lines_of_json(&report),
            false => text(&report),
        };
        session.reporter.data(&text);
        Ok(())
    });
    session.finish(result)
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
    let http = Http::new();
    let caller = std::env::vars_os().collect();
    let work = Work {
        project,
        upgrade,
        caller: &caller,
        http: &http,
        sink: &session.sink,
    };
    let mut cancel = session.cancel.clone();
    session.block_on(async {
        tokio::select! {
            report = pin(&work) => report,
            _ = cancel.wait_for(|stop| *stop) => Err(Failure::new(
                crate::model::FailureKind::Interrupted,
                format!("interrupted; {LOCK} is as it was"),
            )),
        }
    })
}

fn answered(versions: &[String]) -> String {
    match versions {
        [] => "[runtimes] asks for nothing that ship brings\n".to_owned(),
        _ => format!("{LOCK} answers ship.toml: {}\n", versions.join(", ")),
    }
}

fn lines_of_json(report: &Report) -> String {
    let lines = report
        .runtimes
        .iter()
        .map(|pinned| serde_json::json!(pinned));
    lines.map(|line| format!("{line}\n")).collect()
}

/// A line for each runtime, the platforms without an archive, and what became of the file.
pub(super) fn text(report: &Report) -> String {
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
            Some(request) => format!("answers {request}"),
            None => "ship.toml asks for it no longer".to_owned(),
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
        false => "ship.lock answers ship.toml\n",
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
        match why {
            "" => line,
            why => format!("{line}: {why}"),
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
