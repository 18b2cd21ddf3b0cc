//! Gives what lies below a folder from one user to another: each file through a descriptor of its
//! own, so that no link or name that somebody puts there meanwhile leads astray.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Stat, Uid};

use crate::agent::service::account;

/// More files than this are for a person to give away: it would take minutes.
const MOST: usize = 1_000_000;

const FOLDER: OFlags = OFlags::DIRECTORY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::RDONLY)
    .union(OFlags::CLOEXEC);

/// Counts the files and folders in the folder `below` of `base` by their owner, the folder itself
/// included. A link is not followed, and a folder that is not there holds nothing. A file with
/// several names counts for nobody: it may have one elsewhere.
///
/// # Errors
/// Those of the file system, and when there are more than a million.
pub fn owners(base: &Path, below: &Path) -> io::Result<BTreeMap<u32, usize>> {
    let mut owners = BTreeMap::new();
    let mut seen = 0;
    each(base, below, &mut |file| {
        seen += 1;
        if seen > MOST {
            let text = format!(
                "more than {MOST} files are in {}",
                base.join(below).display()
            );
            return Err(io::Error::other(text));
        }
        if may_be_given(&file.found) {
            *owners.entry(file.found.st_uid).or_default() += 1;
        }
        Ok(())
    })?;
    Ok(owners)
}

/// Gives all that [`owners`] counts for the user id `from` to the user called `to`.
///
/// # Errors
/// Those of the file system, and when there is no such user.
pub fn give(base: &Path, below: &Path, from: u32, to: &str) -> io::Result<()> {
    let to = account::known(to)?;
    let old_group = account::by_uid(from).map(|account| account.gid);
    let old_group = old_group.or((from == 0).then_some(0));
    each(base, below, &mut |file| {
        if file.found.st_uid != from || !may_be_given(&file.found) {
            return Ok(());
        }
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let it = match rustix::fs::openat(file.folder, file.name, flags, Mode::empty()) {
            Err(rustix::io::Errno::NOENT) => return Ok(()),
            it => it?,
        };
        // What has the name now, it may be another.
        let found = rustix::fs::fstat(&it)?;
        if found.st_uid != from || !may_be_given(&found) {
            return Ok(());
        }
        let group = (Some(found.st_gid) == old_group).then(|| Gid::from_raw(to.gid));
        let user = Some(Uid::from_raw(to.uid));
        rustix::fs::chownat(&it, c"", user, group, AtFlags::EMPTY_PATH)?;
        Ok(())
    })
}

fn may_be_given(found: &Stat) -> bool {
    FileType::from_raw_mode(found.st_mode).is_dir() || found.st_nlink == 1
}

/// A file as its folder has it.
struct File<'a> {
    folder: &'a OwnedFd,
    name: &'a std::ffi::CStr,
    found: Stat,
}

type Visit<'v> = &'v mut dyn FnMut(&File<'_>) -> io::Result<()>;

fn each(base: &Path, below: &Path, visit: Visit<'_>) -> io::Result<()> {
    let mut folder = match super::folder::open_base(base) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        folder => folder?,
    };
    let parts: Vec<PathBuf> = below.iter().map(PathBuf::from).collect();
    let Some((last, parents)) = parts.split_last() else {
        return Ok(());
    };
    for part in parents {
        folder = match rustix::fs::openat(&folder, part, FOLDER, Mode::empty()) {
            Err(error) if is_no_folder(error) => return Ok(()),
            folder => folder?,
        };
    }
    let name = std::ffi::CString::new(last.as_os_str().as_encoded_bytes())?;
    one(&folder, &name, visit)
}

fn one(folder: &OwnedFd, name: &std::ffi::CStr, visit: Visit<'_>) -> io::Result<()> {
    let found = match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(rustix::io::Errno::NOENT) => return Ok(()),
        found => found?,
    };
    visit(&File {
        folder,
        name,
        found,
    })?;
    if !FileType::from_raw_mode(found.st_mode).is_dir() {
        return Ok(());
    }
    let inner = match rustix::fs::openat(folder, name, FOLDER, Mode::empty()) {
        Err(error) if is_no_folder(error) => return Ok(()),
        inner => inner?,
    };
    for entry in rustix::fs::Dir::read_from(inner.as_fd())? {
        let entry = entry?;
        let name = entry.file_name();
        if name != c"." && name != c".." {
            one(&inner, name, visit)?;
        }
    }
    Ok(())
}

fn is_no_folder(error: rustix::io::Errno) -> bool {
    use rustix::io::Errno;
    [Errno::NOENT, Errno::NOTDIR, Errno::LOOP].contains(&error)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, lchown, symlink};

    use super::*;

    #[test]
    fn what_one_user_has_below_a_folder_is_given_and_nothing_else() {
        let Some(nobody) = account::by_name("nobody") else {
            return;
        };
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let temp = tempfile::tempdir().unwrap();
        let at = |path: &str| temp.path().join(path);
        fs::create_dir_all(at("shared/uploads/deep")).unwrap();
        for file in [
            "outside",
            "shared/uploads/deep/his",
            "shared/uploads/roots",
            "shared/twice",
        ] {
            fs::write(at(file), "x").unwrap();
        }
        fs::hard_link(at("shared/twice"), at("elsewhere")).unwrap();
        symlink(at("outside"), at("shared/uploads/link")).unwrap();
        symlink(temp.path(), at("shared/back")).unwrap();
        let his = [
            "shared",
            "shared/uploads",
            "shared/uploads/deep/his",
            "shared/twice",
            "outside",
        ];
        for path in his {
            lchown(at(path), Some(4242), Some(4242)).unwrap();
        }
        let owners = owners(temp.path(), Path::new("shared")).unwrap();
        assert_eq!(owners, BTreeMap::from([(0, 4), (4242, 3)]));

        give(temp.path(), Path::new("shared"), 4242, "nobody").unwrap();
        let owner = |path: &str| fs::symlink_metadata(at(path)).unwrap().uid();
        for path in &his[..3] {
            assert_eq!(owner(path), nobody.uid, "{path}");
        }
        assert_eq!((owner("shared/twice"), owner("outside")), (4242, 4242));
        assert_eq!(
            (owner("shared/uploads/roots"), owner("shared/uploads/link")),
            (0, 0)
        );
        assert!(
            super::owners(temp.path(), Path::new("absent/x"))
                .unwrap()
                .is_empty()
        );
        give(temp.path(), Path::new("shared/back"), 4242, "nobody").unwrap();
        assert_eq!(owner("outside"), 4242, "a link was followed");
    }
}
