//! What is written of a large tree goes to the disk while more comes, so that the sync at the end
//! waits for little.

use std::path::Path;
use std::thread::JoinHandle;

use super::assembled::sync_all;
use super::error::TreeError;

/// After so many bytes the disk is sent to work.
const EVERY: u64 = 32 << 20;

/// A sync beside the writing, again and again.
#[derive(Debug, Default)]
pub(super) struct Flush {
    /// Bytes written since the last one began.
    since: u64,
    running: Option<JoinHandle<Result<(), TreeError>>>,
    /// The system tells of a failure only once: it must not be lost.
    failed: Option<TreeError>,
}

impl Flush {
    /// So many bytes more were written to the file system that holds `path`.
    pub(super) fn wrote(&mut self, bytes: u64, path: &Path) {
        self.since += bytes;
        if self.since < EVERY || !self.running.as_ref().is_none_or(JoinHandle::is_finished) {
            return;
        }
        self.join();
        self.since = 0;
        let path = path.to_owned();
        let sync = std::thread::Builder::new().spawn(move || sync_all(&path));
        // Without a thread the sync at the end does it all.
        self.running = sync.ok();
    }

    /// Waits for the last one.
    ///
    /// # Errors
    /// What one of them met.
    pub(super) fn end(&mut self) -> Result<(), TreeError> {
        self.join();
        self.failed.take().map_or(Ok(()), Err)
    }

    fn join(&mut self) {
        if let Some(Ok(Err(error))) = self.running.take().map(JoinHandle::join) {
            self.failed.get_or_insert(error);
        }
    }
}
