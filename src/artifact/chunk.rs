//! Content-defined chunks (FastCDC, Xia et al., USENIX ATC 2016): a change moves the chunk borders
//! near it and no others, so that a large file which both ends have in part travels in part.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use fastcdc::v2020::StreamCDC;
use foldhash::{HashMap, HashSet};
use serde::{Deserialize, Serialize};

use super::scan::open;

/// Smaller files travel whole: their list of chunks would cost what they do. Bytes.
pub const CHUNKED_FROM: u64 = 256 << 10;
/// Smallest, usual and largest chunk, bytes.
const SIZES: [usize; 3] = [8 << 10, 32 << 10, 128 << 10];
/// Largest chunk, bytes: what a peer may claim.
pub(super) const MAX_CHUNK: usize = SIZES[2];

/// A chunk by name. The name is the first 64 bits of its blake3 digest: it finds candidates, and
/// the digest of the whole content proves them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Chunk {
    /// Its name.
    pub id: u64,
    /// Its length, bytes.
    pub length: u32,
}

impl Chunk {
    fn of(bytes: &[u8]) -> Self {
        let digest = blake3::hash(bytes);
        let mut id = [0; 8];
        id.copy_from_slice(&digest.as_bytes()[..8]);
        Self {
            id: u64::from_le_bytes(id),
            length: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
        }
    }
}

/// Cuts what can be read from `content` into chunks and gives each to `take`, in order.
///
/// # Errors
/// When `content` cannot be read, or `take` refuses.
pub(super) fn cut(
    content: impl Read,
    mut take: impl FnMut(Chunk, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let [least, usual, most] = SIZES;
    for piece in StreamCDC::new(content, least, usual, most) {
        let piece = piece.map_err(io::Error::from)?;
        take(Chunk::of(&piece.data), &piece.data)?;
    }
    Ok(())
}

/// Chunks that lie on this machine's disk.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    files: Vec<PathBuf>,
    places: HashMap<u64, Place>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    file: usize,
    offset: u64,
    length: u32,
}

impl Chunks {
    /// Reads the files at `paths` and remembers their chunks; the list, each chunk once, is what is
    /// told to the other end. A file that cannot be read to its end has none.
    pub(super) fn add<'a>(&mut self, paths: impl Iterator<Item = &'a Path>) -> Vec<Chunk> {
        let mut listed = HashSet::default();
        let mut list = Vec::new();
        for path in paths {
            let Ok(chunks) = chunks_of(path) else {
                continue;
            };
            let mut offset = 0;
            for chunk in chunks {
                let place = Place {
                    file: self.files.len(),
                    offset,
                    length: chunk.length,
                };
                offset += u64::from(chunk.length);
                self.places.entry(chunk.id).or_insert(place);
                if listed.insert(chunk.id) {
                    list.push(chunk);
                }
            }
            self.files.push(path.to_owned());
        }
        list
    }

    /// The bytes of the chunk `id`; `None` when it was not told. They are as they lie on the disk,
    /// and zeros where they cannot be read any more: the digest of the whole content will tell.
    pub(super) fn read(&self, id: u64) -> Option<Vec<u8>> {
        let place = self.places.get(&id)?;
        let mut bytes = vec![0; place.length as usize];
        let _ = open(&self.files[place.file])
            .and_then(|file: File| file.read_exact_at(&mut bytes, place.offset));
        Some(bytes)
    }
}

fn chunks_of(path: &Path) -> io::Result<Vec<Chunk>> {
    let mut chunks = Vec::new();
    cut(open(path)?, |chunk, _| {
        chunks.push(chunk);
        Ok(())
    })?;
    Ok(chunks)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes without a pattern.
    fn noise(seed: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes());
        hasher.finalize_xof().fill(&mut bytes);
        bytes
    }

    #[test]
    fn what_two_contents_have_in_common_is_told_of_both() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let common = noise(1, 500_000);
        std::fs::write(path("a"), &common).unwrap();
        std::fs::write(path("b"), [noise(2, 100_000), common.clone()].concat()).unwrap();
        let mut chunks = Chunks::default();
        let a = chunks.add([path("a").as_path()].into_iter());
        let b = chunks.add([path("b").as_path()].into_iter());
        let length = |list: &[Chunk]| {
            list.iter()
                .map(|chunk| chunk.length as usize)
                .sum::<usize>()
        };
        assert_eq!((length(&a), length(&b)), (500_000, 600_000));
        // Each of them once, where one content may be made from both.
        let both = chunks.add([path("a").as_path(), path("b").as_path()].into_iter());
        assert!(length(&both) < 900_000, "{}", length(&both));

        // A file that is gone takes nothing from the one that has the same.
        let gone = chunks.add([path("gone").as_path()].into_iter());
        assert!(gone.is_empty());
        let told: Vec<u8> = a
            .iter()
            .flat_map(|chunk| chunks.read(chunk.id).unwrap())
            .collect();
        assert!(told == common);
        // Of what was told the length stays.
        std::fs::remove_file(path("a")).unwrap();
        let length = a[0].length as usize;
        assert_eq!(chunks.read(a[0].id), Some(vec![0; length]));
        assert_eq!(chunks.read(1), None);
    }
}
