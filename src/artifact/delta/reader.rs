//! From a delta and the old file to the new one.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use zstd::stream::raw::{DParameter, Decoder as Unpacker, InBuffer, Operation, OutBuffer};

use super::fixes::Fixes;
use super::format::{
    CODES, GAPS, HEADER, LITERALS, MAX_PACKED, MAX_SECTION, OPERATIONS, SECTIONS, WINDOW_LOG, WORD,
    WORDS, damaged, take_varint, unzigzag, word,
};
use super::predict::{Predictor, Site};

/// Bytes of the old file that are read at once.
const PIECE: usize = 128 << 10;

/// Applies a delta while it arrives. Whatever arrives: it reads nothing outside of the old file, never
/// writes more than the expected length, takes at most 16 MB of memory and time in proportion to the
/// bytes of both.
pub struct Decoder {
    old: File,
    old_len: u64,
    expected: u64,
    written: u64,
    header: Vec<u8>,
    /// Lengths of the section at hand and those after it; none between two blocks.
    sections: [Section; SECTIONS],
    /// The section that is arriving.
    current: usize,
    shift: i64,
    predictor: Predictor,
    piece: Vec<u8>,
    failed: bool,
}

struct Section {
    length: usize,
    packed_length: usize,
    packed: Vec<u8>,
    bytes: Vec<u8>,
    unpacker: Unpacker<'static>,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").finish_non_exhaustive()
    }
}

impl Decoder {
    /// For a result of `expected` bytes, from the delta to `old`.
    ///
    /// # Errors
    /// When the length of `old` cannot be found out.
    pub fn new(old: File, expected: u64) -> io::Result<Self> {
        Ok(Self {
            old_len: old.metadata()?.len(),
            old,
            expected,
            written: 0,
            header: Vec::with_capacity(HEADER),
            sections: [
                Section::new()?,
                Section::new()?,
                Section::new()?,
                Section::new()?,
                Section::new()?,
            ],
            current: 0,
            shift: 0,
            predictor: Predictor::new(),
            piece: Vec::new(),
            failed: false,
        })
    }

