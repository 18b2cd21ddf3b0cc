//! What a release holds, and the steps that make it.

use super::{seen, seen_in};

const FLASK: &[(&str, &str)] = &[
    ("requirements.txt", "flask==3\n"),
    ("README.md", "x"),
    ("CHANGELOG.md", "x"),
    ("docs/terms.html", "x"),
    ("docs/index.rst", "x"),
    ("credentials.json", "x"),
    ("server.key", "x"),
];

fn excluded(app: &str) -> Vec<String> {
    let app = format!("from flask import Flask\napp = Flask(__name__)\n{app}\n");
    seen(&[FLASK, &[("app.py", app.as_str())]].concat()).exclude
}

#[test]
fn a_document_that_the_sources_open_is_released() {
    for (app, name) in [
        ("(BASE / 'CHANGELOG.md').open()", "CHANGELOG.md"),
        ("open('./CHANGELOG.md')", "CHANGELOG.md"),
        ("open('../CHANGELOG.md')", "CHANGELOG.md"),
        ("open(f'{HERE}/CHANGELOG.md')", "CHANGELOG.md"),
        ("open('docs/terms.html')", "docs"),
    ] {
        let exclude = excluded(app);
        let is_out = |name: &str| {
            let exact = format!("/{name}");
            let all = format!("/*{}", &name[name.find('.').unwrap_or(name.len())..]);
            exclude.contains(&exact) || name.contains('.') && exclude.contains(&all)
        };
        assert!(!is_out(name), "{app}: {exclude:?}");
        assert!(is_out("README.md"), "{app}: {exclude:?}");
    }
}

#[test]
fn other_words_open_nothing() {
    for app in [
        "x = 'docs'",
        "@app.route('/docs/other')",
        "url = 'https://example.com/CHANGELOG.md'",
        "# open('CHANGELOG.md')",
        "open('credentials.json'); open('server.key')",
    ] {
        let exclude = excluded(app);
        for pattern in ["/*.md", "/docs", "/credentials.json", "/*.key"] {
            let has = exclude.iter().any(|own| own == pattern);
            assert!(has, "{app}: {pattern} of {exclude:?}");
        }
    }
    // What only a person starts reads for itself.
    let files = [
        FLASK,
        &[
            ("setup.py", "open('README.md')"),
            ("app.py", "from flask import Flask\napp = Flask(__name__)"),
        ],
    ];
    assert!(seen(&files.concat()).exclude.contains(&"/*.md".to_owned()));
}

#[test]
fn no_step_is_there_twice() {
    let package = r#"{"scripts":{"build":"gulp build"},"devDependencies":{"gulp":"5"}}"#;
    let (found, _temp) = seen_in(&[
        ("package.json", package),
        ("package-lock.json", "{}"),
        ("dist/index.html", "x"),
    ]);
    assert_eq!(found.build.run, ["npm ci", "npm run build"]);
}

#[test]
fn a_folder_of_tools_that_the_app_loads_is_released() {
    let is_out = |files: &[(&str, &str)]| {
        let excluded = seen(files).exclude;
        excluded.iter().any(|pattern| pattern == "/scripts")
    };
    let package = ("package.json", r#"{"dependencies":{"express":"4"}}"#);
    let script = ("scripts/manifest.js", "");
    let alone = ("server.js", "app.listen(3000)");
    let loads = (
        "server.js",
        "require('./scripts/manifest')\napp.listen(3000)",
    );
    assert!(is_out(&[package, script, alone]));
    assert!(!is_out(&[package, script, loads]));
    let python = [
        ("requirements.txt", "flask==3.0\n"),
        ("scripts/tools.py", ""),
        (
            "app.py",
            "from flask import Flask\nfrom scripts.tools import x\napp = Flask(__name__)\n",
        ),
    ];
    assert!(!is_out(&python));
}
