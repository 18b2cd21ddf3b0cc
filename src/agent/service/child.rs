//! A program run to its end, or to a limit of time and of output.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::agent::health::secs;

/// Where the programs of the system are, whatever the login shell made of `PATH`.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The most that a program may write to each of its outputs, bytes.
const MOST: usize = 16 << 20;

/// How long output may still come after the program has ended: what it left behind in the
/// background may hold the pipe open for ever.
const DRAIN: Duration = Duration::from_millis(500);

/// How often it is looked whether a program has ended that keeps its output open.
const LOOK: Duration = Duration::from_millis(20);

/// What a program that ended has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to stdout; bytes that are not UTF-8 replaced.
    pub stdout: String,
    /// What it wrote to stderr, trimmed.
    pub stderr: String,
}

impl Output {
    /// Whether it exited with 0.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.code == Some(0)
    }
}

/// Why there is no [`Output`].
#[derive(Debug)]
pub enum NoOutput {
    /// There is no such program.
    NotFound,
    /// It did not end within this time.
    TimedOut(Duration),
    /// It wrote more than is taken.
    TooMuch,
    /// It could not be started.
    Io(io::Error),
}

impl std::fmt::Display for NoOutput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotFound => f.write_str("it is not installed"),
            Self::TimedOut(limit) => write!(f, "it did not answer within {}", secs(*limit)),
            Self::TooMuch => write!(f, "it wrote more than {} MB", MOST >> 20),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl NoOutput {
    /// The same as a sentence about `command`.
    #[must_use]
    pub fn of(&self, command: &Command) -> String {
        let line = line(command);
        match self {
            Self::NotFound => {
                format!("{} is not installed", command.get_program().display())
            }
            Self::TimedOut(limit) => format!("`{line}` did not answer within {}", secs(*limit)),
            Self::TooMuch => format!("`{line}` wrote more than {} MB", MOST >> 20),
            Self::Io(error) => format!("`{line}` cannot be started: {error}"),
        }
    }
}

/// The answer to a question that can stay without one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Answer {
    /// It is so.
    Yes,
    /// It is not so.
    No,
    /// Nobody knows: what was asked, and why there is no answer, as a lower-case sentence.
    Unknown(String),
}

impl From<bool> for Answer {
    fn from(is_so: bool) -> Self {
        match is_so {
            true => Self::Yes,
            false => Self::No,
        }
    }
}

/// `program` with no stdin, English messages without colours or pagers, and the system's folders
/// at the end of `PATH`.
#[must_use]
pub fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .stdin(Stdio::null())
        .env("PATH", path())
        .env("LC_ALL", "C")
        .env("SYSTEMD_COLORS", "0")
        .env("SYSTEMD_PAGER", "")
        .env_remove("SYSTEMD_LOG_LEVEL");
    command
}

fn path() -> OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    if !path.is_empty() {
        path.push(":");
    }
    path.push(OsString::from(SYSTEM_PATH));
    path
}

/// The file that [`command`] would run as `program`, found without running it: an executable in one
/// of the folders of `PATH` or of the system.
#[must_use]
pub fn find(program: &str) -> Option<PathBuf> {
    let is_program = |path: &Path| {
        path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
    };
    std::env::split_paths(&path())
        .map(|folder| folder.join(program))
        .find(|path| is_program(path))
}

/// The command as a person would type it.
#[must_use]
pub fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

/// Runs `command` to its end, in a process group of its own.
///
/// At the limit of time or of output the group is killed. A program that runs as root through sudo
/// cannot be killed from here (kill(2): the real user id differs); it is left to end by itself. What
/// a program that ended left in the background, holding its output open, is not waited for.
///
/// # Errors
/// When it cannot be started, does not end within `limit`, or writes too much.
pub fn run(command: &mut Command, limit: Duration) -> Result<Output, NoOutput> {
    let end = Instant::now() + limit;
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let spawned = command.process_group(0).spawn();
    let mut child = spawned.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => NoOutput::NotFound,
        _ => NoOutput::Io(error),
    })?;
    let (sender, closed) = mpsc::channel();
    let stdout = drain(child.stdout.take(), sender.clone());
    let stderr = drain(child.stderr.take(), sender);
    match wait(&mut child, &closed, end) {
        Ok(status) => Ok(Output {
            code: status.code(),
            stdout: String::from_utf8_lossy(&taken(&stdout)).into_owned(),
            stderr: String::from_utf8_lossy(&taken(&stderr)).trim().to_owned(),
        }),
        Err(why) => {
            abandon(child);
            Err(match why {
                Unended::TimedOut => NoOutput::TimedOut(limit),
                Unended::TooMuch => NoOutput::TooMuch,
                Unended::Io(error) => NoOutput::Io(error),
            })
        }
    }
}

enum Unended {
    TimedOut,
    TooMuch,
    Io(io::Error),
}

