//! A project's folder as the detectors see it: bounded reads, no surprises. A file is read up to
//! [`MAX_BYTES`]; what is not UTF-8 is read lossily; what is no regular file is not there.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::front_end::{self, FrontEnd};
use super::home::Home;

/// How much of one file is looked at, bytes.
const MAX_BYTES: u64 = 256 * 1024;
/// How many source files are looked at.
const MAX_FILES: usize = 300;
/// How deep sources are looked for.
const MAX_DEPTH: usize = 6;

/// Languages that have sources worth a look.
const SOURCE_TYPES: &[&str] = &[
    "js",
    "mjs",
    "cjs",
    "ts",
    "mts",
    "cts",
    "tsx",
    "jsx",
    "vue",
    "svelte",
    "py",
    "rs",
    "go",
    "rb",
    "ru",
    "php",
    "pl",
    "pm",
    "psgi",
    "java",
    "kt",
    "properties",
    "cs",
    "fs",
    "ex",
    "exs",
    "gleam",
    "clj",
    "scala",
    "sh",
    "c",
    "cc",
    "cpp",
    "cxx",
    "cr",
    "dart",
    "hs",
    "swift",
    "zig",
    "nim",
    "d",
    "ml",
];

/// Folders that hold no source of the app itself.
const NO_SOURCE: &[&str] = &[
    "node_modules",
    "target",
    "vendor",
    "dist",
    "build",
    "out",
    "coverage",
    "venv",
    "env",
    "__pycache__",
    "bower_components",
    "tests",
    "test",
    "spec",
    "__tests__",
    "e2e",
    "cypress",
    "fixtures",
    "examples",
    "docs",
    "migrations",
    "benches",
    "site-packages",
];

/// Folders of files that a server hands out as they are, and the ends of scripts among them.
const SERVED: &[&str] = &["assets", "public", "static", "wwwroot"];
const SCRIPTS: &[&str] = &[".js", ".mjs", ".cjs"];

/// One source file.
#[derive(Debug)]
pub(super) struct Source {
    /// Relative to the project, with `/`.
    pub path: String,
    /// Its text, at most [`MAX_BYTES`].
    pub text: String,
}

impl Source {
    /// Whether its name ends in one of these.
    pub fn is(&self, types: &[&str]) -> bool {
        self.path
            .rsplit_once('.')
            .is_some_and(|(_, ext)| types.contains(&ext))
    }

    /// Its lines, without those that are only a comment.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        let hash = self.is(&[
            "py",
            "pl",
            "pm",
            "psgi",
            "rb",
            "ru",
            "properties",
            "ex",
            "exs",
            "sh",
            "cr",
            "nim",
        ]);
        self.text.lines().filter(move |line| {
            let line = line.trim_start();
            let comment =
                line.starts_with("//") || line.starts_with("/*") || line.starts_with("* ");
            !(comment || hash && line.starts_with('#'))
        })
    }
}

/// A folder to look into.
#[derive(Debug)]
pub(super) struct Folder {
    dir: PathBuf,
    home: Option<Box<Home>>,
    /// The member of a workspace whose sources alone count: its folder, relative to this one.
    focus: Option<String>,
    top: BTreeSet<String>,
    sources: OnceCell<Vec<Source>>,
    front_ends: OnceCell<Vec<FrontEnd>>,
}

impl Folder {
    /// Lists `dir`; one that cannot be listed is empty.
    pub fn open(dir: &Path) -> Self {
        let top = fs::read_dir(dir)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        Self {
            dir: dir.to_owned(),
            home: None,
            focus: None,
            top,
            sources: OnceCell::new(),
            front_ends: OnceCell::new(),
        }
    }

    /// The folder of a member of a workspace.
    pub fn of_member(home: Home) -> Self {
        let dir = home.workspace.root.join(&home.member.dir);
        Self {
            home: Some(Box::new(home)),
            ..Self::open(&dir)
        }
    }

    /// The root of a workspace of Cargo, for one member of it.
    pub fn of_crate(root: &Path, member: &str) -> Self {
        Self {
            focus: Some(member.to_owned()),
            ..Self::open(root)
        }
    }

    /// The member of a workspace of Cargo that is the app.
    pub fn focus(&self) -> Option<&str> {
        self.focus.as_deref()
    }

    /// Where the folder is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The workspace that the app in this folder is released from, if it is a member of one.
    pub fn home(&self) -> Option<&Home> {
        self.home.as_deref()
    }

    /// Where the lock file is: the root of the workspace, or this folder.
    pub fn root(&self) -> &Folder {
        self.home().map_or(self, |home| &home.root)
    }

    /// Whether it is in a git repository.
    pub fn in_repository(&self) -> bool {
        self.dir
            .ancestors()
            .any(|dir| dir.join(".git").symlink_metadata().is_ok())
    }

