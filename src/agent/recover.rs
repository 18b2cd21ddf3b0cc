//! An activation that died half way (kill -9, out of memory, power cut) is found by the next
//! contact, and at boot before the services start: the journal says what to restore.

use std::io;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::activate::{Activation, Back, Ended, Pending, Recovered, When};
use super::host::Host;
use super::journal::Entry;
use super::lock::Lock;
use super::service::supervisor;
use super::switch_plan::Step;
use super::{Layout, disk, flip, history, journal, releases, stage};
use crate::model::event::HostEvent;
use crate::model::{Operation, OperationKind};
use crate::wire::Holder;

/// What a recovery is called in the history and as a holder of the lock.
pub const WHAT: OperationKind = OperationKind::Recovery;

/// Brings an activation that died to its end. Call it under the lock. Returns a sentence about
/// what was done, `None` when there was nothing to do.
pub fn recover(host: &Host, emit: &(dyn Fn(HostEvent) + Sync)) -> Option<String> {
    let Some(left) = journal::unfinished(&host.layout).ok().flatten() else {
        flip::clear(&host.layout);
        return None;
    };
    Some(end(host, &left, When::Contact, emit))
}

/// The same while the host boots, before it starts the services: then they only have to be started
/// from the right release. An activation of this very boot is not touched: it may be under way, and
/// the next contact finds it.
///
/// # Errors
/// When the journal cannot be read, the lock not be looked at, or no transaction left word of
/// which app this is.
pub fn at_boot(root: &Path) -> io::Result<()> {
    before_the_services(root, |_, left| is_of_another_boot(left))
}

/// The same before the built-in supervisor starts: a container that is restarted is in the boot of
/// its machine still, and what ran in it is gone. Where something runs, another supervisor did, and
/// the next contact restarts it.
///
/// # Errors
/// As [`at_boot`].
pub fn with_supervisor(root: &Path) -> io::Result<()> {
    before_the_services(root, |layout, left| {
        is_of_another_boot(left) || !supervisor::runs_something(layout)
    })
}

/// Under the lock `is_over` says whether nobody is at the activation that was left.
fn before_the_services(root: &Path, is_over: impl Fn(&Layout, &Entry) -> bool) -> io::Result<()> {
    let layout = Layout::at(root);
    let Some(_lock) = Lock::take(&layout, &holder())? else {
        return Ok(());
    };
    stage::clean(&layout);
    match journal::unfinished(&layout)? {
        None => flip::clear(&layout),
        Some(left) if is_over(&layout, &left) => {
            end(&Host::at(layout)?, &left, When::Boot, &|_| {});
        }
        Some(_) => {}
    }
    Ok(())
}

/// Who holds the lock while something is repaired.
#[must_use]
pub fn holder() -> Holder {
    Holder {
        what: WHAT,
        who: "ship".to_owned(),
        since: Some(disk::now()),
        ci: None,
        doing: None,
        is_tidying: false,
    }
}

/// What is known of how an activation died.
fn how_it_died(left: &Entry) -> String {
    let Entry { to, step, .. } = left;
    let failed = match step {
        Step::Failed => format!("{to} failed, and "),
        _ => String::new(),
    };
    match is_of_another_boot(left) {
        true => format!("{failed}the host lost power or restarted during the activation of {to}"),
        false => format!("{failed}the activation of {to} ended without a result"),
    }
}

fn is_of_another_boot(left: &Entry) -> bool {
    left.boot.is_some() && left.boot != journal::boot()
}

fn end(host: &Host, left: &Entry, when: When, emit: &(dyn Fn(HostEvent) + Sync)) -> String {
    let never = AtomicBool::new(false);
    let record = |ended: Ended<'_>| record(host, left, ended);
    let activation = Activation {
        host,
        transaction: left.transaction.as_deref(),
        stop: &never,
        left: &never,
        emit,
        record: &record,
    };
    let why = how_it_died(left);
    let from = left
        .from
        .map_or_else(|| "the empty state".to_owned(), |id| id.to_string());
    match activation.recover(left, when, &why) {
        Ok(Recovered::Kept) => format!("{why}; every host had proven it, so it stays live"),
        Ok(Recovered::Left) => format!("{why}; somebody else chose another release since"),
        Ok(Recovered::Back(Back::Healthy)) if left.from.is_none() => {
            format!("{why}; nothing was live before, and nothing is now")
        }
        Ok(Recovered::Back(Back::Healthy)) => format!("{why}; {from} is back"),
        Ok(Recovered::Back(Back::Unhealthy(trouble) | Back::Undone(trouble))) | Err(trouble) => {
            format!("{why}; and putting {from} back failed: {}", trouble.failure)
        }
    }
}

