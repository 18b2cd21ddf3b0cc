//! Which files of a project make the artifact.

use std::fmt;
use std::path::Path;

use super::path::TreePath;
use crate::model::{Failure, FailureKind};

/// What was chosen, sorted by path, with every folder on the way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    pub(super) entries: Vec<Selected>,
    pub(super) dangling: Vec<TreePath>,
}

/// One chosen name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// Where, relative to the project.
    pub path: TreePath,
    /// What.
    pub kind: SelectedKind,
}

/// What a chosen name is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectedKind {
    /// A regular file.
    File,
    /// A symbolic link with its text.
    Symlink(Vec<u8>),
    /// A folder.
    Dir,
}

impl Selection {
    /// What was chosen, sorted bytewise by path.
    #[must_use]
    pub fn entries(&self) -> &[Selected] {
        &self.entries
    }

    /// Chosen links whose target was not chosen: they will lead nowhere on a host. Worth a
    /// warning, not an error.
    #[must_use]
    pub fn dangling(&self) -> &[TreePath] {
        &self.dangling
    }
}

/// Everything that is wrong with what was to be chosen, a lower-case sentence each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectError {
    /// At least one.
    pub problems: Vec<String>,
}

impl fmt::Display for SelectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problems.join("\n"))
    }
}

impl std::error::Error for SelectError {}

impl From<SelectError> for Failure {
    fn from(error: SelectError) -> Self {
        Self::new(
            FailureKind::Project,
            "the files of the release cannot be chosen",
        )
        .details(error.problems)
    }
}

/// Chooses the files below `root` that `include` names (files, folders or globs; `.` is
/// everything) without those that `exclude` matches.
///
/// # Errors
/// Every problem at once; see [`SelectError`].
pub fn select(
    root: &Path,
    include: &[String],
    exclude: &[String],
) -> Result<Selection, SelectError> {
    let _ = (root, include, exclude);
    Err(SelectError {
        problems: vec!["not built yet".to_owned()],
    })
}