    /// The names in the folder itself, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.top.iter().map(String::as_str)
    }

    /// The names in a folder below, sorted; none when there is no such folder.
    pub fn names_in(&self, path: &str) -> Vec<String> {
        Self::open(&self.dir.join(path)).top.into_iter().collect()
    }

    /// Whether a regular file is at `path`.
    pub fn is_file(&self, path: &str) -> bool {
        fs::metadata(self.dir.join(path)).is_ok_and(|meta| meta.is_file())
    }

    /// Whether a folder is at `path`.
    pub fn is_dir(&self, path: &str) -> bool {
        fs::metadata(self.dir.join(path)).is_ok_and(|meta| meta.is_dir())
    }

    /// The first of these that is a file.
    pub fn first<'a>(&self, paths: &[&'a str]) -> Option<&'a str> {
        paths.iter().copied().find(|path| self.is_file(path))
    }

    /// The text of a file.
    pub fn read(&self, path: &str) -> Option<String> {
        if !self.is_file(path) {
            return None;
        }
        let mut bytes = Vec::new();
        File::open(self.dir.join(path))
            .ok()?
            .take(MAX_BYTES)
            .read_to_end(&mut bytes)
            .ok()?;
        let text = String::from_utf8_lossy(&bytes);
        Some(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
    }

    /// A JSON file; `None` when it is not there or not JSON.
    pub fn json(&self, path: &str) -> Option<serde_json::Value> {
        serde_json::from_str(&self.read(path)?).ok()
    }

    /// A TOML file; `None` when it is not there or not TOML.
    pub fn toml(&self, path: &str) -> Option<toml::Table> {
        self.read(path)?.parse().ok()
    }

    /// The app's own sources of these types, nearest first, without tests.
    pub fn sources(&self, types: &[&str]) -> Vec<&Source> {
        self.sources
            .get_or_init(|| self.walk())
            .iter()
            .filter(|source| source.is(types) && self.has_in_focus(&source.path))
            .collect()
    }

    /// The front ends below, which are projects of their own: their sources are not the app's.
    pub fn front_ends(&self) -> &[FrontEnd] {
        self.front_ends.get_or_init(|| front_end::find(self))
    }

    fn has_in_focus(&self, path: &str) -> bool {
        self.focus().is_none_or(|dir| {
            path.strip_prefix(dir)
                .is_some_and(|rest| rest.starts_with('/'))
        })
    }

    /// Breadth first, so that the limit on files cuts off what is deep.
    fn walk(&self) -> Vec<Source> {
        let mut found = Vec::new();
        let mut level = vec![String::new()];
        let required = self.json("composer.json");
        let required = required
            .as_ref()
            .and_then(|json| json.get("require")?.as_object());
        // A package that is committed where its installer puts it, outside `vendor`.
        let is_package = |path: &str| {
            required.is_some_and(|required| {
                let json = self.json(&format!("{path}/composer.json"));
                let name = json.as_ref().and_then(|json| json.get("name")?.as_str());
                name.is_some_and(|name| required.contains_key(name))
            })
        };
        for _ in 0..MAX_DEPTH {
            let mut next = Vec::new();
            for at in level {
                for name in self.names_in(&at) {
                    let path = if at.is_empty() {
                        name.clone()
                    } else {
                        format!("{at}/{name}")
                    };
                    let Ok(meta) = fs::symlink_metadata(self.dir.join(&path)) else {
                        continue;
                    };
                    if meta.is_dir() {
                        if !name.starts_with('.')
                            && !NO_SOURCE.contains(&name.as_str())
                            && !is_package(&path)
                        {
                            next.push(path);
                        }
                    } else if meta.is_file()
                        && is_source(&name)
                        && !is_for_browsers(&path)
                        && !self.front_ends().iter().any(|it| it.holds(&path))
                        && found.len() < MAX_FILES
                    {
                        found.extend(self.read(&path).map(|text| Source { path, text }));
                    }
                }
            }
            level = next;
        }
        found
    }
}

/// Whether a script is one that browsers are served: its ports and paths are those of others.
fn is_for_browsers(path: &str) -> bool {
    let is_script = SCRIPTS.iter().any(|end| path.ends_with(end));
    is_script
        && path
            .split('/')
            .rev()
            .skip(1)
            .any(|name| SERVED.contains(&name))
}

/// Whether a file of this name is a source of the app, and no test of it.
pub(super) fn is_source(name: &str) -> bool {
    let Some((stem, ext)) = name.rsplit_once('.') else {
        return false;
    };
    SOURCE_TYPES.contains(&ext) && !is_test(stem) && !stem.ends_with(".config")
}

/// Whether a file with this stem is a test, by the customs of the languages.
pub(super) fn is_test(stem: &str) -> bool {
    stem.ends_with(".test")
        || stem.ends_with(".spec")
        || stem.ends_with("_test")
        || stem.ends_with("_spec")
        || stem.starts_with("test_")
        || stem == "test"
        || stem == "conftest"
}
