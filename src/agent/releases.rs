//! The releases on this host: which there are, how far each got, which is live.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::{Layout, adopt, disk};
use serde::{Deserialize, Serialize};

use crate::model::{Digest, Failure, Release, ReleaseId, ReleaseState};
use crate::wire::ReleaseSummary;

/// The live release: what `current` points to. `None` when there is no `current`.
///
/// # Errors
/// When somebody else made `current`: then nothing may be switched before it is adopted.
pub fn current(layout: &Layout) -> Result<Option<ReleaseId>, Failure> {
    if let Some(foreign) = adopt::find(layout)? {
        return Err(Failure::refused(format!(
            "{} is live, which another tool made",
            foreign.shown()
        ))
        .hint("the next deploy adopts it"));
    }
    match fs::read_link(layout.current()) {
        Ok(target) => Ok(adopt::of_ship(layout, &target)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(disk::named(error, &layout.current()).into()),
    }
}

/// The release's metadata.
///
/// # Errors
/// When it is not there or not readable.
pub fn read(layout: &Layout, id: ReleaseId) -> Result<Release, Failure> {
    let path = layout.release(id).join(".ship/release.json");
    let text = fs::read(&path).map_err(|error| disk::named(error, &path))?;
    serde_json::from_slice(&text)
        .map_err(|error| Failure::unexpected(format!("{}: {error}", path.display())))
}

/// What makes the release the same as another; `None` when that was not recorded.
#[must_use]
pub fn identity(layout: &Layout, id: ReleaseId) -> Option<Digest> {
    let text = fs::read_to_string(layout.release(id).join(".ship/identity")).ok()?;
    text.trim().parse().ok()
}

fn state_path(layout: &Layout, id: ReleaseId) -> PathBuf {
    layout.state_file("states").join(id.to_string())
}

/// What is recorded of a release outside its tree (which is read-only).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    state: ReleaseState,
    /// The release that was live when this one was first switched to.
    after: Option<ReleaseId>,
}

fn record(layout: &Layout, id: ReleaseId) -> Record {
    fs::read(state_path(layout, id))
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or(Record {
            state: ReleaseState::Staged,
            after: None,
        })
}

/// The length of a written record, bytes: always the same, so that one can take another's place.
const RECORD: usize = 64;

fn encoded(record: Record) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(&record)?;
    bytes.resize(bytes.len().max(RECORD), b' ');
    Ok(bytes)
}

/// In place where there is one: that needs no room, and one sector is written whole or not at all.
/// A release that fills the disk when it starts must not be lost for want of a block.
fn set_record(layout: &Layout, id: ReleaseId, record: Record) -> io::Result<()> {
    let (path, bytes) = (state_path(layout, id), encoded(record)?);
    match fs::metadata(&path) {
        Ok(found) if found.len() == bytes.len() as u64 => disk::overwrite(&path, &bytes),
        _ => disk::write_atomic(&path, &bytes, 0o600),
    }
}

/// How far the release got.
#[must_use]
pub fn state(layout: &Layout, id: ReleaseId) -> ReleaseState {
    record(layout, id).state
}

/// The release that was live when this one was first switched to: where a rollback goes.
#[must_use]
pub fn after(layout: &Layout, id: ReleaseId) -> Option<ReleaseId> {
    record(layout, id).after
}

/// Records how far the release got.
///
/// # Errors
/// When it cannot be written.
pub fn set_state(layout: &Layout, id: ReleaseId, state: ReleaseState) -> io::Result<()> {
    let old = record(layout, id);
    set_record(layout, id, Record { state, ..old })
}

/// Records that the release is being switched to for the first time, coming from `after`. Not
/// synced: the journal's note of the switch, which comes next, is.
///
/// # Errors
/// When it cannot be written.
pub fn set_active(layout: &Layout, id: ReleaseId, after: Option<ReleaseId>) -> io::Result<()> {
    let active = Record {
        state: ReleaseState::Active,
        after,
    };
    disk::write_unsynced(&state_path(layout, id), &encoded(active)?, 0o600)
}

/// Forgets what is recorded of a release that was removed.
pub fn forget(layout: &Layout, id: ReleaseId) {
    let _ = fs::remove_file(state_path(layout, id));
    let _ = fs::remove_file(index_path(layout, id));
}

/// Where the release's encoded index is kept.
#[must_use]
pub fn index_path(layout: &Layout, id: ReleaseId) -> PathBuf {
    layout.state_file("indexes").join(id.to_string())
}

/// The numbers of the releases that are there, newest first.
///
/// # Errors
/// When the folder is there and cannot be read.
pub fn ids(layout: &Layout) -> io::Result<Vec<ReleaseId>> {
    let mut ids = numbers(layout)?;
    ids.retain(|id| adopt::is_published(layout, *id));
    Ok(ids)
}

