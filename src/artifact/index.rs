//! What a tree holds, by name and content.

use std::fmt;

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};
use serde::{Deserialize, Serialize};

use super::path::TreePath;
use super::symlink;
use crate::model::{Digest, Failure};

/// One name of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Where.
    pub path: TreePath,
    /// What.
    pub kind: Kind,
}

/// What a name of a tree is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A regular file.
    File {
        /// Of its content.
        digest: Digest,
        /// Its length, bytes.
        size: u64,
        /// Whether its owner may execute it.
        executable: bool,
    },
    /// A symbolic link, stored as it is and never followed.
    Symlink {
        /// Its text.
        target: Vec<u8>,
    },
    /// A folder.
    Dir,
}

/// A whole tree: sorted by path, each path once, every parent listed as a folder, every link
/// leading to something within the tree, out of `.ship`. An index that breaks one of these rules
/// cannot exist, nor be decoded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<Entry>", into = "Vec<Entry>")]
pub struct Index {
    entries: Vec<Entry>,
}

/// Why an index was refused: a lower-case sentence that names the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadIndex(String);

impl BadIndex {
    pub(super) fn because(why: String) -> Self {
        Self(why)
    }
}

impl fmt::Display for BadIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadIndex {}

impl From<BadIndex> for Failure {
    fn from(error: BadIndex) -> Self {
        Self::unexpected(error.to_string())
    }
}

impl Index {
    /// Makes an index of `entries`, which must be sorted.
    ///
    /// # Errors
    /// When one of the rules of [`Index`] does not hold, or a content has two sizes.
    pub fn new(entries: Vec<Entry>) -> Result<Self, BadIndex> {
        check(&entries)?;
        Ok(Self { entries })
    }

    /// The index of `entries`, of which it is known that all rules hold.
    pub(super) fn trusted(entries: Vec<Entry>) -> Self {
        Self { entries }
    }

    /// Every name, sorted bytewise by path: a folder comes before what is in it.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What `path` is in this tree.
    #[must_use]
    pub fn get(&self, path: &TreePath) -> Option<&Kind> {
        Some(&self.entries[self.position(path)?].kind)
    }

    /// The position of `path` among the entries.
    #[must_use]
    pub fn position(&self, path: &TreePath) -> Option<usize> {
        self.entries.binary_search_by(|e| e.path.cmp(path)).ok()
    }

    /// The files: path, digest, size in bytes, executable.
    pub fn files(&self) -> impl Iterator<Item = (&TreePath, Digest, u64, bool)> {
        self.entries.iter().filter_map(|e| match e.kind {
            Kind::File {
                digest,
                size,
                executable,
            } => Some((&e.path, digest, size, executable)),
            _ => None,
        })
    }

    /// How many files the tree has.
    #[must_use]
    pub fn file_count(&self) -> u64 {
        self.files().count() as u64
    }

