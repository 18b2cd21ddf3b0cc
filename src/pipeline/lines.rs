//! Bytes of output as lines.

/// The longest line, bytes; a longer one is cut into several, so that a program that writes a
/// gigabyte without a line's end does not fill the memory.
pub(super) const MAX_LINE: usize = 64 * 1024;

/// Collects bytes into lines. What is not UTF-8 is replaced.
#[derive(Debug, Default)]
pub(super) struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// Takes the next bytes and hands each complete line, without its end, to `emit`.
    pub(super) fn push(&mut self, bytes: &[u8], emit: &mut dyn FnMut(String)) {
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
    pub(super) fn finish(&mut self, emit: &mut dyn FnMut(String)) {
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
