//! Which files of a project make the artifact. The folders are walked in [`super::walk`], the
//! patterns are read in [`super::pattern`].

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use foldhash::{HashMap, HashSet};

use super::path::TreePath;
use super::pattern::{Excludes, Include, Includes};
use super::symlink::{self, BadLink};
use super::walk::{Walk, is_never_released};
use crate::model::{Failure, FailureKind};

/// What was chosen, sorted by path, with every folder on the way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    pub(super) entries: Vec<Selected>,
    pub(super) dangling: Vec<Dangling>,
}

/// A chosen link that leads to something that was not chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dangling {
    /// The link.
    pub link: TreePath,
    /// Where it leads, through all links that were chosen.
    pub target: TreePath,
}

/// What [`survey`] found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Survey {
    /// What can be chosen.
    pub selection: Selection,
    /// Includes that name nothing that is there: a build may still make it.
    pub absent: Vec<String>,
    /// Everything else that is wrong, a lower-case sentence each.
    pub problems: Vec<String>,
}

impl Survey {
    /// What was chosen.
    ///
    /// # Errors
    /// Everything that is wrong, what is absent too.
    pub fn into_selection(mut self) -> Result<Selection, SelectError> {
        self.problems.append(&mut self.absent);
        match self.problems.is_empty() {
            true => Ok(self.selection),
            false => Err(SelectError {
                problems: self.problems,
            }),
        }
    }
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
    pub fn dangling(&self) -> &[Dangling] {
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
        let mut problems = error.problems.into_iter();
        let first = problems.next().unwrap_or_default();
        let message = format!("the files of the release cannot be taken: {first}");
        Self::new(FailureKind::Project, message).details(problems)
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
    survey(root, include, exclude).into_selection()
}

/// Chooses as [`select`] does, and returns what can be chosen beside what is wrong.
#[must_use]
pub fn survey(root: &Path, include: &[String], exclude: &[String]) -> Survey {
    survey_without(root, include, exclude, &HashSet::default())
}

/// Like [`survey`], without what is in `ignored`, or below a folder of it. An include that is such a
/// path, or lies in one, takes it all the same; `.` and patterns for names do not.
#[must_use]
pub fn survey_without(
    root: &Path,
    include: &[String],
    exclude: &[String],
    ignored: &HashSet<TreePath>,
) -> Survey {
    let mut problems = Vec::new();
    let includes = Include::parse_all(root, include, &mut problems);
    let excludes = Excludes::parse(exclude, &mut problems);
    let mut walk = Walk {
        root,
        includes: &includes,
        excludes: &excludes,
        ignored,
        hit: vec![false; includes.len()],
        chosen: BTreeMap::new(),
        problems,
        absent: Vec::new(),
    };
    walk.run();
    walk.report_unmatched();
    // Where nothing else is wrong, whoever reads the files says which cannot be read.
    if !walk.problems.is_empty() || !walk.absent.is_empty() {
        walk.report_unreadable();
    }
    let Walk {
        chosen,
        mut problems,
        mut absent,
        ..
    } = walk;
    let dangling = check_links(root, &chosen, &mut problems);
    let is_fine = problems.is_empty() && absent.is_empty();
    if is_fine && chosen.values().all(|kind| *kind == SelectedKind::Dir) {
        absent.push("there is no file to release".to_owned());
    }
    let entries = chosen
        .into_iter()
        .map(|(path, kind)| Selected { path, kind })
        .collect();
    Survey {
        selection: Selection { entries, dangling },
        absent,
        problems,
    }
}

/// The rules of a selection, for questions about single names, whether or not they are there.
pub struct Chooser {
    includes: Vec<Include>,
    excludes: Excludes,
}

impl Chooser {
    /// Reads the rules as [`select`] does; patterns that are wrong choose nothing.
    #[must_use]
    pub fn new(root: &Path, include: &[String], exclude: &[String]) -> Self {
        let mut problems = Vec::new();
        Self {
            includes: Include::parse_all(root, include, &mut problems),
            excludes: Excludes::parse(exclude, &mut problems),
        }
    }

