//! What holds for every text and every project.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{SHOP, check};
use crate::project::render_all;

/// Whatever the text, what is said about it can be shown, and there is a project or an error.
fn holds(text: &str) -> Result<(), TestCaseError> {
    let checked = check(text);
    let failed = checked.diagnostics.iter().any(|problem| problem.is_error());
    prop_assert_eq!(checked.project.is_none(), failed);
    for problem in &checked.diagnostics {
        for label in &problem.labels {
            prop_assert!(text.get(label.span.clone()).is_some(), "{:?}", label);
        }
        prop_assert!(!problem.message.is_empty() && !problem.message.contains('\n'));
    }
    let said = render_all(&checked.diagnostics, false);
    prop_assert!(
        said.chars().all(|c| c == '\n' || !c.is_control()),
        "{:?}",
        said
    );
    let _ = render_all(&checked.diagnostics, true);
    if let Some(project) = checked.project {
        let printed = project.print();
        let again = check(&printed).project;
        prop_assert!(again.as_ref() == Some(&project), "{}", printed);
    }
    Ok(())
}

/// A change to a manifest: where (in thousandths), how much goes, what comes.
fn change() -> impl Strategy<Value = (usize, usize, String)> {
    let pieces = prop::sample::select(vec![
        "",
        "\"",
        "'",
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        "=",
        ",",
        ".",
        "\n",
        "#",
        "\\",
        "\"\"\"",
        "-1",
        "0",
        "1e9",
        "nan",
        "true",
        "[]",
        "{}",
        "\"\"",
        "1979-05-27",
        "ü",
        "\u{0}",
        "\u{1b}",
        "\r",
        "\"\\u0000\"",
        "\"..\"",
        "\"/\"",
        "\"10m\"",
        "\"%\"",
        "99999999999999999999",
        "0x10",
        "[app]\n",
        "[services.web]\n",
        "[environments.local]\n",
        "port = 3000\n",
        "hosts = []\n",
        "\u{feff}",
        "local",
        "\t",
    ]);
    let text = prop_oneof![8 => pieces.prop_map(str::to_owned), 1 => "\\PC{0,4}"];
    (
        0..1000usize,
        prop_oneof![Just(0), 0..3usize, 0..80usize],
        text,
    )
}

fn mutate(changes: Vec<(usize, usize, String)>) -> String {
    let mut text = SHOP.to_owned();
    for (at, gone, new) in changes {
        let mut start = at * text.len() / 1000;
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let mut end = (start + gone).min(text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        text.replace_range(start..end, &new);
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_understood_or_explained(text in any::<String>()) {
        holds(&text)?;
    }

    #[test]
    fn text_that_looks_like_toml_is_understood_or_explained(
        text in "([\\[\\]{}=\",.'a-z0-9 \n#\\\\-]|\\[app\\]\n|\\[services\\.a\\]\n|command = \"x\"\n){0,60}"
    ) {
        holds(&text)?;
    }

    #[test]
    fn a_changed_manifest_is_understood_or_explained(changes in vec(change(), 1..6)) {
        holds(&mutate(changes))?;
    }

    #[test]
    fn what_is_printed_is_the_same_project(project in super::generate::project()) {
        let printed = project.print();
        let checked = check(&printed);
        let said = render_all(&checked.diagnostics, false);
        prop_assert!(checked.project.as_ref() == Some(&project), "{}\n{}", said, printed);
    }
}

/// Depth is bounded before it becomes the depth of a stack.
#[test]
fn deep_nesting_is_refused() {
    for text in [
        "[".repeat(200_000),
        format!("a = {}", "[".repeat(200_000)),
        format!("a = {}", "{a=".repeat(200_000)),
        format!("{}b = 1\n", "a.".repeat(200_000)).repeat(2),
        format!("[{}b]\n", "a.".repeat(200_000)).repeat(2),
    ] {
        assert!(check(&text).project.is_none());
    }
}
