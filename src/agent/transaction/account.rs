//! What is known of a transaction while it goes on, for its entry in the history: what its events tell,
//! and how much came.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Transaction;
use super::speaker::Subscriber;
use crate::agent::{disk, history, releases};
use crate::model::event::HostEvent;
use crate::model::{Operation, OperationOutcome, ReleaseId};

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

impl Transaction {
    /// What the history tells of this transaction, which ends now.
    pub(super) fn operation(
        &self,
        release: Option<ReleaseId>,
        from: Option<ReleaseId>,
        outcome: OperationOutcome,
        why: Option<&str>,
    ) -> Operation {
        let origin = release
            .and_then(|id| releases::read(&self.host.layout, id).ok())
            .map(|release| release.origin)
            .unwrap_or_default();
        let holder = &self.begin.holder;
        let Told {
            flipped,
            unanswered_ms,
            sent,
        } = self.account.told();
        Operation {
            started: Some(self.started.clone()),
            flipped,
            release,
            from,
            why: why.map(str::to_owned),
            unanswered_ms,
            sent,
            made: self.made.clone(),
            who: holder.who.clone(),
            ci: holder.ci.clone(),
            commit: origin.commit,
            tests_skipped: origin.tests_skipped,
            ..Operation::new(
                Some(self.begin.transaction.clone()),
                holder.what.clone(),
                outcome,
                disk::now(),
            )
        }
    }

    /// Writes it into the history.
    pub(super) fn record(&self, operation: Operation) {
        if let Err(error) = history::append(&self.host.layout, &operation) {
            self.speaker.event(HostEvent::Warning {
                text: format!("the history was not written: {error}"),
            });
        }
    }

    /// Writes how this ended into the history.
    pub(super) fn note(
        &self,
        release: Option<ReleaseId>,
        from: Option<ReleaseId>,
        outcome: OperationOutcome,
        why: Option<&str>,
    ) {
        self.record(self.operation(release, from, outcome, why));
    }
}
