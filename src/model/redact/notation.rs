//! Notations that hide a value, undone byte by byte.

/// A byte of a view, and the piece of the text that it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) byte: u8,
    /// Where that piece begins in the text.
    pub(super) start: u64,
    /// Where it ends.
    pub(super) end: u64,
}

/// What undoing a notation yields.
pub(super) enum Out {
    Byte(Seen),
    /// What was before does not belong to what follows.
    Break,
}

/// A notation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notation {
    /// A backslash and what follows: JSON (RFC 8259), C, Python, `"…"`, `$'…'` and `%q` of shells.
    Escapes,
    /// A quote inside `'…'` of a shell: `'\''` and `'"'"'`.
    Quotes,
    /// `%2F` (RFC 3986), with `+` for itself or for a space (HTML forms).
    Percent { plus: bool },
    /// `&amp;` and `&#39;`.
    Entities,
    /// Standard or URL-safe base64 (RFC 4648), of which the first `skip` characters of a run are left out.
    Base64 { skip: u8 },
    /// Hexadecimal digits, of which the first `skip` of a run are left out.
    Hex { skip: u8 },
}

/// Undoes one notation.
#[derive(Debug, Clone)]
pub(super) struct Decoder {
    notation: Notation,
    /// An escape that has not come to its end.
    pending: Vec<Seen>,
    /// How many characters of a run of base64 or hexadecimal digits there were.
    run: u64,
    /// The bits of the last one that are not part of a byte yet, and where it began.
    bits: u8,
    began: u64,
    /// The last byte was a line end, or white space after one.
    at_line_start: bool,
}

/// What the beginning of an escape is.
enum Escape {
    /// More is needed to tell.
    More,
    /// The first so many bytes stand for `bytes`.
    Is(usize, Vec<u8>),
    /// The first byte stands for itself.
    Itself,
}

impl Decoder {
    pub(super) fn new(notation: Notation) -> Self {
        Self {
            notation,
            pending: Vec::new(),
            run: 0,
            bits: 0,
            began: 0,
            at_line_start: false,
        }
    }

    /// Whether `byte` can begin something that stands for something else.
    pub(super) fn is_lead(&self, byte: u8) -> bool {
        match self.notation {
            Notation::Escapes => byte == b'\\',
            Notation::Quotes => byte == b'\'',
            Notation::Percent { plus } => byte == b'%' || (plus && byte == b'+'),
            Notation::Entities => byte == b'&',
            Notation::Base64 { .. } | Notation::Hex { .. } => true,
        }
    }

    /// Where an escape began that has not come to its end.
    pub(super) fn pending(&self) -> Option<u64> {
        self.pending.first().map(|seen| seen.start)
    }

    /// Whether the view leaves line ends out.
    pub(super) fn passes_line_ends(&self) -> bool {
        matches!(
            self.notation,
            Notation::Base64 { .. } | Notation::Hex { .. }
        )
    }

    /// Takes the next byte.
    pub(super) fn push(&mut self, seen: Seen, out: &mut dyn FnMut(Out)) {
        match self.notation {
            Notation::Base64 { skip } => self.base64(seen, skip, out),
            Notation::Hex { skip } => self.hex(seen, skip, out),
            _ if self.pending.is_empty() && !self.is_lead(seen.byte) => out(Out::Byte(seen)),
            _ => {
                self.pending.push(seen);
                self.settle(false, out);
            }
        }
    }

    /// The text has ended: what was not an escape yet is none.
    pub(super) fn end(&mut self, out: &mut dyn FnMut(Out)) {
        self.settle(true, out);
    }

    fn settle(&mut self, ended: bool, out: &mut dyn FnMut(Out)) {
        while let Some(&first) = self.pending.first() {
            if !self.is_lead(first.byte) {
                out(Out::Byte(first));
                self.pending.remove(0);
                continue;
            }
            let text: Vec<u8> = self.pending.iter().map(|seen| seen.byte).collect();
            match escape(self.notation, &text, ended) {
                Escape::More => return,
                Escape::Itself => {
                    out(Out::Byte(first));
                    self.pending.remove(0);
                }
                Escape::Is(length, bytes) => {
                    let end = self.pending[length - 1].end;
                    for byte in bytes {
                        let start = first.start;
                        out(Out::Byte(Seen { byte, start, end }));
                    }
                    self.pending.drain(..length);
                }
            }
        }
    }

