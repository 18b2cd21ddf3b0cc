//! Where bytes leave the program.

use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// Takes the reporter's bytes. A place that cannot take them is the end of that place, never of
/// the program: there is nothing to return.
pub trait Output: Send + Sync {
    /// Talk: progress, notes, warnings, errors. Whole lines.
    fn talk(&self, bytes: &[u8]);
    /// Data: what another program reads. Whole lines.
    fn data(&self, bytes: &[u8]);
    /// Parts of the screen that are drawn over again.
    fn draw(&self, bytes: &[u8]);
    /// Columns and rows of the screen; 0 where it is not known.
    fn size(&self) -> (u16, u16);
}

/// Talk to stderr, data to stdout. After its first failure (EPIPE: the reader went away) a stream
/// is left alone.
#[derive(Debug, Default)]
pub(super) struct Standard {
    stdout_closed: AtomicBool,
    stderr_closed: AtomicBool,
}

impl Output for Standard {
    fn talk(&self, bytes: &[u8]) {
        write(rustix::stdio::stderr(), &self.stderr_closed, bytes);
    }

    fn data(&self, bytes: &[u8]) {
        write(rustix::stdio::stdout(), &self.stdout_closed, bytes);
    }

    fn draw(&self, bytes: &[u8]) {
        self.talk(bytes);
    }

    fn size(&self) -> (u16, u16) {
        rustix::termios::tcgetwinsize(rustix::stdio::stderr())
            .map_or((0, 0), |size| (size.ws_col, size.ws_row))
    }
}

/// Writes all of `bytes`, or gives the stream up.
fn write(stream: BorrowedFd<'_>, closed: &AtomicBool, mut bytes: &[u8]) {
    while !bytes.is_empty() && !closed.load(Ordering::Relaxed) {
        match rustix::io::write(stream, bytes) {
            Ok(0) => closed.store(true, Ordering::Relaxed),
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            // Another program with the same terminal or pipe (node does it) can make it
            // non-blocking under us: full is not closed. A reader that takes nothing for 10 s
            // loses these bytes, so that it cannot hold up a deploy.
            Err(Errno::AGAIN) => {
                let limit = Timespec {
                    tv_sec: 10,
                    tv_nsec: 0,
                };
                let mut ready = [PollFd::new(&stream, PollFlags::OUT)];
                match poll(&mut ready, Some(&limit)) {
                    Ok(1..) | Err(Errno::INTR) => {}
                    Ok(0) | Err(_) => return,
                }
            }
            Err(_) => closed.store(true, Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::AsFd;

    use rustix::pipe::{PipeFlags, pipe_with};

    use super::*;

    #[test]
    fn a_closed_reader_is_the_end_of_the_stream_and_of_nothing_else() {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let closed = AtomicBool::new(false);
        drop(reader);
        // A child that another test is starting has the reader until its exec.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while !closed.load(Ordering::Relaxed) {
            assert!(std::time::Instant::now() < deadline, "somebody reads");
            write(writer.as_fd(), &closed, b"nobody reads this\n");
        }
        write(writer.as_fd(), &closed, b"nor this\n");
    }

    #[test]
    fn a_full_pipe_that_was_made_non_blocking_loses_nothing() {
        let (reader, writer) = pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC).unwrap();
        let closed = AtomicBool::new(false);
        let text = vec![b'x'; 1 << 20];
        let reading = std::thread::spawn(move || {
            let mut got = 0;
            let mut file = std::fs::File::from(reader);
            let mut buffer = vec![0; 1 << 16];
            loop {
                match file.read(&mut buffer) {
                    Ok(0) => return got,
                    Ok(n) => got += n,
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                        std::thread::yield_now();
                    }
                    Err(error) => panic!("{error}"),
                }
            }
        });
        write(writer.as_fd(), &closed, &text);
        drop(writer);
        assert_eq!(reading.join().unwrap(), text.len());
        assert!(!closed.load(Ordering::Relaxed));
    }
}