/// Waits until the program has ended and both its outputs are closed, or [`DRAIN`] has passed since.
fn wait(child: &mut Child, closed: &Receiver<Closed>, end: Instant) -> Result<ExitStatus, Unended> {
    let mut open = 2;
    let mut ended: Option<(ExitStatus, Instant)> = None;
    loop {
        // With its output closed, it is at its very end.
        let pause = if open == 0 {
            Duration::from_millis(1)
        } else {
            LOOK
        };
        let left = end.saturating_duration_since(Instant::now());
        match closed.recv_timeout(pause.min(left)) {
            Ok(Closed::AtItsEnd) => open -= 1,
            Ok(Closed::TooLong) => return Err(Unended::TooMuch),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => thread::sleep(pause.min(left)),
        }
        if ended.is_none() {
            let status = child.try_wait().map_err(Unended::Io)?;
            ended = status.map(|status| (status, Instant::now()));
        }
        match ended {
            Some((status, _)) if open == 0 => return Ok(status),
            Some((status, at)) if at.elapsed() >= DRAIN => return Ok(status),
            None if left.is_zero() => return Err(Unended::TimedOut),
            _ => {}
        }
    }
}

fn abandon(mut child: Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.kill();
    thread::spawn(move || child.wait());
}

/// How an output ended.
enum Closed {
    AtItsEnd,
    TooLong,
}

type Bytes = Arc<Mutex<Vec<u8>>>;

fn taken(bytes: &Bytes) -> Vec<u8> {
    std::mem::take(&mut bytes.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Reads a pipe to its end or to [`MOST`], on a thread of its own so that neither pipe can block the
/// other.
fn drain(pipe: Option<impl Read + Send + 'static>, closed: Sender<Closed>) -> Bytes {
    let read = Bytes::default();
    let bytes = Arc::clone(&read);
    thread::spawn(move || {
        let mut piece = vec![0; 32 << 10];
        let mut pipe = pipe;
        let how = loop {
            let length = match pipe.as_mut().map(|pipe| pipe.read(&mut piece)) {
                Some(Ok(length)) if length > 0 => length,
                Some(Err(error)) if error.kind() == io::ErrorKind::Interrupted => continue,
                _ => break Closed::AtItsEnd,
            };
            let mut bytes = bytes.lock().unwrap_or_else(PoisonError::into_inner);
            if bytes.len() + length > MOST {
                break Closed::TooLong;
            }
            bytes.extend_from_slice(&piece[..length]);
        };
        let _ = closed.send(how);
    });
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    fn sh(script: &str, limit: Duration) -> Result<Output, NoOutput> {
        run(command("sh").args(["-c", script]), limit)
    }

    #[test]
    fn a_program_is_run_to_its_end_or_to_the_limit() {
        let said = sh("echo out; echo err >&2; exit 3", LONG).unwrap();
        assert_eq!(
            said,
            Output {
                code: Some(3),
                stdout: "out\n".to_owned(),
                stderr: "err".to_owned()
            }
        );
        let start = Instant::now();
        let slow = sh("sleep 1000", Duration::from_millis(50)).unwrap_err();
        assert_eq!(slow.to_string(), "it did not answer within 50ms");
        assert!(start.elapsed() < LONG);
        let none = run(&mut command("no-such-program"), LONG);
        assert!(matches!(none, Err(NoOutput::NotFound)));
    }

    #[test]
    fn a_program_that_stops_or_ignores_signals_is_killed_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let pids = folder.path().join("pids");
        let script = format!(
            "trap '' TERM INT HUP; sleep 1000 & echo $! $$ > {}; kill -STOP $$",
            pids.display()
        );
        let start = Instant::now();
        let stopped = sh(&script, Duration::from_millis(500));
        assert!(matches!(stopped, Err(NoOutput::TimedOut(_))));
        assert!(start.elapsed() < LONG);
        let written = std::fs::read_to_string(&pids).unwrap();
        let is_gone = |pid: &str| {
            // A zombie that init has not reaped yet has no command line.
            std::fs::read(format!("/proc/{pid}/cmdline")).map_or(true, |line| line.is_empty())
        };
        let end = Instant::now() + LONG;
        while !written.split_whitespace().all(is_gone) {
            assert!(Instant::now() < end, "{written} still run");
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_pipe_that_stays_open_is_not_waited_for() {
        let start = Instant::now();
        let said = sh("echo out; setsid sleep 30 & exit 0", LONG).unwrap();
        assert_eq!((said.code, said.stdout.as_str()), (Some(0), "out\n"));
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn endless_output_is_cut() {
        for script in ["cat /dev/zero", "cat /dev/zero >&2"] {
            let endless = sh(script, LONG).unwrap_err();
            assert_eq!(endless.to_string(), "it wrote more than 16 MB");
        }
    }

    #[test]
    fn a_program_is_found_without_running_it() {
        assert!(find("sh").unwrap().is_absolute());
        assert_eq!(find("no-such-program"), None);
    }
}
