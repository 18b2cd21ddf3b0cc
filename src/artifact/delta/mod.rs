//! A large changed file as its difference to content that both ends hold.
//!
//! A relink moves everything: the code is the same, at other places, and every few bytes an address
//! differs. Exact matching finds little in that. So a copy here goes on over small differences
//! ("fix-ups"), each a 32-bit word added to the old one, and as most addresses of a region move by
//! the same distance, the word is nearly always one that both ends can foretell (`predict.rs`).
//!
//! No crate does this as well. Measured with a static executable of 4.8 MB (all of libcrypto) that was
//! linked again with one function more, by the bytes that a deploy sends: this codec 41 kB in 0.13 s;
//! zstd with the old file as its prefix 448 kB in 0.05 s (level 3) to 140 kB in 4.3 s (level 19);
//! bsdiff 50 kB in 1.6 s and 95 MB of memory.
//!
//! # Format
//! A delta is blocks, one after the other, without a mark at the end: both ends know the length of
//! the result. Numbers are little-endian. A block is a header of five pairs of u32, for each section
//! its length and its compressed length (bytes, at most [`format::MAX_SECTION`] and
//! [`format::MAX_PACKED`]; both are 0 for an empty section), and then the five sections:
//!
//! | section | contents |
//! |---|---|
//! | operations | per operation three varints: `literal` (bytes), `copy` (bytes), and the change of `shift` (zigzag) |
//! | gaps | per fix-up a varint: copied bytes between the end of the previous fix-up of the block, or the start of the block, and this one |
//! | codes | per fix-up a byte: how its word is known |
//! | words | the words, u32, of the fix-ups with code 0 |
//! | literals | the literal bytes |
//!
//! An operation appends `literal` bytes of literals and then `copy` bytes of the old file from
//! offset `position - shift`, where `position` is where the copy lands in the new file. `shift` and
//! what `predict.rs` remembers, the shift of every operation among it, outlive the block. A fix-up covers four bytes inside one copy; its
//! word is added (mod 2^32) to the little-endian u32 of the old file there. A varint is LEB128, at
//! most ten bytes.
//!
//! Each section is one zstd stream (RFC 8878) over all blocks, flushed at the end of each, with a
//! window of 2^20 bytes: a block can be applied as soon as it arrived, and yet profits from those
//! before it.
//!
//! There is no checksum inside: who applies a delta verifies the digest of the result.
//!
//! # Memory
//! Neither file is ever in memory as a whole, nor mapped. [`encode`] takes at most 75 MB (16 MiB of
//! index, 32 MiB of pages of the old file, the rest for compression) and [`Decoder`] at most 16 MB,
//! whatever the files.

mod comparer;
mod encode;
mod fixes;
mod format;
mod index;
mod matcher;
mod pages;
mod predict;
mod reader;
mod writer;

#[cfg(test)]
mod tests;

pub use encode::{Encoded, Mode, Options, Reason, encode};
pub use reader::Decoder;
