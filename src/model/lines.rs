//! Bytes of output as lines.

use super::redact::{Bytes, Redactor};

/// The longest line, bytes; a longer one is cut into several, so that a program that writes a
/// gigabyte without a line's end does not fill the memory.
pub const MAX_LINE: usize = 64 * 1024;

/// Collects bytes into lines. What is not UTF-8 is replaced.
#[derive(Debug, Default)]
pub struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// Takes the next bytes and hands each complete line, without its end, to `emit`.
    pub fn push(&mut self, bytes: &[u8], emit: &mut dyn FnMut(String)) {
        for piece in bytes.split_inclusive(|&b| b == b'\n') {
            self.rest.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                self.rest.pop();
                if self.rest.ends_with(b"\r") {
                    self.rest.pop();
                }
                self.cut(emit);
                emit(String::from_utf8_lossy(&std::mem::take(&mut self.rest)).into_owned());
            } else {
                self.cut(emit);
            }
        }
    }

    /// Emits what is left of a last line without an end.
    pub fn finish(&mut self, emit: &mut dyn FnMut(String)) {
        if !self.rest.is_empty() {
            emit(String::from_utf8_lossy(&std::mem::take(&mut self.rest)).into_owned());
        }
    }

    /// Emits pieces of the longest length until less than that is left, without cutting a
    /// character in two.
    fn cut(&mut self, emit: &mut dyn FnMut(String)) {
        while self.rest.len() > MAX_LINE {
            let length = match std::str::from_utf8(&self.rest[..MAX_LINE]) {
                Err(error) if error.error_len().is_none() => error.valid_up_to(),
                _ => MAX_LINE,
            };
            let piece: Vec<u8> = self.rest.drain(..length).collect();
            emit(String::from_utf8_lossy(&piece).into_owned());
        }
    }
}

/// The output of a command as lines, its secrets masked before it is cut into lines: a secret may
/// be longer than a line.
pub struct MaskedLines {
    masked: Bytes,
    lines: Lines,
}

impl MaskedLines {
    /// Lines that are masked by `redactor`.
    #[must_use]
    pub fn new(redactor: &Redactor) -> Self {
        Self {
            masked: Bytes::new(redactor),
            lines: Lines::default(),
        }
    }

    /// As [`Lines::push`]. Gives back the bytes themselves, masked.
    pub fn push(&mut self, bytes: &[u8], emit: &mut dyn FnMut(String)) -> Vec<u8> {
        let shown = self.masked.push(bytes);
        self.lines.push(&shown, emit);
        shown
    }

    /// Whether a line is held back because it may be the beginning of a secret: then
    /// [`pause`](Self::pause) is due soon.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.masked.holds_line()
    }

    /// Nothing has come for a moment: shows the lines that were held back. Gives back the bytes
    /// themselves.
    pub fn pause(&mut self, emit: &mut dyn FnMut(String)) -> Vec<u8> {
        if !self.waits() {
            return Vec::new();
        }
        let shown = self.masked.flush();
        self.lines.push(&shown, emit);
        shown
    }

    /// As [`Lines::finish`]. Gives back the last bytes.
    pub fn finish(&mut self, emit: &mut dyn FnMut(String)) -> Vec<u8> {
        let shown = self.masked.flush();
        self.lines.push(&shown, emit);
        self.lines.finish(emit);
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of `bytes` in pieces of each of some sizes, which must not matter.
    fn lines(bytes: &[u8]) -> Vec<String> {
        let cut = |size| {
            let (mut splitter, mut lines) = (Lines::default(), Vec::new());
            for piece in bytes.chunks(size) {
                splitter.push(piece, &mut |line| lines.push(line));
            }
            splitter.finish(&mut |line| lines.push(line));
            lines
        };
        let whole = cut(bytes.len().max(1));
        for size in [1, 7, 8192] {
            assert_eq!(cut(size), whole);
        }
        whole
    }

    #[test]
    fn lines_end_at_newlines() {
        assert_eq!(lines(b""), [""; 0]);
        assert_eq!(lines(b"a\n\nb\r\nc"), ["a", "", "b", "c"]);
        assert_eq!(lines(b"10%\r20%\r\n\xff\n"), ["10%\r20%", "\u{fffd}"]);
    }

    #[test]
    fn a_line_without_end_is_cut_between_characters() {
        let long = "\u{e9}".repeat(MAX_LINE);
        let text = format!("x{long}");
        let cut = lines(text.as_bytes());
        assert_eq!(cut.concat(), text);
        assert!(cut.iter().all(|line| line.len() <= MAX_LINE));
        assert_eq!(cut.len(), 3);
    }
}
