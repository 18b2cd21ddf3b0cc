//! What git ignores is chosen only by an include that is meant for it.

use super::tree::{Place, make, tree};
use crate::artifact::{TreePath, survey_without};

const PROJECT: [&str; 11] = [
    "a.py",
    "config/app.json",
    "config/secret.json",
    "local.py",
    "node_modules/x/i.js",
    "target/libs/a.jar",
    "target/libs/b.txt",
    "builds/.keep",
    "builds/app.js",
    "sub/deep/n.py",
    "sub/deep/s.py",
];
const IGNORED: [&str; 6] = [
    "config/secret.json",
    "local.py",
    "node_modules",
    "target",
    "builds/app.js",
    "sub/deep/s.py",
];

/// The chosen files.
fn chosen(include: &[&str], exclude: &[&str]) -> String {
    let place = Place::new();
    make(&place.at("p"), &tree(&PROJECT));
    let owned = |texts: &[&str]| texts.iter().map(|&t| t.to_owned()).collect::<Vec<_>>();
    let ignored = IGNORED.map(|path| TreePath::try_from(path).unwrap());
    let ignored = ignored.into_iter().collect();
    let survey = survey_without(&place.at("p"), &owned(include), &owned(exclude), &ignored);
    let selection = survey.into_selection().unwrap();
    let files = selection.entries().iter();
    let files = files.filter(|entry| entry.kind == crate::artifact::SelectedKind::File);
    let files: Vec<String> = files.map(|entry| entry.path.to_string()).collect();
    files.join(" ")
}

#[test]
fn everything_is_without_what_git_ignores() {
    let all = "a.py builds/.keep config/app.json sub/deep/n.py";
    assert_eq!(chosen(&["."], &[]), all);
    assert_eq!(chosen(&["*", "**/*"], &[]), all);
    assert_eq!(chosen(&["**/*.py"], &[]), "a.py sub/deep/n.py");
}

#[test]
fn an_include_that_names_it_takes_it() {
    for (include, files) in [
        (&["a.py", "node_modules"][..], "a.py node_modules/x/i.js"),
        (&["a.py", "node_modules/x"], "a.py node_modules/x/i.js"),
        (&["a.py", "target/libs/*.jar"], "a.py target/libs/a.jar"),
        (
            &["a.py", "target/**"],
            "a.py target/libs/a.jar target/libs/b.txt",
        ),
        (&["a.py", "config/secret.json"], "a.py config/secret.json"),
        (&["a.py", "config/*.json"], "a.py config/app.json"),
        // A folder that is named comes whole: a build may have written into it.
        (&["builds"], "builds/.keep builds/app.js"),
        (&["."], "a.py builds/.keep config/app.json sub/deep/n.py"),
        (
            &[".", "builds", "target/libs"],
            "a.py builds/.keep builds/app.js config/app.json sub/deep/n.py target/libs/a.jar \
             target/libs/b.txt",
        ),
    ] {
        assert_eq!(chosen(include, &[]), files, "{include:?}");
    }
}

#[test]
fn an_exclude_still_wins() {
    assert_eq!(
        chosen(&["a.py", "target"], &["*.txt"]),
        "a.py target/libs/a.jar"
    );
}
