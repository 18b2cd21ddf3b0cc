//! The intentions of an activation, each on disk before its act, so that whoever comes after a
//! crash knows what to restore.

use std::fs;
use std::io;

use serde::{Deserialize, Serialize};

use super::{Layout, disk};
use crate::model::ReleaseId;

/// How far an activation got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// `current` is about to be switched.
    Flipping,
    /// The services are about to be restarted.
    Restarting,
    /// The release is proven; the fleet has not committed yet.
    Proven,
    /// Every host of the fleet has proven it: what is left is to say so.
    Precommitted,
    /// `current` is about to be put back.
    Reverting,
    /// The end: the release is good.
    Committed,
    /// The end: the previous release is back, proven or not (that is in the history).
    Reverted,
}

impl Step {
    /// Whether nothing is left to restore after this step.
    #[must_use]
    pub fn is_end(self) -> bool {
        matches!(self, Self::Committed | Self::Reverted)
    }
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// How far.
    pub step: Step,
    /// The release before (`None`: there was none).
    pub from: Option<ReleaseId>,
    /// The release that is being activated.
    pub to: ReleaseId,
}

/// Notes `entry`, with fsync, before its act. A first step begins the journal anew.
///
/// # Errors
/// When it cannot be written: then the act must not follow.
pub fn note(layout: &Layout, entry: &Entry) -> io::Result<()> {
    let path = layout.state_file("journal.jsonl");
    let line = serde_json::to_string(entry)?;
    if entry.step == Step::Flipping {
        disk::write_atomic(&path, format!("{line}\n").as_bytes(), 0o600)
    } else {
        disk::append_line(&path, &line)
    }
}

/// The activation that did not come to an end, if there is one. A last line that a power cut left
/// half-written was never acted on, and is passed over.
///
/// # Errors
/// When the journal is there and cannot be read.
pub fn unfinished(layout: &Layout) -> io::Result<Option<Entry>> {
    let text = match fs::read(layout.state_file("journal.jsonl")) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let last = text
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Entry>(line).ok())
        .next_back();
    Ok(last.filter(|entry| !entry.step.is_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_leaves_nothing_unfinished_and_half_a_line_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path());
        fs::create_dir(layout.state()).unwrap();
        let entry = |step| Entry {
            step,
            from: Some(ReleaseId(1)),
            to: ReleaseId(2),
        };
        assert_eq!(unfinished(&layout).unwrap(), None);
        note(&layout, &entry(Step::Flipping)).unwrap();
        note(&layout, &entry(Step::Restarting)).unwrap();
        assert_eq!(unfinished(&layout).unwrap(), Some(entry(Step::Restarting)));
        let path = layout.state_file("journal.jsonl");
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str("{\"step\":\"comm");
        fs::write(&path, text).unwrap();
        assert_eq!(unfinished(&layout).unwrap(), Some(entry(Step::Restarting)));
        note(&layout, &entry(Step::Flipping)).unwrap();
        note(&layout, &entry(Step::Committed)).unwrap();
        assert_eq!(unfinished(&layout).unwrap(), None);
    }
}
