//! One run of a program, to its end or still going.

use super::command::attempt;
use super::owner::Owner;
use super::poll::within;
use std::fmt;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// The longest that a run may take.
const DEADLINE: Duration = Duration::from_secs(300);

/// How long stdout and stderr may stay open after the exit. Longer means that a
/// process left behind holds them, on which a CI job would hang.
const CLOSING: Duration = Duration::from_secs(5);

/// A program that has ended.
#[derive(Clone, Debug)]
pub struct Run {
    pub command: String,
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
    /// From the start to the exit.
    pub duration: Duration,
}

impl Run {
    /// Panics with everything it said unless it exited with 0.
    #[track_caller]
    pub fn ok(&self) -> &Self {
        self.code(0)
    }

    /// Panics with everything it said unless it exited with this code.
    #[track_caller]
    pub fn code(&self, code: i32) -> &Self {
        assert!(
            self.status.code() == Some(code),
            "expected exit code {code}\n{self}"
        );
        self
    }

    /// Panics with everything it said unless a signal of this number ended it.
    #[track_caller]
    pub fn killed_by(&self, signal: i32) -> &Self {
        assert!(
            self.status.signal() == Some(signal),
            "expected signal {signal}\n{self}"
        );
        self
    }

    /// Panics with everything it said unless stdout contains this text.
    #[track_caller]
    pub fn stdout_has(&self, text: &str) -> &Self {
        assert!(
            self.stdout.contains(text),
            "expected on stdout: {text:?}\n{self}"
        );
        self
    }

    /// Panics with everything it said unless stderr contains this text.
    #[track_caller]
    pub fn stderr_has(&self, text: &str) -> &Self {
        assert!(
            self.stderr.contains(text),
            "expected on stderr: {text:?}\n{self}"
        );
        self
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            command,
            status,
            stdout,
            stderr,
            duration,
        } = self;
        write!(
            f,
            "$ {command}\n{status} after {duration:.1?}\n\
             --- stdout\n{stdout}--- stderr\n{stderr}---"
        )
    }
}

/// A program that runs; killed when it is dropped.
pub struct Running {
    command: String,
    pid: u32,
    start: Instant,
    exit: Receiver<(ExitStatus, Instant)>,
    stdout: Pipe,
    stderr: Pipe,
    ended: bool,
}

impl Running {
    /// Starts a command with stdin closed.
    pub fn start(command: &mut Command) -> Self {
        let start = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let stdout = Pipe::drain(child.stdout.take().expect("a pipe"));
        let stderr = Pipe::drain(child.stderr.take().expect("a pipe"));
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
        Self {
            command: words.join(" "),
            pid: child.id(),
            start,
            exit: watch(child),
            stdout,
            stderr,
            ended: false,
        }
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Sends a signal by its name, such as `INT` or `KILL`.
    pub fn signal(&self, name: &str) {
        attempt("kill", &[format!("-{name}"), self.pid.to_string()]);
    }

    /// What it has said so far: stdout, stderr.
    pub fn output(&self) -> (String, String) {
        (self.stdout.text(), self.stderr.text())
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        Owner::of(self.pid).is_none()
    }

    /// Waits until this text was said on stdout or stderr. Panics with everything
    /// it said when that takes more than 60 seconds.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        within(Duration::MAX, text, || {
            let (stdout, stderr) = self.output();
            let said = stdout.contains(text) || stderr.contains(text);
            assert!(
                said || Instant::now() < deadline,
                "$ {}\nnever said {text:?}\n--- stdout\n{stdout}--- stderr\n{stderr}---",
                self.command
            );
            said.then_some(())
        });
    }

    /// Waits for its end, 180 seconds at most. Panics when it takes longer, and
    /// when a process that it left behind keeps its stdout or stderr open.
    #[track_caller]
    pub fn wait(mut self) -> Run {
        let Ok((status, end)) = self.exit.recv_timeout(DEADLINE) else {
            let (stdout, stderr) = self.output();
            panic!(
                "$ {}\nstill runs after {DEADLINE:?}\n--- stdout\n{stdout}--- stderr\n{stderr}---",
                self.command
            );
        };
        self.ended = true;
        let closed = [&self.stdout, &self.stderr].map(|pipe| pipe.closes_within(CLOSING));
        let run = Run {
            command: self.command.clone(),
            status,
            stdout: self.stdout.text(),
            stderr: self.stderr.text(),
            duration: end - self.start,
        };
        assert!(
            closed == [true, true],
            "a process left behind holds stdout or stderr open\n{run}"
        );
        run
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended && self.exit.try_recv().is_err() {
            self.signal("KILL");
        }
    }
}

/// Reports the exit of a child and when it was.
fn watch(mut child: Child) -> Receiver<(ExitStatus, Instant)> {
    let (sender, exit) = mpsc::channel();
    thread::spawn(move || {
        let status = child.wait().expect("wait for a child");
        let _ = sender.send((status, Instant::now()));
    });
    exit
}

/// What comes out of a pipe, read as it comes.
struct Pipe {
    bytes: Arc<Mutex<Vec<u8>>>,
    closed: Receiver<()>,
}

impl Pipe {
    fn drain(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::<Mutex<Vec<u8>>>::default();
        let (sender, closed) = mpsc::channel();
        let sink = bytes.clone();
        thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(read @ 1..) = pipe.read(&mut buffer) {
                sink.lock().expect("the pipe").extend(&buffer[..read]);
            }
            let _ = sender.send(());
        });
        Self { bytes, closed }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().expect("the pipe")).into_owned()
    }

    fn closes_within(&self, deadline: Duration) -> bool {
        self.closed.recv_timeout(deadline).is_ok()
    }
}
