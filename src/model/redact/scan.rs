//! Finds secrets in a text that arrives in pieces.

use std::sync::Arc;

use aho_corasick::Anchored;
use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::nfa::noncontiguous::NFA;

use super::atoms::LONGEST;
use super::notation::{Decoder, Notation, Out, Seen};
use super::{Known, Redactor};

/// The notations that are undone, one after the other where there are several.
const VIEWS: [&[Notation]; 13] = [
    &[Notation::Escapes],
    // JSON inside JSON.
    &[Notation::Escapes, Notation::Escapes],
    &[Notation::Quotes],
    &[Notation::Percent { plus: false }],
    &[Notation::Percent { plus: true }],
    &[Notation::Entities],
    &[Notation::Base64 { skip: 0 }],
    &[Notation::Base64 { skip: 1 }],
    &[Notation::Base64 { skip: 2 }],
    &[Notation::Base64 { skip: 3 }],
    &[Notation::Hex { skip: 0 }],
    &[Notation::Hex { skip: 1 }],
    // A value in base64 that was encoded for a URL.
    &[
        Notation::Percent { plus: false },
        Notation::Base64 { skip: 0 },
    ],
];

/// At the end of a line, fewer bytes of a secret than this are not waited for where line ends do
/// not count: nearly each line would wait for the next one.
const WAITED_FOR: u8 = 8;

/// A text that ends in so many bytes of a secret, or more, was cut there: they are masked too.
const CUT: u8 = 16;

/// A piece of the text that must not be seen.
#[derive(Debug, Clone, Copy)]
struct Found {
    start: u64,
    end: u64,
    /// The atom whose mask is shown, and how many bytes of it were found.
    atom: usize,
    length: u64,
}

/// How far one view of the text has been read.
#[derive(Clone)]
struct Cursor {
    state: StateID,
    /// Where the last bytes of the view begin in the text, in turn.
    starts: [u64; LONGEST],
    count: usize,
}

impl Cursor {
    fn new(state: StateID) -> Self {
        Self {
            state,
            starts: [0; LONGEST],
            count: 0,
        }
    }

    /// Where the last `length` bytes of the view begin in the text.
    fn start(&self, length: usize) -> u64 {
        self.starts[(self.count + LONGEST - length) % LONGEST]
    }

    fn step(&mut self, known: &Known, nfa: &NFA, seen: Seen, found: &mut Vec<Found>) {
        // Line ends may be CRLF or LF; the atoms have none of the former.
        if seen.byte == b'\r' {
            return;
        }
        self.state = nfa.next_state(Anchored::No, self.state, seen.byte);
        self.starts[self.count % LONGEST] = seen.start;
        self.count = (self.count + 1) % (LONGEST << 20);
        if !nfa.is_match(self.state) {
            return;
        }
        let atoms = (0..nfa.match_len(self.state)).map(|at| nfa.match_pattern(self.state, at));
        if let Some(atom) = atoms.max_by_key(|atom| nfa.pattern_len(*atom)) {
            let length = nfa.pattern_len(atom);
            add(
                found,
                Found {
                    start: self.start(length),
                    end: seen.end,
                    atom: atom.as_usize(),
                    length: length as u64,
                },
            );
        }
        debug_assert!(known.depth(self.state) as usize <= LONGEST);
    }

    /// Where the beginning of a secret may be, which the view ends in.
    fn held(&self, known: &Known) -> Option<u64> {
        let depth = known.depth(self.state);
        (depth > 0).then(|| self.start(depth.into()))
    }
}

/// Adds a piece; one that overlaps the last one makes it longer.
fn add(found: &mut Vec<Found>, new: Found) {
    match found.last_mut() {
        Some(last) if last.start < new.end && new.start < last.end => *last = joined(*last, new),
        _ => found.push(new),
    }
}

fn joined(one: Found, other: Found) -> Found {
    let longer = if other.length > one.length {
        other
    } else {
        one
    };
    Found {
        start: one.start.min(other.start),
        end: one.end.max(other.end),
        ..longer
    }
}

struct View {
    decoders: Vec<Decoder>,
    cursor: Cursor,
    /// It reads as the text itself does: its cursor is that one's.
    is_plain: bool,
}

