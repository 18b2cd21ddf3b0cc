//! The output of a program, made safe to print line by line as it comes.

use super::mode::Mode;
use super::untrusted::{self, Colours};

/// The longest piece of a line that is made safe at once, bytes.
const PIECE: usize = 4096;

/// A line is kept until its end comes, up to so many bytes.
const LONGEST: usize = 1 << 20;

/// One stream of a program's output on its way to a terminal, a pipe or a CI's log.
#[derive(Debug)]
pub struct Written {
    mode: Mode,
    colours: Colours,
    line: Vec<u8>,
    /// Whether something came that is not text, so that it was changed.
    pub is_binary: bool,
}

impl Written {
    /// A stream that is shown in `mode`; with its colours where `colour` says so.
    #[must_use]
    pub fn new(mode: Mode, colour: bool) -> Self {
        Self {
            mode,
            colours: match colour {
                true => Colours::Keep,
                false => Colours::Strip,
            },
            line: Vec::new(),
            is_binary: false,
        }
    }

    /// Takes what came; calls `show` with each line that is whole now, safe to print, without its
    /// end. A line of more than 1 MiB is shown in several.
    pub fn take(&mut self, mut bytes: &[u8], show: &mut dyn FnMut(String)) {
        while let Some(at) = bytes.iter().position(|byte| *byte == b'\n') {
            self.line.extend_from_slice(&bytes[..at]);
            bytes = &bytes[at + 1..];
            show(self.safe());
        }
        self.line.extend_from_slice(bytes);
        if self.line.len() > LONGEST {
            show(self.safe());
        }
    }

    /// The last line, which has no end; `None` where there is none.
    pub fn finish(&mut self) -> Option<String> {
        (!self.line.is_empty()).then(|| self.safe())
    }

    /// The line that is kept, safe to print; from then on another one is.
    fn safe(&mut self) -> String {
        let bytes = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&bytes);
        self.is_binary |= bytes.contains(&0) || matches!(text, std::borrow::Cow::Owned(_));
        let mut safe = String::with_capacity(text.len());
        let mut rest = &*text;
        while !rest.is_empty() {
            let mut at = rest.len().min(PIECE);
            while !rest.is_char_boundary(at) {
                at -= 1;
            }
            let (piece, more) = rest.split_at(at);
            safe.push_str(&untrusted::line(piece, self.colours));
            rest = more;
        }
        match self.mode {
            Mode::GitHub => untrusted::not_a_github_command(&safe),
            Mode::GitLab => untrusted::not_a_gitlab_section(&safe),
            Mode::Live | Mode::Plain | Mode::Json => safe,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown of pieces that came one after the other.
    fn shown(mode: Mode, pieces: &[&[u8]]) -> (Vec<String>, bool) {
        let mut written = Written::new(mode, false);
        let mut lines = Vec::new();
        for piece in pieces {
            written.take(piece, &mut |line| lines.push(line));
        }
        lines.extend(written.finish());
        (lines, written.is_binary)
    }

    #[test]
    fn lines_are_whole_however_they_come() {
        let (lines, is_binary) = shown(Mode::Plain, &[b"on", b"e\ntwo\n\nfo", "ü".as_bytes()]);
        assert_eq!(lines, ["one", "two", "", "foü"]);
        assert!(!is_binary);
        let half = "ü".as_bytes();
        assert_eq!(shown(Mode::Plain, &[&half[..1], &half[1..]]).0, ["ü"]);
    }

    #[test]
    fn a_long_line_is_not_cut() {
        let long = "x".repeat(100_000);
        assert_eq!(shown(Mode::Plain, &[long.as_bytes(), b"\n"]).0, [long]);
        let huge = vec![b'y'; LONGEST + 10];
        let (lines, _) = shown(Mode::Plain, &[&huge, b"z\n"]);
        assert_eq!(lines.iter().map(String::len).sum::<usize>(), LONGEST + 11);
    }

    #[test]
    fn nothing_commands_a_terminal_or_a_ci_wherever_it_is_cut() {
        let (lines, _) = shown(Mode::Plain, &[b"a\x1b]0;ti", b"tle\x07b\x1b[2", b"Jc\n"]);
        assert_eq!(lines, ["abc"]);
        for at in 0..10 {
            let forged = format!("{}##[error]x", "x".repeat(PIECE - at));
            let (lines, _) = shown(Mode::GitHub, &[forged.as_bytes()]);
            assert!(!lines[0].contains("##["), "{at}");
        }
        let (lines, _) = shown(Mode::GitHub, &[b" :", b":error::x\n", b"::1\n"]);
        assert!(lines.iter().all(|line| !line.trim().starts_with("::")));
        assert_eq!(shown(Mode::Plain, &[b"::1\n"]).0, ["::1"]);
    }

    #[test]
    fn what_is_not_text_is_noticed() {
        assert!(shown(Mode::Plain, &[b"\x80\x81"]).1);
        assert!(shown(Mode::Plain, &[b"a\0b"]).1);
    }
}
