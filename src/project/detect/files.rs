//! Which of the project's files belong into a release, and which belong to the host.

use std::collections::BTreeSet;

use super::folder::{Folder, Source, is_test};
use super::text::{has_word, literals};

/// Folders that stay at home.
const HOME_DIRS: &[&str] = &[
    "node_modules",
    "target",
    "vendor",
    "dist",
    "build",
    "out",
    "coverage",
    "test",
    "tests",
    "spec",
    "__tests__",
    "e2e",
    "cypress",
    "docs",
    "doc",
    "examples",
    "fixtures",
    "venv",
    "env",
    "__pycache__",
    "benches",
    "scripts",
    "infra",
    "terraform",
    "ansible",
    "k8s",
    "charts",
];

/// Files that stay at home: tools' settings, texts for people, and keys.
const HOME_FILES: &[&str] = &[
    "ship.toml",
    "ship.lock",
    "Dockerfile",
    "Containerfile",
    "Makefile",
    "Justfile",
    "justfile",
    "Procfile",
    "Vagrantfile",
    "tsconfig.json",
    "jsconfig.json",
    "LICENSE",
    "COPYING",
    "pytest.ini",
    "tox.ini",
    "setup.cfg",
    "setup.py",
    "mypy.ini",
    "pyproject.toml",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "bun.lockb",
    "poetry.lock",
    "uv.lock",
    "pdm.lock",
    "Pipfile",
    "Pipfile.lock",
    "credentials.json",
    "Thumbs.db",
];

/// Beginnings and ends of such files.
const HOME_STARTS: &[&str] = &[
    "README",
    "CHANGELOG",
    "CONTRIBUTING",
    "LICENSE",
    "docker-compose",
    "compose.",
    "requirements",
    "tsconfig.",
    "eslint.",
    "prettier.",
    "service-account",
    "id_rsa",
    "id_ed25519",
];
const HOME_ENDS: &[&str] = &[
    ".md",
    ".log",
    ".pem",
    ".key",
    ".p12",
    ".zip",
    ".tar.gz",
    ".tgz",
    ".sql",
    ".iml",
    ".sqlite",
    ".sqlite3",
    ".db",
    ".egg-info",
    ".pyc",
    ".code-workspace",
];

/// Settings of tools that only build or test.
const BUILD_TOOLS: &[&str] = &[
    "jest",
    "vitest",
    "vite",
    "babel",
    "webpack",
    "rollup",
    "tailwind",
    "postcss",
    "playwright",
    "cypress",
    "tsup",
    "esbuild",
    "nodemon",
    "eslint",
    "prettier",
    "stylelint",
    "commitlint",
];

/// The app's own files and folders: what a release of sources holds.
pub(super) fn own(folder: &Folder, commands: &[String], shared: &[String]) -> Vec<String> {
    let ignored = ignored(folder);
    let named = |name: &str| commands.iter().any(|command| mentions(command, name));
    let mut modules = 0;
    let mut found: Vec<String> = folder
        .names()
        .filter(|name| !name.starts_with('.'))
        .filter(|name| !shared.iter().any(|path| path == name))
        .filter(|name| named(name) || !(stays_home(folder, name) || ignored.contains(*name)))
        .inspect(|name| modules += usize::from(name.ends_with(".py")))
        .map(str::to_owned)
        .collect();
    // One module more tomorrow should not need a line here.
    if modules > 1 {
        found.retain(|name| !name.ends_with(".py"));
        found.push("*.py".to_owned());
    }
    found
}

/// The files and folders beside the sources that a compiled program opens at run time: those
/// whose names stand in its sources as text.
pub(super) fn named_in_sources(folder: &Folder, sources: &[&Source]) -> Vec<(String, String)> {
    const NEVER: &[&str] = &[
        "src",
        "target",
        "cmd",
        "internal",
        "pkg",
        "bin",
        "Cargo.toml",
        "go.mod",
    ];
    let mut found: Vec<(String, String)> = Vec::new();
    let candidates: Vec<&str> = folder
        .names()
        .filter(|name| !name.starts_with('.') && !NEVER.contains(name))
        .filter(|name| !HOME_FILES.contains(name) && !is_source_dir(folder, name, sources))
        .collect();
    for name in candidates {
        let by = sources.iter().find(|source| {
            source
                .lines()
                .filter(|line| !line.contains("include_"))
                .any(|line| {
                    literals(line).iter().any(|text| {
                        let text = text.strip_prefix("./").unwrap_or(text);
                        text == name || text.strip_prefix(name).is_some_and(|r| r.starts_with('/'))
                    })
                })
        });
        if let Some(source) = by {
            found.push((name.to_owned(), source.path.clone()));
        }
    }
    found
}

/// Whether a folder holds nothing but packages of the program itself.
fn is_source_dir(folder: &Folder, name: &str, sources: &[&Source]) -> bool {
    folder.is_dir(name)
        && ![
            "static",
            "public",
            "templates",
            "assets",
            "migrations",
            "views",
            "web",
        ]
        .contains(&name)
        && sources
            .iter()
            .any(|source| source.path.split('/').next() == Some(name) && source.path.contains('/'))
}

