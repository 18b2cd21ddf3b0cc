//! The sending side: contents as one compressed stream.
//!
//! The stream is one zstd frame (RFC 8878) of records: the digest (32 bytes), the length (u64,
//! little-endian, bytes), the bytes. Only this file and `unpack.rs` know that.

use std::collections::{HashMap, HashSet};
use std::io::{Read, Write};
use std::path::Path;

use zstd::stream::write::Encoder;

use super::error::TreeError;
use super::index::Index;
use super::path::TreePath;
use super::scan::open;
use crate::model::Digest;

/// zstd's own default; beyond it a deploy waits for the compressor, not for the network.
const LEVEL: i32 = 3;
/// Both ends keep so much of the stream in memory: 2^21 bytes.
pub(super) const WINDOW_LOG: u32 = 21;
/// Digest and length, bytes.
pub(super) const HEADER: usize = 32 + 8;

/// What was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Packed {
    /// Contents.
    pub contents: u64,
    /// Their bytes, before compression.
    pub bytes: u64,
}

/// Streams the contents `missing` of the tree `index` at `root` into `sink`, each once.
/// `progress` is told the bytes done so far, before compression.
///
/// # Errors
/// When a file changed since it was scanned, cannot be read, a digest is not of this index, or
/// `sink` refuses; the stream is useless then.
pub fn pack(
    root: &Path,
    index: &Index,
    missing: &[Digest],
    sink: &mut dyn Write,
    progress: &mut dyn FnMut(u64),
) -> Result<Packed, TreeError> {
    let files: HashMap<Digest, (&TreePath, u64)> = index
        .files()
        .map(|(path, digest, size, _)| (digest, (path, size)))
        .collect();
    let refused = |error| TreeError::io("send", root, error);
    let mut stream = Encoder::new(sink, LEVEL).map_err(refused)?;
    stream.window_log(WINDOW_LOG).map_err(refused)?;
    let mut packed = Packed::default();
    let mut sent = HashSet::new();
    for digest in missing {
        if !sent.insert(*digest) {
            continue;
        }
        let Some((path, size)) = files.get(digest) else {
            return Err(TreeError::says(
                "send",
                root,
                format!("the content {} is not part of it", digest.short()),
            ));
        };
        let mut header = [0; HEADER];
        header[..32].copy_from_slice(digest.as_bytes());
        header[32..].copy_from_slice(&size.to_le_bytes());
        stream.write_all(&header).map_err(refused)?;
        let done = packed.bytes;
        content(root, path, digest, *size, &mut stream, &mut |bytes| {
            progress(done + bytes);
        })?;
        packed.contents += 1;
        packed.bytes += size;
    }
    stream.finish().map_err(refused)?.flush().map_err(refused)?;
    Ok(packed)
}

/// Sends the bytes of one file, which must still be what they were.
fn content(
    root: &Path,
    path: &TreePath,
    digest: &Digest,
    size: u64,
    stream: &mut dyn Write,
    progress: &mut dyn FnMut(u64),
) -> Result<(), TreeError> {
    let unreadable = |error| TreeError::io("read", path.as_path(), error);
    let changed = || {
        TreeError::says(
            "send",
            path.as_path(),
            "it changed after it was scanned; is something still building?",
        )
    };
    let mut file = open(&path.below(root)).map_err(unreadable)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => {
                hasher.update(&buffer[..length]);
                if hasher.count() > size {
                    return Err(changed());
                }
                stream
                    .write_all(&buffer[..length])
                    .map_err(|error| TreeError::io("send", path.as_path(), error))?;
                progress(hasher.count());
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
    if Digest::from(hasher.finalize()) == *digest {
        Ok(())
    } else {
        Err(changed())
    }
}
