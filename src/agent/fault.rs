//! Whose fault it is that a release does not serve: that decides whether the release is a bad one.

use super::prove::Unproven;

/// Whose fault it is that a release does not serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Its own: it was there, and did not become healthy.
    Release,
    /// The host's: its disk, its service manager, or the person who changed something there.
    Host,
    /// Nobody's: it was waited for no longer, because of a cancel, the end of the lease, or another
    /// service that failed.
    Stopped,
}

impl Fault {
    /// Of a release with these services: its own where it is one service's own.
    #[must_use]
    pub fn of(unproven: &[Unproven]) -> Self {
        let has = |fault| unproven.iter().any(|found| found.fault == fault);
        match (has(Self::Release), has(Self::Stopped)) {
            (true, _) => Self::Release,
            (false, true) if !has(Self::Host) => Self::Stopped,
            _ => Self::Host,
        }
    }
}