/// Whether a command has `name` as a path or the beginning of one.
fn mentions(command: &str, name: &str) -> bool {
    command
        .split(|c: char| c.is_whitespace() || "='\";&|".contains(c))
        .any(|word| {
            let word = word.strip_prefix("./").unwrap_or(word);
            word.strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
}

fn stays_home(folder: &Folder, name: &str) -> bool {
    if folder.is_dir(name) {
        return HOME_DIRS.contains(&name) || name.ends_with(".egg-info");
    }
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    HOME_FILES.contains(&name)
        || HOME_STARTS.iter().any(|start| name.starts_with(start))
        || HOME_ENDS.iter().any(|end| name.ends_with(end))
        || is_test(stem)
        || BUILD_TOOLS
            .iter()
            .any(|tool| stem.strip_suffix(".config") == Some(*tool))
}

/// Names in the folder that `.gitignore` leaves out by their plain name.
pub(super) fn ignored(folder: &Folder) -> BTreeSet<String> {
    folder
        .read(".gitignore")
        .unwrap_or_default()
        .lines()
        .map(|line| {
            line.trim()
                .trim_start_matches('/')
                .trim_end_matches(['/', '*'])
        })
        .map(|line| line.trim_end_matches('/'))
        .filter(|line| !line.is_empty() && !line.starts_with(['#', '!']))
        .map(str::to_owned)
        .collect()
}

/// Paths that the app writes to and that must survive a release: uploads and SQLite databases.
pub(super) fn shared(folder: &Folder, sources: &[&Source]) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for dir in ["uploads", "public/uploads", "media", "data"] {
        let named = sources.iter().find(|source| {
            source
                .lines()
                .any(|line| literals(line).iter().any(|text| is_path(text, dir)))
        });
        // `data` may just as well be read-only: only when git leaves it out.
        let kept = dir == "data" && !ignored(folder).contains(dir);
        match named {
            Some(source) if !kept => {
                found.push((dir.to_owned(), format!("{} names {dir}", source.path)));
            }
            None if dir != "media" && dir != "data" && folder.is_dir(dir) => {
                found.push((dir.to_owned(), format!("{dir}/ is there")));
            }
            _ => {}
        }
    }
    for source in sources {
        for file in source.lines().flat_map(literals).filter_map(database) {
            // Its journal lies beside it, so a folder of its own is shared as a whole.
            let path = file.rsplit_once('/').map_or(file, |(dir, _)| dir);
            if !found.iter().any(|(have, _)| have == path) {
                found.push((
                    path.to_owned(),
                    format!("{} names a database, {file}", source.path),
                ));
            }
        }
    }
    found
}

/// Whether the sources name the folder `dir`.
pub(super) fn names_path(sources: &[&Source], dir: &str) -> bool {
    sources.iter().any(|source| {
        source.lines().flat_map(literals).any(|text| {
            let text = text.strip_prefix("./").unwrap_or(text);
            text.strip_prefix(dir)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    })
}

fn is_path(text: &str, dir: &str) -> bool {
    let text = text.strip_prefix("./").unwrap_or(text);
    text.trim_end_matches('/') == dir
}

/// The relative path of a SQLite database, if `text` is one: `app.db`, `./data/app.sqlite3`,
/// `sqlite:///app.db`, `sqlite://data/app.db?mode=rwc`.
fn database(text: &str) -> Option<&str> {
    let text = text.split('?').next()?;
    let text = text.strip_prefix("file:").unwrap_or(text);
    let path = match text.strip_prefix("sqlite:") {
        Some(rest) => rest
            .strip_prefix("///")
            .or(rest.strip_prefix("//"))
            .unwrap_or(rest),
        None => text,
    };
    let path = path.strip_prefix("./").unwrap_or(path);
    let file = path.rsplit('/').next()?;
    let (stem, ext) = file.rsplit_once('.')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    (["db", "sqlite", "sqlite3"].contains(&ext)
        && !stem.is_empty()
        && file != "Thumbs.db"
        && !stem.contains("test")
        && !path.starts_with(['/', '.'])
        && !path.split('/').any(|part| part == "..")
        && path.chars().all(plain))
    .then_some(path)
}

/// Names that `.env` or its example sets; never values. `PORT` and `NODE_ENV` have places of
/// their own.
pub(super) fn dotenv_names(folder: &Folder) -> Vec<String> {
    let mut names = Vec::new();
    for file in [".env", ".env.production", ".env.example", ".env.sample"] {
        for line in folder.read(file).unwrap_or_default().lines() {
            let line = line.trim();
            let line = line.strip_prefix("export ").unwrap_or(line);
            let Some((name, _)) = line.split_once('=') else {
                continue;
            };
            let name = name.trim();
            let valid = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if valid
                && !["PORT", "NODE_ENV", "HOST"].contains(&name)
                && !names.iter().any(|n| n == name)
            {
                names.push(name.to_owned());
            }
        }
    }
    names
}

/// Whether a file of dependencies names `package` (in any of the customary spellings).
pub(super) fn requires(text: &str, package: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .any(|line| has_word(line, package) && !line.contains(&format!("-{package}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_known_by_their_names() {
        for (text, path) in [
            ("app.db", Some("app.db")),
            ("./data/app.sqlite3", Some("data/app.sqlite3")),
            ("sqlite:///shop.db", Some("shop.db")),
            ("sqlite://data/shop.db?mode=rwc", Some("data/shop.db")),
            ("/var/lib/x.db", None),
            ("../x.db", None),
            ("sqlite:////abs.db", None),
            (":memory:", None),
            ("user.name", None),
        ] {
            assert_eq!(database(text), path, "{text}");
        }
    }

    #[test]
    fn a_requirement_is_a_whole_word() {
        assert!(requires("Flask==3.0", "flask"));
        assert!(requires("fastapi[standard]>=0.1", "fastapi"));
        assert!(!requires("flask-cors==3\n# flask", "flask"));
        assert!(!requires("pytest-flask", "flask"));
    }
}
