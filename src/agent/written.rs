//! What an app wrote into its own release. Such files are not in the next release, so whoever deploys
//! is told. Only root can write there: a release is read-only for every other user.

use std::fs;

use super::host::Host;
use super::{careful, releases};
use crate::artifact::{Index, TreePath, written_since};
use crate::model::{ReleaseId, ServiceManagerKind};

/// So many paths are named.
const NAMED: usize = 5;

/// Folders whose content a program makes anew.
const CACHES: [&str; 6] = [
    "__pycache__",
    ".cache",
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
    Some(format!(
        "the app wrote {} into {old}, and {new} begins without it; it stays in {} for as long as \
         that release is kept. {}",
        written.named(),
        host.layout.release(old).display(),
        written.remedy(),
    ))
}

/// What is said once `new` serves; `None` where the app wrote nothing into it.
pub fn will_be_left(host: &Host, new: ReleaseId) -> Option<String> {
    let written = written(host, new)?;
    Some(format!(
        "the app wrote {} into {new}, and the next release will begin without it. {}",
        written.named(),
        written.remedy(),
    ))
}

/// Paths in a release; at least one.
struct Written(Vec<TreePath>);

impl Written {
    fn named(&self) -> String {
        let mut names: Vec<String> = self.0.iter().take(NAMED).map(TreePath::to_string).collect();
        if self.0.len() > NAMED {
            names.push(format!("{} more", self.0.len() - NAMED));
        }
        names.join(", ")
    }

    fn remedy(&self) -> String {
        let paths = self.0.iter().take(NAMED);
        let entries: Vec<String> = paths.map(|path| format!("\"{path}\"")).collect();
        format!(
            "`[release] shared = [{}]` keeps such files across releases",
            entries.join(", ")
        )
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
    (!written.is_empty()).then_some(Written(written))
}

/// Whether the services run as root.
fn runs_as_root(host: &Host) -> bool {
    match host.deployment.manager {
        ServiceManagerKind::Systemd => host.deployment.user == "root",
        ServiceManagerKind::SystemdUser | ServiceManagerKind::Supervisor => {
            rustix::process::geteuid().is_root()
        }
    }
}

fn is_passing(path: &TreePath) -> bool {
    let path = path.to_string();
    PASSING.iter().any(|ending| path.ends_with(ending))
        || path.split('/').any(|name| CACHES.contains(&name))
}
