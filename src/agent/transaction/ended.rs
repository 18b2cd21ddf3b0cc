//! How a transaction ended, for a controller that comes back too late to hear it.

use std::time::{Duration, Instant};

use crate::agent::activate::by_hand;
use crate::agent::host::Host;
use crate::agent::{history, query, releases};
use crate::model::{Failure, Operation, OperationOutcome, ReleaseId};
use crate::wire::Activated;

/// The newest entries of the history that are looked through.
const ENTRIES: usize = 20;

/// How long the services of a host that has just booted may take to answer.
const STARTING: Duration = Duration::from_secs(30);

/// How the transaction of this name ended on `host`; `None` when it had not switched. What a
/// recovery did after it died counts as its end. Healthy is what serves now, or within half a minute.
///
/// # Errors
/// When the history cannot be read, or `current` is not ours.
pub fn ended(host: &Host, transaction: &str) -> Result<Option<Activated>, Failure> {
    let entries = history::newest_transactions(&host.layout, ENTRIES)?;
    let Some(entry) = entries
        .iter()
        .find(|entry| entry.id.as_deref() == Some(transaction))
    else {
        return Ok(None);
    };
    let is = releases::current(&host.layout)?;
    // At boot nothing was proven: the services may only just be starting.
    let healthy = entry.outcome != OperationOutcome::Failed && (is.is_none() || serves_soon(host));
    Ok(Some(activated(host, entry, is, healthy)))
}

/// Whether the live release serves, now or in a moment.
fn serves_soon(host: &Host) -> bool {
    let asked = Instant::now();
    loop {
        if query::status(host).is_ok_and(|status| status.serves()) {
            return true;
        }
        if asked.elapsed() >= STARTING {
            return false;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn activated(host: &Host, entry: &Operation, is: Option<ReleaseId>, healthy: bool) -> Activated {
    let ok = entry.outcome == OperationOutcome::Good;
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
