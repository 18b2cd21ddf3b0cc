//! `ship exec` on the host: one command of the live release, its input and output over the
//! connection, which is its own until it ends.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::as_app::Commands;
use super::command::{Output, Program, Running, What, exit_code};
use super::host::{Host, LoadedRelease};
use super::outgoing::Outgoing;
use super::{history, releases};
use crate::model::redact::{Bytes, Redactor};
use crate::model::{Failure, FailureKind, Operation, OperationKind, OperationOutcome, ServiceSpec};
use crate::wire::{EXEC_WINDOW, Exec, ExecSignal, Frame, FrameReader, FromAgent, ToAgent};

/// A controller that has said nothing for so long is gone: it says that it lives every 2 s.
const SILENCE: Duration = Duration::from_secs(20);

/// How long a command that is asked to end may take.
const GRACE: Duration = Duration::from_secs(3);

/// How often this end says that it lives.
const BEAT: Duration = Duration::from_secs(2);

/// How much output travels in one piece, bytes.
const PIECE: usize = 64 << 10;

/// A line that may be the beginning of a secret is held back for so long at most.
const PAUSE: Duration = Duration::from_millis(100);

type Out = Arc<Mutex<Outgoing<File>>>;

/// Runs what `exec` asks for in the live release of `host`, with input from `input`, until it ends;
/// it ends with the connection. What it was is noted in the history: the program's name, as
/// arguments may hold secrets.
///
/// # Errors
/// When the connection fails.
pub fn run(host: &Host, exec: &Exec, input: FrameReader<File>, out: &Out) -> io::Result<()> {
    let answer = match program(host, exec) {
        Ok(program) => {
            let secrets = lock(out).secrets().redactor();
            // What is wanted exactly as it is written is not masked either.
            let masks = [exec.raw_stdout, exec.raw_stderr].map(|raw| match raw {
                true => Redactor::default(),
                false => secrets.clone(),
            });
            serve(&host.commands, &program, input, out, &masks, &|code| {
                note(host, exec, code)
            })
        }
        Err(failure) => FromAgent::Failed(failure),
    };
    say(out, &answer)
}

/// The command as the service would run it: in the release's folder, with its environment.
fn program(host: &Host, exec: &Exec) -> Result<Program, Failure> {
    let id = releases::current(&host.layout)?
        .ok_or_else(|| Failure::refused("nothing is deployed here"))?;
    let release = host.release(id)?;
    release.runtimes.present()?;
    let service = service(&release, exec)?;
    let mut env = match service {
        Some(service) => host.service_env(&release, service)?,
        None => release.command_env()?,
    };
    if let Some(terminal) = &exec.terminal {
        env.insert("TERM".to_owned(), terminal.kind.clone());
    }
    Ok(Program {
        dir: release.dir,
        what: What::Argv(exec.argv.clone()),
        env,
        terminal: exec.terminal.as_ref().map(|terminal| terminal.size),
    })
}

/// The service that is named, else the first one; `None` where the release has none on this host.
fn service<'a>(
    release: &'a LoadedRelease,
    exec: &Exec,
) -> Result<Option<&'a ServiceSpec>, Failure> {
    let services = &release.release.services;
    let Some(wanted) = &exec.service else {
        return Ok(services.first());
    };
    let found = services.iter().find(|service| service.name == *wanted);
    found.map(Some).ok_or_else(|| {
        let names: Vec<&str> = services.iter().map(|it| it.name.as_str()).collect();
        let id = release.release.id;
        Failure::refused(format!("{id} has no service `{wanted}` on this host"))
            .hint(format!("its services here are: {}", names.join(", ")))
    })
}

/// Has `commands` run `program` with input from `input` and output to `out`; how it ended. It ends when `input`
/// ends, and when nothing comes on it for 20 s: then this process ends too. `masks` mask its standard
/// output and its standard error; `ended` is told its exit
/// code in any case.
pub fn serve(
    commands: &Commands,
    program: &Program,
    input: FrameReader<File>,
    out: &Out,
    masks: &[Redactor; 2],
    ended: &dyn Fn(i32),
) -> FromAgent {
    let started = match commands.start(program) {
        Ok(started) => started,
        Err(why) => {
            let failure = Failure::new(FailureKind::Unexpected, why.why);
            let failure = match why.hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            };
            let code = why.code;
            return FromAgent::NotStarted { code, failure };
        }
    };
    let listener = Arc::new(Listener {
        running: Arc::clone(&started.running),
        heard: Mutex::new(Instant::now()),
        unread: [AtomicBool::new(false), AtomicBool::new(false)],
        is_alone: AtomicBool::new(false),
    });
    let (bytes, queue) = mpsc::channel();
    feed(started.input, queue, Arc::clone(out));
    listener.listen(input, bytes);
    listener.tell_that_we_live(Arc::clone(out));
    let pump = |output, stderr| {
        let masked = Bytes::new(&masks[usize::from(stderr)]);
        listener.pump(output, stderr, masked, Arc::clone(out))
    };
    let pumps: Vec<JoinHandle<()>> = std::iter::once(pump(started.output, false))
        .chain(started.errors.map(|errors| pump(errors, true)))
        .collect();
    let code = match started.running.wait() {
        Ok(status) => exit_code(status),
        Err(error) => return FromAgent::Failed(error.into()),
    };
    ended(code);
    if listener.is_alone.load(Ordering::Relaxed) {
        // Output that waits for the connection would be waited for.
        std::process::exit(1);
    }
    pumps.into_iter().for_each(|pump| drop(pump.join()));
    FromAgent::Exited { code }
}

