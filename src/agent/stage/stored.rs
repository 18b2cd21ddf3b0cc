//! The index of the release on its way to the disk, beside the rest of the work: for a large tree it
//! is megabytes that have to be synced.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::SystemTime;

use crate::agent::disk;
use crate::artifact::Index;
use crate::model::Failure;

/// An index that is being written.
#[derive(Debug)]
pub(super) struct StoredIndex {
    path: PathBuf,
    writing: JoinHandle<io::Result<File>>,
}

impl StoredIndex {
    /// Begins to write `index` into `folder`, with fsync.
    pub(super) fn begin(index: &Arc<Index>, folder: &Path) -> Self {
        let path = folder.join("index.new");
        let (index, to) = (Arc::clone(index), path.clone());
        let writing = std::thread::spawn(move || {
            let bytes = index.encode().map_err(io::Error::other)?;
            let mut options = OpenOptions::new();
            let options = options.write(true).create(true).truncate(true).mode(0o600);
            let written = options.open(&to).and_then(|mut file| {
                file.write_all(&bytes)?;
                file.sync_data()?;
                Ok(file)
            });
            written.map_err(|error| disk::named(error, &to))
        });
        Self { path, writing }
    }

    /// Renames it to `to`. Its time says when the release was complete: now.
    ///
    /// # Errors
    /// When it could not be written.
    pub(super) fn publish(self, to: &Path) -> Result<(), Failure> {
        let ended = || Failure::unexpected("the index was not written to its end");
        let file = self.writing.join().map_err(|_| ended())??;
        file.set_modified(SystemTime::now())?;
        fs::rename(&self.path, to).map_err(|error| disk::named(error, to))?;
        Ok(())
    }
}
