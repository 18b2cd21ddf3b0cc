//! The output of commands on its way to standard output and standard error.

use std::os::fd::{AsFd, BorrowedFd};
use std::thread::JoinHandle;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use serde_json::json;
use tokio::sync::mpsc::{Receiver, Sender};

use crate::model::HostName;
use crate::report::{self, Mode, Written};
use crate::rollout::exec::{Input, Piece};

/// How output is shown.
#[derive(Debug)]
pub struct Shown {
    /// All hosts that may write, where each line says whose it is.
    pub hosts: Option<Vec<HostName>>,
    /// For whom.
    pub mode: Mode,
    /// Whether standard output, and standard error, pass as they are.
    pub raw: [bool; 2],
}

/// Whether `stream` is a regular file.
#[must_use]
pub fn is_file(stream: &dyn AsFd) -> bool {
    rustix::fs::fstat(stream.as_fd()).is_ok_and(|stat| {
        rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::RegularFile
    })
}

/// Writes what comes, on a thread of its own, until there is nothing more; `commands` are told when
/// nobody reads it. Whether something was changed that is not text.
pub fn write(
    shown: Shown,
    mut pieces: Receiver<Piece>,
    commands: Vec<Sender<Input>>,
) -> JoinHandle<bool> {
    std::thread::spawn(move || {
        let mut writer = Writer {
            closed: [false; 2],
            streams: Vec::new(),
            shown,
            commands,
        };
        while let Some(piece) = pieces.blocking_recv() {
            writer.piece(&piece);
        }
        writer.finish()
    })
}

struct Writer {
    shown: Shown,
    commands: Vec<Sender<Input>>,
    /// Whether nobody reads standard output, and standard error, any more.
    closed: [bool; 2],
    /// The streams that are shown line by line.
    streams: Vec<(HostName, bool, Written)>,
}

impl Writer {
    fn piece(&mut self, piece: &Piece) {
        if self.shown.raw[usize::from(piece.stderr)] {
            self.put(piece.stderr, &piece.bytes);
            return;
        }
        let is_same = |(host, stderr, _): &(HostName, bool, Written)| {
            *host == piece.host && *stderr == piece.stderr
        };
        let at = self.streams.iter().position(is_same).unwrap_or_else(|| {
            let written = Written::new(self.shown.mode, self.colours(piece.stderr));
            let stream = (piece.host.clone(), piece.stderr, written);
            self.streams.push(stream);
            self.streams.len() - 1
        });
        let mut lines = String::new();
        let shown = &self.shown;
        let (host, stderr, written) = &mut self.streams[at];
        written.take(&piece.bytes, &mut |line| {
            lines.push_str(&shown.line(host, *stderr, &line));
            lines.push('\n');
        });
        self.put(piece.stderr, lines.as_bytes());
    }

    /// What has no line end yet; whether something was changed that is not text.
    fn finish(mut self) -> bool {
        let mut is_binary = false;
        for (host, stderr, mut written) in std::mem::take(&mut self.streams) {
            if let Some(line) = written.finish() {
                let mut line = self.shown.line(&host, stderr, &line);
                // A line of several hosts ends here; a command's own last line as it wrote it.
                if self.shown.is_marked() {
                    line.push('\n');
                }
                self.put(stderr, line.as_bytes());
            }
            is_binary |= written.is_binary;
        }
        is_binary
    }

    /// Whether colours are shown where this goes.
    fn colours(&self, stderr: bool) -> bool {
        let stream: &dyn AsFd = match stderr {
            true => &std::io::stderr(),
            false => &std::io::stdout(),
        };
        let is_terminal = rustix::termios::isatty(stream.as_fd());
        is_terminal && report::colour(true, |name| std::env::var(name).ok())
    }

    fn put(&mut self, stderr: bool, bytes: &[u8]) {
        // A program that reads JSON reads standard output.
        let stderr = stderr && self.shown.mode != Mode::Json;
        if self.closed[usize::from(stderr)] {
            return;
        }
        let stream = match stderr {
            true => rustix::stdio::stderr(),
            false => rustix::stdio::stdout(),
        };
        if write_all(stream, bytes).is_err() {
            self.closed[usize::from(stderr)] = true;
            for command in &self.commands {
                let _ = command.blocking_send(Input::Unread(stderr));
            }
        }
    }
}

impl Shown {
    /// Whether each line says more than the command wrote.
    fn is_marked(&self) -> bool {
        self.hosts.is_some() || self.mode == Mode::Json
    }

    fn line(&self, host: &HostName, stderr: bool, text: &str) -> String {
        if self.mode == Mode::Json {
            let stream = if stderr { "stderr" } else { "stdout" };
            return json!({ "host": host, "stream": stream, "text": text }).to_string();
        }
        match &self.hosts {
            None => text.to_owned(),
            Some(hosts) => {
                let widths = hosts.iter().map(|host| host.short().chars().count());
                let width = widths.max().unwrap_or(0);
                format!("{:<width$}  {text}", host.short())
            }
        }
    }
}

/// Writes all of it, also where the stream does not block: others may have set it so.
fn write_all(stream: BorrowedFd<'_>, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match rustix::io::write(stream, bytes) {
            Ok(n) => bytes = &bytes[n..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let mut fds = [PollFd::from_borrowed_fd(stream, PollFlags::OUT)];
                match poll(&mut fds, None) {
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(error) => return Err(error),
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