    /// Line ends, and the white space that a line begins with, are passed over: long texts are wrapped.
    fn is_wrap(&mut self, byte: u8) -> bool {
        let is_wrap = match byte {
            b'\r' | b'\n' => true,
            b' ' | b'\t' => self.at_line_start,
            _ => false,
        };
        self.at_line_start = is_wrap;
        is_wrap
    }

    fn base64(&mut self, seen: Seen, skip: u8, out: &mut dyn FnMut(Out)) {
        let bits = match seen.byte {
            b @ b'A'..=b'Z' => b - b'A',
            b @ b'a'..=b'z' => b - b'a' + 26,
            b @ b'0'..=b'9' => b - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            byte => {
                if !self.is_wrap(byte) {
                    self.stop(out);
                }
                return;
            }
        };
        self.at_line_start = false;
        let at = self.run;
        self.run += 1;
        let Some(place) = at.checked_sub(skip.into()) else {
            return;
        };
        let byte = match place % 4 {
            1 => Some((self.bits << 2) | (bits >> 4)),
            2 => Some((self.bits << 4) | (bits >> 2)),
            3 => Some((self.bits << 6) | bits),
            _ => None,
        };
        if let Some(byte) = byte {
            let (start, end) = (self.began, seen.end);
            out(Out::Byte(Seen { byte, start, end }));
        }
        self.bits = bits;
        self.began = seen.start;
    }

    fn hex(&mut self, seen: Seen, skip: u8, out: &mut dyn FnMut(Out)) {
        let bits = match seen.byte {
            b @ b'0'..=b'9' => b - b'0',
            b @ b'a'..=b'f' => b - b'a' + 10,
            b @ b'A'..=b'F' => b - b'A' + 10,
            // Dumps put these between bytes.
            b' ' | b':' | b'-' => return,
            byte => {
                if !self.is_wrap(byte) {
                    self.stop(out);
                }
                return;
            }
        };
        let at = self.run;
        self.run += 1;
        let Some(place) = at.checked_sub(skip.into()) else {
            return;
        };
        if place % 2 == 1 {
            let byte = (self.bits << 4) | bits;
            let (start, end) = (self.began, seen.end);
            out(Out::Byte(Seen { byte, start, end }));
        }
        self.bits = bits;
        self.began = seen.start;
    }

    fn stop(&mut self, out: &mut dyn FnMut(Out)) {
        if self.run > 0 {
            self.run = 0;
            out(Out::Break);
        }
    }
}

