//! What is not yet as it should be: looks at the host, changes nothing.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::step::Step;
use super::{Entry, Target, entries, itself, keys, units};
use crate::agent::service::{JOURNAL_GROUP, Scope, account, child, systemctl, unit};
use crate::model::{Failure, ServiceManagerKind, ServiceName};

/// The steps that make the host ready, in order.
///
/// # Errors
/// `Refused` when they could not be made.
pub fn plan(target: &Target<'_>) -> Result<Vec<Step>, Failure> {
    let mut steps = Vec::new();
    match target.deployment.manager {
        ServiceManagerKind::Systemd => system(target, &mut steps)?,
        ServiceManagerKind::SystemdUser if target.for_another => by_root(target, &mut steps)?,
        ServiceManagerKind::SystemdUser => user(target, &mut steps)?,
        ServiceManagerKind::Supervisor => {
            login(target, &mut steps);
            folders(target, &target.login, &mut steps);
            agent(target, &mut steps);
        }
    }
    Ok(steps)
}

fn system(target: &Target<'_>, steps: &mut Vec<Step>) -> Result<(), Failure> {
    let Target {
        deployment,
        login: deployer,
        ..
    } = target;
    if !rustix::process::geteuid().is_root() {
        return Err(Failure::refused("setup of system services needs root")
            .hint(systemctl::setup_command(deployment)));
    }
    needs_systemd()?;
    if target.for_another && !has_sudo() {
        return Err(Failure::refused(format!(
            "sudo is not installed, and {deployer} needs it to restart services"
        ))
        .hint(if Path::new("/usr/bin/apt-get").exists() {
            "as root on the host: apt-get install --yes sudo"
        } else {
            "install the package sudo on the host"
        }));
    }
    login(target, steps);
    if account::by_name(&deployment.user).is_none() && deployment.user != *deployer {
        steps.push(Step::SystemUser {
            name: deployment.user.clone(),
            home: target.layout.shared(),
        });
    }
    journal(target, steps);
    can_enter(target)?;
    folders(target, &deployment.user, steps);
    unit_files(target, Scope::System, steps)?;
    sudoers(target, steps)?;
    agent(target, steps);
    Ok(())
}

/// What only root can do for the services of a user.
fn by_root(target: &Target<'_>, steps: &mut Vec<Step>) -> Result<(), Failure> {
    needs_systemd()?;
    login(target, steps);
    journal(target, steps);
    linger(target, steps);
    Ok(())
}

fn user(target: &Target<'_>, steps: &mut Vec<Step>) -> Result<(), Failure> {
    needs_systemd()?;
    linger(target, steps);
    folders(target, &target.login, steps);
    unit_files(target, Scope::User, steps)
}

/// sd_booted(3).
fn needs_systemd() -> Result<(), Failure> {
    if Path::new("/run/systemd/system").is_dir() {
        return Ok(());
    }
    Err(Failure::refused("systemd does not run on this host")
        .hint("set manager = \"supervisor\" for this environment"))
}

/// Whether sudo and its visudo are there.
fn has_sudo() -> bool {
    let answers =
        |program: &str| child::run(child::command(program).arg("-V"), systemctl::ASKING).is_ok();
    answers("sudo") && answers("visudo")
}

fn login(target: &Target<'_>, steps: &mut Vec<Step>) {
    if target.for_another && account::by_name(&target.login).is_none() {
        let (login, home) = (target.login.clone(), target.home.clone());
        steps.push(Step::Login {
            name: login.clone(),
            home: home.clone(),
        });
        steps.push(Step::Keys {
            login,
            home,
            keys: keys::of_administrator(),
        });
    }
}

fn journal(target: &Target<'_>, steps: &mut Vec<Step>) {
    if target.for_another
        && account::group_exists(JOURNAL_GROUP)
        && !account::is_listed(&target.login, JOURNAL_GROUP)
    {
        steps.push(Step::Join {
            user: target.login.clone(),
            group: JOURNAL_GROUP.to_owned(),
        });
    }
}

