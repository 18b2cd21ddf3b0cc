//! A tree that is being made.

mod receive;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use super::assemble::Assembly;
use super::assembled::Assembled;
use super::error::TreeError;
use super::few::Few;
use super::files::{Put, create_file, create_folder, link_or_copy, set_mode};
use super::flush::Flush;
use super::index::{Index, Kind};
use super::path::TreePath;
use super::remove::remove_tree;
use super::store::Found;
use crate::model::Digest;

use receive::Incoming;
pub(super) use receive::Received;

/// A tree that is being made. Dropping it removes its folder; [`Staging::finish`] keeps it.
#[derive(Debug)]
#[must_use = "a tree that is not finished is removed"]
pub struct Staging {
    path: PathBuf,
    index: Arc<Index>,
    wanted: HashMap<Digest, Wanted>,
    incoming: Option<Incoming>,
    /// Positions of symbolic links to be made at the end.
    links: Vec<usize>,
    /// Folders that are writable until the end.
    open: HashSet<PathBuf>,
    /// For large missing contents, files that they may have been made from.
    ancestors: HashMap<Digest, Vec<(Digest, PathBuf)>>,
    /// Files that were written, as far as they are few.
    written: Few,
    flush: Option<Flush>,
    /// A write failed half-way: the tree cannot be completed any more.
    broken: bool,
    linked: u64,
    received: u64,
    kept: bool,
}

/// A content to be received.
#[derive(Debug, Default)]
struct Wanted {
    size: u64,
    /// Positions in the index, at least one.
    places: Vec<usize>,
}

impl Staging {
    pub(super) fn begin(plan: Assembly, path: &Path) -> Result<Self, TreeError> {
        let is_new = plan.spare.is_none();
        match &plan.spare {
            None => create_folder(path)?,
            Some(spare) => {
                std::fs::rename(spare, path).map_err(|error| TreeError::io("take", spare, error))?
            }
        }
        let mut staging = Self {
            path: path.to_owned(),
            index: plan.index,
            wanted: HashMap::new(),
            incoming: None,
            links: Vec::new(),
            open: HashSet::new(),
            ancestors: plan.ancestors,
            written: Few::default(),
            flush: None,
            broken: false,
            linked: 0,
            received: 0,
            kept: false,
        };
        if is_new {
            staging.open.insert(path.to_owned());
        }
        // A folder comes before what is in it, so what is in it goes first.
        for gone in plan.gone.iter().rev() {
            let at = gone.below(path);
            staging.open_folder(at.parent().unwrap_or(path))?;
            remove_tree(&at)?;
            staging.open.remove(&at);
        }
        for at in plan.make {
            staging.place(at, &plan.found)?;
        }
        Ok(staging)
    }

    /// Makes what can be made of an entry before contents come. Links come last, so that nothing
    /// is ever written through one.
    fn place(&mut self, at: usize, found: &Found) -> Result<(), TreeError> {
        let index = Arc::clone(&self.index);
        let entry = &index.entries()[at];
        let path = entry.path.below(&self.path);
        if !matches!(entry.kind, Kind::Symlink { .. }) {
            self.open_folder(path.parent().unwrap_or(&path))?;
        }
        match entry.kind {
            Kind::Dir => {
                create_folder(&path)?;
                self.open.insert(path);
                Ok(())
            }
            Kind::Symlink { .. } => {
                self.links.push(at);
                Ok(())
            }
            Kind::File {
                size: 0,
                executable,
                ..
            } => {
                set_mode(&create_file(&path, executable)?, &path, executable)?;
                self.written.add(&path);
                Ok(())
            }
            Kind::File {
                digest,
                size,
                executable,
            } => {
                let source = found.get(&digest, executable);
                let put = match source {
                    Some(source) => link_or_copy(source, &path, &digest, executable)?,
                    None => Put::Bad,
                };
                // What an interrupted transfer left may not be on the disk yet.
                if put == Put::Copied || source.is_some_and(|source| !source.verified) {
                    self.written.add(&path);
                }
                if put != Put::Bad {
                    self.linked += 1;
                    return Ok(());
                }
                let wanted = self.wanted.entry(digest).or_default();
                wanted.size = size;
                wanted.places.push(at);
                Ok(())
            }
        }
    }

    /// Makes a folder of the tree writable until the end.
    fn open_folder(&mut self, folder: &Path) -> Result<(), TreeError> {
        if self.open.contains(folder) {
            return Ok(());
        }
        if folder != self.path {
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
                .map_err(|error| TreeError::io("make writable", folder, error))?;
        }
        self.open.insert(folder.to_owned());
        Ok(())
    }

