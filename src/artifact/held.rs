//! Small contents that are kept in memory once they were read for their digest, so that who packs
//! them next need not open each file again: opening is most of what a small file costs.

use std::sync::{Arc, Mutex, PoisonError};

use foldhash::HashMap;

use super::path::TreePath;
use super::scan::{DigestSource, FileStamp};
use crate::model::Digest;

/// A larger file is read again, bytes.
const SMALL: u64 = 16 << 10;
/// So much is held at most, bytes.
const MOST: u64 = 16 << 20;

/// Knows what `known` does, and holds small contents that had to be read.
pub struct Held<'a> {
    known: &'a dyn DigestSource,
    contents: Mutex<Contents>,
}

#[derive(Default)]
struct Contents {
    by_digest: HashMap<Digest, Arc<Vec<u8>>>,
    bytes: u64,
}

impl<'a> Held<'a> {
    /// Holds what `known` does not know.
    #[must_use]
    pub fn beside(known: &'a dyn DigestSource) -> Self {
        Self {
            known,
            contents: Mutex::default(),
        }
    }

    /// What is held.
    #[must_use]
    pub fn into_contents(self) -> HashMap<Digest, Arc<Vec<u8>>> {
        let contents = self.contents.into_inner();
        contents.unwrap_or_else(PoisonError::into_inner).by_digest
    }
}

impl DigestSource for Held<'_> {
    fn known(&self, path: &TreePath, stamp: &FileStamp) -> Option<Digest> {
        self.known.known(path, stamp)
    }

    fn learned(&self, path: &TreePath, stamp: &FileStamp, digest: Digest) {
        self.known.learned(path, stamp, digest);
    }

    fn wants(&self, size: u64) -> bool {
        size <= SMALL
    }

    fn read(&self, digest: Digest, content: Vec<u8>) {
        let mut held = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = held.bytes + content.len() as u64;
        if bytes <= MOST && !held.by_digest.contains_key(&digest) {
            held.bytes = bytes;
            held.by_digest.insert(digest, Arc::new(content));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::NoCache;

    #[test]
    fn no_more_is_held_than_was_said() {
        let held = Held::beside(&NoCache);
        assert!(held.wants(SMALL) && !held.wants(SMALL + 1));
        for number in 0..2000_u32 {
            let mut content = vec![0; SMALL as usize];
            content[..4].copy_from_slice(&number.to_le_bytes());
            held.read(Digest::of(&content), content);
        }
        let twice = b"twice".to_vec();
        held.read(Digest::of(&twice), twice.clone());
        held.read(Digest::of(&twice), twice);
        let contents = held.into_contents();
        assert_eq!(contents.len() as u64, MOST / SMALL);
        assert!(
            contents
                .iter()
                .all(|(digest, content)| Digest::of(content) == *digest)
        );
    }
}
