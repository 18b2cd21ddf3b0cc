//! Compares the version files of a project with the pinned runtimes: other people's tools read those
//! files, so the two must agree.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::lock::{Lock, rendered};
use crate::model::version::{Grammar, Request, Version};
use crate::model::{Failure, FailureKind};
use crate::project::declared::{Declared, Role, declared_in};
use crate::project::diagnostic::{Diagnostic, Source};
use crate::project::{MANIFEST, Project, runtime_span};

/// The exact versions that `lock` answers `project` with, by name.
pub(super) fn versions(project: &Project, lock: &Lock) -> BTreeMap<String, Version> {
    let runtimes = project.runtimes.iter();
    runtimes
        .filter(|(_, request)| !request.from_host)
        .filter_map(|(name, _)| {
            let pin = lock.runtimes.get(name)?;
            Some((name.clone(), Version::parse(&pin.version)?))
        })
        .collect()
}

/// Compares the version files of `project` with `versions`, the pinned ones; of a runtime that the
/// host brings, with what the manifest asks for.
///
/// # Errors
/// `Project`, with both places of each, when they disagree.
pub(super) fn check(
    project: &Project,
    versions: &BTreeMap<String, Version>,
) -> Result<(), Failure> {
    if project.runtimes.is_empty() {
        return Ok(());
    }
    let found: Vec<(Declared, String)> = declared_of(project)
        .into_iter()
        .filter_map(|declared| {
            let other = contradicted(project, versions, &declared)?;
            Some((declared, other))
        })
        .collect();
    let Some((first, other)) = found.first() else {
        return Ok(());
    };
    let text = std::fs::read_to_string(project.dir.join(MANIFEST)).unwrap_or_default();
    let manifest = Arc::new(Source {
        name: MANIFEST.to_owned(),
        text,
    });
    let message = match found.len() {
        1 => format!(
            "{} and {MANIFEST} disagree about {}: {} and {other}",
            first.source.name, first.runtime, first.asks
        ),
        count => format!("{count} version files disagree with {MANIFEST}"),
    };
    let lines = found
        .iter()
        .flat_map(|(declared, other)| rendered(&diagnostic(&manifest, declared, other)));
    Err(Failure::new(FailureKind::Project, message)
        .details(lines)
        .hint("make them say the same; after a change of ship.toml: ship pin"))
}

/// What the version files of `project` ask for: those beside the manifest, and those of the
/// workspace that it is released from.
fn declared_of(project: &Project) -> Vec<Declared> {
    let mut found = declared_in(&project.dir);
    if project.source != project.dir {
        found.extend(declared_in(&project.source));
    }
    found
}

/// What `declared` asks for, when that has one fixed meaning: not `lts/*`, `system` or a path.
fn comparable(declared: &Declared) -> Option<&Request> {
    declared
        .request
        .as_ref()
        .filter(|wanted| !wanted.is_alias())
}

/// What the version files of `project` ask for without a fixed meaning (`lts/*`, `system`, a path),
/// a sentence each: that could not be compared with `lock`.
#[must_use]
pub fn not_compared(project: &Project, lock: &Lock) -> Vec<String> {
    let versions = versions(project, lock);
    let all = declared_of(project);
    let open = all.iter().filter(|found| comparable(found).is_none());
    open.filter_map(|found| {
        let (name, asks, file) = (&found.runtime, &found.asks, &found.source.name);
        let request = project.runtimes.get(name)?;
        let ours = match versions.get(name) {
            Some(version) => format!("the pinned {name} {version}"),
            None => format!("{name} {} of {MANIFEST}", request.version),
        };
        Some(format!("`{asks}` in {file} is not compared with {ours}"))
    })
    .collect()
}

/// What is pinned, when that is not what `declared` names.
fn contradicted(
    project: &Project,
    versions: &BTreeMap<String, Version>,
    declared: &Declared,
) -> Option<String> {
    let name = &declared.runtime;
    let request = project.runtimes.get(name)?;
    let wanted = comparable(declared)?;
    if request.from_host {
        // Two requests: when either is an exact version or a prefix, the other must take it.
        let ours = Request::parse(Grammar::Other, &request.version).ok()?;
        let our_version = Version::parse(&request.version);
        let their_version = Version::parse(&declared.asks);
        let agree = match (&our_version, &their_version) {
            (None, None) => true,
            (Some(our), None) => wanted.matches(our),
            (None, Some(their)) => ours.matches(their),
            (Some(our), Some(their)) => wanted.matches(our) || ours.matches(their),
        };
        return (!agree).then(|| request.version.clone());
    }
    let version = versions.get(name)?;
    (!wanted.matches(version)).then(|| version.to_string())
}

fn diagnostic(manifest: &Arc<Source>, declared: &Declared, other: &str) -> Diagnostic {
    let Declared { runtime, asks, .. } = declared;
    let verb = match declared.role {
        Role::Choice => "names",
        Role::Constraint => "needs",
    };
    let name = &declared.source.name;
    let mut problem = Diagnostic::error(format!("{name} {verb} {runtime} {asks}, not {other}"))
        .with_source(&declared.source);
    problem.label(declared.span.clone(), format!("{asks} here"));
    if let Some(span) = runtime_span(&manifest.text, runtime) {
        problem.elsewhere(manifest, span, format!("{other} by this request"));
    }
    problem
}