    /// Takes the next `bytes` of the delta, and writes what they complete.
    ///
    /// # Errors
    /// Of the kind `InvalidData` when these cannot be the bytes of a delta of this old file to a
    /// result of this length; otherwise when the old file cannot be read or `out` refuses. After an
    /// error there is only the same again.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
        if self.failed {
            return Err(damaged("it failed before"));
        }
        let pushed = self.push_all(bytes, out);
        self.failed = pushed.is_err();
        pushed
    }

    /// Ends the delta. Whether the result is the right one, its digest tells.
    ///
    /// # Errors
    /// Of the kind `InvalidData` when bytes of the result are missing.
    pub fn finish(self) -> io::Result<()> {
        if self.failed || self.written < self.expected || !self.header.is_empty() {
            return Err(damaged("it ended early"));
        }
        Ok(())
    }

    fn push_all(&mut self, mut bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.header.len() < HEADER {
                if self.written == self.expected {
                    return Err(damaged("it goes on after the end"));
                }
                fill(&mut self.header, HEADER, &mut bytes);
                if self.header.len() < HEADER {
                    break;
                }
                self.start_block()?;
            }
            while let Some(section) = self.sections.get_mut(self.current) {
                fill(&mut section.packed, section.packed_length, &mut bytes);
                if section.packed.len() < section.packed_length {
                    return Ok(());
                }
                section.unpack()?;
                self.current += 1;
            }
            self.apply(out)?;
            self.header.clear();
        }
        Ok(())
    }

    fn start_block(&mut self) -> io::Result<()> {
        for (section, lengths) in self.sections.iter_mut().zip(self.header.chunks_exact(8)) {
            section.start(word(lengths) as usize, word(&lengths[4..]) as usize)?;
        }
        // Each block must bring the result forward, so that the work is bounded.
        if self.sections[OPERATIONS].length == 0 {
            return Err(damaged("a block is empty"));
        }
        self.current = 0;
        Ok(())
    }

    /// Does what the sections say.
    fn apply(&mut self, out: &mut dyn Write) -> io::Result<()> {
        // Apart from `self`, so that both can be borrowed.
        let sections = self
            .sections
            .each_mut()
            .map(|it| std::mem::take(&mut it.bytes));
        let applied = self.apply_sections(&sections, out);
        for (section, bytes) in self.sections.iter_mut().zip(sections) {
            section.bytes = bytes;
        }
        applied
    }

    fn apply_sections(
        &mut self,
        sections: &[Vec<u8>; SECTIONS],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut operations = &sections[OPERATIONS][..];
        let mut literals = &sections[LITERALS][..];
        let mut fixes = Fixes::new(&sections[GAPS], &sections[CODES], &sections[WORDS])?;
        let before = self.written;
        while !operations.is_empty() {
            let literal = take_varint(&mut operations)?;
            let copy = take_varint(&mut operations)?;
            let change = unzigzag(take_varint(&mut operations)?);
            self.literal(literal, &mut literals, out)?;
            self.shift = self.shift.wrapping_add(change);
            self.predictor.remember(self.shift as u32);
            self.copy(copy, &mut fixes, out)?;
        }
        if !literals.is_empty() || fixes.left() {
            return Err(damaged("a block has bytes that nothing uses"));
        }
        if self.written == before {
            return Err(damaged("a block is empty"));
        }
        Ok(())
    }

    fn literal(&mut self, length: u64, from: &mut &[u8], out: &mut dyn Write) -> io::Result<()> {
        self.room(length)?;
        let Some((bytes, rest)) = usize::try_from(length)
            .ok()
            .and_then(|length| from.split_at_checked(length))
        else {
            return Err(damaged("literals are missing"));
        };
        *from = rest;
        out.write_all(bytes)?;
        self.written += length;
        Ok(())
    }

    fn copy(&mut self, length: u64, fixes: &mut Fixes<'_>, out: &mut dyn Write) -> io::Result<()> {
        self.room(length)?;
        let mut offset = self.written.wrapping_sub(self.shift as u64);
        if length > 0
            && offset
                .checked_add(length)
                .is_none_or(|end| end > self.old_len)
        {
            return Err(damaged("a copy is outside of the old file"));
        }
        let mut left = length;
        while left > 0 {
            let mut have = left.min(PIECE as u64) as usize;
            self.piece.resize(PIECE, 0);
            self.old.read_exact_at(&mut self.piece[..have], offset)?;
            have = self.fix(have, offset, have as u64 == left, fixes)?;
            out.write_all(&self.piece[..have])?;
            offset += have as u64;
            left -= have as u64;
            self.written += have as u64;
        }
        Ok(())
    }

    /// Corrects the first `have` bytes of the piece, which are those at `offset` of the old file, and
    /// returns how many are correct then: a fix-up over the end waits for the next piece.
    fn fix(
        &mut self,
        have: usize,
        offset: u64,
        last: bool,
        fixes: &mut Fixes<'_>,
    ) -> io::Result<usize> {
        let mut done = 0;
        while let Some(gap) = fixes.gap {
            if gap >= (have - done) as u64 {
                break;
            }
            let at = done + gap as usize;
            if at + WORD > have {
                if last {
                    return Err(damaged("a fix-up is not inside one copy"));
                }
                fixes.skip(at - done);
                return Ok(at);
            }
            let site = Site {
                word: word(&self.piece[at..]),
                offset: (offset as u32).wrapping_add(at as u32),
                shift: self.shift as u32,
            };
            let difference = fixes.next(&mut self.predictor, site)?;
            let fixed = site.word.wrapping_add(difference);
            self.piece[at..at + WORD].copy_from_slice(&fixed.to_le_bytes());
            done = at + WORD;
        }
        fixes.skip(have - done);
        Ok(have)
    }

    /// That `length` more bytes are expected.
    fn room(&self, length: u64) -> io::Result<()> {
        if length > self.expected - self.written {
            return Err(damaged("it is longer than expected"));
        }
        Ok(())
    }
}

impl Section {
    fn new() -> io::Result<Self> {
        let mut unpacker = Unpacker::new()?;
        unpacker.set_parameter(DParameter::WindowLogMax(WINDOW_LOG))?;
        Ok(Self {
            length: 0,
            packed_length: 0,
            packed: Vec::new(),
            bytes: Vec::new(),
            unpacker,
        })
    }

    fn start(&mut self, length: usize, packed_length: usize) -> io::Result<()> {
        if length > MAX_SECTION || packed_length > MAX_PACKED {
            return Err(damaged("a section is too long"));
        }
        if (length == 0) != (packed_length == 0) {
            return Err(damaged("a section is empty"));
        }
        (self.length, self.packed_length) = (length, packed_length);
        self.packed.clear();
        self.bytes.clear();
        Ok(())
    }

    /// Uncompresses `packed` into `bytes`.
    fn unpack(&mut self) -> io::Result<()> {
        // One byte more, to see when there is more than was said.
        self.bytes.resize(self.length + 1, 0);
        let mut input = InBuffer::around(&self.packed);
        let mut output = OutBuffer::around(&mut self.bytes[..]);
        loop {
            let before = (input.pos(), output.pos());
            self.unpacker
                .run(&mut input, &mut output)
                .map_err(|_| damaged("a section cannot be uncompressed"))?;
            if (input.pos(), output.pos()) == before {
                break;
            }
        }
        if input.pos() < self.packed_length || output.pos() != self.length {
            return Err(damaged("a section has another length"));
        }
        self.bytes.truncate(self.length);
        Ok(())
    }
}

/// Moves bytes from `from` until `to` has `length`.
fn fill(to: &mut Vec<u8>, length: usize, from: &mut &[u8]) {
    let (now, later) = from.split_at(from.len().min(length - to.len()));
    to.extend_from_slice(now);
    *from = later;
}
