//! Removes a tree, walking through descriptors of its folders, so that a link that takes a
//! folder's place meanwhile is not followed.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::error::TreeError;

/// Removes `path` and everything below it. Links are removed, never followed; read-only folders
/// are made writable on the way. Goes on after a failure, so that as much as can be is gone.
/// Nothing at `path` is fine.
///
/// # Errors
/// The first file or folder that could not be removed.
pub fn remove_tree(path: &Path) -> Result<(), TreeError> {
    let name = CString::new(path.as_os_str().as_bytes())
        .map_err(|error| TreeError::io("remove", path, error.into()))?;
    let mut first = None;
    remove(CWD, &name, path, &mut first);
    first.map_or(Ok(()), Err)
}

fn remove(parent: BorrowedFd<'_>, name: &CStr, path: &Path, first: &mut Option<TreeError>) {
    let mut fail = |errno: Errno| {
        first.get_or_insert_with(|| TreeError::io("remove", path, errno.into()));
    };
    // unlink(2) of a folder says EISDIR on Linux, EPERM by POSIX; EACCES and EPERM also mean that
    // it is somebody else's. Whether it is a folder is known when it opens as one.
    let refusal = match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return,
        Err(errno) => errno,
    };
    let folder = match open_folder(parent, name) {
        Ok(folder) => folder,
        Err(Errno::NOTDIR | Errno::LOOP) => return fail(refusal),
        Err(errno) => return fail(errno),
    };
    // Not ours to change is not a failure yet: an empty folder can be removed all the same.
    let _ = rustix::fs::fchmod(&folder, Mode::RWXU);
    match names(&folder) {
        Ok(names) => {
            for (child, _) in names {
                let below = path.join(std::ffi::OsStr::from_bytes(child.to_bytes()));
                remove(folder.as_fd(), &child, &below, first);
            }
        }
        Err(errno) => fail(errno),
    }
    drop(folder);
    match rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => {
            first.get_or_insert_with(|| TreeError::io("remove", path, errno.into()));
        }
    }
}

/// Opens a folder, not a link to one. One that its owner may not read is made readable first.
fn open_folder(parent: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(parent, name, flags, Mode::empty()) {
        Err(Errno::ACCESS) => {
            let kind = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode;
            if !FileType::from_raw_mode(kind).is_dir() {
                return Err(Errno::NOTDIR);
            }
            rustix::fs::chmodat(parent, name, Mode::RWXU, AtFlags::empty())?;
            rustix::fs::openat(parent, name, flags, Mode::empty())
        }
        result => result,
    }
}

/// The names in `folder`, read at once so that it may change afterwards.
fn names(folder: &OwnedFd) -> Result<Vec<(CString, FileType)>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if !matches!(name.to_bytes(), b"." | b"..") {
            names.push((name.to_owned(), entry.file_type()));
        }
    }
    Ok(names)
}
