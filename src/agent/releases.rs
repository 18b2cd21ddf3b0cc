//! The releases on this host: which there are, how far each got, which is live.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::careful::{self, ReadError};
use super::{Layout, adopt, disk, history};
use serde::{Deserialize, Serialize};

use crate::artifact::TreePath;
use crate::model::{
    Digest, Failure, Operation, OperationOutcome, Release, ReleaseId, ReleaseState,
};
use crate::wire::ReleaseSummary;

/// The live release: what `current` points to. `None` when there is no `current`.
///
/// # Errors
/// When somebody else made `current`: then nothing may be switched before it is adopted.
pub fn current(layout: &Layout) -> Result<Option<ReleaseId>, Failure> {
    if let Some(foreign) = adopt::find(layout)? {
        return Err(
            Failure::refused(format!("{} is live; another tool made it", foreign.shown()))
                .hint("the next deploy adopts it"),
        );
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
    Ok(careful::json(&path, careful::METADATA)?)
}

/// What makes the release the same as another; `None` when that was not recorded.
#[must_use]
pub fn identity(layout: &Layout, id: ReleaseId) -> Option<Digest> {
    let path = layout.release(id).join(".ship/identity");
    let text = careful::text(&path, careful::SMALL).ok()?;
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

/// The record of the release. Where it is damaged, the history says the same: how the last switch to
/// the release ended, and what was live before the first one.
fn record(layout: &Layout, id: ReleaseId) -> Record {
    const NEVER_SWITCHED_TO: Record = Record {
        state: ReleaseState::Staged,
        after: None,
    };
    match careful::json(&state_path(layout, id), careful::SMALL) {
        Ok(record) => record,
        Err(error) if error.is_absent() => NEVER_SWITCHED_TO,
        Err(_) => from_history(layout, id).unwrap_or(NEVER_SWITCHED_TO),
    }
}

/// What the history says of the release; `None` where it tells of no switch to it. A release that was
/// good once stays one to go back to, whatever became of a later switch to it.
fn from_history(layout: &Layout, id: ReleaseId) -> Option<Record> {
    let entries = history::newest(layout, usize::MAX).ok()?;
    let switches = entries
        .iter()
        .filter(|entry| entry.release == Some(id) && entry.from != Some(id));
    let is_good = |entry: &Operation| {
        matches!(
            entry.outcome,
            OperationOutcome::Good | OperationOutcome::Adopted
        )
    };
    let after = switches.clone().next_back()?.from;
    let state = match switches.clone().any(is_good) {
        true => ReleaseState::Good,
        false => ReleaseState::Bad,
    };
    Some(Record { state, after })
}

/// Writes anew what is damaged of the records of the releases and of the number that was used last,
/// from what else is known. Call it under the lock. Returns a sentence about each.
pub fn mend(layout: &Layout) -> Vec<String> {
    let mut said = Vec::new();
    for id in ids(layout).unwrap_or_default() {
        let path = state_path(layout, id);
        let Some(damage) = damage(careful::json::<Record>(&path, careful::SMALL)) else {
            continue;
        };
        let Some(known) = from_history(layout, id) else {
            said.push(format!(
                "{damage}; the history does not say whether {id} was good"
            ));
            continue;
        };
        let written = encoded(known)
            .and_then(|bytes| disk::write_atomic(&path, &bytes, 0o600))
            .map(|()| format!("rewritten: {id} is {}", known.state.as_str()));
        said.push(mended(&damage, written));
    }
    let path = layout.state_file("sequence");
    if let Some(damage) = damage(sequence(layout)) {
        let written = last(layout).and_then(|last| {
            disk::write_atomic(&path, last.to_string().as_bytes(), 0o600)?;
            Ok(format!("rewritten: the last number is {last}"))
        });
        said.push(mended(&damage, written));
    }
    said
}

fn damage<T>(read: careful::Result<T>) -> Option<ReadError> {
    read.err().filter(|error| !error.is_absent())
}

fn mended(damage: &ReadError, written: io::Result<String>) -> String {
    match written {
        Ok(anew) => format!("{damage}; {anew}"),
        Err(error) => format!("{damage}; it cannot be rewritten: {error}"),
    }
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
    match fs::symlink_metadata(&path) {
        Ok(found) if found.is_file() && found.len() == bytes.len() as u64 => {
            disk::overwrite(&path, &bytes)
        }
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

/// The paths of the release that are links to shared folders and files.
#[must_use]
pub fn shared_paths(release: &Release) -> Vec<TreePath> {
    let paths = release.shared.iter();
    paths
        .filter_map(|path| TreePath::try_from(path.trim_end_matches('/')).ok())
        .collect()
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
    numbers_in(&layout.releases())
}

fn numbers_in(folder: &Path) -> io::Result<Vec<ReleaseId>> {
    let names = match careful::names(folder, careful::NAMES) {
        Ok(names) => names,
        Err(error) if error.is_absent() => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let names = names.iter().filter_map(|name| name.to_str());
    let mut ids: Vec<ReleaseId> = names
        .filter(|name| name.starts_with('v'))
        .filter_map(|name| ReleaseId::parse(name).ok())
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

/// The highest number that was ever used here, whether its release is still there or not. Where the
/// record of it is damaged: the highest of the releases, their records and the history.
///
/// # Errors
/// When the releases cannot be listed.
pub fn last(layout: &Layout) -> io::Result<u32> {
    let recorded = match sequence(layout) {
        Ok(number) => number,
        Err(error) if error.is_absent() => 0,
        Err(_) => {
            let recorded = numbers_in(&layout.state_file("states")).unwrap_or_default();
            let told = history::newest(layout, usize::MAX).unwrap_or_default();
            let told = told.into_iter().filter_map(|entry| entry.release);
            recorded.into_iter().chain(told).max().map_or(0, |id| id.0)
        }
    };
    let there = numbers(layout)?.first().map_or(0, |id| id.0);
    Ok(there.max(recorded))
}

fn sequence(layout: &Layout) -> careful::Result<u32> {
    let path = layout.state_file("sequence");
    let text = careful::text(&path, careful::SMALL)?;
    let number = text.trim().parse();
    number.map_err(|_| ReadError::garbled(&path, "it does not hold a number"))
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
    use crate::model::OperationKind;

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
                .message()
                .contains("a real folder")
        );
        fs::remove_dir(layout.current()).unwrap();
        std::os::unix::fs::symlink("/etc", layout.current()).unwrap();
        assert!(
            current(&layout)
                .unwrap_err()
                .message()
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

    fn told(layout: &Layout, release: u32, from: Option<u32>, outcome: &str) {
        let entry = Operation {
            release: Some(ReleaseId(release)),
            from: from.map(ReleaseId),
            ..Operation::new(
                None,
                OperationKind::Deploy,
                outcome.to_owned().into(),
                disk::now(),
            )
        };
        history::append(layout, &entry).unwrap();
    }

    #[test]
    fn damaged_records_are_known_from_the_history_and_written_anew() {
        let (_folder, layout) = host();
        told(&layout, 1, None, "good");
        told(&layout, 2, Some(1), "good");
        told(&layout, 20, Some(2), "reverted");
        told(&layout, 10, Some(2), "reverted");
        // A restart says nothing of whether the release is good.
        told(&layout, 10, Some(10), "good");
        let sequence = layout.state_file("sequence");
        for damage in ["", "\u{0}\u{0}", "{", "not it"] {
            for id in [1, 2, 10] {
                fs::write(state_path(&layout, ReleaseId(id)), damage).unwrap();
            }
            fs::write(&sequence, damage).unwrap();
            assert_eq!(last(&layout).unwrap(), 20, "{damage:?}");
            let check = || {
                let of = |id| record(&layout, ReleaseId(id));
                let expected = [
                    (1, ReleaseState::Good, None),
                    (2, ReleaseState::Good, Some(ReleaseId(1))),
                    (10, ReleaseState::Bad, Some(ReleaseId(2))),
                ];
                for (id, state, after) in expected {
                    assert_eq!(
                        (of(id).state, of(id).after),
                        (state, after),
                        "v{id} {damage:?}"
                    );
                }
            };
            check();
            let said = mend(&layout);
            assert_eq!(said.len(), 4, "{said:?}");
            let names = |path: &Path| said.iter().any(|s| s.contains(&path.display().to_string()));
            assert!(names(&sequence) && names(&state_path(&layout, ReleaseId(2))));
            assert_eq!(fs::read_to_string(&sequence).unwrap(), "20");
            check();
            assert_eq!(mend(&layout), [""; 0]);
        }
    }

    #[test]
    fn what_takes_the_place_of_a_record_is_replaced_or_named() {
        let (_folder, layout) = host();
        told(&layout, 2, Some(1), "good");
        let path = state_path(&layout, ReleaseId(2));
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        assert_eq!(state(&layout, ReleaseId(2)), ReleaseState::Good);
        assert!(mend(&layout)[0].contains("is a link"));
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        let said = mend(&layout);
        assert!(said[0].contains("a folder") && said[0].contains("cannot be rewritten"));
        assert_eq!(state(&layout, ReleaseId(2)), ReleaseState::Good);
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
