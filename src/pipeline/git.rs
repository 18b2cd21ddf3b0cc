//! What git knows about the project.

use std::path::Path;
use std::process::{Command, Stdio};

/// What is known about the project's git state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Git {
    /// The project is in a work tree.
    Found(GitState),
    /// It is not.
    None,
    /// It looks like one, but git does not tell: the reason, a lower-case sentence.
    Unknown(String),
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
    /// Whether anything in the work tree is changed, staged or untracked (ignored files aside).
    pub dirty: bool,
}

/// Variables that point git to another repository than the one of the folder; git sets them for
/// hooks (githooks(5)), where `ship` may have been called.
const ELSEWHERE: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
];

/// Asks `git` about the work tree that `project` is in. Takes no locks, runs no hooks or monitors
/// of the repository, asks nothing on the terminal and reaches for no network.
#[must_use]
pub fn read(project: &Path) -> Git {
    let status = [
        "status",
        "--porcelain=v2",
        "--branch",
        "--untracked-files=normal",
        "-z",
    ];
    let log = ["log", "-1", "--no-show-signature", "--format=%an%x00%s"];
    let (status, log) = std::thread::scope(|scope| {
        let log = scope.spawn(|| run(project, &log));
        let status = run(project, &status);
        (status, log.join().unwrap_or(Err(Refusal::NotThere)))
    });
    let mut state = match status {
        Ok(out) => parse_status(&out),
        Err(Refusal::NotThere) => return Git::None,
        Err(Refusal::Says(why)) => return Git::Unknown(why),
    };
    if state.commit.is_some() {
        match log {
            Ok(out) => {
                let mut parts = out.splitn(2, |&b| b == 0).map(text);
                state.author = parts.next().flatten();
                state.subject = parts.next().flatten();
            }
            Err(Refusal::NotThere) => {}
            Err(Refusal::Says(why)) => return Git::Unknown(why),
        }
    }
    Git::Found(state)
}

/// One line of git's output for the eye, without control characters.
fn text(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let text: String = text.trim().chars().filter(|c| !c.is_control()).collect();
    (!text.is_empty()).then_some(text)
}

/// Reads porcelain format version 2 (git-status(1)): header lines begin with `#`, everything else
/// is a change.
fn parse_status(out: &[u8]) -> GitState {
    let mut state = GitState::default();
    for record in out.split(|&b| b == 0).filter(|record| !record.is_empty()) {
        if let Some(commit) = record.strip_prefix(b"# branch.oid ") {
            state.commit = text(commit).filter(|commit| commit != "(initial)");
        } else if let Some(branch) = record.strip_prefix(b"# branch.head ") {
            state.branch = text(branch).filter(|branch| branch != "(detached)");
        } else if !record.starts_with(b"# ") {
            state.dirty = true;
        }
    }
    state
}

enum Refusal {
    NotThere,
    Says(String),
}

fn run(project: &Path, args: &[&str]) -> Result<Vec<u8>, Refusal> {
    let mut command = Command::new("git");
    command
        .args(["-c", "core.fsmonitor=false"])
        .args(args)
        .current_dir(project)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        // A partial clone would fetch what it lacks.
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    for name in ELSEWHERE {
        command.env_remove(name);
    }
    let output = match command.output() {
        Ok(output) => output,
        Err(_) if !in_repository(project) => return Err(Refusal::NotThere),
        Err(error) => return Err(Refusal::Says(format!("cannot run git: {error}"))),
    };
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let is_none = said.contains("not a git repository") && !in_repository(project);
    if is_none || said.contains("must be run in a work tree") {
        return Err(Refusal::NotThere);
    }
    let first = text(said.lines().next().unwrap_or_default().as_bytes());
    Err(Refusal::Says(
        first.unwrap_or_else(|| format!("git: {}", output.status)),
    ))
}

/// Whether the folder or one above it has a `.git`.
fn in_repository(project: &Path) -> bool {
    project
        .ancestors()
        .any(|folder| folder.join(".git").symlink_metadata().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn porcelain_version_2_is_read() {
        let head = "# branch.oid 1234\0# branch.head main\0# branch.upstream origin/main\0";
        let clean = GitState {
            commit: Some("1234".to_owned()),
            branch: Some("main".to_owned()),
            ..GitState::default()
        };
        assert_eq!(parse_status(head.as_bytes()), clean);
        for change in [
            "? new",
            "1 .M N... 100644 100644 100644 1 1 file",
            "? # branch.oid 5",
        ] {
            let out = format!("{head}{change}\0");
            let dirty = GitState {
                dirty: true,
                ..clean.clone()
            };
            assert_eq!(parse_status(out.as_bytes()), dirty);
        }
        let first = b"# branch.oid (initial)\0# branch.head (detached)\0";
        assert_eq!(parse_status(first), GitState::default());
    }
}
