//! What a host has already.

use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use foldhash::HashMap;

use super::chunk::CHUNKED_FROM;
use super::index::{Index, Kind};
use super::path::TreePath;
use super::scan;
use super::similar::ancestor;
use crate::model::Digest;

/// What is missing by less than this (bytes) is fetched rather than searched for in the trees of
/// older releases: reading their indexes costs more.
const WORTH_A_LOOK: u64 = 1 << 20;

/// The mode of a file in a release: nobody writes it, so that hard-linked twins stay equal.
pub(super) fn file_mode(executable: bool) -> u32 {
    if executable { 0o555 } else { 0o444 }
}

/// The trees of this host, the first to be asked first.
#[derive(Debug, Default)]
pub struct Known {
    trees: Vec<Tree>,
}

#[derive(Debug)]
struct Tree {
    root: PathBuf,
    index: Stored,
    /// When it was complete; `None` for a tree that never was.
    assembled: Option<SystemTime>,
}

/// The most of a stored index that is read, bytes: some millions of files.
const MAX_INDEX: u64 = 256 << 20;

/// An index, read when it is needed.
#[derive(Debug)]
struct Stored {
    index: OnceLock<Option<Arc<Index>>>,
    path: PathBuf,
}

impl Stored {
    fn here(index: Arc<Index>) -> Self {
        Self {
            index: OnceLock::from(Some(index)),
            path: PathBuf::new(),
        }
    }

    fn is_here(&self) -> bool {
        self.index.get().is_some()
    }

    fn get(&self) -> Option<&Index> {
        let read = || {
            let mut bytes = Vec::new();
            let file = scan::open(&self.path).ok()?;
            file.take(MAX_INDEX).read_to_end(&mut bytes).ok()?;
            Index::decode(&bytes).ok()
        };
        self.index.get_or_init(|| read().map(Arc::new)).as_deref()
    }
}

impl Tree {
    /// The file here that one at `path` of `size` bytes may have been made from.
    fn ancestor(&self, path: &TreePath, size: u64) -> Option<(Digest, PathBuf)> {
        let index = self.index.get()?;
        let ancestor = ancestor(index, path, size, CHUNKED_FROM)?;
        let at = ancestor.path.below(&self.root);
        let Some(Kind::File { executable, .. }) = index.get(&ancestor.path) else {
            return None;
        };
        let is_begun = self.assembled.is_none() && scan::open(&at).is_ok();
        (is_begun || self.trusts(&at, ancestor.size, *executable).is_some())
            .then_some((ancestor.digest, at))
    }

    fn trusts(&self, path: &Path, size: u64, executable: bool) -> Option<Trusted> {
        let verified = match self.assembled {
            Some(assembled) => is_as_left(path, size, executable, assembled).then_some(true),
            None => is_as_left(path, size, executable, SystemTime::now()).then_some(false),
        }?;
        Some(Trusted {
            path: path.to_owned(),
            executable,
            verified,
        })
    }
}

/// A file of a kept release that still looks as the release left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trusted {
    pub(super) path: PathBuf,
    pub(super) executable: bool,
    /// Whether its content was verified before; else it is read first.
    pub(super) verified: bool,
}

impl Known {
    /// Knows nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the release at `root` (absolute) with its `index`; add the newest first. `assembled`
    /// is when it was complete: a file changed later is not trusted. The time of the stored index
    /// on disk serves.
    pub fn add(&mut self, root: PathBuf, index: Arc<Index>, assembled: SystemTime) {
        self.trees.push(Tree {
            root,
            index: Stored::here(index),
            assembled: Some(assembled),
        });
    }

    /// Adds the release at `root` (absolute), whose encoded index lies at `index` and is read only
    /// when much is missing. Its time says when the release was complete.
    pub fn add_stored(&mut self, root: PathBuf, index: PathBuf) {
        let Ok(assembled) = index.metadata().and_then(|found| found.modified()) else {
            return;
        };
        self.trees.push(Tree {
            root,
            index: Stored {
                index: OnceLock::new(),
                path: index,
            },
            assembled: Some(assembled),
        });
    }

