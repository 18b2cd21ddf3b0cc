//! Version files against what is pinned.

use std::collections::BTreeMap;

use super::{project, told};
use crate::model::FailureKind;
use crate::model::version::Version;
use crate::runtime::disagreement::{check, not_compared};
use crate::runtime::lock::{Lock, Pin};

const PINNED: &[(&str, &str)] = &[
    ("node", "20.11.1"),
    ("python", "3.12.3"),
    ("go", "1.22.1"),
    ("bun", "1.1.38"),
    ("java", "21.0.2+13"),
];

const RUNTIMES: &str = "node = \"20\"\npython = \"3.12\"\ngo = \"1.22\"\nbun = \"1\"\njava = \"21\"\n\
                        ruby = { version = \"3.3\", source = \"host\" }\n\
                        rust = { version = \"1.75.0\", source = \"host\" }\n";

/// What is said about one version file.
fn verdict(file: &str, text: &str) -> Result<(), String> {
    let dir = tempfile::tempdir().unwrap();
    let project = project(dir.path(), RUNTIMES);
    std::fs::write(dir.path().join(file), text).unwrap();
    let pinned = PINNED.iter();
    let versions: BTreeMap<String, Version> = pinned
        .map(|(name, version)| ((*name).to_owned(), Version::parse(version).unwrap()))
        .collect();
    check(&project, &versions).map_err(|failure| {
        assert_eq!(failure.kind, FailureKind::Project);
        told(&failure, dir.path())
    })
}

