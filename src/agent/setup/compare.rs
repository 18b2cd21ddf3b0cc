//! Compares the host with the manifest: what `ship setup` would change, told by `ship check ENV`,
//! and by a deploy before it builds anything.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::check::{bad, of_failure};
use super::ports::{self, Ports};
use super::settings::Difference;
use super::step::{Step, WrittenUnit};
use super::{Target, check, content, plan};
use crate::agent::host::Host;
use crate::agent::lock::Lock;
use crate::agent::service::{Scope, account, systemctl};
use crate::agent::{owner, releases, runtimes};
use crate::model::{Instance, ServiceManagerKind};
use crate::wire::{Finding, Level, Wants};

/// What is not on the host as the manifest says. A [`Level::Failure`] is something without which the
/// release would not run as the manifest says; a [`Level::Warning`] comes from an older version of
/// ship, or can wait. Looks as the deploying user, and changes nothing.
#[must_use]
pub fn compare(host: &Host, wants: &Wants) -> Vec<Finding> {
    std::thread::scope(|scope| {
        // Each asks a program.
        let rights = scope.spawn(|| {
            let mut findings = Vec::new();
            if let Some(scope) = Scope::of(host.deployment.manager) {
                check::rights(host, scope, &wants.services, &mut findings);
            }
            findings
        });
        // During another deploy the services of the app come and go.
        let ports = scope.spawn(|| {
            matches!(Lock::holder(&host.layout), Ok(None))
                .then(|| ports::glance(host, &wants.services))
        });
        let mut findings = differences(host, wants);
        // Where nothing is live yet, the first release is not to find out.
        let is_first = matches!(releases::current(&host.layout), Ok(None));
        findings.extend(runtimes::programs(host, &wants.programs, is_first));
        findings.extend(rights.join().unwrap_or_default());
        if let Ok(Some(Ports::Taken(failure))) = ports.join() {
            findings.push(of_failure("port", failure));
        }
        findings.retain(|found| found.level != Level::Ok);
        findings
    })
}

/// What setup would change and the deploying user can see, without asking any program.
pub(super) fn differences(host: &Host, wants: &Wants) -> Vec<Finding> {
    let mut findings = Vec::new();
    let setup = format!("run {}", systemctl::setup_command(&host.deployment));
    if let Err(failure) = owner::check(&host.layout, &host.deployment, &wants.history) {
        return vec![of_failure("root", failure)];
    }
    match Target::as_seen(host, wants).and_then(|target| plan::plan(&target)) {
        Err(failure) => findings.push(of_failure("setup", failure)),
        Ok(steps) => {
            for step in &steps {
                for (level, subject, text) in of_step(host.deployment.manager, step) {
                    findings.push(bad(level, subject, text, &setup));
                }
            }
        }
    }
    findings.extend(leaving(host, wants, &setup));
    findings.extend(content::missing(host, &wants.shared, &wants.seeded));
    findings
}

/// Services of the live release that the manifest has no more.
fn leaving(host: &Host, wants: &Wants, setup: &str) -> Vec<Finding> {
    if Scope::of(host.deployment.manager).is_none() {
        return Vec::new();
    }
    let leaves = |instance: Instance| {
        let name = instance.service;
        let text = format!(
            "the service {name} is not in the manifest any more: it stops with the next release, and \
             its unit stays until no kept release has it"
        );
        bad(Level::Warning, "units", text, setup)
    };
    host.stopped_by(&wants.services)
        .into_iter()
        .map(leaves)
        .collect()
}

