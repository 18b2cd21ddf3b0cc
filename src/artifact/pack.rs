//! The sending side: contents as one compressed stream.
//!
//! The stream is zstd frames (RFC 8878), one after the other, of records. Numbers are little-endian.
//! A record is a kind (1 byte), the digest (32 bytes) and the length (u64, bytes) of a content, and:
//!
//! - `0`, whole: its bytes;
//! - `1`, chunks: for each chunk in turn either `0`, its length (u32) and its bytes, or `1` and the
//!   name (u64) of a chunk that the receiver has;
//! - `2`, a difference: the digest of the content that it is to (32 bytes), then pieces of the
//!   encoded difference (see [`super::delta`]), each a length (u32) and its bytes; the last one is
//!   empty.
//!
//! Only this file and `unpack.rs` know that.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use super::chunk::{self, Chunk};
use super::error::TreeError;
use super::index::Index;
use super::level::{Level, Leveled};
use super::path::TreePath;
use super::scan::open;
use crate::model::Digest;

/// Both ends keep so much of the stream in memory: 2^23 bytes.
pub(super) const WINDOW_LOG: u32 = 23;
/// Kind, digest and length, bytes.
pub(super) const HEADER: usize = 1 + 32 + 8;
pub(super) const WHOLE: u8 = 0;
pub(super) const CHUNKS: u8 = 1;
pub(super) const DELTA: u8 = 2;
pub(super) const LITERAL: u8 = 0;
pub(super) const KNOWN: u8 = 1;
/// Largest piece of a difference, bytes.
pub(super) const MAX_PIECE: usize = 128 << 10;

/// What was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Packed {
    /// Contents.
    pub contents: u64,
    /// Their bytes, before compression.
    pub bytes: u64,
}

/// A content to be sent.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// Which.
    pub digest: Digest,
    /// How.
    pub way: Way,
}

/// How a content travels.
#[derive(Debug, Clone)]
pub enum Way {
    /// As it is.
    Whole,
    /// Without the chunks that the receiver has.
    Chunks(Arc<HashSet<Chunk>>),
    /// As a difference to a content that the receiver has.
    Delta {
        /// To which.
        base: Digest,
        /// Encoded.
        delta: Arc<Vec<u8>>,
    },
}

/// Streams `parcels` of the tree `index` at `root` into `sink`, each once. `progress` is told the
/// bytes of contents done so far, before compression.
///
/// # Errors
/// When a file changed since it was scanned, cannot be read, a digest is not of this index, or
/// `sink` refuses; the stream is useless then.
pub fn pack(
    root: &Path,
    index: &Index,
    parcels: &[Parcel],
    level: Level,
    sink: &mut dyn Write,
    progress: &mut dyn FnMut(u64),
) -> Result<Packed, TreeError> {
    let files: HashMap<Digest, (&TreePath, u64)> = index
        .files()
        .map(|(path, digest, size, _)| (digest, (path, size)))
        .collect();
    let refused = |error| TreeError::io("send", root, error);
    let mut stream = Leveled::new(sink, level, WINDOW_LOG).map_err(refused)?;
    let mut packed = Packed::default();
    let mut sent = HashSet::new();
    for parcel in parcels {
        let digest = parcel.digest;
        if !sent.insert(digest) {
            continue;
        }
        let Some((path, size)) = files.get(&digest) else {
            return Err(TreeError::says(
                "send",
                root,
                format!("the content {} is not part of it", digest.short()),
            ));
        };
        let content = Content {
            path,
            digest,
            size: *size,
        };
        let done = packed.bytes;
        let mut progress = |bytes| progress(done + bytes);
        match &parcel.way {
            Way::Whole => content.whole(root, &mut stream, &mut progress)?,
            Way::Chunks(known) => content.chunks(root, known, &mut stream, &mut progress)?,
            Way::Delta { base, delta } => {
                content.delta(base, delta, &mut stream)?;
                progress(*size);
            }
        }
        packed.contents += 1;
        packed.bytes += size;
        stream.end_of_record().map_err(refused)?;
    }
    stream.finish().map_err(refused)?;
    Ok(packed)
}

