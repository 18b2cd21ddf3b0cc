//! Running the tools of this machine (`ip`, `mount`, ...).

use std::ffi::OsStr;
use std::process::{Command, Output, Stdio};

/// Runs a tool and returns its stdout, trimmed. Panics with everything it said
/// when it fails.
#[track_caller]
pub fn run<S: AsRef<OsStr>>(program: &str, args: &[S]) -> String {
    finish(Command::new(program).args(args))
}

/// Runs a prepared command like [`run`].
#[track_caller]
pub fn finish(command: &mut Command) -> String {
    let output = output(command);
    assert!(
        output.status.success(),
        "{command:?} failed: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Runs a tool whose failure is an answer too; true when it succeeded.
pub fn attempt<S: AsRef<OsStr>>(program: &str, args: &[S]) -> bool {
    Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Runs a command to its end with stdin closed. Panics when it cannot start.
#[track_caller]
pub fn output(command: &mut Command) -> Output {
    command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"))
}
