//! Makes a host ready for an app, once: users, folders, units, rights. What is as it should be is
//! left alone, so that a second run changes nothing.
//!
//! `systemd`: run as root; the deploying user gets exactly the rights to start and stop the app's
//! services. `systemd-user`: run as the deploying user; only linger may need root, and when run as
//! root, that is all it does. `supervisor`: folders.

mod check;
mod folder;
mod itself;
mod keys;
mod live;
mod plan;
mod shared;
mod step;
mod units;

use std::path::{Path, PathBuf};

use crate::agent::Layout;
use crate::agent::host::Host;
use crate::agent::service::{Scope, account, systemctl, unit};
use crate::model::{Deployment, Failure, ServiceManagerKind, ServiceSpec};
use crate::wire::SetupRequest;

pub use check::check;
pub use plan::closed_parent;
pub use shared::{Entry, entries};

/// Makes the host ready. Each change is a lower-case sentence in the past tense, also those of a
/// dry run, which makes none of them.
///
/// # Errors
/// `Refused` before anything is changed, when a name cannot be used, rights or programs are
/// missing, or a file that is not ours is in the way; what a step said when one fails.
pub fn setup(host: &Host, request: &SetupRequest) -> Result<Vec<String>, Failure> {
    let target = Target::of(host, request)?;
    let steps = plan::plan(&target)?;
    for step in &steps {
        if !request.dry_run {
            step.apply()
                .map_err(|failure| in_context(failure, &steps, step))?;
        }
    }
    Ok(steps.iter().map(ToString::to_string).collect())
}

/// Whether a release with these services can be activated here: each has its unit. A unit whose
/// text differs from what this version of `ship` writes still starts the live release; [`check`]
/// tells of it.
///
/// # Errors
/// `Refused`, naming the units that are missing.
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
    Err(Failure::refused(format!(
        "this host is not set up for {}",
        missing.join(", ")
    ))
    .hint(systemctl::setup_command(&host.deployment)))
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
}

impl<'a> Target<'a> {
    fn of(host: &'a Host, request: &'a SetupRequest) -> Result<Self, Failure> {
        let SetupRequest {
            services,
            shared,
            login,
            ..
        } = request;
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
        let home = match account::by_name(&login) {
            Some(account) => account.home,
            None => PathBuf::from("/home").join(&login),
        };
        let layout = if for_another && deployment.manager == ServiceManagerKind::Systemd {
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
        Ok(Self {
            deployment,
            layout,
            services,
            shared,
            login,
            home,
            for_another,
        })
    }
}

/// Says what was done before a step failed: a second run goes on from there.
fn in_context(failure: Failure, steps: &[step::Step], failed: &step::Step) -> Failure {
    let done = steps.iter().take_while(|step| !std::ptr::eq(*step, failed));
    let done: Vec<String> = done.map(|step| format!("before that: {step}")).collect();
    failure.details(done)
}
