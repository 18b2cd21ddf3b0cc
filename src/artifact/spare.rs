//! A second tree of a release, made of hard links ahead of time: the next tree is made by changing
//! it, so that the cost follows the change.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use foldhash::HashSet;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, openat, statat};

use super::index::{Index, Kind};
use super::parallel;
use super::path::TreePath;
use super::store::file_mode;

/// A tree that nothing else uses.
#[derive(Debug, Clone)]
pub struct Spare {
    /// Where it is.
    pub tree: PathBuf,
    /// What it holds.
    pub index: Arc<Index>,
    /// When it was complete; a file changed later is not trusted.
    pub made: SystemTime,
}

/// What a look at a spare takes. The tree is held open: it may be moved meanwhile.
#[derive(Debug)]
pub struct Look {
    tree: OwnedFd,
    index: Arc<Index>,
    /// In ns since the epoch.
    made: i128,
}

/// How a folder is opened: not through a link.
const FOLDER: OFlags = OFlags::DIRECTORY
    .union(OFlags::RDONLY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// A file of the spare: its name in its folder, its size in bytes, whether it is executable.
type Named<'a> = (&'a TreePath, u64, bool);

impl Spare {
    /// Prepares a look at it.
    ///
    /// # Errors
    /// When the tree cannot be opened.
    pub fn open(&self) -> io::Result<Look> {
        let made = self.made.duration_since(SystemTime::UNIX_EPOCH);
        let made = made.map_err(io::Error::other)?;
        Ok(Look {
            tree: rustix::fs::open(&self.tree, FOLDER, Mode::empty())?,
            index: Arc::clone(&self.index),
            made: i128::try_from(made.as_nanos()).unwrap_or(i128::MAX),
        })
    }
}

impl Look {
    /// The files that are not as they were left; found with 2 to 8 threads. Links and folders are as
    /// good as their names: who may change them owns the release.
    #[must_use]
    pub fn damaged(&self) -> HashSet<TreePath> {
        let files: Vec<Named> = self
            .index
            .entries()
            .iter()
            .filter_map(|entry| match entry.kind {
                Kind::File {
                    size, executable, ..
                } => Some((&entry.path, size, executable)),
                _ => None,
            })
            .collect();
        let same_folder = |a: &Named, b: &Named| a.0.folder() == b.0.folder();
        let folders: Vec<&[Named]> = files.chunk_by(same_folder).collect();
        let owner = rustix::process::geteuid().as_raw();
        let damaged = parallel::map(&folders, |files| self.damaged_in(files, owner));
        damaged.into_iter().flatten().collect()
    }

    /// Those of `files`, which are in the same folder. It is opened once: a name in it is found
    /// sooner than a path from the top.
    fn damaged_in(&self, files: &[Named], owner: u32) -> Vec<TreePath> {
        let is_damaged = |folder: BorrowedFd<'_>, (path, size, executable): &Named| {
            let found = statat(folder, path.name(), AtFlags::SYMLINK_NOFOLLOW);
            !found.is_ok_and(|found| self.is_as_left(&found, *size, *executable, owner))
        };
        let all = || files.iter().map(|file| file.0.clone()).collect();
        let some = |folder: BorrowedFd<'_>| {
            let damaged = files.iter().filter(|file| is_damaged(folder, file));
            damaged.map(|file| file.0.clone()).collect()
        };
        match files.first().map(|file| file.0.folder()) {
            None => Vec::new(),
            Some(b"") => some(self.tree.as_fd()),
            Some(folder) => openat(&self.tree, folder, FOLDER, Mode::empty())
                .map_or_else(|_| all(), |folder| some(folder.as_fd())),
        }
    }

    /// As [`super::store::is_as_left`].
    fn is_as_left(&self, found: &Stat, size: u64, executable: bool, owner: u32) -> bool {
        // The types of these fields differ between systems.
        let changed = i128::from(found.st_mtime) * 1_000_000_000 + i128::from(found.st_mtime_nsec);
        FileType::from_raw_mode(found.st_mode) == FileType::RegularFile
            && i128::from(found.st_size) == i128::from(size)
            && u64::from(found.st_mode) & 0o7777 == u64::from(file_mode(executable))
            && found.st_uid == owner
            && changed <= self.made
    }
}
