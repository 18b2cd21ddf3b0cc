//! Which files of a project make the artifact. The folders are walked in [`super::walk`], the
//! patterns are read in [`super::pattern`].

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use foldhash::HashMap;

use super::path::TreePath;
use super::pattern::{Excludes, Include};
use super::symlink;
use super::walk::Walk;
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

/// Chooses the files below `root` that `include` names, without those that `exclude` matches.
///
/// An include is a file, a folder (with everything below it) or a glob, relative to `root`; `.` is
/// everything. An exclude is a glob: one with a `/` is anchored at `root` (`/dist` too), one
/// without matches a name at any depth; matching a folder leaves out all below it; a trailing `/`
/// matches folders only. `*` and `?` do not match `/`, `**` does. `.git`, `.ship`, `.DS_Store` and
/// the `._` twins that macOS writes are always left out. Links are never followed.
///
/// # Errors
/// Every problem at once: a pattern that is none, an include that matches nothing, devices,
/// sockets and pipes, folders that cannot be read (then files too; alone, they are left to
/// [`super::scan()`]), links that are absolute, circular or lead out of the
/// project, and an empty selection.
pub fn select(
    root: &Path,
    include: &[String],
    exclude: &[String],
) -> Result<Selection, SelectError> {
    let mut problems = Vec::new();
    let includes = Include::parse_all(root, include, &mut problems);
    let excludes = Excludes::parse(exclude, &mut problems);
    let mut walk = Walk {
        root,
        includes: &includes,
        excludes: &excludes,
        hit: vec![false; includes.len()],
        chosen: BTreeMap::new(),
        problems,
    };
    walk.run();
    walk.report_unmatched();
    // Where nothing else is wrong, whoever reads the files says which cannot be read.
    if !walk.problems.is_empty() {
        walk.report_unreadable();
    }
    let Walk {
        chosen,
        mut problems,
        ..
    } = walk;
    let dangling = check_links(&chosen, &mut problems);
    if problems.is_empty() && chosen.values().all(|kind| *kind == SelectedKind::Dir) {
        problems.push("there is no file to release".to_owned());
    }
    if !problems.is_empty() {
        return Err(SelectError { problems });
    }
    let entries = chosen
        .into_iter()
        .map(|(path, kind)| Selected { path, kind })
        .collect();
    Ok(Selection { entries, dangling })
}

/// Reports links that may not be in a tree and returns those that lead to nothing in it.
fn check_links(
    chosen: &BTreeMap<TreePath, SelectedKind>,
    problems: &mut Vec<String>,
) -> Vec<TreePath> {
    let links: HashMap<&[u8], &[u8]> = chosen
        .iter()
        .filter_map(|(path, kind)| match kind {
            SelectedKind::Symlink(target) => Some((path.as_bytes(), &target[..])),
            _ => None,
        })
        .collect();
    let mut dangling = Vec::new();
    for (path, kind) in chosen {
        let SelectedKind::Symlink(target) = kind else {
            continue;
        };
        match symlink::resolve(path.as_bytes(), target, |at| links.get(at).copied()) {
            Err(why) => problems.push(format!("the link {path} {why}")),
            Ok(end) if end.is_empty() => {}
            Ok(end) => {
                if !TreePath::new(end).is_ok_and(|end| chosen.contains_key(&end)) {
                    dangling.push(path.clone());
                }
            }
        }
    }
    dangling
}
