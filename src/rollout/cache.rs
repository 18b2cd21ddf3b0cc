//! What the controller remembers between commands, in the user's cache folder: digests of files,
//! indexes of artifacts, large contents, and how fast each host's link is. All of it saves time
//! and nothing depends on it.

use std::cmp::Reverse;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::artifact::{CHUNKED_FROM, Index, TreePath};
use crate::model::{Digest, HostName, ReleaseId};
use crate::wire::FleetMember;

/// Indexes that are kept.
const MAX_INDEXES: usize = 50;
/// Contents that are kept, bytes in all.
const MAX_CONTENTS: u64 = 2 << 30;
/// A larger content is not kept, bytes.
const MAX_CONTENT: u64 = 512 << 20;

/// The cache; without a folder it remembers nothing.
#[derive(Debug, Clone, Default)]
pub struct Cache {
    folder: Option<PathBuf>,
}

/// What is remembered of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Remembered {
    /// The artifact that was brought there last.
    pub artifact: Option<Digest>,
    /// The release that it became, and its identity.
    #[serde(default)]
    pub release: Option<(ReleaseId, Digest)>,
    /// How fast its link took what was sent, bytes per second.
    pub rate: Option<u64>,
}

/// A release that was seen on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenRelease {
    /// Its number.
    pub id: ReleaseId,
    /// Whether a rollback may go to it: it is good, and was not live.
    pub is_target: bool,
    /// The first line of its commit, else when it was made.
    pub about: String,
}

impl Cache {
    /// A cache in `folder`.
    #[must_use]
    pub fn at(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// A folder for files that are deleted when they are closed.
    #[must_use]
    pub fn scratch(&self) -> Option<&Path> {
        let folder = self.folder.as_deref()?;
        fs::create_dir_all(folder).ok()?;
        Some(folder)
    }

    /// Where the digests of the files of the project at `dir` are.
    #[must_use]
    pub fn digests(&self, dir: &Path) -> Option<PathBuf> {
        use std::os::unix::ffi::OsStrExt;
        let name = Digest::of(dir.as_os_str().as_bytes());
        Some(self.folder.as_ref()?.join("digests").join(name.short()))
    }

    /// The index of `artifact`.
    #[must_use]
    pub fn index(&self, artifact: &Digest) -> Option<Index> {
        let path = self.path("indexes", artifact)?;
        let index = Index::decode_own(&fs::read(&path).ok()?, artifact).ok()?;
        touch(&path);
        Some(index)
    }

    /// Remembers the index of `artifact`, encoded.
    pub fn keep_index(&self, artifact: &Digest, encoded: &[u8]) {
        let Some(path) = self.path("indexes", artifact) else {
            return;
        };
        if path.exists() {
            touch(&path);
            return;
        }
        let _ = write(&path, encoded);
        if let Some(folder) = path.parent() {
            let mut kept = 0;
            evict(folder, |_| {
                kept += 1;
                kept > MAX_INDEXES
            });
        }
    }

    /// A file that holds (most probably) the content `digest`: who uses it finds out.
    #[must_use]
    pub fn content(&self, digest: &Digest) -> Option<PathBuf> {
        let path = self.path("contents", digest)?;
        path.is_file().then(|| {
            touch(&path);
            path
        })
    }

    /// Remembers the large contents of the tree `index` at `root`, and forgets those that were not
    /// used for longest.
    pub fn keep_contents(&self, root: &Path, index: &Index) {
        let Some(folder) = self.folder.as_ref().map(|folder| folder.join("contents")) else {
            return;
        };
        let place = |digest: &Digest| folder.join(digest.to_string());
        let worth = worth_keeping(index, MAX_CONTENTS);
        let (there, new): (Vec<_>, Vec<_>) = worth
            .into_iter()
            .partition(|(_, digest)| place(digest).exists());
        let copy = |(path, digest): (&TreePath, Digest)| copy(&path.below(root), &place(&digest));
        if new.into_iter().map(copy).filter(Result::is_ok).count() == 0 {
            return;
        }
        for (_, digest) in there {
            touch(&place(&digest));
        }
        let mut bytes = 0_u64;
        evict(&folder, |size| {
            bytes = bytes.saturating_add(size);
            bytes > MAX_CONTENTS
        });
    }

    /// What is remembered of `host`, as the app in `root` there.
    #[must_use]
    pub fn host(&self, host: &HostName, root: &str) -> Remembered {
        let read = || {
            let text = fs::read(self.host_path(host, root)?).ok()?;
            serde_json::from_slice(&text).ok()
        };
        read().unwrap_or_default()
    }

    /// Remembers `remembered` of `host`.
    pub fn keep_host(&self, host: &HostName, root: &str, remembered: Remembered) {
        if let (Some(path), Ok(text)) =
            (self.host_path(host, root), serde_json::to_vec(&remembered))
        {
            let _ = write(&path, &text);
        }
    }

    /// The hosts of `place` at its last deploy from here.
    #[must_use]
    pub fn fleet(&self, place: &str) -> Vec<FleetMember> {
        let read = || {
            let text = fs::read(self.fleet_path(place)?).ok()?;
            serde_json::from_slice(&text).ok()
        };
        read().unwrap_or_default()
    }

    /// Remembers the hosts of `place`.
    pub fn keep_fleet(&self, place: &str, fleet: &[FleetMember]) {
        if let (Some(path), Ok(text)) = (self.fleet_path(place), serde_json::to_vec(fleet)) {
            let _ = write(&path, &text);
        }
    }

    fn fleet_path(&self, place: &str) -> Option<PathBuf> {
        self.path("fleets", &Digest::of(place.as_bytes()))
    }

    /// The releases that were on `host` when this machine last asked; for completions.
    #[must_use]
    pub fn releases(&self, app: &str, environment: &str, host: &str) -> Vec<SeenRelease> {
        let read = || {
            let text = fs::read(self.releases_path(app, environment, host)?).ok()?;
            serde_json::from_slice(&text).ok()
        };
        read().unwrap_or_default()
    }

    /// Remembers the releases that are on `host`.
    pub fn keep_releases(&self, app: &str, environment: &str, host: &str, seen: &[SeenRelease]) {
        let Some(path) = self.releases_path(app, environment, host) else {
            return;
        };
        let Ok(text) = serde_json::to_vec(seen) else {
            return;
        };
        if fs::read(&path).is_ok_and(|before| before == text) {
            return;
        }
        let _ = write(&path, &text);
    }

    fn releases_path(&self, app: &str, environment: &str, host: &str) -> Option<PathBuf> {
        let name = Digest::of(format!("{app}\n{environment}\n{host}").as_bytes());
        self.path("releases", &name)
    }

    fn host_path(&self, host: &HostName, root: &str) -> Option<PathBuf> {
        let name = Digest::of(format!("{}\n{root}", host.as_str()).as_bytes());
        self.path("hosts", &name)
    }

    fn path(&self, folder: &str, name: &Digest) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(folder).join(name.to_string()))
    }
}

