//! What makes one tree another: so that an index travels as its difference to one that both ends
//! have.

use std::cmp::Ordering;

use foldhash::{HashMap, HashMapExt, HashSet};
use serde::{Deserialize, Serialize};

use super::index::{BadIndex, Entry, Index, Kind};
use super::path::TreePath;
use crate::model::Digest;

/// The difference of two indexes. Its size follows the change, not the trees.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Change {
    /// Paths that are gone, sorted.
    gone: Vec<TreePath>,
    /// Entries that are new or other than before, sorted by path.
    set: Vec<Entry>,
}

impl Change {
    /// What makes `old` into `new`.
    #[must_use]
    pub fn between(old: &Index, new: &Index) -> Self {
        let mut change = Self::default();
        let (mut olds, mut news) = (old.entries().iter(), new.entries().iter());
        let (mut before, mut after) = (olds.next(), news.next());
        loop {
            let order = match (before, after) {
                (None, None) => return change,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) => old.path.cmp(&new.path),
            };
            if let (Some(old), Ordering::Less) = (before, order) {
                change.gone.push(old.path.clone());
            }
            if let (Some(new), Ordering::Equal | Ordering::Greater) = (after, order)
                && (order == Ordering::Greater || before != after)
            {
                change.set.push(new.clone());
            }
            if order != Ordering::Greater {
                before = olds.next();
            }
            if order != Ordering::Less {
                after = news.next();
            }
        }
    }

    /// The tree that this change makes of `old`.
    ///
    /// # Errors
    /// When the result is not a valid index: the change was made for another tree.
    pub fn apply(self, old: &Index) -> Result<Index, BadIndex> {
        let keeps_rules = self.only_contents(old);
        let gone: HashSet<TreePath> = self.gone.into_iter().collect();
        let mut set = self.set.into_iter().peekable();
        let mut entries = Vec::with_capacity(old.entries().len() + set.len());
        for entry in old.entries() {
            while let Some(new) = set.next_if(|new| new.path < entry.path) {
                entries.push(new);
            }
            match set.next_if(|new| new.path == entry.path) {
                Some(new) => entries.push(new),
                None if gone.contains(&entry.path) => {}
                None => entries.push(entry.clone()),
            }
        }
        entries.extend(set);
        if keeps_rules {
            return Ok(Index::trusted(entries));
        }
        Index::new(entries)
    }

    /// Whether this only gives files of `old` another content, as most changes do. Then the rules
    /// of an index hold for the result because they hold for `old`, and need not be gone through
    /// for all the rest: names and links are the same, and a new content is of the size that all
    /// others with its digest have.
    fn only_contents(&self, old: &Index) -> bool {
        let empty = Digest::of(b"");
        let mut sizes: HashMap<Digest, u64> = HashMap::new();
        let is_sorted = self.set.is_sorted_by(|a, b| a.path < b.path);
        let all_files = self.set.iter().all(|new| match new.kind {
            Kind::File { digest, size, .. } => {
                (size == 0) == (digest == empty)
                    && *sizes.entry(digest).or_insert(size) == size
                    && matches!(old.get(&new.path), Some(Kind::File { .. }))
            }
            _ => false,
        });
        let same_size = |digest: &Digest, size| sizes.get(digest).is_none_or(|s| *s == size);
        self.gone.is_empty()
            && is_sorted
            && all_files
            && old
                .files()
                .all(|(_, digest, size, _)| same_size(&digest, size))
    }

    /// The paths that are gone, sorted.
    #[must_use]
    pub fn gone(&self) -> &[TreePath] {
        &self.gone
    }

    /// The entries that are new or other than before, sorted by path.
    #[must_use]
    pub fn set(&self) -> &[Entry] {
        &self.set
    }

    /// The change as bytes (postcard), for the wire.
    ///
    /// # Errors
    /// Never in practice; postcard's signature has one.
    pub fn encode(&self) -> Result<Vec<u8>, BadIndex> {
        postcard::to_stdvec(self)
            .map_err(|error| BadIndex::because(format!("cannot encode the change: {error}")))
    }

    /// Reads what [`Change::encode`] wrote. Allocates in proportion to `bytes`, whatever lengths
    /// they claim.
    ///
    /// # Errors
    /// When `bytes` are cut, too long, or not a change.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadIndex> {
        match postcard::take_from_bytes::<Self>(bytes) {
            Ok((change, [])) => Ok(change),
            Ok((_, rest)) => Err(BadIndex::because(format!(
                "cannot decode the change: {} bytes too many",
                rest.len()
            ))),
            Err(error) => Err(BadIndex::because(format!(
                "cannot decode the change: {error}"
            ))),
        }
    }
}
