//! Uncommitted changes, and which of them the release is made of.

use std::fmt;
use std::path::Path;

use crate::artifact::{Chooser, TreePath};
use crate::model::service::Run;
use crate::project::detect::Needed;
use crate::project::{MANIFEST, Project};
use crate::runtime::LOCK;

/// A file, or an untracked folder, that differs from the commit that is checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where, relative to the project's folder (`app.source`); a folder ends in `/`.
    pub path: String,
    /// What is new about it.
    pub kind: ChangeKind,
}

/// How a file differs from the commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is not in the commit.
    New,
    /// Its content, mode or name is another.
    Modified,
    /// It is gone.
    Deleted,
}

impl Change {
    /// Reads one record of porcelain version 2; `None` when it is not a change.
    pub(super) fn parse(record: &[u8]) -> Option<Self> {
        // How many fields stand before the path (git-status(1), "Porcelain Format Version 2").
        let fields = match record.first()? {
            b'?' => 1,
            b'1' => 8,
            b'2' => 9,
            b'u' => 10,
            _ => return None,
        };
        let mut parts = record.splitn(fields + 1, |&b| b == b' ');
        let states = parts.nth(1)?;
        let kind = match (record[0], states) {
            (b'?', _) => ChangeKind::New,
            (_, states) if states.contains(&b'D') => ChangeKind::Deleted,
            (_, states) if states.contains(&b'A') => ChangeKind::New,
            _ => ChangeKind::Modified,
        };
        let path = if fields == 1 { states } else { parts.last()? };
        Some(Self {
            path: String::from_utf8_lossy(path).into_owned(),
            kind,
        })
    }

    /// The same change with its path, from the top of the repository, made relative to `prefix`.
    pub(super) fn relative_to(mut self, prefix: &[u8]) -> Self {
        let prefix = String::from_utf8_lossy(prefix);
        if let Some(rest) = self.path.strip_prefix(prefix.as_ref()) {
            // An untracked folder that is the project's own.
            self.path = if rest.is_empty() { "./" } else { rest }.to_owned();
        }
        self
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.kind {
            ChangeKind::New => " (new)",
            ChangeKind::Modified => "",
            ChangeKind::Deleted => " (deleted)",
        };
        if self.path == "./" {
            return write!(f, "the project's whole folder{word}");
        }
        // A file's name must not move the cursor.
        let path = self.path.chars();
        let path: String = path.map(|c| if c.is_control() { '?' } else { c }).collect();
        write!(f, "{path}{word}")
    }
}

/// Those of `changes`, with paths relative to `project.source`, that the release of `project` is
/// made of: the manifest and the lock, files that `[release]` takes, and, where there are build
/// steps, every file of that folder, because a step may read any of them; in a workspace only the
/// files of the root and of the members that the app needs. `.ship` never counts.
#[must_use]
pub fn in_release(project: &Project, changes: Vec<Change>) -> Vec<Change> {
    let rules = &project.release;
    let is_built = !project.build.steps.is_empty();
    let chooser = Chooser::new(&project.source, &rules.include, &rules.left_out());
    let own = [MANIFEST, LOCK].map(|name| project.place().join(name));
    let state = project.place().join(".ship");
    let needed = needed(project);
    let counts = |change: &Change| {
        let path = change.path.as_str();
        if Path::new(path).starts_with(&state) {
            return false;
        }
        let is_text = !path.contains(char::REPLACEMENT_CHARACTER);
        let is_read = || is_built && needed.as_ref().is_none_or(|needed| needed.reads(path));
        if !is_text || is_read() || path == "./" || own.iter().any(|own| own == Path::new(path)) {
            return true;
        }
        match TreePath::try_from(path.trim_end_matches('/')) {
            Ok(folder) if path.ends_with('/') => chooser.takes_below(&folder),
            Ok(file) => chooser.takes(&file),
            // A release cannot have such a name; whoever reads the files says so.
            Err(_) => true,
        }
    };
    changes.into_iter().filter(counts).collect()
}

/// What the steps of `project` read of the workspace that it belongs to.
fn needed(project: &Project) -> Option<Needed> {
    let steps = project.build.steps.iter().chain(&project.test.steps);
    let mut texts: Vec<&str> = steps.map(|step| step.run.as_str()).collect();
    texts.extend(project.release.include.iter().map(String::as_str));
    for service in &project.services {
        match &service.run {
            Run::Shell(command) => texts.push(command),
            Run::Argv(words) => texts.extend(words.iter().map(String::as_str)),
            Run::Static(folder) => texts.push(folder.as_str()),
        }
    }
    Needed::of(&project.source, project.place().to_str()?, &texts)
}
