//! Standard input on its way to a command.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::stdio::stdin;
use tokio::sync::mpsc::Sender;

use crate::rollout::exec::{Input, Window};

/// The largest piece that is read, bytes.
const PIECE: usize = 64 << 10;

/// Passes standard input on to `input`, as much as `window` has room for, until it ends or `closed`
/// hangs up. What is not read is left to whoever reads next.
pub fn pass_on(window: Arc<Window>, closed: OwnedFd, input: Sender<Input>) {
    thread::spawn(move || {
        while let Some(room) = window.take(PIECE) {
            let Some(bytes) = read(&closed, room) else {
                return;
            };
            window.give(room - bytes.len());
            let next = match bytes.is_empty() {
                true => Input::End,
                false => Input::Bytes(bytes),
            };
            let is_end = matches!(next, Input::End);
            if input.blocking_send(next).is_err() || is_end {
                return;
            }
        }
    });
}

/// What comes next, at most `room` bytes; empty at the end, and `None` when nothing more is wanted.
fn read(closed: &OwnedFd, room: usize) -> Option<Vec<u8>> {
    loop {
        let mut fds = [
            PollFd::from_borrowed_fd(stdin(), PollFlags::IN),
            PollFd::new(closed, PollFlags::IN),
        ];
        match poll(&mut fds, None) {
            Err(Errno::INTR) => continue,
            // It cannot be waited for: reading tells.
            Err(_) => {}
            Ok(_) if !fds[1].revents().is_empty() => return None,
            Ok(_) => {}
        }
        let mut bytes = vec![0u8; room];
        match rustix::io::read(stdin(), &mut bytes) {
            Ok(n) => {
                bytes.truncate(n);
                return Some(bytes);
            }
            Err(Errno::INTR | Errno::AGAIN) => {}
            // A folder, or a terminal that is gone.
            Err(_) => return Some(Vec::new()),
        }
    }
}
