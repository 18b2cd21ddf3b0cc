//! What each grammar takes and means.

use proptest::prelude::*;

use super::{Grammar, Request, Version};

fn version(text: &str) -> Version {
    Version::parse(text).unwrap_or_else(|| panic!("{text} is a version"))
}

/// Those of `versions` that answer.
fn answers<'a>(grammar: Grammar, request: &str, versions: &[&'a str]) -> Vec<&'a str> {
    let request = Request::parse(grammar, request).unwrap_or_else(|why| panic!("{request} {why}"));
    let versions = versions.iter().copied();
    versions
        .filter(|text| request.matches(&version(text)))
        .collect()
}

#[test]
fn versions_are_ordered_as_their_publishers_mean_them() {
    let ascending = [
        "1.20",
        "1.21rc2",
        "1.21.0",
        "3.13.0a1",
        "3.13.0b2",
        "3.13.0rc1",
        "3.13.0",
        "20.9.0",
        "20.11.1",
        "21.0.0-alpha",
        "21.0.0-rc.1",
        "21.0.0-rc.2",
        "21.0.0-rc.11",
        "21.0.0",
        "21.0.2+12",
        "21.0.2+13",
        "21.0.2.1+1",
    ];
    for pair in ascending.windows(2) {
        assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
    }
    for (a, b) in [
        ("1.22", "1.22.0"),
        ("21.0.2+13", "21.0.2+13.0.LTS"),
        ("3.13.0c1", "3.13.0rc1"),
    ] {
        assert_eq!(version(a), version(b));
    }
    for bad in [
        "",
        "v1",
        "1.",
        ".1",
        "1..2",
        "1.2-",
        "1.x",
        "a",
        "1.2.3 ",
        "1+",
        "1.2.3rc1x",
        "-1",
        "99999999999999999999",
    ] {
        assert!(Version::parse(bad).is_none(), "{bad:?} was taken");
    }
}

const NODE: &[&str] = &[
    "0.0.3",
    "0.2.3",
    "0.2.4",
    "0.3.0",
    "16.20.2",
    "18.0.0",
    "18.20.8",
    "20.0.0",
    "20.11.0",
    "20.11.1",
    "20.12.0",
    "21.0.0-rc.1",
    "21.0.0",
    "22.14.0",
];

#[test]
fn node_is_asked_for_as_npm_does() {
    let node = |request| answers(Grammar::Node, request, NODE);
    let twenty = &["20.0.0", "20.11.0", "20.11.1", "20.12.0"];
    for request in [
        "20",
        "v20",
        "20.x",
        "20.x.x",
        "20.X",
        "20.*",
        "^20",
        "~20",
        "=20",
        ">=20 <21",
        ">= 20 < 21",
        "20 - 20",
        ">19 <=20",
        "^20.0.0",
    ] {
        assert_eq!(node(request), twenty, "{request}");
    }
    for request in [
        "20.11.1",
        "=20.11.1",
        "v20.11.1",
        ">20.11.0 <20.12.0",
        "20.11.1 - 20.11.1",
    ] {
        assert_eq!(node(request), ["20.11.1"], "{request}");
    }
    assert_eq!(node("~20.11"), ["20.11.0", "20.11.1"]);
    assert_eq!(node("~20.11.1"), ["20.11.1"]);
    assert_eq!(node("~> 20.11.0"), ["20.11.0", "20.11.1"]);
    assert_eq!(node("^20.11"), ["20.11.0", "20.11.1", "20.12.0"]);
    assert_eq!(node("^0.2.3"), ["0.2.3", "0.2.4"]);
    assert_eq!(node("^0.0.3"), ["0.0.3"]);
    assert_eq!(node("^0.0"), ["0.0.3"]);
    assert_eq!(node("^0"), ["0.0.3", "0.2.3", "0.2.4", "0.3.0"]);
    assert_eq!(node("16 || >=21"), ["16.20.2", "21.0.0", "22.14.0"]);
    assert_eq!(node(">20"), ["21.0.0", "22.14.0"]);
    assert_eq!(node("<=0.2"), ["0.0.3", "0.2.3", "0.2.4"]);
    assert_eq!(node(">=21.0.0-rc.0 <22"), ["21.0.0-rc.1", "21.0.0"]);
    assert_eq!(node("21.0.0-rc.1"), ["21.0.0-rc.1"]);
    assert_eq!(node(">*"), [""; 0]);
    assert_eq!(node("*").len(), NODE.len() - 1);
    assert_eq!(node("latest").len(), NODE.len() - 1);
}

