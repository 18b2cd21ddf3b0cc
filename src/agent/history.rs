//! Who did what, when, with what outcome: `history.jsonl`, one line per command that touched the
//! host.

use std::fs;
use std::io;

use super::{Layout, disk};
use crate::wire::HistoryEntry;

/// Appends `entry`.
///
/// # Errors
/// When it cannot be written.
pub fn append(layout: &Layout, entry: &HistoryEntry) -> io::Result<()> {
    disk::append_line(
        &layout.state_file("history.jsonl"),
        &serde_json::to_string(entry)?,
    )
}

/// The newest `limit` entries, newest first. Lines that are not entries are passed over.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn newest(layout: &Layout, limit: usize) -> io::Result<Vec<HistoryEntry>> {
    let text = match fs::read(layout.state_file("history.jsonl")) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    Ok(text
        .split(|byte| *byte == b'\n')
        .rev()
        .filter_map(|line| serde_json::from_slice(line).ok())
        .take(limit)
        .collect())
}
