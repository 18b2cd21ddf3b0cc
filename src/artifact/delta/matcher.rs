//! Which bytes of the old file the new ones are, more or less.

use std::fs::File;
use std::io;

use super::comparer::{BYTE, Comparer, DROP, Fix, Match, SPELLED, SURE};
use super::encode::Sizes;
use super::format::WORD;
use super::index::{Index, KEY};
use super::pages::Pages;
use super::predict::Predictor;
use super::writer::Writer;

/// A copy at a shift in use must be worth so much, ...
const ENOUGH: i64 = 64;
/// ... one that the index knows so much, ...
const ENOUGH_ELSEWHERE: i64 = 100;
/// ... and one for which another is left must be better by so much.
const BETTER: i64 = 240;
/// Copies that are compared at most.
const TRIES: usize = 8;
/// Each word spelled out adds to the doubts about the shift, each equal byte takes one away.
const DOUBT: usize = 16;
const DOUBTFUL: usize = 14;
/// Doubts cost so much patience, bytes.
const DOUBT_PATIENCE: usize = 1 << 10;

/// Shifts in use that are tried before the index is asked.
const SHIFTS: usize = 5;
/// Bytes in which a shift in use must fit again, for the index to be needed only elsewhere.
const NEARBY: usize = 4 << 10;
/// Where nothing is found for so many bytes, every third is looked at, then every fifth, ...
const SPARSER: usize = 1 << 10;
const SPARSEST: usize = 31;

/// What looking around may take, roughly in ns: content that is alike everywhere would take for ever.
/// To begin with, ...
const CREDIT: i64 = 200_000_000;
/// ... and more for each byte of the new file.
const CREDIT_PER_BYTE: i64 = 20;
const LOOK: i64 = 20;
const TRY: i64 = 150;
const PAGE: i64 = 4_000;

/// Bytes of trouble before an index is worth its building.
pub(super) const PATIENCE: usize = 64 << 10;

/// Writes a file, chunk by chunk, as operations on another one.
pub(super) struct Matcher<'a> {
    file: &'a File,
    comparer: Comparer<'a>,
    index: Option<Index>,
    /// None: never build one.
    patience: Option<usize>,
    index_bits: u32,
    stop: &'a dyn Fn() -> bool,
    /// What looking around may still take.
    credit: i64,
    /// The latest first; the last one puts the end of the new file at the end of the old one.
    shifts: [i64; SHIFTS],
    /// Fix-ups of a copy that are not known to be worth it yet.
    pending: Vec<Fix>,
}

impl<'a> Matcher<'a> {
    /// For a new file of `new_len` bytes. Without `index` only the shifts 0 and of the end are found.
    pub(super) fn new(
        file: &'a File,
        new_len: u64,
        index: bool,
        sizes: &Sizes,
        stop: &'a dyn Fn() -> bool,
    ) -> io::Result<Self> {
        let old_len = file.metadata()?.len();
        let end = new_len.wrapping_sub(old_len) as i64;
        Ok(Self {
            file,
            comparer: Comparer {
                old: Pages::new(file, old_len, sizes.page, sizes.pages),
                predictor: Predictor::new(),
            },
            index: None,
            patience: index.then_some(sizes.patience),
            index_bits: sizes.index_bits,
            stop,
            credit: CREDIT,
            shifts: [0, 0, 0, 0, end],
            pending: Vec::new(),
        })
    }

    /// Writes `new`, which starts at `start` of the new file, as operations.
    pub(super) fn chunk(&mut self, new: &[u8], start: u64, writer: &mut Writer) -> io::Result<()> {
        self.credit += new.len() as i64 * CREDIT_PER_BYTE;
        let mut done = 0;
        let mut next = match self.go_on(new, start)? {
            Some(found) => Some(found),
            None => self.find(new, start, done)?,
        };
        while let Some(found) = next {
            let found = self.comparer.extend_back(new, done, found)?;
            let shift = (start + found.at as u64).wrapping_sub(found.old) as i64;
            self.use_shift(shift);
            let (copied, better) = self.extend(&new[found.at..], found, shift, writer)?;
            writer.operation(&new[done..found.at], copied, shift);
            done = found.at + copied;
            next = match better {
                _ if writer.crowded() => None,
                Some(better) => Some(better),
                None => self.find(new, start, done)?,
            };
        }
        if done < new.len() {
            let shift = self.shifts[0];
            self.use_shift(shift);
            writer.operation(&new[done..], 0, shift);
        }
        Ok(())
    }

