//! Runs git(1), for a limited time.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// How long git may take for one answer.
pub(super) const LIMIT: Duration = Duration::from_secs(15);

/// The most that is kept of what git says on stderr, bytes.
const MAX_SAID: usize = 4096;

/// How often a git that closed its output is asked whether it has ended.
const LOOK: Duration = Duration::from_millis(5);

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

/// Why git gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// The folder is in no repository.
    NoRepository,
    /// Git could not be run, refused, or took too long.
    Unknown(Unknown),
}

/// A question that git did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Why, in git's own words where it said something: a lower-case sentence.
    pub why: String,
    /// What git advises, in one line.
    pub advice: Option<String>,
}

/// The output of git in `project` with `args`. Takes no locks, runs no hooks or monitors of the
/// repository, asks nothing on the terminal and reaches for no network.
///
/// # Errors
/// When the folder is in no repository, or git does not answer within `limit`.
pub(super) fn run(project: &Path, args: &[&str], limit: Duration) -> Result<Vec<u8>, NoAnswer> {
    run_until(project, args, limit, &[0])
}

/// Like [`run`], for a question whose answers are these exit codes.
///
/// # Errors
/// As [`run`].
pub(super) fn run_until(
    project: &Path,
    args: &[&str],
    limit: Duration,
    codes: &[i32],
) -> Result<Vec<u8>, NoAnswer> {
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
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    for name in ELSEWHERE {
        command.env_remove(name);
    }
    let unknown = |why: String, advice| Err(NoAnswer::Unknown(Unknown { why, advice }));
    let ended = match output(command, limit) {
        Ok(ended) => ended,
        Err(_) if !in_repository(project) => return Err(NoAnswer::NoRepository),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return unknown("git is not installed".to_owned(), None);
        }
        Err(error) => return unknown(format!("git cannot be run: {error}"), None),
    };
    let Some((status, out, said)) = ended else {
        let seconds = limit.as_secs_f32();
        return unknown(format!("git did not answer within {seconds} s"), None);
    };
    if status.code().is_some_and(|code| codes.contains(&code)) {
        return Ok(out);
    }
    if !in_repository(project) {
        return Err(NoAnswer::NoRepository);
    }
    let said = String::from_utf8_lossy(&said);
    let mut lines = said.lines().filter_map(|line| super::text(line.as_bytes()));
    let why = lines.next().unwrap_or_else(|| format!("git: {status}"));
    let advice: Vec<String> = lines.collect();
    let advice = (!advice.is_empty()).then(|| advice.join(" "));
    unknown(why, advice)
}

type Ended = (ExitStatus, Vec<u8>, Vec<u8>);

/// Runs `command`, the leader of a process group, to its end; `None` when it was killed after
/// `limit`, with all that it had started.
fn output(mut command: Command, limit: Duration) -> io::Result<Option<Ended>> {
    let mut child = command.spawn()?;
    let deadline = Instant::now() + limit;
    let out = child.stdout.take().map(|pipe| read(pipe, usize::MAX));
    let said = child.stderr.take().map(|pipe| read(pipe, MAX_SAID));
    let ended = || {
        let out = until(deadline, out?)?;
        let said = until(deadline, said?)?;
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Some((status, out, said)),
                Ok(None) if Instant::now() < deadline => std::thread::sleep(LOOK),
                _ => return None,
            }
        }
    };
    match ended() {
        Some(ended) => Ok(Some(ended)),
        None => {
            kill(child);
            Ok(None)
        }
    }
}

/// Reads `pipe` to its end in a thread, and keeps the first `most` bytes.
fn read(mut pipe: impl Read + Send + 'static, most: usize) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe
            .by_ref()
            .take(u64::try_from(most).unwrap_or(u64::MAX))
            .read_to_end(&mut bytes);
        let _ = io::copy(&mut pipe, &mut io::sink());
        let _ = sender.send(bytes);
    });
    receiver
}

fn until(deadline: Instant, bytes: Receiver<Vec<u8>>) -> Option<Vec<u8>> {
    let left = deadline.saturating_duration_since(Instant::now());
    bytes.recv_timeout(left).ok()
}

/// Kills the group of `child`. It is reaped aside: one that waits for a disk that is gone does not
/// die at once.
fn kill(mut child: Child) {
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(id) = id {
        let _ = kill_process_group(id, Signal::KILL);
    }
    std::thread::spawn(move || child.wait());
}

/// Whether the folder or one above it has a `.git`.
#[must_use]
pub fn in_repository(project: &Path) -> bool {
    project
        .ancestors()
        .any(|folder| folder.join(".git").symlink_metadata().is_ok())
}
