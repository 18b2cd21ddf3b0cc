//! Runtimes that no release needs any more.

use std::collections::HashSet;
use std::fs;

use super::{GONE, NEW, PARTIAL};
use crate::agent::{Layout, disk, releases};
use crate::artifact::remove_tree;

/// Takes the runtimes away that no release on this host runs on, and what interrupted transactions
/// left, by a rename each. Call it under the lock, when nothing is being received: a release on its
/// way relies on what it found. The tidying removes them for good.
pub fn sweep(layout: &Layout) {
    let Some(needed) = needed(layout) else {
        return;
    };
    take_away(layout, |name| {
        let is_left = name.starts_with(NEW) || name.starts_with(PARTIAL);
        is_left || (is_ours(name) && !needed.contains(name))
    });
}

/// Takes away what transactions that died were unpacking. Call it under the lock, when nothing is
/// being unpacked.
pub(super) fn clean(layout: &Layout) {
    take_away(layout, |name| name.starts_with(NEW));
}

fn take_away(layout: &Layout, is_left: impl Fn(&str) -> bool) {
    let runtimes = layout.runtimes();
    for entry in fs::read_dir(&runtimes).into_iter().flatten().flatten() {
        if is_left(&entry.file_name().to_string_lossy()) {
            let gone = runtimes.join(format!("{GONE}{}", disk::unique()));
            let _ = fs::rename(entry.path(), gone);
        }
    }
}

/// Removes for good what [`sweep`] took away.
pub fn remove_gone(layout: &Layout) {
    let entries = fs::read_dir(layout.runtimes());
    for entry in entries.into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(GONE) {
            let _ = remove_tree(&entry.path());
        }
    }
}

/// The folders that releases on this host run on; `None` when that cannot be known for all of them.
fn needed(layout: &Layout) -> Option<HashSet<String>> {
    let mut needed = HashSet::new();
    for id in releases::ids(layout).ok()? {
        let release = releases::read(layout, id).ok()?;
        needed.extend(release.runtimes.iter().filter_map(|one| one.folder()));
    }
    Some(needed)
}

/// Whether a folder is called as ours are: `node-20.11.1-0123456789ab`. Anything else is
/// somebody's.
fn is_ours(name: &str) -> bool {
    let sum = name.rsplit_once('-').map(|(_, sum)| sum);
    !name.starts_with('.')
        && name.matches('-').count() >= 2
        && sum.is_some_and(|sum| sum.len() == 12 && sum.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::runtimes::example;
    use crate::model::{Digest, Release, ReleaseId, release::Origin};

    fn publish(layout: &Layout, id: u32, version: &str) -> String {
        let node = example("node", version, None);
        let name = node.folder().unwrap();
        let release = Release {
            id: ReleaseId(id),
            artifact: Digest::of(b"x"),
            created: String::new(),
            origin: Origin::default(),
            services: Vec::new(),
            runtimes: vec![node],
            shared: Vec::new(),
            secrets: None,
        };
        let own = layout.release(release.id).join(".ship");
        fs::create_dir_all(&own).unwrap();
        let text = serde_json::to_string(&release).unwrap();
        fs::write(own.join("release.json"), text).unwrap();
        fs::create_dir_all(layout.runtimes().join(&name).join("bin")).unwrap();
        name
    }

    fn names(layout: &Layout) -> Vec<String> {
        let entries = fs::read_dir(layout.runtimes()).unwrap().flatten();
        let mut names: Vec<String> = entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn only_what_no_release_runs_on_goes() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path());
        let old = publish(&layout, 1, "18.20.8");
        let kept = publish(&layout, 2, "20.11.1");
        let runtimes = layout.runtimes();
        for other in ["by-hand", ".new-1", "node_modules"] {
            fs::create_dir(runtimes.join(other)).unwrap();
        }
        fs::write(runtimes.join(".partial-ab"), "").unwrap();
        sweep(&layout);
        remove_gone(&layout);
        let mut all = vec!["by-hand", "node_modules", &old, &kept];
        all.sort();
        assert_eq!(names(&layout), all, "both are needed");

        fs::remove_dir_all(layout.release(ReleaseId(1))).unwrap();
        sweep(&layout);
        assert!(!runtimes.join(&old).exists() && runtimes.join(&kept).exists());
        remove_gone(&layout);
        all.retain(|name| *name != old);
        assert_eq!(names(&layout), all);
    }

    #[test]
    fn nothing_goes_while_a_release_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path());
        let kept = publish(&layout, 1, "20.11.1");
        let metadata = layout.release(ReleaseId(1)).join(".ship/release.json");
        fs::write(metadata, "{").unwrap();
        sweep(&layout);
        assert_eq!(names(&layout), [kept]);
    }
}
