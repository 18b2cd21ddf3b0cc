//! An archive that others made (`.tar.gz`, `.zip`), unpacked into a new folder. Used at both ends:
//! a pinned runtime is unpacked on this machine and on the hosts by the same code.
//!
//! What is in it is not trusted. Regular files and folders come first; links are only remembered,
//! and made when everything else is there, so that nothing is ever written through a link.

mod tar;
mod tree;
mod zip;

#[cfg(test)]
mod tests;

use std::path::Path;

use self::tree::Tree;
use super::error::TreeError;
use super::remove::remove_tree;
use crate::model::runtime::{ArchiveFormat, PROGRAM};

/// How much an archive may unpack to.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of all its files. The largest runtimes take about 0.5 GB.
    pub bytes: u64,
    /// Files, folders and links, with the folders that are only part of a name.
    pub entries: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 4 << 30,
            entries: 1_000_000,
        }
    }
}

/// Unpacks `archive` into `to`, which must not exist; its parent must. The first `strip` components
/// of each name are dropped, and entries with no more than that are passed over. Folders and
/// executable files get mode 0755, other files 0644: who runs a runtime is not always who unpacked
/// it, and nobody but its owner writes to it. Owners and times are not kept.
///
/// # Errors
/// The first entry that is not accepted, named as it is in the archive: an absolute name or one
/// with `..`, a name that comes twice, a link (hard or symbolic) out of the tree, a device, a
/// fifo, more than `limits`; or what the system refuses ([`TreeError::io_kind`] is then
/// `StorageFull`, …). Nothing is at `to` then.
pub fn unpack(
    archive: &Path,
    format: ArchiveFormat,
    strip: u32,
    to: &Path,
    limits: Limits,
) -> Result<(), TreeError> {
    let mut tree = Tree::create(to, strip, limits)?;
    let unpacked = match format {
        ArchiveFormat::TarGz => tar::read(archive, &mut tree),
        ArchiveFormat::Zip => zip::read(archive, &mut tree),
        ArchiveFormat::Program => copy(archive, &mut tree),
    };
    let finished = unpacked.and_then(|()| tree.finish());
    if finished.is_err() {
        // What went wrong first is what is said.
        let _ = remove_tree(to);
    }
    finished
}

/// Takes the file itself.
fn copy(archive: &Path, tree: &mut Tree) -> Result<(), TreeError> {
    let file = std::fs::File::open(archive);
    let mut file = file.map_err(|error| TreeError::io("open", archive, error))?;
    tree.file(PROGRAM.as_bytes(), true, &mut file)
}

/// `entry` of an archive is not accepted.
fn refuse(entry: &[u8], why: impl Into<String>) -> TreeError {
    use std::os::unix::ffi::OsStrExt;
    TreeError::says("unpack", Path::new(std::ffi::OsStr::from_bytes(entry)), why)
}
