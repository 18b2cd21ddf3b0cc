//! What a project runs on, as its lock says.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use super::disagreement;
use super::lock::{LOCK, Lock, Pin};
use super::source::{Layout, Source, source};
use crate::model::runtime::{HostRuntime, Platform, RuntimeArchive, RuntimeNeeds, RuntimeSource};
use crate::model::service::Run;
use crate::model::version::{Request, Version};
use crate::model::{Failure, FailureKind};
use crate::project::{Project, RuntimeRequest};

/// Where a locked archive is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// The address: the publisher's, or that below the mirror.
    pub address: String,
    /// The publisher's own address, as in the lock; its last part names the archive.
    pub url: String,
}

/// What `[runtimes]` asks for, answered by `ship.lock` for `platform`; sorted by name. Reads files
/// of the project only.
///
/// A runtime with `source = "host"` has no exact version: its `version` is what is asked for.
///
/// # Errors
/// `Project`, with the command to run, when the lock is missing, stale, damaged or has no build for
/// `platform`, or when version files of the project disagree with it.
pub fn locked(project: &Project, platform: Platform) -> Result<Vec<HostRuntime>, Failure> {
    let lock = check(project)?;
    project
        .runtimes
        .iter()
        .map(|(name, request)| {
            let (version, source) = if request.from_host {
                (request.version.clone(), RuntimeSource::Host)
            } else {
                let (source, pin) = pinned(&lock, name)?;
                let archive = archive(source, name, pin, platform)?;
                (pin.version.clone(), RuntimeSource::Archive(archive))
            };
            Ok(HostRuntime {
                name: name.clone(),
                version,
                source,
            })
        })
        .collect()
}

/// The lock of the project, when it answers the manifest and no version file disagrees.
///
/// # Errors
/// As [`locked`], but for the platform.
pub fn check(project: &Project) -> Result<Lock, Failure> {
    let found = match Lock::read(&project.dir)? {
        None if asked(project).next().is_none() => Some(Lock::default()),
        found => found,
    };
    let Some(lock) = found else {
        let names: Vec<&str> = asked(project).map(|(name, _)| name.as_str()).collect();
        return Err(to_pin(format!("{LOCK} is missing"))
            .detail(format!("[runtimes] asks for {}", names.join(", "))));
    };
    let stale = stale(project, &lock);
    if !stale.is_empty() {
        return Err(to_pin(format!("{LOCK} does not match ship.toml")).details(stale));
    }
    let versions = disagreement::versions(project, &lock);
    disagreement::check(project, &versions)?;
    Ok(lock)
}

/// Whether there is no lock though there should be: a project that was never pinned.
///
/// # Errors
/// `Project`, when a version file disagrees with an exact version of the manifest already.
pub fn is_unpinned(project: &Project) -> Result<bool, Failure> {
    if asked(project).next().is_none() || project.dir.join(LOCK).exists() {
        return Ok(false);
    }
    let exact = asked(project).filter_map(|(name, request)| {
        let version = Version::parse(&request.version)?;
        (version.numbers().len() >= 3).then(|| (name.clone(), version))
    });
    disagreement::check(project, &exact.collect())?;
    Ok(true)
}

/// Where the archive of the runtime `name` for `platform` is read from; `env` is the caller's
/// environment, for `SHIP_<NAME>_MIRROR`.
///
/// # Errors
/// As [`locked`], and `Usage` when the variable holds no address.
pub fn archived(
    project: &Project,
    name: &str,
    platform: Platform,
    env: &BTreeMap<OsString, OsString>,
) -> Result<Archived, Failure> {
    let lock = check(project)?;
    let (source, pin) = pinned(&lock, name)?;
    let archive = pin
        .platforms
        .get(&platform)
        .ok_or_else(|| no_build(name, pin, platform))?;
    let mirror = mirror(source, project.runtimes.get(name), env)?;
    Ok(Archived {
        address: source.address(&archive.url, mirror.as_deref()),
        url: archive.url.clone(),
    })
}

/// The mirror of a runtime: the manifest's, else that of `SHIP_<NAME>_MIRROR` in `env`.
///
/// # Errors
/// `Usage` when the variable holds no http, https or file address.
pub fn mirror(
    source: &Source,
    request: Option<&RuntimeRequest>,
    env: &BTreeMap<OsString, OsString>,
) -> Result<Option<String>, Failure> {
    if let Some(mirror) = request.and_then(|request| request.mirror.clone()) {
        return Ok(Some(mirror));
    }
    let variable = source.mirror_variable();
    let Some(value) = env.get(OsStr::new(&variable)).filter(|v| !v.is_empty()) else {
        return Ok(None);
    };
    let value = value.to_string_lossy().into_owned();
    if crate::project::is_mirror(&value) {
        return Ok(Some(value));
    }
    let message = format!("{variable} is `{}`, not an address", value.escape_debug());
    let hint = "expected http://, https:// or file://";
    Err(Failure::new(FailureKind::Usage, message).hint(hint))
}

