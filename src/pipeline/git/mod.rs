//! What git knows about the project.

mod change;
mod command;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::artifact::TreePath;
use crate::model::Commit;

pub use change::{Change, ChangeKind, in_release};
use command::{LIMIT, NoAnswer, run, run_until};
pub use command::{Unknown, in_repository};

/// What is known about the project's git state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Git {
    /// The project is in a work tree.
    Found(GitState),
    /// It is not.
    None,
    /// There is a repository, but git could not tell its state.
    Unknown(Unknown),
}

/// The state of a work tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GitState {
    /// The commit that is checked out, in full; `None` before the first one.
    pub commit: Option<String>,
    /// First line of its message.
    pub subject: Option<String>,
    /// Name of its author.
    pub author: Option<String>,
    /// The branch; `None` when detached, as in most CI runs.
    pub branch: Option<String>,
    /// What is changed, staged or untracked below the project's folder (ignored files aside).
    pub changes: Vec<Change>,
}

/// How long a question may take that a deploy also does without.
const QUICK: Duration = Duration::from_secs(2);

/// Asks git about the work tree that `project` is in; each question may take 15 s.
#[must_use]
pub fn read(project: &Path) -> Git {
    read_within(project, LIMIT)
}

/// The same with another limit for each question.
pub(super) fn read_within(project: &Path, limit: Duration) -> Git {
    let status = [
        "status",
        "--porcelain=v2",
        "--branch",
        "--untracked-files=normal",
        "-z",
        "--",
        ".",
    ];
    let log = ["log", "-1", "--no-show-signature", "--format=%an%x00%s"];
    let (status, log) = std::thread::scope(|scope| {
        let log = scope.spawn(|| run(project, &log, limit));
        let status = run(project, &status, limit);
        (status, log.join().unwrap_or(Err(NoAnswer::NoRepository)))
    });
    let (mut state, changes) = match status {
        Ok(out) => parse_status(&out),
        Err(NoAnswer::NoRepository) => return Git::None,
        Err(NoAnswer::Unknown(unknown)) => return Git::Unknown(unknown),
    };
    if !changes.is_empty() {
        let prefix = match run(project, &["rev-parse", "--show-prefix"], limit) {
            Ok(prefix) => prefix,
            Err(NoAnswer::NoRepository) => return Git::None,
            Err(NoAnswer::Unknown(unknown)) => return Git::Unknown(unknown),
        };
        let prefix = prefix.strip_suffix(b"\n").unwrap_or(&prefix);
        state.changes = changes
            .into_iter()
            .map(|change| change.relative_to(prefix))
            .collect();
    }
    // Without an answer the commit is known all the same, only not who wrote it.
    if let (Some(_), Ok(out)) = (&state.commit, log) {
        let mut parts = out.splitn(2, |&b| b == 0).map(text);
        state.author = parts.next().flatten();
        state.subject = parts.next().flatten();
    }
    Git::Found(state)
}

/// The commits that the history of a project begins with, as [`first_commits`] finds them.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// `None` where nobody asks.
    project: Option<PathBuf>,
    commits: Arc<OnceLock<Vec<String>>>,
}

impl History {
    /// Of the project in the folder `project`. Git is asked in the background, while a connection is
    /// made.
    #[must_use]
    pub fn of(project: &Path) -> Self {
        let history = Self {
            project: Some(project.to_owned()),
            commits: Arc::default(),
        };
        let asks = history.clone();
        std::thread::spawn(move || asks.commits().len());
        history
    }

    /// The commits; waits for git.
    #[must_use]
    pub fn commits(&self) -> &[String] {
        let ask = || self.project.as_deref().map(first_commits);
        self.commits.get_or_init(|| ask().unwrap_or_default())
    }
}

/// The commits that the history of `project` begins with, sorted; empty when git does not tell, or
/// when the clone is a shallow one, which does not have them.
#[must_use]
fn first_commits(project: &Path) -> Vec<String> {
    let ask = |args: &[&str]| run(project, args, QUICK).ok();
    let says_no = || {
        let is_shallow = ask(&["rev-parse", "--is-shallow-repository"]);
        is_shallow.as_deref() == Some(b"false\n")
    };
    if !has_whole_history(project).unwrap_or_else(says_no) {
        return Vec::new();
    }
    let out = ask(&["rev-list", "--max-parents=0", "HEAD"]).unwrap_or_default();
    let mut commits: Vec<String> = out
        .split(|&b| b == b'\n')
        .filter_map(text)
        .filter(|id| !id.is_empty())
        .collect();
    commits.sort();
    commits
}

