//! Front ends in folders below, and what old builders and frameworks need.

use std::collections::BTreeMap;

use super::super::{Detected, settle};
use super::seen;
use crate::model::version::Version;

const REACT: (&str, &str) = (
    "web/package.json",
    r#"{"scripts":{"build":"react-scripts build"},"dependencies":{"react-scripts":"4.0.3"}}"#,
);
const LOCK: (&str, &str) = ("web/package-lock.json", "{}");
const VITE: (&str, &str) = (
    "web/package.json",
    r#"{"scripts":{"build":"vite build"},"devDependencies":{"vite":"6"}}"#,
);
const NODE: (&str, &str) = (
    "package.json",
    r#"{"scripts":{"start":"node api.js"},"dependencies":{"express":"4"}}"#,
);

#[test]
fn a_front_end_that_the_app_hands_out_is_built_and_released() {
    let node = seen(&[
        NODE,
        ("package-lock.json", "{}"),
        (
            "api.js",
            "app.use(express.static(path.join(__dirname, 'web', 'build')))\napp.listen(3000)",
        ),
        // Its port is not the app's, nor are its files.
        (
            "web/src/setupProxy.js",
            "http.createServer(proxy).listen(9999)",
        ),
        REACT,
        LOCK,
    ]);
    assert_eq!(
        node.build.run,
        [
            "npm ci --omit=dev",
            "cd web && npm ci",
            "cd web && npm run build"
        ]
    );
    assert_eq!(node.include, [".", "node_modules", "web/build"]);
    assert_eq!(node.services[0].port, Some(3000));

    let python = seen(&[
        ("requirements.txt", "flask==3.0\ngunicorn==23\n"),
        (
            "app.py",
            "from flask import Flask\napp = Flask(__name__, static_folder=\"web/dist\")\n",
        ),
        VITE,
        LOCK,
    ]);
    assert_eq!(
        python.build.run[..2],
        ["cd web && npm ci", "cd web && npm run build"]
    );
    assert_eq!(python.include, [".", "vendor", "web/dist"]);
    assert!(python.runtimes.iter().any(|runtime| runtime.name == "node"));

    // What is built into a program is not released beside it.
    let go = seen(&[
        ("go.mod", "module shop\n\ngo 1.22\n"),
        (
            "main.go",
            "package main\n\nimport \"net/http\"\n\nfunc main() { http.ListenAndServe(\":8080\", nil) }\n",
        ),
        (
            "web/embed.go",
            "package web\n\nimport \"embed\"\n\n//go:embed all:dist\nvar Files embed.FS\n",
        ),
        VITE,
        LOCK,
    ]);
    assert_eq!(
        go.build.run[..2],
        ["cd web && npm ci", "cd web && npm run build"]
    );
    assert_eq!(go.include, ["bin/shop"]);
}

#[test]
fn a_front_end_that_lands_among_the_apps_files_needs_nobody_to_name_it() {
    let seen = seen(&[
        NODE,
        (
            "api.js",
            "app.use(express.static('public'))\napp.listen(3000)",
        ),
        VITE,
        LOCK,
        (
            "web/vite.config.js",
            "export default { build: { outDir: '../public' } }",
        ),
    ]);
    assert!(
        seen.build
            .run
            .contains(&"cd web && npm run build".to_owned())
    );
    assert!(seen.include.contains(&"public".to_owned()));
}

#[test]
fn a_front_end_that_a_script_builds_is_not_built_twice() {
    let seen = seen(&[
        (
            "package.json",
            r#"{"scripts":{"start":"node api.js","build":"npm run build-web","build-web":"cd web && npm ci && npm run build"},"dependencies":{"express":"4"}}"#,
        ),
        ("package-lock.json", "{}"),
        (
            "api.js",
            "app.use(express.static('web/build'))\napp.listen(3000)",
        ),
        REACT,
        LOCK,
    ]);
    assert_eq!(seen.build.run, ["npm ci", "npm run build"]);
    assert!(seen.include.contains(&"web/build".to_owned()));
}

#[test]
fn a_front_end_that_nobody_names_is_told() {
    let told = |files: &[(&str, &str)]| {
        let seen = seen(files);
        assert!(!seen.build.run.iter().any(|step| step.contains("web")));
        seen.notes
            .iter()
            .any(|note| note.starts_with("web/ is a front end of its own (Vite)"))
    };
    let api = ("api.js", "app.listen(3000)");
    assert!(told(&[NODE, api, VITE, LOCK]));
    // One that a workspace has as a member is built there.
    let root = r#"{"workspaces":["web"],"scripts":{"start":"node api.js"},"dependencies":{"express":"4"}}"#;
    assert!(!told(&[
        ("package.json", root),
        api,
        ("web/package.json", "{}")
    ]));
}

#[test]
fn webpack_4_has_its_option_where_node_knows_it() {
    let files = [
        (
            "package.json",
            r#"{"scripts":{"build":"react-scripts build"},"dependencies":{"react-scripts":"4.0.3","react-router-dom":"5"}}"#,
        ),
        ("package-lock.json", "{}"),
        ("public/index.html", ""),
    ];
    let option = |version: &str, more: &[(&str, &str)]| {
        let mut detected: Detected = seen(&[&files[..], more].concat());
        let here = [("node".to_owned(), Version::parse(version).unwrap())];
        settle(&mut detected, &BTreeMap::from(here));
        detected.build.env.get("NODE_OPTIONS").cloned()
    };
    let legacy = Some("--openssl-legacy-provider".to_owned());
    assert_eq!(option("20.1.0", &[]), legacy);
    assert_eq!(option("16.20.2", &[]), None);
    assert_eq!(option("20.1.0", &[(".nvmrc", "14\n")]), None);
    assert_eq!(option("16.20.2", &[(".nvmrc", "18\n")]), legacy);
}

