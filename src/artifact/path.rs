//! A name within a tree.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::Shown;

/// Longest component, bytes (`NAME_MAX` of limits.h).
const MAX_COMPONENT: usize = 255;
/// Longest path, bytes (`PATH_MAX` of limits.h).
const MAX_PATH: usize = 4096;
/// Most components: far more than any project has, few enough that a walk can hold a file
/// descriptor for each (RLIMIT_NOFILE is 1024 by default).
const MAX_COMPONENTS: usize = 256;
/// The first component that belongs to `ship` in every release.
pub(super) const RESERVED: &[u8] = b".ship";

/// A relative path within a tree, as bytes, so that names that are not UTF-8 survive. A bad one
/// cannot exist: it is never empty, has no leading or trailing `/`, no empty, `.` or `..`
/// component, no NUL, no component over 255 bytes, no more than 256 components and 4096 bytes in
/// all, and does not begin with the reserved component `.ship`. Ordered bytewise, so that a folder comes before
/// what is in it. A clone shares the bytes: large trees are made of one another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(Arc<[u8]>);

/// Why a path was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadPath {
    path: PathBuf,
    why: &'static str,
}

impl BadPath {
    /// Which rule it breaks, after its name: `is absolute`.
    #[must_use]
    pub fn why(&self) -> &'static str {
        self.why
    }
}

impl fmt::Display for BadPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the path `{}` {}", Shown(&self.path), self.why)
    }
}

impl std::error::Error for BadPath {}

impl TreePath {
    /// Takes `bytes` as a path.
    ///
    /// # Errors
    /// When one of the rules of [`TreePath`] does not hold.
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, BadPath> {
        let bytes = bytes.as_ref();
        match check(bytes) {
            Ok(()) => Ok(Self(bytes.into())),
            Err(why) => Err(BadPath {
                path: PathBuf::from(OsStr::from_bytes(bytes)),
                why,
            }),
        }
    }

    /// The path of `name` within this folder.
    ///
    /// # Errors
    /// When one of the rules of [`TreePath`] does not hold for the longer path.
    pub fn join(&self, name: &[u8]) -> Result<Self, BadPath> {
        Self::new([self.as_bytes(), b"/", name].concat())
    }

    /// The path as bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The path for the system, relative.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }

    /// The path below `root`.
    #[must_use]
    pub fn below(&self, root: &Path) -> PathBuf {
        root.join(self.as_path())
    }

    /// The folder that holds it; `None` when that is the root of the tree.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let folder = self.folder();
        (!folder.is_empty()).then(|| Self(folder.into()))
    }

    /// The path of the folder that holds it; empty when that is the root of the tree.
    #[must_use]
    pub fn folder(&self) -> &[u8] {
        let slash = self.0.iter().rposition(|&b| b == b'/');
        &self.0[..slash.unwrap_or(0)]
    }

    /// The last component.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        self.components().next_back().unwrap_or_default()
    }

    /// The components, in order.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|&b| b == b'/')
    }

    /// Whether this is `folder` or lies below it.
    #[must_use]
    pub fn is_within(&self, folder: &Self) -> bool {
        self.0
            .strip_prefix(folder.as_bytes())
            .is_some_and(|rest| rest.first().is_none_or(|&b| b == b'/'))
    }
}

fn check(bytes: &[u8]) -> Result<(), &'static str> {
    if bytes.is_empty() {
        return Err("is empty");
    }
    if bytes.len() > MAX_PATH {
        return Err("is longer than 4096 bytes");
    }
    if bytes[0] == b'/' {
        return Err("is absolute");
    }
    if bytes.contains(&0) {
        return Err("holds a NUL byte");
    }
    for (at, component) in bytes.split(|&b| b == b'/').enumerate() {
        match component {
            b"" => return Err("has an empty component"),
            b"." | b".." => return Err("has a `.` or `..` component"),
            _ if component.len() > MAX_COMPONENT => {
                return Err("has a component longer than 255 bytes");
            }
            _ if at == MAX_COMPONENTS => return Err("has more than 256 components"),
            RESERVED if at == 0 => return Err("begins with `.ship`, which is reserved"),
            _ => {}
        }
    }
    Ok(())
}

impl TryFrom<Vec<u8>> for TreePath {
    type Error = BadPath;
    fn try_from(bytes: Vec<u8>) -> Result<Self, BadPath> {
        Self::new(bytes)
    }
}

/// As bytes at once: element by element, the paths of a large tree take as long as all the rest.
impl Serialize for TreePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for TreePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(<&[u8]>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl TryFrom<&str> for TreePath {
    type Error = BadPath;
    fn try_from(text: &str) -> Result<Self, BadPath> {
        Self::new(text.as_bytes())
    }
}

impl From<TreePath> for Vec<u8> {
    fn from(path: TreePath) -> Self {
        path.0.to_vec()
    }
}

impl AsRef<Path> for TreePath {
    fn as_ref(&self) -> &Path {
        self.as_path()
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Shown(self.as_path()))
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_in_the_tree() {
        for good in [
            &b"a"[..],
            b"a/b",
            b".env",
            b"a/.ship",
            b".shipped",
            b"...",
            b"a b\n\xff",
        ] {
            assert!(TreePath::new(good).is_ok(), "{good:?} was refused");
        }
        for bad in [
            &b""[..],
            b"/",
            b"/a",
            b"a/",
            b"a//b",
            b".",
            b"./a",
            b"a/.",
            b"..",
            b"a/../b",
            b"a\0b",
            b".ship",
            b".ship/env",
        ] {
            assert!(TreePath::new(bad).is_err(), "{bad:?} was taken");
        }
        assert!(TreePath::new(vec![b'a'; 255]).is_ok());
        assert!(TreePath::new(vec![b'a'; 256]).is_err());
        let long = |length: usize| [&vec![b'a'; length][..], b"/"].concat();
        let whole = [long(254).repeat(16), vec![b'a'; 16]].concat();
        assert_eq!(whole.len(), 4096);
        assert!(TreePath::new(&whole[..]).is_ok());
        assert!(TreePath::new([&whole[..], b"a"].concat()).is_err());
        assert!(TreePath::new([b"a/".repeat(255), b"a".to_vec()].concat()).is_ok());
        assert!(TreePath::new([b"a/".repeat(256), b"a".to_vec()].concat()).is_err());
    }

    #[test]
    fn a_bad_path_cannot_be_decoded() {
        let bytes = postcard::to_stdvec(&b"../x".to_vec()).unwrap();
        assert!(postcard::from_bytes::<TreePath>(&bytes).is_err());
    }

    #[test]
    fn a_name_cannot_forge_a_line() {
        let path = TreePath::new(&b"a\n::error::x\xff"[..]).unwrap();
        assert_eq!(path.to_string(), "a\\n::error::x\u{fffd}");
    }

    #[test]
    fn within_is_by_component() {
        let path = |text: &str| TreePath::try_from(text).unwrap();
        assert!(path("a/b").is_within(&path("a")));
        assert!(path("a").is_within(&path("a")));
        assert!(!path("ab").is_within(&path("a")));
        assert_eq!(path("a/b/c").parent(), Some(path("a/b")));
        assert_eq!(path("a").parent(), None);
        assert_eq!(path("a/b").name(), b"b");
    }
}
