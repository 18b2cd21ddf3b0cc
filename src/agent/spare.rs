//! The spare: a second tree of the live release, made of hard links after a deploy, when nobody
//! waits. The next release is made by changing it, so that staging costs what the change costs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Layout, disk, releases};
use crate::artifact::{Assembly, Index, Known, Spare, remove_tree, sync_all};
use crate::model::Digest;

fn folder(layout: &Layout) -> PathBuf {
    layout.state_file("spare")
}

/// Takes the spare away to `to`, which must not exist. `index` is an index that is at hand, with
/// its artifact: mostly it is the spare's own. `None` when there is no spare.
pub fn take(layout: &Layout, to: &Path, at_hand: Option<(Digest, &Arc<Index>)>) -> Option<Spare> {
    fs::rename(folder(layout), to).ok()?;
    let stored = to.join("index");
    let read = || {
        let made = fs::metadata(&stored).ok()?.modified().ok()?;
        let artifact: Digest = fs::read_to_string(to.join("artifact"))
            .ok()?
            .trim()
            .parse()
            .ok()?;
        let index = match at_hand {
            Some((digest, index)) if digest == artifact => Arc::clone(index),
            _ => Arc::new(Index::decode(&fs::read(&stored).ok()?).ok()?),
        };
        Some(Spare {
            tree: to.join("tree"),
            index,
            made,
        })
    };
    let spare = read();
    if spare.is_none() {
        let _ = remove_tree(to);
    }
    spare
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
    let index = Arc::new(Index::decode(&bytes).ok()?);
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