    /// Adds what an interrupted transfer of `index` left at `root`. Nothing of it is trusted: each
    /// file is read before it is taken.
    pub fn add_leftover(&mut self, root: PathBuf, index: Index) {
        self.trees.push(Tree {
            root,
            index: Stored::here(Arc::new(index)),
            assembled: None,
        });
    }

    /// Trusted files with the contents `wanted` (digest → size in bytes), those with the right
    /// executable bit first.
    pub(super) fn find(&self, mut wanted: HashMap<Digest, u64>) -> Found {
        let mut found = Found::default();
        for (at, tree) in self.trees.iter().enumerate() {
            let left = wanted
                .values()
                .fold(0, |sum, n| u64::saturating_add(sum, *n));
            if wanted.is_empty() {
                break;
            }
            if at > 0 && !tree.index.is_here() && left < WORTH_A_LOOK {
                continue;
            }
            let Some(index) = tree.index.get() else {
                continue;
            };
            for (path, digest, size, executable) in index.files() {
                if wanted.get(&digest) != Some(&size) {
                    continue;
                }
                if let Some(trusted) = tree.trusts(&path.below(&tree.root), size, executable) {
                    found.0.entry(digest).or_default().push(trusted);
                }
            }
            wanted.retain(|digest, _| !found.0.contains_key(digest));
        }
        found
    }

    /// Files that a file at `path` of `size` bytes may have been made from: its ancestor in each
    /// tree whose index was read, as far as they look untouched or are the beginning of a
    /// transfer; at most two, of different contents. What a transfer began comes first: it may be
    /// the very content.
    pub(super) fn ancestors(&self, path: &TreePath, size: u64) -> Vec<(Digest, PathBuf)> {
        let mut ancestors: Vec<(Digest, PathBuf)> = Vec::new();
        let read = || self.trees.iter().filter(|tree| tree.index.is_here());
        let begun = read().filter(|tree| tree.assembled.is_none());
        let kept = read().filter(|tree| tree.assembled.is_some());
        for tree in begun.chain(kept) {
            let Some((digest, at)) = tree.ancestor(path, size) else {
                continue;
            };
            if ancestors.len() < 2 && ancestors.iter().all(|(other, _)| *other != digest) {
                ancestors.push((digest, at));
            }
        }
        ancestors
    }

    /// A trusted file with the content `digest` of `size` bytes.
    pub(super) fn holder(&self, digest: Digest, size: u64) -> Option<PathBuf> {
        let found = self.find([(digest, size)].into_iter().collect());
        found.get(&digest, false).map(|file| file.path.clone())
    }
}

/// Makes the file at `path` one that no later release is made of: it was found to be damaged.
///
/// # Errors
/// When it is not a file of ours.
pub fn distrust(path: &Path) -> io::Result<()> {
    scan::open(path)?.set_modified(SystemTime::now())
}

/// Files by their content.
#[derive(Debug, Default)]
pub(super) struct Found(HashMap<Digest, Vec<Trusted>>);

impl Found {
    /// A file with this content, by preference one with this executable bit.
    pub(super) fn get(&self, digest: &Digest, executable: bool) -> Option<&Trusted> {
        let files = self.0.get(digest)?;
        files
            .iter()
            .find(|file| file.executable == executable)
            .or_else(|| files.first())
    }
}

/// Whether the file at `path` is as a release leaves its files: ours, of this size and mode, not
/// changed since `assembled`. The owner counts because another user's file may change at will, and
/// may not be linked to (proc_sys_fs(5), `protected_hardlinks`).
pub(super) fn is_as_left(path: &Path, size: u64, executable: bool, assembled: SystemTime) -> bool {
    path.symlink_metadata().is_ok_and(|found| {
        found.is_file()
            && found.len() == size
            && found.mode() & 0o7777 == file_mode(executable)
            && found.uid() == rustix::process::geteuid().as_raw()
            && found.modified().is_ok_and(|time| time <= assembled)
    })
}
