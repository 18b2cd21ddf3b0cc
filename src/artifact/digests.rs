//! The digests of a project's files, remembered from one command to the next.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use foldhash::HashMap;

use super::path::TreePath;
use super::scan::{DigestSource, FileStamp};
use crate::model::Digest;

/// A file that was changed so shortly before it was read may be changed again without a new time:
/// clocks of file systems tick every few milliseconds, of some every two seconds. Its digest is
/// not remembered. Nanoseconds.
const TOO_FRESH_NS: i128 = 2_500_000_000;

/// The format's name and version; another one is not read.
const MAGIC: &[u8; 8] = b"shipdig2";

/// A known file.
type Entry = (TreePath, FileStamp, Digest);

/// Remembers digests in a file, by path, size, times and inode. The file is a cache: one that is
/// missing, damaged or cannot be written costs time and nothing else.
#[derive(Debug)]
pub struct Digests {
    file: PathBuf,
    began_ns: i128,
    known: HashMap<TreePath, (FileStamp, Digest)>,
    fresh: Mutex<Vec<Entry>>,
}

impl Digests {
    /// Reads what is remembered in `file`.
    #[must_use]
    pub fn open(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            began_ns: now_ns(),
            known: read(file).unwrap_or_default(),
            fresh: Mutex::default(),
        }
    }

    /// Remembers what was learned, and forgets what is not in `there` any more; writes only when
    /// something changed.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save<'a>(self, there: impl Iterator<Item = &'a TreePath>) -> io::Result<()> {
        let fresh = self
            .fresh
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut fresh: HashMap<TreePath, (FileStamp, Digest)> = fresh
            .into_iter()
            .map(|(path, stamp, digest)| (path, (stamp, digest)))
            .collect();
        if fresh.is_empty() {
            return Ok(());
        }
        let mut known = self.known;
        let entries: Vec<Entry> = there
            .filter_map(|path| {
                let (stamp, digest) = fresh.remove(path).or_else(|| known.remove(path))?;
                Some((path.clone(), stamp, digest))
            })
            .collect();
        write(&self.file, &entries)
    }
}

impl DigestSource for Digests {
    fn known(&self, path: &TreePath, stamp: &FileStamp) -> Option<Digest> {
        let (known, digest) = self.known.get(path)?;
        (known == stamp).then_some(*digest)
    }

    fn learned(&self, path: &TreePath, stamp: &FileStamp, digest: Digest) {
        let newest = stamp.mtime_ns.max(stamp.ctime_ns);
        if newest + TOO_FRESH_NS < self.began_ns {
            self.fresh
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .push((path.clone(), *stamp, digest));
        }
    }
}

fn now_ns() -> i128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| i128::try_from(elapsed.as_nanos()).unwrap_or(0))
}

fn read(file: &Path) -> Option<HashMap<TreePath, (FileStamp, Digest)>> {
    let bytes = fs::read(file).ok()?;
    let rest = bytes.strip_prefix(MAGIC)?;
    let (digest, body) = rest.split_at_checked(32)?;
    if blake3::hash(body).as_bytes() != digest {
        return None;
    }
    let entries: Vec<Entry> = postcard::from_bytes(body).ok()?;
    Some(
        entries
            .into_iter()
            .map(|(path, stamp, digest)| (path, (stamp, digest)))
            .collect(),
    )
}

/// Two commands at once each write a whole file; the last one stays.
fn write(file: &Path, entries: &[Entry]) -> io::Result<()> {
    let body = postcard::to_stdvec(entries).map_err(io::Error::other)?;
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(MAGIC)?;
    temporary.write_all(blake3::hash(&body).as_bytes())?;
    temporary.write_all(&body)?;
    temporary.persist(file).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::artifact::{Index, scan, select};

    fn digests_of(root: &Path, cache: &Path) -> (Index, usize) {
        let selection = select(root, &[".".to_owned()], &[]).unwrap();
        let digests = Digests::open(cache);
        let known = digests.known.len();
        let index = scan(root, &selection, &digests).unwrap();
        digests.save(index.files().map(|file| file.0)).unwrap();
        (index, known)
    }

    fn age(path: &Path) {
        let past = SystemTime::now() - Duration::from_secs(60);
        fs::File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_modified(past)
            .unwrap();
    }

    #[test]
    fn what_was_just_changed_is_not_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let (root, cache) = (folder.path().join("p"), folder.path().join("c/digests"));
        fs::create_dir(&root).unwrap();
        fs::write(root.join("a"), "one").unwrap();
        age(&root.join("a"));
        // The time of the inode is now, whatever that of the content says.
        digests_of(&root, &cache);
        assert_eq!(digests_of(&root, &cache).1, 0);
        fs::write(root.join("a"), "two").unwrap();
        age(&root.join("a"));
        let (index, _) = digests_of(&root, &cache);
        assert_eq!(index.files().next().unwrap().1, Digest::of(b"two"));
    }

    #[test]
    fn what_is_remembered_is_known_until_the_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (root, cache) = (folder.path().join("p"), folder.path().join("digests"));
        fs::create_dir(&root).unwrap();
        fs::write(root.join("a"), "one").unwrap();
        let path = TreePath::try_from("a").unwrap();
        let stamp = FileStamp::of(&root.join("a").symlink_metadata().unwrap());
        let wrong = Digest::of(b"not what it holds");
        write(&cache, &[(path.clone(), stamp, wrong)]).unwrap();
        let (index, known) = digests_of(&root, &cache);
        assert_eq!((index.files().next().unwrap().1, known), (wrong, 1));
        fs::write(root.join("a"), "two").unwrap();
        let (index, _) = digests_of(&root, &cache);
        assert_eq!(index.files().next().unwrap().1, Digest::of(b"two"));
    }

    #[test]
    fn a_damaged_cache_is_no_cache() {
        let folder = tempfile::tempdir().unwrap();
        let (root, cache) = (folder.path().join("p"), folder.path().join("digests"));
        fs::create_dir(&root).unwrap();
        fs::write(root.join("a"), "one").unwrap();
        let path = TreePath::try_from("a").unwrap();
        let stamp = FileStamp::of(&root.join("a").symlink_metadata().unwrap());
        write(&cache, &[(path, stamp, Digest::of(b"x"))]).unwrap();
        let mut bytes = fs::read(&cache).unwrap();
        for cut in 0..bytes.len() {
            fs::write(&cache, &bytes[..cut]).unwrap();
            assert_eq!(Digests::open(&cache).known.len(), 0, "cut at {cut}");
        }
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&cache, &bytes).unwrap();
        assert_eq!(digests_of(&root, &cache).1, 0);
    }
}