#[test]
fn long_term_releases_have_names() {
    let takes = |request: &str, lts| {
        Request::parse(Grammar::Node, request)
            .unwrap()
            .takes(&version("20.11.1"), lts)
    };
    for request in ["lts", "lts/*", "lts/iron", "lts/Iron", "20"] {
        assert!(takes(request, Some("Iron")), "{request}");
    }
    for request in ["lts-iron", "iron", "LTS/IRON"] {
        assert!(takes(request, Some("Iron")), "{request}");
    }
    assert!(!takes("lts", None));
    assert!(!takes("lts/hydrogen", Some("Iron")));
    assert!(takes("latest", None));
    // The meaning of a code name is fixed, whether or not a list of releases is at hand.
    let parse = |request| Request::parse(Grammar::Node, request).unwrap();
    for (request, answers) in [
        ("lts/argon", "4.9.1"),
        ("lts/hydrogen", "18.20.8"),
        ("lts-jod", "22.14.0"),
        ("lts/Krypton", "24.1.0"),
    ] {
        assert!(parse(request).matches(&version(answers)), "{request}");
        assert!(!parse(request).matches(&version("20.11.1")), "{request}");
        assert!(!parse(request).is_alias(), "{request}");
    }
    for request in ["lts", "lts/*", "lts/latest", "latest", "node", "lts/later"] {
        assert!(parse(request).is_alias(), "{request}");
    }
}

#[test]
fn python_is_asked_for_as_pep_440_has_it() {
    let python = |request| {
        let versions = [
            "3.11.9",
            "3.12.0",
            "3.12.3",
            "3.13.0rc2",
            "3.13.0",
            "3.14.0a1",
        ];
        answers(Grammar::Python, request, &versions)
    };
    for request in [
        "3.12",
        "3.12.*",
        "==3.12.*",
        "~=3.12.0",
        ">=3.12,<3.13",
        ">= 3.12 , < 3.13",
        "python-3.12",
        ">=3.12,!=3.13.*,<3.14",
        "<3.13,>3.11.9",
    ] {
        assert_eq!(python(request), ["3.12.0", "3.12.3"], "{request}");
    }
    for request in ["3.12.3", "==3.12.3", "===3.12.3", ">=3.12.1,<3.13"] {
        assert_eq!(python(request), ["3.12.3"], "{request}");
    }
    assert_eq!(python("~=3.12"), ["3.12.0", "3.12.3", "3.13.0"]);
    assert_eq!(python("==3.12"), ["3.12.0"]);
    assert_eq!(python("!=3.12.*"), ["3.11.9", "3.13.0"]);
    assert_eq!(python("3.13.0rc2"), ["3.13.0rc2"]);
    assert_eq!(python(">=3.13.0rc1,<3.14"), ["3.13.0rc2", "3.13.0"]);
    assert_eq!(python("3").len(), 4);
}

#[test]
fn go_and_java_are_asked_for_by_their_own_names() {
    let go = |request| {
        answers(
            Grammar::Go,
            request,
            &["1.20", "1.21.0", "1.22rc1", "1.22.0", "1.22.1"],
        )
    };
    assert_eq!(go("1.22"), ["1.22.0", "1.22.1"]);
    assert_eq!(go("go1.22.1"), ["1.22.1"]);
    assert_eq!(go(">=1.21, <1.22"), ["1.21.0"]);
    assert_eq!(go("go1.22rc1"), ["1.22rc1"]);
    assert_eq!(go("1.20"), ["1.20"]);
    let java = |request| {
        answers(
            Grammar::Java,
            request,
            &["17.0.10+7", "21.0.1+12", "21.0.2+13", "22.0.0+36"],
        )
    };
    for request in [
        "21.0.2",
        "temurin-21.0.2",
        "21.0.2+13",
        "temurin-21.0.2+13.0.LTS",
        "jdk-21.0.2+13",
    ] {
        assert_eq!(java(request), ["21.0.2+13"], "{request}");
    }
    assert_eq!(java("temurin-21"), ["21.0.1+12", "21.0.2+13"]);
    assert_eq!(java("<=21.0.1"), ["17.0.10+7", "21.0.1+12"]);
    assert_eq!(java("22"), ["22.0.0+36"]);
    let features = |request| {
        Request::parse(Grammar::Java, request)
            .unwrap()
            .features(&[8, 11, 17, 21, 22])
    };
    assert_eq!(features("21"), [21]);
    assert_eq!(features(">=17 <22"), [17, 21]);
    assert_eq!(features("<=17"), [8, 11, 17]);
    assert_eq!(features("99"), [21, 22]);
    assert_eq!(features("latest"), [22]);
}