fn linger(target: &Target<'_>, steps: &mut Vec<Step>) {
    if !lingers(&target.login) {
        steps.push(Step::Linger {
            user: target.login.clone(),
        });
    }
}

/// Whether the services of `user` run without a session (loginctl(1)).
pub fn lingers(user: &str) -> bool {
    Path::new("/var/lib/systemd/linger").join(user).exists()
}

/// The app's folders. `app` owns what is shared; the rest is the deploying user's.
fn folders(target: &Target<'_>, app: &str, steps: &mut Vec<Step>) {
    let root = target.layout.root();
    if !root.exists() {
        steps.push(Step::Parents {
            path: root.to_owned(),
        });
    }
    let deployer = &target.login;
    folder(root, "", deployer, Some(0o755), steps);
    for name in ["releases", "runtimes", ".ship"] {
        folder(root, name, deployer, Some(0o755), steps);
    }
    // What is there may be closed to others, or lead to another disk: as somebody chose.
    folder(root, "shared", app, None, steps);
    for entry in entries(target.shared) {
        let below = Path::new("shared").join(entry.path());
        match entry {
            Entry::Folder(_) => folder(root, below, app, None, steps),
            Entry::File(_) if fs::symlink_metadata(root.join(&below)).is_err() => {
                steps.push(Step::File {
                    base: root.to_owned(),
                    below,
                    owner: app.to_owned(),
                });
            }
            Entry::File(_) => {}
        }
    }
}

/// Brought by root's connection, it is at hand for the deploying user's too. The last step: without
/// room for it the host is ready all the same.
fn agent(target: &Target<'_>, steps: &mut Vec<Step>) {
    if !target.for_another {
        return;
    }
    let Some((program, name)) = itself::program() else {
        return;
    };
    let base = target.layout.root();
    let bin = Path::new(".ship/bin");
    folder(base, bin, &target.login, Some(0o755), steps);
    let below = bin.join(name);
    if fs::symlink_metadata(base.join(&below)).is_err() {
        steps.push(Step::Agent {
            program,
            base: base.to_owned(),
            below,
            owner: target.login.clone(),
        });
    }
}

/// A folder of the root folder; `mode` is corrected only where it is given.
fn folder(
    base: &Path,
    below: impl Into<PathBuf>,
    owner: &str,
    mode: Option<u32>,
    steps: &mut Vec<Step>,
) {
    let below = below.into();
    let found = match fs::symlink_metadata(base.join(&below)) {
        // Where the root folder itself is a link, its target counts.
        Ok(meta) if meta.is_symlink() && below.as_os_str().is_empty() => fs::metadata(base).ok(),
        Ok(meta) if meta.is_symlink() => return,
        found => found.ok(),
    };
    let uid = account::by_name(owner).map(|account| account.uid);
    let right = found.as_ref().is_some_and(|meta| {
        Some(meta.uid()) == uid && mode.is_none_or(|mode| meta.mode() & 0o777 == mode)
    });
    if right {
        return;
    }
    let mode = match (mode, &found) {
        (Some(mode), _) => mode,
        (None, Some(meta)) => meta.mode() & 0o777,
        (None, None) => 0o755,
    };
    steps.push(Step::Folder {
        base: base.to_owned(),
        below,
        owner: owner.to_owned(),
        mode,
        there: found.is_some(),
    });
}

/// Whether the services' user gets through to the root folder.
fn can_enter(target: &Target<'_>) -> Result<(), Failure> {
    let user = &target.deployment.user;
    match closed_parent(target.layout.root(), user) {
        None => Ok(()),
        Some(closed) => Err(Failure::refused(format!(
            "{user} cannot enter {}, which leads to the root folder {}",
            closed.display(),
            target.layout.root().display()
        ))
        .hint(format!(
            "chmod o+x {}, or choose another root folder for this environment",
            closed.display()
        ))),
    }
}

