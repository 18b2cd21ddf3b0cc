//! Versions of runtimes, and what a project may ask for.
//!
//! It lives in the vocabulary because both ends speak of it: the manifest is checked against it, a
//! lock answers it, and a host that brings a runtime by itself is compared with it.

mod grammar;
mod lts;
#[cfg(test)]
mod peers_tests;
mod pep440;
mod range;
mod request;
mod semver;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;

pub use grammar::Grammar;
pub use request::Request;

/// The longest version and request that are read, bytes: nobody writes more, and messages quote
/// them.
const LONGEST: usize = 128;

/// An exact version, as its publisher writes it: `20.11.1`, `3.13.0rc2`, `1.22`, `21.0.2+13`.
///
/// Versions are ordered as Semantic Versioning 2.0.0 (section 11) and PEP 440 order them: a missing
/// number is zero, a pre-release comes before its release. A build number counts (JEP 322): Java's
/// `21.0.2+13` comes after `21.0.2+12`.
#[derive(Debug, Clone)]
pub struct Version {
    text: String,
    numbers: Vec<u64>,
    /// Empty for a release.
    pre: Vec<Part>,
    build: Vec<u64>,
}

/// A part of a pre-release; a number comes before a word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number(u64),
    Word(String),
}

impl Version {
    /// Reads an exact version, without a `v` or another prefix; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (core, build) = match text.split_once('+') {
            Some((core, build)) => (core, build_numbers(build)?),
            None => (text, Vec::new()),
        };
        let end = core
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(core.len());
        let (numbers, rest) = core.split_at(end);
        Some(Self {
            text: text.to_owned(),
            numbers: numbers
                .split('.')
                .map(|number| number.parse().ok())
                .collect::<Option<_>>()?,
            pre: prerelease(rest)?,
            build,
        })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its numbers: `[20, 11, 1]`.
    #[must_use]
    pub fn numbers(&self) -> &[u64] {
        &self.numbers
    }

    /// The number at `place`, counted from 0; a missing one is zero.
    #[must_use]
    pub fn number(&self, place: usize) -> u64 {
        self.numbers.get(place).copied().unwrap_or(0)
    }

    /// Whether it comes before a release: `21.0.0-rc.1`, `3.13.0rc2`.
    #[must_use]
    pub fn is_prerelease(&self) -> bool {
        !self.pre.is_empty()
    }

    /// Whether it begins with these numbers: 20.11.1 is within 20 and within 20.11.
    #[must_use]
    pub fn is_within(&self, prefix: &[u64]) -> bool {
        prefix
            .iter()
            .enumerate()
            .all(|(place, number)| self.number(place) == *number)
    }

    /// A version of these numbers.
    fn of(numbers: &[u64]) -> Self {
        let words: Vec<String> = numbers.iter().map(u64::to_string).collect();
        Self {
            text: words.join("."),
            numbers: numbers.to_vec(),
            pre: Vec::new(),
            build: Vec::new(),
        }
    }

    /// The order, without the build number.
    fn precedence(&self, other: &Self) -> Ordering {
        padded(&self.numbers, &other.numbers).then_with(|| {
            let released = self.pre.is_empty().cmp(&other.pre.is_empty());
            released.then_with(|| self.pre.cmp(&other.pre))
        })
    }
}

/// Compares lists of numbers as if the shorter one went on with zeros.
fn padded(a: &[u64], b: &[u64]) -> Ordering {
    let at = |list: &[u64], place| list.get(place).copied().unwrap_or(0);
    (0..a.len().max(b.len()))
        .map(|place| at(a, place).cmp(&at(b, place)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// `-rc.1` of Semantic Versioning, `rc2` of PEP 440 and of Go; empty for a release.
fn prerelease(text: &str) -> Option<Vec<Part>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    if let Some(dotted) = text.strip_prefix('-') {
        return dotted.split('.').map(part).collect();
    }
    let end = text
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (word, number) = text.split_at(end);
    // PEP 440, "Pre-release spelling".
    let word = match word {
        "" => return None,
        "alpha" => "a",
        "beta" => "b",
        "c" | "pre" | "preview" => "rc",
        word => word,
    };
    let number = match number {
        "" => 0,
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok()?,
        _ => return None,
    };
    Some(vec![Part::Word(word.to_owned()), Part::Number(number)])
}

fn part(text: &str) -> Option<Part> {
    let known = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if text.is_empty() || !text.chars().all(known) {
        return None;
    }
    Some(match text.parse() {
        Ok(number) => Part::Number(number),
        Err(_) => Part::Word(text.to_owned()),
    })
}

/// The numbers that a build begins with: those of Java's `13.0.LTS`, none of npm's `+sha.1f2e`.
fn build_numbers(text: &str) -> Option<Vec<u64>> {
    let known = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if text.is_empty() || !text.chars().all(known) {
        return None;
    }
    Some(
        text.split('.')
            .map_while(|number| number.parse().ok())
            .collect(),
    )
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.precedence(other)
            .then_with(|| padded(&self.build, &other.build))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
