//! What the controller remembers between commands, in the user's cache folder: digests of files,
//! indexes of artifacts, large contents, and how fast each host's link is. All of it saves time
//! and nothing depends on it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::artifact::{CHUNKED_FROM, Index};
use crate::model::{Digest, HostName};

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
    /// How fast its link took what was sent, bytes per second.
    pub rate: Option<u64>,
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
        let large = CHUNKED_FROM..=MAX_CONTENT;
        let mut kept = false;
        for (path, digest, ..) in index.files().filter(|file| large.contains(&file.2)) {
            let Some(to) = self.path("contents", &digest) else {
                return;
            };
            if !to.exists() {
                kept |= copy(&path.below(root), &to).is_ok();
            }
        }
        if kept && let Some(folder) = self.folder.as_ref() {
            let mut bytes = 0_u64;
            evict(&folder.join("contents"), |size| {
                bytes = bytes.saturating_add(size);
                bytes > MAX_CONTENTS
            });
        }
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

    fn host_path(&self, host: &HostName, root: &str) -> Option<PathBuf> {
        let name = Digest::of(format!("{}\n{root}", host.as_str()).as_bytes());
        self.path("hosts", &name)
    }

    fn path(&self, folder: &str, name: &Digest) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(folder).join(name.to_string()))
    }
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
