//! What earlier stagings left: releases that nobody switched to, and interrupted transfers.

use std::fs;
use std::path::{Path, PathBuf};

use crate::agent::host::Host;
use crate::agent::{Layout, disk, prune, releases};
use crate::artifact::remove_tree;
use crate::model::{ReleaseId, ReleaseState};

/// Removes a release that was staged and never switched to.
pub fn unstage(host: &Host, id: ReleaseId) {
    let layout = &host.layout;
    if releases::state(layout, id) == ReleaseState::Staged
        && releases::current(layout).ok().flatten() != Some(id)
    {
        prune::remove(layout, id);
    }
}

/// Removes what earlier transactions left in the staging folder, but for the newest transfer that
/// can be gone on with. Call it under the lock.
pub fn clean(layout: &Layout) {
    let newest = leftovers(layout).into_iter().max_by_key(|folder| {
        let index = fs::metadata(folder.join("index"));
        index.and_then(|found| found.modified()).ok()
    });
    clean_but(layout, &newest.unwrap_or_default());
}

/// Interrupted transfers.
pub(super) fn leftovers(layout: &Layout) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(layout.state_file("staging")) else {
        return Vec::new();
    };
    entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|folder| folder.join("index").is_file() && folder.join("tree").is_dir())
        .collect()
}

/// Removes interrupted transfers, to make room; whether there were any.
pub fn give_up(layout: &Layout) -> bool {
    let mut gone = false;
    for folder in leftovers(layout) {
        gone |= remove_tree(&folder).is_ok();
    }
    gone
}

/// Moves all but `kept` out of the staging folder; the tidying removes it.
pub(super) fn clean_but(layout: &Layout, kept: &Path) {
    let Ok(entries) = fs::read_dir(layout.state_file("staging")) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let trash = layout.state_file("trash").join(disk::unique());
        if path != kept && fs::rename(&path, trash).is_err() {
            let _ = remove_tree(&path);
        }
    }
}