/// The first folder above `root` that `user` may not pass through, by its owner and mode.
pub fn closed_parent(root: &Path, user: &str) -> Option<PathBuf> {
    let account = account::by_name(user);
    if account.as_ref().is_some_and(|account| account.uid == 0) {
        return None;
    }
    let is_closed = |folder: &&Path| {
        let Ok(meta) = fs::metadata(folder) else {
            return false;
        };
        let bit = match &account {
            Some(account) if account.uid == meta.uid() => 0o100,
            Some(account) if account.gid == meta.gid() => 0o010,
            _ => 0o001,
        };
        meta.mode() & bit == 0
    };
    let mut parents: Vec<_> = root.ancestors().skip(1).collect();
    parents.reverse();
    parents.into_iter().find(is_closed).map(Path::to_owned)
}

fn unit_files(target: &Target<'_>, scope: Scope, steps: &mut Vec<Step>) -> Result<(), Failure> {
    let app = &target.deployment.app;
    let folder = units::folder(scope, &target.home);
    let mut wanted = unit::units(target.deployment, &target.layout, target.services);
    wanted.extend(unit::recovery(
        target.deployment,
        &target.layout,
        &target.login,
    ));
    let names: Vec<String> = wanted.iter().map(|unit| unit.name.clone()).collect();
    let mut changed = false;
    for unit in &wanted {
        let path = folder.join(&unit.name);
        let there = fs::symlink_metadata(&path).is_ok();
        if there && !units::is_ours(&path, app) {
            return Err(not_ours(&path));
        }
        if !there || fs::read_to_string(&path).ok().as_ref() != Some(&unit.text) {
            steps.push(Step::Unit {
                path,
                text: unit.text.clone(),
                there,
            });
            changed = true;
        }
    }
    for unit in units::stale(&folder, app, &target.layout, &names) {
        let path = folder.join(&unit);
        steps.push(Step::Retire { scope, unit, path });
        changed = true;
    }
    if changed || needs_reload(scope, &names) {
        steps.push(Step::Reload { scope });
    }
    for name in names {
        if !is_enabled(scope, &name) {
            steps.push(Step::Enable { scope, unit: name });
        }
    }
    Ok(())
}

fn not_ours(path: &Path) -> Failure {
    Failure::refused(format!(
        "{} was not written for this app by ship",
        path.display()
    ))
    .hint("move it away, or give the environment a name of its own on the host (`name`)")
}

/// Whether a unit was written and systemd not told, as after an interrupted setup.
fn needs_reload(scope: Scope, names: &[String]) -> bool {
    let mut args = vec!["show", "--property=NeedDaemonReload"];
    args.extend(names.iter().map(String::as_str));
    let output = query(scope, &args);
    output.is_some_and(|output| output.stdout.contains("NeedDaemonReload=yes"))
}

/// Whether a unit starts at boot.
pub fn is_enabled(scope: Scope, name: &str) -> bool {
    query(scope, &["is-enabled", name]).is_some_and(|output| output.stdout.trim() == "enabled")
}

fn query(scope: Scope, args: &[&str]) -> Option<child::Output> {
    let mut command = systemctl::command(systemctl::path(), scope);
    if scope == Scope::User {
        command.arg("--user");
    }
    child::run(command.args(args), systemctl::ASKING).ok()
}

fn sudoers(target: &Target<'_>, steps: &mut Vec<Step>) -> Result<(), Failure> {
    if !target.for_another {
        return Ok(());
    }
    let app = &target.deployment.app;
    let wanted = target.services.iter().map(|service| service.name.clone());
    let mut services: Vec<ServiceName> = wanted.collect();
    let folder = units::folder(Scope::System, &target.home);
    for needed in units::of_releases(&folder, app, &target.layout) {
        if !services.contains(&needed) {
            services.push(needed);
        }
    }
    let text = unit::sudoers(app, &services, &target.login, systemctl::path());
    // No dot: sudo passes over files with one (sudoers(5), "Including other files").
    let path = PathBuf::from(format!("/etc/sudoers.d/ship-{app}"));
    let there = fs::symlink_metadata(&path).is_ok();
    if there && !units::is_ours(&path, app) {
        return Err(not_ours(&path));
    }
    if fs::read_to_string(&path).ok().as_ref() != Some(&text) {
        steps.push(Step::Sudoers { path, text, there });
    }
    Ok(())
}