/// Whether the repository of `project` is not a shallow one: whether it has no file `shallow`
/// (gitrepository-layout(5)). `None` where only git knows: in a linked work tree, in a submodule,
/// without a repository, or where git looks for it elsewhere.
fn has_whole_history(project: &Path) -> Option<bool> {
    if std::env::var_os("GIT_DIR").is_some() {
        return None;
    }
    let at = project.ancestors().map(|dir| dir.join(".git"));
    let found = at.into_iter().find(|path| path.exists())?;
    let is_plain = found.join("HEAD").is_file();
    is_plain.then(|| !found.join("shallow").exists())
}

/// The commits of `project` that the history of `base` lacks, the newest first, at most `most`; `None`
/// where git does not tell, as where it does not know `base`.
#[must_use]
pub fn commits_since(project: &Path, base: &str, most: usize) -> Option<Vec<Commit>> {
    // No option, and nothing but a commit.
    if base.is_empty() || !base.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let (count, range) = (format!("--max-count={most}"), format!("{base}..HEAD"));
    let args = [
        "log",
        "--no-show-signature",
        "--format=%H %at %ct",
        &count,
        &range,
        "--",
    ];
    let out = run(project, &args, QUICK).ok()?;
    let out = String::from_utf8_lossy(&out);
    let commit = |line: &str| {
        let mut words = line.split(' ');
        Some(Commit {
            id: words.next()?.to_owned(),
            authored: words.next()?.parse().ok()?,
            committed: words.next()?.parse().ok()?,
        })
    };
    Some(out.lines().filter_map(commit).collect())
}

/// When the commit of `project` was made, seconds since 1970; `None` where git does not tell.
#[must_use]
pub fn commit_time(project: &Path) -> Option<u64> {
    let args = ["log", "-1", "--no-show-signature", "--format=%ct"];
    text(&run(project, &args, LIMIT).ok()?)?.parse().ok()
}

/// Those of `paths`, below the folder `project` and relative to it, that are or would be committed:
/// tracked, or new and not ignored. `None` when there is no repository, or no answer.
#[must_use]
pub fn committable(project: &Path, paths: &[&str]) -> Option<Vec<String>> {
    listed(
        project,
        &["--cached", "--others", "--exclude-standard"],
        paths,
    )
}

/// Those of `paths`, as in [`committable`], that are tracked.
#[must_use]
pub fn tracked(project: &Path, paths: &[&str]) -> Option<Vec<String>> {
    listed(project, &["--cached", "--recurse-submodules"], paths)
}

/// Those of `paths`, below the folder `project` and relative to it, that git ignores, as written; a
/// folder that is not there yet ends in `/`. `None` when there is no repository, or no answer.
#[must_use]
pub fn ignored(project: &Path, paths: &[&str]) -> Option<Vec<String>> {
    if paths.is_empty() {
        return Some(Vec::new());
    }
    // 1: none of them is (git-check-ignore(1)).
    let args = [&["-c", "core.quotePath=false", "check-ignore", "--"], paths].concat();
    let out = run_until(project, &args, LIMIT, &[0, 1]).ok()?;
    Some(
        String::from_utf8_lossy(&out)
            .lines()
            .map(str::to_owned)
            .collect(),
    )
}

