//! What tells this root folder from that of any other machine, and from any other folder of this
//! one, under whatever name or address somebody comes here. It takes no file of ours, so that it is
//! there before a first deploy, is not copied with a machine, and does not change under a command.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{Layout, careful};
use crate::model::Digest;
use crate::wire::RootId;

/// Looks which root folder of which machine this is.
#[must_use]
pub fn of(layout: &Layout) -> RootId {
    let word = |path: &str| {
        let text = careful::text(Path::new(path), careful::SMALL).ok()?;
        Some(text.trim().to_owned()).filter(|word| !word.is_empty())
    };
    // machine-id(5) asks for it not to be shown to others as it is.
    let shown = |id: String| Digest::of(format!("ship {id}").as_bytes()).to_string();
    RootId {
        machine: word("/etc/machine-id").map(shown),
        // random(4).
        boot: word("/proc/sys/kernel/random/boot_id"),
        folder: place(&layout.state()),
    }
}

/// The device and the inode of the folder at `path`. Where it is not there yet: those of the next
/// one above that is, and the way down from there.
fn place(path: &Path) -> Option<String> {
    let (above, found) = path
        .ancestors()
        .find_map(|above| Some((above, fs::metadata(above).ok()?)))?;
    let way = path.strip_prefix(above).ok()?.display();
    Some(format!("{} {} {way}", found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_the_same_under_any_name_and_no_other_is() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("link")).unwrap();
        let id = |root: &str| of(&Layout::at(dir.path().join(root)));
        assert_eq!(id("one"), id("link/one"), "before there is one");
        assert_ne!(id("one"), id("other"));
        for root in ["one", "other"] {
            fs::create_dir_all(Layout::at(dir.path().join(root)).state()).unwrap();
        }
        assert_eq!(id("one"), id("link/one"));
        assert_ne!(id("one").folder, id("other").folder);
        assert_eq!(id("one").boot, id("other").boot);
        assert!(id("one").boot.is_some() && id("one").folder.is_some());
    }
}
