//! What an agent finds on its host when it comes.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::gate::Gate;
use super::host::{Host, writable};
use super::lock::Lock;
use super::service::account;
use super::{Layout, adopt, disk, fleet_note, freeze, releases, root_id};
use crate::model::{Deployment, Failure};
use crate::wire::Facts;

/// Makes the app's folders where that needs no rights but our own. With `systemd` the root folder
/// is made by setup, as root. Only for what changes the host: a question leaves no trace.
///
/// # Errors
/// When a folder cannot be made.
pub fn prepare(host: &Host) -> Result<(), Failure> {
    let layout = &host.layout;
    if !host.deployment.manager.is_system_wide() {
        make(layout.root())?;
        make(&layout.shared())?;
    }
    if owned(layout.root()) {
        closed(host, &layout.releases(), Gate::of_releases)?;
        closed(host, &layout.state(), Gate::of)?;
    }
    if owned(&layout.state()) && is_ours(layout) {
        for name in ["states", "indexes", "staging", "trash", "bin"] {
            make(&layout.state_file(name))?;
        }
    }
    Ok(())
}

/// Whether `path` is there and belongs to this process's user: root, who may write everywhere,
/// must leave nothing of its own in the deploying user's folders (`ship setup --as root`).
fn owned(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).is_ok_and(|found| found.uid() == rustix::process::geteuid().as_raw())
}

/// Whether what lies in the root folder may be trusted: what is another user's can lead root astray.
#[must_use]
pub fn is_ours(layout: &Layout) -> bool {
    !rustix::process::geteuid().is_root() || owned(layout.root())
}

/// Makes a folder that is closed to other users, unless it is there. Where the services have a user of
/// their own only setup can close it and let them in.
fn closed(
    host: &Host,
    path: &Path,
    gate: impl FnOnce(&Deployment, u32) -> Gate,
) -> Result<(), Failure> {
    let gate = gate(&host.deployment, rustix::process::geteuid().as_raw());
    if gate.group.is_some() {
        return make(path);
    }
    let made = gate.make(path);
    made.map_err(|error| disk::named(error, path).into())
}

fn make(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|error| disk::named(error, path).into())
}

/// Whether the root folder is there, ours and complete.
#[must_use]
pub fn ready(host: &Host) -> bool {
    writable(&host.layout.state()) && writable(&host.layout.releases())
}

/// Looks around.
///
/// # Errors
/// When what is recorded cannot be read, or `current` is neither ours nor can be adopted.
pub fn gather(host: &Host, recovered: Vec<String>) -> Result<Facts, Failure> {
    let layout = &host.layout;
    let adoptable = adopt::find(layout)?.map(|foreign| foreign.shown());
    let current = match adoptable {
        Some(_) => None,
        None => releases::current(layout)?,
    };
    let uname = rustix::system::uname();
    Ok(Facts {
        hostname: uname.nodename().to_string_lossy().into_owned(),
        user: user_name(),
        uid: rustix::process::geteuid().as_raw(),
        platform: format!(
            "{}-{}",
            uname.machine().to_string_lossy(),
            uname.sysname().to_string_lossy().to_lowercase()
        ),
        root: layout.root().display().to_string(),
        ready: ready(host),
        current,
        adoptable,
        identity: current.and_then(|id| releases::identity(layout, id)),
        last: releases::last(layout)?,
        releases: releases::summaries(layout)?,
        holder: Lock::holder(layout)?,
        freeze: freeze::read(layout),
        fleet: fleet_note::read(layout),
        clock_ms: clock_ms(),
        recovered,
        root_id: root_id::of(layout),
        is_login_old: false,
        bare: Vec::new(),
    })
}

/// This host's clock, ms since the epoch.
#[must_use]
pub fn clock_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| {
            u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
        })
}

fn user_name() -> String {
    std::env::var("USER")
        .or_else(|_| std::env::var("LOGNAME"))
        .unwrap_or_else(|_| {
            let uid = rustix::process::geteuid().as_raw();
            account::by_uid(uid).map_or_else(|| uid.to_string(), |account| account.name)
        })
}