impl View {
    fn new(notations: &[Notation], start: StateID) -> Self {
        let decoders: Vec<Decoder> = notations.iter().copied().map(Decoder::new).collect();
        let is_plain = !decoders.iter().any(Decoder::passes_line_ends);
        Self {
            decoders,
            cursor: Cursor::new(start),
            is_plain,
        }
    }

    fn passes_line_ends(&self) -> bool {
        self.decoders.iter().any(Decoder::passes_line_ends)
    }
}

/// Looks for secrets in all views of a text at once, and keeps what is not taken.
pub(super) struct Scanner {
    known: Arc<Known>,
    raw: Cursor,
    views: Vec<View>,
    /// The text from `base` on.
    text: Vec<u8>,
    base: u64,
    found: Vec<Found>,
    after_line_end: bool,
}

impl Scanner {
    /// `None` when there are no secrets.
    pub(super) fn new(redactor: &Redactor) -> Option<Self> {
        let known = Arc::clone(redactor.0.as_ref()?);
        let start = known.start();
        Some(Self {
            raw: Cursor::new(start),
            views: VIEWS.iter().map(|view| View::new(view, start)).collect(),
            known,
            text: Vec::new(),
            base: 0,
            found: Vec::new(),
            after_line_end: false,
        })
    }

    /// Whether it looks for what `redactor` knows.
    pub(super) fn is_of(&self, redactor: &Redactor) -> bool {
        let known = redactor.0.as_ref();
        known.is_some_and(|known| Arc::ptr_eq(known, &self.known))
    }

    /// Where the text ends.
    pub(super) fn position(&self) -> u64 {
        self.base + self.text.len() as u64
    }

    /// Where the text begins that was not taken yet.
    pub(super) fn base(&self) -> u64 {
        self.base
    }

    /// Whether a line ends in what was not taken yet.
    pub(super) fn holds_line(&self) -> bool {
        self.text.contains(&b'\n')
    }

    pub(super) fn found_nothing(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let from = self.position();
        self.text.extend_from_slice(bytes);
        let known = Arc::clone(&self.known);
        let Some(nfa) = &known.automaton else {
            let (start, end) = (from, self.position());
            let everything = Found {
                start,
                end,
                atom: 0,
                length: 0,
            };
            self.found.push(everything);
            return;
        };
        for (start, &byte) in (from..).zip(bytes) {
            let end = start + 1;
            let seen = Seen { byte, start, end };
            let found = &mut self.found;
            for view in &mut self.views {
                if view.is_plain {
                    if !view.decoders[0].is_lead(byte) {
                        continue;
                    }
                    view.is_plain = false;
                    view.cursor = self.raw.clone();
                }
                pass(
                    &known,
                    nfa,
                    &mut view.decoders,
                    &mut view.cursor,
                    seen,
                    found,
                );
            }
            self.raw.step(&known, nfa, seen, found);
            for view in self.views.iter_mut().filter(|view| !view.is_plain) {
                view.is_plain = !view.passes_line_ends()
                    && view.cursor.state == self.raw.state
                    && view.cursor.held(&known) == self.raw.held(&known)
                    && view.decoders.iter().all(|one| one.pending().is_none());
            }
        }
        if let Some(last) = bytes.last() {
            self.after_line_end = *last == b'\n';
        }
    }

    /// The text ends here, or pauses for so long that what was held back must be shown. What
    /// follows is another text.
    pub(super) fn end(&mut self) {
        let known = Arc::clone(&self.known);
        let Some(nfa) = &known.automaton else {
            return;
        };
        let end = self.position();
        let found = &mut self.found;
        let start = known.start();
        for view in self.views.iter_mut().filter(|view| !view.is_plain) {
            finish(&known, nfa, &mut view.decoders, &mut view.cursor, found);
            cut(&known, &view.cursor, end, found);
        }
        cut(&known, &self.raw, end, found);
        self.raw = Cursor::new(start);
        self.views = VIEWS.iter().map(|view| View::new(view, start)).collect();
    }

