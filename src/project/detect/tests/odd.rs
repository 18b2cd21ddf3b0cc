//! Input that nobody should have, and everybody has.

use std::fs;
use std::os::unix::fs::symlink;

use super::super::{detect, projects_below};
use super::{seen, tree};

#[test]
fn an_empty_folder_has_no_stack() {
    let detected = seen(&[("notes/", "")]);
    assert_eq!(detected.stack, None);
    assert_eq!(detected.name.as_str(), "my-shop");
}

#[test]
fn a_folder_that_is_not_there_has_no_stack() {
    assert_eq!(detect(std::path::Path::new("/nowhere/at/all")).stack, None);
}

#[test]
fn broken_files_are_said_to_be_broken() {
    for (file, text) in [
        ("package.json", "{"),
        ("package.json", "[]"),
        ("Cargo.toml", "x ="),
        ("pyproject.toml", "="),
    ] {
        let detected = seen(&[(file, text)]);
        assert!(detected.services.is_empty());
        assert_eq!(detected.notes.len(), 1, "{file}: {:?}", detected.notes);
    }
    for (file, text) in [
        (
            "package.json",
            r#"{"scripts":[],"dependencies":3,"workspaces":{"a":1},"name":7}"#,
        ),
        (
            "Cargo.toml",
            "bin = 3\npackage = []\n[workspace]\nmembers = 1\n",
        ),
        ("pyproject.toml", "project = 3\ntool = []\n"),
        ("composer.json", "[]"),
        ("go.mod", ""),
        ("Gemfile", "\u{0}"),
        ("Procfile", ":\nweb\nweb:\n"),
    ] {
        assert!(seen(&[(file, text)]).services.is_empty(), "{file}");
    }
}

#[test]
fn bytes_links_and_giants_do_no_harm() {
    let temp = tree(&[("package.json", r#"{"scripts":{"start":"node a.js"}}"#)]);
    let dir = temp.path().join("My Shop");
    fs::write(dir.join("a.js"), b"\xff\xfe app.listen(3333) \xf0\x28").unwrap();
    fs::write(dir.join("b.js"), vec![b'"'; 3 << 20]).unwrap();
    fs::write(dir.join("c.js"), "ü".repeat(200_000)).unwrap();
    symlink("/", dir.join("root")).unwrap();
    symlink(".", dir.join("loop")).unwrap();
    symlink("/nowhere", dir.join("Procfile")).unwrap();
    symlink("/dev/zero", dir.join(".env")).unwrap();
    let detected = detect(&dir);
    assert_eq!(detected.services[0].port, Some(3333));
}

#[test]
fn projects_below_are_named() {
    let temp = tree(&[
        ("backend/app.py", "app.run(port=5000)"),
        (
            "frontend/package.json",
            r#"{"scripts":{"start":"node a.js"}}"#,
        ),
        ("notes/x.md", ""),
    ]);
    let dir = temp.path().join("My Shop");
    assert_eq!(detect(&dir).stack, None);
    assert_eq!(projects_below(&dir), ["backend", "frontend"]);
}

/// The manifest refuses a shared path inside another one.
#[test]
fn shared_paths_do_not_nest() {
    let detected = seen(&[
        ("composer.json", "{}"),
        ("artisan", ""),
        (
            "public/index.php",
            "<?php $db = 'storage/app/shop.db'; $other = 'data/a.db';",
        ),
    ]);
    assert_eq!(detected.shared, ["storage", "data"]);
}

/// The manifest refuses an empty list.
#[test]
fn something_is_always_shipped() {
    assert_eq!(seen(&[("Procfile", "web: nginx")]).include, ["."]);
}
