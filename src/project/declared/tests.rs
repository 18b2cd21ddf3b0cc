//! What the files of other tools name.

use proptest::prelude::*;

use super::{FILES, Role, declared};

/// What one file names: runtime, request, whether it is a choice, and what its span covers.
fn named(file: &str, text: &str) -> Vec<String> {
    let found = declared(|name| (name == file).then(|| text.to_owned()));
    let found = found.iter();
    found
        .map(|found| {
            let role = match found.role {
                Role::Choice => "runs",
                Role::Constraint => "needs",
            };
            let at = &found.source.text[found.span.clone()];
            let read = if found.request.is_some() {
                ""
            } else {
                " (not understood)"
            };
            format!("{role} {} {} at {at}{read}", found.runtime, found.asks)
        })
        .collect()
}

#[test]
fn every_format_is_read() {
    let mut all = String::new();
    for (file, text) in [
        (".nvmrc", "\u{feff}# comment\n\n  v20.11.1  # LTS\n18\n"),
        (".node-version", "20\r\n"),
        (".python-version", "cpython-3.12.1\n3.11\n"),
        (".ruby-version", "ruby-3.3.0\n"),
        (".ruby-version", "jruby-9.4\n"),
        (".go-version", "go1.22.1"),
        (
            ".tool-versions",
            "# tools\nnodejs 20.11.1 18.0.0\ngolang 1.22.1\njava temurin-21.0.2+13.0.LTS\nnode\nBad! 1\nphp system\n",
        ),
        (
            "mise.toml",
            "[tools]\nnode = \"lts\"\npython = [\"3.12\", \"3.11\"]\n\"core:go\" = { version = \"prefix:1.22\" }\nx = 1\ny = []\n\"npm:prettier\" = \"3\"\n",
        ),
        ("rust-toolchain.toml", "[toolchain]\nchannel = \"1.75\"\n"),
        ("rust-toolchain", "1.75.0\n"),
        ("rust-toolchain", "nightly-2024-01-01\n"),
        (
            "package.json",
            r#"{"volta":{"node":"20.11.1","yarn":"1.22.0","extends":"../x"},"engines":{"node":">=18 <21","npm":"9"},"devEngines":{"runtime":[{"name":"node","version":"^20"},{"name":"x"}],"packageManager":{"name":"bun","version":"1.x"}},"packageManager":"bun@1.1.38+sha224.x"}"#,
        ),
        (
            "package.json",
            r#"{"engines":{"node":20},"volta":[],"devEngines":{"runtime":"node"},"packageManager":1}"#,
        ),
        (
            "package.json",
            "\u{feff}{\"engines\": {\"node\": \"^20 || ^22\"}}",
        ),
        (
            "pyproject.toml",
            "[project]\nrequires-python = \">=3.12,<4\"\n",
        ),
        (
            "Pipfile",
            "[packages]\nflask = \"*\"\n[requires]\npython_version = \"3.11\"\npython_full_version = \"3.11.4\"\n",
        ),
        ("Pipfile", "[requires]\npython_version = \"3.12\"\n"),
        ("runtime.txt", "python-3.9.18\n"),
        ("runtime.txt", "a list of words\n"),
        (
            "go.mod",
            "module x // go 1.1\n\ngo 1.21 // floor\ntoolchain go1.22.1\nrequire (\n\tgo 1.0\n)\n",
        ),
        (".bun-version", "1.1.38\n"),
        (".java-version", "21.0.2\n"),
        (
            "pom.xml",
            "<project><properties>\n<java.version>17</java.version>\n",
        ),
        (
            "pom.xml",
            "<maven.compiler.target> 1.8 </maven.compiler.target>",
        ),
        ("pom.xml", "<java.version>${jdk}</java.version>"),
        (
            "build.gradle",
            "java {\n toolchain {\n  languageVersion = JavaLanguageVersion.of(21)\n",
        ),
        ("build.gradle", "sourceCompatibility = '11'\n"),
        (
            "build.gradle.kts",
            "kotlin { jvmToolchain(17) }\njava.sourceCompatibility = JavaVersion.VERSION_1_8",
        ),
    ] {
        all.push_str(&format!("{file}\n"));
        for line in named(file, text) {
            all.push_str(&format!("  {line}\n"));
        }
    }
    insta::assert_snapshot!(all);
}

#[test]
fn what_cannot_be_read_names_nothing() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join(".nvmrc")).unwrap();
    std::fs::write(dir.path().join(".node-version"), b"\xff\xfe").unwrap();
    std::fs::write(dir.path().join("package.json"), " ".repeat(2 << 20)).unwrap();
    assert_eq!(super::declared_in(dir.path()), []);
    assert_eq!(super::declared_in(&dir.path().join("nowhere")), []);
}

proptest! {
    #[test]
    fn no_text_breaks_a_reader(
        text in prop_oneof![
            ".{0,120}",
            "(\\[?(tools|toolchain|project)\\]?|node|go|toolchain|channel|requires-python|<java.version>|VERSION_|1_|=|\"|\\{|\\}|\\[|\\]|20|3\\.1|:|,|\n| |#|volta|engines|@){0,30}",
        ],
    ) {
        for (file, _) in FILES {
            // Looks at what the span covers, too.
            named(file, &text);
        }
    }
}
