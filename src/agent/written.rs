//! What an app wrote into its own release. Such files are not in the next release, so whoever deploys
//! is told. Only root can write there: a release is read-only for every other user.

use std::collections::BTreeSet;
use std::fs;

use super::host::Host;
use super::{careful, releases};
use crate::artifact::{Index, TreePath, written_since};
use crate::model::ReleaseId;

/// So many paths are named.
const NAMED: usize = 5;

/// Folders whose content a program makes anew.
const CACHES: [&str; 7] = [
    "__pycache__",
    ".cache",
    ".deno",
    ".next",
    ".pytest_cache",
    "cache",
    "tmp",
];

/// Endings of files that say nothing once their program has ended, or belong to the database beside
/// them (SQLite's own names: <https://www.sqlite.org/tempfiles.html>).
const PASSING: [&str; 6] = [".pid", ".pyc", ".sock", "-journal", "-shm", "-wal"];

/// What is said before a switch from `old` to `new`; `None` where the app wrote nothing into `old`.
pub fn left_behind(host: &Host, old: ReleaseId, new: ReleaseId) -> Option<String> {
    let written = written(host, old)?;
    let Some(remedy) = written.remedy() else {
        return Some(written.undone(old, &new.to_string()));
    };
    Some(format!(
        "the app wrote {} into {old}, and {new} begins without {}; what it wrote stays in {} for as \
         long as that release is kept. {remedy}",
        written.named(),
        written.pronoun(),
        host.layout.release(old).display(),
    ))
}

/// What is said once `new` serves; `None` where the app wrote nothing into it.
pub fn will_be_left(host: &Host, new: ReleaseId) -> Option<String> {
    let written = written(host, new)?;
    let Some(remedy) = written.remedy() else {
        return Some(written.undone(new, "the next release"));
    };
    Some(format!(
        "the app wrote {} into {new}, and the next release will begin without {}. {remedy}",
        written.named(),
        written.pronoun(),
    ))
}

/// Endings of databases: of all that an app writes they are what nobody wants to lose.
const DATABASES: [&str; 6] = [".db", ".db3", ".sdb", ".sqlite", ".sqlite3", ".duckdb"];

/// Folders of packages: what changes there is a package's own affair.
const PACKAGES: [&str; 4] = ["node_modules", "site-packages", "vendor", ".venv"];

/// Paths in a release, those that matter most first; at least one.
struct Written {
    paths: Vec<TreePath>,
    /// Those that are data of the app, and no file of the release that it changed.
    data: Vec<TreePath>,
    /// Whether there are new files beside the project's own, whose names nobody can list.
    has_lone: bool,
}

impl Written {
    fn named(&self) -> String {
        let paths = self.paths.iter();
        let mut names: Vec<String> = paths.take(NAMED).map(TreePath::to_string).collect();
        if self.paths.len() > NAMED {
            names.push(format!("{} more", self.paths.len() - NAMED));
        }
        names.join(", ")
    }

    fn pronoun(&self) -> &'static str {
        match self.paths.len() {
            1 => "it",
            _ => "them",
        }
    }

    /// What is said where the app only changed files of the release.
    fn undone(&self, release: ReleaseId, next: &str) -> String {
        let files = match self.paths.len() {
            1 => "this file as it is",
            _ => "these files as they are",
        };
        format!(
            "the app changed {} in {release}; {next} begins with {files} in the project",
            self.named()
        )
    }

    /// What keeps the data; `None` where there is none.
    fn remedy(&self) -> Option<String> {
        let entries = self.data.iter().map(|path| format!("\"{path}\""));
        let entries: Vec<String> = entries.collect();
        let entries = entries.join(", ");
        let listed = format!("`[release] shared = [{entries}]` keeps such files across releases");
        match (self.data.is_empty(), self.has_lone) {
            (false, _) => Some(listed),
            (true, true) => Some(
                "Let it write them into a folder of their own, and name that in `[release] shared`"
                    .to_owned(),
            ),
            (true, false) => None,
        }
    }
}

/// What was written into the release since it was published; `None` where it was nothing, or nobody
/// knows.
fn written(host: &Host, id: ReleaseId) -> Option<Written> {
    if !runs_as_root(host) {
        return None;
    }
    let path = releases::index_path(&host.layout, id);
    let complete = fs::metadata(&path)
        .and_then(|found| found.modified())
        .ok()?;
    let index = Index::decode(&careful::read(&path, careful::INDEX).ok()?).ok()?;
    let shared = releases::shared_paths(&releases::read(&host.layout, id).ok()?);
    let mut written = written_since(&host.layout.release(id), &index, &shared, complete).ok()?;
    written.retain(|path| !is_passing(path));
    let holds = |folder: &TreePath| {
        let mut entries = index.entries().iter();
        entries.any(|entry| {
            entry.path != *folder && entry.path.is_within(folder) && !is_keep_file(&entry.path)
        })
    };
    let is_new = |path: &TreePath| index.get(path).is_none();
    let dir = host.layout.release(id);
    let is_dir = |path: &TreePath| dir.join(path.to_string()).is_dir();
    (!written.is_empty()).then(|| weigh(written, is_new, holds, is_dir))
}