/// The runtimes that ship brings.
pub(super) fn asked(project: &Project) -> impl Iterator<Item = (&String, &RuntimeRequest)> {
    let runtimes = project.runtimes.iter();
    runtimes.filter(|(_, request)| !request.from_host)
}

/// What the lock does not answer, or answers without being asked; a sentence each.
pub(super) fn stale(project: &Project, lock: &Lock) -> Vec<String> {
    let mut stale = Vec::new();
    for (name, request) in asked(project) {
        match lock.runtimes.get(name) {
            None => stale.push(format!("{name}: {} is not pinned", request.version)),
            Some(pin) if pin.request != request.version => stale.push(format!(
                "{name}: ship.toml asks for {}, {LOCK} answers {}",
                request.version, pin.request
            )),
            Some(_) => {}
        }
    }
    for name in lock.runtimes.keys() {
        let asks = asked(project).any(|(asked, _)| asked == name);
        if !asks {
            stale.push(format!("{name}: pinned, but not asked for"));
        }
    }
    stale
}

/// Whether `pin` still answers `request`: the version is one that was asked for.
pub(super) fn answers(source: &Source, pin: &Pin, request: &str) -> bool {
    let Ok(wanted) = Request::parse(source.grammar(), request) else {
        return false;
    };
    let version = Version::parse(&pin.version);
    // What an alias means only the publisher knows.
    let same = pin.request == request;
    version.is_some_and(|version| match wanted.is_alias() {
        true => same,
        false => wanted.matches(&version),
    })
}

fn pinned<'a>(lock: &'a Lock, name: &str) -> Result<(&'static Source, &'a Pin), Failure> {
    source(name)
        .zip(lock.runtimes.get(name))
        .ok_or_else(|| to_pin(format!("{LOCK} has no {name}")))
}

fn archive(
    source: &Source,
    name: &str,
    pin: &Pin,
    platform: Platform,
) -> Result<RuntimeArchive, Failure> {
    let archive = pin.platforms.get(&platform);
    let archive = archive.ok_or_else(|| no_build(name, pin, platform))?;
    let version = Version::parse(&pin.version)
        .ok_or_else(|| to_pin(format!("{LOCK} has no version of {name}")))?;
    let Layout {
        format,
        strip,
        bin,
        env,
        settings,
        guards: _,
        launchers,
        needs,
    } = (source.layout)(&version, platform);
    let needs = match platform.is_linux() {
        true => needs,
        false => RuntimeNeeds::default(),
    };
    Ok(RuntimeArchive {
        sha256: archive.sha256,
        size: archive.size,
        format,
        strip,
        bin,
        env,
        settings,
        launchers,
        needs,
    })
}

fn no_build(name: &str, pin: &Pin, platform: Platform) -> Failure {
    let there: Vec<&str> = pin.platforms.keys().map(|known| known.as_str()).collect();
    let message = format!("{name} {} has no build for {platform}", pin.version);
    Failure::new(FailureKind::Project, message)
        .detail(format!("{LOCK} has builds for {}", there.join(", ")))
        .hint(format!(
            "ask for another version of {name} in ship.toml, then ship pin; or, if the publisher \
             has one by now: ship pin --upgrade {name}"
        ))
}

fn to_pin(message: String) -> Failure {
    Failure::new(FailureKind::Project, message).hint("ship pin")
}

/// Those of `runtimes` that a host needs: a package manager only where a command of a service or a
/// hook starts it.
#[must_use]
pub fn for_hosts(project: &Project, mut runtimes: Vec<HostRuntime>) -> Vec<HostRuntime> {
    let lines = commands(project);
    let starts = |program: &&str| {
        let mut words = lines.iter().flat_map(|line| {
            line.split(|c: char| !(c.is_ascii_alphanumeric() || "._-/".contains(c)))
        });
        words.any(|word| word == *program)
    };
    runtimes.retain(|runtime| match source(&runtime.name) {
        Some(source) if source.packages.is_some() => false,
        Some(source) if source.is_manager() => source.programs.iter().any(starts),
        _ => true,
    });
    runtimes
}

/// The lines of everything that runs on a host.
fn commands(project: &Project) -> Vec<String> {
    let services = project.services.iter().map(|service| match &service.run {
        Run::Shell(line) => line.clone(),
        Run::Argv(words) => words.join(" "),
        Run::Static(_) => String::new(),
    });
    let hooks = project
        .before_activate
        .iter()
        .chain(&project.after_activate);
    services.chain(hooks.map(|hook| hook.run.clone())).collect()
}
