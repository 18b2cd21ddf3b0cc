//! How long the steps of this machine ran, as its own events tell.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::event::{Event, Phase, Sink};

/// How long they ran so far, ms. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Timings(Arc<[AtomicU64; 2]>);

impl Timings {
    /// `sink`, with these hearing what goes there.
    #[must_use]
    pub fn listening(&self, sink: Sink) -> Sink {
        let timings = self.clone();
        sink.and(move |event| {
            if let Event::StepFinished { phase, ms, .. } = event
                && let Some(time) = timings.of(*phase)
            {
                time.fetch_add(*ms, Ordering::Relaxed);
            }
        })
    }

    /// How long the build steps ran.
    #[must_use]
    pub fn build_ms(&self) -> u64 {
        self.0[0].load(Ordering::Relaxed)
    }

    /// How long the test steps ran.
    #[must_use]
    pub fn test_ms(&self) -> u64 {
        self.0[1].load(Ordering::Relaxed)
    }

    fn of(&self, phase: Phase) -> Option<&AtomicU64> {
        match phase {
            Phase::Build => Some(&self.0[0]),
            Phase::Test => Some(&self.0[1]),
            Phase::Hook => None,
        }
    }
}