/// Everything below the folder `project` that git ignores and does not track, relative to it; a
/// folder stands for all that is in it. `None` when there is no repository.
///
/// # Errors
/// When git does not answer.
pub fn all_ignored(project: &Path) -> Result<Option<Vec<TreePath>>, Unknown> {
    let args = [
        "ls-files",
        "--others",
        "--ignored",
        "--exclude-standard",
        "--directory",
        "-z",
    ];
    let out = match run(project, &args, LIMIT) {
        Ok(out) => out,
        Err(NoAnswer::NoRepository) => return Ok(None),
        Err(NoAnswer::Unknown(unknown)) => return Err(unknown),
    };
    let paths = out.split(|&b| b == 0).filter(|path| !path.is_empty());
    let plain = |path: &[u8]| path.strip_suffix(b"/").unwrap_or(path).to_vec();
    // A name that cannot be in a release needs no rule.
    let paths = paths.filter_map(|path| TreePath::new(plain(path)).ok());
    Ok(Some(paths.collect()))
}

fn listed(project: &Path, which: &[&str], paths: &[&str]) -> Option<Vec<String>> {
    if paths.is_empty() {
        return Some(Vec::new());
    }
    let args = [
        &["--literal-pathspecs", "ls-files", "-z"],
        which,
        &["--"],
        paths,
    ]
    .concat();
    Some(names(&run(project, &args, LIMIT).ok()?))
}

/// What git lists with `-z`.
fn names(out: &[u8]) -> Vec<String> {
    let names = out.split(|&b| b == 0).filter(|name| !name.is_empty());
    names
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect()
}

/// One line of git's output for the eye, without control characters.
fn text(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let text: String = text.trim().chars().filter(|c| !c.is_control()).collect();
    (!text.is_empty()).then_some(text)
}

/// Reads porcelain format version 2 (git-status(1)): header lines begin with `#`, the others are
/// changes with paths from the top of the repository.
fn parse_status(out: &[u8]) -> (GitState, Vec<Change>) {
    let mut state = GitState::default();
    let mut changes = Vec::new();
    let mut records = out.split(|&b| b == 0).filter(|record| !record.is_empty());
    while let Some(record) = records.next() {
        if let Some(commit) = record.strip_prefix(b"# branch.oid ") {
            state.commit = text(commit).filter(|commit| commit != "(initial)");
        } else if let Some(branch) = record.strip_prefix(b"# branch.head ") {
            state.branch = text(branch).filter(|branch| branch != "(detached)");
        } else if !record.starts_with(b"# ") {
            changes.extend(Change::parse(record));
            if record.starts_with(b"2 ") {
                // The former name of a renamed file.
                records.next();
            }
        }
    }
    (state, changes)
}

#[cfg(test)]
mod porcelain {
    use super::*;

    #[test]
    fn porcelain_version_2_is_read() {
        let head = "# branch.oid 1234\0# branch.head main\0# branch.upstream origin/main\0";
        let clean = GitState {
            commit: Some("1234".to_owned()),
            branch: Some("main".to_owned()),
            ..GitState::default()
        };
        assert_eq!(parse_status(head.as_bytes()), (clean.clone(), vec![]));
        let hash = "0123456789";
        for (change, path, kind) in [
            ("? new".to_owned(), "new", ChangeKind::New),
            (
                format!("1 .M N... 100644 100644 100644 {hash} {hash} a b"),
                "a b",
                ChangeKind::Modified,
            ),
            (
                format!("1 .D N... 100644 100644 000000 {hash} {hash} sub/gone"),
                "sub/gone",
                ChangeKind::Deleted,
            ),
            (
                format!("1 A. N... 000000 100644 100644 {hash} {hash} staged"),
                "staged",
                ChangeKind::New,
            ),
            (
                format!("2 R. N... 100644 100644 100644 {hash} {hash} R100 to\0? from"),
                "to",
                ChangeKind::Modified,
            ),
            (
                format!("u UU N... 100644 100644 100644 100644 {hash} {hash} {hash} both"),
                "both",
                ChangeKind::Modified,
            ),
            (
                "? # branch.oid 5".to_owned(),
                "# branch.oid 5",
                ChangeKind::New,
            ),
        ] {
            let (state, changes) = parse_status(format!("{head}{change}\0").as_bytes());
            assert_eq!(state, clean);
            assert_eq!(changes.len(), 1, "{change}");
            assert_eq!(changes[0].path, path);
            assert_eq!(changes[0].kind, kind, "{change}");
        }
        let first = b"# branch.oid (initial)\0# branch.head (detached)\0";
        assert_eq!(parse_status(first), (GitState::default(), vec![]));
    }
}
