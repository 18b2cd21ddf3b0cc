//! Fixture trees and the manifests that are written for them, as a whole.

mod compiled;
mod explain;
mod front_ends;
mod images;
mod node;
mod node_builds;
mod node_more;
mod odd;
mod others;
mod php;
mod python;
mod python_more;
mod python_packages;
mod release;
mod static_sites;
mod web;
mod workspaces;

use std::fs;
use std::path::Path;

use super::{Answers, Detected, detect, render};
use crate::model::EnvironmentName;
use crate::project::{Files, manifest};

/// Writes `files` into a fresh folder named `My Shop`; a path that ends in `/` is a folder.
pub(super) fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let temp = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = temp.path().join("My Shop").join(path);
        if path.to_string_lossy().ends_with('/') {
            fs::create_dir_all(path).unwrap();
        } else {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
    temp
}

/// What is detected in such a folder.
pub(super) fn seen(files: &[(&str, &str)]) -> Detected {
    seen_in(files).0
}

/// The same, with the folder that holds it.
pub(super) fn seen_in(files: &[(&str, &str)]) -> (Detected, tempfile::TempDir) {
    let temp = tree(files);
    (detect(&temp.path().join("My Shop")), temp)
}

/// What a person with one host would say to it.
pub(super) fn answers(detected: Detected) -> Answers {
    Answers {
        name: detected.name.clone(),
        environment: EnvironmentName::try_from("production").unwrap(),
        hosts: vec!["deploy@web1.example.com".try_into().unwrap()],
        detected,
    }
}

/// The whole manifest for such a folder, with what was seen and noted above it. It is valid TOML,
/// and holds no key that a manifest does not know.
pub(super) fn manifest(files: &[(&str, &str)]) -> String {
    let detected = seen(files);
    let answers = answers(detected.clone());
    let text = render(&answers);
    check(&text);
    let bare = render(&Answers {
        hosts: vec![],
        ..answers
    });
    check(&bare);
    assert!(
        !bare
            .lines()
            .any(|line| line.starts_with("[environments.production"))
    );
    let saw: String = detected
        .saw()
        .iter()
        .map(|line| format!("saw: {line}\n"))
        .collect();
    let notes: String = detected
        .notes
        .iter()
        .map(|line| format!("note: {line}\n"))
        .collect();
    format!("{saw}{notes}\n{text}")
}

/// Parses `text` as ship does, and compares its keys with those that `init` writes.
pub(super) fn check(text: &str) {
    let read = manifest::parse(text, "ship.toml", Path::new("."), Files::Ignored);
    let errors = read.diagnostics.iter().filter(|it| it.is_error());
    let errors: Vec<&str> = errors.map(|error| error.message.as_str()).collect();
    assert!(errors.is_empty(), "{errors:?} in\n{text}");
    let table: toml::Table = text
        .parse()
        .unwrap_or_else(|error| panic!("{error}\n{text}"));
    let keys = |table: &toml::Value, known: &[&str]| {
        for key in table.as_table().unwrap().keys() {
            assert!(
                known.contains(&key.as_str()),
                "unknown key {key} in\n{text}"
            );
        }
    };
    keys(
        &toml::Value::Table(table.clone()),
        &[
            "app",
            "runtimes",
            "build",
            "test",
            "release",
            "services",
            "hooks",
            "environments",
        ],
    );
    for phase in ["build", "test"] {
        if let Some(phase) = table.get(phase) {
            keys(phase, &["steps", "env"]);
        }
    }
    keys(
        &table["release"],
        &["include", "exclude", "gitignore", "shared"],
    );
    for (name, service) in table["services"].as_table().unwrap() {
        assert!(
            crate::model::ServiceName::try_from(name.as_str()).is_ok(),
            "{name}"
        );
        keys(
            service,
            &["command", "static", "port", "health", "env", "settle"],
        );
        assert!(
            service.get("command").is_some() != service.get("static").is_some(),
            "{text}"
        );
    }
    if let Some(environments) = table.get("environments") {
        let known = ["hosts", "env", "secrets"];
        for environment in environments.as_table().unwrap().values() {
            keys(environment, &known);
        }
    }
    assert!(
        text.lines()
            .all(|line| line.len() <= 110 || !line.starts_with('#')),
        "{text}"
    );
    assert!(!text.ends_with("\n\n") && text.ends_with('\n'));
}

/// What lies in folders of dependencies is not the app's.
#[test]
fn folders_of_dependencies_are_passed_over() {
    let detected = seen(&[
        ("package.json", r#"{"scripts":{"start":"node a.js"}}"#),
        ("a.js", "require('./b')"),
        ("node_modules/x/index.js", "app.listen(4444)"),
        ("vendor/y.js", "app.listen(4445)"),
        (".git/z.js", "app.listen(4446)"),
    ]);
    assert_eq!(detected.services[0].port, None);
}
