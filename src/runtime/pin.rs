//! `ship pin`: the lock that answers the manifest. Nothing else resolves.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::future::{join_all, try_join_all};
use serde::Serialize;

use super::cache::Cache;
use super::disagreement;
use super::http::Http;
use super::lock::{Lock, Pin};
use super::locked::{answers, asked, mirror};
use super::resolve::{Question, Resolved, resolve};
use super::source::{Source, source};
use super::tool::Installer;
use crate::model::event::{Event, Sink};
use crate::model::runtime::Platform;
use crate::model::{Failure, FailureKind};
use crate::project::declared::package_manager_hash;
use crate::project::{Project, RuntimeRequest};

/// What moves on to the newest version that answers; the rest stays while it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upgrade {
    /// Nothing.
    Nothing,
    /// All runtimes.
    Everything,
    /// These.
    Only(Vec<String>),
}

/// What became of the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Each runtime, by name.
    pub runtimes: Vec<Pinned>,
    /// Whether the file is another than before.
    pub is_written: bool,
}

/// What became of one runtime in the lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pinned {
    /// `node`.
    pub runtime: String,
    /// What the manifest asks for; `None` when it asks no longer.
    pub request: Option<String>,
    /// The version that is pinned, or was.
    pub version: String,
    /// What was done.
    pub change: Change,
    /// The version that was pinned before, when it is another.
    pub from: Option<String>,
    /// Platforms without an archive, each with why not; empty text where only the lock was asked.
    pub missing: BTreeMap<Platform, String>,
}

/// What was done about a runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It was not pinned.
    Pinned,
    /// It is another version now.
    Moved,
    /// It still answers.
    Kept,
    /// Nobody asks for it.
    Dropped,
}

/// What to pin with.
#[derive(Debug)]
pub struct Work<'a> {
    /// The project.
    pub project: &'a Project,
    /// What moves on.
    pub upgrade: &'a Upgrade,
    /// The caller's environment, for mirrors.
    pub caller: &'a BTreeMap<OsString, OsString>,
    /// The user's cache folder of ship.
    pub cache: Option<&'a Path>,
    /// Reads lists.
    pub http: &'a Http,
    /// Where the waiting is told.
    pub sink: &'a Sink,
}

/// Resolves what the lock does not answer, or is to move on, and writes the lock; what it did, by
/// name. The same manifest and the same publishers give the same bytes.
///
/// # Errors
/// `Usage` for an upgrade of what is not in `[runtimes]`; `Project` when nothing answers a request,
/// when a version file disagrees with the answer, or when the lock is damaged; `Refused` and
/// `Unreachable` when publishers cannot be read. Nothing is written then.
pub async fn pin(work: &Work<'_>) -> Result<Report, Failure> {
    let Work {
        project, upgrade, ..
    } = work;
    known(project, upgrade)?;
    let found = Lock::read(&project.dir)?;
    let there = found.is_some();
    let old = found.unwrap_or_default();
    let (mut lock, mut report) = (Lock::default(), Vec::new());
    let mut open = Vec::new();
    for (name, request) in asked(project) {
        match kept(&old, name, request, upgrade) {
            Some(pin) => {
                report.push(said(name, &pin, old.runtimes.get(name), gaps(&pin)));
                lock.runtimes.insert(name.clone(), pin);
            }
            None => open.push((name, request)),
        }
    }
    let answers = open.iter().map(|(name, request)| ask(work, name, request));
    for ((name, _), resolved) in open.iter().zip(try_join_all(answers).await?) {
        let missing = resolved.missing.into_iter().collect();
        let pin = resolved.pin;
        report.push(said(name, &pin, old.runtimes.get(*name), missing));
        lock.runtimes.insert((*name).clone(), pin);
    }
    for (name, pin) in &old.runtimes {
        if !lock.runtimes.contains_key(name) {
            report.push(Pinned {
                runtime: name.clone(),
                request: None,
                version: pin.version.clone(),
                change: Change::Dropped,
                from: None,
                missing: BTreeMap::new(),
            });
        }
    }
    report.sort_by(|a, b| a.runtime.cmp(&b.runtime));
    disagreement::check(project, &disagreement::versions(project, &lock))?;
    let is_written = lock != old || !there && !lock.runtimes.is_empty();
    if is_written {
        lock.write(&project.dir)?;
    }
    Ok(Report {
        runtimes: report,
        is_written,
    })
}

