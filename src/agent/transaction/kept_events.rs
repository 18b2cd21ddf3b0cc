//! What the newest operations said, a file for each: `operations/<id>.jsonl`.

use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use super::speaker::Subscriber;
use crate::agent::{Layout, disk};

/// The operations whose events are kept.
const OPERATIONS: usize = 50;

/// The most that is kept of one operation, bytes: hooks may say much.
const MOST: usize = 1 << 20;

/// Writes events into the file of the operation `id`, which begins anew. Older files than the newest
/// of [`OPERATIONS`] go. Where a file cannot be written, there is none: it is for people only.
pub(super) fn subscriber(layout: &Layout, id: &str) -> Option<Subscriber> {
    let folder = layout.state_file("operations");
    // The id comes from another machine, and becomes the name of a file.
    let is_name = !id.is_empty() && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric());
    if !is_name || prepare(&folder).is_err() {
        return None;
    }
    let mut file = disk::create_private(&folder.join(format!("{id}.jsonl"))).ok()?;
    let mut room = MOST;
    Some(Box::new(move |event| {
        let line = serde_json::to_string(event).unwrap_or_default() + "\n";
        room = room.saturating_sub(line.len());
        if room > 0 {
            let _ = file.write_all(line.as_bytes());
        }
    }))
}

/// Makes the folder, and room in it for one more file.
fn prepare(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)?.flatten() {
        let modified = entry.metadata().and_then(|meta| meta.modified());
        files.extend(modified.ok().map(|time| (time, entry.path())));
    }
    files.sort();
    for (_, path) in files
        .iter()
        .take((files.len() + 1).saturating_sub(OPERATIONS))
    {
        fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::model::event::HostEvent;

    #[test]
    fn the_newest_operations_keep_their_events() {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout::at(root.path());
        fs::create_dir(layout.state()).unwrap();
        let folder = layout.state_file("operations");
        let names = || fs::read_dir(&folder).unwrap().count();
        for at in 0..OPERATIONS + 7 {
            let id = format!("{at:032x}");
            let mut hears = subscriber(&layout, &id).unwrap();
            hears(&HostEvent::Note { text: id.clone() });
            let path = folder.join(format!("{id}.jsonl"));
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(at as u64);
            fs::File::options()
                .append(true)
                .open(&path)
                .unwrap()
                .set_modified(time)
                .unwrap();
            assert!(fs::read_to_string(&path).unwrap().contains(&id));
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(names(), OPERATIONS);
        assert!(!folder.join(format!("{:032x}.jsonl", 6)).exists());
        assert!(folder.join(format!("{:032x}.jsonl", 7)).exists());
        for odd in ["", "../../x", "a/b", "a.b"] {
            assert!(subscriber(&layout, odd).is_none(), "{odd}");
        }
    }
}
