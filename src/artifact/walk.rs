//! The walk through a project that [`super::select()`] makes.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::FileType;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use foldhash::{HashSet, HashSetExt};

use super::error::TreeError;
use super::path::TreePath;
use super::pattern::{Excludes, Include, Includes};
use super::select::SelectedKind;

/// What is known about everything in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cover {
    /// Nothing: the includes decide.
    No,
    /// Git ignores it: only includes that are meant for it decide.
    Ignored,
    /// `.` or a pattern chose it, without what git ignores in it.
    Broad,
    /// An include chose it by its name, with all that is in it.
    Named,
}

pub(super) struct Walk<'a> {
    pub(super) root: &'a Path,
    pub(super) includes: &'a [Include],
    pub(super) excludes: &'a Excludes,
    /// Paths that git ignores; what only `.` or a pattern reaches of them is not chosen.
    pub(super) ignored: &'a HashSet<TreePath>,
    /// For each include, whether it named something.
    pub(super) hit: Vec<bool>,
    pub(super) chosen: BTreeMap<TreePath, SelectedKind>,
    pub(super) problems: Vec<String>,
    /// Includes that name nothing that is there.
    pub(super) absent: Vec<String>,
}

impl Walk<'_> {
    /// Walks every folder that an include may lead into.
    pub(super) fn run(&mut self) {
        let explicit: Vec<bool> = self
            .includes
            .iter()
            .map(|include| include.reaches_into(self.ignored))
            .collect();
        // A folder (`None`: the root) and what is known about all in it.
        let mut todo: Vec<(Option<TreePath>, Cover)> = vec![(None, Cover::No)];
        while let Some((folder, cover)) = todo.pop() {
            let names = match self.list(folder.as_ref()) {
                Ok(names) => names,
                Err(error) => {
                    let at = folder.map_or_else(|| ".".into(), |f| f.as_path().to_owned());
                    self.problem(TreeError::io("read the folder", at, error));
                    continue;
                }
            };
            for (name, kind) in names {
                let path = match &folder {
                    Some(folder) => folder.join(name.as_bytes()),
                    None => TreePath::new(name.into_vec()),
                };
                match path {
                    Err(error) => self.problems.push(error.to_string()),
                    Ok(path) => {
                        if let Some(below) = self.visit(&path, kind, cover, &explicit) {
                            todo.push((Some(path), below));
                        }
                    }
                }
            }
        }
        self.choose_parents();
    }

    /// Chooses the folders on the way to what is chosen.
    fn choose_parents(&mut self) {
        let mut parents: HashSet<TreePath> = HashSet::new();
        let mut last: &[u8] = b"";
        for path in self.chosen.keys() {
            // Neighbours are mostly of one folder.
            if path.folder() == last {
                continue;
            }
            last = path.folder();
            let mut above = path.parent();
            while let Some(parent) = above {
                above = parent.parent();
                if !parents.insert(parent) {
                    break;
                }
            }
        }
        for parent in parents {
            self.chosen.insert(parent, SelectedKind::Dir);
        }
    }

    /// Reports the chosen files that cannot be read.
    pub(super) fn report_unreadable(&mut self) {
        let files = self.chosen.iter();
        for (path, _) in files.filter(|(_, kind)| **kind == SelectedKind::File) {
            let at = path.below(self.root);
            if let Err(errno) = rustix::fs::access(&at, rustix::fs::Access::READ_OK) {
                let error = TreeError::io("read", path.as_path(), errno.into());
                self.problems.push(error.to_string());
            }
        }
    }

    /// The names in `folder` that are not always left out.
    fn list(&self, folder: Option<&TreePath>) -> io::Result<Vec<(OsString, FileType)>> {
        let at = folder.map_or_else(|| self.root.to_owned(), |f| f.below(self.root));
        let mut names = Vec::new();
        for entry in std::fs::read_dir(at)? {
            let entry = entry?;
            names.push((entry.file_name(), entry.file_type()?));
        }
        names.sort_by(|a, b| a.0.cmp(&b.0));
        let all: HashSet<OsString> = names.iter().map(|(name, _)| name.clone()).collect();
        names.retain(|(name, _)| {
            !is_never_released(name.as_bytes())
                && !name
                    .as_bytes()
                    .strip_prefix(b"._")
                    .is_some_and(|twin| all.contains(std::ffi::OsStr::from_bytes(twin)))
        });
        Ok(names)
    }

    /// Chooses `path` or not. Returns, for a folder to be walked, what is known about all in it.
    /// `explicit` says of each include whether it is meant for what git ignores.
    fn visit(
        &mut self,
        path: &TreePath,
        kind: FileType,
        above: Cover,
        explicit: &[bool],
    ) -> Option<Cover> {
        if self.excludes.leave_out(path, kind.is_dir()) {
            return None;
        }
        let mut cover = match above {
            Cover::No | Cover::Broad if self.ignored.contains(path) => Cover::Ignored,
            above => above,
        };
        let is_ignored = cover == Cover::Ignored;
        let includes = self.includes.iter().zip(explicit);
        for ((include, explicit), hit) in includes.zip(&mut self.hit) {
            let counts = *explicit || !is_ignored;
            if counts && (!*hit || cover != Cover::Named) && include.names(path) {
                *hit = true;
                cover = match include.what {
                    Includes::One(_) => Cover::Named,
                    _ if is_ignored => Cover::Named,
                    _ => cover.max(Cover::Broad),
                };
            }
        }
        let chosen = matches!(cover, Cover::Broad | Cover::Named);
        if kind.is_dir() {
            if chosen {
                self.chosen.insert(path.clone(), SelectedKind::Dir);
                return Some(cover);
            }
            let includes = self.includes.iter().zip(explicit);
            let mut meant = includes.filter(|(_, explicit)| **explicit || !is_ignored);
            let leads_below = meant.any(|(include, _)| include.leads_below(path));
            return leads_below.then_some(cover);
        }
        if kind.is_symlink() {
            self.refuse_way_through(path);
        }
        if !chosen {
            return None;
        }
        match self.read(path, kind) {
            Ok(kind) => {
                self.chosen.insert(path.clone(), kind);
            }
            Err(error) => self.problem(error),
        }
        None
    }

    /// Finds out what the chosen `path` is.
    fn read(&self, path: &TreePath, kind: FileType) -> Result<SelectedKind, TreeError> {
        let at = path.below(self.root);
        let refused = |error| TreeError::io("read", path.as_path(), error);
        if kind.is_symlink() {
            let target = std::fs::read_link(at).map_err(refused)?;
            return Ok(SelectedKind::Symlink(target.into_os_string().into_vec()));
        }
        if kind.is_file() {
            return Ok(SelectedKind::File);
        }
        let what = if kind.is_fifo() {
            "it is a pipe"
        } else if kind.is_socket() {
            "it is a socket"
        } else {
            "it is a device"
        };
        Err(TreeError::says("release", path.as_path(), what))
    }

    /// Includes that name something beyond the link at `path`.
    fn refuse_way_through(&mut self, path: &TreePath) {
        for (include, hit) in self.includes.iter().zip(&mut self.hit) {
            if let Includes::One(one) = &include.what
                && one != path
                && one.is_within(path)
            {
                *hit = true;
                self.problems.push(format!(
                    "include `{}`: leads through the link {path}; links are not followed",
                    include.text.escape_debug()
                ));
            }
        }
    }

    /// Reports the includes that named nothing.
    pub(super) fn report_unmatched(&mut self) {
        for (include, hit) in self.includes.iter().zip(&self.hit) {
            let text = include.text.escape_debug();
            let (list, why) = match &include.what {
                _ if *hit => continue,
                // An empty project; there is a better word for it.
                Includes::Everything => continue,
                Includes::Glob { .. } => (&mut self.absent, "matches nothing"),
                Includes::One(one) if one.components().any(is_never_released) => {
                    (&mut self.problems, "is never part of a release")
                }
                Includes::One(one) => match one.below(self.root).symlink_metadata() {
                    Ok(_) => (&mut self.problems, "is left out by `exclude`"),
                    Err(_) => (&mut self.absent, "there is no such file or folder"),
                },
            };
            list.push(format!("include `{text}`: {why}"));
        }
    }

    fn problem(&mut self, error: TreeError) {
        self.problems.push(error.to_string());
    }
}

pub(super) fn is_never_released(name: &[u8]) -> bool {
    matches!(name, b".git" | b".ship" | b".DS_Store")
}