/// Like [`pin`] for a project without a lock, but goes on without the runtimes that cannot be
/// pinned within `limit` each. The lock has the others; what stood in the way is returned by name.
///
/// # Errors
/// `Project` when a version file disagrees with an answer, or the lock cannot be written.
pub async fn pin_what_can_be(
    work: &Work<'_>,
    limit: Duration,
) -> Result<(Report, BTreeMap<String, Failure>), Failure> {
    let (mut lock, mut report) = (Lock::default(), Vec::new());
    let mut failures = BTreeMap::new();
    let answers = asked(work.project).map(async |(name, request)| {
        let answer = tokio::time::timeout(limit, ask(work, name, request)).await;
        let late = || {
            let message = format!("no answer within {} s", limit.as_secs());
            Failure::new(FailureKind::Unreachable, message)
        };
        (name, answer.unwrap_or_else(|_| Err(late())))
    });
    for (name, resolved) in join_all(answers).await {
        match resolved {
            Ok(resolved) => {
                let missing = resolved.missing.into_iter().collect();
                report.push(said(name, &resolved.pin, None, missing));
                lock.runtimes.insert(name.clone(), resolved.pin);
            }
            Err(failure) => {
                failures.insert(name.clone(), failure);
            }
        }
    }
    disagreement::check(work.project, &disagreement::versions(work.project, &lock))?;
    let is_written = !lock.runtimes.is_empty();
    if is_written {
        lock.write(&work.project.dir)?;
    }
    let report = Report {
        runtimes: report,
        is_written,
    };
    Ok((report, failures))
}

fn known(project: &Project, upgrade: &Upgrade) -> Result<(), Failure> {
    let Upgrade::Only(names) = upgrade else {
        return Ok(());
    };
    let there: BTreeSet<&str> = asked(project).map(|(name, _)| name.as_str()).collect();
    match names.iter().find(|name| !there.contains(name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let message = format!("[runtimes] does not ask for a {name} that ship provides");
            let failure = Failure::new(FailureKind::Usage, message);
            Err(match there.is_empty() {
                true => failure,
                false => {
                    let there: Vec<&str> = there.into_iter().collect();
                    failure.hint(format!("it asks for {}", there.join(", ")))
                }
            })
        }
    }
}

/// The pin that stays.
fn kept(old: &Lock, name: &str, request: &RuntimeRequest, upgrade: &Upgrade) -> Option<Pin> {
    let moves = match upgrade {
        Upgrade::Nothing => false,
        Upgrade::Everything => true,
        Upgrade::Only(names) => names.iter().any(|moving| moving == name),
    };
    let pin = old.runtimes.get(name).filter(|_| !moves)?;
    let stays = answers(source(name)?, pin, &request.version);
    stays.then(|| Pin {
        request: request.version.clone(),
        ..pin.clone()
    })
}

async fn ask(work: &Work<'_>, name: &str, request: &RuntimeRequest) -> Result<Resolved, Failure> {
    let source = source(name).ok_or_else(|| {
        let message = format!("ship does not know the runtime {name}");
        Failure::new(FailureKind::Project, message)
    })?;
    let question = Question {
        source,
        request: &request.version,
        mirror: mirror(source, Some(request), work.caller)?,
        hash: [&work.project.dir, &work.project.source]
            .iter()
            .find_map(|dir| package_manager_hash(dir, name)),
    };
    let text = format!("looking for {name} {}", request.version);
    let began = Instant::now();
    work.sink.emit(Event::Waiting {
        text: text.clone(),
        done: None,
        total: None,
    });
    let resolved = match resolve(work.http, &question).await {
        Ok(resolved) if source.packages.is_some() => {
            with_packages(work, source, request, resolved).await
        }
        resolved => resolved,
    };
    let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    work.sink.emit(Event::Waited {
        text,
        ms,
        bytes: None,
    });
    resolved
}

/// Adds what a tool is made of.
async fn with_packages(
    work: &Work<'_>,
    source: &'static Source,
    request: &RuntimeRequest,
    mut resolved: Resolved,
) -> Result<Resolved, Failure> {
    let cache = Cache::below(work.cache)?;
    let installer = Installer {
        source,
        request: Some(request),
        cache: &cache,
        caller: work.caller,
        http: work.http,
        sink: work.sink,
    };
    let python = work.project.runtimes.get("python");
    let python = python.map(|python| python.version.as_str());
    resolved.pin.packages = installer.resolve(&resolved.pin, python).await?;
    Ok(resolved)
}

fn said(
    name: &str,
    pin: &Pin,
    before: Option<&Pin>,
    missing: BTreeMap<Platform, String>,
) -> Pinned {
    let (change, from) = match before {
        None => (Change::Pinned, None),
        Some(before) if before.version == pin.version => (Change::Kept, None),
        Some(before) => (Change::Moved, Some(before.version.clone())),
    };
    Pinned {
        runtime: name.to_owned(),
        request: Some(pin.request.clone()),
        version: pin.version.clone(),
        change,
        from,
        missing,
    }
}

/// The platforms without an archive in a pin that stays.
fn gaps(pin: &Pin) -> BTreeMap<Platform, String> {
    let platforms = Platform::ALL.into_iter();
    platforms
        .filter(|platform| !pin.platforms.contains_key(platform))
        .map(|platform| (platform, String::new()))
        .collect()
}
