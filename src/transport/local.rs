//! This machine as a host: the same agent as a child process.

use std::process::Stdio;

use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::bootstrap;
use super::link::Link;
use crate::model::{Failure, FailureKind};
use crate::wire::{Open, argument};

/// Starts an agent as a child of this process, which answers `open`. The marker is read with the
/// first frame.
///
/// # Errors
/// When this program cannot be started again.
pub fn connect(open: &Open) -> Result<Link, Failure> {
    let start = || -> std::io::Result<Link> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["agent", "serve", "--open", &argument::encode(open)?])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A Ctrl-C in the terminal is the controller's to handle, not the agent's.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(std::io::Error::other("no pipes"));
        };
        let reader = tokio::io::BufReader::new(stdout);
        Ok(Link::new(
            bootstrap::SkipMarker::new(reader),
            stdin,
            Box::new(child),
        ))
    };
    start().map_err(|error| {
        Failure::new(
            FailureKind::Unexpected,
            format!("cannot start an agent on this machine: {error}"),
        )
    })
}

/// Reads exactly what a marker is, from any stream.
pub(super) async fn read_byte<R: tokio::io::AsyncRead + Unpin>(
    reader: &mut R,
) -> std::io::Result<Option<u8>> {
    let mut byte = [0u8; 1];
    Ok((reader.read(&mut byte).await? == 1).then_some(byte[0]))
}
