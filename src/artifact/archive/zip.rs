//! Reads `.zip` (APPNOTE.TXT of PKWARE; stored and deflated entries).

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use zip::ZipArchive;
use zip::read::ZipFile;

use super::refuse;
use super::tree::Tree;
use crate::artifact::error::TreeError;

/// The longest text of a link, bytes (`PATH_MAX`, limits.h).
const MAX_TARGET: u64 = 4096;
/// The type of a file within its mode (inode(7)).
const TYPE: u32 = 0o170_000;
const SYMLINK: u32 = 0o120_000;
const REGULAR: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;

pub(super) fn read(archive: &Path, tree: &mut Tree) -> Result<(), TreeError> {
    let broken = |error: zip::result::ZipError| TreeError::io("unpack", archive, error.into());
    let file = File::open(archive).map_err(|error| TreeError::io("open", archive, error))?;
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(broken)?;
    if zip.is_empty() {
        let nothing = io::Error::other("there is nothing in it");
        return Err(TreeError::io("unpack", archive, nothing));
    }
    for at in 0..zip.len() {
        add(&mut zip.by_index(at).map_err(broken)?, tree)?;
    }
    Ok(())
}

fn add(entry: &mut ZipFile<'_, impl Read>, tree: &mut Tree) -> Result<(), TreeError> {
    let name = entry.name_raw().to_vec();
    let mode = entry.unix_mode().unwrap_or(0);
    match mode & TYPE {
        SYMLINK => {
            let mut target = Vec::new();
            entry
                .take(MAX_TARGET)
                .read_to_end(&mut target)
                .map_err(|error| refuse(&name, error.to_string()))?;
            tree.link(&name, &target)
        }
        FOLDER => tree.folder(&name),
        _ if name.ends_with(b"/") => tree.folder(&name),
        REGULAR | 0 => tree.file(&name, mode & 0o111 != 0, entry),
        _ => Err(refuse(&name, "is neither a file nor a folder nor a link")),
    }
}