    /// Makes a symbolic link that is not part of the index, with the folders on the way to it.
    ///
    /// # Errors
    /// What the system refuses, with the path.
    pub fn link(&mut self, path: &TreePath, target: &Path) -> Result<(), TreeError> {
        let mut above: Vec<TreePath> =
            std::iter::successors(path.parent(), TreePath::parent).collect();
        above.reverse();
        for folder in above {
            let at = folder.below(&self.path);
            self.open_folder(at.parent().unwrap_or(&at))?;
            if !at.is_dir() {
                create_folder(&at)?;
                self.open.insert(at);
            }
        }
        let at = path.below(&self.path);
        self.open_folder(at.parent().unwrap_or(&at))?;
        std::os::unix::fs::symlink(target, &at).map_err(|error| TreeError::io("link", at, error))
    }

    /// The folder. The caller may put its own `.ship` there.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The tree that is being made.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The contents still to be received, each once, in the order of the index.
    #[must_use]
    pub fn missing(&self) -> Vec<Digest> {
        let mut missing: Vec<_> = self.wanted.iter().collect();
        missing.sort_unstable_by_key(|(_, wanted)| wanted.places.first());
        missing.into_iter().map(|(digest, _)| *digest).collect()
    }

    /// The files that the missing content `digest` may have been made from: what they hold, and
    /// where they are.
    pub(super) fn ancestors(&self, digest: &Digest) -> &[(Digest, PathBuf)] {
        self.ancestors.get(digest).map_or(&[], Vec::as_slice)
    }

    /// Whether an earlier transfer left a part of the missing content `digest`.
    #[must_use]
    pub fn is_begun(&self, digest: &Digest) -> bool {
        self.ancestors(digest)
            .iter()
            .any(|(held, _)| held == digest)
    }

    /// From here on no part of a missing content is taken from files that are here: they turned out
    /// to be damaged.
    pub fn want_whole(&mut self) {
        self.ancestors.clear();
    }

    /// The disk works on what is received while more comes: for who will sync the tree.
    pub fn sync_early(&mut self) {
        self.flush = Some(Flush::default());
    }

    /// Leaves the folder, incomplete as it is, for a later transfer to take from; not where the disk
    /// has failed.
    pub fn leave(mut self) {
        self.kept = self.flush.as_mut().map_or(Ok(()), Flush::end).is_ok();
    }

    /// The size of what is still to be received, bytes.
    #[must_use]
    pub fn missing_bytes(&self) -> u64 {
        self.wanted
            .values()
            .fold(0, |sum, wanted| u64::saturating_add(sum, wanted.size))
    }

    fn place_path(&self, at: usize) -> PathBuf {
        self.index.entries()[at].path.below(&self.path)
    }

    /// Completes the tree: symbolic links, folders 0555 (the root 0755 for the rename and for the
    /// caller; a `.ship` folder in it as it is). Nothing is brought to the disk; see [`Assembled::sync`].
    ///
    /// # Errors
    /// When contents are missing, or the system refuses; the folder is removed then.
    pub fn finish(mut self) -> Result<Assembled, TreeError> {
        let refuse = |why: String| Err(TreeError::says("finish", &self.path, why));
        if self.broken || self.incoming.is_some() {
            return refuse("a content is not complete".to_owned());
        }
        if let Some(at) = self.wanted.values().flat_map(|w| &w.places).min() {
            return refuse(format!(
                "{} contents are missing, such as that of {}",
                self.wanted.len(),
                self.index.entries()[*at].path
            ));
        }
        self.make_links()?;
        self.flush.as_mut().map_or(Ok(()), Flush::end)?;
        for folder in &self.open {
            let mode = if *folder == self.path { 0o755 } else { 0o555 };
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode))
                .map_err(|error| TreeError::io("make read-only", folder, error))?;
        }
        self.kept = true;
        Ok(Assembled {
            changed: self.written.and(self.open.iter()),
            path: std::mem::take(&mut self.path),
            linked: self.linked,
            received: self.received,
        })
    }

    fn make_links(&mut self) -> Result<(), TreeError> {
        let index = Arc::clone(&self.index);
        for at in std::mem::take(&mut self.links) {
            let entry = &index.entries()[at];
            if let Kind::Symlink { target } = &entry.kind {
                let path = entry.path.below(&self.path);
                self.open_folder(path.parent().unwrap_or(&path))?;
                std::os::unix::fs::symlink(OsStr::from_bytes(target), &path)
                    .map_err(|error| TreeError::io("link", path, error))?;
            }
        }
        Ok(())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed now is found by the next clean-up.
            let _ = remove_tree(&self.path);
        }
    }
}
