//! A tree planned from an index: hard links to what is there, contents for what is not.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use super::change::Change;
use super::chunk::CHUNKED_FROM;
use super::error::TreeError;
use super::index::{Entry, Index, Kind};
use super::path::TreePath;
use super::spare::Spare;
use super::staging::Staging;
use super::store::{Found, Known};
use crate::model::Digest;

/// How a tree will be made. Making it looks at the known files and writes nothing.
#[derive(Debug)]
pub struct Assembly {
    pub(super) index: Arc<Index>,
    /// The tree to start from; else an empty one.
    pub(super) spare: Option<PathBuf>,
    /// What has to go from the spare, sorted.
    pub(super) gone: Vec<TreePath>,
    /// Positions in the index of what has to be made.
    pub(super) make: Vec<usize>,
    pub(super) found: Found,
    /// For large missing contents, files that they may have been made from.
    pub(super) ancestors: HashMap<Digest, Vec<(Digest, PathBuf)>>,
    missing: Vec<Digest>,
    missing_bytes: u64,
    missing_files: u64,
    inodes: u64,
}

impl Assembly {
    /// Plans the tree of `index`. A known file is trusted as long as its size, its mode, its
    /// owner and its time are what a release leaves behind.
    #[must_use]
    pub fn plan(index: Arc<Index>, known: &Known) -> Self {
        let make = (0..index.entries().len()).collect();
        Self::complete(index, None, Vec::new(), make, known)
    }

    /// Plans the tree of `index` as a change of `spare`. What of it is `damaged`, as
    /// [`super::spare::Look::damaged`] found it, is made anew.
    #[must_use]
    pub fn plan_over(
        index: Arc<Index>,
        spare: &Spare,
        damaged: &HashSet<TreePath>,
        known: &Known,
    ) -> Self {
        let change = Change::between(&spare.index, &index);
        let changed: HashSet<&TreePath> = change.set().iter().map(|entry| &entry.path).collect();
        let mut gone: Vec<TreePath> = change.gone().to_vec();
        let mut make: Vec<usize> = changed
            .iter()
            .copied()
            .chain(damaged.iter().filter(|path| !changed.contains(path)))
            .filter_map(|path| index.position(path))
            .collect();
        make.sort_unstable();
        let made = make.iter().map(|at| &index.entries()[*at].path);
        gone.extend(made.filter(|path| spare.index.get(path).is_some()).cloned());
        gone.sort_unstable();
        Self::complete(index, Some(spare.tree.clone()), gone, make, known)
    }

    fn complete(
        index: Arc<Index>,
        spare: Option<PathBuf>,
        gone: Vec<TreePath>,
        make: Vec<usize>,
        known: &Known,
    ) -> Self {
        let files: Vec<(&TreePath, Digest, u64, bool)> = make
            .iter()
            .filter_map(|at| match &index.entries()[*at] {
                // An empty file is made, not fetched, and not linked: there can be more of them
                // in a tree than an inode may have names.
                Entry {
                    path,
                    kind:
                        Kind::File {
                            digest,
                            size,
                            executable,
                        },
                } if *size > 0 => Some((path, *digest, *size, *executable)),
                _ => None,
            })
            .collect();
        let found = known.find(
            files
                .iter()
                .map(|(_, digest, size, _)| (*digest, *size))
                .collect(),
        );
        let mut missing = Vec::new();
        let mut seen = HashSet::new();
        let mut missing_bytes = 0_u64;
        let mut missing_files = 0;
        let mut ancestors = HashMap::new();
        // Folders, links and empty files; and each content once more for each mode that has it.
        let mut inodes = (make.len() - files.len()) as u64;
        let mut modes = HashSet::new();
        for (path, digest, size, executable) in files {
            let source = found.get(&digest, executable);
            if source.is_none_or(|source| source.executable != executable)
                && modes.insert((digest, executable))
            {
                inodes += 1;
            }
            if source.is_some() {
                continue;
            }
            missing_files += 1;
            if seen.insert(digest) {
                missing.push(digest);
                missing_bytes = missing_bytes.saturating_add(size);
                if size >= CHUNKED_FROM {
                    ancestors.insert(digest, known.ancestors(path, size));
                }
            }
        }
        Self {
            index,
            spare,
            gone,
            make,
            found,
            ancestors,
            missing,
            missing_bytes,
            missing_files,
            inodes,
        }
    }

    /// The contents that are not here, each once, in the order of the index. [`Staging::missing`]
    /// is the list to ask for: linking may find more.
    #[must_use]
    pub fn missing(&self) -> &[Digest] {
        &self.missing
    }

    /// The size of what is missing, bytes.
    #[must_use]
    pub fn missing_bytes(&self) -> u64 {
        self.missing_bytes
    }

    /// How many files of the tree have a content that is missing.
    #[must_use]
    pub fn missing_files(&self) -> u64 {
        self.missing_files
    }

    /// The sender could send the missing `content` as a difference to `base` of `size` bytes.
    /// Returns whether that is here.
    pub fn add_base(&mut self, content: Digest, base: Digest, size: u64, known: &Known) -> bool {
        let Some(holder) = known.holder(base, size) else {
            return false;
        };
        // Before the ancestors: one of them may be the beginning of a transfer of the same content.
        let ancestors = self.ancestors.entry(content).or_default();
        ancestors.insert(0, (base, holder));
        true
    }

    /// How many inodes the tree takes: those of its folders and symbolic links, and of the files that
    /// are not another name of one that is here.
    #[must_use]
    pub fn inodes(&self) -> u64 {
        self.inodes
    }

    /// The tree that will be made.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Creates the folder `staging`, which must not exist, with all folders of the tree and
    /// everything that is here already. A known file that cannot be linked (too many links,
    /// another file system) is copied and verified; one that turns out to be damaged is missing.
    ///
    /// # Errors
    /// What the system refuses, with the path; the folder is removed then.
    pub fn begin(self, staging: &Path) -> Result<Staging, TreeError> {
        Staging::begin(self, staging)
    }
}
