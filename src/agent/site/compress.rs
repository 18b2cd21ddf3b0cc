//! Compression of files that come without a compressed twin, in bounded memory: what was compressed
//! once is kept, up to a limit.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::Bytes;

use super::coding::Coding;
use super::folder::Page;

/// What is compressed, bytes: less is not worth it, more takes too long for the one who asks.
const SIZES: std::ops::RangeInclusive<u64> = 1 << 10..=16 << 20;
/// How much is kept, bytes, and of how many files.
const KEPT: usize = 32 << 20;
const ENTRIES: usize = 4096;
/// How many files are compressed at a time. Others go as they are meanwhile.
const AT_ONCE: usize = 2;
const GZIP_LEVEL: u32 = 6;
const ZSTD_LEVEL: i32 = 6;

type Key = (PathBuf, String, Coding);

/// Compresses, and keeps what it compressed.
#[derive(Debug, Default)]
pub struct Compressor(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    kept: HashMap<Key, Kept>,
    /// Bytes of all that is kept.
    size: usize,
    /// Counts the uses, which tells what was not used for longest.
    uses: u64,
    running: HashSet<Key>,
}

#[derive(Debug)]
struct Kept {
    /// Nothing where compression does not pay.
    bytes: Option<Bytes>,
    used: u64,
}

impl Compressor {
    /// The whole of `page` in the first of `codings` that can be made here; `None` when it is to go
    /// as it is.
    pub fn compressed(&self, page: &mut Page, codings: &[Coding]) -> Option<(Coding, Bytes)> {
        let mut codings = codings.iter();
        let coding = *codings.find(|coding| matches!(coding, Coding::Zstd | Coding::Gzip))?;
        if !SIZES.contains(&page.size) {
            return None;
        }
        let key = (page.name.clone(), page.version.etag.clone(), coding);
        if let Some(kept) = self.lock().find(&key) {
            return Some((coding, kept?));
        }
        if !self.lock().begin(&key) {
            return None;
        }
        let bytes = compress(page, coding).ok().flatten().map(Bytes::from);
        self.lock().end(key, bytes.clone());
        Some((coding, bytes?))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn find(&mut self, key: &Key) -> Option<Option<Bytes>> {
        self.uses += 1;
        let kept = self.kept.get_mut(key)?;
        kept.used = self.uses;
        Some(kept.bytes.clone())
    }

    /// Whether `key` is for the caller to compress.
    fn begin(&mut self, key: &Key) -> bool {
        self.running.len() < AT_ONCE && self.running.insert(key.clone())
    }

    fn end(&mut self, key: Key, bytes: Option<Bytes>) {
        self.running.remove(&key);
        let used = self.uses;
        self.size += size(&bytes);
        if let Some(old) = self.kept.insert(key, Kept { bytes, used }) {
            self.size -= size(&old.bytes);
        }
        while self.size > KEPT || self.kept.len() > ENTRIES {
            let oldest = self.kept.iter().min_by_key(|(_, kept)| kept.used);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                break;
            };
            let gone = self.kept.remove(&key);
            self.size -= gone.map_or(0, |kept| size(&kept.bytes));
        }
    }
}

fn size(bytes: &Option<Bytes>) -> usize {
    bytes.as_ref().map_or(0, Bytes::len)
}

/// The whole file, compressed; `None` when that is hardly smaller.
fn compress(page: &mut Page, coding: Coding) -> io::Result<Option<Vec<u8>>> {
    page.file.seek(SeekFrom::Start(0))?;
    let most = usize::try_from(page.size - page.size / 10).unwrap_or(usize::MAX);
    let out = AtMost {
        bytes: Vec::new(),
        most,
    };
    let mut from = io::BufReader::with_capacity(64 << 10, (&mut page.file).take(page.size));
    let done = match coding {
        Coding::Gzip => {
            let mut encoder = GzEncoder::new(out, Compression::new(GZIP_LEVEL));
            let copied = io::copy(&mut from, &mut encoder);
            copied.and_then(|read| Ok((read, encoder.finish()?)))
        }
        Coding::Zstd => {
            let mut encoder = zstd::stream::write::Encoder::new(out, ZSTD_LEVEL)?;
            let copied = io::copy(&mut from, &mut encoder);
            copied.and_then(|read| Ok((read, encoder.finish()?)))
        }
        Coding::Brotli => return Ok(None),
    };
    match done {
        Ok((read, out)) if read == page.size => Ok(Some(out.bytes)),
        Ok(_) => Err(io::ErrorKind::UnexpectedEof.into()),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Ok(None),
        Err(error) => Err(error),
    }
}

/// Bytes up to a limit, beyond which writing fails.
struct AtMost {
    bytes: Vec<u8>,
    most: usize,
}

impl Write for AtMost {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.most {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        (PathBuf::from(name), "\"1\"".to_owned(), Coding::Gzip)
    }

    #[test]
    fn what_is_kept_is_bounded_and_the_oldest_goes_first() {
        let mut state = State::default();
        let third = Bytes::from(vec![0; KEPT / 3]);
        for name in ["a", "b", "c"] {
            assert!(state.find(&key(name)).is_none());
            assert!(state.begin(&key(name)));
            state.end(key(name), Some(third.clone()));
        }
        assert!(state.find(&key("a")).is_some());
        assert!(state.begin(&key("d")));
        state.end(key("d"), Some(third.clone()));
        let kept = ["a", "b", "c", "d"].map(|name| state.kept.contains_key(&key(name)));
        assert_eq!(kept, [true, false, true, true]);
        assert_eq!(state.size, third.len() * 3);
    }

    #[test]
    fn few_are_compressed_at_a_time_and_none_twice() {
        let mut state = State::default();
        assert!(state.begin(&key("a")));
        assert!(!state.begin(&key("a")));
        assert!(state.begin(&key("b")));
        assert!(!state.begin(&key("c")));
        state.end(key("a"), None);
        assert_eq!(state.find(&key("a")), Some(None));
        assert!(state.begin(&key("c")));
    }
}
