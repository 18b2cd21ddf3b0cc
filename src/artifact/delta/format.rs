//! What both ends agree on: limits, sections, numbers.

use std::io;

/// Sections of a block, in this order.
pub(super) const SECTIONS: usize = 5;
pub(super) const OPERATIONS: usize = 0;
pub(super) const GAPS: usize = 1;
pub(super) const CODES: usize = 2;
pub(super) const WORDS: usize = 3;
pub(super) const LITERALS: usize = 4;

/// Header of a block, bytes.
pub(super) const HEADER: usize = SECTIONS * 8;
/// Longest section, bytes.
pub(super) const MAX_SECTION: usize = 640 << 10;
/// Longest compressed section, bytes: what does not compress grows by 3 bytes per 128 KiB, and a
/// flush adds a few.
pub(super) const MAX_PACKED: usize = MAX_SECTION + 1024;
/// Both ends keep so much of each section: 2^20 bytes.
pub(super) const WINDOW_LOG: u32 = 20;
/// Bytes that a fix-up covers.
pub(super) const WORD: usize = 4;

/// Not what [`super::encode`] writes.
pub(super) fn damaged(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("damaged delta: {why}"))
}

/// Appends `value` as LEB128.
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The LEB128 number that `bytes` start with, and skips it.
///
/// # Errors
/// When the bytes end before the number does, or it does not fit 64 bits.
pub(super) fn take_varint(bytes: &mut &[u8]) -> io::Result<u64> {
    let mut value = 0_u64;
    for place in 0..10 {
        let Some((&byte, rest)) = bytes.split_first() else {
            return Err(damaged("a number is cut off"));
        };
        *bytes = rest;
        if place == 9 && byte > 1 {
            break;
        }
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(damaged("a number is too large"))
}

/// Small numbers of either sign as small numbers.
pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The inverse of [`zigzag`].
pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// The little-endian u32 at the start of `bytes`; bytes that are missing count as 0.
pub(super) fn word(bytes: &[u8]) -> u32 {
    let mut word = [0; WORD];
    let have = bytes.len().min(WORD);
    word[..have].copy_from_slice(&bytes[..have]);
    u32::from_le_bytes(word)
}
