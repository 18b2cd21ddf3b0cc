//! An artifact as it is offered to a host: as the change of one that the host has, where the
//! controller knows that one, too.

use std::sync::Arc;

use super::payload::Payload;
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

/// Makes offers.
#[derive(Debug, Clone, Copy)]
pub struct Offers<'a> {
    payload: &'a Payload,
}

impl<'a> Offers<'a> {
    /// Offers of `payload`.
    #[must_use]
    pub fn new(payload: &'a Payload) -> Self {
        Self { payload }
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
            if let Some(index) = self.payload.changes.of(Some(release.artifact))? {
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
        let index = self.payload.changes.of(None)?.unwrap_or_default();
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
            keep: self.payload.keep,
        };
        if !(deltas.is_empty() && whole.is_empty()) {
            let offered = deltas.iter().map(|delta| delta.content);
            let named = offered.chain(whole.iter().copied()).collect();
            let numbers = self.payload.index.numbers(&named);
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
}