    /// Up to where nothing that comes can make a secret of the text any more.
    pub(super) fn settled(&self) -> u64 {
        let mut settled = self.raw.held(&self.known).unwrap_or(self.position());
        for view in self.views.iter().filter(|view| !view.is_plain) {
            let depth = self.known.depth(view.cursor.state);
            let waits = !(self.after_line_end && view.passes_line_ends() && depth < WAITED_FOR);
            let held = view.cursor.held(&self.known).filter(|_| waits);
            let pending = view.decoders.iter().filter_map(Decoder::pending);
            settled = pending.chain(held).fold(settled, u64::min);
        }
        settled
    }

    /// The same, and no secret that was found goes beyond it.
    pub(super) fn settled_whole(&self) -> u64 {
        let mut settled = self.settled();
        for piece in self.merged().iter().rev() {
            if piece.end > settled && piece.start < settled {
                settled = piece.start;
            }
        }
        settled
    }

    /// The masked text from `from` to `to`; a secret of which a part is in there shows its mask.
    pub(super) fn masked(&self, from: u64, to: u64) -> Vec<u8> {
        let mut masked = Vec::new();
        let mut at = from;
        for piece in self.merged() {
            if piece.end <= from || piece.start >= to {
                continue;
            }
            masked.extend_from_slice(self.slice(at, piece.start.max(at)));
            masked.extend_from_slice(self.known.masks[piece.atom].as_bytes());
            at = piece.end.min(to);
        }
        masked.extend_from_slice(self.slice(at, to));
        masked
    }

    /// Forgets the text up to `to`.
    pub(super) fn forget(&mut self, to: u64) {
        let length = usize::try_from(to.saturating_sub(self.base)).unwrap_or(usize::MAX);
        self.text.drain(..length.min(self.text.len()));
        self.base = to;
        self.found.retain(|piece| piece.end > to);
    }

    /// The masked text up to `to`, which is forgotten.
    pub(super) fn take(&mut self, to: u64) -> String {
        let masked = self.masked(self.base, to);
        self.forget(to);
        String::from_utf8(masked)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    fn slice(&self, from: u64, to: u64) -> &[u8] {
        let at =
            |place: u64| usize::try_from(place.saturating_sub(self.base)).unwrap_or(usize::MAX);
        let to = at(to).min(self.text.len());
        &self.text[at(from).min(to)..to]
    }

    /// What was found, in order; pieces that overlap are one.
    fn merged(&self) -> Vec<Found> {
        let mut sorted = self.found.clone();
        sorted.sort_by_key(|piece| (piece.start, piece.end));
        let mut merged: Vec<Found> = Vec::with_capacity(sorted.len());
        for piece in sorted {
            add(&mut merged, piece);
        }
        merged
    }
}

/// Passes a byte through the decoders of a view and reads what comes out.
fn pass(
    known: &Known,
    nfa: &NFA,
    decoders: &mut [Decoder],
    cursor: &mut Cursor,
    seen: Seen,
    found: &mut Vec<Found>,
) {
    let Some((first, rest)) = decoders.split_first_mut() else {
        cursor.step(known, nfa, seen, found);
        return;
    };
    first.push(seen, &mut |out| match out {
        Out::Byte(seen) => pass(known, nfa, rest, cursor, seen, found),
        Out::Break => cursor.state = known.start(),
    });
}

/// Reads what the decoders of a view still have.
fn finish(
    known: &Known,
    nfa: &NFA,
    decoders: &mut [Decoder],
    cursor: &mut Cursor,
    found: &mut Vec<Found>,
) {
    let Some((first, rest)) = decoders.split_first_mut() else {
        return;
    };
    first.end(&mut |out| match out {
        Out::Byte(seen) => pass(known, nfa, rest, cursor, seen, found),
        Out::Break => cursor.state = known.start(),
    });
    finish(known, nfa, rest, cursor, found);
}

/// Adds the beginning of a secret that the text ends in, when it is long enough to be one.
fn cut(known: &Known, cursor: &Cursor, end: u64, found: &mut Vec<Found>) {
    let depth = known.depth(cursor.state);
    if depth >= CUT {
        let start = cursor.start(depth.into());
        found.push(Found {
            start,
            end,
            atom: known.atom(cursor.state),
            length: depth.into(),
        });
    }
}
