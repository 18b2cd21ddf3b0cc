//! Which of the project's files belong into a release, and which secrets it names.

use std::collections::BTreeSet;

use super::folder::{Folder, Source};
use super::stays::HOME_FILES;
use super::text::{has_word, literals};
use super::variables::{EXAMPLES, PUBLIC, is_plain};

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

/// What git leaves out (gitignore(5)).
const FILE: &str = ".gitignore";

/// Names in the folder that `.gitignore` leaves out by their plain name.
pub(super) fn ignored(folder: &Folder) -> BTreeSet<String> {
    folder
        .read(FILE)
        .unwrap_or_default()
        .lines()
        .map(|line| {
            line.trim()
                .trim_start_matches("**/")
                .trim_start_matches('/')
                .trim_end_matches(['/', '*'])
        })
        .map(|line| line.trim_end_matches('/'))
        .filter(|line| !line.is_empty() && !line.starts_with(['#', '!']))
        .map(str::to_owned)
        .collect()
}

/// What to say where `lock`, the file that locks the dependencies, is not there.
pub(super) fn no_lock(folder: &Folder, lock: &str) -> String {
    match ignored(folder).contains(lock) {
        true => format!(
            "{FILE} leaves {lock} out, so two builds may differ: take that line out, and commit the file"
        ),
        false => format!("there is no {lock}: two builds may differ; commit one"),
    }
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

/// Parts of names that say that a value is secret.
const SECRET: &[&str] = &[
    "SECRET",
    "TOKEN",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "CREDENTIAL",
    "PRIVATE",
    "API_KEY",
    "APIKEY",
    "ACCESS_KEY",
    "AUTH_KEY",
    "ENCRYPTION_KEY",
    "MASTER_KEY",
    "APP_KEY",
    "SIGNING_KEY",
    "DATABASE_URL",
    "DB_URL",
    "REDIS_URL",
    "MONGO_URL",
    "MONGO_URI",
    "MONGODB_URI",
    "AMQP_URL",
    "SENTRY_DSN",
    "DATABASE_DSN",
];

/// Names (never values) that `.env` or its example sets and that are plainly those of secrets.
pub(super) fn dotenv_names(folder: &Folder) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for file in [".env", ".env.production"].iter().chain(EXAMPLES) {
        for line in folder.read(file).unwrap_or_default().lines() {
            let line = line.trim();
            let line = line.strip_prefix("export ").unwrap_or(line);
            let Some((name, _)) = line.split_once('=') else {
                continue;
            };
            let name = name.trim();
            if is_secret(name) && !names.iter().any(|other| other == name) {
                names.push(name.to_owned());
            }
        }
    }
    names
}

/// Whether a variable of this name plainly holds a secret.
pub(super) fn is_secret(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && name.chars().all(plain)
        && !PUBLIC.iter().any(|start| name.starts_with(start))
        && !is_plain(name)
        && SECRET.iter().any(|part| name.contains(part))
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
    fn secrets_are_known_by_their_names() {
        for name in [
            "SECRET_KEY_BASE",
            "STRIPE_API_KEY",
            "DATABASE_URL",
            "SMTP_PASSWORD",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "APP_NAME",
            "LOG_LEVEL",
            "NEXT_PUBLIC_API_KEY",
            "MAIL_FROM",
            "JWT_MAXAGE",
            "TOKEN_EXPIRES_IN",
            "PASSWORD_MIN_LENGTH",
            "SECRET_ROTATION_DAYS",
            "ACCESS_TOKEN_EXPIRE_MINUTES",
            "TOKEN_COOKIE_NAME",
            "PORT",
            "secret",
            "A B",
        ] {
            assert!(!is_secret(name), "{name}");
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
