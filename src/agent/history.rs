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

/// Takes room on the disk for the next entries: what an activation has to tell at its end must not
/// depend on what others write meanwhile. Where it cannot be had, or the file system has no such
/// thing (fallocate(2)), an entry needs room when it is written.
pub fn reserve(layout: &Layout) {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::OpenOptionsExt;
        /// Bytes: some entries.
        const ROOM: u64 = 16 << 10;
        let mut options = fs::OpenOptions::new();
        let file = options.create(true).append(true).mode(0o600);
        let file = file.open(layout.state_file("history.jsonl"));
        let _ = file.and_then(|file| {
            let flags = rustix::fs::FallocateFlags::KEEP_SIZE;
            rustix::fs::fallocate(&file, flags, file.metadata()?.len(), ROOM)?;
            Ok(())
        });
    }
    #[cfg(not(target_os = "linux"))]
    let _ = layout;
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
