//! Where bytes leave the program.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
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
    /// Columns of the terminal that data goes to; 0 where it is none, or not known.
    fn data_columns(&self) -> u16;
}

/// Talk to stderr, data to stdout.
#[derive(Debug, Default)]
pub(super) struct Standard {
    stdout: Stream,
    stderr: Stream,
}

impl Output for Standard {
    fn talk(&self, bytes: &[u8]) {
        self.stderr.write(rustix::stdio::stderr(), bytes, PATIENCE);
    }

    fn data(&self, bytes: &[u8]) {
        self.stdout.write(rustix::stdio::stdout(), bytes, PATIENCE);
    }

    fn draw(&self, bytes: &[u8]) {
        self.talk(bytes);
    }

    fn size(&self) -> (u16, u16) {
        rustix::termios::tcgetwinsize(rustix::stdio::stderr())
            .map_or((0, 0), |size| (size.ws_col, size.ws_row))
    }

    fn data_columns(&self) -> u16 {
        rustix::termios::tcgetwinsize(rustix::stdio::stdout()).map_or(0, |size| size.ws_col)
    }
}

/// A reader that takes nothing for so long loses what it was to take, so that it cannot hold up a
/// deploy.
const PATIENCE: Duration = Duration::from_secs(10);

/// How soon a terminal that said it had room, and had too little, is asked again.
const PAUSE: Duration = Duration::from_millis(10);

/// What is certain not to block where poll(2) says that there is room, bytes: a pipe has room for a
/// page then (`PIPE_BUF`, pipe(7)), a socket for more.
const PIECE: usize = 4096;

/// One of the program's streams. After its first failure (EPIPE: the reader went away) it is left
/// alone.
///
/// It is others' as well, and blocks or does not as they like (node changes that for everybody):
/// nothing is set on it, and no write is begun that could block.
#[derive(Debug, Default)]
struct Stream {
    closed: AtomicBool,
    /// The reader took nothing for too long: until it does, it is not waited for again.
    stalled: AtomicBool,
    /// A terminal, opened once more so that no write blocks: how much there is room for, with what
    /// it makes of line ends, cannot be told before.
    terminal: OnceLock<Option<OwnedFd>>,
}

