//! The spare: a second tree of the live release, made of hard links after a deploy, when nobody
//! waits. The next release is made by changing it, so that staging costs what the change costs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::SystemTime;

use foldhash::HashSet;

use super::{Layout, careful, disk, releases};
use crate::artifact::{Assembly, Index, Known, Spare, TreePath, remove_tree, sync_all};
use crate::model::Digest;

fn folder(layout: &Layout) -> PathBuf {
    layout.state_file("spare")
}

/// The spare, looked at in a thread of its own while an offer is on its way.
#[derive(Debug)]
pub struct Ahead {
    found: Found,
    looking: JoinHandle<HashSet<TreePath>>,
}

/// What the spare is.
#[derive(Debug)]
pub struct Found {
    /// The artifact that it is a tree of.
    pub artifact: Digest,
    /// The index of that.
    pub index: Arc<Index>,
    made: SystemTime,
}

/// Begins the look at the spare; `None` when there is none that could be used.
#[must_use]
pub fn look(layout: &Layout) -> Option<Ahead> {
    let found = find(layout)?;
    let look = found.spare(folder(layout).join("tree")).open().ok()?;
    let looking = std::thread::spawn(move || look.damaged());
    Some(Ahead { found, looking })
}

/// The artifact that the spare in `folder` is a tree of.
fn artifact_of(folder: &Path) -> Option<Digest> {
    let text = careful::text(&folder.join("artifact"), careful::SMALL).ok()?;
    text.trim().parse().ok()
}

fn find(layout: &Layout) -> Option<Found> {
    let folder = folder(layout);
    let artifact = artifact_of(&folder)?;
    let stored = folder.join("index");
    let made = fs::metadata(&stored).ok()?.modified().ok()?;
    let bytes = careful::read(&stored, careful::INDEX).ok()?;
    let index = Index::decode_own(&bytes, &artifact).ok()?;
    Some(Found {
        artifact,
        index: Arc::new(index),
        made,
    })
}

impl Found {
    fn spare(&self, tree: PathBuf) -> Spare {
        Spare {
            tree,
            index: Arc::clone(&self.index),
            made: self.made,
        }
    }
}

impl Ahead {
    /// What the spare is.
    #[must_use]
    pub fn found(&self) -> &Found {
        &self.found
    }

    /// Takes the spare away to `to`, which must not exist: it, and what of it is damaged. `None` when
    /// it is not there any more: after a rollback the tidying may just have put another in its place.
    pub fn take(self, layout: &Layout, to: &Path) -> Option<(Spare, HashSet<TreePath>)> {
        fs::rename(folder(layout), to).ok()?;
        let is_that = artifact_of(to) == Some(self.found.artifact);
        let damaged = self.looking.join().ok().filter(|_| is_that);
        let taken = damaged.map(|damaged| (self.found.spare(to.join("tree")), damaged));
        if taken.is_none() {
            let _ = remove_tree(to);
        }
        taken
    }
}

/// Removes the spare, for instance to make room.
pub fn remove(layout: &Layout) {
    let gone = layout.state_file("trash").join(disk::unique());
    // On a full disk the folder of what is being removed may not grow by a name.
    let _ = match fs::rename(folder(layout), &gone) {
        Ok(()) => remove_tree(&gone),
        Err(_) => remove_tree(&folder(layout)),
    };
}

/// Makes a spare of the live release, unless there is one. What cannot be made is not there: the
/// next deploy does without.
pub fn make(layout: &Layout) {
    let Ok(Some(id)) = releases::current(layout) else {
        return;
    };
    let Ok(release) = releases::read(layout, id) else {
        return;
    };
    if artifact_of(&folder(layout)) == Some(release.artifact) {
        return;
    }
    remove(layout);
    let begun = layout.state_file(&format!("spare.{}", disk::unique()));
    if build(layout, id, &release.artifact, &begun).is_none()
        || fs::rename(&begun, folder(layout)).is_err()
    {
        let _ = remove_tree(&begun);
    }
}

fn build(
    layout: &Layout,
    id: crate::model::ReleaseId,
    artifact: &Digest,
    begun: &Path,
) -> Option<()> {
    let stored = releases::index_path(layout, id);
    let assembled = fs::metadata(&stored).ok()?.modified().ok()?;
    let bytes = careful::read(&stored, careful::INDEX).ok()?;
    let index = Arc::new(Index::decode_own(&bytes, artifact).ok()?);
    let mut known = Known::new();
    known.add(layout.release(id), Arc::clone(&index), assembled);
    fs::create_dir(begun).ok()?;
    let tree = Assembly::plan(Arc::clone(&index), &known)
        .begin(&begun.join("tree"))
        .ok()?;
    // A file of the live release was changed: no base for anything.
    if !tree.missing().is_empty() {
        return None;
    }
    let _ = tree.finish().ok()?;
    disk::write_private(&begun.join("artifact"), artifact.to_string().as_bytes()).ok()?;
    disk::write_private(&begun.join("index"), &bytes).ok()?;
    // Who changes the spare brings only the change to the disk.
    sync_all(begun).ok()?;
    // The first look at new names takes longest, and nobody waits for this one. What was changed in
    // the live release while the spare was made, only the release's own time tells.
    let made = fs::metadata(begun.join("index")).ok()?.modified().ok()?;
    let trees = [(begun.join("tree"), made), (layout.release(id), assembled)];
    let is_as_left = |(tree, made)| {
        let index = Arc::clone(&index);
        let spare = Spare { tree, index, made };
        spare.open().is_ok_and(|look| look.damaged().is_empty())
    };
    trees.into_iter().all(is_as_left).then_some(())
}

/// Removes what an earlier, interrupted [`make`] left.
pub fn clean(layout: &Layout) {
    let Ok(entries) = fs::read_dir(layout.state()) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with("spare.") {
            let _ = remove_tree(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{Entry, Kind};

    /// Puts the spare of a tree with one folder in its place.
    fn put(layout: &Layout, name: &str) -> Digest {
        let path = TreePath::try_from(name).unwrap();
        let kind = Kind::Dir;
        let index = Index::new(vec![Entry { path, kind }]).unwrap();
        let _ = fs::remove_dir_all(folder(layout));
        fs::create_dir_all(folder(layout).join("tree").join(name)).unwrap();
        fs::write(folder(layout).join("index"), index.encode().unwrap()).unwrap();
        let artifact = index.digest();
        fs::write(folder(layout).join("artifact"), artifact.to_string()).unwrap();
        artifact
    }

    #[test]
    fn only_the_spare_that_was_looked_at_is_taken() {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout::at(root.path());
        fs::create_dir_all(layout.state_file("trash")).unwrap();
        let to = root.path().join("to");
        let artifact = put(&layout, "a");
        let (spare, damaged) = look(&layout).unwrap().take(&layout, &to).unwrap();
        assert_eq!(spare.index.digest(), artifact);
        assert!(damaged.is_empty() && to.join("tree/a").is_dir());
        fs::remove_dir_all(&to).unwrap();

        put(&layout, "a");
        let ahead = look(&layout).unwrap();
        put(&layout, "b");
        assert!(ahead.take(&layout, &to).is_none());
        assert!(!to.exists() && !folder(&layout).exists());

        put(&layout, "a");
        let ahead = look(&layout).unwrap();
        remove(&layout);
        assert!(ahead.take(&layout, &to).is_none() && !to.exists());
    }
}
