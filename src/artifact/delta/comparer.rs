//! How alike bytes of the old file and of the new one are, in bytes of the delta.

use std::io;

use super::format::{WORD, word};
use super::pages::Pages;
use super::predict::{Predictor, Site};

/// What things are worth, in eighths of a byte of the delta: a byte not sent as a literal, ...
pub(super) const BYTE: i64 = 5;
/// ... a fix-up whose word is foretold, ...
const FORETOLD: i64 = 10;
/// ... and one whose word is spelled out.
pub(super) const SPELLED: i64 = 34;
/// A single byte that differs, when going backwards, where there are no words yet.
const DIFFERENT: i64 = 12;

/// So far a copy may fall behind its best before it ends there.
pub(super) const DROP: i64 = 240;
const DROP_BACKWARDS: i64 = 48;
/// Bytes by which copies are compared, and what leaves no room for a better one.
const TRIAL: usize = 256;
pub(super) const SURE: i64 = TRIAL as i64 * BYTE * 9 / 10;

/// Bytes at `at` of the chunk that are those at `old`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Match {
    pub at: usize,
    pub old: u64,
}

/// A word of the new file that is not the old one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fix {
    /// In the copy.
    pub at: usize,
    pub difference: u32,
    pub site: Site,
}

/// The old file, and what is known of its addresses.
pub(super) struct Comparer<'a> {
    pub old: Pages<'a>,
    pub predictor: Predictor,
}

impl Comparer<'_> {
    /// What a copy of a few bytes from `old` on would save.
    pub(super) fn worth(&mut self, new: &[u8], old: u64, shift: i64) -> io::Result<i64> {
        let new = self.clip(&new[..new.len().min(TRIAL)], old);
        let (mut at, mut score, mut best) = (0, 0, 0);
        while score >= best - DROP {
            let run = self.run(&new[at..], old + at as u64)?;
            at += run;
            score += run as i64 * BYTE;
            best = best.max(score);
            let Some(fix) = self.fix(new, at, old, shift)? else {
                break;
            };
            score += WORD as i64 * BYTE - self.cost(fix);
            at += WORD;
        }
        Ok(best)
    }

    pub(super) fn cost(&self, fix: Fix) -> i64 {
        match self.predictor.code(fix.difference, fix.site) {
            Some(_) => FORETOLD,
            None => SPELLED,
        }
    }

    /// Starts `found` earlier, but not before `from`, where that is cheaper than literals.
    pub(super) fn extend_back(
        &mut self,
        new: &[u8],
        from: usize,
        found: Match,
    ) -> io::Result<Match> {
        let (mut at, mut old) = (found.at, found.old);
        let (mut score, mut best, mut earliest) = (0, 0, found);
        while at > from && old > 0 && score >= best - DROP_BACKWARDS {
            for &byte in self.old.until(old)?.iter().rev().take(at - from) {
                (at, old) = (at - 1, old - 1);
                score += if new[at] == byte { BYTE } else { -DIFFERENT };
                if score > best {
                    (best, earliest) = (score, Match { at, old });
                }
                if score < best - DROP_BACKWARDS {
                    break;
                }
            }
        }
        Ok(earliest)
    }

    /// The fix-up that `at` of `new` needs, unless it is too near the end. The copy starts at `old`.
    pub(super) fn fix(
        &mut self,
        new: &[u8],
        at: usize,
        old: u64,
        shift: i64,
    ) -> io::Result<Option<Fix>> {
        let Some(bytes) = new.get(at..at + WORD) else {
            return Ok(None);
        };
        let offset = old + at as u64;
        let site = Site {
            word: word(self.old.from(offset)?),
            offset: offset as u32,
            shift: shift as u32,
        };
        let difference = word(bytes).wrapping_sub(site.word);
        Ok(Some(Fix {
            at,
            difference,
            site,
        }))
    }

    /// Bytes that `new` and the old file at `old` have in common.
    pub(super) fn run(&mut self, new: &[u8], old: u64) -> io::Result<usize> {
        let mut run = 0;
        while run < new.len() {
            let old = self.old.from(old + run as u64)?;
            let most = old.len().min(new.len() - run);
            let equal = common(&new[run..run + most], &old[..most]);
            run += equal;
            if equal < most || most == 0 {
                break;
            }
        }
        Ok(run)
    }

    /// As much of `new` as the old file has bytes from `old` on.
    pub(super) fn clip<'n>(&self, new: &'n [u8], old: u64) -> &'n [u8] {
        let left = self.old.len().saturating_sub(old);
        &new[..left.min(new.len() as u64) as usize]
    }
}

/// Equal bytes that both start with; both are of the same length.
fn common(one: &[u8], other: &[u8]) -> usize {
    const WIDE: usize = 64;
    const NARROW: usize = 8;
    let wide = one.chunks_exact(WIDE).zip(other.chunks_exact(WIDE));
    let mut equal = wide.take_while(|(one, other)| one == other).count() * WIDE;
    while let (Some(a), Some(b)) = (
        one[equal..].first_chunk::<NARROW>(),
        other[equal..].first_chunk::<NARROW>(),
    ) {
        let different = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if different != 0 {
            return equal + different.trailing_zeros() as usize / 8;
        }
        equal += NARROW;
    }
    let rest = one[equal..].iter().zip(&other[equal..]);
    equal + rest.take_while(|(one, other)| one == other).count()
}
