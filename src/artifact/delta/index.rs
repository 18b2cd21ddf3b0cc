//! Where in the old file some bytes are.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes that a place is known by.
pub(super) const KEY: usize = 16;
const PIECE: usize = 256 << 10;
const NONE: u32 = u32::MAX;
/// The lower bits of an entry are a place, in strides, the others some of its hash: most places that
/// would not compare equal need not be read.
const PLACE_BITS: u32 = 24;
const PLACE_MASK: u32 = (1 << PLACE_BITS) - 1;

/// Offsets of the old file by a hash of the [`KEY`] bytes there, at every multiple of a stride. Of
/// places with the same bytes the last is known.
#[derive(Debug)]
pub(super) struct Index {
    table: Vec<u32>,
    stride: u64,
}

impl Index {
    /// Reads the first `len` bytes of `file`. The table has at most `2^bits` entries of 4 bytes; the
    /// stride is what that leads to, from 8 bytes up, and a power of two, since functions are laid
    /// out at such. Returns early, with what it has, when `stop` says so.
    pub(super) fn build(
        file: &File,
        len: u64,
        bits: u32,
        stop: &dyn Fn() -> bool,
    ) -> io::Result<Self> {
        let mut stride = 8;
        // Up to twice as many places as entries: some are lost, which costs less than knowing only
        // every other place.
        while len / stride >= 2 << bits.min(PLACE_BITS - 2) {
            stride *= 2;
        }
        let entries = (len / stride).next_power_of_two().clamp(16, 1 << bits);
        let mut index = Self {
            table: vec![NONE; entries as usize],
            stride,
        };
        let mut buffer = vec![0; PIECE + KEY];
        let mut start = 0;
        // A stride above a piece is one of a file above 2^39 bytes.
        let step = (PIECE as u64).max(stride);
        while start < len && !stop() {
            let have = (len - start).min(buffer.len() as u64) as usize;
            file.read_exact_at(&mut buffer[..have], start)?;
            index.add(start, &buffer[..have]);
            start += step;
        }
        Ok(index)
    }

    fn add(&mut self, start: u64, bytes: &[u8]) {
        let keys = bytes.windows(KEY).take(PIECE).step_by(self.stride as usize);
        for (number, key) in ((start / self.stride) as u32..).zip(keys) {
            if let Some(hash) = hash(key) {
                let place = self.place(hash);
                self.table[place] = tag(hash) | number;
            }
        }
    }

    /// Where the [`KEY`] bytes that `bytes` start with might be: to be compared.
    pub(super) fn find(&self, bytes: &[u8]) -> Option<u64> {
        let hash = hash(bytes)?;
        let entry = self.table[self.place(hash)];
        let number = entry & PLACE_MASK;
        (entry != NONE && entry == tag(hash) | number).then(|| u64::from(number) * self.stride)
    }

    /// Bytes between two places.
    pub(super) fn stride(&self) -> usize {
        self.stride as usize
    }

    fn place(&self, hash: u64) -> usize {
        (hash >> 32) as usize & (self.table.len() - 1)
    }
}

fn tag(hash: u64) -> u32 {
    hash as u32 & !PLACE_MASK
}

/// None for runs of eight bytes or less, such as zeros: they are everywhere and lead nowhere.
fn hash(key: &[u8]) -> Option<u64> {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let (first, rest) = key.split_first_chunk::<8>()?;
    let second = rest.first_chunk::<8>()?;
    if first == second {
        return None;
    }
    let (first, second) = (u64::from_le_bytes(*first), u64::from_le_bytes(*second));
    let mixed = (first.wrapping_mul(FACTOR) ^ second).rotate_left(29);
    Some(mixed.wrapping_mul(FACTOR))
}
