//! The members of a workspace: what its root lists, what is there, and what each needs.

use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};
use serde_json::Value as Json;
use toml::Value as Toml;

use super::super::folder::Folder;
use super::{Member, WorkspaceKind, yaml};

/// How deep below the root members are looked for.
const MAX_DEPTH: usize = 4;
/// How many folders are looked at.
const MAX_FOLDERS: usize = 4000;
/// How many members are read.
const MAX_MEMBERS: usize = 500;

/// Folders that hold no member.
const NEVER: &[&str] = &[
    "node_modules",
    "target",
    "vendor",
    "dist",
    "build",
    "__pycache__",
];

/// What the root of a workspace of `kind` in `folder` lists; one that begins with `!` takes members
/// out. `None` when it is no such root.
pub(super) fn globs(kind: WorkspaceKind, folder: &Folder) -> Option<Vec<String>> {
    match kind {
        WorkspaceKind::Pnpm => yaml::list(&folder.read("pnpm-workspace.yaml")?, "packages"),
        WorkspaceKind::Npm => {
            let json = folder.json("package.json")?;
            let list = json.get("workspaces")?;
            let list = list.get("packages").unwrap_or(list).as_array()?;
            let items = list.iter().filter_map(Json::as_str);
            Some(items.map(str::to_owned).collect())
        }
        WorkspaceKind::Cargo => {
            let toml = folder.toml("Cargo.toml")?;
            let table = toml.get("workspace")?;
            let mut globs = strings(table.get("members"));
            globs.extend(without(table));
            // A package at the root brings in its path dependencies by itself.
            let own = toml.get("dependencies").and_then(Toml::as_table);
            let paths = own.into_iter().flatten();
            globs.extend(paths.filter_map(|(_, it)| Some(it.get("path")?.as_str()?.to_owned())));
            Some(globs)
        }
        WorkspaceKind::Uv => {
            let toml = folder.toml("pyproject.toml")?;
            let table = toml.get("tool")?.get("uv")?.get("workspace")?;
            let mut globs = strings(table.get("members"));
            globs.extend(without(table));
            Some(globs)
        }
        WorkspaceKind::Go => Some(used(&folder.read("go.work")?)),
    }
}

fn strings(list: Option<&Toml>) -> Vec<String> {
    let items = list.and_then(Toml::as_array).into_iter().flatten();
    items
        .filter_map(|item| Some(item.as_str()?.to_owned()))
        .collect()
}

fn without(table: &Toml) -> impl Iterator<Item = String> {
    strings(table.get("exclude"))
        .into_iter()
        .map(|glob| format!("!{glob}"))
}

/// `use ./a` and `use ( ./a ./b )` of a `go.work`.
fn used(text: &str) -> Vec<String> {
    let mut is_open = false;
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or_default().trim();
        let item = match line.strip_prefix("use") {
            Some(rest) if rest.trim_start().starts_with('(') => {
                is_open = true;
                continue;
            }
            Some(rest) if rest.starts_with(char::is_whitespace) => rest.trim(),
            _ if line == ")" => {
                is_open = false;
                continue;
            }
            _ if is_open => line,
            _ => continue,
        };
        found.push(item.trim_matches('"').to_owned());
    }
    found.retain(|item| !item.is_empty());
    found
}