#[test]
fn what_is_not_understood_is_named() {
    let mut lines = String::new();
    for (grammar, request) in [
        (Grammar::Node, ""),
        (Grammar::Node, "twenty"),
        (Grammar::Node, ">=20 <"),
        (Grammar::Node, "20,21"),
        (Grammar::Node, "20.x.1"),
        (Grammar::Node, "20 ||| 22"),
        (Grammar::Npm, "lts"),
    ] {
        let why = Request::parse(grammar, request).unwrap_err();
        lines.push_str(&format!("{request:12} {why}\n"));
    }
    for request in [">=3.12 <3.13", "^3.12", "~=3", ">=3.12.*", "3.12.x", ","] {
        let why = Request::parse(Grammar::Python, request).unwrap_err();
        lines.push_str(&format!("{request:12} {why}\n"));
    }
    for request in ["lts/jupiter", "corretto-21", "21ea"] {
        let why = Request::parse(Grammar::Java, request)
            .map_or_else(|why| why, |_| "is taken".to_owned());
        lines.push_str(&format!("{request:12} {why}\n"));
    }
    insta::assert_snapshot!(lines);
}

#[test]
fn the_nearest_versions_lie_around_what_was_asked_for() {
    let versions: Vec<Version> = NODE.iter().map(|text| version(text)).collect();
    let nearest = |request| -> Vec<String> {
        let request = Request::parse(Grammar::Node, request).unwrap();
        let nearest = request.nearest(&versions);
        nearest.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        nearest("20.99"),
        ["20.11.1", "20.12.0", "21.0.0", "22.14.0"]
    );
    assert_eq!(nearest("99"), ["21.0.0", "22.14.0"]);
    assert_eq!(nearest("0.0.1"), ["0.0.3", "0.2.3"]);
    assert_eq!(nearest("lts/x"), ["21.0.0", "22.14.0"]);
}

/// Text that is likely to be nearly a request.
fn nearly() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,40}",
        "[0-9.xX*^~<>=!|, v+a-z-]{0,24}",
        "(>=|<=|>|<|=|~|\\^|~=|==|!=)? ?[0-9]{1,3}(\\.([0-9]{1,3}|x|\\*)){0,4}( |,|\\|\\|)?",
    ]
}

const GRAMMARS: [Grammar; 6] = [
    Grammar::Node,
    Grammar::Npm,
    Grammar::Python,
    Grammar::Go,
    Grammar::Java,
    Grammar::Other,
];

proptest! {
    #[test]
    fn nothing_that_is_written_breaks_a_reader(text in nearly(), other in nearly()) {
        let probe = version("20.11.1");
        let parsed = Version::parse(&other);
        for grammar in GRAMMARS {
            if let Ok(request) = Request::parse(grammar, &text) {
                let _ = request.matches(&probe);
                let _ = request.features(&[8, 11, 17]);
                let _ = request.nearest([&probe]);
                if let Some(version) = &parsed {
                    let _ = request.matches(version);
                }
            }
        }
    }

    #[test]
    fn the_order_is_one(numbers in prop::collection::vec(prop::collection::vec(0u64..4, 1..4), 3)) {
        let versions: Vec<Version> = numbers.iter().map(|numbers| Version::of(numbers)).collect();
        let (a, b, c) = (&versions[0], &versions[1], &versions[2]);
        prop_assert_eq!(a.cmp(b), b.cmp(a).reverse());
        prop_assert!(!(a <= b && b <= c) || a <= c);
        prop_assert_eq!(a == b, a.cmp(b).is_eq());
    }

    #[test]
    fn a_prefix_is_a_range(major in 1u64..30, minor in 0u64..30, patch in 0u64..30, other in (1u64..30, 0u64..30, 0u64..30)) {
        let exact = version(&format!("{major}.{minor}.{patch}"));
        let other = version(&format!("{}.{}.{}", other.0, other.1, other.2));
        for (prefix, range) in [
            (format!("{major}"), format!(">={major} <{}", major + 1)),
            (format!("{major}.{minor}"), format!("~{major}.{minor}")),
            (format!("{major}.x"), format!("^{major}")),
            (exact.to_string(), format!("{exact} - {exact}")),
        ] {
            let prefix = Request::parse(Grammar::Node, &prefix).unwrap();
            let range = Request::parse(Grammar::Node, &range).unwrap();
            prop_assert!(prefix.matches(&exact) && range.matches(&exact));
            prop_assert_eq!(prefix.matches(&other), range.matches(&other));
        }
    }
}
