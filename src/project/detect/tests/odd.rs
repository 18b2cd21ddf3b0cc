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

#[test]
fn a_port_in_a_script_for_browsers_is_not_the_apps() {
    let detected = seen(&[
        (
            "package.json",
            r#"{"scripts": {"start": "NODE_ENV=staging node app.js"}}"#,
        ),
        ("app.js", "require('sails').lift(process.env.PORT)"),
        (
            "assets/dependencies/io.js",
            "io.connect(isSecure ? 443 : 80); app.listen(80)",
        ),
    ]);
    assert_eq!(detected.services[0].port, Some(8080));
    assert_eq!(detected.env["NODE_ENV"], "staging");
}

/// Where no runtime is pinned, a host's shims read them.
#[test]
fn version_files_are_released() {
    let detected = seen(&[
        ("app.py", "print()"),
        (".git/HEAD", ""),
        (".python-version", "3.13.0\n"),
        (".tool-versions", "python 3.13.0\n"),
        (".editorconfig", ""),
    ]);
    let stays = |name: &str| detected.exclude.iter().any(|path| path == name);
    assert!(stays("/.editorconfig"), "{:?}", detected.exclude);
    let versions = ["/.*", "/.python-version", "/.tool-versions"];
    assert!(!versions.into_iter().any(stays), "{:?}", detected.exclude);
}

/// The manifest refuses an empty list.
#[test]
fn something_is_always_shipped() {
    assert_eq!(seen(&[("Procfile", "web: nginx")]).include, ["."]);
}

#[test]
fn what_is_kept_in_a_folder_that_nobody_knows_is_noted() {
    let detected = seen(&[
        (
            "app.py",
            "import os\nfrom flask import Flask\napp = Flask(__name__)\n\
             DB = os.path.join(load()['dir'], 'shop.db')\n",
        ),
        ("requirements.txt", "flask\ngunicorn\n"),
    ]);
    assert_eq!(detected.shared, [""; 0]);
    let noted = |note: &String| note.starts_with("the app seems to keep shop.db (app.py)");
    assert!(detected.notes.iter().any(noted), "{:?}", detected.notes);
}

#[test]
fn a_folder_of_sources_is_not_shared_for_its_database() {
    let open = "const path = require('path');\nopen(path.join(__dirname, 'x.db'));\n\
                require('http').createServer().listen(3000);\n";
    for (there, shared) in [
        (vec![("src/db.js", open)], vec!["src/x.db"]),
        (vec![("src/db.js", open), ("src/x.db", "")], vec![]),
        (vec![("a.js", "open('data/x.db')")], vec!["data"]),
        (
            vec![("a.js", "open('data/x.db')"), ("data/.gitkeep", "")],
            vec!["data"],
        ),
        (
            vec![("a.js", "open('data/x.db')"), ("data/list.json", "")],
            vec!["data/x.db"],
        ),
        (
            vec![
                ("a.js", "open('var/x.db')"),
                ("var/list.json", ""),
                (".gitignore", "/var/\n"),
            ],
            vec!["var"],
        ),
    ] {
        let package = ("package.json", r#"{"scripts": {"start": "node a.js"}}"#);
        let files: Vec<_> = [package].into_iter().chain(there).collect();
        assert_eq!(seen(&files).shared, shared, "{files:?}");
    }
}

#[test]
fn a_folder_of_data_that_git_leaves_out_survives() {
    let shared = |ignored: &str, main: &str| {
        seen(&[
            (
                "package.json",
                r#"{"scripts":{"start":"node a.js"},"dependencies":{"express":"5"}}"#,
            ),
            ("a.js", &format!("{main}\napp.listen(3000)")),
            (".gitignore", ignored),
        ])
        .shared
    };
    let main = "const files = path.join(config.root, 'user-files')\nfs.readdirSync(files)";
    assert_eq!(shared("user-files\n", main), ["user-files"]);
    assert_eq!(shared("**/user-files/\n", main), ["user-files"]);
    assert_eq!(shared("node_modules\n", main), [""; 0], "git has it");
    assert_eq!(
        shared("client-dist\n", &main.replace("user-files", "client-dist")),
        [""; 0]
    );
    assert_eq!(shared("other-files\n", main), [""; 0]);
}
