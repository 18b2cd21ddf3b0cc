//! An activation that died half way (kill -9, out of memory, power cut) is found by the next
//! contact: the journal says what to restore.

use std::sync::atomic::AtomicBool;

use super::activate::{Activation, Pending};
use super::host::Host;
use super::{disk, history, journal, releases};
use crate::model::ReleaseState;
use crate::model::event::HostEvent;
use crate::wire::HistoryEntry;

/// What a recovery is called in the history.
pub const WHAT: &str = "recovery";

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
    if entry.step == journal::Step::Precommitted {
        return keep(host, &entry);
    }
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
            what: WHAT.to_owned(),
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

/// Every host had proven the release: it stays.
fn keep(host: &Host, entry: &journal::Entry) -> Option<String> {
    let layout = &host.layout;
    let (from, to) = (entry.from, entry.to);
    releases::set_state(layout, to, ReleaseState::Good).ok()?;
    let step = journal::Step::Committed;
    journal::note(layout, &journal::Entry { step, from, to }).ok()?;
    Some(format!("{to} was proven on every host, and stays"))
}
