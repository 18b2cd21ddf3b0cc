//! Starts a [`Program`] with pipes or on a terminal of its own.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::tcsetwinsize;
use serde::{Deserialize, Serialize};

use super::output::Output;
use super::program::Program;
use super::running::{ChildProcess, Running};
use crate::agent::signals::hear_all;
use crate::wire::Size;

/// A command that was started. Somebody must call [`Running::wait`] while others read its output.
#[derive(Debug)]
pub struct Started {
    /// The command.
    pub running: Arc<Running>,
    /// Its standard input; dropping it ends that, except on a terminal.
    pub input: File,
    /// Its standard output, or all that comes on its terminal.
    pub output: Output,
    /// Its standard error; `None` on a terminal.
    pub errors: Option<Output>,
}

/// Why a program was not started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotStarted {
    /// The exit code that a shell would give: 127 when there is no such program, 126 when it
    /// cannot be executed (POSIX XCU 2.8.2), 125 for everything else.
    pub code: i32,
    /// What is wrong, in a sentence that names the program.
    pub why: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl std::fmt::Display for NotStarted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.why)
    }
}

/// Starts `program` in a session of its own, which ends when [`Started::running`] is dropped.
///
/// # Errors
/// When there is no such program, it cannot be executed, or the system refuses.
pub fn start(program: &Program) -> Result<Started, NotStarted> {
    let words = program.words();
    let Some((name, arguments)) = words.split_first() else {
        return Err(failed("no command to run".to_owned()));
    };
    let mut command = Command::new(name);
    command
        .args(arguments)
        .current_dir(&program.dir)
        .env_clear()
        .envs(&program.env);
    let started = match program.terminal {
        Some(size) => on_terminal(command, size),
        None => with_pipes(command),
    };
    started.map_err(|error| explain(program, name, &error))
}

fn with_pipes(mut command: Command) -> io::Result<Started> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // SAFETY: setsid(2) and signal(2) are async-signal-safe, and nothing else happens between fork
    // and exec.
    unsafe {
        command.pre_exec(|| {
            hear_all();
            rustix::process::setsid()?;
            Ok(())
        });
    }
    let mut child = command.spawn()?;
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (running, ended) = ChildProcess::of(child, None)?;
    let (Some(input), Some(output), Some(errors)) = pipes else {
        return Err(io::Error::other("no pipes"));
    };
    let errors = Output::new(errors, Arc::clone(&ended));
    Ok(Started {
        running: Arc::new(Running::by(running)),
        input: File::from(OwnedFd::from(input)),
        output: Output::new(output, ended),
        errors: Some(errors),
    })
}

fn on_terminal(mut command: Command, size: Size) -> io::Result<Started> {
    let (ours, theirs) = open_terminal(size)?;
    command
        .stdin(theirs.try_clone()?)
        .stdout(theirs.try_clone()?)
        .stderr(theirs);
    // SAFETY: setsid(2), signal(2) and ioctl(2) are async-signal-safe, and nothing else happens
    // between fork and exec. Standard input is the terminal by then.
    unsafe {
        command.pre_exec(|| {
            hear_all();
            rustix::process::setsid()?;
            rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?;
            Ok(())
        });
    }
    let child = command.spawn()?;
    // It holds the other end of the terminal, which must be the command's alone.
    drop(command);
    let (running, ended) = ChildProcess::of(child, Some(ours.try_clone()?))?;
    Ok(Started {
        running: Arc::new(Running::by(running)),
        input: File::from(ours.try_clone()?),
        output: Output::new(ours, ended),
        errors: None,
    })
}

/// A new terminal (pty(7)): the end that controls it, and the end for the command.
fn open_terminal(size: Size) -> io::Result<(OwnedFd, OwnedFd)> {
    let ours = openpt(OpenptFlags::RDWR.union(OpenptFlags::NOCTTY))?;
    rustix::io::fcntl_setfd(&ours, rustix::io::FdFlags::CLOEXEC)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    set_size(&ours, size)?;
    let path = ptsname(&ours, Vec::new())?;
    let flags = rustix::fs::OFlags::RDWR
        .union(rustix::fs::OFlags::NOCTTY)
        .union(rustix::fs::OFlags::CLOEXEC);
    let theirs = rustix::fs::open(path, flags, rustix::fs::Mode::empty())?;
    erase_whole_characters(&theirs);
    Ok((ours, theirs))
}

/// Makes the erase key take a whole character of UTF-8, not its last byte (termios(3), IUTF8).
fn erase_whole_characters(terminal: &OwnedFd) {
    #[cfg(target_os = "linux")]
    if let Ok(mut modes) = rustix::termios::tcgetattr(terminal) {
        modes.input_modes |= rustix::termios::InputModes::IUTF8;
        let now = rustix::termios::OptionalActions::Now;
        let _ = rustix::termios::tcsetattr(terminal, now, &modes);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = terminal;
}

/// Sets the size of a terminal, which tells its foreground processes (SIGWINCH).
pub(super) fn set_size(terminal: impl AsFd, size: Size) -> io::Result<()> {
    let size = rustix::termios::Winsize {
        ws_row: size.rows,
        ws_col: size.columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    Ok(tcsetwinsize(terminal, size)?)
}

fn failed(why: String) -> NotStarted {
    NotStarted {
        code: 125,
        why,
        hint: None,
    }
}

/// What `error` says of `name`, which was to be executed.
fn explain(program: &Program, name: &str, error: &io::Error) -> NotStarted {
    if !program.dir.is_dir() {
        return failed(format!("{}: {error}", program.dir.display()));
    }
    let path = program.dir.join(name);
    let is_path = name.contains('/');
    let (code, why, hint) = match error.kind() {
        io::ErrorKind::NotFound if is_path && path.exists() => {
            (126, format!("{name}: {}", missing_interpreter(&path)), None)
        }
        io::ErrorKind::NotFound => (
            127,
            format!("{name}: command not found"),
            Some(not_found_hint(name, is_path, &path)),
        ),
        io::ErrorKind::PermissionDenied if path.is_dir() => {
            (126, format!("{name}: is a folder, not a program"), None)
        }
        io::ErrorKind::PermissionDenied => (
            126,
            format!("{name}: cannot be executed: permission denied"),
            is_path.then(|| {
                format!("chmod +x {name} in the project, or run it through its interpreter")
            }),
        ),
        _ => (126, format!("{name}: {error}"), None),
    };
    NotStarted { code, why, hint }
}

/// A program that is there and "not found" names an interpreter that is not (execve(2)).
fn missing_interpreter(path: &Path) -> String {
    let begin = std::fs::read(path).unwrap_or_default();
    let line = begin
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    match line.strip_prefix(b"#!") {
        Some(interpreter) => {
            let interpreter = String::from_utf8_lossy(interpreter);
            format!(
                "its interpreter is not on this host: {}",
                interpreter.trim()
            )
        }
        None => "its loader is not on this host: it was linked for another system".to_owned(),
    }
}

fn not_found_hint(name: &str, is_path: bool, path: &Path) -> String {
    if !is_path && path.exists() {
        return format!("it is in the release, not on PATH: name it ./{name}");
    }
    if name.contains(char::is_whitespace) {
        return "give the program and its arguments as separate words; to run a shell line: sh -c '…'".to_owned();
    }
    "name it by its path within the release, or run it through sh -c".to_owned()
}
