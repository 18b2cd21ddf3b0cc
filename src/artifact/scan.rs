//! What the chosen files hold.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::TreeError;
use super::index::{Entry, Index, Kind};
use super::parallel;
use super::path::TreePath;
use super::select::{SelectedKind, Selection};
use crate::model::{Digest, Failure, FailureKind};

/// What stat(2) says about a file: when none of it changed, neither did the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FileStamp {
    /// Length, bytes.
    pub size: u64,
    /// Last change of the content, ns since the epoch.
    pub mtime_ns: i128,
    /// Last change of the inode, ns since the epoch.
    pub ctime_ns: i128,
    /// The inode's number.
    pub inode: u64,
}

impl FileStamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let ns = |seconds: i64, ns: i64| i128::from(seconds) * 1_000_000_000 + i128::from(ns);
        Self {
            size: metadata.len(),
            mtime_ns: ns(metadata.mtime(), metadata.mtime_nsec()),
            ctime_ns: ns(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
        }
    }

    /// Equal but for the time of the inode, which a new hard link changes too.
    fn same_content(&self, other: &Self) -> bool {
        Self {
            ctime_ns: other.ctime_ns,
            ..*self
        } == *other
    }
}

/// Who may know the digest of a file without reading it.
pub trait DigestSource: Sync {
    /// The digest of the file at `path` as long as it has `stamp`, if it is known.
    fn known(&self, path: &TreePath, stamp: &FileStamp) -> Option<Digest>;

    /// The file at `path` with `stamp` was read and has `digest`.
    fn learned(&self, path: &TreePath, stamp: &FileStamp, digest: Digest);

    /// Whether it would like to have the content of a file of `size` bytes that must be read.
    fn wants(&self, _size: u64) -> bool {
        false
    }

    /// A content that it [`wants`](Self::wants), with its digest.
    fn read(&self, _digest: Digest, _content: Vec<u8>) {}
}

/// Knows nothing: every file is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCache;

impl DigestSource for NoCache {
    fn known(&self, _: &TreePath, _: &FileStamp) -> Option<Digest> {
        None
    }

    fn learned(&self, _: &TreePath, _: &FileStamp, _: Digest) {}
}

/// Every file that could not be read as one.
#[derive(Debug)]
pub struct ScanError {
    /// At least one, sorted by path.
    pub problems: Vec<TreeError>,
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ScanError {}

impl From<ScanError> for Failure {
    fn from(error: ScanError) -> Self {
        Self::new(
            FailureKind::Project,
            "the files of the release cannot be read",
        )
        .details(error.problems.iter().map(ToString::to_string))
    }
}

/// Reads the `selection` below `root`, with 2 to 8 threads. Files that `digests` knows are not
/// read.
///
/// # Errors
/// Files that cannot be read, or that changed while they were read, twice in a row.
pub fn scan(
    root: &Path,
    selection: &Selection,
    digests: &dyn DigestSource,
) -> Result<Index, ScanError> {
    let scanned = parallel::map(selection.entries(), |selected| {
        let kind = match &selected.kind {
            SelectedKind::Dir => Kind::Dir,
            SelectedKind::Symlink(target) => Kind::Symlink {
                target: target.clone(),
            },
            SelectedKind::File => file(root, &selected.path, digests)?,
        };
        Ok(Entry {
            path: selected.path.clone(),
            kind,
        })
    });
    let mut entries = Vec::with_capacity(scanned.len());
    let mut problems = Vec::new();
    for result in scanned {
        match result {
            Ok(entry) => entries.push(entry),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        match Index::new(entries) {
            Ok(index) => return Ok(index),
            Err(error) => problems.push(TreeError::says("release", root, error.to_string())),
        }
    }
    Err(ScanError { problems })
}

/// How often a file that changes under the reader is read.
const TRIES: usize = 2;

fn file(root: &Path, path: &TreePath, digests: &dyn DigestSource) -> Result<Kind, TreeError> {
    let at = path.below(root);
    let refused = |error| TreeError::io("read", path.as_path(), error);
    for _ in 0..TRIES {
        let before = at.symlink_metadata().map_err(refused)?;
        if !before.is_file() {
            break;
        }
        let stamp = FileStamp::of(&before);
        let is = |digest| Kind::File {
            digest,
            size: stamp.size,
            executable: before.mode() & 0o100 != 0,
        };
        if let Some(digest) = digests.known(path, &stamp) {
            return Ok(is(digest));
        }
        let mut file = open(&at).map_err(refused)?;
        let mut content = digests.wants(stamp.size).then(Vec::new);
        let read = match &mut content {
            Some(content) => hold(&mut file, content, stamp.size),
            None => hash(&mut file),
        };
        let (digest, size) = read.map_err(refused)?;
        // By name, so that a file that was replaced is noticed too.
        let Ok(after) = at.symlink_metadata() else {
            continue;
        };
        if size == stamp.size && FileStamp::of(&after).same_content(&stamp) {
            digests.learned(path, &stamp, digest);
            if let Some(content) = content {
                digests.read(digest, content);
            }
            return Ok(is(digest));
        }
    }
    Err(TreeError::says(
        "read",
        path.as_path(),
        "it changes while it is read; is something still building?",
    ))
}

/// Opens a regular file; neither follows a link nor waits for a pipe that took its place.
pub(super) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
}

/// Reads `file`, which seems to have `size` bytes, into `content`, and at most one byte more; the
/// digest and the size in bytes of that.
fn hold(file: &mut File, content: &mut Vec<u8>, size: u64) -> io::Result<(Digest, u64)> {
    content.reserve_exact(usize::try_from(size).unwrap_or_default() + 1);
    file.take(size + 1).read_to_end(content)?;
    Ok((Digest::of(content), content.len() as u64))
}

/// The digest and the size in bytes of what can be read from `file`.
pub(super) fn hash(file: &mut File) -> io::Result<(Digest, u64)> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file)?;
    Ok((hasher.finalize().into(), hasher.count()))
}
