//! A program run to its end, or to a deadline.

use std::ffi::OsString;
use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// Where the programs of the system are, whatever the login shell made of `PATH`.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a program that ended has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to stdout; bytes that are no UTF-8 replaced.
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
    /// It did not end by the deadline.
    TimedOut,
    /// It could not be started.
    Io(io::Error),
}

impl std::fmt::Display for NoOutput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotFound => f.write_str("it is not installed"),
            Self::TimedOut => f.write_str("it did not answer in time"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

/// `program` with no stdin, English messages without colours or pagers, and the system's folders
/// at the end of `PATH`.
#[must_use]
pub fn command(program: &str) -> Command {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    if !path.is_empty() {
        path.push(":");
    }
    path.push(OsString::from(SYSTEM_PATH));
    let mut command = Command::new(program);
    command
        .stdin(Stdio::null())
        .env("PATH", path)
        .env("LC_ALL", "C")
        .env("SYSTEMD_COLORS", "0")
        .env("SYSTEMD_PAGER", "")
        .env_remove("SYSTEMD_LOG_LEVEL");
    command
}

/// Runs `command` to its end.
///
/// At the deadline it is killed. One that runs as root through sudo cannot be killed from here
/// (kill(2): the real user id differs); it is left to end by itself.
///
/// # Errors
/// When it cannot be started, or `deadline` passes.
pub fn run(command: &mut Command, deadline: Duration) -> Result<Output, NoOutput> {
    let end = Instant::now() + deadline;
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => NoOutput::NotFound,
        _ => NoOutput::Io(error),
    })?;
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    let left = || end.saturating_duration_since(Instant::now());
    let both = stdout
        .recv_timeout(left())
        .and_then(|stdout| Ok((stdout, stderr.recv_timeout(left())?)));
    let Ok((stdout, stderr)) = both else {
        abandon(child);
        return Err(NoOutput::TimedOut);
    };
    loop {
        match child.try_wait().map_err(NoOutput::Io)? {
            Some(status) => {
                return Ok(Output {
                    code: status.code(),
                    stdout: String::from_utf8_lossy(&stdout).into_owned(),
                    stderr: String::from_utf8_lossy(&stderr).trim().to_owned(),
                });
            }
            None if left().is_zero() => {
                abandon(child);
                return Err(NoOutput::TimedOut);
            }
            // Its output is closed, so that it is at its very end.
            None => thread::sleep(Duration::from_millis(1)),
        }
    }
}

fn abandon(mut child: Child) {
    let _ = child.kill();
    thread::spawn(move || child.wait());
}

/// Reads a pipe to its end, on a thread of its own so that neither pipe can block the other.
fn drain(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_run_to_its_end_or_to_the_deadline() {
        let long = Duration::from_secs(20);
        let said = run(
            command("sh").args(["-c", "echo out; echo err >&2; exit 3"]),
            long,
        )
        .unwrap();
        assert_eq!(
            said,
            Output {
                code: Some(3),
                stdout: "out\n".to_owned(),
                stderr: "err".to_owned()
            }
        );
        let start = Instant::now();
        let slow = run(command("sleep").arg("1000"), Duration::from_millis(50));
        assert!(matches!(slow, Err(NoOutput::TimedOut)));
        assert!(start.elapsed() < Duration::from_secs(1000));
        let none = run(&mut command("no-such-program"), long);
        assert!(matches!(none, Err(NoOutput::NotFound)));
    }
}