#[test]
fn files_that_say_the_same_are_fine() {
    for (file, text) in [
        (".nvmrc", "20\n"),
        (".nvmrc", "v20.11.1"),
        (".nvmrc", "# ours\nlts/*\n"),
        (".nvmrc", "node"),
        (".nvmrc", "lts/iron"),
        (".nvmrc", "lts/later"),
        (".tool-versions", "nodejs lts-iron\n"),
        (".node-version", "20.11"),
        (".node-version", "system"),
        (".python-version", "3.12\n3.11\n"),
        (".python-version", "pypy3.10"),
        (".ruby-version", "ruby-3.3.5"),
        (".go-version", "1.22.1"),
        (
            ".tool-versions",
            "nodejs 20.11.1 18.0.0\ngolang 1.22.1 # the same\njava temurin-21.0.2+13.0.LTS\nelixir 1.1\n",
        ),
        (
            ".tool-versions",
            "python path:/opt/python\nnodejs ref:v18\n",
        ),
        (
            "mise.toml",
            "[tools]\nnode = \"20\"\npython = { version = \"3.12\" }\ngo = [\"1.22\", \"1.18\"]\n\"core:bun\" = \"latest\"\n",
        ),
        ("rust-toolchain.toml", "[toolchain]\nchannel = \"stable\"\n"),
        ("rust-toolchain.toml", "[toolchain]\nchannel = \"1.75.0\"\n"),
        ("rust-toolchain", "1.75.0\n"),
        ("go.mod", "module x\n\ngo 1.21\n\ntoolchain go1.22.1\n"),
        ("go.mod", "module x\ngo 1.22.1 // as CI\ntoolchain local\n"),
        (
            "package.json",
            r#"{"engines":{"node":">=18","npm":"99"},"volta":{"node":"20.11.1","npm":"9.0.0"}}"#,
        ),
        (
            "package.json",
            r#"{"packageManager":"pnpm@8.0.0","devEngines":{"runtime":{"name":"node","version":"^20"}}}"#,
        ),
        ("package.json", r#"{"engines":["node >= 99"]}"#),
        ("package.json", "no json"),
        ("pyproject.toml", "[project]\nrequires-python = \">=3.9\"\n"),
        ("pyproject.toml", "[tool.x]\n"),
    ] {
        assert_eq!(verdict(file, text), Ok(()), "{file}: {text}");
    }
}

#[test]
fn both_places_are_shown() {
    let mut all = String::new();
    for (file, text) in [
        (".nvmrc", "# as always\n18\n"),
        (".nvmrc", "lts/jod\n"),
        (".nvmrc", "lts/hydrogen\n"),
        (".node-version", "v20.11.0\n"),
        (".python-version", "3.11.9\n"),
        (".ruby-version", "3.2.1\n"),
        (".go-version", "1.21\n"),
        (".tool-versions", "nodejs 18.20.8\npython 3.12.3\n"),
        (".tool-versions", "nodejs lts-jod\n"),
        ("mise.toml", "[tools]\nnode = { version = \"18\" }\n"),
        (".mise.toml", "[tools]\nbun = [\"1.0\"]\n"),
        ("rust-toolchain.toml", "[toolchain]\nchannel = \"1.74.1\"\n"),
        ("go.mod", "module x\n\ngo 1.23\n"),
        ("go.mod", "module x\n\ngo 1.21\n\ntoolchain go1.22.3\n"),
        (
            "package.json",
            "{\n  \"engines\": { \"node\": \">=22\" }\n}\n",
        ),
        (
            "package.json",
            "{\n  \"volta\": { \"node\": \"18.20.8\" }\n}\n",
        ),
        (
            "package.json",
            "{\n  \"devEngines\": { \"runtime\": [{ \"name\": \"bun\", \"version\": \"^1.2\" }] }\n}\n",
        ),
        (
            "package.json",
            "{ \"packageManager\": \"bun@1.0.0+sha256.00\" }\n",
        ),
        (
            "pyproject.toml",
            "[project]\nname = \"x\"\nrequires-python = \">=3.13\"\n",
        ),
    ] {
        let said = verdict(file, text).expect_err(file);
        all.push_str(&said);
        all.push('\n');
    }
    insta::assert_snapshot!(all);
}

#[test]
fn all_of_them_are_told_at_once() {
    let text =
        "{\n  \"engines\": { \"node\": \"^18\" },\n  \"volta\": { \"node\": \"18.20.8\" }\n}\n";
    insta::assert_snapshot!(verdict("package.json", text).unwrap_err());
}

#[test]
fn versions_without_a_fixed_meaning_are_mentioned() {
    let dir = tempfile::tempdir().unwrap();
    let project = project(dir.path(), RUNTIMES);
    let files = [
        (".nvmrc", "lts/*\n"),
        (".node-version", "system\n"),
        (".python-version", "pypy3.10\n"),
        (".ruby-version", "jruby-9.4\n"),
        (
            ".tool-versions",
            "nodejs ref:v18\ngolang latest\njava corretto-21\nelixir latest\n",
        ),
        ("mise.toml", "[tools]\nbun = \"latest\"\nnode = \"20\"\n"),
        ("package.json", r#"{"engines":{"node":"lts/iron"}}"#),
    ];
    for (file, text) in files {
        std::fs::write(dir.path().join(file), text).unwrap();
    }
    let pins = PINNED.iter().map(|(name, version)| {
        let pin = Pin {
            request: String::new(),
            version: (*version).to_owned(),
            platforms: BTreeMap::new(),
            packages: Vec::new(),
        };
        ((*name).to_owned(), pin)
    });
    let lock = Lock {
        runtimes: pins.collect(),
    };
    assert_eq!(
        not_compared(&project, &lock),
        [
            "`lts/*` in .nvmrc is not compared with the pinned node 20.11.1",
            "`system` in .node-version is not compared with the pinned node 20.11.1",
            "`pypy3.10` in .python-version is not compared with the pinned python 3.12.3",
            "`jruby-9.4` in .ruby-version is not compared with ruby 3.3 of ship.toml",
            "`ref:v18` in .tool-versions is not compared with the pinned node 20.11.1",
            "`latest` in .tool-versions is not compared with the pinned go 1.22.1",
            "`corretto-21` in .tool-versions is not compared with the pinned java 21.0.2+13",
            "`latest` in mise.toml is not compared with the pinned bun 1.1.38",
        ]
    );
}
