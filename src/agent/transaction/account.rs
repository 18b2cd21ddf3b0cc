//! What is known of a transaction while it goes on, for its entry in the history: what its events tell,
//! and how much came.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::speaker::Subscriber;
use crate::agent::disk;
use crate::model::event::HostEvent;

/// What was heard so far. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Account(Arc<Mutex<Told>>);

/// See the fields of the same names of [`Operation`](crate::model::Operation).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub flipped: Option<String>,
    pub unanswered_ms: Option<u64>,
    pub sent: Option<u64>,
}

impl Account {
    /// What was heard so far.
    pub(super) fn told(&self) -> Told {
        self.inner().clone()
    }

    /// So many more bytes of a release came.
    pub(super) fn came(&self, bytes: usize) {
        let mut inner = self.inner();
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        inner.sent = Some(inner.sent.unwrap_or(0).saturating_add(bytes));
    }

    /// Hears the events of the transaction.
    pub(super) fn subscriber(&self) -> Subscriber {
        let account = self.clone();
        Box::new(move |event| account.inner().hear(event))
    }

    fn inner(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    fn hear(&mut self, event: &HostEvent) {
        match event {
            // The first one: a way back flips, too.
            HostEvent::Flipped { .. } => {
                self.flipped.get_or_insert_with(disk::now);
            }
            HostEvent::Proven { unanswered_ms, .. } | HostEvent::Reverted { unanswered_ms, .. } => {
                self.unanswered_ms = self.unanswered_ms.max(*unanswered_ms);
            }
            _ => {}
        }
    }
}
