//! Who did what, when, with what outcome: `history.jsonl`, one line per command that touched the
//! host.

#[cfg(target_os = "linux")]
use std::fs;
use std::io;

use super::secrets::Secrets;
use super::{Layout, careful, disk};
use crate::model::Operation;

/// Appends `entry`, with the secrets in its texts masked.
///
/// # Errors
/// When it cannot be written.
pub fn append(layout: &Layout, entry: &Operation) -> io::Result<()> {
    let mut entry = entry.clone();
    Secrets::of(layout).mask(&mut entry);
    disk::append_line(
        &layout.state_file("history.jsonl"),
        &serde_json::to_string(&entry)?,
    )
}

/// Takes room on the disk for the next entries: what an activation has to tell at its end must not
/// depend on what others write meanwhile. Where it cannot be had, or the file system has no such
/// thing (fallocate(2)), an entry needs room when it is written.
pub fn reserve(layout: &Layout) {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::OpenOptionsExt;
        /// Bytes: some entries, of which one may name [`Made::MAX_COMMITS`](crate::model::Made::MAX_COMMITS).
        const ROOM: u64 = 32 << 10;
        let mut options = fs::OpenOptions::new();
        let options = options.create(true).append(true).mode(0o600);
        let file = careful::open_with(&layout.state_file("history.jsonl"), options);
        let _ = file.map_err(io::Error::from).and_then(|file| {
            let flags = rustix::fs::FallocateFlags::KEEP_SIZE;
            rustix::fs::fallocate(&file, flags, file.metadata()?.len(), ROOM)?;
            Ok(())
        });
    }
    #[cfg(not(target_os = "linux"))]
    let _ = layout;
}

/// The most of the history's end that is read, bytes: thousands of entries.
const LIMIT: u64 = careful::METADATA;

/// The newest `limit` entries, newest first. Lines that are not entries are passed over: a power cut
/// may have left half of one.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn newest(layout: &Layout, limit: usize) -> io::Result<Vec<Operation>> {
    newest_of(layout, limit, |_| true)
}

/// The newest `limit` entries that tell of a transaction, newest first.
///
/// # Errors
/// As [`newest`].
pub fn newest_transactions(layout: &Layout, limit: usize) -> io::Result<Vec<Operation>> {
    newest_of(layout, limit, |entry| !entry.is_beside())
}

fn newest_of(
    layout: &Layout,
    limit: usize,
    is_one: impl Fn(&Operation) -> bool,
) -> io::Result<Vec<Operation>> {
    let text = match careful::tail(&layout.state_file("history.jsonl"), LIMIT) {
        Ok(text) => text,
        Err(error) if error.is_absent() => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    Ok(text
        .split(|byte| *byte == b'\n')
        .rev()
        .filter_map(|line| serde_json::from_slice(line).ok())
        .filter(is_one)
        .take(limit)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{OperationKind, OperationOutcome};

    #[test]
    fn a_line_that_was_cut_takes_no_other_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path());
        std::fs::create_dir(layout.state()).unwrap();
        let entry = |who: &str| Operation {
            who: who.to_owned(),
            ..Operation::new(
                None,
                OperationKind::Deploy,
                OperationOutcome::Good,
                disk::now(),
            )
        };
        append(&layout, &entry("ann")).unwrap();
        append(&layout, &entry("bob")).unwrap();
        let path = layout.state_file("history.jsonl");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.truncate(bytes.len() - 9);
        std::fs::write(&path, bytes).unwrap();
        append(&layout, &entry("cam")).unwrap();
        let who: Vec<String> = newest(&layout, 9)
            .unwrap()
            .into_iter()
            .map(|e| e.who)
            .collect();
        assert_eq!(who, ["cam", "ann"]);
    }
}