    /// The copy that the end of the previous chunk cut off. Unlike [`Self::find`] it does not ask for
    /// equal bytes first: a table of addresses has no run of them.
    fn go_on(&mut self, new: &[u8], start: u64) -> io::Result<Option<Match>> {
        let shift = self.shifts[0];
        let old = start.wrapping_sub(shift as u64);
        let worth = self.comparer.worth(new, old, shift)?;
        Ok((worth >= ENOUGH).then_some(Match { at: 0, old }))
    }

    /// The first match from `from` on.
    fn find(&mut self, new: &[u8], start: u64, from: usize) -> io::Result<Option<Match>> {
        if self.index.is_none() {
            let limit = if self.patience.is_some() {
                NEARBY
            } else {
                new.len()
            };
            let end = new.len().min(from.saturating_add(limit));
            for at in from..end {
                if let Some(found) = self.at_known_shift(new, start, at)? {
                    self.lose_patience(at - from)?;
                    return Ok(Some(found));
                }
            }
            self.lose_patience(if end < new.len() {
                usize::MAX
            } else {
                end - from
            })?;
        }
        if self.index.is_none() {
            return Ok(None);
        }
        let mut at = from;
        while at < new.len() {
            if let Some(found) = self.at_known_shift(new, start, at)? {
                return Ok(Some(found));
            }
            if let Some(found) = self.look_around(new, start, at, 1, ENOUGH_ELSEWHERE)? {
                return Ok(Some(found));
            }
            at += ((at - from) / SPARSER * 2 + 1).min(SPARSEST);
        }
        Ok(None)
    }

    /// Of the matches that the index knows at the next `reach` bytes, and if there is one, the stride
    /// after it, the one that promises most, but more than `least`.
    fn look_around(
        &mut self,
        new: &[u8],
        start: u64,
        from: usize,
        reach: usize,
        least: i64,
    ) -> io::Result<Option<Match>> {
        let Some(stride) = self.index.as_ref().map(Index::stride) else {
            return Ok(None);
        };
        let (mut best, mut found) = (least, None);
        let mut end = new.len().min(from + reach);
        let (mut at, mut tries) = (from, 0);
        while at < end && best < SURE && tries < TRIES {
            if let Some(old) = self.look_up(&new[at..])? {
                tries += 1;
                // Without credit there is one try, as the caller asked for.
                if self.spend(TRY + LOOK * stride as i64) {
                    end = new.len().min(end.max(at + stride));
                }
                let shift = (start + at as u64).wrapping_sub(old) as i64;
                let worth = self.comparer.worth(&new[at..], old, shift)?;
                if worth > best {
                    (best, found) = (worth, Some(Match { at, old }));
                }
            }
            at += 1;
        }
        Ok(found)
    }

    /// Builds the index when `bytes` of trouble are too much.
    fn lose_patience(&mut self, bytes: usize) -> io::Result<()> {
        let Some(patience) = self.patience.as_mut().filter(|_| self.index.is_none()) else {
            return Ok(());
        };
        *patience = patience.saturating_sub(bytes);
        if *patience == 0 {
            let (len, bits) = (self.comparer.old.len(), self.index_bits);
            self.index = Some(Index::build(self.file, len, bits, self.stop)?);
        }
        Ok(())
    }

    fn at_known_shift(&mut self, new: &[u8], start: u64, at: usize) -> io::Result<Option<Match>> {
        let Some(here) = new[at..].first_chunk::<8>() else {
            return Ok(None);
        };
        for place in 0..SHIFTS {
            let shift = self.shifts[place];
            if place > 0 && shift == self.shifts[place - 1] {
                continue;
            }
            let old = (start + at as u64).wrapping_sub(shift as u64);
            if self.comparer.old.from(old)?.first_chunk() == Some(here)
                && self.comparer.worth(&new[at..], old, shift)? >= ENOUGH
            {
                return Ok(Some(Match { at, old }));
            }
        }
        Ok(None)
    }

