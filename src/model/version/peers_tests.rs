//! Ranges mean what the packages that others use say: npm's by js-semver, Python's by pep440_rs.

use std::str::FromStr;

use proptest::prelude::*;

use super::{Grammar, Request, Version};

/// What this build says of a range and a version; `None` where it takes the range for none.
fn ours(grammar: Grammar, range: &str, version: &str) -> Option<bool> {
    let request = Request::parse(grammar, range).ok()?;
    Some(request.matches(&Version::parse(version)?))
}

/// A number that is often met, so that ranges and versions meet.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0..4u64, 1 => 10..23u64]
}

/// `1`, `1.2`, `1.2.3`, `1.x`, `1.2.*`.
fn partial() -> impl Strategy<Value = String> {
    let rest = prop_oneof![
        3 => Just(String::new()),
        3 => number().prop_map(|minor| format!(".{minor}")),
        4 => (number(), number()).prop_map(|(minor, patch)| format!(".{minor}.{patch}")),
        1 => Just(".x".to_owned()),
        1 => number().prop_map(|minor| format!(".{minor}.*")),
    ];
    (number(), rest).prop_map(|(major, rest)| format!("{major}{rest}"))
}

/// `1.2.3`, with or without a pre-release.
fn whole() -> impl Strategy<Value = String> {
    let end = prop_oneof![
        4 => Just(String::new()),
        1 => number().prop_map(|n| format!("-rc.{n}")),
        1 => Just("-alpha".to_owned()),
    ];
    (number(), number(), number(), end)
        .prop_map(|(major, minor, patch, end)| format!("{major}.{minor}.{patch}{end}"))
}

/// Conditions that must all hold, in npm's words.
fn npm_set() -> impl Strategy<Value = String> {
    let operator = prop_oneof![
        Just(""),
        Just("^"),
        Just("~"),
        Just(">="),
        Just("<="),
        Just(">"),
        Just("<"),
        Just("="),
    ];
    let space = prop_oneof![3 => Just(""), 1 => Just(" ")];
    let version = prop_oneof![3 => partial(), 1 => whole()];
    let one = (operator, space, version).prop_map(|(operator, space, version)| match operator {
        "" => version,
        operator => format!("{operator}{space}{version}"),
    });
    prop_oneof![
        4 => prop::collection::vec(one, 1..3).prop_map(|all| all.join(" ")),
        1 => (partial(), partial()).prop_map(|(low, high)| format!("{low} - {high}")),
        1 => Just("*".to_owned()),
    ]
}

fn npm_range() -> impl Strategy<Value = String> {
    prop::collection::vec(npm_set(), 1..3).prop_map(|all| all.join(" || "))
}

/// Clauses of a specifier (PEP 440).
fn specifiers() -> impl Strategy<Value = String> {
    let bare = || {
        prop_oneof![
            number().prop_map(|major| major.to_string()),
            (number(), number()).prop_map(|(major, minor)| format!("{major}.{minor}")),
            (number(), number(), number()).prop_map(|(a, b, c)| format!("{a}.{b}.{c}")),
        ]
    };
    let ordered = (
        prop_oneof![Just(">="), Just("<="), Just(">"), Just("<")],
        bare(),
    );
    let equal = (prop_oneof![Just("=="), Just("!=")], bare(), any::<bool>());
    let one = prop_oneof![
        4 => ordered.prop_map(|(operator, version)| format!("{operator}{version}")),
        3 => equal.prop_map(|(operator, version, star)| match star {
            true => format!("{operator}{version}.*"),
            false => format!("{operator}{version}"),
        }),
        2 => (number(), number(), prop::option::of(number())).prop_map(|(a, b, c)| match c {
            Some(c) => format!("~={a}.{b}.{c}"),
            None => format!("~={a}.{b}"),
        }),
    ];
    prop::collection::vec(one, 1..4).prop_map(|all| all.join(", "))
}

/// A version of Python, pre-releases among them.
fn python() -> impl Strategy<Value = String> {
    let end = prop_oneof![
        5 => Just(String::new()),
        1 => number().prop_map(|n| format!("rc{n}")),
        1 => number().prop_map(|n| format!("a{n}")),
    ];
    (number(), number(), number(), end)
        .prop_map(|(major, minor, patch, end)| format!("{major}.{minor}.{patch}{end}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn a_range_of_npm_means_what_npm_says(range in npm_range(), version in whole()) {
        let theirs = js_semver::Range::from_str(&range);
        prop_assume!(theirs.is_ok());
        let it = js_semver::Version::from_str(&version).expect("a version");
        let theirs = theirs.expect("a range");
        for grammar in [Grammar::Npm, Grammar::Node] {
            let said = ours(grammar, &range, &version);
            prop_assert_eq!(said, Some(theirs.satisfies(&it)), "{} of {}", version, range);
        }
    }

    #[test]
    fn a_specifier_of_python_means_what_pep_440_says(range in specifiers(), version in python()) {
        let theirs = pep440_rs::VersionSpecifiers::from_str(&range).expect("specifiers");
        let it = pep440_rs::Version::from_str(&version).expect("a version");
        // A pre-release is only taken where one is asked for: no request here does.
        let expected = theirs.contains(&it) && !it.any_prerelease();
        let said = ours(Grammar::Python, &range, &version);
        prop_assert_eq!(said, Some(expected), "{} of {}", version, range);
    }
}
