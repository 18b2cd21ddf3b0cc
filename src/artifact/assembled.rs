//! A complete tree on its way to the disk.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::error::TreeError;
use super::parallel;

/// A complete tree, on disk, not yet published: rename it to where it belongs.
#[derive(Debug)]
#[must_use = "a tree that is not published stays behind as a folder"]
pub struct Assembled {
    pub(super) path: PathBuf,
    /// What was written and changed, when it is little.
    pub(super) changed: Option<Vec<PathBuf>>,
    /// Files that were linked to known ones.
    pub linked: u64,
    /// Files whose content was received.
    pub received: u64,
}

impl Assembled {
    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Assembled {
    /// Brings the tree to the disk, and the files and folders `also`: by fsync(2) each when little
    /// was written, so that what others wrote on a busy host is not waited for; else all of the
    /// file system (syncfs(2)).
    ///
    /// # Errors
    /// When the system cannot.
    pub fn sync(&self, also: &[PathBuf]) -> Result<(), TreeError> {
        let Some(changed) = &self.changed else {
            return sync_all(&self.path);
        };
        let paths: Vec<PathBuf> = changed.iter().chain(also).cloned().collect();
        sync_each(&paths)
    }
}

/// Brings each of `paths`, which are few, to the disk (fsync(2)): at once, so that the file system
/// commits them together.
///
/// # Errors
/// When the system cannot.
pub fn sync_each(paths: &[PathBuf]) -> Result<(), TreeError> {
    parallel::at_once(paths, |path| {
        let synced = File::open(path).and_then(|file| file.sync_all());
        synced.map_err(|error| TreeError::io("sync", path, error))
    })
}

/// Brings everything of the file system that holds `path` to the disk (syncfs(2)).
///
/// # Errors
/// When the system cannot.
pub fn sync_all(path: &Path) -> Result<(), TreeError> {
    let folder = File::open(path).map_err(|error| TreeError::io("open", path, error))?;
    #[cfg(target_os = "linux")]
    let result = rustix::fs::syncfs(&folder);
    #[cfg(not(target_os = "linux"))]
    let result = {
        rustix::fs::sync();
        rustix::fs::fsync(&folder)
    };
    result.map_err(|errno| TreeError::io("sync", path, errno.into()))
}
