//! What a command writes, read until the command and its output have ended.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// How long output may still come after the command has ended: from children that it left running.
const DRAIN: Duration = Duration::from_millis(500);

/// The output of a command: a pipe, or the controlling end of its terminal.
///
/// A read returns 0 when every process has closed its end, or when the command has ended and
/// nothing more came for half a second: a child that was left in the background holds the pipe open.
#[derive(Debug)]
pub struct Output {
    stream: File,
    /// Hangs up when the command has ended.
    ended: Arc<OwnedFd>,
}

impl Output {
    pub(in crate::agent) fn new(stream: impl Into<OwnedFd>, ended: Arc<OwnedFd>) -> Self {
        Self {
            stream: File::from(stream.into()),
            ended,
        }
    }

    /// Whether there is something to read, or the end, within `limit`.
    #[must_use]
    pub fn is_there_within(&self, limit: Duration) -> bool {
        let limit = Timespec {
            tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(limit.subsec_nanos()),
        };
        let mut fds = [
            PollFd::new(&self.stream, PollFlags::IN),
            PollFd::new(&*self.ended, PollFlags::IN),
        ];
        // What cannot be asked is there: reading it says why.
        retry(|| poll(&mut fds, Some(&limit))).map_or(true, |ready| ready > 0)
    }

    /// Waits until there is something to read, or until there will be nothing more.
    fn is_readable(&self) -> io::Result<bool> {
        let mut fds = [
            PollFd::new(&self.stream, PollFlags::IN),
            PollFd::new(&*self.ended, PollFlags::IN),
        ];
        retry(|| poll(&mut fds, None))?;
        if !fds[0].revents().is_empty() {
            return Ok(true);
        }
        let limit = Timespec {
            tv_sec: 0,
            tv_nsec: i64::from(DRAIN.subsec_nanos()),
        };
        let mut fds = [PollFd::new(&self.stream, PollFlags::IN)];
        retry(|| poll(&mut fds, Some(&limit))).map(|ready| ready > 0)
    }
}

impl Read for Output {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if !self.is_readable()? {
            return Ok(0);
        }
        match self.stream.read(bytes) {
            // How Linux says that nobody has the other end of a terminal any more (pty(7)).
            Err(error) if error.raw_os_error() == Some(libc::EIO) => Ok(0),
            other => other,
        }
    }
}

fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(rustix::io::Errno::INTR) => {}
            other => return Ok(other?),
        }
    }
}
