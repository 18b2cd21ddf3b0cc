//! The sending side: contents as one compressed stream.

use std::io::Write;
use std::path::Path;

use super::error::TreeError;
use super::index::Index;
use crate::model::Digest;

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
    let _ = (index, missing, sink, progress);
    Err(TreeError::says("send", root, "not built yet"))
}