/// The numbers that are taken, newest first: those of the releases, and folders of another tool
/// that are called in the same way.
fn numbers(layout: &Layout) -> io::Result<Vec<ReleaseId>> {
    let entries = match fs::read_dir(layout.releases()) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(disk::named(error, &layout.releases())),
    };
    let mut ids: Vec<ReleaseId> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str().map(str::to_owned))
        .filter(|name| name.starts_with('v'))
        .filter_map(|name| ReleaseId::parse(&name).ok())
        .collect();
    ids.sort_unstable_by(|a, b| b.cmp(a));
    Ok(ids)
}

/// The releases as lists show them, newest first. One without metadata is passed over: it was
/// never published.
///
/// # Errors
/// When the folder cannot be read.
pub fn summaries(layout: &Layout) -> Result<Vec<ReleaseSummary>, Failure> {
    let live = current(layout).unwrap_or_default();
    let ids = ids(layout)?;
    Ok(ids
        .into_iter()
        .filter_map(|id| read(layout, id).ok())
        .map(|release| summary(layout, release, live))
        .collect())
}

/// `release` as lists show it.
#[must_use]
pub fn summary(layout: &Layout, release: Release, live: Option<ReleaseId>) -> ReleaseSummary {
    let runtimes = release.versions();
    ReleaseSummary {
        id: release.id,
        state: state(layout, release.id),
        after: after(layout, release.id),
        current: live == Some(release.id),
        created: release.created,
        who: release.origin.who,
        commit: release.origin.commit,
        subject: release.origin.subject,
        runtimes,
        artifact: release.artifact,
    }
}

/// The highest number that was ever used here, whether its release is still there or not.
///
/// # Errors
/// When what is recorded cannot be read.
pub fn last(layout: &Layout) -> io::Result<u32> {
    let recorded = match fs::read_to_string(layout.state_file("sequence")) {
        Ok(text) => text.trim().parse().unwrap_or(0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    let there = numbers(layout)?.first().map_or(0, |id| id.0);
    Ok(there.max(recorded))
}

/// Records that `id` is used, by a release that is staged; the highest number stays what it is when
/// this one is lower, which a host that is brought up later gets. Not synced: the caller does that
/// before the release is published.
///
/// # Errors
/// When it cannot be read or written.
pub fn stage_number(layout: &Layout, id: ReleaseId) -> io::Result<()> {
    let highest = last(layout)?.max(id.0);
    disk::write_unsynced(
        &layout.state_file("sequence"),
        highest.to_string().as_bytes(),
        0o600,
    )?;
    let staged = Record {
        state: ReleaseState::Staged,
        after: None,
    };
    disk::write_unsynced(&state_path(layout, id), &encoded(staged)?, 0o600)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> (tempfile::TempDir, Layout) {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path());
        for id in [1, 2, 10] {
            fs::create_dir_all(layout.release(ReleaseId(id)).join(".ship")).unwrap();
        }
        fs::create_dir_all(layout.state_file("states")).unwrap();
        (folder, layout)
    }

    #[test]
    fn a_current_that_somebody_else_made_is_refused() {
        let (_folder, layout) = host();
        fs::create_dir(layout.current()).unwrap();
        assert!(
            current(&layout)
                .unwrap_err()
                .message
                .contains("a real folder")
        );
        fs::remove_dir(layout.current()).unwrap();
        std::os::unix::fs::symlink("/etc", layout.current()).unwrap();
        assert!(
            current(&layout)
                .unwrap_err()
                .message
                .contains("not a folder of")
        );
    }

    #[test]
    fn numbers_are_ordered_as_numbers_and_never_used_twice() {
        let (_folder, layout) = host();
        assert_eq!(
            ids(&layout).unwrap(),
            [ReleaseId(10), ReleaseId(2), ReleaseId(1)]
        );
        assert_eq!(last(&layout).unwrap(), 10);
        stage_number(&layout, ReleaseId(11)).unwrap();
        assert_eq!(last(&layout).unwrap(), 11);
        stage_number(&layout, ReleaseId(7)).unwrap();
        assert_eq!(last(&layout).unwrap(), 11);
    }

    #[test]
    fn a_state_is_what_was_last_recorded() {
        let (_folder, layout) = host();
        assert_eq!(state(&layout, ReleaseId(1)), ReleaseState::Staged);
        set_state(&layout, ReleaseId(1), ReleaseState::Good).unwrap();
        assert_eq!(state(&layout, ReleaseId(1)), ReleaseState::Good);
    }

    #[test]
    fn a_record_can_take_anothers_place() {
        let last = Some(ReleaseId(u32::MAX));
        for (state, after) in [
            (ReleaseState::Staged, None),
            (ReleaseState::Active, last),
            (ReleaseState::Good, last),
            (ReleaseState::Bad, last),
        ] {
            let bytes = encoded(Record { state, after }).unwrap();
            assert_eq!(bytes.len(), RECORD);
            let back: Record = serde_json::from_slice(&bytes).unwrap();
            assert_eq!((back.state, back.after), (state, after));
        }
    }
}
