//! What time it is, as the reporter sees it; a test turns the hands itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since the reporter began, and the calendar where a format wants it.
#[derive(Debug, Clone)]
pub(super) enum Clock {
    /// The machine's.
    Real(Instant),
    /// Stands still at these milliseconds until it is set.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests build it"))]
    Set(Arc<AtomicU64>),
}

impl Clock {
    pub fn real() -> Self {
        Self::Real(Instant::now())
    }

    /// Milliseconds since the beginning; never goes back.
    pub fn ms(&self) -> u64 {
        match self {
            Self::Real(start) => u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
            Self::Set(ms) => ms.load(Ordering::Relaxed),
        }
    }

    /// Seconds since 1970, UTC.
    pub fn unix(&self) -> u64 {
        match self {
            Self::Real(_) => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
            Self::Set(ms) => 1_700_000_000 + ms.load(Ordering::Relaxed) / 1_000,
        }
    }
}
