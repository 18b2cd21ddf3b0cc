//! The transaction's end of the process that runs the app's commands.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use super::{Ask, Id, PIECE, Tell};
use crate::agent::command::{Control, NotStarted, Output, Program, Running, Started};
use crate::wire::{Frame, FrameReader, FrameWriter, MARKER, Size};

/// What is read of a login's greeting before the process says that it is ready, bytes.
const GREETING: u64 = 64 << 10;

/// How much is kept of what sudo says, bytes.
const COMPLAINT: u64 = 4 << 10;

/// The other end is gone.
const LOST: &str = "the process that runs the app's commands has ended";

/// A process that runs programs, to which this one speaks. When the last handle is dropped, it ends
/// with all that it started.
#[derive(Debug, Clone)]
pub(super) struct AsApp(Arc<Line>);

#[derive(Debug)]
struct Line {
    out: Mutex<FrameWriter<ChildStdin>>,
    next: AtomicU32,
    programs: Arc<Mutex<Option<BTreeMap<Id, Known>>>>,
    /// Its process id.
    pid: u32,
}

/// A program on the other end, as this one knows it.
#[derive(Debug)]
struct Known {
    started: Sender<Result<(), NotStarted>>,
    taken: Sender<()>,
    outputs: [Option<PipeWriter>; 2],
    end: Arc<End>,
    /// Tells the other end that an output is not read any more. Does not keep it alive.
    line: Weak<Line>,
}

/// How a program ended, when it has.
#[derive(Debug, Default)]
struct End {
    /// `None` while it runs; an error when that will never be known.
    status: Mutex<Option<Result<ExitStatus, ()>>>,
    known: Condvar,
}

impl End {
    fn is(&self, status: Result<ExitStatus, ()>) {
        lock(&self.status).get_or_insert(status);
        self.known.notify_all();
    }
}

/// Why there is no such process.
#[derive(Debug)]
pub(super) enum NoProcess {
    /// It ended before it was ready; what was said about it.
    Refused(String),
    /// It was not ready in time.
    Silent,
    /// It could not be started.
    Io(io::Error),
}

impl AsApp {
    /// Starts `command` and waits until it is ready, at most `limit`.
    pub(super) fn start(mut command: Command, limit: Duration) -> Result<Self, NoProcess> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A signal to the transaction's group must not take away the one that cleans up.
            .process_group(0)
            .spawn()
            .map_err(NoProcess::Io)?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(input), Some(output), Some(errors)) = pipes else {
            return Err(NoProcess::Io(io::Error::other("no pipes")));
        };
        let complaint = thread::spawn(move || {
            let mut said = Vec::new();
            let mut errors = errors;
            let _ = (&mut errors).take(COMPLAINT).read_to_end(&mut said);
            // Nobody may have to wait because this pipe is full.
            let _ = io::copy(&mut errors, &mut io::sink());
            String::from_utf8_lossy(&said).trim().to_owned()
        });
        let programs = Arc::new(Mutex::new(Some(BTreeMap::new())));
        let (ready, is_ready) = mpsc::channel();
        let known = Arc::clone(&programs);
        thread::spawn(move || listen(output, &known, &ready));
        thread::spawn(move || child.wait());
        let pid = match is_ready.recv_timeout(limit) {
            Ok(pid) => pid,
            Err(mpsc::RecvTimeoutError::Timeout) => return Err(NoProcess::Silent),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let said = complaint.join().unwrap_or_default();
                return Err(NoProcess::Refused(said));
            }
        };
        Ok(Self(Arc::new(Line {
            out: Mutex::new(FrameWriter::new(input)),
            next: AtomicU32::new(0),
            programs,
            pid,
        })))
    }

    /// Its process id.
    pub(super) fn pid(&self) -> u32 {
        self.0.pid
    }

    /// Starts `program` there.
    pub(super) fn run(&self, program: &Program) -> Result<Started, NotStarted> {
        self.try_run(program).unwrap_or_else(|error| {
            Err(NotStarted {
                code: 125,
                why: format!("cannot be started: {error}"),
                hint: None,
            })
        })
    }

    fn try_run(&self, program: &Program) -> io::Result<Result<Started, NotStarted>> {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let (output, to_output) = io::pipe()?;
        let (errors, to_errors) = io::pipe()?;
        let (from_input, input) = io::pipe()?;
        let has_terminal = program.terminal.is_some();
        let (started, is_started) = mpsc::channel();
        let (taken, is_taken) = mpsc::channel();
        let end = Arc::new(End::default());
        let known = Known {
            started,
            taken,
            outputs: [Some(to_output), Some(to_errors).filter(|_| !has_terminal)],
            end: Arc::clone(&end),
            line: Arc::downgrade(&self.0),
        };
        let lost = || io::Error::other(LOST);
        lock(&self.0.programs)
            .as_mut()
            .ok_or_else(lost)?
            .insert(id, known);
        let program = Box::new(program.clone());
        self.0.ask(&Ask::Start { id, program })?;
        if let Err(why) = is_started.recv().map_err(|_| lost())? {
            return Ok(Err(why));
        }
        let line = Arc::clone(&self.0);
        thread::spawn(move || feed(from_input, id, &line, &is_taken));
        let remote = Remote {
            id,
            line: Arc::clone(&self.0),
            end,
        };
        Ok(Ok(Started {
            running: Arc::new(Running::by(remote)),
            input: File::from(OwnedFd::from(input)),
            output: whole(output)?,
            errors: match has_terminal {
                true => None,
                false => Some(whole(errors)?),
            },
        }))
    }
}

/// An output that ends when the other end says so.
fn whole(pipe: PipeReader) -> io::Result<Output> {
    let ended = pipe.as_fd().try_clone_to_owned()?;
    Ok(Output::new(pipe, Arc::new(ended)))
}