    /// The size of all files, bytes; a content that is there twice counts twice.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files().fold(0, |sum, f| u64::saturating_add(sum, f.2))
    }

    /// The different contents with their sizes in bytes, in the order in which the tree first names
    /// them; an empty one is none.
    #[must_use]
    pub fn contents(&self) -> Vec<(Digest, u64)> {
        let mut seen = HashSet::new();
        self.files()
            .filter(|(_, digest, size, _)| *size > 0 && seen.insert(*digest))
            .map(|(_, digest, size, _)| (digest, size))
            .collect()
    }

    /// Names the tree: blake3 over a canonical encoding of all entries, in a domain of its own so
    /// that no file can have the digest of a tree.
    #[must_use]
    pub fn digest(&self) -> Digest {
        /// Many bytes at once are hashed several times as fast as few.
        const AT_ONCE: usize = 64 << 10;
        let mut hasher = blake3::Hasher::new_derive_key("ship artifact index 1");
        let mut buffer = Vec::with_capacity(AT_ONCE + 8192);
        for entry in &self.entries {
            if buffer.len() >= AT_ONCE {
                hasher.update(&buffer);
                buffer.clear();
            }
            // Each field after its length.
            let mut bytes = |bytes: &[u8]| {
                buffer.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
                buffer.extend_from_slice(bytes);
            };
            bytes(entry.path.as_bytes());
            match &entry.kind {
                Kind::File {
                    digest,
                    size,
                    executable,
                } => {
                    // All fields at once: most entries are files.
                    let mut fields = [0; 8 + 1 + 8 + 32 + 8 + 8];
                    fields[0] = 1;
                    fields[8] = if *executable { b'x' } else { b'f' };
                    fields[9] = 32;
                    fields[17..49].copy_from_slice(digest.as_bytes());
                    fields[49] = 8;
                    fields[57..].copy_from_slice(&size.to_le_bytes());
                    buffer.extend_from_slice(&fields);
                }
                Kind::Symlink { target } => {
                    bytes(b"l");
                    bytes(target);
                }
                Kind::Dir => bytes(b"d"),
            }
        }
        hasher.update(&buffer).finalize().into()
    }

    /// The index as bytes (postcard), for the wire and for `.ship` on a host.
    ///
    /// # Errors
    /// Never in practice; postcard's signature has one.
    pub fn encode(&self) -> Result<Vec<u8>, BadIndex> {
        postcard::to_stdvec(&self.entries)
            .map_err(|error| BadIndex(format!("cannot encode the index: {error}")))
    }

    /// Reads what [`Index::encode`] wrote. Allocates in proportion to `bytes`, whatever lengths
    /// they claim.
    ///
    /// # Errors
    /// When `bytes` are cut, too long, or not a valid index.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadIndex> {
        Self::new(entries(bytes)?)
    }

    /// Reads what [`Index::encode`] wrote, on a host's own disk, of the index that is called
    /// `artifact`: the rules held when it came, and are not gone through again.
    ///
    /// # Errors
    /// When `bytes` are not, or not any more, that index.
    pub fn decode_own(bytes: &[u8], artifact: &Digest) -> Result<Self, BadIndex> {
        let index = Self::trusted(entries(bytes)?);
        if index.digest() == *artifact {
            Ok(index)
        } else {
            Err(BadIndex("the index is not what it was".to_owned()))
        }
    }
}

/// Decodes the entries of an index, which may break any rule.
fn entries(bytes: &[u8]) -> Result<Vec<Entry>, BadIndex> {
    let (entries, rest) = postcard::take_from_bytes::<Vec<Entry>>(bytes)
        .map_err(|error| BadIndex(format!("cannot decode the index: {error}")))?;
    if !rest.is_empty() {
        return Err(BadIndex(format!(
            "cannot decode the index: {} bytes too many",
            rest.len()
        )));
    }
    Ok(entries)
}

impl TryFrom<Vec<Entry>> for Index {
    type Error = BadIndex;
    fn try_from(entries: Vec<Entry>) -> Result<Self, BadIndex> {
        Self::new(entries)
    }
}

impl From<Index> for Vec<Entry> {
    fn from(index: Index) -> Self {
        index.entries
    }
}

fn check(entries: &[Entry]) -> Result<(), BadIndex> {
    let empty = Digest::of(b"");
    let mut folders: HashSet<&[u8]> = HashSet::new();
    let mut links: HashMap<&[u8], &[u8]> = HashMap::new();
    let mut sizes: HashMap<Digest, u64> = HashMap::new();
    let mut before: Option<&TreePath> = None;
    for Entry { path, kind } in entries {
        let refuse = |why: &str| Err(BadIndex(format!("the index is invalid: {path} {why}")));
        match before {
            Some(before) if before == path => return refuse("is listed twice"),
            Some(before) if before > path => return refuse("is out of order"),
            _ => before = Some(path),
        }
        let folder = path.folder();
        if !folder.is_empty() && !folders.contains(folder) {
            return refuse("is not in a listed folder");
        }
        match kind {
            Kind::File { digest, size, .. } => {
                if (*size == 0) != (*digest == empty)
                    || *sizes.entry(*digest).or_insert(*size) != *size
                {
                    return refuse("has a size that its digest contradicts");
                }
            }
            Kind::Symlink { target } => {
                links.insert(path.as_bytes(), target);
            }
            Kind::Dir => {
                folders.insert(path.as_bytes());
            }
        }
    }
    for Entry { path, kind } in entries {
        let Kind::Symlink { target } = kind else {
            continue;
        };
        symlink::resolve(path.as_bytes(), target, |at| links.get(at).copied())
            .map_err(|why| BadIndex(format!("the index is invalid: the link {path} {why}")))?;
    }
    Ok(())
}
