//! What a host has already.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::index::Index;
use super::path::TreePath;
use crate::model::Digest;

/// The mode of a file in a release: nobody writes it, so that hard-linked twins stay equal.
pub(super) fn file_mode(executable: bool) -> u32 {
    if executable { 0o555 } else { 0o444 }
}

/// The contents that the releases of this host hold, by digest.
#[derive(Debug, Clone, Default)]
pub struct Known {
    releases: Vec<(PathBuf, SystemTime)>,
    files: HashMap<Digest, Vec<Source>>,
}

#[derive(Debug, Clone)]
struct Source {
    /// Position in `releases`.
    release: usize,
    path: TreePath,
    executable: bool,
}

/// A file of a kept release that still looks as the release left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trusted {
    pub(super) path: PathBuf,
    pub(super) executable: bool,
}

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
        let release = self.releases.len();
        self.releases.push((root, assembled));
        for (path, digest, _, executable) in index.files() {
            self.files.entry(digest).or_default().push(Source {
                release,
                path: path.clone(),
                executable,
            });
        }
    }

    /// A trusted file with this content, by preference one with this executable bit.
    pub(super) fn find(&self, digest: &Digest, size: u64, executable: bool) -> Option<Trusted> {
        let sources = self.files.get(digest)?;
        let same = sources.iter().filter(|s| s.executable == executable);
        let other = sources.iter().filter(|s| s.executable != executable);
        same.chain(other).find_map(|source| {
            let (root, assembled) = &self.releases[source.release];
            let path = source.path.below(root);
            is_as_left(&path, size, source.executable, *assembled).then_some(Trusted {
                path,
                executable: source.executable,
            })
        })
    }
}

/// Whether the file at `path` is as a release leaves its files: ours, of this size and mode, not
/// changed since `assembled`. The owner counts because another user's file may change at will, and
/// may not be linked to (proc_sys_fs(5), `protected_hardlinks`).
fn is_as_left(path: &Path, size: u64, executable: bool, assembled: SystemTime) -> bool {
    path.symlink_metadata().is_ok_and(|found| {
        found.is_file()
            && found.len() == size
            && found.mode() & 0o7777 == file_mode(executable)
            && found.uid() == rustix::process::geteuid().as_raw()
            && found.modified().is_ok_and(|time| time <= assembled)
    })
}
