//! The host keys that are pinned in a project: its `.ship/known_hosts` (sshd(8)).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::model::Failure;

/// The pinned keys of a project.
#[derive(Debug)]
pub struct Pins {
    path: PathBuf,
    lines: Vec<String>,
}

impl Pins {
    /// Those of the project at `project`.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn read(project: &Path) -> Result<Self, Failure> {
        let path = project.join(".ship/known_hosts");
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.map_err(|error| crate::agent::disk::named(error, &path))?,
        };
        Ok(Self {
            path,
            lines: text.lines().map(str::to_owned).collect(),
        })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is pinned for the name of `line`, as lines of that name alone.
    #[must_use]
    pub fn same_name(&self, line: &str) -> Vec<String> {
        let (name, _) = split(line);
        let of_name = |pinned: &String| {
            let (names, key) = split(pinned);
            names
                .split(',')
                .any(|one| one == name)
                .then(|| format!("{name} {key}"))
        };
        self.lines.iter().filter_map(of_name).collect()
    }

    /// Whether the key of `line` is pinned for its name.
    #[must_use]
    pub fn has(&self, line: &str) -> bool {
        self.same_name(line).iter().any(|pinned| same(pinned, line))
    }

    /// Pins the keys of `lines` too.
    pub fn add(&mut self, lines: &[String]) {
        for line in lines {
            if !self.has(line) {
                self.lines.push(line.clone());
            }
        }
    }

    /// Forgets what is pinned for the name of `line`.
    pub fn forget(&mut self, line: &str) {
        let (name, _) = split(line);
        let without = |pinned: &String| {
            let (names, key) = split(pinned);
            let names: Vec<&str> = names.split(',').filter(|one| *one != name).collect();
            (!names.is_empty()).then(|| format!("{} {key}", names.join(",")))
        };
        // A comment has no key, and is kept as it is.
        let keep = |line: &String| match split(line) {
            ("", _) | (_, "") => Some(line.clone()),
            _ => without(line),
        };
        self.lines = self.lines.iter().filter_map(keep).collect();
    }

    /// Writes the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self) -> Result<(), Failure> {
        let text = format!("{}\n", self.lines.join("\n"));
        crate::agent::disk::write_atomic(&self.path, text.as_bytes(), 0o644)?;
        Ok(())
    }
}

/// Names and key of a line.
fn split(line: &str) -> (&str, &str) {
    line.split_once(' ').unwrap_or((line, ""))
}

/// Whether two lines hold the same key: type and content, whatever comment follows.
fn same(one: &str, other: &str) -> bool {
    let key = |line: &str| -> Vec<String> {
        let words = line.split_whitespace().skip(1).take(2);
        words.map(str::to_owned).collect()
    };
    key(one) == key(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_pinned_and_forgotten_by_name() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join(".ship")).unwrap();
        let read = || Pins::read(dir.path()).unwrap();
        let mut pins = read();
        assert!(pins.same_name("web1 x y").is_empty());
        let old = "# ours\nweb1,web2 ssh-ed25519 AAAA1 a comment\n[web1]:2222 ssh-ed25519 AAAA2\n";
        fs::write(pins.path(), old).unwrap();
        pins = read();
        assert_eq!(
            pins.same_name("web1 x y"),
            ["web1 ssh-ed25519 AAAA1 a comment"]
        );
        assert!(pins.has("web1 ssh-ed25519 AAAA1"));
        assert!(!pins.has("web1 ssh-ed25519 AAAA2"));
        pins.add(&["web2 ssh-ed25519 AAAA1".into(), "web1 ssh-rsa AAAA3".into()]);
        pins.write().unwrap();
        let text = || fs::read_to_string(read().path()).unwrap();
        assert_eq!(text(), format!("{old}web1 ssh-rsa AAAA3\n"));
        pins.forget("web1 x y");
        pins.write().unwrap();
        assert_eq!(
            text(),
            "# ours\nweb2 ssh-ed25519 AAAA1 a comment\n[web1]:2222 ssh-ed25519 AAAA2\n"
        );
    }
}
