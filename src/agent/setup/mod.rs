//! Makes a host ready for an app, once: users, folders, units, rights. What is as it should be is
//! left alone, so that a second run changes nothing.
//!
//! `systemd`: run as root; the deploying user gets exactly the rights to start and stop the app's
//! services. `systemd-user`: run as the deploying user; only linger may need root, and when run as
//! root, that is all it does. `supervisor`: folders.

mod check;
mod closed;
mod compare;
mod content;
mod folder;
mod foreign;
mod give;
mod itself;
mod kept;
mod keys;
mod live;
mod names;
mod ownership;
mod places;
mod plan;
mod ports;
mod remove;
mod settings;
mod shared;
mod step;
mod units;

use std::path::{Path, PathBuf};

use crate::agent::Layout;
use crate::agent::host::Host;
use crate::agent::service::{Scope, account, systemctl, unit};
use crate::agent::{owner, runtimes};
use crate::model::{Cause, Deployment, Failure, FailureKind, Instance, ServiceSpec};
use crate::wire::{Changes, Level, SetupRequest, Wants};

pub use check::{check, without_password};
pub use compare::compare;
pub use plan::closed_parent;
pub use ports::free_ports;
pub use remove::remove;
pub use shared::{Entry, entries};

/// Makes the host ready. Each change is a lower-case sentence in the past tense, also those of a
/// dry run, which makes none of them.
///
/// # Errors
/// `Refused` before anything is changed, when a name cannot be used, rights or programs are
/// missing, or a file that is not ours is in the way; what a step said when one fails.
pub fn setup(host: &Host, request: &SetupRequest) -> Result<Changes, Failure> {
    let target = Target::of(host, request)?;
    if host.deployment.manager.is_system_wide() && !rustix::process::geteuid().is_root() {
        return Err(Failure::refused("setup of system services needs root")
            .hint(systemctl::setup_command(&host.deployment)));
    }
    owner::check(&host.layout, &host.deployment, &request.wants.history)?;
    let steps = plan::plan(&target)?;
    if !request.dry_run {
        apply(&target, &steps)?;
    }
    Ok(Changes {
        made: steps.iter().map(ToString::to_string).collect(),
        left: [left(&target, &steps), lacking(host, request)].concat(),
    })
}

/// What the programs that a release starts there lack: setup does not install them.
fn lacking(host: &Host, request: &SetupRequest) -> Vec<String> {
    let found = runtimes::programs(host, &request.wants.programs, true);
    let lacking = found.into_iter().filter(|found| found.level != Level::Ok);
    lacking
        .map(|found| match found.hint {
            Some(hint) => format!("{}: {hint}", found.text),
            None => found.text,
        })
        .collect()
}

fn apply(target: &Target<'_>, steps: &[step::Step]) -> Result<(), Failure> {
    for step in steps {
        if let Err(failure) = step.apply() {
            let failure = in_context(failure, steps, step);
            return Err(match step {
                step::Step::Restart { .. } => back_to_the_former_user(target, steps, failure),
                _ => failure,
            });
        }
    }
    Ok(())
}

/// The services do not run as the user that the manifest names: makes the host what it was for the
/// user of before, under which the live release serves.
fn back_to_the_former_user(target: &Target<'_>, steps: &[step::Step], failure: Failure) -> Failure {
    let Some(user) = ownership::former_users(steps).into_iter().next() else {
        return failure;
    };
    let deployment = Deployment {
        user: user.clone(),
        ..target.deployment.clone()
    };
    let before = Target {
        deployment: &deployment,
        layout: target.layout.clone(),
        login: target.login.clone(),
        home: target.home.clone(),
        user_is_named: true,
        ..*target
    };
    let units = steps.iter().filter_map(|step| match step {
        step::Step::Restart { unit, .. } => Some(unit.clone()),
        _ => None,
    });
    let restarts = units.map(|unit| step::Step::Restart {
        unit,
        user: user.clone(),
    });
    let back = plan::plan(&before).and_then(|mut steps| {
        steps.retain(|step| !matches!(step, step::Step::Restart { .. }));
        steps
            .into_iter()
            .chain(restarts)
            .try_for_each(|step| step.apply())
    });
    match back {
        Ok(()) => failure.detail(format!("put back: the services run as {user} again")),
        Err(why) => failure
            .as_kind(FailureKind::NeedsPerson)
            .detail(format!("the way back to {user} failed, too: {why}"))
            .details(why.details),
    }
}

/// What stays on the host although the manifest does not name it any more, and why.
fn left(target: &Target<'_>, steps: &[step::Step]) -> Vec<String> {
    let mut left = Vec::new();
    if let Some(scope) = Scope::of(target.deployment.manager) {
        let folder = units::folder(scope, &target.home);
        let wanted: Vec<_> = target.services.iter().map(|it| it.name.clone()).collect();
        let app = &target.deployment.app;
        for (service, releases) in units::kept(&folder, app, &target.layout, &wanted) {
            let releases: Vec<String> = releases.iter().map(ToString::to_string).collect();
            left.push(format!(
                "{} stays: {} can be gone back to and has that service",
                unit::unit_name(app, &Instance::only(&service)),
                releases.join(", ")
            ));
        }
    }
    for user in ownership::former_users(steps) {
        left.push(format!(
            "the user {user} stays, and is not needed for this app any more"
        ));
    }
    left
}

