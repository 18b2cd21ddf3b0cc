//! Folders below the root folder, made by root where others may write: no link is followed on the
//! way down, so that none of them can lead root astray.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;

use crate::agent::disk;
use crate::agent::service::account;

/// Makes the folder `below` of `base` (one level; its parents are there), or corrects it.
///
/// # Errors
/// Those of the file system; a link on the way is one.
pub fn ensure(base: &Path, below: &Path, owner: &str, mode: u32) -> io::Result<()> {
    let (parent, name) = descend(base, below)?;
    if let Some(name) = name {
        let folder = make(&parent, name)?;
        give(&folder, owner, mode)
    } else {
        give(&parent, owner, mode)
    }
}

/// Makes the folder `name` of `parent`, unless it is there, and opens it.
///
/// # Errors
/// Those of the file system; a link of that name is one.
pub(super) fn make(parent: &OwnedFd, name: &Path) -> io::Result<OwnedFd> {
    match rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o700)) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(rustix::fs::openat(parent, name, DOWN, Mode::empty())?)
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

pub(super) const DOWN: OFlags = OFlags::DIRECTORY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::RDONLY)
    .union(OFlags::CLOEXEC);

/// Opens the parent of `below`; the last name, `None` when `below` is `base` itself.
pub(super) fn descend<'a>(base: &Path, below: &'a Path) -> io::Result<(OwnedFd, Option<&'a Path>)> {
    let mut folder = open_base(base)?;
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

/// How many links may be on the way to a folder (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// Opens the root folder of an app. Root follows a link on the way only where no other user can put
/// one: the root folder may lie in the deploying user's home, who could have it lead to `/etc`.
///
/// # Errors
/// Those of the file system, and such a link.
pub(super) fn open_base(base: &Path) -> io::Result<OwnedFd> {
    walk(base, false)
}

/// Makes the folder at `path`, and those that lead to it, where they are not there; as root, by the
/// rules of [`open_base`].
///
/// # Errors
/// As [`open_base`].
pub(super) fn make_all(path: &Path) -> io::Result<()> {
    walk(path, true).map(drop)
}

fn walk(path: &Path, make: bool) -> io::Result<OwnedFd> {
    if !rustix::process::geteuid().is_root() {
        if make {
            fs::create_dir_all(path)?;
        }
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        return Ok(rustix::fs::open(path, flags, Mode::empty())?);
    }
    let root = || rustix::fs::open("/", DOWN, Mode::empty());
    let mut folder = root()?;
    let mut links = 0;
    let mut left: Vec<PathBuf> = parts(path);
    while let Some(part) = left.pop() {
        if part.is_absolute() {
            folder = root()?;
            continue;
        }
        match rustix::fs::openat(&folder, &part, DOWN, Mode::empty()) {
            Ok(next) => folder = next,
            Err(Errno::NOENT) if make => {
                match rustix::fs::mkdirat(&folder, &part, Mode::from_raw_mode(0o755)) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(error) => return Err(error.into()),
                }
                folder = rustix::fs::openat(&folder, &part, DOWN, Mode::empty())?;
            }
            Err(error @ (Errno::LOOP | Errno::NOTDIR)) => {
                let target = match rustix::fs::readlinkat(&folder, &part, Vec::new()) {
                    Ok(target) => PathBuf::from(OsString::from_vec(target.into_bytes())),
                    Err(_) => return Err(error.into()),
                };
                let found = rustix::fs::fstat(&folder)?;
                if found.st_uid != 0 || found.st_mode & 0o022 != 0 {
                    return Err(io::Error::other(format!(
                        "`{}` on the way to it is a link in a folder that other users than root can \
                         change",
                        part.display()
                    )));
                }
                links += 1;
                if links > MOST_LINKS {
                    return Err(Errno::LOOP.into());
                }
                left.extend(parts(&target));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(folder)
}

/// The parts of a path, the last first.
fn parts(path: &Path) -> Vec<PathBuf> {
    let parts = path.components().rev();
    parts.map(|part| PathBuf::from(part.as_os_str())).collect()
}

/// Sets mode and owner; the owner last, who could not set the mode of what is root's.
fn give(file: &impl AsFd, owner: &str, mode: u32) -> io::Result<()> {
    rustix::fs::fchmod(file, Mode::from_raw_mode(mode as rustix::fs::RawMode))?;
    let account = account::known(owner)?;
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

    /// The root folder may lie in the home of the deploying user.
    #[test]
    fn root_follows_no_link_to_the_root_folder_that_another_user_could_put() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let temp = tempfile::tempdir().unwrap();
        let base = temp.path().canonicalize().unwrap();
        let at = |path: &str| base.join(path);
        for folder in ["of-root", "home", "sticky"] {
            fs::create_dir(at(folder)).unwrap();
            symlink("../of-root", at(folder).join("link")).unwrap();
        }
        fs::set_permissions(at("of-root"), fs::Permissions::from_mode(0o700)).unwrap();
        fs::set_permissions(at("home"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(at("sticky"), fs::Permissions::from_mode(0o1777)).unwrap();
        std::os::unix::fs::chown(at("home"), Some(65534), Some(65534)).unwrap();
        // As an administrator may have it.
        symlink("of-root", at("mine")).unwrap();
        make_all(&at("mine/a/b")).unwrap();
        assert!(at("of-root/a/b").is_dir());
        assert!(ensure(&at("mine/../mine"), Path::new("c"), "nobody", 0o755).is_ok());

        for way in ["home/link", "sticky/link"] {
            assert!(open_base(&at(way)).is_err(), "{way}");
            assert!(open_base(&at(way).join("a")).is_err(), "{way}");
            assert!(make_all(&at(way).join("made")).is_err(), "{way}");
            assert!(ensure(&at(way), Path::new(""), "nobody", 0o777).is_err());
            assert!(touch(&at(way), Path::new("file"), "nobody", 0o644).is_err());
        }
        let found = fs::metadata(at("of-root")).unwrap();
        assert_eq!(found.permissions().mode() & 0o777, 0o700);
        let mut names: Vec<_> = fs::read_dir(at("of-root")).unwrap().flatten().collect();
        names.sort_by_key(|it| it.file_name());
        let names: Vec<_> = names.iter().map(|it| it.file_name()).collect();
        assert_eq!(names, ["a", "c", "link"]);
    }

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
