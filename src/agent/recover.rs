//! An activation that died half way (kill -9, out of memory, power cut) is found by the next
//! contact: the journal says what to restore.

use std::sync::atomic::AtomicBool;

use super::activate::{Activation, Pending};
use super::host::Host;
use super::{disk, history, journal};
use crate::model::event::HostEvent;
use crate::wire::HistoryEntry;

/// Puts back the release from before an unfinished activation. Call it under the lock. Returns a
/// sentence about what was done, `None` when there was nothing to do.
pub fn recover(host: &Host, emit: &(dyn Fn(HostEvent) + Sync)) -> Option<String> {
    let entry = journal::unfinished(&host.layout).ok().flatten()?;
    let never = AtomicBool::new(false);
    let activation = Activation {
        host,
        stop: &never,
        emit,
    };
    let why = format!("the activation of {} ended without a result", entry.to);
    let back = activation.revert(
        Pending {
            from: entry.from,
            to: entry.to,
        },
        &why,
        false,
    );
    let _ = history::append(
        &host.layout,
        &HistoryEntry {
            transaction: None,
            time: disk::now(),
            what: "recovery".to_owned(),
            release: Some(entry.to),
            from: entry.from,
            outcome: if back.healthy { "reverted" } else { "failed" }.to_owned(),
            why: back.why.clone(),
            who: "ship".to_owned(),
            ci: None,
            commit: None,
            tests_skipped: false,
        },
    );
    let to = entry
        .from
        .map_or_else(|| "nothing".to_owned(), |id| id.to_string());
    Some(if back.healthy {
        format!("{why}; {to} is back")
    } else {
        back.why
            .unwrap_or_else(|| format!("{why}; {to} could not be put back"))
    })
}
