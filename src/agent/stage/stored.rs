//! The index of the release on its way to the disk, beside the rest of the work: for a large tree it
//! is megabytes that have to be synced.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::SystemTime;

use crate::agent::disk;
use crate::artifact::{Index, remove_tree};
use crate::model::Failure;

/// An index that is being written, in a folder of its own. Dropped, it is gone.
#[derive(Debug)]
pub(super) struct StoredIndex {
    folder: PathBuf,
    writing: Option<JoinHandle<io::Result<fs::File>>>,
}

impl StoredIndex {
    /// Begins to write `index` into a new folder in `staging`, with fsync.
    pub(super) fn begin(index: &Arc<Index>, staging: &Path) -> Self {
        let folder = staging.join(disk::unique());
        let (index, to) = (Arc::clone(index), file(&folder));
        let writing = std::thread::spawn(move || {
            let bytes = index.encode().map_err(io::Error::other)?;
            let mut options = OpenOptions::new();
            let options = options.write(true).create_new(true).mode(0o600);
            let written = fs::create_dir(to.parent().unwrap_or(&to))
                .and_then(|()| options.open(&to))
                .and_then(|mut file| {
                    file.write_all(&bytes)?;
                    file.sync_data()?;
                    Ok(file)
                });
            written.map_err(|error| disk::named(error, &to))
        });
        Self {
            folder,
            writing: Some(writing),
        }
    }

    /// Renames it to `to`. Its time says when the release was complete: now.
    ///
    /// # Errors
    /// When it could not be written.
    pub(super) fn publish(mut self, to: &Path) -> Result<(), Failure> {
        let ended = || Failure::unexpected("the index was not written to its end");
        let writing = self.writing.take().ok_or_else(ended)?;
        let file_written = writing.join().map_err(|_| ended())??;
        file_written.set_modified(SystemTime::now())?;
        fs::rename(file(&self.folder), to).map_err(|error| disk::named(error, to))?;
        Ok(())
    }
}

impl Drop for StoredIndex {
    fn drop(&mut self) {
        if let Some(writing) = self.writing.take() {
            let _ = writing.join();
        }
        let _ = remove_tree(&self.folder);
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("index.new")
}
