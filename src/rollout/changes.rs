//! The index of a payload as it travels: as the change of one that a host has, or whole. Each is made
//! once, however many hosts there are.

use std::sync::{Arc, Mutex, PoisonError};

use foldhash::HashMap;

use super::cache::Cache;
use crate::artifact::{Change, Index};
use crate::model::{Digest, Failure};

/// Encoded indexes, under zstd, by what they are a change of; `None` when that is not known here.
type Made = HashMap<Option<Digest>, Option<Arc<Vec<u8>>>>;

/// Makes changes.
#[derive(Debug)]
pub struct Changes {
    index: Arc<Index>,
    cache: Cache,
    made: Mutex<Made>,
}

impl Changes {
    /// Those of `index`, to indexes that `cache` remembers.
    #[must_use]
    pub fn new(index: Arc<Index>, cache: Cache) -> Self {
        Self {
            index,
            cache,
            made: Mutex::default(),
        }
    }

    /// The index as a change of `base`, else whole; `None` when `base` is not known here.
    ///
    /// # Errors
    /// When the index cannot be encoded.
    pub fn of(&self, base: Option<Digest>) -> Result<Option<Arc<Vec<u8>>>, Failure> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = made.get(&base) {
            return Ok(made.clone());
        }
        let plain = match base {
            None => Some(self.index.encode()?),
            Some(base) => match self.cache.index(&base) {
                Some(base) => Some(Change::between(&base, &self.index).encode()?),
                None => None,
            },
        };
        let encoded = plain
            .map(|plain| zstd::encode_all(&plain[..], 3).map(Arc::new))
            .transpose()
            .map_err(Failure::from)?;
        made.insert(base, encoded.clone());
        Ok(encoded)
    }
}
