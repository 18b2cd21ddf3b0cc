//! Version specifiers of Python (PEP 440), as far as releases of CPython are concerned: no epochs,
//! no local versions. A bare version is a prefix, as version managers have it.

use super::range::{Compare, Condition, Conditions};
use super::{Grammar, Version};

const OPERATORS: [(&str, Compare); 7] = [
    ("===", Compare::Equal),
    ("==", Compare::Equal),
    ("!=", Compare::Unequal),
    ("<=", Compare::AtMost),
    (">=", Compare::AtLeast),
    ("<", Compare::Less),
    (">", Compare::More),
];

/// Reads specifiers, separated by commas.
///
/// # Errors
/// The specifier that is not understood.
pub(super) fn parse(text: &str, grammar: Grammar) -> Result<Vec<Conditions>, String> {
    let mut conditions = Conditions::new();
    for clause in text.split(',') {
        let clause = clause.trim();
        let found = specifier(clause, grammar);
        conditions.extend(found.ok_or_else(|| match clause {
            "" => text.to_owned(),
            clause => clause.to_owned(),
        })?);
    }
    Ok(vec![conditions])
}

fn specifier(clause: &str, grammar: Grammar) -> Option<Conditions> {
    if let Some(text) = clause.strip_prefix("~=") {
        return compatible(&Version::parse(grammar.plain(text.trim()))?);
    }
    let operator = OPERATORS
        .iter()
        .find_map(|(text, compare)| Some((*compare, clause.strip_prefix(text)?.trim())));
    if let Some((compare, text)) = operator {
        // `==3.12.*`
        if let Some(prefix) = text.strip_suffix(".*") {
            let prefix = release(grammar.plain(prefix))?;
            return match compare {
                Compare::Equal => Some(vec![Condition::Within(prefix)]),
                Compare::Unequal => Some(vec![Condition::Without(prefix)]),
                _ => None,
            };
        }
        let version = Version::parse(grammar.plain(text))?;
        return Some(vec![Condition::Compares(compare, version)]);
    }
    let text = grammar.plain(clause);
    if text == "*" {
        return Some(Conditions::new());
    }
    let version = Version::parse(text.strip_suffix(".*").unwrap_or(text))?;
    Some(vec![match version.is_prerelease() {
        true if text.ends_with(".*") => return None,
        true => Condition::Compares(Compare::Equal, version),
        false => Condition::Within(version.numbers),
    }])
}

/// `~=3.12.1` is `>=3.12.1, ==3.12.*`; one number alone means nothing.
fn compatible(version: &Version) -> Option<Conditions> {
    let prefix = version.numbers.len().checked_sub(1).filter(|n| *n > 0)?;
    Some(vec![
        Condition::Compares(Compare::AtLeast, version.clone()),
        Condition::Within(version.numbers[..prefix].to_vec()),
    ])
}

fn release(text: &str) -> Option<Vec<u64>> {
    let version = Version::parse(text)?;
    (!version.is_prerelease() && version.build.is_empty()).then_some(version.numbers)
}
