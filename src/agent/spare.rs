//! The spare: a second tree of the live release, made of hard links after a deploy, when nobody
//! waits. The next release is made by changing it, so that staging costs what the change costs.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::SystemTime;

use super::{Layout, disk, releases};
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

fn find(layout: &Layout) -> Option<Found> {
    let folder = folder(layout);
    let artifact = fs::read_to_string(folder.join("artifact")).ok()?;
    let artifact: Digest = artifact.trim().parse().ok()?;
    let stored = folder.join("index");
    let made = fs::metadata(&stored).ok()?.modified().ok()?;
    let index = Index::decode_own(&fs::read(&stored).ok()?, &artifact).ok()?;
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
    /// it is not there any more.
    pub fn take(self, layout: &Layout, to: &Path) -> Option<(Spare, HashSet<TreePath>)> {
        fs::rename(folder(layout), to).ok()?;
        let damaged = self.looking.join().ok();
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
    if fs::rename(folder(layout), &gone).is_ok() {
        let _ = remove_tree(&gone);
    }
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
    let is_there = fs::read_to_string(folder(layout).join("artifact"))
        .is_ok_and(|text| text.trim() == release.artifact.to_string());
    if is_there {
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
    let bytes = fs::read(&stored).ok()?;
    let index = Arc::new(Index::decode_own(&bytes, artifact).ok()?);
    let mut known = Known::new();
    known.add(layout.release(id), Arc::clone(&index), assembled);
    fs::create_dir(begun).ok()?;
    let tree = Assembly::plan(index, &known)
        .begin(&begun.join("tree"))
        .ok()?;
    // A file of the live release was changed: no base for anything.
    if !tree.missing().is_empty() {
        return None;
    }
    let _ = tree.finish().ok()?;
    fs::write(begun.join("artifact"), artifact.to_string()).ok()?;
    fs::write(begun.join("index"), &bytes).ok()?;
    // Who changes the spare brings only the change to the disk.
    sync_all(begun).ok()
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
