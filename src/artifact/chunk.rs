//! Content-defined chunks (FastCDC, Xia et al., USENIX ATC 2016): a change moves the chunk borders
//! near it and no others, so that a large file which both ends have in part travels in part.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use fastcdc::v2020::StreamCDC;
use foldhash::HashMap;
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
    /// Reads the file at `path` and remembers its chunks; the list is what is told to the other
    /// end. A file that cannot be read has none.
    pub(super) fn add(&mut self, path: &Path) -> Vec<Chunk> {
        let file = self.files.len();
        let mut list = Vec::new();
        let mut offset = 0;
        let read = open(path).and_then(|content| {
            cut(content, |chunk, bytes| {
                let place = Place {
                    file,
                    offset,
                    length: chunk.length,
                };
                offset += bytes.len() as u64;
                if self.places.insert(chunk.id, place).is_none() {
                    list.push(chunk);
                }
                Ok(())
            })
        });
        if read.is_err() {
            self.places.retain(|_, place| place.file != file);
            return Vec::new();
        }
        self.files.push(path.to_owned());
        list
    }

    /// The bytes of the chunk `id`; `None` when it is not here. They are as they lie on the disk:
    /// the digest of the whole content will tell.
    pub(super) fn read(&self, id: u64) -> Option<Vec<u8>> {
        let place = self.places.get(&id)?;
        let file: File = open(&self.files[place.file]).ok()?;
        let mut bytes = vec![0; place.length as usize];
        file.read_exact_at(&mut bytes, place.offset).ok()?;
        Some(bytes)
    }
}
