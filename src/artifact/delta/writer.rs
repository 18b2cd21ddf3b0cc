//! Operations into blocks.

use std::io::{self, Write};

use zstd::stream::raw::{CParameter, Encoder, InBuffer, Operation, OutBuffer};

use super::format::{
    CODES, GAPS, LITERALS, MAX_PACKED, MAX_SECTION, OPERATIONS, SECTIONS, WINDOW_LOG, WORDS,
    put_varint, zigzag,
};
use super::predict;

const LEVEL: i32 = 3;
/// A block ends when one of its sections is so long, bytes: with what one more chunk adds it stays
/// below [`MAX_SECTION`].
const FULL: usize = 128 << 10;
/// A block ends when it stands for so many bytes of the new file: the reader wants something to do.
const MOST: u64 = 8 << 20;

/// Collects operations and writes them as blocks.
pub(super) struct Writer {
    sections: [Section; SECTIONS],
    shift: i64,
    /// Copied bytes since the last fix-up.
    gap: usize,
    /// Bytes of the new file in this block.
    covers: u64,
    literals: u64,
}

struct Section {
    bytes: Vec<u8>,
    packed: Vec<u8>,
    encoder: Encoder<'static>,
}

impl Writer {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            sections: [
                Section::new()?,
                Section::new()?,
                Section::new()?,
                Section::new()?,
                Section::new()?,
            ],
            shift: 0,
            gap: 0,
            covers: 0,
            literals: 0,
        })
    }

    /// Bytes that were sent as they are, so far.
    pub(super) fn literals(&self) -> u64 {
        self.literals
    }

    /// `bytes` are copied as they are, and then comes a fix-up.
    pub(super) fn fix(&mut self, bytes: usize, code: Option<u8>, difference: u32) {
        put_varint(&mut self.sections[GAPS].bytes, (self.gap + bytes) as u64);
        self.gap = 0;
        self.sections[CODES]
            .bytes
            .push(code.unwrap_or(predict::SPELLED));
        if code.is_none() {
            let words = &mut self.sections[WORDS].bytes;
            words.extend_from_slice(&difference.to_le_bytes());
        }
    }

    /// `bytes` are copied as they are.
    pub(super) fn copied(&mut self, bytes: usize) {
        self.gap += bytes;
    }

    /// An operation whose copy was described before by [`Self::fix`] and [`Self::copied`].
    pub(super) fn operation(&mut self, literals: &[u8], copy: usize, shift: i64) {
        let operations = &mut self.sections[OPERATIONS].bytes;
        put_varint(operations, literals.len() as u64);
        put_varint(operations, copy as u64);
        put_varint(operations, zigzag(shift.wrapping_sub(self.shift)));
        self.shift = shift;
        self.sections[LITERALS].bytes.extend_from_slice(literals);
        self.literals += literals.len() as u64;
        self.covers += (literals.len() + copy) as u64;
    }

    /// Whether the block should be written before the next chunk.
    pub(super) fn full(&self) -> bool {
        let long = |section: &Section| section.bytes.len() >= FULL;
        self.covers >= MOST || self.sections.iter().any(long)
    }

    /// Whether there is hardly room for another operation, which takes an odd file.
    pub(super) fn crowded(&self) -> bool {
        self.sections[OPERATIONS].bytes.len() > MAX_SECTION - FULL
    }

    /// Ends the block, unless it is empty. Returns its length, bytes: it is written to `out` only if
    /// that is at most `most`.
    pub(super) fn flush(&mut self, out: &mut dyn Write, most: u64) -> io::Result<u64> {
        if self.covers == 0 {
            return Ok(0);
        }
        let mut header = Vec::new();
        let mut length = 0;
        for section in &mut self.sections {
            section.pack()?;
            header.extend_from_slice(&(section.bytes.len() as u32).to_le_bytes());
            header.extend_from_slice(&(section.packed.len() as u32).to_le_bytes());
            length += section.packed.len() as u64;
        }
        length += header.len() as u64;
        if length <= most {
            out.write_all(&header)?;
            for section in &self.sections {
                out.write_all(&section.packed)?;
            }
        }
        for section in &mut self.sections {
            section.bytes.clear();
        }
        (self.covers, self.gap) = (0, 0);
        Ok(length)
    }
}

impl Section {
    fn new() -> io::Result<Self> {
        let mut encoder = Encoder::new(LEVEL)?;
        encoder.set_parameter(CParameter::WindowLog(WINDOW_LOG))?;
        Ok(Self {
            bytes: Vec::new(),
            packed: Vec::new(),
            encoder,
        })
    }

    /// Compresses `bytes` into `packed`.
    fn pack(&mut self) -> io::Result<()> {
        self.packed.clear();
        if self.bytes.is_empty() {
            return Ok(());
        }
        let mut piece = [0; 16 << 10];
        let mut input = InBuffer::around(&self.bytes);
        loop {
            let mut output = OutBuffer::around(&mut piece[..]);
            let left = if input.pos() < self.bytes.len() {
                self.encoder.run(&mut input, &mut output)?;
                1
            } else {
                self.encoder.flush(&mut output)?
            };
            self.packed.extend_from_slice(output.as_slice());
            if left == 0 {
                break;
            }
        }
        if self.bytes.len() > MAX_SECTION || self.packed.len() > MAX_PACKED {
            return Err(io::Error::other("a section of a delta is too long"));
        }
        Ok(())
    }
}
