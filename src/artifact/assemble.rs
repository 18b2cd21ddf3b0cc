//! A tree made from an index: hard links to what is there, contents for what is not.

use std::path::{Path, PathBuf};

use super::error::TreeError;
use super::index::Index;
use super::store::Known;
use crate::model::Digest;

/// How a tree will be made. Making it looks at the known files and writes nothing.
#[derive(Debug)]
pub struct Assembly {
    index: Index,
    missing: Vec<Digest>,
}

impl Assembly {
    /// Plans the tree of `index`. A known file is trusted as long as its size, its mode and its
    /// time are what a release leaves behind.
    #[must_use]
    pub fn plan(index: Index, known: &Known) -> Self {
        let _ = known;
        Self {
            index,
            missing: Vec::new(),
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
        0
    }

    /// How many files of the tree have a content that is missing.
    #[must_use]
    pub fn missing_files(&self) -> u64 {
        0
    }

    /// The tree that will be made.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Creates the folder `staging`, which must not exist, with all folders of the tree and
    /// everything that is here already.
    ///
    /// # Errors
    /// What the system refuses, with the path.
    pub fn begin(self, staging: &Path) -> Result<Staging, TreeError> {
        Err(TreeError::says("assemble", staging, "not built yet"))
    }
}

/// A tree that is being made. Dropping it removes its folder; [`Staging::finish`] keeps it.
#[derive(Debug)]
#[must_use = "a tree that is not finished is removed"]
pub struct Staging {
    path: PathBuf,
    missing: Vec<Digest>,
}

impl Staging {
    /// The folder. Until [`Staging::finish`] all its folders are writable, for the caller's own
    /// files: `.ship`, links to shared folders.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The contents still to be received, each once, in the order of the index.
    pub fn missing(&self) -> Vec<Digest> {
        self.missing.clone()
    }

    /// The size of what is still to be received, bytes.
    #[must_use]
    pub fn missing_bytes(&self) -> u64 {
        0
    }

    /// Begins to receive the content `digest` of `size` bytes.
    ///
    /// # Errors
    /// When it is not missing, has another size in the index, another content is not complete,
    /// or its file cannot be created.
    pub fn start(&mut self, digest: Digest, size: u64) -> Result<(), TreeError> {
        let _ = (digest, size);
        Ok(())
    }

    /// Receives the next bytes of the content that was started; with the last ones it is verified
    /// and put at all its places.
    ///
    /// # Errors
    /// When none was started, there are too many bytes, the content is not what its digest says,
    /// or it cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), TreeError> {
        let _ = bytes;
        Ok(())
    }

    /// Completes the tree: symbolic links, folders read-only (the root stays writable to its
    /// owner, for the rename and for the caller), everything on disk (syncfs(2)).
    ///
    /// # Errors
    /// When contents are missing, or the system refuses; the folder is removed then.
    pub fn finish(self) -> Result<Assembled, TreeError> {
        Err(TreeError::says("assemble", &self.path, "not built yet"))
    }
}

/// A complete tree, on disk, not yet published: rename it to where it belongs.
#[derive(Debug)]
#[must_use = "a tree that is not published stays behind as a folder"]
pub struct Assembled {
    /// The folder.
    pub path: PathBuf,
    /// Files that were hard-linked to known ones.
    pub linked: u64,
    /// Files whose content was received.
    pub received: u64,
}