/// Whether a release with these services can be activated here: each has its unit, and the deploying
/// user may restart it.
///
/// # Errors
/// `Refused`, naming the units or the right that are missing.
pub fn ready_for(host: &Host, services: &[ServiceSpec]) -> Result<(), Failure> {
    let is_ours = |unit: &Path| units::is_ours(unit, &host.deployment.app);
    each_unit(host, services, is_ours)?;
    match Scope::of(host.deployment.manager) {
        Some(scope) => may_restart(host, scope, services),
        None => Ok(()),
    }
}

/// Whether each of these services has a unit, whoever wrote it.
///
/// # Errors
/// As [`ready_for`].
pub fn has_units(host: &Host, services: &[ServiceSpec]) -> Result<(), Failure> {
    each_unit(host, services, Path::exists)
}

fn each_unit(
    host: &Host,
    services: &[ServiceSpec],
    is_good: impl Fn(&Path) -> bool,
) -> Result<(), Failure> {
    let Some(scope) = Scope::of(host.deployment.manager) else {
        return Ok(());
    };
    let home = crate::agent::host::home();
    let folder = units::folder(scope, &home);
    let missing: Vec<String> = unit::units(&host.deployment, &host.layout, services)
        .into_iter()
        .filter(|unit| !is_good(&folder.join(&unit.name)))
        .map(|unit| unit.name)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let why = format!("this host is not set up for {}", missing.join(", "));
    Err(Failure::from(Cause::NotSetUp { why }).hint(systemctl::setup_command(&host.deployment)))
}

/// Rights that were taken away are found out here, not in the middle of a switch whose way back
/// would need them too.
fn may_restart(host: &Host, scope: Scope, services: &[ServiceSpec]) -> Result<(), Failure> {
    let mut findings = Vec::new();
    check::rights(host, scope, services, &mut findings);
    let Some(failed) = findings
        .into_iter()
        .find(|found| found.level == crate::wire::Level::Failure)
    else {
        return Ok(());
    };
    let failure = Failure::refused(failed.text);
    Err(match failed.hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    })
}

/// What is to be made, and for whom.
struct Target<'a> {
    deployment: &'a Deployment,
    layout: Layout,
    services: &'a [ServiceSpec],
    shared: &'a [String],
    login: String,
    /// The deploying user's home, also before there is one.
    home: PathBuf,
    /// Whether this process is root, and that is not the deploying user.
    for_another: bool,
    /// Whether this is the setup itself; else the deploying user looks what it would do, and what
    /// takes another program's word or root's eyes is left out.
    is_setup: bool,
    /// Whether the manifest names the user that the services run as.
    user_is_named: bool,
}

impl<'a> Target<'a> {
    fn of(host: &'a Host, request: &'a SetupRequest) -> Result<Self, Failure> {
        let SetupRequest { wants, login, .. } = request;
        let deployment = &host.deployment;
        for (what, name) in [("the deploying user", login), ("`user`", &deployment.user)] {
            if !account::is_name(name) {
                return Err(Failure::refused(format!(
                    "{what} cannot be called `{name}`"
                )));
            }
        }
        let root = rustix::process::geteuid().is_root();
        let for_another = root && login != "root";
        // Without root, it is only ever made for oneself.
        let login = if root {
            login.clone()
        } else {
            systemctl::user_name()
        };
        let home = match account::find(&login)? {
            Some(account) => account.home,
            None => PathBuf::from("/home").join(&login),
        };
        let layout = if for_another && deployment.manager.is_system_wide() {
            // `~/` is the deploying user's, not root's.
            Layout::resolve(deployment, &home, &home.join(".local/share"))
        } else {
            host.layout.clone()
        };
        let path = layout.root().to_string_lossy();
        if !layout.root().is_absolute() || path.chars().any(char::is_control) {
            return Err(Failure::refused(format!(
                "the root folder {path:?} is not an absolute path"
            )));
        }
        // Each step looks again.
        match folder::open_base(layout.root()) {
            Err(error) if error.kind() == std::io::ErrorKind::Other => {
                return Err(Failure::refused(format!(
                    "root does not enter the root folder {}: {error}",
                    layout.root().display()
                ))
                .hint("name the folder itself as `root`, or let root make the link"));
            }
            _ => {}
        }
        Ok(Self {
            deployment,
            layout,
            services: &wants.services,
            shared: &wants.shared,
            login,
            home,
            for_another,
            is_setup: true,
            user_is_named: wants.user_is_named,
        })
    }

    /// As the deploying user, which this process is, sees it.
    fn as_seen(host: &'a Host, wants: &'a Wants) -> Result<Self, Failure> {
        if !account::is_name(&host.deployment.user) {
            return Err(Failure::refused(format!(
                "`user` cannot be called `{}`",
                host.deployment.user
            )));
        }
        Ok(Self {
            deployment: &host.deployment,
            layout: host.layout.clone(),
            services: &wants.services,
            shared: &wants.shared,
            login: systemctl::user_name(),
            home: crate::agent::host::home(),
            for_another: false,
            is_setup: false,
            user_is_named: wants.user_is_named,
        })
    }
}

/// Says what was done before a step failed: a second run goes on from there.
fn in_context(failure: Failure, steps: &[step::Step], failed: &step::Step) -> Failure {
    let done = steps.iter().take_while(|step| !std::ptr::eq(*step, failed));
    let done: Vec<String> = done.map(|step| format!("before that: {step}")).collect();
    failure.details(done)
}
