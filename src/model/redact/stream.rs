//! Text that arrives in pieces, masked across them.

use std::collections::VecDeque;

use super::Redactor;
use super::scan::Scanner;

/// No more than this is held back, bytes.
const MOST: u64 = 1 << 20;

/// A line of so many bytes may have been cut by a log (journald.conf(5) `LineMax=`): it goes on in
/// the next one.
const MAYBE_CUT: usize = 8 << 10;

/// Masks a stream of bytes, such as the output of a command. What [`push`](Self::push) holds back
/// comes with the next piece, or by [`flush`](Self::flush): at the end, and when nothing has come
/// for a moment while somebody looks on.
pub struct Bytes(Option<Scanner>);

impl Bytes {
    /// A stream that is masked by `redactor`.
    #[must_use]
    pub fn new(redactor: &Redactor) -> Self {
        Self(Scanner::new(redactor))
    }

    /// Takes the next piece; what can be shown by now.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        let Some(scanner) = &mut self.0 else {
            return bytes.to_vec();
        };
        scanner.feed(bytes);
        let to = scanner.settled_whole();
        if scanner.position() - to > MOST {
            return self.flush();
        }
        taken(scanner, to)
    }

    /// Whether something is held back.
    #[must_use]
    pub fn holds(&self) -> bool {
        let holds = |scanner: &Scanner| scanner.position() > scanner.base();
        self.0.as_ref().is_some_and(holds)
    }

    /// Whether the end of a line is held back.
    #[must_use]
    pub fn holds_line(&self) -> bool {
        self.0.as_ref().is_some_and(Scanner::holds_line)
    }

    /// What was held back.
    pub fn flush(&mut self) -> Vec<u8> {
        let Some(scanner) = &mut self.0 else {
            return Vec::new();
        };
        scanner.end();
        taken(scanner, scanner.position())
    }
}

fn taken(scanner: &mut Scanner, to: u64) -> Vec<u8> {
    let masked = scanner.masked(scanner.base(), to);
    scanner.forget(to);
    masked
}

/// Masks lines that follow one another, each with something that belongs to it (`T`): a secret of
/// several lines is found too, and its mask stands in each of them.
pub struct Lines<T> {
    scanner: Option<Scanner>,
    /// Lines that were not given back yet, and where they begin and end in the text.
    waiting: VecDeque<(T, u64, u64)>,
}

impl<T> Lines<T> {
    /// Lines that are masked by `redactor`.
    #[must_use]
    pub fn new(redactor: &Redactor) -> Self {
        Self {
            scanner: Scanner::new(redactor),
            waiting: VecDeque::new(),
        }
    }

    /// Takes the next line, without its end; the lines that can be shown by now.
    pub fn push(&mut self, of: T, line: &str) -> Vec<(T, String)> {
        let Some(scanner) = &mut self.scanner else {
            return vec![(of, line.to_owned())];
        };
        let start = scanner.position();
        scanner.feed(line.as_bytes());
        self.waiting.push_back((of, start, scanner.position()));
        if line.len() < MAYBE_CUT {
            scanner.feed(b"\n");
        }
        let settled = scanner.settled();
        if scanner.position() - settled > MOST {
            return self.flush();
        }
        self.release(settled)
    }

    /// Goes on with `redactor`, when that knows something else than the one of now; the lines that
    /// were held back.
    pub fn know(&mut self, redactor: &Redactor) -> Vec<(T, String)> {
        let is_known = |scanner: &Scanner| scanner.is_of(redactor);
        if self.scanner.as_ref().map_or(redactor.is_empty(), is_known) {
            return Vec::new();
        }
        let held = self.flush();
        self.scanner = Scanner::new(redactor);
        held
    }

    /// Whether a line is held back.
    #[must_use]
    pub fn holds(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The lines that were held back.
    pub fn flush(&mut self) -> Vec<(T, String)> {
        let Some(scanner) = &mut self.scanner else {
            return Vec::new();
        };
        scanner.end();
        let end = scanner.position();
        self.release(end)
    }

    fn release(&mut self, settled: u64) -> Vec<(T, String)> {
        let mut released = Vec::new();
        let Some(scanner) = &mut self.scanner else {
            return released;
        };
        while let Some((of, start, end)) = self.waiting.pop_front() {
            if end > settled {
                self.waiting.push_front((of, start, end));
                break;
            }
            let masked = scanner.masked(start, end);
            released.push((of, String::from_utf8_lossy(&masked).into_owned()));
            scanner.forget(end);
        }
        released
    }
}
