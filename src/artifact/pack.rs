//! The sending side: contents as one compressed stream.
//!
//! The stream is zstd frames (RFC 8878), one after the other, of records. Numbers are little-endian.
//! A record is a kind (1 byte), the position in the index (u32) of a file that has the content, from
//! which both ends know its digest and its length, and:
//!
//! - `0`, whole: its bytes;
//! - `1`, chunks: for each chunk in turn either `0`, its length (u32) and its bytes, or `1` and the
//!   name (u64) of a chunk that the receiver has;
//! - `2`, a difference: the digest of the content that it is to (32 bytes), then pieces of the
//!   encoded difference (see [`super::delta`]), each a length (u32) and its bytes; the last one is
//!   empty.
//!
//! Only this file and `unpack.rs` know that.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt, HashSet};

use super::chunk::{self, Chunk};
use super::error::TreeError;
use super::index::{Index, Kind};
use super::level::{Level, Leveled};
use super::path::TreePath;
use super::scan::open;
use super::similar::extension;
use crate::model::Digest;

/// Kind and position, bytes.
pub(super) const HEADER: usize = 1 + 4;
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
    /// As it is, which is in memory.
    Held(Arc<Vec<u8>>),
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

/// Streams `parcels` of the tree `index` at `root` into `sink`, each once, those that are alike next
/// to each other. `progress` is told the bytes of contents done so far, before compression.
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
    let refused = |error| TreeError::io("send", root, error);
    let contents = in_order(index, parcels).map_err(|unknown| {
        let why = format!("the content {} is not part of it", unknown.short());
        TreeError::says("send", root, why)
    })?;
    let mut stream = Leveled::new(sink, level).map_err(refused)?;
    let mut packed = Packed::default();
    let mut buffer = vec![0; 128 << 10];
    for (content, way) in contents {
        let done = packed.bytes;
        let mut progress = |bytes| progress(done + bytes);
        match way {
            Way::Whole => content.whole(root, &mut buffer, &mut stream, &mut progress)?,
            Way::Held(bytes) => content.held(bytes, &mut stream, &mut progress)?,
            Way::Chunks(known) => content.chunks(root, known, &mut stream, &mut progress)?,
            Way::Delta { base, delta } => {
                content.delta(base, delta, &mut stream)?;
                progress(content.size);
            }
        }
        packed.contents += 1;
        packed.bytes += content.size;
    }
    stream.finish().map_err(refused)?;
    Ok(packed)
}

/// The contents of `parcels`, each once, in the order in which they travel: by extension and name, so
/// that what is alike meets in the compressor's window. The first digest that the tree has not.
fn in_order<'a>(
    index: &'a Index,
    parcels: &'a [Parcel],
) -> Result<Vec<(Content<'a>, &'a Way)>, Digest> {
    let mut ways: HashMap<Digest, &Way> = HashMap::with_capacity(parcels.len());
    for parcel in parcels {
        ways.entry(parcel.digest).or_insert(&parcel.way);
    }
    let mut contents = Vec::with_capacity(ways.len());
    for (entry, at) in index.entries().iter().zip(0_u32..) {
        let Kind::File { digest, size, .. } = entry.kind else {
            continue;
        };
        if let Some(way) = ways.remove(&digest) {
            let path = &entry.path;
            contents.push((
                Content {
                    path,
                    at,
                    digest,
                    size,
                },
                way,
            ));
        }
    }
    if let Some(unknown) = ways.into_keys().next() {
        return Err(unknown);
    }
    contents.sort_by_cached_key(|(content, _)| {
        let name = content.path.name();
        (extension(name), name)
    });
    Ok(contents)
}

/// A content of the tree.
struct Content<'a> {
    path: &'a TreePath,
    /// The position of `path` in the index.
    at: u32,
    digest: Digest,
    size: u64,
}

impl Content<'_> {
    fn header(&self, kind: u8) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        header[0] = kind;
        header[1..].copy_from_slice(&self.at.to_le_bytes());
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
        buffer: &mut [u8],
        stream: &mut dyn Write,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), TreeError> {
        let sent = stream.write_all(&self.header(WHOLE));
        sent.map_err(|error| self.refused(error))?;
        let mut file = open(&self.path.below(root)).map_err(|error| self.unreadable(error))?;
        let mut hasher = blake3::Hasher::new();
        loop {
            match file.read(buffer) {
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

    /// Sends the bytes that were read with its digest.
    fn held(
        &self,
        bytes: &[u8],
        stream: &mut dyn Write,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), TreeError> {
        let sent = stream
            .write_all(&self.header(WHOLE))
            .and_then(|()| stream.write_all(bytes));
        sent.map_err(|error| self.refused(error))?;
        progress(bytes.len() as u64);
        Ok(())
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