/// The large contents of `index`, each once, the largest first, as far as `most` bytes hold them: with
/// more than that, the same ones are kept each time and not each time others.
fn worth_keeping(index: &Index, most: u64) -> Vec<(&TreePath, Digest)> {
    let large = CHUNKED_FROM..=MAX_CONTENT;
    let mut files: Vec<_> = index
        .files()
        .filter(|file| large.contains(&file.2))
        .collect();
    files.sort_unstable_by_key(|&(_, digest, size, _)| (Reverse(size), digest));
    files.dedup_by_key(|file| file.1);
    let mut bytes = 0_u64;
    let fits = |&(_, _, size, _): &(&TreePath, Digest, u64, bool)| {
        let is_room = bytes.saturating_add(size) <= most;
        bytes += if is_room { size } else { 0 };
        is_room
    };
    let fitting = files.into_iter().filter(fits);
    fitting.map(|(path, digest, ..)| (path, digest)).collect()
}

/// Marks a file as just used.
fn touch(path: &Path) {
    let now = fs::FileTimes::new().set_modified(SystemTime::now());
    if let Ok(file) = fs::File::options().append(true).open(path) {
        let _ = file.set_times(now);
    }
}

fn temporary(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    tempfile::NamedTempFile::new_in(folder)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = temporary(path)?;
    file.write_all(bytes)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Copies a file; where the file system can, only in name (copy_file_range(2)).
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut file = temporary(to)?;
    io::copy(&mut fs::File::open(from)?, file.as_file_mut())?;
    file.persist(to).map_err(|error| error.error)?;
    Ok(())
}

/// Looks at the files of `folder`, the last used first, and removes those of which `is_too_much`
/// (given the size in bytes) says so.
fn evict(folder: &Path, mut is_too_much: impl FnMut(u64) -> bool) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let mut files: Vec<(SystemTime, u64, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let found = entry.metadata().ok()?;
            Some((found.modified().ok()?, found.len(), entry.path()))
        })
        .collect();
    files.sort_unstable_by(|a, b| b.cmp(a));
    for (_, size, path) in files {
        if is_too_much(size) {
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{Entry, Kind};

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        for (name, age) in [("old", 30), ("older", 60), ("new", 0)] {
            let path = folder.path().join(name);
            fs::write(&path, [0; 10]).unwrap();
            let time = SystemTime::now() - std::time::Duration::from_secs(age);
            fs::File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_modified(time)
                .unwrap();
        }
        touch(&folder.path().join("older"));
        let mut bytes = 0;
        evict(folder.path(), |size| {
            bytes += size;
            bytes > 20
        });
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["new", "older"]);
    }

    #[test]
    fn no_more_contents_are_kept_than_have_room_and_always_the_same() {
        let entry = |name: &str, content: &str, size| Entry {
            path: TreePath::try_from(name).unwrap(),
            kind: Kind::File {
                digest: Digest::of(content.as_bytes()),
                size,
                executable: false,
            },
        };
        let index = Index::new(vec![
            entry("a", "1", 3 * CHUNKED_FROM),
            entry("b", "2", 5 * CHUNKED_FROM),
            entry("c", "2", 5 * CHUNKED_FROM),
            entry("d", "3", 2 * CHUNKED_FROM),
            entry("e", "4", CHUNKED_FROM - 1),
            entry("f", "5", MAX_CONTENT + 1),
        ]);
        let index = index.unwrap();
        let kept = |most: u64| {
            let mut kept: Vec<Vec<u8>> = Vec::new();
            for (path, _) in worth_keeping(&index, most * CHUNKED_FROM) {
                kept.push(path.as_bytes().to_vec());
            }
            kept.concat()
        };
        assert_eq!(kept(10).len(), 3);
        assert_eq!(kept(9).len(), 2);
        assert_eq!(kept(4), b"a");
        assert_eq!(kept(2), b"d");
        assert_eq!(kept(1), b"");
    }

    #[test]
    fn an_index_that_is_not_what_it_is_called_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(Some(folder.path().to_owned()));
        let index = Index::new(Vec::new()).unwrap();
        cache.keep_index(&index.digest(), &index.encode().unwrap());
        assert_eq!(cache.index(&index.digest()), Some(index.clone()));
        let other = Digest::of(b"other");
        cache.keep_index(&other, &index.encode().unwrap());
        assert_eq!(cache.index(&other), None);
        assert_eq!(Cache::default().index(&index.digest()), None);
    }
}
