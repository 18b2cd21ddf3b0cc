//! Folders below the root folder, made by root where others may write: no link is followed on the
//! way down, so that none of them can lead root astray.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path};

use rustix::fs::{AtFlags, Gid, Mode, OFlags, Uid};

use crate::agent::disk;
use crate::agent::service::account;

/// Makes the folder `below` of `base` (one level; its parents are there), or corrects it.
///
/// # Errors
/// Those of the file system; a link on the way is one.
pub fn ensure(base: &Path, below: &Path, owner: &str, mode: u32) -> io::Result<()> {
    let (parent, name) = descend(base, below)?;
    if let Some(name) = name {
        match rustix::fs::mkdirat(&parent, name, Mode::from_raw_mode(0o700)) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let folder = rustix::fs::openat(&parent, name, DOWN, Mode::empty())?;
        give(&folder, owner, mode)
    } else {
        give(&parent, owner, mode)
    }
}

/// Makes the empty file `below` of `base`, unless something is there.
///
/// # Errors
/// Those of the file system; a link on the way is one.
pub fn touch(base: &Path, below: &Path, owner: &str, mode: u32) -> io::Result<()> {
    let (parent, name) = descend(base, below)?;
    let name = name.ok_or(io::ErrorKind::InvalidInput)?;
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(&parent, name, flags, Mode::from_raw_mode(0o600)) {
        Ok(file) => give(&file, owner, mode),
        Err(rustix::io::Errno::EXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Puts a copy of the program at `from` at `below` of `base`, mode 0755, over what is there: whole
/// and on the disk before it has its name.
///
/// # Errors
/// Those of the file system; a link on the way is one.
pub fn put(base: &Path, below: &Path, from: &Path, owner: &str) -> io::Result<()> {
    let (parent, name) = descend(base, below)?;
    let name = name.ok_or(io::ErrorKind::InvalidInput)?;
    let mut program = fs::File::open(from)?;
    let temporary = format!(".{}.{}", name.display(), disk::unique());
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(&parent, &temporary, flags, Mode::from_raw_mode(0o600))?;
    let mut file = fs::File::from(file);
    let put = io::copy(&mut program, &mut file)
        .and_then(|_| give(&file, owner, 0o755))
        .and_then(|()| file.sync_all())
        .and_then(|()| Ok(rustix::fs::renameat(&parent, &temporary, &parent, name)?));
    if put.is_err() {
        let _ = rustix::fs::unlinkat(&parent, &temporary, AtFlags::empty());
    }
    put
}

const DOWN: OFlags = OFlags::DIRECTORY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::RDONLY)
    .union(OFlags::CLOEXEC);

/// Opens the parent of `below`; the last name, `None` when `below` is `base` itself.
fn descend<'a>(base: &Path, below: &'a Path) -> io::Result<(OwnedFd, Option<&'a Path>)> {
    // The way to the root folder is the administrator's, links and all.
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
    let mut folder = rustix::fs::open(base, flags, Mode::empty())?;
    let Some(name) = below.file_name() else {
        return Ok((folder, None));
    };
    for part in below.parent().unwrap_or(Path::new("")).components() {
        let Component::Normal(part) = part else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        folder = rustix::fs::openat(&folder, part, DOWN, Mode::empty())?;
    }
    Ok((folder, Some(Path::new(name))))
}

/// Sets mode and owner; the owner last, who could not set the mode of what is root's.
fn give(file: &impl AsFd, owner: &str, mode: u32) -> io::Result<()> {
    rustix::fs::fchmod(file, Mode::from_raw_mode(mode as rustix::fs::RawMode))?;
    let Some(account) = account::by_name(owner) else {
        return Err(io::Error::other(format!("there is no user {owner}")));
    };
    let has = rustix::fs::fstat(file)?;
    if (has.st_uid, has.st_gid) == (account.uid, account.gid) {
        return Ok(());
    }
    let (uid, gid) = (Uid::from_raw(account.uid), Gid::from_raw(account.gid));
    rustix::fs::fchown(file, Some(uid), Some(gid))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn no_link_is_followed() {
        let uid = rustix::process::geteuid().as_raw();
        let Some(me) = account::by_uid(uid) else {
            return;
        };
        let temp = tempfile::tempdir().unwrap();
        let base = temp.path();
        ensure(base, Path::new("a"), &me.name, 0o755).unwrap();
        ensure(base, Path::new("a/b"), &me.name, 0o750).unwrap();
        touch(base, Path::new("a/b/file"), &me.name, 0o640).unwrap();
        touch(base, Path::new("a/b/file"), &me.name, 0o600).unwrap();
        let mode = |path: &str| fs::metadata(base.join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            (mode("a"), mode("a/b"), mode("a/b/file")),
            (0o755, 0o750, 0o640)
        );

        let program = base.join("program");
        fs::write(&program, "#!").unwrap();
        put(base, Path::new("a/b/file"), &program, &me.name).unwrap();
        assert_eq!(fs::read(base.join("a/b/file")).unwrap(), b"#!");
        assert_eq!(mode("a/b/file"), 0o755);

        symlink(base.join("a"), base.join("link")).unwrap();
        assert!(put(base, Path::new("link/b/file"), &program, &me.name).is_err());
        assert!(put(base, Path::new("a/b/file"), &base.join("a"), &me.name).is_err());
        assert!(put(base, Path::new("a/b/file"), &base.join("gone"), &me.name).is_err());
        assert_eq!(fs::read_dir(base.join("a/b")).unwrap().count(), 1);
        assert!(ensure(base, Path::new("link"), &me.name, 0o700).is_err());
        assert!(ensure(base, Path::new("link/b"), &me.name, 0o700).is_err());
        assert!(ensure(base, Path::new("../x"), &me.name, 0o700).is_err());
        assert_eq!(mode("a/b"), 0o750);
    }
}
