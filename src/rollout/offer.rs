//! An artifact as it is offered to a host: as the change of one that the host has, where the
//! controller knows that one, too.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::cache::Cache;
use super::payload::Payload;
use crate::artifact::Change;
use crate::model::{Digest, Failure};
use crate::wire::{DeltaOffer, Facts, Offer};

/// What goes over the wire.
#[derive(Debug, Clone)]
pub struct Offering {
    /// The message.
    pub message: Offer,
    /// The index, or the change, under zstd.
    pub index: Arc<Vec<u8>>,
}

/// Encoded indexes by what they are a change of; `None` when that is not known here.
type Made = HashMap<Option<Digest>, Option<Arc<Vec<u8>>>>;

/// Makes offers; what hosts have in common is made once.
#[derive(Debug)]
pub struct Offers<'a> {
    payload: &'a Payload,
    cache: &'a Cache,
    made: Mutex<Made>,
}

impl<'a> Offers<'a> {
    /// Offers of `payload`.
    #[must_use]
    pub fn new(payload: &'a Payload, cache: &'a Cache) -> Self {
        Self {
            payload,
            cache,
            made: Mutex::default(),
        }
    }

    /// The offer for a host with these `facts`: a change of its live release, else of another one
    /// that it keeps, else whole.
    ///
    /// # Errors
    /// When the index cannot be encoded.
    pub fn for_host(&self, facts: &Facts) -> Result<Offering, Failure> {
        let live = facts.releases.iter().filter(|release| release.current);
        let others = facts.releases.iter().filter(|release| !release.current);
        for release in live.chain(others) {
            if let Some(index) = self.encoded(Some(release.artifact))? {
                return Ok(self.offering(facts, Some(release.artifact), index));
            }
        }
        self.whole(facts)
    }

    /// The offer for a host that has nothing to build on.
    ///
    /// # Errors
    /// When the index cannot be encoded.
    pub fn whole(&self, facts: &Facts) -> Result<Offering, Failure> {
        let index = self.encoded(None)?.unwrap_or_default();
        Ok(self.offering(facts, None, index))
    }

    fn offering(&self, facts: &Facts, base: Option<Digest>, index: Arc<Vec<u8>>) -> Offering {
        let (deltas, whole) = self.payload.deltas.offered();
        let mut message = Offer {
            artifact: self.payload.artifact,
            base,
            deltas: Vec::new(),
            whole: Vec::new(),
            runtimes: self.payload.runtimes.of(&facts.platform).to_vec(),
        };
        if !(deltas.is_empty() && whole.is_empty()) {
            let numbers: HashMap<Digest, u32> = self
                .payload
                .index
                .contents()
                .into_iter()
                .zip(0..)
                .map(|((digest, _), number)| (digest, number))
                .collect();
            let number = |digest: &Digest| numbers.get(digest).copied();
            message.whole = whole.iter().filter_map(number).collect();
            message.deltas = deltas
                .iter()
                .filter_map(|delta| {
                    Some(DeltaOffer {
                        content: number(&delta.content)?,
                        base: delta.base,
                        size: delta.base_size,
                    })
                })
                .collect();
        }
        Offering { message, index }
    }

    /// The index as a change of `base`, else whole; `None` when `base` is not known here.
    fn encoded(&self, base: Option<Digest>) -> Result<Option<Arc<Vec<u8>>>, Failure> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = made.get(&base) {
            return Ok(made.clone());
        }
        let index = &self.payload.index;
        let plain = match base {
            None => Some(index.encode()?),
            Some(base) => match self.cache.index(&base) {
                Some(base) => Some(Change::between(&base, index).encode()?),
                None => None,
            },
        };
        let encoded = plain
            .map(|plain| zstd::encode_all(&plain[..], 3).map(Arc::new))
            .transpose()
            .map_err(|error: io::Error| Failure::unexpected(error.to_string()))?;
        made.insert(base, encoded.clone());
        Ok(encoded)
    }
}
