//! npm's ranges, as its package `semver` reads them ("Ranges", "Advanced Range Syntax"), for
//! versions of any number of numbers.

use super::range::{Compare, Condition, Conditions};
use super::{Grammar, Version};

/// What is before a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Compares(Compare),
    Tilde,
    Caret,
    Bare,
}

const OPERATORS: [(&str, Operator); 8] = [
    (">=", Operator::Compares(Compare::AtLeast)),
    ("<=", Operator::Compares(Compare::AtMost)),
    ("~>", Operator::Tilde),
    (">", Operator::Compares(Compare::More)),
    ("<", Operator::Compares(Compare::Less)),
    ("=", Operator::Bare),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

/// A version that may end early: `20`, `20.x`, `*`.
struct Partial {
    numbers: Vec<u64>,
    /// All of it, when it is exact: no wildcard, at least three numbers, or a pre-release or build.
    exact: Option<Version>,
}

/// Reads a range of versions that are written as `grammar` has them: alternatives between `||`.
///
/// # Errors
/// The word that is not understood.
pub(super) fn parse(text: &str, grammar: Grammar) -> Result<Vec<Conditions>, String> {
    let sets = text.split("||").map(|part| set(part, grammar));
    let sets: Vec<Conditions> = sets.collect::<Result<_, _>>()?;
    // Where one of them takes any release, node-semver forgets the others, and with them the
    // pre-releases that they name (classes/range.js).
    match sets.iter().any(Conditions::is_empty) {
        true => Ok(vec![Conditions::new()]),
        false => Ok(sets),
    }
}

fn set(text: &str, grammar: Grammar) -> Result<Conditions, String> {
    let mut words = Vec::new();
    // An operator may stand apart from its version.
    let mut waiting = String::new();
    for word in text.split_whitespace() {
        waiting.push_str(word);
        let bare = OPERATORS.iter().any(|(operator, _)| *operator == waiting);
        if !bare {
            words.push(std::mem::take(&mut waiting));
        }
    }
    if !waiting.is_empty() {
        return Err(waiting);
    }
    if let [low, dash, high] = words.as_slice()
        && dash == "-"
    {
        let mut conditions = bound(Compare::AtLeast, &partial(grammar.plain(low))?);
        conditions.extend(bound(Compare::AtMost, &partial(grammar.plain(high))?));
        return Ok(conditions);
    }
    let mut conditions = Conditions::new();
    for word in &words {
        let (operator, version) = OPERATORS
            .iter()
            .find_map(|(text, operator)| Some((*operator, word.strip_prefix(text)?)))
            .unwrap_or((Operator::Bare, word));
        let version = partial(grammar.plain(version)).map_err(|_| word.clone())?;
        conditions.extend(match operator {
            Operator::Compares(compare) => bound(compare, &version),
            Operator::Tilde => tilde(&version),
            Operator::Caret => caret(&version),
            Operator::Bare => bare(version),
        });
    }
    Ok(conditions)
}

fn partial(text: &str) -> Result<Partial, String> {
    let wild = |word: &str| matches!(word, "x" | "X" | "*");
    let words: Vec<&str> = text.split('.').collect();
    if let Some(end) = words.iter().position(|word| wild(word)) {
        if !words[end..].iter().all(|word| wild(word)) {
            return Err(text.to_owned());
        }
        let numbers = words[..end].iter().map(|word| number(word));
        return Ok(Partial {
            numbers: numbers.collect::<Option<_>>().ok_or(text)?,
            exact: None,
        });
    }
    let version = Version::parse(text).ok_or(text)?;
    let exact = version.numbers.len() >= 3 || version.is_prerelease() || !version.build.is_empty();
    Ok(Partial {
        numbers: version.numbers.clone(),
        exact: exact.then_some(version),
    })
}

/// Digits only: `u64::from_str` would take a `+`.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// `numbers` up to `place`, the last of them one more: what comes after all that begins so.
fn after(numbers: &[u64], place: usize) -> Option<Version> {
    let mut numbers: Vec<u64> = numbers.get(..=place)?.to_vec();
    let last = numbers.last_mut()?;
    *last = last.checked_add(1)?;
    Some(Version::of(&numbers))
}

fn bare(version: Partial) -> Conditions {
    match version.exact {
        Some(exact) if exact.is_prerelease() || !exact.build.is_empty() => {
            vec![Condition::Compares(Compare::Equal, exact)]
        }
        // `21.0.2` of Java is any build of it.
        _ if version.numbers.is_empty() => Vec::new(),
        _ => vec![Condition::Within(version.numbers)],
    }
}

fn bound(compare: Compare, version: &Partial) -> Conditions {
    let at = |compare, version: Version| vec![Condition::Compares(compare, version)];
    if let Some(exact) = &version.exact {
        return at(compare, exact.clone());
    }
    let first = Version::of(&version.numbers);
    let next = version.numbers.len().checked_sub(1);
    let next = next.and_then(|last| after(&version.numbers, last));
    match (compare, next) {
        // `>*` and `<*` hold for nothing, `>=*` and `<=*` for everything.
        (Compare::More | Compare::Less, None) => at(Compare::Less, Version::of(&[0])),
        (_, None) => Vec::new(),
        (Compare::More, Some(next)) => at(Compare::AtLeast, next),
        (Compare::AtMost, Some(next)) => at(Compare::Less, next),
        (compare, Some(_)) => at(compare, first),
    }
}

fn from_up_to(version: &Partial, place: usize) -> Conditions {
    let mut conditions = bound(Compare::AtLeast, version);
    if let Some(next) = after(&version.numbers, place) {
        conditions.push(Condition::Compares(Compare::Less, next));
    }
    conditions
}

/// The second number stays; the first, where there is no second.
fn tilde(version: &Partial) -> Conditions {
    match version.numbers.len() {
        0 => Vec::new(),
        count => from_up_to(version, (count - 1).min(1)),
    }
}

/// The first number that is not zero stays; where all are, the last that is written.
fn caret(version: &Partial) -> Conditions {
    match version.numbers.iter().position(|number| *number > 0) {
        _ if version.numbers.is_empty() => Vec::new(),
        Some(place) => from_up_to(version, place),
        None => from_up_to(version, version.numbers.len() - 1),
    }
}
