//! Masks the values of secrets in text.
//!
//! The text is read in several *views* at once: as it stands, and with one notation undone (JSON and
//! shell escapes, percent-encoding, base64, hex…). A secret is looked for in each view, so every
//! spelling is found without being listed, whatever stands around it. What it covers in the text
//! becomes the name of its variable, `[TOKEN]`.
//!
//! Text may arrive in pieces: [`Bytes`] and [`Lines`] hold back an end that could be the beginning
//! of a secret, and no more than that.

mod atoms;
mod notation;
mod scan;
mod stream;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::nfa::noncontiguous::NFA;
use aho_corasick::{Anchored, MatchKind};

pub use stream::{Bytes, Lines};

use scan::Scanner;

/// Values with fewer bytes are not masked: they would be found everywhere.
pub const SHORTEST: usize = 6;

/// What a secret becomes when the name of its variable would give it away.
const NAMELESS: [&str; 2] = ["[secret]", "***"];

/// Knows secrets by name and value, and masks them. Cheap to clone.
#[derive(Clone, Default)]
pub struct Redactor(Option<Arc<Known>>);

/// The automaton that finds the atoms, and what is known of them.
struct Known {
    /// `None` when it could not be built: then nothing is shown at all.
    automaton: Option<NFA>,
    /// How many bytes of an atom have been read in each state, and of which.
    depths: Vec<(u8, usize)>,
    /// The mask of each atom.
    masks: Vec<Arc<str>>,
}

impl Known {
    fn start(&self) -> StateID {
        let start = |nfa: &NFA| nfa.start_state(Anchored::No).ok();
        self.automaton.as_ref().and_then(start).unwrap_or_default()
    }

    /// How many bytes of an atom have been read in `state`.
    fn depth(&self, state: StateID) -> u8 {
        self.depths
            .get(state.as_usize())
            .map_or(0, |(depth, _)| *depth)
    }

    /// The atom that they are of.
    fn atom(&self, state: StateID) -> usize {
        self.depths
            .get(state.as_usize())
            .map_or(0, |(_, atom)| *atom)
    }
}

impl Redactor {
    /// A redactor for `secrets`: names with their values. Values under [`SHORTEST`] bytes are left
    /// out.
    pub fn new<'a>(secrets: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut atoms: Vec<(Vec<u8>, usize)> = Vec::new();
        let mut names = Vec::new();
        for (name, value) in secrets {
            for atom in atoms::of(value) {
                atoms.push((atom, names.len()));
            }
            names.push(name);
        }
        // Of atoms that several secrets share, the first one's name is shown.
        atoms.sort();
        atoms.dedup_by(|later, earlier| later.0 == earlier.0);
        if atoms.is_empty() {
            return Self(None);
        }
        let masks: Vec<Arc<str>> = names.iter().map(|name| mask_of(name, &atoms)).collect();
        let automaton = NFA::builder()
            .match_kind(MatchKind::Standard)
            .prefilter(false)
            .build(atoms.iter().map(|(atom, _)| atom))
            .ok();
        let depths = automaton.as_ref().map(|nfa| depths(nfa, &atoms));
        Self(Some(Arc::new(Known {
            automaton,
            depths: depths.unwrap_or_default(),
            masks: atoms
                .iter()
                .map(|(_, at)| Arc::clone(&masks[*at]))
                .collect(),
        })))
    }

    /// Whether there is nothing to mask.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// `text` with its secrets masked.
    #[must_use]
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some(mut scanner) = Scanner::new(self) else {
            return Cow::Borrowed(text);
        };
        scanner.feed(text.as_bytes());
        scanner.end();
        match scanner.found_nothing() {
            true => Cow::Borrowed(text),
            false => Cow::Owned(scanner.take(text.len() as u64)),
        }
    }

    /// Masks `text` where it is.
    pub fn mask_in(&self, text: &mut String) {
        if let Cow::Owned(masked) = self.mask(text) {
            *text = masked;
        }
    }

    /// Masks lines that follow one another, so that a secret of several lines is found too.
    pub fn mask_lines(&self, lines: &mut [String]) {
        if self.is_empty() {
            return;
        }
        let mut masker = Lines::new(self);
        let mut masked = Vec::with_capacity(lines.len());
        for (at, line) in lines.iter().enumerate() {
            masked.extend(masker.push(at, line));
        }
        masked.extend(masker.flush());
        for (at, line) in masked {
            lines[at] = line;
        }
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

/// `[NAME]`, or something that holds none of the atoms.
fn mask_of(name: &str, atoms: &[(Vec<u8>, usize)]) -> Arc<str> {
    let named = format!("[{name}]");
    let holds = |mask: &str| {
        let holds = |atom: &[u8]| mask.as_bytes().windows(atom.len()).any(|part| part == atom);
        atoms.iter().any(|(atom, _)| holds(atom))
    };
    let candidates = [named.as_str()].into_iter().chain(NAMELESS);
    candidates
        .into_iter()
        .find(|mask| !holds(mask))
        .unwrap_or("***")
        .into()
}

/// The depth of each state: walking an atom from the start goes through the states of its beginnings.
fn depths(nfa: &NFA, atoms: &[(Vec<u8>, usize)]) -> Vec<(u8, usize)> {
    let mut depths = Vec::new();
    let Ok(start) = nfa.start_state(Anchored::No) else {
        return depths;
    };
    for (number, (atom, _)) in atoms.iter().enumerate() {
        let mut state = start;
        for (at, byte) in atom.iter().enumerate() {
            state = nfa.next_state(Anchored::No, state, *byte);
            let index = state.as_usize();
            if depths.len() <= index {
                depths.resize(index + 1, (0, 0));
            }
            depths[index] = (u8::try_from(at + 1).unwrap_or(u8::MAX), number);
        }
    }
    depths
}