impl Line {
    fn ask(&self, ask: &Ask) -> io::Result<()> {
        lock(&self.out).send(ask)
    }
}

/// Sends what is written to a program's input, piece by piece: the next one when one was taken.
fn feed(mut input: PipeReader, id: Id, line: &Line, taken: &Receiver<()>) {
    let mut bytes = vec![0; PIECE];
    while let Ok(n @ 1..) = input.read(&mut bytes) {
        let sent = {
            let mut out = lock(&line.out);
            out.send(&Ask::Input { id })
                .and_then(|()| out.write(&Frame::Data(bytes[..n].to_vec())))
        };
        if sent.is_err() || taken.recv().is_err() {
            return;
        }
    }
    let _ = line.ask(&Ask::InputEnd { id });
}

type Programs = Mutex<Option<BTreeMap<Id, Known>>>;

/// Hears what the other end says, until it ends.
fn listen(output: impl Read, programs: &Programs, ready: &Sender<u32>) {
    let mut output = io::BufReader::new(output);
    if pass_greeting(&mut output).is_ok() {
        let _ = hear(FrameReader::new(output), programs, ready);
    }
    // From here on there will be no answer to anything.
    let left = lock(programs).take();
    for program in left.into_iter().flat_map(BTreeMap::into_values) {
        program.end.is(Err(()));
    }
}

/// Reads up to the marker, before which a login may have said something.
fn pass_greeting(output: &mut impl BufRead) -> io::Result<()> {
    let mut last = Vec::new();
    for byte in output.by_ref().take(GREETING).bytes() {
        last.push(byte?);
        if last.ends_with(MARKER) {
            return Ok(());
        }
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

fn hear(
    mut input: FrameReader<impl Read>,
    programs: &Programs,
    ready: &Sender<u32>,
) -> io::Result<()> {
    let mut output_of = None;
    while let Some(frame) = input.next_frame()? {
        let message = match frame {
            Frame::Data(bytes) => {
                if let Some((id, errors)) = output_of.take() {
                    pass(programs, id, errors, &bytes);
                }
                continue;
            }
            message => message.parse()?,
        };
        match message {
            Tell::Ready { pid } => drop(ready.send(pid)),
            Tell::Output { id, errors } => output_of = Some((id, errors)),
            Tell::Started { id } => of(programs, id, |known| drop(known.started.send(Ok(())))),
            Tell::NotStarted { id, why } => {
                of(programs, id, |known| drop(known.started.send(Err(why))));
                lock(programs).as_mut().map(|programs| programs.remove(&id));
            }
            Tell::Taken { id } => of(programs, id, |known| {
                let _ = known.taken.send(());
            }),
            Tell::OutputEnd { id, errors } => {
                of(programs, id, |known| {
                    known.outputs[usize::from(errors)] = None
                });
            }
            Tell::Ended { id, status } => {
                of(programs, id, |known| {
                    known.end.is(Ok(ExitStatus::from_raw(status)))
                });
            }
        }
    }
    Ok(())
}

/// Does something with a program, if it is known.
fn of(programs: &Programs, id: Id, act: impl FnOnce(&mut Known)) {
    if let Some(known) = lock(programs).as_mut().and_then(|it| it.get_mut(&id)) {
        act(known);
    }
}

/// Passes a piece of output on. Once nobody reads it any more, the program is to hear of it as from
/// any pipe.
fn pass(programs: &Programs, id: Id, errors: bool, bytes: &[u8]) {
    let at = usize::from(errors);
    let taken = lock(programs)
        .as_mut()
        .and_then(|programs| programs.get_mut(&id)?.outputs[at].take());
    let Some(mut pipe) = taken else { return };
    // Not under the lock: whoever reads may be slow.
    let passed = pipe.write_all(bytes);
    let line = lock(programs).as_mut().and_then(|programs| {
        let program = programs.get_mut(&id)?;
        match passed {
            Ok(()) => {
                program.outputs[at] = Some(pipe);
                None
            }
            Err(_) => program.line.upgrade(),
        }
    });
    if let Some(line) = line {
        let _ = line.ask(&Ask::Unread { id, errors });
    }
}

/// A program that runs on the other end.
#[derive(Debug)]
struct Remote {
    id: Id,
    line: Arc<Line>,
    end: Arc<End>,
}

impl Control for Remote {
    fn wait(&self) -> io::Result<ExitStatus> {
        let status = lock(&self.end.status);
        let known = self.end.known.wait_while(status, |status| status.is_none());
        let known = known.unwrap_or_else(PoisonError::into_inner);
        known
            .and_then(Result::ok)
            .ok_or_else(|| io::Error::other(LOST))
    }

    fn wait_for(&self, limit: Duration) -> Option<ExitStatus> {
        let status = lock(&self.end.status);
        let known = self
            .end
            .known
            .wait_timeout_while(status, limit, |status| status.is_none());
        known
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .and_then(Result::ok)
    }

    fn signal(&self, signal: Signal) {
        let (id, signal) = (self.id, signal.as_raw());
        let _ = self.line.ask(&Ask::Signal { id, signal });
    }

    fn resize(&self, size: Size) {
        let _ = self.line.ask(&Ask::Resize { id: self.id, size });
    }

    fn end(&self, grace: Duration) {
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        let _ = self.line.ask(&Ask::End {
            id: self.id,
            grace_ms,
        });
        let _ = self.wait_for(grace + Duration::from_secs(1));
    }

    fn kill(&self) {
        let _ = self.line.ask(&Ask::Kill { id: self.id });
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        if lock(&self.end.status).is_none() {
            self.kill();
        }
        // Outputs are passed on until the other end says that they have ended.
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
