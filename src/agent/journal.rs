//! The intentions of an activation, each on disk before its act, so that whoever comes after a
//! crash knows what to restore.
//!
//! A file of lines of one length, as long as it will ever be from its first note on: a later note
//! is written over blanks, needs no room on the disk, and lies in one sector, so that a power cut
//! leaves it whole or not there.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::switch_plan::{Step, SwitchPlan};
use super::{Layout, careful, disk};
use crate::model::ReleaseId;

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// How far.
    pub step: Step,
    /// What is walked.
    #[serde(default)]
    pub plan: SwitchPlan,
    /// The release before (`None`: there was none).
    pub from: Option<ReleaseId>,
    /// The release that is being activated.
    pub to: ReleaseId,
    /// Names the boot of the host that it was written in ([`boot`]).
    #[serde(default)]
    pub boot: Option<String>,
    /// The transaction that it is part of.
    #[serde(default)]
    pub transaction: Option<String>,
}

/// The length of a line, bytes: two of them fill a sector.
const LINE: usize = 256;

/// So many lines fit: more than any activation has steps. When recoveries that die fill them, the
/// last one is written over.
const LINES: usize = 32;

/// The longest journal that is read, bytes: those of earlier versions grew.
const LIMIT: u64 = careful::METADATA;

/// Names this boot of the host; `None` where the kernel does not say (random(4)).
#[must_use]
pub fn boot() -> Option<String> {
    let path = std::path::Path::new("/proc/sys/kernel/random/boot_id");
    let id = careful::text(path, careful::SMALL).ok()?;
    Some(id.trim().to_owned())
}

/// Notes `entry`, with fsync, before its act. A first step begins the journal anew; on a disk without
/// room for that it goes on with the journal of the activation before, which has come to its end.
///
/// # Errors
/// When it cannot be written: then the act must not follow.
pub fn note(layout: &Layout, entry: &Entry) -> io::Result<()> {
    let path = path(layout);
    let line = line(entry)?;
    let mut full = None;
    if entry.step == entry.plan.first() {
        let mut text = line.clone();
        for _ in 1..LINES {
            text.extend(blank());
        }
        match disk::write_atomic(&path, &text, 0o600) {
            Err(error) if is_full(&error) => full = Some(error),
            written => return written,
        }
    }
    let text = match (careful::read(&path, LIMIT), full) {
        (Ok(text), _) => text,
        (Err(_), Some(full)) => return Err(full),
        (Err(error), None) => return Err(error.into()),
    };
    let at = written(&text).min(LINES - 1) * LINE;
    let file = careful::open_with(&path, File::options().write(true))?;
    let written = file.write_all_at(&line, at as u64);
    let written = written.and_then(|()| file.sync_data());
    written.map_err(|error| disk::named(error, &path))
}

/// Whether there was no block or no inode.
fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded)
}

/// The activation that did not come to an end, if there is one. A line that a power cut left
/// half-written was never acted on, and is passed over.
///
/// # Errors
/// When the journal is there and cannot be read.
pub fn unfinished(layout: &Layout) -> io::Result<Option<Entry>> {
    let path = path(layout);
    let text = match careful::read(&path, LIMIT) {
        Ok(text) => text,
        Err(error) if error.is_absent() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let last = text
        // What lies between lines of another length reads as zeros.
        .split(|byte| matches!(byte, b'\n' | 0))
        .filter_map(|line| serde_json::from_slice::<Entry>(line).ok())
        .next_back();
    Ok(last.filter(|entry| !entry.step.is_end()))
}

/// Sets a journal aside that is not a file this user can read. Call it under the lock. Returns a
/// sentence about it, `None` where the journal is in order.
pub fn mend(layout: &Layout) -> Option<String> {
    use io::ErrorKind::{InvalidData, PermissionDenied};
    let error = unfinished(layout).err()?;
    if !matches!(error.kind(), InvalidData | PermissionDenied) {
        return None;
    }
    let aside = layout.state_file("trash").join(disk::unique());
    Some(match std::fs::rename(path(layout), aside) {
        Ok(()) => format!(
            "{error}; it was removed: an activation that died before this one is not repaired"
        ),
        Err(why) => format!("{error}; it cannot be removed: {why}"),
    })
}

/// Where the journal is.
#[must_use]
pub fn path(layout: &Layout) -> PathBuf {
    layout.state_file("journal.jsonl")
}

/// How many lines of `text` are written.
fn written(text: &[u8]) -> usize {
    let is_blank = |line: &[u8]| line.iter().all(u8::is_ascii_whitespace);
    text.chunks(LINE)
        .position(is_blank)
        .unwrap_or(text.len().div_ceil(LINE))
}

fn line(entry: &Entry) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(entry)?;
    if line.len() >= LINE {
        return Err(io::Error::other("a line of the journal is too long"));
    }
    line.resize(LINE - 1, b' ');
    line.push(b'\n');
    Ok(line)
}

