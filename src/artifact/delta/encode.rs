//! From two files to a delta.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use super::matcher::{Matcher, PATIENCE};
use super::writer::Writer;

/// How thoroughly the old file is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Wherever something moved to. An index is built only when something moved further than the
    /// insertions and deletions around it explain.
    Full,
    /// Only in place, and as far from the end as before: as fast as comparing the files. Gives up when
    /// more than a tenth of the new file is found in neither.
    Quick,
}

/// What a delta may cost.
pub struct Options<'a> {
    /// How thoroughly to search.
    pub mode: Mode,
    /// Longest delta that is of use, bytes.
    pub max_bytes: u64,
    /// Asked every 256 KiB; true stops.
    pub stop: &'a dyn Fn() -> bool,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoded {
    /// All of the delta was written.
    Whole {
        /// Its length, bytes.
        bytes: u64,
        /// Bytes of the new file that it holds as they are, before compression.
        literals: u64,
    },
    /// What was written is no delta.
    GaveUp(Reason),
}

/// Why there is no delta.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It would be longer than `max_bytes`, or four times as long if it went on as it began.
    TooLong,
    /// The quick mode found too little.
    TooDifferent,
    /// It was told to stop.
    Stopped,
}

/// How much is in memory at once; tests make it tiny.
#[derive(Debug, Clone)]
pub(super) struct Sizes {
    /// Bytes of the new file.
    pub chunk: usize,
    /// Bytes of a page of the old file.
    pub page: usize,
    /// Pages of the old file.
    pub pages: usize,
    /// Logarithm of the entries of the index.
    pub index_bits: u32,
    /// Bytes of trouble before there is an index.
    pub patience: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            chunk: 256 << 10,
            page: 16 << 10,
            pages: 2 << 10,
            index_bits: 22,
            patience: PATIENCE,
        }
    }
}

/// Writes to `out` what turns `old` into `new`. Takes at most 75 MB of memory, and about a second of
/// one core for files of 100 MB that differ everywhere.
///
/// # Errors
/// When a file cannot be read or shrinks meanwhile, or `out` refuses. What was written is useless
/// then. When a file is written to meanwhile, the delta may lead to neither content.
pub fn encode(
    old: &File,
    new: &File,
    out: &mut dyn Write,
    options: &Options<'_>,
) -> io::Result<Encoded> {
    encode_with(old, new, out, options, &Sizes::default())
}

/// [`encode`], in as little memory as `sizes` say.
pub(super) fn encode_with(
    old: &File,
    new: &File,
    out: &mut dyn Write,
    options: &Options<'_>,
    sizes: &Sizes,
) -> io::Result<Encoded> {
    let new_len = new.metadata()?.len();
    let quick = options.mode == Mode::Quick;
    let mut matcher = Matcher::new(old, new_len, !quick, sizes, options.stop)?;
    let mut writer = Writer::new()?;
    let mut buffer = vec![0; (sizes.chunk as u64).min(new_len) as usize];
    let (mut done, mut bytes) = (0, 0);
    while done < new_len {
        if (options.stop)() {
            return Ok(Encoded::GaveUp(Reason::Stopped));
        }
        let have = (new_len - done).min(buffer.len() as u64) as usize;
        new.read_exact_at(&mut buffer[..have], done)?;
        matcher.chunk(&buffer[..have], done, &mut writer)?;
        done += have as u64;
        if quick && writer.literals() > new_len / 10 {
            return Ok(Encoded::GaveUp(Reason::TooDifferent));
        }
        if writer.full() || done == new_len {
            bytes += writer.flush(out, options.max_bytes - bytes)?;
            if bytes > options.max_bytes || hopeless(bytes, done, new_len, options.max_bytes) {
                return Ok(Encoded::GaveUp(Reason::TooLong));
            }
        }
    }
    let literals = writer.literals();
    Ok(Encoded::Whole { bytes, literals })
}

/// Whether the first `done` of `len` bytes took so much that the rest would have to be very different
/// for `most` to be enough.
fn hopeless(bytes: u64, done: u64, len: u64, most: u64) -> bool {
    const ENOUGH_SEEN: u64 = 16 << 20;
    let expected = u128::from(bytes) * u128::from(len) / u128::from(done);
    done >= ENOUGH_SEEN && expected > 4 * u128::from(most)
}
