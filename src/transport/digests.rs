//! The digests of the agents' binaries, remembered in the user's cache folder: they are some 10 to
//! 80 MB, and every command would read and hash them again.
//!
//! What is remembered is a guess, as git's index is: it holds while size, times and inode of the
//! file stay as they were. Who sends the binary compares before. Whatever keeps the cache from
//! being read or written is passed over: then the file is hashed.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::model::Digest;

/// A file that changed less than this ago may change again within the resolution of its times
/// (the "racy git" problem): its digest is not remembered.
const SETTLED: Duration = Duration::from_secs(2);

/// Where the digest of the file at `path` is remembered in `cache`.
pub fn entry(cache: &Path, path: &Path) -> PathBuf {
    let name = Digest::of(path.as_os_str().as_encoded_bytes()).short();
    cache.join("agents").join(name)
}

/// The digest of the file at `path`, which is remembered in the file `entry`.
///
/// # Errors
/// When the file at `path` cannot be read.
pub fn of(path: &Path, entry: Option<&Path>) -> io::Result<Digest> {
    let file = File::open(path)?;
    let before = file.metadata()?;
    if let Some(digest) = entry.and_then(|entry| recall(entry, path, &before)) {
        return Ok(digest);
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(&file)?;
    let digest = hasher.finalize().into();
    let after = file.metadata()?;
    if let Some(entry) = entry
        && check(path, &before, digest) == check(path, &after, digest)
        && settled(&after)
    {
        let _ = remember(
            entry,
            &format!("{digest} {}\n", check(path, &after, digest)),
        );
    }
    Ok(digest)
}

/// Ties a digest to the state of the file that it was made of; a damaged entry does not fit.
fn check(path: &Path, file: &fs::Metadata, digest: Digest) -> Digest {
    let state = format!(
        "{path:?} {digest} {} {} {} {} {} {} {}",
        file.dev(),
        file.ino(),
        file.size(),
        file.mtime(),
        file.mtime_nsec(),
        file.ctime(),
        file.ctime_nsec(),
    );
    Digest::of(state.as_bytes())
}

fn recall(entry: &Path, path: &Path, file: &fs::Metadata) -> Option<Digest> {
    let text = fs::read_to_string(entry).ok()?;
    let (digest, checked) = text.trim_end().split_once(' ')?;
    let digest = digest.parse().ok()?;
    (checked == check(path, file, digest).to_string()).then_some(digest)
}

/// Whether the file was left alone for a while; a time that is to come says nothing.
fn settled(file: &fs::Metadata) -> bool {
    let seconds = file.mtime().max(file.ctime());
    let changed = u64::try_from(seconds).map(Duration::from_secs);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    matches!((changed, now), (Ok(changed), Ok(now)) if changed + SETTLED < now)
}

fn remember(entry: &Path, text: &str) -> io::Result<()> {
    let folder = entry.parent().ok_or(io::ErrorKind::NotFound)?;
    fs::create_dir_all(folder)?;
    let file = tempfile::NamedTempFile::new_in(folder)?;
    fs::write(file.path(), text)?;
    file.persist(entry)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that was settled long ago, as far as its times tell.
    fn settled_file(dir: &Path, content: &str) -> PathBuf {
        let path = dir.join("ship");
        fs::write(&path, content).unwrap();
        // Nobody can set a ctime; the test waits for it to settle.
        while !settled(&fs::metadata(&path).unwrap()) {
            std::thread::sleep(Duration::from_millis(50));
        }
        path
    }

    #[test]
    fn a_digest_is_remembered_until_the_file_or_the_entry_changes() {
        let dir = tempfile::tempdir().unwrap();
        let entry = dir.path().join("cache/digests/ship");
        let path = settled_file(dir.path(), "one");
        let one = Digest::of(b"one");
        assert_eq!(of(&path, Some(&entry)).unwrap(), one);
        let text = fs::read_to_string(&entry).unwrap();
        let file = fs::metadata(&path).unwrap();
        assert_eq!(recall(&entry, &path, &file), Some(one));

        // Damaged: another digest, half an entry, none, a folder.
        let other = text.replacen(&one.to_string(), &Digest::of(b"two").to_string(), 1);
        for damaged in [&other, &text[..70], "", "\u{fffd}"] {
            fs::write(&entry, damaged).unwrap();
            assert_eq!(recall(&entry, &path, &file), None, "{damaged:?}");
            assert_eq!(of(&path, Some(&entry)).unwrap(), one);
            assert_eq!(fs::read_to_string(&entry).unwrap(), text);
        }
        fs::remove_file(&entry).unwrap();
        fs::create_dir(&entry).unwrap();
        assert_eq!(of(&path, Some(&entry)).unwrap(), one);
        fs::remove_dir(&entry).unwrap();

        // Another content of the same size, just now: hashed, and not remembered yet.
        fs::write(&entry, &text).unwrap();
        fs::write(&path, "two").unwrap();
        assert_eq!(of(&path, Some(&entry)).unwrap(), Digest::of(b"two"));
        assert_eq!(fs::read_to_string(&entry).unwrap(), text);
        assert!(of(&dir.path().join("none"), Some(&entry)).is_err());
        assert_eq!(of(&path, None).unwrap(), Digest::of(b"two"));
    }
}