/// What the threads around a command share.
struct Listener {
    running: Arc<Running>,
    /// When the controller was heard last.
    heard: Mutex<Instant>,
    /// Whether nobody reads standard output, and standard error, any more.
    unread: [AtomicBool; 2],
    /// Whether the controller was not heard for too long.
    is_alone: AtomicBool,
}

impl Listener {
    /// Hears what the controller says until the connection ends, which ends the command.
    fn listen(self: &Arc<Self>, mut input: FrameReader<File>, bytes: Sender<Vec<u8>>) {
        let this = Arc::clone(self);
        thread::spawn(move || {
            let mut bytes = Some(bytes);
            while let Ok(Some(frame)) = input.next_frame() {
                *lock(&this.heard) = Instant::now();
                match frame {
                    Frame::Data(piece) if piece.len() > EXEC_WINDOW => break,
                    Frame::Data(piece) => {
                        bytes.as_ref().map(|bytes| bytes.send(piece));
                    }
                    message => match message.parse() {
                        Ok(ToAgent::DataEnd) => bytes = None,
                        Ok(message) => this.obey(message),
                        Err(_) => break,
                    },
                }
            }
            this.running.end(GRACE);
        });
    }

    fn obey(&self, message: ToAgent) {
        match message {
            ToAgent::Resize(size) => self.running.resize(size),
            ToAgent::Signal(signal) => self.running.signal(system_signal(signal)),
            ToAgent::Unread { stderr } => {
                self.unread[usize::from(stderr)].store(true, Ordering::Relaxed);
            }
            _ => {}
        }
    }

    /// Says that this end lives, and ends a command whose controller is not heard any more.
    fn tell_that_we_live(self: &Arc<Self>, out: Out) {
        let this = Arc::clone(self);
        thread::spawn(move || {
            while this.running.wait_for(BEAT).is_none() {
                if lock(&this.heard).elapsed() > SILENCE {
                    this.is_alone.store(true, Ordering::Relaxed);
                    this.running.end(GRACE);
                    return;
                }
                // A thread that writes output says the same.
                if let Ok(mut out) = out.try_lock() {
                    let _ = out.send(&FromAgent::Heartbeat);
                }
            }
        });
    }

    /// Passes output on. Where nobody reads it, the command's next write fails, as it does in a
    /// pipe without a reader (pipe(7), SIGPIPE).
    fn pump(
        self: &Arc<Self>,
        mut output: Output,
        stderr: bool,
        mut masked: Bytes,
        out: Out,
    ) -> JoinHandle<()> {
        let this = Arc::clone(self);
        thread::spawn(move || {
            let mut bytes = vec![0u8; PIECE];
            let mut is_open = true;
            while is_open {
                let shown = match masked.holds_line() && !output.is_there_within(PAUSE) {
                    true => masked.flush(),
                    false => match output.read(&mut bytes) {
                        Ok(n @ 1..) => masked.push(&bytes[..n]),
                        _ => {
                            is_open = false;
                            masked.flush()
                        }
                    },
                };
                if this.unread[usize::from(stderr)].load(Ordering::Relaxed) {
                    return;
                }
                for piece in shown.chunks(PIECE) {
                    let mut out = lock(&out);
                    let sent = out
                        .send(&FromAgent::Output { stderr })
                        .and_then(|()| out.write(&Frame::Data(piece.to_vec())));
                    if sent.is_err() {
                        return;
                    }
                }
            }
        })
    }
}

/// Writes what comes from `queue` to the command, and says how much of it was taken.
fn feed(mut input: File, queue: Receiver<Vec<u8>>, out: Out) {
    thread::spawn(move || {
        for piece in queue {
            let taken = input.write_all(&piece);
            let said = match taken {
                Ok(()) => FromAgent::Taken { bytes: piece.len() },
                // It reads no more; what is on its way is nobody's.
                Err(_) => FromAgent::InputClosed,
            };
            if say(&out, &said).is_err() || taken.is_err() {
                return;
            }
        }
    });
}

/// Into the history goes which program ran, for whom, and how it ended.
fn note(host: &Host, exec: &Exec, code: i32) {
    let outcome = match code {
        0 => OperationOutcome::Good,
        code => OperationOutcome::Exit(code),
    };
    let program = exec.argv.first().cloned().unwrap_or_default();
    let entry = Operation::beside(
        exec.operation.clone(),
        OperationKind::Exec,
        outcome,
        program,
        exec.who.clone(),
    );
    // It ran, whether that can be told or not.
    let _ = history::append(&host.layout, &entry);
}

fn system_signal(signal: ExecSignal) -> Signal {
    match signal {
        ExecSignal::Interrupt => Signal::INT,
        ExecSignal::Terminate => Signal::TERM,
        ExecSignal::Hangup => Signal::HUP,
        ExecSignal::Quit => Signal::QUIT,
        ExecSignal::User1 => Signal::USR1,
        ExecSignal::User2 => Signal::USR2,
    }
}

fn say(out: &Out, message: &FromAgent) -> io::Result<()> {
    lock(out).send(message)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
