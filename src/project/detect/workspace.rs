//! Workspaces: several packages below one root, with one lock file. [`Workspace::around`] finds the
//! one that a folder is a member of, [`Workspace::at`] the one whose root a folder is.

mod members;
mod yaml;

use std::path::{Component, Path, PathBuf};

use super::folder::Folder;
use members::Names;

/// How many folders above a member the root is looked for.
const MAX_UP: usize = 6;

/// Who reads the list of members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WorkspaceKind {
    /// npm, yarn or bun: `workspaces` of `package.json`.
    Npm,
    /// `pnpm-workspace.yaml`.
    Pnpm,
    /// `[workspace]` of `Cargo.toml`.
    Cargo,
    /// `[tool.uv.workspace]` of `pyproject.toml`.
    Uv,
    /// `go.work`.
    Go,
}

impl WorkspaceKind {
    const ALL: [Self; 5] = [Self::Pnpm, Self::Npm, Self::Cargo, Self::Uv, Self::Go];

    /// Whether its members are packages of Node.
    pub fn is_node(self) -> bool {
        matches!(self, Self::Npm | Self::Pnpm)
    }

    /// The file that makes a folder a member.
    pub fn manifest(self) -> &'static str {
        match self {
            Self::Npm | Self::Pnpm => "package.json",
            Self::Cargo => "Cargo.toml",
            Self::Uv => "pyproject.toml",
            Self::Go => "go.mod",
        }
    }

    /// The file of the root that lists the members.
    pub fn list(self) -> &'static str {
        match self {
            Self::Pnpm => "pnpm-workspace.yaml",
            Self::Go => "go.work",
            _ => self.manifest(),
        }
    }
}

/// A workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Workspace {
    pub kind: WorkspaceKind,
    /// The folder of the root.
    pub root: PathBuf,
    /// The members, sorted by folder; the root itself is none.
    pub members: Vec<Member>,
}

/// A package of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// Its folder, relative to the root: `apps/api`.
    pub dir: String,
    /// What the others call it: `@acme/db`, a crate, a module; its folder when it has no name.
    pub name: String,
    /// The names in its lists of dependencies, also of those that only its build needs.
    needs: Vec<String>,
}

impl Workspace {
    /// The workspaces whose root is `dir`, one for each kind that lists a member.
    pub fn at(dir: &Path) -> Vec<Self> {
        let folder = Folder::open(dir);
        let kinds = WorkspaceKind::ALL.into_iter();
        let mut found: Vec<Self> = kinds
            .filter_map(|kind| Self::of_kind(kind, dir, &folder))
            .collect();
        // pnpm does not read `workspaces`, which is there for other tools.
        if found.iter().any(|found| found.kind == WorkspaceKind::Pnpm) {
            found.retain(|found| found.kind != WorkspaceKind::Npm);
        }
        found
    }

    fn of_kind(kind: WorkspaceKind, dir: &Path, folder: &Folder) -> Option<Self> {
        let globs = members::globs(kind, folder)?;
        let members = members::find(kind, dir, &globs);
        (!members.is_empty()).then(|| Self {
            kind,
            root: dir.to_owned(),
            members,
        })
    }

    /// The nearest workspace of `kind` above `dir`, an absolute path, that `dir` is a member of, and
    /// the place of `dir` in it. Does not look beyond the repository.
    pub fn around(dir: &Path, kind: impl Fn(WorkspaceKind) -> bool) -> Option<(Self, Member)> {
        for root in dir.ancestors().skip(1).take(MAX_UP) {
            if dir.join(".git").exists() {
                return None;
            }
            let place = text(dir.strip_prefix(root).ok()?)?;
            for found in Self::at(root).into_iter().filter(|found| kind(found.kind)) {
                if let Some(member) = found.members.iter().find(|member| member.dir == place) {
                    let member = member.clone();
                    return Some((found, member));
                }
            }
            if root.join(".git").exists() {
                return None;
            }
        }
        None
    }

    /// The member in the folder `dir`, or the one that `dir` lies in.
    pub fn member_at(&self, dir: &str) -> Option<&Member> {
        let holds = |member: &&Member| {
            let rest = dir.strip_prefix(member.dir.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.members.iter().rev().find(holds)
    }

    /// The member called `name`, by its name or its folder.
    pub fn member(&self, name: &str) -> Option<&Member> {
        let plain = name.trim_start_matches("./").trim_end_matches('/');
        let mut members = self.members.iter();
        members.find(|member| member.name == name || member.dir == plain)
    }

    /// The members that `member` depends on, also through others, and itself at the end: each comes
    /// after those that it needs.
    pub fn closure(&self, member: &Member) -> Vec<&Member> {
        let mut order = Vec::new();
        let mut open = Vec::new();
        if let Some(own) = self.members.iter().find(|own| own.dir == member.dir) {
            self.visit(own, &mut open, &mut order);
        }
        order
    }

    fn visit<'a>(
        &'a self,
        member: &'a Member,
        open: &mut Vec<&'a str>,
        order: &mut Vec<&'a Member>,
    ) {
        if open.contains(&member.dir.as_str()) {
            return;
        }
        open.push(&member.dir);
        let names = Names::new(self.kind);
        for need in &member.needs {
            let mut others = self.members.iter();
            if let Some(other) = others.find(|other| names.same(&other.name, need)) {
                self.visit(other, open, order);
            }
        }
        order.push(member);
    }
}

/// A relative path with `/`, when it is text.
fn text(path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path
        .components()
        .map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .collect();
    Some(parts?.join("/"))
}

#[cfg(test)]
mod tests;
