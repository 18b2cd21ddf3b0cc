//! What `release.shared` names: folders and files that survive releases.

use std::path::{Path, PathBuf};

/// An entry of `release.shared`, relative to `shared/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// Made as an empty folder.
    Folder(PathBuf),
    /// Made as an empty file, for the app or a person to fill.
    File(PathBuf),
}

/// Words in names of hidden files in which apps keep what they sign with.
const SECRETS: [&str; 5] = ["key", "password", "salt", "secret", "token"];

impl Entry {
    /// Reads an entry. One that ends with a slash is a folder; one whose last part has an
    /// extension (`db.sqlite3`, `config/app.yml`) or is `.env` or begins with `.env.` is a file, and
    /// so is a hidden secret (`.secret_key`); anything else (`uploads`, `.cache`) is a folder.
    #[must_use]
    pub fn parse(entry: &str) -> Self {
        let path = Path::new(entry.trim_end_matches('/')).to_owned();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_secret = name.starts_with('.') && SECRETS.iter().any(|word| name.contains(word));
        let is_file =
            path.extension().is_some() || name == ".env" || name.starts_with(".env.") || is_secret;
        if is_file && !entry.ends_with('/') {
            Self::File(path)
        } else {
            Self::Folder(path)
        }
    }

    /// Where it is, relative to `shared/`.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Folder(path) | Self::File(path) => path,
        }
    }
}

/// The entries and the folders that they are in, parents first, each once.
#[must_use]
pub fn entries(shared: &[String]) -> Vec<Entry> {
    let mut all = Vec::new();
    for entry in shared {
        let entry = Entry::parse(entry);
        let mut parents: Vec<_> = entry
            .path()
            .ancestors()
            .skip(1)
            .map(Path::to_owned)
            .collect();
        parents.retain(|parent| !parent.as_os_str().is_empty());
        all.extend(parents.into_iter().rev().map(Entry::Folder));
        all.push(entry);
    }
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|entry| seen.insert(entry.path().to_owned()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_folders_unless_they_look_like_files() {
        let shared = [
            "uploads",
            "data/db.sqlite3",
            "data/x.d/",
            ".env",
            ".cache",
            "uploads/",
            ".app_secret_key",
            ".keys/",
        ];
        let shared: Vec<String> = shared.iter().map(|entry| (*entry).to_owned()).collect();
        let folder = |path: &str| Entry::Folder(path.into());
        let file = |path: &str| Entry::File(path.into());
        let expected = [
            folder("uploads"),
            folder("data"),
            file("data/db.sqlite3"),
            folder("data/x.d"),
            file(".env"),
            folder(".cache"),
            file(".app_secret_key"),
            folder(".keys"),
        ];
        assert_eq!(entries(&shared), expected);
    }
}
