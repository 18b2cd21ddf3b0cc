//! What a host has already.

use std::path::PathBuf;
use std::time::SystemTime;

use super::index::Index;

/// The contents that the releases of this host hold, by digest.
#[derive(Debug, Clone, Default)]
pub struct Known {}

impl Known {
    /// Knows nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the release at `root` (absolute) with its stored `index`; add the newest first, it is
    /// asked first. `assembled` is when it was complete: a file changed later is not trusted. The
    /// time of the stored index on disk serves.
    pub fn add(&mut self, root: PathBuf, index: &Index, assembled: SystemTime) {
        let _ = (root, index, assembled);
    }
}
