//! What is not yet as it should be: looks at the host, changes nothing.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::closed::{Below, Closed};
use super::step::{Step, WrittenUnit};
use super::{
    Entry, Target, entries, foreign, itself, kept, keys, names, ownership, places, settings, units,
};
use crate::agent::as_app::{self, Barred};
use crate::agent::disk;
use crate::agent::service::child::{self, Answer};
use crate::agent::service::{JOURNAL_GROUP, Scope, account, systemctl, unit};
use crate::model::{Failure, Instance, ServiceManagerKind, ServiceSpec};

/// The steps that make the host ready, in order.
///
/// # Errors
/// `Refused` when they could not be made.
pub fn plan(target: &Target<'_>) -> Result<Vec<Step>, Failure> {
    let mut steps = Vec::new();
    places::refuse(target)?;
    for reader in &target.deployment.readable_by {
        if account::find(reader)?.is_none() {
            return Err(Failure::refused(format!(
                "`release.readable-by` names {reader}, and this host has no such user"
            ))
            .hint("install what makes that user, or take the name out of `readable-by`"));
        }
    }
    if let Some(why) = disk::unusable_mount(target.layout.root()) {
        return Err(Failure::refused(why).hint(disk::REMOUNT));
    }
    match target.deployment.manager {
        ServiceManagerKind::Systemd => system(target, &mut steps)?,
        ServiceManagerKind::SystemdUser if target.is_setup && target.for_another => {
            by_root(target, &mut steps)?
        }
        ServiceManagerKind::SystemdUser => user(target, &mut steps)?,
        ServiceManagerKind::Supervisor => {
            login(target, &mut steps)?;
            folders(target, &target.login, &mut steps)?;
            agent(target, &mut steps)?;
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
    needs_systemd()?;
    names::refuse(target)?;
    if target.is_setup && target.for_another && !has_sudo() {
        return Err(Failure::refused(format!(
            "sudo is not installed, and {deployer} needs it to restart services"
        ))
        .hint(if Path::new("/usr/bin/apt-get").exists() {
            "as root on the host: apt-get install --yes sudo"
        } else {
            "install the package sudo on the host"
        }));
    }
    login(target, steps)?;
    if deployment.user != *deployer && account::find(&deployment.user)?.is_none() {
        steps.push(Step::SystemUser {
            name: deployment.user.clone(),
            home: target.layout.shared(),
            comment: names::comment(&deployment.app),
        });
    }
    journal(target, steps)?;
    can_enter(target)?;
    folders(target, &deployment.user, steps)?;
    unit_files(target, Scope::System, steps)?;
    sudoers(target, steps)?;
    if target.is_setup {
        ownership::plan(target, steps)?;
        restarts(target, steps)?;
    }
    agent(target, steps)?;
    Ok(())
}

/// What only root can do for the services of a user.
fn by_root(target: &Target<'_>, steps: &mut Vec<Step>) -> Result<(), Failure> {
    needs_systemd()?;
    login(target, steps)?;
    journal(target, steps)?;
    linger(target, steps);
    Ok(())
}

fn user(target: &Target<'_>, steps: &mut Vec<Step>) -> Result<(), Failure> {
    needs_systemd()?;
    linger(target, steps);
    folders(target, &target.login, steps)?;
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

/// Whether sudo and its visudo are there. They are looked for and not asked: without a name server
/// that answers sudo may take half a minute for any word.
fn has_sudo() -> bool {
    ["sudo", "visudo"]
        .iter()
        .all(|program| child::find(program).is_some())
}

fn login(target: &Target<'_>, steps: &mut Vec<Step>) -> Result<(), Failure> {
    if target.for_another && account::find(&target.login)?.is_none() {
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
    Ok(())
}

fn journal(target: &Target<'_>, steps: &mut Vec<Step>) -> Result<(), Failure> {
    if target.is_setup
        && target.for_another
        && account::group_exists(JOURNAL_GROUP)?
        && !account::is_listed(&target.login, JOURNAL_GROUP)?
    {
        steps.push(Step::Join {
            user: target.login.clone(),
            group: JOURNAL_GROUP.to_owned(),
        });
    }
    Ok(())
}

fn linger(target: &Target<'_>, steps: &mut Vec<Step>) {
    if target.is_setup && !lingers(&target.login) {
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
fn folders(target: &Target<'_>, app: &str, steps: &mut Vec<Step>) -> Result<(), Failure> {
    let root = target.layout.root();
    if !root.exists() {
        steps.push(Step::Parents {
            path: root.to_owned(),
        });
    }
    let deployer = &target.login;
    folder(root, "", deployer, Some(0o755), steps)?;
    folder(root, "runtimes", deployer, Some(0o755), steps)?;
    gates(target, steps)?;
    // What is there may be closed to others, or lead to another disk: as somebody chose.
    folder(root, "shared", app, None, steps)?;
    for entry in entries(target.shared) {
        let below = Path::new("shared").join(entry.path());
        match entry {
            Entry::Folder(_) => folder(root, below, app, None, steps)?,
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
    Ok(())
}

/// The folders that close the app to other users, with what an older setup left open below them.
fn gates(target: &Target<'_>, steps: &mut Vec<Step>) -> Result<(), Failure> {
    let (deployment, root) = (target.deployment, target.layout.root());
    let owner = account::find(&target.login)?.map(|account| account.uid);
    let services = account::find(&deployment.user)?;
    let is_right = |closed: &Closed, there: bool| {
        let services_there = !deployment.manager.is_system_wide() || services.is_some();
        there
            && services_there
            && owner.is_some_and(|owner| closed.gate(owner).is_at(&root.join(closed.below())))
    };
    for below in [Below::Releases, Below::State, Below::Staging] {
        let closed = Closed {
            root: root.to_owned(),
            below,
            deployment: deployment.clone(),
            owner: target.login.clone(),
        };
        let found = fs::symlink_metadata(root.join(closed.below()));
        // The agent makes the staging folder below one that gives it the group. Whatever else has
        // its name is the deploying user's to repair.
        let there = found.is_ok_and(|found| below != Below::Staging || found.is_dir());
        if below == Below::Staging && !there || is_right(&closed, there) {
            continue;
        }
        steps.push(Step::Close { closed, there });
    }
    if let Some(owner) = owner {
        steps.extend(kept::of_older_setup(deployment, &target.layout, owner).map(Step::Release));
    }
    Ok(())
}

/// Brought by root's connection, it is at hand for the deploying user's too. The last step: without
/// room for it the host is ready all the same.
fn agent(target: &Target<'_>, steps: &mut Vec<Step>) -> Result<(), Failure> {
    if !target.for_another || !target.is_setup {
        return Ok(());
    }
    let Some((program, name)) = itself::program() else {
        return Ok(());
    };
    let base = target.layout.root();
    let bin = Path::new(".ship/bin");
    folder(base, bin, &target.login, Some(0o755), steps)?;
    let below = bin.join(name);
    if fs::symlink_metadata(base.join(&below)).is_err() {
        steps.push(Step::Agent {
            program,
            base: base.to_owned(),
            below,
            owner: target.login.clone(),
        });
    }
    Ok(())
}

/// A folder of the root folder; `mode` is corrected only where it is given.
fn folder(
    base: &Path,
    below: impl Into<PathBuf>,
    owner: &str,
    mode: Option<u32>,
    steps: &mut Vec<Step>,
) -> Result<(), Failure> {
    let below = below.into();
    let found = match fs::symlink_metadata(base.join(&below)) {
        // Where the root folder itself is a link, its target counts.
        Ok(meta) if meta.is_symlink() && below.as_os_str().is_empty() => fs::metadata(base).ok(),
        Ok(meta) if meta.is_symlink() => return Ok(()),
        found => found.ok(),
    };
    let uid = account::find(owner)?.map(|account| account.uid);
    let right = found.as_ref().is_some_and(|meta| {
        Some(meta.uid()) == uid && mode.is_none_or(|mode| meta.mode() & 0o777 == mode)
    });
    if right {
        return Ok(());
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
    Ok(())
}

/// Whether the services' user gets through to the root folder.
fn can_enter(target: &Target<'_>) -> Result<(), Failure> {
    let user = &target.deployment.user;
    match closed_parent(target.layout.root(), user)? {
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
///
/// # Errors
/// When the name service does not say who `user` is.
pub fn closed_parent(root: &Path, user: &str) -> Result<Option<PathBuf>, Failure> {
    let account = account::find(user)?;
    if account.as_ref().is_some_and(|account| account.uid == 0) {
        return Ok(None);
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
    Ok(parents.into_iter().find(is_closed).map(Path::to_owned))
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
    for (at, unit) in wanted.iter().enumerate() {
        // The last one is that of the recovery.
        let service = target.services.get(at).map(|service| service.name.clone());
        let path = folder.join(&unit.name);
        let there = fs::symlink_metadata(&path).is_ok();
        if !units::is_ours(&path, app) {
            if let Some(found) = foreign::unit(scope, &folder, &target.home, app, &unit.name) {
                return Err(foreign::not_ours(&found));
            }
            if scope == Scope::System && service.is_some() {
                foreign::refuse_runtime_folder(&unit.name, &target.deployment.user)?;
            }
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        if !there || found != unit.text {
            steps.push(Step::Unit(WrittenUnit {
                path,
                differences: settings::differences(&found, &unit.text),
                service,
                text: unit.text.clone(),
                there,
            }));
            changed = true;
        }
    }
    for unit in units::stale(&folder, app, &target.layout, &names) {
        let path = folder.join(&unit);
        steps.push(Step::Retire { scope, unit, path });
        changed = true;
    }
    if target.is_setup && (changed || needs_reload(scope, &names)?) {
        steps.push(Step::Reload { scope });
    }
    for name in names {
        match is_enabled(scope, &folder, &name) {
            Answer::Yes => {}
            Answer::No => steps.push(Step::Enable { scope, unit: name }),
            Answer::Unknown(why) if target.is_setup => return Err(Failure::unexpected(why)),
            Answer::Unknown(_) => {}
        }
    }
    Ok(())
}

/// Services that run as another user from now on, and run right now.
fn restarts(target: &Target<'_>, steps: &mut Vec<Step>) -> Result<(), Failure> {
    let changed = steps.iter().filter_map(|step| match step {
        Step::Unit(unit) if unit.there => unit.former_user().and(unit.path.file_name()),
        _ => None,
    });
    let units: Vec<String> = changed
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    for unit in units {
        let state = query(Scope::System, &["is-active", &unit]).map_err(Failure::unexpected)?;
        if state.stdout.trim() == "active" {
            let user = target.deployment.user.clone();
            steps.push(Step::Restart { unit, user });
        }
    }
    Ok(())
}

/// Whether a unit was written and systemd not told, as after an interrupted setup.
fn needs_reload(scope: Scope, names: &[String]) -> Result<bool, Failure> {
    let mut args = vec!["show", "--property=NeedDaemonReload"];
    args.extend(names.iter().map(String::as_str));
    let output = query(scope, &args).map_err(Failure::unexpected)?;
    Ok(output.stdout.contains("NeedDaemonReload=yes"))
}

/// Whether a unit starts at boot. The link that `systemctl enable` makes is looked for first.
pub fn is_enabled(scope: Scope, folder: &Path, name: &str) -> Answer {
    let wanted = match scope {
        Scope::System => "multi-user.target.wants",
        Scope::User => "default.target.wants",
    };
    if fs::symlink_metadata(folder.join(wanted).join(name)).is_ok() {
        return Answer::Yes;
    }
    match query(scope, &["is-enabled", name]) {
        Ok(output) => (output.stdout.trim() == "enabled").into(),
        Err(why) => Answer::Unknown(why),
    }
}

/// Asks systemctl; why there is no answer, as a sentence.
fn query(scope: Scope, args: &[&str]) -> Result<child::Output, String> {
    let mut command = systemctl::command(systemctl::path(), scope);
    if scope == Scope::User {
        command.arg("--user");
    }
    command.args(args);
    child::run(&mut command, systemctl::ASKING).map_err(|why| why.of(&command))
}

fn sudoers(target: &Target<'_>, steps: &mut Vec<Step>) -> Result<(), Failure> {
    // Only root can read it; the deploying user asks sudo.
    if !target.for_another || !target.is_setup {
        return Ok(());
    }
    let app = &target.deployment.app;
    let wanted = target.services.iter().map(ServiceSpec::instance);
    let mut instances: Vec<Instance> = wanted.collect();
    let folder = units::folder(Scope::System, &target.home);
    for needed in units::of_releases(&folder, app, &target.layout) {
        let needed = Instance::only(&needed);
        if !instances.contains(&needed) {
            instances.push(needed);
        }
    }
    let (deployment, login) = (target.deployment, target.login.as_str());
    let barred = as_app::barred_by_root(deployment, login)?;
    let user = deployment.user.as_str();
    let run_as = barred.is_none().then_some(user);
    let text = unit::sudoers(app, &instances, login, run_as, systemctl::path());
    let barred = barred.filter(Barred::is_worth_telling);
    let barred =
        barred.map(|why| format!("hooks and health commands run as {login}: {user} {why}"));
    let others = units::of_others(&folder, app, user);
    let remarks = barred.into_iter().chain(others).collect();
    // No dot: sudo passes over files with one (sudoers(5), "Including other files").
    let path = PathBuf::from(format!("/etc/sudoers.d/ship-{app}"));
    let there = fs::symlink_metadata(&path).is_ok();
    if there && !units::is_ours(&path, app) {
        return Err(foreign::not_ours(&path));
    }
    if fs::read_to_string(&path).ok().as_ref() != Some(&text) {
        steps.push(Step::Sudoers {
            path,
            text,
            there,
            remarks,
        });
    }
    Ok(())
}