/// Databases come first, then what is new, then what was there and changed.
/// What lies in a folder of which the release `holds` nothing makes the whole folder data.
fn weigh(
    mut paths: Vec<TreePath>,
    is_new: impl Fn(&TreePath) -> bool,
    holds: impl Fn(&TreePath) -> bool,
    is_dir: impl Fn(&TreePath) -> bool,
) -> Written {
    let ends = |path: &TreePath| {
        let path = path.to_string();
        DATABASES.iter().any(|ending| path.ends_with(ending))
    };
    let is_of_package = |path: &TreePath| {
        let path = path.to_string();
        path.split('/').any(|name| PACKAGES.contains(&name))
    };
    paths.sort_by_cached_key(|path| (!ends(path), !is_new(path), path.clone()));
    let is_data = |path: &&TreePath| ends(path) || is_new(path) && !is_of_package(path);
    let whole = |path: &TreePath| path.parent().filter(|folder| !holds(folder));
    let data = paths.iter().filter(is_data);
    let mut data: Vec<TreePath> = data
        .map(|path| whole(path).unwrap_or_else(|| path.clone()))
        .collect();
    let mut seen = BTreeSet::new();
    data.retain(|path| seen.insert(path.clone()));
    // There may be another one tomorrow.
    let is_lone = |path: &TreePath| path.parent().is_none() && !ends(path) && !is_dir(path);
    let all = data.len();
    data.retain(|path| !is_lone(path));
    let has_lone = data.len() < all;
    Written {
        paths,
        data,
        has_lone,
    }
}

/// Whether git needs the file to keep a folder: `.gitkeep`.
fn is_keep_file(path: &TreePath) -> bool {
    path.name().starts_with(b".")
}

/// Whether the services run as root.
fn runs_as_root(host: &Host) -> bool {
    match host.deployment.manager.is_system_wide() {
        true => host.deployment.user == "root",
        false => rustix::process::geteuid().is_root(),
    }
}

fn is_passing(path: &TreePath) -> bool {
    let path = path.to_string();
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_database = DATABASES.iter().any(|ending| name.ends_with(ending));
    PASSING.iter().any(|ending| path.ends_with(ending))
        // The notes of a tool to itself.
        || name.starts_with('.') && !is_database
        || path.split('/').any(|name| CACHES.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_comes_before_what_an_app_only_changed() {
        let path = |name: &str| TreePath::try_from(name).unwrap();
        let changed = [
            "a/index.html",
            "b/index.html",
            "c",
            "d",
            "e",
            "vendor/cacert.pem",
        ];
        let new = ["www/data", "www/users/db.sqlite", "vendor/cache.json"];
        let all = changed.iter().chain(&new).map(|name| path(name)).collect();
        let is_new = |path: &TreePath| new.contains(&path.to_string().as_str());
        let written = weigh(all, is_new, |_| true, |_| false);
        assert_eq!(
            written.named(),
            "www/users/db.sqlite, vendor/cache.json, www/data, a/index.html, b/index.html, 4 more"
        );
        assert_eq!(
            written.remedy().as_deref(),
            Some(
                "`[release] shared = [\"www/users/db.sqlite\", \"www/data\"]` keeps such files across releases"
            )
        );
        let only_changed = weigh(vec![path("c")], |_| false, |_| true, |_| false);
        assert_eq!(only_changed.remedy(), None);
        assert_eq!(
            only_changed.undone(ReleaseId(2), "v3"),
            "the app changed c in v2; v3 begins with this file as it is in the project"
        );
        let uploads = || vec![path("upload/a"), path("upload/b"), path("top")];
        let lone = weigh(vec![path("5f2a.png")], |_| true, |_| true, |_| false);
        assert_eq!(
            lone.remedy().as_deref(),
            Some(
                "Let it write them into a folder of their own, and name that in `[release] shared`"
            )
        );
        let uploads = weigh(
            uploads(),
            |_| true,
            |_| false,
            |path| path.parent().is_none(),
        );
        assert_eq!(
            uploads.remedy().as_deref(),
            Some("`[release] shared = [\"top\", \"upload\"]` keeps such files across releases")
        );
    }
}