fn record(host: &Host, left: &Entry, ended: Ended<'_>) {
    let Ended {
        pending,
        ending,
        why,
        unanswered_ms,
    } = ended;
    let layout = &host.layout;
    let Pending { from, to, .. } = pending;
    let origin = releases::read(layout, to).map(|release| release.origin);
    let entry = Operation {
        release: Some(to),
        from,
        why: why.map(str::to_owned),
        unanswered_ms,
        who: "ship".to_owned(),
        commit: origin.ok().and_then(|origin| origin.commit),
        ..Operation::new(left.transaction.clone(), WHAT, ending.into(), disk::now())
    };
    // A repair that each contact tries in vain is told once.
    let last = history::newest_transactions(layout, 1).unwrap_or_default();
    let is_told = last.first().is_some_and(|last| {
        (&last.what, last.release, &last.why) == (&entry.what, entry.release, &entry.why)
    });
    if !is_told {
        // The host is repaired, whether that can be told or not.
        let _ = history::append(layout, &entry);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::os::unix::process::CommandExt;
    use std::process::Command;
    use std::time::{Duration, Instant};

    use serde_json::json;

    use super::*;
    use crate::agent::switch_plan::SwitchPlan;
    use crate::model::{Deployment, ReleaseId, ServiceManagerKind};

    /// An activation of v2 in this very boot, which v1 was live before, and nobody is at.
    fn left() -> (tempfile::TempDir, Layout) {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path());
        let deployment = Deployment {
            app: "shop".try_into().unwrap(),
            environment: "production".try_into().unwrap(),
            root: Some(folder.path().display().to_string()),
            manager: ServiceManagerKind::Supervisor,
            user: "shop".to_owned(),
            readable_by: Vec::new(),
        };
        let (from, to) = (ReleaseId(1), ReleaseId(2));
        for id in [from, to] {
            fs::create_dir_all(layout.release(id).join(".ship")).unwrap();
        }
        fs::create_dir_all(layout.state_file("states")).unwrap();
        fs::write(
            layout.deployment(),
            serde_json::to_vec(&deployment).unwrap(),
        )
        .unwrap();
        symlink("releases/v2", layout.root().join("current")).unwrap();
        let entry = Entry {
            step: Step::Flipping,
            plan: SwitchPlan::default(),
            from: Some(from),
            to,
            boot: journal::boot(),
            transaction: None,
        };
        journal::note(&layout, &entry).unwrap();
        (folder, layout)
    }

    fn live(layout: &Layout) -> u32 {
        releases::current(layout).unwrap().unwrap().0
    }

    /// A supervisor that starts puts `v1` back. A process that another test begins has the lock of
    /// the look before, too, until it is another program.
    fn goes_back(layout: &Layout) {
        let end = Instant::now() + Duration::from_secs(10);
        while live(layout) != 1 {
            assert!(Instant::now() < end, "it does not go back");
            with_supervisor(layout.root()).unwrap();
        }
    }

    /// A container's boot is its machine's: what was not proven was started, and stayed.
    #[test]
    fn a_container_that_is_restarted_starts_the_release_before() {
        let (_folder, layout) = left();
        at_boot(layout.root()).unwrap();
        assert_eq!(live(&layout), 2, "of this boot it may be under way");
        goes_back(&layout);
        assert_eq!(journal::unfinished(&layout).unwrap(), None);
    }

    #[test]
    fn what_is_under_way_is_not_touched_by_a_supervisor() {
        let (_folder, layout) = left();
        let lock = Lock::take(&layout, &holder()).unwrap().unwrap();
        with_supervisor(layout.root()).unwrap();
        assert_eq!(live(&layout), 2);
        drop(lock);
    }

    /// `current` is not taken away from under a service that runs on.
    #[test]
    fn nor_is_what_runs() {
        let (_folder, layout) = left();
        let mut service = Command::new("sleep")
            .arg("1000")
            .process_group(0)
            .spawn()
            .unwrap();
        let process = json!({
            "pid": service.id(), "born": "", "invocation": "none", "stop_timeout_ms": 0,
        });
        let record = json!({ "services": { "web": { "wanted": true, "process": process } } });
        fs::write(layout.supervisor_record(), record.to_string()).unwrap();
        with_supervisor(layout.root()).unwrap();
        assert_eq!(live(&layout), 2);
        service.kill().unwrap();
        service.wait().unwrap();
        goes_back(&layout);
    }
}