pub(super) type Told = (Level, &'static str, String);

/// What it means for a release that `step` was not done.
fn of_step(manager: ServiceManagerKind, step: &Step) -> Vec<Told> {
    match step {
        Step::SystemUser { name, .. } => {
            vec![(
                Level::Failure,
                "user",
                format!("there is no user {name}, which the services run as"),
            )]
        }
        // Without system units the first deploy makes the folders.
        Step::Folder { base, below, .. } | Step::File { base, below, .. }
            if manager.is_system_wide() =>
        {
            let owner = match step {
                Step::Folder { owner, .. } => owner.as_str(),
                _ => "",
            };
            folder(base, below, owner).into_iter().collect()
        }
        Step::Close { closed, there } => {
            let is_made = *there || manager.is_system_wide();
            let path = closed.below();
            let told = is_made.then(|| folder(&closed.root, path, &closed.owner));
            match told.flatten() {
                Some((Level::Warning, ..)) => closed.told().into_iter().collect(),
                told => told.into_iter().collect(),
            }
        }
        Step::Unit(unit) => of_unit(unit),
        Step::Retire { unit, .. } => vec![(
            Level::Warning,
            "units",
            format!(
                "{unit} belongs to this app, but the manifest has no such service and no release needs it"
            ),
        )],
        Step::Enable { unit, .. } => vec![(
            Level::Warning,
            "units",
            format!("{unit} does not start at boot"),
        )],
        _ => Vec::new(),
    }
}

/// A folder or file that is not there, or not as setup makes it.
fn folder(base: &Path, below: &Path, owner: &str) -> Option<Told> {
    let path = base.join(below);
    let is_shared = below.starts_with("shared");
    let subject = match (below.as_os_str().is_empty(), is_shared) {
        (true, _) => "root folder",
        (_, true) => "shared",
        _ => "folders",
    };
    let shown = path.display().to_string();
    let shown = shown.trim_end_matches('/');
    let Ok(found) = fs::metadata(&path) else {
        return Some((Level::Failure, subject, format!("{shown} is not there")));
    };
    // A user without an account is named by its number.
    let uid = account::by_name(owner).map_or(owner.parse().ok(), |account| Some(account.uid));
    if uid == Some(found.uid()) {
        let text = format!("{shown} has other rights than ship setup gives it");
        return Some((Level::Warning, subject, text));
    }
    let has = account::by_uid(found.uid()).map_or(found.uid().to_string(), |it| it.name);
    let level = match is_shared {
        // A person may have chosen that.
        true => Level::Warning,
        false => Level::Failure,
    };
    Some((
        level,
        subject,
        format!("{shown} belongs to {has}, not to {owner}"),
    ))
}

fn of_unit(unit: &WrittenUnit) -> Vec<Told> {
    const SUBJECT: &str = "units";
    let folder = unit.path.parent().unwrap_or(Path::new("/")).display();
    let name = unit.path.file_name().unwrap_or_default().display();
    let Some(service) = &unit.service else {
        let text = match unit.there {
            true => format!("{name} was written by another version of ship"),
            false => format!(
                "there is no {name}: after a power cut in the middle of a deploy the services \
                 start from a release that is not proven, until the next contact"
            ),
        };
        return vec![(Level::Warning, SUBJECT, text)];
    };
    if !unit.there {
        let text = format!("there is no {name} of ours in {folder}");
        return vec![(Level::Failure, SUBJECT, text)];
    }
    let of_manifest = unit.differences.iter().filter(|it| it.is_of_the_manifest());
    let told: Vec<Told> = of_manifest
        .map(|difference| {
            let text = format!("{service}: {}", said(difference));
            (Level::Failure, SUBJECT, text)
        })
        .collect();
    if !told.is_empty() {
        return told;
    }
    let text = format!("{name} was written by another version of ship, or changed by hand");
    vec![(Level::Warning, SUBJECT, text)]
}

/// `the unit says TimeoutStopSec=30s, the manifest 77s`.
fn said(
    Difference {
        name,
        found,
        wanted,
    }: &Difference,
) -> String {
    match (found, wanted) {
        (Some(found), Some(wanted)) => {
            format!("the unit says {name}={found}, the manifest {wanted}")
        }
        (None, Some(wanted)) => format!("the unit lacks {name}={wanted}, which the manifest needs"),
        (Some(found), None) => {
            format!("the unit says {name}={found}, which the manifest does not need")
        }
        (None, None) => format!("the unit has another {name}"),
    }
}