#[test]
fn forms_are_told_their_address_on_this_machine() {
    let seen = seen(&[(
        "package.json",
        r#"{"scripts":{"build":"vite build"},"devDependencies":{"@sveltejs/kit":"2","@sveltejs/adapter-node":"5","vite":"6"}}"#,
    )]);
    let origin = seen.local_env.get("ORIGIN").map(String::as_str);
    assert_eq!(origin, Some("http://localhost:3000"));
}

#[test]
fn commands_are_those_of_the_pinned_versions() {
    let command = |requirements: &str| {
        let seen = seen(&[
            ("requirements.txt", requirements),
            (
                "app.py",
                "from flask import Flask\ndef create_app():\n    return Flask(__name__)\n",
            ),
        ]);
        seen.services[0].command.clone().unwrap()
    };
    let rest = "run --host 0.0.0.0 --port $PORT";
    let old = format!("FLASK_APP=app:create_app python3 -m flask {rest}");
    assert_eq!(command("Flask==2.1.2\n"), old);
    assert!(command("Flask==2.2.0\n").starts_with("python3 -m flask --app "));
    assert!(command("Flask\n").starts_with("python3 -m flask --app "));
    assert!(
        command("Flask==1.1\ngunicorn==19.9.0\n").starts_with("python3 -m gunicorn.app.wsgiapp ")
    );
    assert!(command("Flask==1.1\ngunicorn==20.1\n").starts_with("python3 -m gunicorn "));
}

#[test]
fn a_data_file_among_the_apps_files_is_shared_unless_another_takes_its_name() {
    let shared = |source: &str| {
        let seen = seen(&[
            ("package.json", r#"{"dependencies":{"express":"4"}}"#),
            ("server.js", source),
            ("notes.json", "[]"),
        ]);
        let notes = seen.notes.iter();
        (
            seen.shared.clone(),
            notes
                .filter(|note| note.contains("holds nothing else"))
                .count(),
        )
    };
    let listen = "\napp.listen(3000)";
    let in_place = format!("fs.writeFileSync('notes.json', text){listen}");
    assert_eq!(shared(&in_place), (vec!["notes.json".to_owned()], 0));
    let renamed = format!("new Low(new JSONFile('notes.json')){listen}");
    assert_eq!(shared(&renamed), (vec![], 1));
    let code = format!("fs.writeFileSync('routes.js', text){listen}");
    assert_eq!(shared(&code), (vec![], 1));
}

#[test]
fn pages_beside_an_app_are_not_the_project() {
    let page = ("site/index.html", "");
    let go = [
        ("api/go.mod", "module api\n"),
        ("api/main.go", "package main\nfunc main() {}\n"),
    ];
    assert_eq!(seen(&[page]).services.len(), 1);
    assert_eq!(seen(&[page, go[0], go[1]]).stack, None);
    // A root with a page of its own is a site, whatever lies below.
    assert_eq!(seen(&[("index.html", ""), go[0], go[1]]).services.len(), 1);
}

#[test]
fn pages_that_ask_each_visitors_own_machine_are_told() {
    let asks = |line: &str| {
        let seen = seen(&[
            (
                "package.json",
                r#"{"scripts":{"build":"vite build"},"devDependencies":{"vite":"6","vue":"3"}}"#,
            ),
            ("src/Books.vue", line),
            ("vite.config.js", "proxy: 'http://localhost:5001'"),
        ]);
        seen.notes
            .iter()
            .any(|note| note.contains("each visitor's own machine"))
    };
    assert!(asks("const path = 'http://localhost:5001/books';"));
    assert!(!asks(
        "const path = import.meta.env.VITE_API || 'http://localhost:5001';"
    ));
    assert!(!asks("const path = '/books';"));
    let set = seen(&[
        (
            "package.json",
            r#"{"scripts":{"build":"react-scripts build"},"dependencies":{"react-scripts":"5.0.1"}}"#,
        ),
        (".env", "REACT_APP_BASE_API_URL=http://localhost:5000\n"),
        ("public/index.html", ""),
    ]);
    assert!(
        set.notes
            .iter()
            .any(|note| note.starts_with(".env asks http://localhost:5000"))
    );
}

#[test]
fn an_app_that_hands_out_the_site_beside_it_is_the_project() {
    let site = [
        (
            "package.json",
            r#"{"scripts":{"build":"vite build"},"devDependencies":{"vite":"6","vue":"3"}}"#,
        ),
        ("package-lock.json", "{}"),
        (
            "vite.config.js",
            "export default defineConfig({ root: \"client\", build: {} })",
        ),
        ("requirements.txt", "fastapi==0.115\nuvicorn==0.30\n"),
    ];
    let app = |serves: &str| format!("from fastapi import FastAPI\napp = FastAPI()\n{serves}\n");
    let serves = app("app.mount('/', StaticFiles(directory='client/dist'))");
    let found = seen(&[&site[..], &[("server/main.py", serves.as_str())]].concat());
    assert_eq!(found.stack, Some(super::super::Stack::Python));
    assert_eq!(found.build.run[..2], ["npm ci", "npm run build"]);
    assert_eq!(found.include, [".", "vendor", "client/dist"]);
    let alone = app("");
    let found = seen(&[&site[..], &[("server/main.py", alone.as_str())]].concat());
    assert_eq!(found.services[0].static_dir.as_deref(), Some("client/dist"));
}