/// What `text`, which starts with the lead of the notation, begins with.
fn escape(notation: Notation, text: &[u8], ended: bool) -> Escape {
    let found = match notation {
        Notation::Escapes => backslash(text, ended),
        Notation::Quotes => one_of(text, &[(br"'\''", b"'"), (br#"'"'"'"#, b"'")]),
        Notation::Percent { .. } if text[0] == b'+' => Escape::Is(1, vec![b' ']),
        Notation::Percent { .. } => match digits(&text[1..], 2, 16) {
            (2, code) => Escape::Is(3, vec![code as u8]),
            (found, _) if found + 1 == text.len() => Escape::More,
            _ => Escape::Itself,
        },
        Notation::Entities => entity(text),
        Notation::Base64 { .. } | Notation::Hex { .. } => Escape::Itself,
    };
    match found {
        Escape::More if ended => Escape::Itself,
        found => found,
    }
}

/// The number that at most `most` digits of `text` are, and how many there are.
fn digits(text: &[u8], most: usize, radix: u32) -> (usize, u32) {
    let digit = |byte: &u8| char::from(*byte).to_digit(radix);
    let found: Vec<u32> = text.iter().take(most).map_while(digit).collect();
    let number = found.iter().fold(0, |number, digit| number * radix + digit);
    (found.len(), number)
}

fn one_of(text: &[u8], known: &[(&[u8], &[u8])]) -> Escape {
    for (escape, bytes) in known {
        if text.starts_with(escape) {
            return Escape::Is(escape.len(), bytes.to_vec());
        }
    }
    match known.iter().any(|(escape, _)| escape.starts_with(text)) {
        true => Escape::More,
        false => Escape::Itself,
    }
}

fn entity(text: &[u8]) -> Escape {
    let (hex, decimal) = (text.starts_with(b"&#x"), text.starts_with(b"&#"));
    if decimal || hex {
        let (from, radix) = if hex { (3, 16) } else { (2, 10) };
        let (found, code) = digits(&text[from..], 6, radix);
        return match text.get(from + found) {
            Some(b';') if found > 0 => Escape::Is(from + found + 1, utf8(code)),
            Some(b'x') if found == 0 && from == 2 => Escape::More,
            None => Escape::More,
            Some(_) => Escape::Itself,
        };
    }
    one_of(
        text,
        &[
            (b"&amp;", b"&"),
            (b"&lt;", b"<"),
            (b"&gt;", b">"),
            (b"&quot;", b"\""),
            (b"&apos;", b"'"),
        ],
    )
}

fn utf8(code: u32) -> Vec<u8> {
    let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    c.to_string().into_bytes()
}

fn backslash(text: &[u8], ended: bool) -> Escape {
    let Some(&kind) = text.get(1) else {
        return Escape::More;
    };
    let rest = &text[2..];
    let one = |byte| Escape::Is(2, vec![byte]);
    match kind {
        b'n' => one(b'\n'),
        b't' => one(b'\t'),
        b'r' => one(b'\r'),
        b'b' => one(8),
        b'f' => one(12),
        b'v' => one(11),
        b'a' => one(7),
        b'e' | b'E' => one(27),
        b'x' => match digits(rest, 2, 16) {
            (2, code) => Escape::Is(4, vec![code as u8]),
            (found, _) if found == rest.len() && !ended => Escape::More,
            (1, code) => Escape::Is(3, vec![code as u8]),
            _ => one(b'x'),
        },
        b'0'..=b'7' => match digits(&text[1..], 3, 8) {
            (found, _) if found < 3 && found + 1 == text.len() && !ended => Escape::More,
            (found, code) => Escape::Is(1 + found, vec![code as u8]),
        },
        b'u' if rest.first() == Some(&b'{') => {
            let (found, code) = digits(&rest[1..], 6, 16);
            match rest.get(1 + found) {
                Some(b'}') => Escape::Is(4 + found, utf8(code)),
                None => Escape::More,
                Some(_) => one(b'u'),
            }
        }
        b'u' => unicode(rest, ended),
        b'U' => match digits(rest, 8, 16) {
            (8, code) => Escape::Is(10, utf8(code)),
            (found, _) if found == rest.len() => Escape::More,
            _ => one(b'U'),
        },
        other => one(other),
    }
}

/// `\u` with four digits, and a second one where the first is half of a pair (RFC 8259 section 7).
fn unicode(rest: &[u8], ended: bool) -> Escape {
    let (found, code) = digits(rest, 4, 16);
    if found < 4 {
        return match found == rest.len() {
            true => Escape::More,
            false => Escape::Is(2, vec![b'u']),
        };
    }
    if !(0xd800..0xdc00).contains(&code) {
        return Escape::Is(6, utf8(code));
    }
    let second = &rest[4..];
    if second.starts_with(b"\\u") {
        let (found, low) = digits(&second[2..], 4, 16);
        if found == 4 && (0xdc00..0xe000).contains(&low) {
            return Escape::Is(12, utf8(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)));
        }
        if found + 2 == second.len() && !ended {
            return Escape::More;
        }
    } else if b"\\u".starts_with(second) && !ended {
        return Escape::More;
    }
    Escape::Is(6, utf8(code))
}
