//! `ship agent as-app`: runs programs for whoever speaks on its standard input.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions};

use super::{Ask, Id, PIECE, Tell};
use crate::agent::command::{self, Output, Program, Running, Started};
use crate::wire::{Frame, FrameReader, FrameWriter, MARKER};

/// How long killed processes may take to be gone.
const DYING: Duration = Duration::from_secs(10);

/// The mode bits that files of the app do not get, as those of its services (systemd.exec(5),
/// `UMask=`).
const UMASK: u32 = 0o022;

type Out = Arc<Mutex<FrameWriter<File>>>;

/// Runs until standard input ends, and ends everything that was started then.
///
/// # Errors
/// When the streams fail or do not hold frames.
pub fn run() -> io::Result<()> {
    keep_to_itself();
    adopt_orphans();
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(
        UMASK as rustix::fs::RawMode,
    ));
    let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    output.write_all(MARKER)?;
    let out: Out = Arc::new(Mutex::new(FrameWriter::new(output)));
    let pid = std::process::id();
    let served = tell(&out, &Tell::Ready { pid }).and_then(|()| {
        let mut programs = Programs::default();
        serve(FrameReader::new(input), &out, &mut programs)
    });
    end_all();
    served
}

/// The app's other processes have the same user. They can end this process, but not read its memory,
/// trace it, or write frames into its pipes (proc(5), ptrace(2)). Programs that it starts are as
/// any other of the app: execve(2) takes this back.
fn keep_to_itself() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// What a child leaves behind becomes a child of this process, which so finds all of it
/// (prctl(2), `PR_SET_CHILD_SUBREAPER`).
fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    {
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    }
}

/// The programs that run.
#[derive(Default)]
struct Programs(BTreeMap<Id, Known>);

struct Known {
    running: Arc<Running>,
    /// The way to its input.
    input: Sender<Vec<u8>>,
    /// Whether nobody reads its standard output, and its standard error, any more.
    unread: [Arc<AtomicBool>; 2],
}

fn serve(mut input: FrameReader<File>, out: &Out, programs: &mut Programs) -> io::Result<()> {
    let mut input_of = None;
    while let Some(frame) = input.next_frame()? {
        match frame {
            Frame::Data(bytes) => {
                if let Some(known) = input_of.take().and_then(|id| programs.0.get(&id)) {
                    // It may have ended.
                    let _ = known.input.send(bytes);
                }
            }
            message => match message.parse()? {
                Ask::Input { id } => input_of = Some(id),
                ask => obey(ask, out, programs)?,
            },
        }
    }
    Ok(())
}

fn obey(ask: Ask, out: &Out, programs: &mut Programs) -> io::Result<()> {
    let running = |id: &Id| programs.0.get(id).map(|known| Arc::clone(&known.running));
    match ask {
        Ask::Start { id, program } => return start(id, &program, out, programs),
        Ask::InputEnd { id } => {
            if let Some(known) = programs.0.get_mut(&id) {
                known.input = mpsc::channel().0;
            }
        }
        Ask::Unread { id, errors } => {
            if let Some(known) = programs.0.get(&id) {
                known.unread[usize::from(errors)].store(true, Ordering::Relaxed);
            }
        }
        Ask::Resize { id, size } => drop(running(&id).map(|running| running.resize(size))),
        Ask::Signal { id, signal } => {
            // Only those that a terminal or a person sends.
            if let (Some(running), Some(signal)) = (running(&id), Signal::from_named_raw(signal)) {
                running.signal(signal);
            }
        }
        Ask::End { id, grace_ms } => {
            if let Some(running) = running(&id) {
                thread::spawn(move || running.end(Duration::from_millis(grace_ms)));
            }
        }
        Ask::Kill { id } => drop(running(&id).map(|running| running.kill())),
        Ask::Input { .. } => {}
    }
    Ok(())
}

fn start(id: Id, program: &Program, out: &Out, programs: &mut Programs) -> io::Result<()> {
    let started = match command::start(program) {
        Ok(started) => started,
        Err(why) => return tell(out, &Tell::NotStarted { id, why }),
    };
    tell(out, &Tell::Started { id })?;
    let Started {
        running,
        input,
        output,
        errors,
    } = started;
    let (sender, queue) = mpsc::channel::<Vec<u8>>();
    let taken = Arc::clone(out);
    thread::spawn(move || {
        let mut input = Some(input);
        for bytes in queue {
            // Who closed its input does not want the rest.
            input = input.filter(|input| {
                let mut input: &File = input;
                input.write_all(&bytes).is_ok()
            });
            if tell(&taken, &Tell::Taken { id }).is_err() {
                return;
            }
        }
    });
    let unread = [false, true].map(|_| Arc::new(AtomicBool::new(false)));
    pump(output, id, false, Arc::clone(&unread[0]), out);
    if let Some(errors) = errors {
        pump(errors, id, true, Arc::clone(&unread[1]), out);
    }
    let (waiting, ended) = (Arc::clone(&running), Arc::clone(out));
    thread::spawn(move || {
        let status = waiting.wait().map_or(-1, ExitStatusExt::into_raw);
        let _ = tell(&ended, &Tell::Ended { id, status });
    });
    let known = Known {
        running,
        input: sender,
        unread,
    };
    programs.0.insert(id, known);
    Ok(())
}

fn pump(mut output: Output, id: Id, errors: bool, unread: Arc<AtomicBool>, out: &Out) {
    let out = Arc::clone(out);
    thread::spawn(move || {
        let mut bytes = vec![0; PIECE];
        while let Ok(n @ 1..) = output.read(&mut bytes) {
            // Its next write fails as on any pipe whose reader is gone.
            if unread.load(Ordering::Relaxed) {
                return;
            }
            let mut writer = out.lock().unwrap_or_else(PoisonError::into_inner);
            let told = writer
                .send(&Tell::Output { id, errors })
                .and_then(|()| writer.write(&Frame::Data(bytes[..n].to_vec())));
            if told.is_err() {
                return;
            }
        }
        let _ = tell(&out, &Tell::OutputEnd { id, errors });
    });
}

fn tell(out: &Out, message: &Tell) -> io::Result<()> {
    out.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .send(message)
}

/// Kills everything that was started, and what that has started: whatever session or group it made
/// for itself, it is a child of this process once its own parents are dead.
fn end_all() {
    let end = Instant::now() + DYING;
    loop {
        let children = children();
        for child in &children {
            let _ = rustix::process::kill_process(*child, Signal::KILL);
        }
        while let Ok(Some(_)) = rustix::process::waitpid(None, WaitOptions::NOHANG) {}
        if children.is_empty() || Instant::now() > end {
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// The living children of this process, of all its threads (proc(5)).
fn children() -> Vec<Pid> {
    let own = std::process::id().to_string();
    let is_child = |pid: &Pid| {
        let path = format!("/proc/{}/stat", pid.as_raw_nonzero());
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest);
        fields.split_ascii_whitespace().nth(1) == Some(own.as_str())
    };
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(Pid::from_raw)
        .filter(is_child)
        .collect()
}