/// The members below `root` that `globs` list, sorted by folder.
pub(super) fn find(kind: WorkspaceKind, root: &Path, globs: &[String]) -> Vec<Member> {
    let (mut taken, mut left_out) = (Vec::new(), Vec::new());
    for glob in globs {
        let (list, glob) = match glob.strip_prefix('!') {
            Some(glob) => (&mut left_out, glob),
            None => (&mut taken, glob.as_str()),
        };
        list.extend(matcher(glob));
    }
    let matches = |list: &[GlobMatcher], dir: &str| list.iter().any(|glob| glob.is_match(dir));
    let mut members = Vec::new();
    if taken.is_empty() {
        return members;
    }
    let mut seen = 0;
    let mut level = vec![String::new()];
    for _ in 0..MAX_DEPTH {
        let mut next = Vec::new();
        for at in level {
            for name in Folder::open(&root.join(&at)).names() {
                seen += 1;
                if seen > MAX_FOLDERS || name.starts_with('.') || NEVER.contains(&name) {
                    continue;
                }
                let dir = if at.is_empty() {
                    name.to_owned()
                } else {
                    format!("{at}/{name}")
                };
                // A link could lead out of the workspace.
                let found = root.join(&dir).symlink_metadata();
                if !found.is_ok_and(|found| found.is_dir()) {
                    continue;
                }
                if matches(&taken, &dir) && !matches(&left_out, &dir) && members.len() < MAX_MEMBERS
                {
                    members.extend(read(kind, &Folder::open(&root.join(&dir)), &dir));
                }
                next.push(dir);
            }
        }
        level = next;
    }
    members.sort_by(|a: &Member, b: &Member| a.dir.cmp(&b.dir));
    members
}

fn matcher(glob: &str) -> Option<GlobMatcher> {
    let plain = glob.trim_start_matches("./").trim_end_matches('/');
    if plain.is_empty() || plain == "." || plain.split('/').any(|part| part == "..") {
        return None;
    }
    let glob = GlobBuilder::new(plain).literal_separator(true).build();
    Some(glob.ok()?.compile_matcher())
}

/// The member in `folder`; `None` when there is no package.
fn read(kind: WorkspaceKind, folder: &Folder, dir: &str) -> Option<Member> {
    let (name, needs) = match kind {
        WorkspaceKind::Npm | WorkspaceKind::Pnpm => {
            let json = folder.json(kind.manifest())?;
            let lists = [
                "dependencies",
                "devDependencies",
                "optionalDependencies",
                "peerDependencies",
            ];
            let tables = lists.iter().filter_map(|list| json.get(list)?.as_object());
            let needs = tables.flat_map(|table| table.keys().cloned()).collect();
            (
                json.get("name").and_then(Json::as_str).map(str::to_owned),
                needs,
            )
        }
        WorkspaceKind::Cargo => {
            let toml = folder.toml(kind.manifest())?;
            let name = toml.get("package")?.get("name")?.as_str()?;
            let lists = ["dependencies", "build-dependencies"];
            let tables = lists.iter().filter_map(|list| toml.get(*list)?.as_table());
            let names = tables.flatten().map(|(key, value)| {
                let other = value.get("package").and_then(Toml::as_str);
                other.unwrap_or(key).to_owned()
            });
            (Some(name.to_owned()), names.collect())
        }
        WorkspaceKind::Uv => {
            let toml = folder.toml(kind.manifest())?;
            let project = toml.get("project");
            let name = project.and_then(|it| it.get("name")?.as_str());
            let needs = strings(project.and_then(|it| it.get("dependencies")));
            (name.map(str::to_owned), needs)
        }
        WorkspaceKind::Go => {
            let text = folder.read(kind.manifest())?;
            let mut words = text.split_whitespace();
            let name = words.by_ref().skip_while(|word| *word != "module").nth(1);
            // Every path in the file: a member is found by its own, whatever the line says.
            let needs = text.split_whitespace().filter(|word| word.contains('/'));
            (name.map(str::to_owned), needs.map(str::to_owned).collect())
        }
    };
    Some(Member {
        dir: dir.to_owned(),
        name: name.unwrap_or_else(|| dir.to_owned()),
        needs,
    })
}

/// When two names of packages are the same.
pub(super) struct Names(WorkspaceKind);

impl Names {
    pub fn new(kind: WorkspaceKind) -> Self {
        Self(kind)
    }

    /// Whether `need`, an item of a list of dependencies, means the package `name`.
    pub fn same(&self, name: &str, need: &str) -> bool {
        if self.0 != WorkspaceKind::Uv {
            return name == need;
        }
        // `my-lib[extra]>=1; python_version > "3"`, in any spelling (PEP 503).
        let plain = |text: &str| text.to_ascii_lowercase().replace(['_', '.'], "-");
        let end = need.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
        plain(name) == plain(&need[..end.unwrap_or(need.len())])
    }
}