/// A content of the tree.
struct Content<'a> {
    path: &'a TreePath,
    digest: Digest,
    size: u64,
}

impl Content<'_> {
    fn header(&self, kind: u8) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        header[0] = kind;
        header[1..33].copy_from_slice(self.digest.as_bytes());
        header[33..].copy_from_slice(&self.size.to_le_bytes());
        header
    }

    fn refused(&self, error: io::Error) -> TreeError {
        TreeError::io("send", self.path.as_path(), error)
    }

    fn unreadable(&self, error: io::Error) -> TreeError {
        TreeError::io("read", self.path.as_path(), error)
    }

    fn changed(&self) -> TreeError {
        TreeError::says(
            "send",
            self.path.as_path(),
            "it changed after it was scanned; is something still building?",
        )
    }

    /// Sends the bytes, which must still be what they were.
    fn whole(
        &self,
        root: &Path,
        stream: &mut dyn Write,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), TreeError> {
        let sent = stream.write_all(&self.header(WHOLE));
        sent.map_err(|error| self.refused(error))?;
        let mut file = open(&self.path.below(root)).map_err(|error| self.unreadable(error))?;
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0; 128 * 1024];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => {
                    hasher.update(&buffer[..length]);
                    if hasher.count() > self.size {
                        return Err(self.changed());
                    }
                    let sent = stream.write_all(&buffer[..length]);
                    sent.map_err(|error| self.refused(error))?;
                    progress(hasher.count());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.unreadable(error)),
            }
        }
        self.verify(&hasher)
    }

    fn verify(&self, hasher: &blake3::Hasher) -> Result<(), TreeError> {
        if Digest::from(hasher.finalize()) == self.digest {
            Ok(())
        } else {
            Err(self.changed())
        }
    }

    fn chunks(
        &self,
        root: &Path,
        known: &HashSet<Chunk>,
        stream: &mut dyn Write,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), TreeError> {
        let sent = stream.write_all(&self.header(CHUNKS));
        sent.map_err(|error| self.refused(error))?;
        let file = open(&self.path.below(root)).map_err(|error| self.unreadable(error))?;
        let mut hasher = blake3::Hasher::new();
        let mut error = None;
        // A file that grows is not read to its end, which may never come.
        let cut = chunk::cut(file.take(self.size + 1), |chunk, bytes| {
            hasher.update(bytes);
            progress(hasher.count().min(self.size));
            let sent = if hasher.count() > self.size {
                Err(self.changed())
            } else {
                send_chunk(chunk, bytes, known, stream).map_err(|error| self.refused(error))
            };
            sent.map_err(|why| {
                error = Some(why);
                io::ErrorKind::Other.into()
            })
        });
        if let Some(error) = error {
            return Err(error);
        }
        cut.map_err(|error| self.unreadable(error))?;
        self.verify(&hasher)
    }

    fn delta(&self, base: &Digest, delta: &[u8], stream: &mut dyn Write) -> Result<(), TreeError> {
        let mut send = || -> io::Result<()> {
            stream.write_all(&self.header(DELTA))?;
            stream.write_all(base.as_bytes())?;
            for piece in delta.chunks(MAX_PIECE) {
                stream.write_all(&length(piece)?)?;
                stream.write_all(piece)?;
            }
            stream.write_all(&length(&[])?)
        };
        send().map_err(|error| self.refused(error))
    }
}

fn send_chunk(
    chunk: Chunk,
    bytes: &[u8],
    known: &HashSet<Chunk>,
    stream: &mut dyn Write,
) -> io::Result<()> {
    if known.contains(&chunk) {
        stream.write_all(&[KNOWN])?;
        stream.write_all(&chunk.id.to_le_bytes())
    } else {
        stream.write_all(&[LITERAL])?;
        stream.write_all(&length(bytes)?)?;
        stream.write_all(bytes)
    }
}

fn length(bytes: &[u8]) -> io::Result<[u8; 4]> {
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    Ok(length.to_le_bytes())
}