fn blank() -> Vec<u8> {
    let mut blank = vec![b' '; LINE - 1];
    blank.push(b'\n');
    blank
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn entry(step: Step) -> Entry {
        Entry {
            step,
            plan: SwitchPlan::InPlace,
            from: Some(ReleaseId(u32::MAX)),
            to: ReleaseId(u32::MAX),
            boot: boot(),
            transaction: Some("f".repeat(32)),
        }
    }

    fn host() -> (tempfile::TempDir, Layout) {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path());
        fs::create_dir(layout.state()).unwrap();
        (folder, layout)
    }

    #[test]
    fn a_journal_of_before_names_no_plan() {
        let (_folder, layout) = host();
        let line = r#"{"step":"restarting","from":4294967295,"to":4294967295,"boot":null}"#;
        fs::write(path(&layout), format!("{line}\n")).unwrap();
        let left = unfinished(&layout).unwrap().unwrap();
        assert_eq!(
            (left.step, left.plan),
            (Step::Restarting, SwitchPlan::InPlace)
        );
    }

    #[test]
    fn an_end_leaves_nothing_unfinished_and_half_a_line_is_passed_over() {
        let (_folder, layout) = host();
        assert_eq!(unfinished(&layout).unwrap(), None);
        note(&layout, &entry(Step::Flipping)).unwrap();
        note(&layout, &entry(Step::Restarting)).unwrap();
        assert_eq!(unfinished(&layout).unwrap(), Some(entry(Step::Restarting)));
        let mut text = fs::read(path(&layout)).unwrap();
        text[2 * LINE..2 * LINE + 14].copy_from_slice(b"{\"step\":\"commi");
        fs::write(path(&layout), text).unwrap();
        assert_eq!(unfinished(&layout).unwrap(), Some(entry(Step::Restarting)));
        note(&layout, &entry(Step::Reverting)).unwrap();
        assert_eq!(unfinished(&layout).unwrap(), Some(entry(Step::Reverting)));
        note(&layout, &entry(Step::Flipping)).unwrap();
        note(&layout, &entry(Step::Committed)).unwrap();
        assert_eq!(unfinished(&layout).unwrap(), None);
    }

    #[test]
    fn it_never_grows_and_never_loses_its_last_word() {
        let (_folder, layout) = host();
        note(&layout, &entry(Step::Flipping)).unwrap();
        for step in [Step::Precommitted, Step::Restarting].repeat(LINES) {
            note(&layout, &entry(step)).unwrap();
            assert_eq!(unfinished(&layout).unwrap(), Some(entry(step)));
            let length = fs::metadata(path(&layout)).unwrap().len();
            assert_eq!(length, (LINE * LINES) as u64);
        }
        note(&layout, &entry(Step::Reverted)).unwrap();
        assert_eq!(unfinished(&layout).unwrap(), None);
    }

    #[test]
    fn a_journal_of_an_earlier_version_is_read_and_gone_on_with() {
        let (_folder, layout) = host();
        let old = "{\"step\":\"flipping\",\"from\":1,\"to\":2}\n{\"step\":\"proven\",\"from\":1,\"to\":2}\n";
        fs::write(path(&layout), old).unwrap();
        assert_eq!(unfinished(&layout).unwrap().unwrap().step, Step::Proven);
        note(&layout, &entry(Step::Reverted)).unwrap();
        assert_eq!(unfinished(&layout).unwrap(), None);
    }
}
