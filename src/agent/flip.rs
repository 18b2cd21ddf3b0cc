//! The flip of `current`: one `rename(2)`, for which all was made beforehand. So neither a full
//! disk nor the last inode stands in the way of a flip, forth or back.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::{Layout, disk};
use crate::model::ReleaseId;

/// How the links begin that wait to become `current`. Their names are unique, and what they point
/// to is looked at: a leftover is never published by mistake.
const PREFIX: &str = ".current.";

/// Makes the links that flips to `targets` will rename, and removes those that an earlier
/// activation left. Call it under the lock, before the first note in the journal.
///
/// # Errors
/// When a link cannot be made: no room, no inode, no rights.
pub fn prepare(layout: &Layout, targets: impl IntoIterator<Item = ReleaseId>) -> io::Result<()> {
    clear(layout);
    targets
        .into_iter()
        .try_for_each(|to| make(layout, to).map(drop))
}

/// Removes the links that wait and are not needed any more.
pub fn clear(layout: &Layout) {
    for link in waiting(layout) {
        let _ = fs::remove_file(link);
    }
}

/// Points `current` to `to`; `None` takes `current` away. On the disk (fsync) when it returns.
///
/// # Errors
/// When the release is not there, or the file system refuses. The flip may have happened then.
pub fn flip(layout: &Layout, to: Option<ReleaseId>) -> io::Result<()> {
    let current = layout.current();
    match to {
        Some(to) => {
            let tree = layout.release(to);
            if !tree.is_dir() {
                return Err(io::Error::new(
                    io::ErrorKind::NotFound,
                    format!("{} is not there", tree.display()),
                ));
            }
            let target = target(to);
            let leads_there = |link: &PathBuf| fs::read_link(link).is_ok_and(|to| to == target);
            let link = match waiting(layout).into_iter().find(leads_there) {
                Some(link) => link,
                None => make(layout, to)?,
            };
            fs::rename(&link, &current).map_err(|error| disk::named(error, &current))?;
        }
        None => match fs::remove_file(&current) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            removed => removed.map_err(|error| disk::named(error, &current))?,
        },
    }
    disk::sync_folder(layout.root())
}

/// What `current` says when `id` is live.
fn target(id: ReleaseId) -> PathBuf {
    Path::new("releases").join(id.to_string())
}

fn make(layout: &Layout, to: ReleaseId) -> io::Result<PathBuf> {
    let link = layout.root().join(format!("{PREFIX}{}", disk::unique()));
    symlink(target(to), &link).map_err(|error| disk::named(error, &link))?;
    Ok(link)
}

fn waiting(layout: &Layout) -> Vec<PathBuf> {
    let entries = fs::read_dir(layout.root()).into_iter().flatten().flatten();
    entries
        .filter(|entry| {
            entry
                .file_name()
                .as_encoded_bytes()
                .starts_with(PREFIX.as_bytes())
        })
        .map(|entry| entry.path())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::releases::current;

    fn host() -> (tempfile::TempDir, Layout) {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path());
        for id in [1, 2, 10] {
            fs::create_dir_all(layout.release(ReleaseId(id)).join(".ship")).unwrap();
        }
        (folder, layout)
    }

    #[test]
    fn the_flip_goes_forth_and_back_and_away() {
        let (_folder, layout) = host();
        assert_eq!(current(&layout).unwrap(), None);
        for to in [1, 10, 2] {
            flip(&layout, Some(ReleaseId(to))).unwrap();
            assert_eq!(current(&layout).unwrap(), Some(ReleaseId(to)));
            assert_eq!(
                fs::read_link(layout.current()).unwrap(),
                target(ReleaseId(to))
            );
        }
        flip(&layout, None).unwrap();
        assert_eq!(current(&layout).unwrap(), None);
        assert!(
            flip(&layout, Some(ReleaseId(3))).is_err(),
            "a release that is not there"
        );
    }

    #[test]
    fn what_was_prepared_is_renamed_and_what_was_left_is_not_published() {
        let (_folder, layout) = host();
        symlink("releases/v10", layout.root().join(".current.left")).unwrap();
        prepare(&layout, [ReleaseId(1), ReleaseId(2)]).unwrap();
        assert_eq!(waiting(&layout).len(), 2);
        for to in [2, 1] {
            let inodes: Vec<_> = waiting(&layout).iter().map(inode).collect();
            flip(&layout, Some(ReleaseId(to))).unwrap();
            assert_eq!(current(&layout).unwrap(), Some(ReleaseId(to)));
            assert!(inodes.contains(&inode(&layout.current())), "a pure rename");
        }
        assert_eq!(waiting(&layout), Vec::<PathBuf>::new());
        prepare(&layout, [ReleaseId(2)]).unwrap();
        clear(&layout);
        assert_eq!(waiting(&layout), Vec::<PathBuf>::new());
    }

    fn inode(link: &PathBuf) -> u64 {
        std::os::unix::fs::MetadataExt::ino(&fs::symlink_metadata(link).unwrap())
    }
}
