//! Which file of another tree a changed file probably was before.

use super::index::{Index, Kind};
use super::path::TreePath;
use crate::model::Digest;

/// A file that another one may have been made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ancestor {
    /// Where it is in its tree.
    pub path: TreePath,
    /// Its content.
    pub digest: Digest,
    /// Its length, bytes.
    pub size: u64,
}

/// The file of `old`, of at least `least` bytes, that a file at `path` of `size` bytes probably
/// was: the one at the same path; else one of the same name in another folder; else, as bundlers
/// put a hash into names, the one in the same folder with the same extension whose size is
/// nearest.
#[must_use]
pub fn ancestor(old: &Index, path: &TreePath, size: u64, least: u64) -> Option<Ancestor> {
    if let Some(Kind::File { digest, size, .. }) = old.get(path) {
        return (*size >= least).then(|| Ancestor {
            path: path.clone(),
            digest: *digest,
            size: *size,
        });
    }
    let name = |path: &TreePath| path.name().to_vec();
    let own = name(path);
    let rank = |other: &TreePath, other_size: u64| {
        let theirs = name(other);
        let distance = size.abs_diff(other_size);
        if theirs == own {
            Some((0, distance))
        } else if other.parent() == path.parent() && extension(&theirs) == extension(&own) {
            Some((1, distance))
        } else {
            None
        }
    };
    old.files()
        .filter(|(_, _, size, _)| *size >= least)
        .filter_map(|file| Some((rank(file.0, file.2)?, file)))
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, (path, digest, size, _))| Ancestor {
            path: path.clone(),
            digest,
            size,
        })
}

/// What a name ends with, from its last dot on.
pub(super) fn extension(name: &[u8]) -> Option<&[u8]> {
    let dot = name.iter().rposition(|byte| *byte == b'.')?;
    Some(&name[dot..])
}
