//! Ranges as every grammar means them: alternatives of conditions.

use std::cmp::Ordering;

use super::Version;

/// What a version has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// How it compares with another; without that one's build number, it does not count.
    Compares(Compare, Version),
    /// It begins with these numbers.
    Within(Vec<u64>),
    /// It does not.
    Without(Vec<u64>),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    Less,
    AtMost,
    Equal,
    Unequal,
    AtLeast,
    More,
}

/// Conditions that must all hold; none at all holds for every release.
pub(super) type Conditions = Vec<Condition>;

impl Condition {
    fn holds(&self, version: &Version) -> bool {
        match self {
            Self::Within(prefix) => version.is_within(prefix),
            Self::Without(prefix) => !version.is_within(prefix),
            Self::Compares(compare, bound) => {
                let order = match bound.build.is_empty() {
                    true => version.precedence(bound),
                    false => version.cmp(bound),
                };
                match compare {
                    Compare::Less => order == Ordering::Less,
                    Compare::AtMost => order != Ordering::Greater,
                    Compare::Equal => order == Ordering::Equal,
                    Compare::Unequal => order != Ordering::Equal,
                    Compare::AtLeast => order != Ordering::Less,
                    Compare::More => order == Ordering::Greater,
                }
            }
        }
    }

    /// Whether it names a pre-release of the version of which `version` is one.
    fn names_prerelease_of(&self, version: &Version) -> bool {
        matches!(self, Self::Compares(_, bound)
            if bound.is_prerelease() && super::padded(&bound.numbers, &version.numbers).is_eq())
    }

    /// The version that it speaks of.
    pub(super) fn anchor(&self) -> Version {
        match self {
            Self::Compares(_, version) => version.clone(),
            Self::Within(prefix) | Self::Without(prefix) => Version::of(prefix),
        }
    }
}

/// Whether all `conditions` hold. A pre-release counts only where one of the same version is named,
/// as npm has it ("Prerelease Tags"): `>=3.13.0rc1` takes 3.13.0rc2, and no 3.14.0a1.
pub(super) fn hold(conditions: &Conditions, version: &Version) -> bool {
    let named = || {
        let mut conditions = conditions.iter();
        conditions.any(|condition| condition.names_prerelease_of(version))
    };
    (!version.is_prerelease() || named())
        && conditions.iter().all(|condition| condition.holds(version))
}

/// Whether a version that begins with `feature` may be one for which all `conditions` hold; what
/// only its later numbers tell is taken to hold.
pub(super) fn reach(conditions: &Conditions, feature: u64) -> bool {
    conditions.iter().all(|condition| match condition {
        Condition::Within(prefix) => prefix.first().is_none_or(|first| *first == feature),
        Condition::Without(prefix) => prefix.len() != 1 || prefix[0] != feature,
        Condition::Compares(compare, bound) => {
            let first = bound.number(0);
            let later = bound.numbers.iter().skip(1).any(|number| *number > 0);
            match compare {
                Compare::Less => feature < first || feature == first && later,
                Compare::AtMost => feature <= first,
                Compare::Equal => feature == first,
                Compare::Unequal => true,
                Compare::AtLeast | Compare::More => feature >= first,
            }
        }
    })
}
