//! Which files are chosen, and what is said about those that cannot be.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;

use super::tree::{Place, as_nobody, make, tree};
use crate::artifact::select::{Selection, select as choose};
use crate::artifact::{Chooser, NoCache, TreePath, scan};

fn select(root: &Path, include: &[&str], exclude: &[&str]) -> Result<Selection, Vec<String>> {
    let owned = |texts: &[&str]| texts.iter().map(|&t| t.to_owned()).collect::<Vec<_>>();
    choose(root, &owned(include), &owned(exclude)).map_err(|error| error.problems)
}

/// The chosen paths of a project.
fn chosen(lines: &[&str], include: &[&str], exclude: &[&str]) -> String {
    let place = Place::new();
    make(&place.at("p"), &tree(lines));
    let selection = select(&place.at("p"), include, exclude).unwrap();
    let paths: Vec<_> = selection
        .entries()
        .iter()
        .map(|e| e.path.to_string())
        .collect();
    paths.join(" ")
}

fn problems(lines: &[&str], include: &[&str], exclude: &[&str]) -> Vec<String> {
    let place = Place::new();
    make(&place.at("p"), &tree(lines));
    select(&place.at("p"), include, exclude).unwrap_err()
}

#[test]
fn everything_but_what_is_never_released() {
    let lines = [
        ".git/HEAD",
        ".ship/logs/x",
        ".DS_Store",
        "._a",
        "a",
        "._alone",
        "sub/.git",
        "sub/.DS_Store",
        "sub/b",
        "sub/.ship/x",
        ".env",
        "empty/",
    ];
    let all = "._alone .env a empty sub sub/b";
    for include in [".", "./", "./."] {
        assert_eq!(chosen(&lines, &[include], &[]), all);
    }
}

#[test]
fn files_folders_and_globs() {
    let lines = [
        "a.js",
        "b.js",
        "dist/c.js",
        "dist/d/e.js",
        "dist/d/f.map",
        "pages/[id].js",
        "pages/i.js",
    ];
    assert_eq!(
        chosen(&lines, &["dist/d"], &[]),
        "dist dist/d dist/d/e.js dist/d/f.map"
    );
    assert_eq!(
        chosen(&lines, &["./dist/c.js", "a.js"], &[]),
        "a.js dist dist/c.js"
    );
    assert_eq!(chosen(&lines, &["*.js"], &[]), "a.js b.js");
    assert_eq!(
        chosen(&lines, &["dist/**/*.js"], &[]),
        "dist dist/c.js dist/d dist/d/e.js"
    );
    assert_eq!(chosen(&lines, &["{a,b}.js"], &[]), "a.js b.js");
    assert_eq!(
        chosen(&lines, &["d*/"], &["**/*.map"]),
        "dist dist/c.js dist/d dist/d/e.js"
    );
    // What exists is meant literally, whatever its name.
    assert_eq!(
        chosen(&lines, &["pages/[id].js"], &[]),
        "pages pages/[id].js"
    );
}

#[test]
fn an_exclude_is_anchored_when_it_has_a_slash() {
    let lines = ["dist/x", "sub/dist/y", "sub/z.map", "z.map", "dist.d/dist"];
    assert_eq!(
        chosen(&lines, &["."], &["dist"]),
        "dist.d sub sub/z.map z.map"
    );
    assert_eq!(
        chosen(&lines, &["."], &["dist/"]),
        "dist.d dist.d/dist sub sub/z.map z.map"
    );
    assert_eq!(
        chosen(&lines, &["."], &["/dist", "*.map"]),
        "dist.d dist.d/dist sub sub/dist sub/dist/y"
    );
    assert_eq!(
        chosen(&lines, &["."], &["sub/dist", "sub/*.map"]),
        "dist dist.d dist.d/dist dist/x sub z.map"
    );
    assert_eq!(
        chosen(&lines, &["."], &["dist/**"]),
        "dist dist.d dist.d/dist sub sub/dist sub/dist/y sub/z.map z.map"
    );
}

#[test]
fn every_problem_is_told_at_once() {
    let place = Place::new();
    let root = place.at("p");
    make(
        &root,
        &tree(&[
            "a",
            "out -> ../secret",
            "abs -> /etc/passwd",
            "x -> y",
            "y -> x",
            "dir/f",
            "way -> dir",
            "skipped/f",
            ".git/HEAD",
            "env -> .ship/env",
        ]),
    );
    let _socket = UnixListener::bind(root.join("sock")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, root.join("pipe"), 0o600.into()).unwrap();
    let include = [
        ".", "gone", "no*thing", "../up", "/etc", "", "skipped", ".git", "way/f", "[", "pipe",
    ];
    let problems = select(&root, &include, &["skipped", "!a", "[z", "."]).unwrap_err();
    assert_eq!(
        problems,
        [
            "include `../up`: leads out of the project",
            "include `/etc`: is absolute; name files relative to the project",
            "include ``: is empty",
            "include `[`: is not a glob: unclosed character class; missing ']'",
            "exclude `!a`: starts with `!`; an excluded path cannot be included again",
            "exclude `[z`: is not a glob: unclosed character class; missing ']'",
            "exclude `.`: would leave out the whole project",
            "cannot release pipe: it is a pipe",
            "cannot release sock: it is a socket",
            "include `way/f`: leads through the link way; links are not followed",
            "include `skipped`: is left out by `exclude`",
            "include `.git`: is never part of a release",
            "the link abs leads to the absolute path `/etc/passwd`, which is a place of one machine",
            "the link env leads into the reserved folder `.ship` (its target is `.ship/env`)",
            "the link out leads out of the tree (its target is `../secret`)",
            "the link x leads in a circle (its target is `y`)",
            "the link y leads in a circle (its target is `x`)",
            "include `gone`: there is no such file or folder",
            "include `no*thing`: matches nothing",
        ]
    );
}

