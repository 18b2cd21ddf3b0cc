//! The fix-ups of a block, one after the other.

use std::io;

use super::format::{WORD, damaged, take_varint};
use super::predict::{Predictor, SPELLED, Site};

/// The fix-ups of a block that are left.
pub(super) struct Fixes<'a> {
    /// Copied bytes before the next one; none after the last.
    pub gap: Option<u64>,
    gaps: &'a [u8],
    codes: &'a [u8],
    words: &'a [u8],
}

impl<'a> Fixes<'a> {
    pub(super) fn new(gaps: &'a [u8], codes: &'a [u8], words: &'a [u8]) -> io::Result<Self> {
        let mut fixes = Self {
            gap: None,
            gaps,
            codes,
            words,
        };
        fixes.next_gap()?;
        Ok(fixes)
    }

    fn next_gap(&mut self) -> io::Result<()> {
        self.gap = match self.gaps {
            [] => None,
            _ => Some(take_varint(&mut self.gaps)?),
        };
        Ok(())
    }

    /// `bytes` are copied as they are.
    pub(super) fn skip(&mut self, bytes: usize) {
        if let Some(gap) = &mut self.gap {
            *gap -= bytes as u64;
        }
    }

    /// The difference that the next fix-up adds.
    pub(super) fn next(&mut self, predictor: &mut Predictor, site: Site) -> io::Result<u32> {
        let Some((&code, codes)) = self.codes.split_first() else {
            return Err(damaged("a code is missing"));
        };
        self.codes = codes;
        self.next_gap()?;
        let difference = match predictor.difference(code, site) {
            Some(difference) => difference,
            None if code == SPELLED => self.spelled()?,
            None => return Err(damaged("a code has no meaning")),
        };
        predictor.learn(difference, site, code == SPELLED);
        Ok(difference)
    }

    fn spelled(&mut self) -> io::Result<u32> {
        let Some((&word, words)) = self.words.split_first_chunk::<WORD>() else {
            return Err(damaged("a word is missing"));
        };
        self.words = words;
        Ok(u32::from_le_bytes(word))
    }

    pub(super) fn left(&self) -> bool {
        self.gap.is_some() || !self.codes.is_empty() || !self.words.is_empty()
    }
}