impl Stream {
    /// Writes all of `bytes`, or as much as the reader takes.
    fn write(&self, stream: BorrowedFd<'_>, mut bytes: &[u8], patience: Duration) {
        let terminal = self.terminal.get_or_init(|| terminal(stream));
        let stream = terminal.as_ref().map_or(stream, AsFd::as_fd);
        let mut taken = Instant::now();
        while !bytes.is_empty() && !self.closed.load(Ordering::Relaxed) {
            let left = match self.stalled.load(Ordering::Relaxed) {
                true => Duration::ZERO,
                false => patience.saturating_sub(taken.elapsed()),
            };
            if !has_room(stream, left) {
                self.stalled.store(true, Ordering::Relaxed);
                return;
            }
            match rustix::io::write(stream, &bytes[..bytes.len().min(PIECE)]) {
                Ok(0) => self.closed.store(true, Ordering::Relaxed),
                Ok(written) => {
                    bytes = &bytes[written..];
                    taken = Instant::now();
                    self.stalled.store(false, Ordering::Relaxed);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if left.is_zero() => {
                    self.stalled.store(true, Ordering::Relaxed);
                    return;
                }
                Err(Errno::AGAIN) => std::thread::sleep(left.min(PAUSE)),
                Err(_) => self.closed.store(true, Ordering::Relaxed),
            }
        }
    }
}

/// `stream` opened once more, when it is a terminal that may be opened.
fn terminal(stream: BorrowedFd<'_>) -> Option<OwnedFd> {
    let path = format!("/proc/self/fd/{}", stream.as_raw_fd());
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let is_terminal = rustix::termios::isatty(stream);
    is_terminal.then(|| open(path, flags, Mode::empty()).ok())?
}

/// Waits for so long until there is room, or there is no reader any more.
fn has_room(stream: BorrowedFd<'_>, time: Duration) -> bool {
    let limit = Timespec {
        tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: time.subsec_nanos().into(),
    };
    let mut ready = [PollFd::new(&stream, PollFlags::OUT)];
    loop {
        match poll(&mut ready, Some(&limit)) {
            Err(Errno::INTR) => {}
            polled => return matches!(polled, Ok(1..)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::FromRawFd;

    use rustix::pipe::{PipeFlags, pipe_with};

    use super::*;

    #[test]
    fn a_closed_reader_is_the_end_of_the_stream_and_of_nothing_else() {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let stream = Stream::default();
        drop(reader);
        // A child that another test is starting has the reader until its exec.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while !stream.closed.load(Ordering::Relaxed) {
            assert!(std::time::Instant::now() < deadline, "somebody reads");
            stream.write(writer.as_fd(), b"nobody reads this\n", PATIENCE);
        }
        stream.write(writer.as_fd(), b"nor this\n", PATIENCE);
    }

    /// write(2) to an ordinary pipe never returned, with the reporter's lock held: neither a lease
    /// nor Ctrl-C ended the deploy.
    #[test]
    fn a_reader_that_takes_nothing_is_waited_for_once() {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let (stream, writer) = fill(writer);
        let mut reader = std::fs::File::from(reader);
        let mut taken = vec![0; 16 << 10];
        reader.read_exact(&mut taken).unwrap();
        stream.write(writer.as_fd(), b"it takes again\n", PATIENCE);
        drop(writer);
        reader.read_to_end(&mut taken).unwrap();
        let text = String::from_utf8(taken).unwrap();
        let told: Vec<&str> = text.lines().filter(|line| *line != LINE).collect();
        assert!(
            text.ends_with("it takes again\n") && told.len() <= 2,
            "{told:?}"
        );
    }

    /// A terminal, too, has room for less than it is asked to take when its reader stops.
    #[test]
    fn a_terminal_that_takes_nothing_is_waited_for_once() {
        let (mut ours, mut theirs) = (-1, -1);
        let null = std::ptr::null_mut();
        // SAFETY: the two numbers may be written to, and nothing else is asked for (openpty(3)).
        let made = unsafe {
            libc::openpty(
                &raw mut ours,
                &raw mut theirs,
                null,
                null.cast(),
                null.cast(),
            )
        };
        assert_eq!(made, 0);
        // SAFETY: both were opened just now, and are nobody else's.
        let (_reader, terminal) =
            unsafe { (OwnedFd::from_raw_fd(ours), OwnedFd::from_raw_fd(theirs)) };
        let (stream, _terminal) = fill(terminal);
        assert!(stream.stalled.load(Ordering::Relaxed));
    }

    const LINE: &str = "a line that nobody reads";

    /// Writes more than nobody takes; neither that nor what follows may take long.
    fn fill(writer: OwnedFd) -> (Stream, OwnedFd) {
        let (sender, filled) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let stream = Stream::default();
            let text = format!("{LINE}\n").repeat(20_000);
            stream.write(writer.as_fd(), text.as_bytes(), Duration::from_millis(50));
            stream.write(
                writer.as_fd(),
                text.as_bytes(),
                Duration::from_secs(100_000),
            );
            let _ = sender.send((stream, writer));
        });
        let filled = filled.recv_timeout(Duration::from_secs(60));
        filled.expect("no write that blocks")
    }

    #[test]
    fn a_full_pipe_that_was_made_non_blocking_loses_nothing() {
        let (reader, writer) = pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC).unwrap();
        let stream = Stream::default();
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
        stream.write(writer.as_fd(), &text, PATIENCE);
        drop(writer);
        assert_eq!(reading.join().unwrap(), text.len());
        assert!(!stream.closed.load(Ordering::Relaxed));
    }
}