    fn look_up(&mut self, new: &[u8]) -> io::Result<Option<u64>> {
        let Some(old) = self.index.as_ref().and_then(|index| index.find(new)) else {
            return Ok(None);
        };
        if !self.comparer.old.has(old) && !self.spend(PAGE) {
            return Ok(None);
        }
        let equal = self.comparer.old.from(old)?.first_chunk::<KEY>() == new.first_chunk();
        Ok(equal.then_some(old))
    }

    /// Whether there is credit, which it takes.
    fn spend(&mut self, credit: i64) -> bool {
        let enough = self.credit >= credit;
        if enough {
            self.credit -= credit;
        }
        enough
    }

    /// To be called for each operation: the reader does the same.
    fn use_shift(&mut self, shift: i64) {
        self.comparer.predictor.remember(shift as u32);
        let recent = &mut self.shifts[..SHIFTS - 1];
        let place = recent.iter().position(|&known| known == shift);
        recent[..=place.unwrap_or(SHIFTS - 2)].rotate_right(1);
        recent[0] = shift;
    }

    /// Copies from `found` on into `writer`, as long as it is cheaper than literals or a better match
    /// turns up, which is returned too. `new` starts at `found.at`.
    fn extend(
        &mut self,
        new: &[u8],
        found: Match,
        shift: i64,
        writer: &mut Writer,
    ) -> io::Result<(usize, Option<Match>)> {
        let new = self.comparer.clip(new, found.old);
        let (mut at, mut copied) = (0, 0);
        let (mut score, mut best) = (0, 0);
        let mut doubts = 0_usize;
        self.pending.clear();
        loop {
            let run = self.comparer.run(&new[at..], found.old + at as u64)?;
            at += run;
            score += run as i64 * BYTE;
            doubts = doubts.saturating_sub(run);
            if score > best {
                self.settle(copied, at, writer);
                (best, copied) = (score, at);
            }
            let Some(fix) = self.comparer.fix(new, at, found.old, shift)? else {
                return Ok((copied, None));
            };
            let cost = self.comparer.cost(fix);
            if cost == SPELLED {
                doubts += DOUBT;
            }
            if doubts > DOUBTFUL {
                doubts /= 2;
                let start = found.old.wrapping_add(shift as u64);
                if let Some(better) = self.better(new, start, at, shift)? {
                    let at = found.at + better.at;
                    return Ok((copied, Some(Match { at, ..better })));
                }
            }
            score += WORD as i64 * BYTE - cost;
            at += WORD;
            self.pending.push(fix);
            if score < best - DROP {
                return Ok((copied, None));
            }
        }
    }

    /// Writes the fix-ups that were pending: the copy goes on from `copied` to `at` at least.
    fn settle(&mut self, copied: usize, at: usize, writer: &mut Writer) {
        let mut copied = copied;
        for fix in self.pending.drain(..) {
            let code = self.comparer.predictor.code(fix.difference, fix.site);
            self.comparer
                .predictor
                .learn(fix.difference, fix.site, code.is_none());
            writer.fix(fix.at - copied, code, fix.difference);
            copied = fix.at + WORD;
        }
        writer.copied(at - copied);
    }

    /// A match within a stride from `at`, when it promises much more than going on at `shift`.
    fn better(
        &mut self,
        new: &[u8],
        start: u64,
        at: usize,
        shift: i64,
    ) -> io::Result<Option<Match>> {
        self.lose_patience(DOUBT_PATIENCE)?;
        let Some(stride) = self.index.as_ref().map(Index::stride) else {
            return Ok(None);
        };
        if !self.spend(TRY + LOOK * stride as i64) {
            return Ok(None);
        }
        let old = (start + at as u64).wrapping_sub(shift as u64);
        let least = self.comparer.worth(&new[at..], old, shift)? + BETTER;
        self.look_around(new, start, at, stride, least)
    }
}
