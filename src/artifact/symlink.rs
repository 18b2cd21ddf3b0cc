//! Where a symbolic link of a tree leads, worked out from names alone.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::error::Shown;
use super::path::RESERVED;

/// How many links may be gone through, as in path_resolution(7).
const MAX_LINKS: usize = 40;
/// Longest text of a link, bytes (`PATH_MAX` with its NUL, symlink(2)).
pub(super) const MAX_TARGET: usize = 4095;

/// Why a link may not be in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BadLink {
    /// Empty, too long, or with a NUL byte.
    Malformed,
    /// It leads, itself or through another link, to this absolute path: a place of this machine.
    Absolute(Vec<u8>),
    /// It leads above the root of the tree.
    Outside(Vec<u8>),
    /// It leads into the reserved folder `.ship`, where the secrets of a release are.
    Reserved(Vec<u8>),
    /// It leads through itself, or through more than 40 links.
    Loop(Vec<u8>),
}

impl fmt::Display for BadLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (why, target) = match self {
            Self::Malformed => return f.write_str("has a target that no link can have"),
            Self::Absolute(path) => {
                let path = Path::new(OsStr::from_bytes(path));
                return write!(
                    f,
                    "leads to the absolute path `{}`, which is a place of one machine",
                    Shown(path)
                );
            }
            Self::Outside(target) => ("leads out of the tree", target),
            Self::Reserved(target) => ("leads into the reserved folder `.ship`", target),
            Self::Loop(target) => ("leads in a circle", target),
        };
        let target = Path::new(OsStr::from_bytes(target));
        write!(f, "{why} (its target is `{}`)", Shown(target))
    }
}

/// Follows the link at `link` with the text `target` through the links of the tree (`link_at`
/// gives the text of the link at a path, or `None` where there is none) and returns the path that
/// it ends at; empty is the root of the tree. Whether something is there is not asked.
///
/// # Errors
/// When the link is malformed, absolute, circular, or leads out of the tree or into `.ship` on the
/// way; the error carries `target`, or the absolute path that it leads to.
pub(super) fn resolve<'a>(
    link: &[u8],
    target: &'a [u8],
    link_at: impl Fn(&[u8]) -> Option<&'a [u8]>,
) -> Result<Vec<u8>, BadLink> {
    let folder = link.iter().rposition(|&b| b == b'/').unwrap_or(0);
    let mut at = link[..folder].to_vec();
    let mut todo: Vec<&[u8]> = Vec::new();
    let mut links = 0;
    let mut next = Some(target);
    loop {
        if let Some(text) = next.take() {
            links += 1;
            if links > MAX_LINKS {
                return Err(BadLink::Loop(target.to_vec()));
            }
            if text.is_empty() || text.len() > MAX_TARGET || text.contains(&0) {
                return Err(BadLink::Malformed);
            }
            if text[0] == b'/' {
                return Err(BadLink::Absolute(text.to_vec()));
            }
            todo.extend(text.rsplit(|&b| b == b'/'));
        }
        match todo.pop() {
            None => return Ok(at),
            Some(b"" | b".") => {}
            Some(b"..") if at.is_empty() => return Err(BadLink::Outside(target.to_vec())),
            Some(b"..") => at.truncate(at.iter().rposition(|&b| b == b'/').unwrap_or(0)),
            Some(RESERVED) if at.is_empty() => return Err(BadLink::Reserved(target.to_vec())),
            Some(name) => {
                let folder = at.len();
                if !at.is_empty() {
                    at.push(b'/');
                }
                at.extend_from_slice(name);
                if let Some(text) = link_at(&at) {
                    at.truncate(folder);
                    next = Some(text);
                }
            }
        }
    }
}