    /// Whether a file at `path` would be chosen.
    #[must_use]
    pub fn takes(&self, path: &TreePath) -> bool {
        self.reaches(path, false) && (self.is_named(path) || self.is_covered(path))
    }

    /// Whether something below the folder `path` may be chosen.
    #[must_use]
    pub fn takes_below(&self, path: &TreePath) -> bool {
        self.reaches(path, true)
            && (self.is_named(path)
                || self.is_covered(path)
                || self
                    .includes
                    .iter()
                    .any(|include| include.leads_below(path)))
    }

    /// Whether an include is this very path, not a folder above it or a glob.
    #[must_use]
    pub fn names_exactly(&self, path: &TreePath) -> bool {
        let mut includes = self.includes.iter();
        includes.any(|include| matches!(&include.what, Includes::One(one) if one == path))
    }

    /// Whether no exclude stands against a file at `path`, so that an include could take it.
    #[must_use]
    pub fn may_take(&self, path: &TreePath) -> bool {
        self.reaches(path, false)
    }

    /// Whether neither `path` nor a folder above it is left out.
    fn reaches(&self, path: &TreePath, is_folder: bool) -> bool {
        let mut folders = std::iter::successors(path.parent(), TreePath::parent);
        !path.components().any(is_never_released)
            && !self.excludes.leave_out(path, is_folder)
            && !folders.any(|folder| self.excludes.leave_out(&folder, true))
    }

    fn is_named(&self, path: &TreePath) -> bool {
        self.includes.iter().any(|include| include.names(path))
    }

    fn is_covered(&self, path: &TreePath) -> bool {
        let everything = |include: &Include| matches!(include.what, Includes::Everything);
        self.includes.iter().any(everything)
            || std::iter::successors(path.parent(), TreePath::parent)
                .any(|folder| self.is_named(&folder))
    }
}

/// Reports links that may not be in a tree and returns those that lead to nothing in it.
fn check_links(
    root: &Path,
    chosen: &BTreeMap<TreePath, SelectedKind>,
    problems: &mut Vec<String>,
) -> Vec<Dangling> {
    let links: HashMap<&[u8], &[u8]> = chosen
        .iter()
        .filter_map(|(path, kind)| match kind {
            SelectedKind::Symlink(target) => Some((path.as_bytes(), &target[..])),
            _ => None,
        })
        .collect();
    let mut dangling = Vec::new();
    let mut told: Option<TreePath> = None;
    for (path, kind) in chosen {
        let SelectedKind::Symlink(target) = kind else {
            continue;
        };
        match symlink::resolve(path.as_bytes(), target, |at| links.get(at).copied()) {
            Err(why) => match virtual_environment(root, path, &why) {
                Some(folder) if told.as_ref() == Some(&folder) => {}
                Some(folder) => {
                    problems.push(of_this_machine(&folder, path, &why));
                    told = Some(folder);
                }
                None => problems.push(format!("the link {path} {why}")),
            },
            Ok(end) if end.is_empty() => {}
            Ok(end) => {
                let end = TreePath::new(end).ok();
                dangling.extend(end.filter(|end| !chosen.contains_key(end)).map(|target| {
                    Dangling {
                        link: path.clone(),
                        target,
                    }
                }));
            }
        }
    }
    dangling
}

/// The Python virtual environment that the absolute link `path` belongs to: a folder with a
/// `pyvenv.cfg` (PEP 405).
fn virtual_environment(root: &Path, path: &TreePath, why: &BadLink) -> Option<TreePath> {
    let is_venv = |folder: &TreePath| {
        folder
            .below(root)
            .join("pyvenv.cfg")
            .symlink_metadata()
            .is_ok()
    };
    matches!(why, BadLink::Absolute(_))
        .then(|| std::iter::successors(path.parent(), TreePath::parent).find(is_venv))
        .flatten()
}

fn of_this_machine(folder: &TreePath, link: &TreePath, why: &BadLink) -> String {
    format!(
        "{folder} is a Python virtual environment, which works only on the machine that made it: \
         the link {link} {why}; leave it out, and have a build step install into the release: \
         `python3 -m pip install --target vendor -r requirements.txt`, with PYTHONPATH = \"vendor\""
    )
}
