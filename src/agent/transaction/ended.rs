//! How a transaction ended, for a controller that comes back too late to hear it.

use crate::agent::activate::by_hand;
use crate::agent::host::Host;
use crate::agent::{history, releases};
use crate::model::Failure;
use crate::wire::{Activated, HistoryEntry};

/// The newest entries of the history that are looked through.
const ENTRIES: usize = 20;

/// How the transaction of this name ended on `host`; `None` when it had not switched. What a
/// recovery did after it died counts as its end.
///
/// # Errors
/// When the history cannot be read, or `current` is not ours.
pub fn ended(host: &Host, transaction: &str) -> Result<Option<Activated>, Failure> {
    let entries = history::newest(&host.layout, ENTRIES)?;
    let Some(entry) = entries
        .iter()
        .find(|entry| entry.transaction.as_deref() == Some(transaction))
    else {
        return Ok(None);
    };
    let is = releases::current(&host.layout)?;
    Ok(Some(activated(host, entry, is)))
}

fn activated(host: &Host, entry: &HistoryEntry, is: Option<crate::model::ReleaseId>) -> Activated {
    let ok = entry.outcome == "good";
    let healthy = entry.outcome != "failed";
    Activated {
        was: entry.from,
        is,
        healthy,
        ok,
        committed: ok,
        why: entry.why.clone(),
        diagnoses: Vec::new(),
        unanswered_ms: None,
        by_hand: match healthy {
            true => Vec::new(),
            false => by_hand(host, entry.from),
        },
    }
}