#[test]
fn an_empty_selection_is_an_error() {
    assert_eq!(
        problems(&["empty/"], &["."], &[]),
        ["there is no file to release"]
    );
    assert_eq!(
        problems(&["a"], &["."], &["*"]),
        ["there is no file to release"]
    );
    assert_eq!(problems(&["a"], &[], &[]), ["there is no file to release"]);
}

#[test]
fn a_link_to_what_was_not_chosen_is_reported() {
    let place = Place::new();
    make(
        &place.at("p"),
        &tree(&["a", "l -> a", "m -> b", "b", "n -> gone", "o -> m"]),
    );
    let selection = select(&place.at("p"), &["."], &["b"]).unwrap();
    let dangling: Vec<_> = selection
        .dangling()
        .iter()
        .map(|found| format!("{} -> {}", found.link, found.target))
        .collect();
    assert_eq!(dangling, ["m -> b", "n -> gone", "o -> b"]);
}

/// A chain of links is told with the place that it ends at, once for the whole environment.
#[test]
fn a_virtual_environment_is_called_one() {
    let lines = [
        "app.py",
        ".venv/pyvenv.cfg",
        ".venv/bin/python -> python3",
        ".venv/bin/python3 -> /usr/bin/python3",
        ".venv/bin/python3.11 -> python3",
    ];
    let found = problems(&lines, &["."], &[]);
    assert_eq!(found.len(), 1, "{found:?}");
    let begin = ".venv is a Python virtual environment, which works only on the machine that made \
                 it: the link .venv/bin/python leads to the absolute path `/usr/bin/python3`";
    assert!(found[0].starts_with(begin), "{found:?}");
    assert_eq!(
        problems(&lines[2..], &["."], &[])[0],
        "the link .venv/bin/python leads to the absolute path `/usr/bin/python3`, which is a place \
         of one machine"
    );
}

#[test]
fn a_name_is_chosen_or_not_without_a_look_at_the_disk() {
    let owned = |texts: &[&str]| texts.iter().map(|&t| t.to_owned()).collect::<Vec<_>>();
    let include = owned(&["app.js", "lib", "static/**/*.css", "conf/a.key"]);
    let exclude = owned(&["*.map", "/lib/data", "tmp/"]);
    let chooser = Chooser::new(Path::new("/nowhere"), &include, &exclude);
    let path = |text: &str| TreePath::try_from(text).unwrap();
    for (name, taken) in [
        ("app.js", true),
        ("app.jsx", false),
        ("lib/a/b.js", true),
        ("lib/a/b.map", false),
        ("lib/data/x", false),
        ("lib/tmp/x", false),
        ("lib/tmp", true),
        ("lib/.git/x", false),
        ("static/css/a.css", true),
        ("static/css/a.js", false),
        ("conf/b.key", false),
    ] {
        assert_eq!(chooser.takes(&path(name)), taken, "{name}");
    }
    for (folder, taken) in [
        ("static", true),
        ("static/new", true),
        ("lib/new", true),
        ("doc", false),
        ("lib/tmp", false),
    ] {
        assert_eq!(chooser.takes_below(&path(folder)), taken, "{folder}");
    }
    assert!(chooser.names_exactly(&path("conf/a.key")) && !chooser.names_exactly(&path("lib/a")));
}

#[test]
fn what_cannot_be_read_is_named() {
    let place = Place::new();
    let root = place.at("p");
    make(&root, &tree(&["a", "key", "locked/x"]));
    for secret in ["key", "locked"] {
        fs::set_permissions(root.join(secret), fs::Permissions::from_mode(0o000)).unwrap();
    }
    let problems = as_nobody(|| select(&root, &["."], &[])).unwrap_err();
    assert_eq!(
        problems,
        [
            "cannot read the folder locked: Permission denied (os error 13)",
            "cannot read key: Permission denied (os error 13)",
        ]
    );
    fs::set_permissions(root.join("locked"), fs::Permissions::from_mode(0o755)).unwrap();
    let problems = as_nobody(|| {
        let selection = select(&root, &["."], &[]).unwrap();
        scan(&root, &selection, &NoCache).unwrap_err().to_string()
    });
    assert_eq!(problems, "cannot read key: Permission denied (os error 13)");
}
