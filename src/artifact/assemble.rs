//! A tree planned from an index: hard links to what is there, contents for what is not.

use std::collections::HashSet;
use std::path::Path;

use super::error::TreeError;
use super::index::{Index, Kind};
use super::staging::Staging;
use super::store::{Known, Trusted};
use crate::model::Digest;

/// How a tree will be made. Making it looks at the known files and writes nothing.
#[derive(Debug)]
pub struct Assembly {
    pub(super) index: Index,
    /// For each entry of the index, the known file to take.
    pub(super) sources: Vec<Option<Trusted>>,
    missing: Vec<Digest>,
    missing_bytes: u64,
    missing_files: u64,
}

impl Assembly {
    /// Plans the tree of `index`. A known file is trusted as long as its size, its mode, its
    /// owner and its time are what a release leaves behind.
    #[must_use]
    pub fn plan(index: Index, known: &Known) -> Self {
        let mut sources = Vec::with_capacity(index.entries().len());
        let mut missing = Vec::new();
        let mut seen = HashSet::new();
        let mut missing_bytes = 0_u64;
        let mut missing_files = 0;
        for entry in index.entries() {
            let Kind::File {
                digest,
                size,
                executable,
            } = entry.kind
            else {
                sources.push(None);
                continue;
            };
            // An empty file is made, not fetched, and not linked: there can be more of them in
            // a tree than an inode may have names.
            let source = known.find(&digest, size, executable).filter(|_| size > 0);
            if source.is_none() && size > 0 {
                missing_files += 1;
                if seen.insert(digest) {
                    missing.push(digest);
                    missing_bytes = missing_bytes.saturating_add(size);
                }
            }
            sources.push(source);
        }
        Self {
            index,
            sources,
            missing,
            missing_bytes,
            missing_files,
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
