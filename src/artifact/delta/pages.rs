//! The old file, a page at a time.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Any read at the start of [`Pages::from`] sees so many bytes at once, where the file has them.
pub(super) const OVERLAP: usize = 64;

/// Pages of a file that were needed last. They are read, not mapped: a file that shrinks is an error
/// then and not a signal, and the memory taken is known.
#[derive(Debug)]
pub(super) struct Pages<'a> {
    file: &'a File,
    len: u64,
    page: usize,
    slots: Vec<Slot>,
}

#[derive(Debug, Clone)]
struct Slot {
    number: u64,
    bytes: Vec<u8>,
}

impl<'a> Pages<'a> {
    /// At most `slots` pages, a power of two, of `page` bytes of the first `len` bytes of `file`.
    pub(super) fn new(file: &'a File, len: u64, page: usize, slots: usize) -> Self {
        let empty = Slot {
            number: u64::MAX,
            bytes: Vec::new(),
        };
        Self {
            file,
            len,
            page,
            slots: vec![empty; slots],
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// The bytes from `offset` on, to the end of its page and [`OVERLAP`] more, or of the file.
    pub(super) fn from(&mut self, offset: u64) -> io::Result<&[u8]> {
        if offset >= self.len {
            return Ok(&[]);
        }
        let inside = (offset % self.page as u64) as usize;
        Ok(&self.page(offset / self.page as u64)?[inside..])
    }

    /// The bytes before `offset`, which is above 0, from the start of the page of the last one.
    pub(super) fn until(&mut self, offset: u64) -> io::Result<&[u8]> {
        let last = offset - 1;
        let inside = (last % self.page as u64) as usize;
        Ok(&self.page(last / self.page as u64)?[..=inside])
    }

    /// Whether the byte at `offset` is in memory.
    pub(super) fn has(&self, offset: u64) -> bool {
        let number = offset / self.page as u64;
        self.slots[self.place(number)].number == number
    }

    /// Spread, so that two places at a round distance can be in memory, page after page.
    fn place(&self, number: u64) -> usize {
        let hash = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        (hash as usize) & (self.slots.len() - 1)
    }

    fn page(&mut self, number: u64) -> io::Result<&[u8]> {
        let place = self.place(number);
        let slot = &mut self.slots[place];
        if slot.number != number {
            let start = number * self.page as u64;
            let length = (self.len - start).min((self.page + OVERLAP) as u64) as usize;
            // A failed read must not leave bytes that look like this page's, or the last one's.
            slot.number = u64::MAX;
            slot.bytes.resize(length, 0);
            self.file.read_exact_at(&mut slot.bytes, start)?;
            slot.number = number;
        }
        Ok(&slot.bytes)
    }
}
