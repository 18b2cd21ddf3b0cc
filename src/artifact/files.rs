//! Files and folders of a tree that is being made.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::error::TreeError;
use super::scan::{hash, open};
use super::store::{Trusted, file_mode};
use crate::model::Digest;

pub(super) fn create_folder(path: &Path) -> Result<(), TreeError> {
    DirBuilder::new()
        .mode(0o700)
        .create(path)
        .map_err(|error| TreeError::io("create the folder", path, error))
}

/// Creates a file with the mode that it will keep: who creates a file may write it whatever its mode
/// (open(2)).
pub(super) fn create_file(path: &Path, executable: bool) -> Result<File, TreeError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(file_mode(executable))
        .open(path)
        .map_err(|error| TreeError::io("create", path, error))
}

/// Gives a created file what the umask took from its mode.
pub(super) fn set_mode(file: &File, path: &Path, executable: bool) -> Result<(), TreeError> {
    let mode = file_mode(executable);
    let is_set = file.metadata().map(|found| found.mode() & 0o7777 == mode);
    is_set
        .and_then(|is_set| match is_set {
            true => Ok(()),
            false => file.set_permissions(std::fs::Permissions::from_mode(mode)),
        })
        .map_err(|error| TreeError::io("set the mode of", path, error))
}

/// Whether the file at `path` has this content.
fn holds(path: &Path, digest: &Digest) -> bool {
    open(path)
        .and_then(|mut file| hash(&mut file))
        .is_ok_and(|(found, _)| found == *digest)
}

/// What came of a file that was to be put in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    /// It is another name of the source.
    Linked,
    /// It is a file of its own, which was written.
    Copied,
    /// The source is damaged; nothing is there.
    Bad,
}

/// Puts the content of `source` at `path`: as a hard link where the mode allows, else as a copy
/// that is verified.
pub(super) fn link_or_copy(
    source: &Trusted,
    path: &Path,
    digest: &Digest,
    executable: bool,
) -> Result<Put, TreeError> {
    if !source.verified && !holds(&source.path, digest) {
        return Ok(Put::Bad);
    }
    // Whatever is in the way of a link (EMLINK, EXDEV, EPERM) is not in the way of a copy; what
    // is in the way of both (ENOSPC) is reported by the copy.
    if source.executable == executable && std::fs::hard_link(&source.path, path).is_ok() {
        return Ok(Put::Linked);
    }
    let Ok(mut from) = open(&source.path) else {
        return Ok(Put::Bad);
    };
    let mut to = create_file(path, executable)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 128 * 1024];
    let read = loop {
        match from.read(&mut buffer) {
            Ok(0) => break true,
            Ok(length) => {
                hasher.update(&buffer[..length]);
                to.write_all(&buffer[..length])
                    .map_err(|error| TreeError::io("write", path, error))?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => break false,
        }
    };
    if read && Digest::from(hasher.finalize()) == *digest {
        set_mode(&to, path, executable)?;
        return Ok(Put::Copied);
    }
    std::fs::remove_file(path).map_err(|error| TreeError::io("remove", path, error))?;
    Ok(Put::Bad)
}
