//! Whether a command shall stop, and whether it still can.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::model::ReleaseId;

/// How far the release has come that a stop would take back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nothing is decided: a stop leads back.
    Open,
    /// The hosts are being told that the release stays.
    Decided(ReleaseId),
    /// The release is final.
    Final(ReleaseId),
}

/// Asks a command to stop. A clone asks the same command.
#[derive(Debug, Clone)]
pub struct Stop {
    asked: watch::Sender<bool>,
    stage: Arc<Mutex<Stage>>,
}

impl Default for Stop {
    fn default() -> Self {
        Self {
            asked: watch::Sender::new(false),
            stage: Arc::new(Mutex::new(Stage::Open)),
        }
    }
}

impl Stop {
    /// Turns `true` when the command shall stop.
    #[must_use]
    pub fn asked(&self) -> watch::Receiver<bool> {
        self.asked.subscribe()
    }

    /// Asks it to stop, unless that comes too late: while the hosts are being told. The stage says
    /// what it means.
    pub fn ask(&self) -> Stage {
        let stage = self.lock();
        if !matches!(*stage, Stage::Decided(_)) {
            self.asked.send_replace(true);
        }
        *stage
    }

    /// How far the release has come.
    #[must_use]
    pub fn stage(&self) -> Stage {
        *self.lock()
    }

    /// From now on `release` stays; `false` when a stop was asked for before.
    #[must_use]
    pub fn decide(&self, release: ReleaseId) -> bool {
        let mut stage = self.lock();
        let may = !*self.asked.borrow();
        if may {
            *stage = Stage::Decided(release);
        }
        may
    }

    /// A host could not be told: the hosts go back.
    pub fn reopen(&self) {
        *self.lock() = Stage::Open;
    }

    /// `release` is final.
    pub fn settle(&self, release: ReleaseId) {
        *self.lock() = Stage::Final(release);
    }

    fn lock(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V2: ReleaseId = ReleaseId(2);

    #[test]
    fn what_is_decided_is_not_stopped_any_more() {
        let stop = Stop::default();
        let asked = stop.asked();
        assert!(stop.decide(V2));
        assert_eq!(stop.ask(), Stage::Decided(V2));
        assert!(!*asked.borrow());
        stop.settle(V2);
        assert_eq!(stop.ask(), Stage::Final(V2));
        assert!(*asked.borrow());
    }

    #[test]
    fn what_was_asked_for_before_is_obeyed() {
        let stop = Stop::default();
        assert_eq!(stop.ask(), Stage::Open);
        assert!(!stop.decide(V2));
        assert_eq!(stop.stage(), Stage::Open);
    }
}
