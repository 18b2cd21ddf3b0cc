//! The agent at the host's end of a connection: answers questions itself, and passes everything
//! from `Begin` on to a transaction, a process of its own that survives the connection.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::host::Host;
use super::lock::Lock;
use super::{
    command, export, facts, freeze, history, query, recover, releases, stage, transaction,
};
use crate::model::Failure;
use crate::wire::{
    Frame, FrameReader, FrameWriter, FromAgent, MARKER, SetupRequest, ToAgent, argument,
};

/// How long a repair that somebody else is at is waited for: a restart and a proof.
const REPAIRING: Duration = Duration::from_secs(120);

type Out = Arc<Mutex<FrameWriter<File>>>;

/// Serves one connection over standard input and output until it ends. `open` is the first message,
/// as [`argument`] has it.
///
/// # Errors
/// When the stream fails or does not hold frames.
pub fn run(open: &str) -> io::Result<()> {
    let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut raw_output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    raw_output.write_all(MARKER)?;
    let mut reader = FrameReader::new(input.try_clone()?);
    let out: Out = Arc::new(Mutex::new(FrameWriter::new(raw_output.try_clone()?)));
    let first = argument::decode(open)?;
    let ToAgent::Open(open) = first.parse()? else {
        return Err(io::Error::other("a connection starts with Open"));
    };
    let host = Host::new(open.deployment);
    say(&out, &opened(&host, &out))?;
    while let Some(frame) = reader.next_frame()? {
        match frame.parse()? {
            ToAgent::Begin(_) => return begin(&host, &[&first, &frame], input, raw_output, &out),
            ToAgent::Attach(attach) => match transaction::knock(&host.layout) {
                Ok(stream) => return pass_on(stream, &[&frame], input, raw_output),
                Err(_) => say(&out, &how_it_ended(&host, &attach.transaction, &out))?,
            },
            ToAgent::Heartbeat => {}
            message => answer(&host, message, &out, &input)?,
        }
    }
    Ok(())
}

fn say(out: &Out, message: &FromAgent) -> io::Result<()> {
    out.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .send(message)
}

fn opened(host: &Host, out: &Out) -> FromAgent {
    let gathered = facts::prepare(host).and_then(|()| {
        let recovered = repair(host, out);
        facts::gather(host, recovered)
    });
    match gathered {
        Ok(facts) => FromAgent::Opened(Box::new(facts)),
        Err(failure) => FromAgent::Failed(failure),
    }
}

/// Repairs what an activation that died left behind, unless somebody is at work. Root does not do it
/// for the deploying user, who could have made links of these folders.
fn repair(host: &Host, out: &Out) -> Vec<String> {
    match facts::is_ours(&host.layout) && is_unfinished(host) {
        true => with_heartbeats(out, || clean_up(host)),
        false => Vec::new(),
    }
}

/// Brings what a dead transaction left to its end, unless somebody is at work.
fn clean_up(host: &Host) -> Vec<String> {
    let Ok(Some(_lock)) = Lock::take(&host.layout, &recover::holder()) else {
        return Vec::new();
    };
    stage::clean(&host.layout);
    recover::recover(host, &|_| {}).into_iter().collect()
}

fn answer(host: &Host, message: ToAgent, out: &Out, input: &File) -> io::Result<()> {
    let answered = match message {
        ToAgent::Status => query::status(host).map(|status| FromAgent::Status(Box::new(status))),
        ToAgent::Releases => releases::summaries(&host.layout).map(FromAgent::Releases),
        ToAgent::History { limit } => history::newest(&host.layout, limit)
            .map(FromAgent::History)
            .map_err(Failure::from),
        ToAgent::Preflight(asked) => with_heartbeats(out, || {
            Ok(FromAgent::Findings(query::preflight(host, &asked)))
        }),
        ToAgent::Verify => with_heartbeats(out, || query::verify(host)).map(FromAgent::Findings),
        ToAgent::Setup(request) => setup(host, &request),
        ToAgent::Logs {
            services,
            lines,
            follow,
        } => {
            exit_with_controller(input);
            query::logs(host, &services, lines, follow, &mut |line| {
                let message = FromAgent::Log {
                    time: line.time,
                    service: line.service,
                    text: line.text,
                };
                say(out, &message).is_ok()
            })
            .map(|()| FromAgent::Done)
        }
        ToAgent::Exec { argv } => exec(host, &argv, out, input),
        ToAgent::Freeze(wanted) => freeze::set(host, wanted.as_ref()).map(|()| FromAgent::Done),
        ToAgent::Export { release } => export::export(host, release, &mut |frame| {
            out.lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .write(&frame)
        })
        .map(|()| FromAgent::DataEnd),
        ToAgent::CancelRunning { by } => cancel_running(host, by),
        _ => Err(Failure::unexpected("that request needs a transaction")),
    };
    say(out, &answered.unwrap_or_else(FromAgent::Failed))
}

/// Asks the transaction that is running to stop.
fn cancel_running(host: &Host, by: String) -> Result<FromAgent, Failure> {
    let Ok(stream) = transaction::knock(&host.layout) else {
        return Err(Failure::refused("nothing is being done here"));
    };
    FrameWriter::new(stream.try_clone()?).send(&ToAgent::CancelRunning { by })?;
    let answer = FrameReader::new(stream).next_frame()?;
    let ended = || Failure::refused("what was being done here has just ended");
    Ok(answer.ok_or_else(ended)?.parse()?)
}

fn setup(host: &Host, request: &SetupRequest) -> Result<FromAgent, Failure> {
    super::setup::setup(host, request).map(FromAgent::Changes)
}

/// Says now and then that this end lives, while `work` takes long.
fn with_heartbeats<T>(out: &Out, work: impl FnOnce() -> T) -> T {
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut waited = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(50));
                waited += 1;
                if waited % 100 == 0 {
                    let _ = say(out, &FromAgent::Heartbeat);
                }
            }
        });
        let result = work();
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        result
    })
}

/// What streams until somebody ends it ends with the connection.
fn exit_with_controller(input: &File) {
    let Ok(mut input) = input.try_clone() else {
        return;
    };
    std::thread::spawn(move || {
        let mut bytes = [0u8; 256];
        while matches!(input.read(&mut bytes), Ok(n) if n > 0) {}
        std::process::exit(0);
    });
}

fn exec(host: &Host, argv: &[String], out: &Out, input: &File) -> Result<FromAgent, Failure> {
    let id = releases::current(&host.layout)?
        .ok_or_else(|| Failure::refused("nothing is deployed here"))?;
    let release = host.release(id)?;
    let mut child = match command::spawn_exec(&release, argv) {
        Ok(child) => child,
        Err(failure) if failure.message.ends_with(command::NOT_FOUND) => {
            let text = format!("{failure}\n").into_bytes();
            let mut writer = out
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            writer.send(&FromAgent::Output { stderr: true })?;
            writer.write(&Frame::Data(text))?;
            return Ok(FromAgent::Exited { code: 127 });
        }
        Err(failure) => return Err(failure),
    };
    let pumps = [
        child
            .stdout
            .take()
            .map(|stream| pump(stream, false, Arc::clone(out))),
        child
            .stderr
            .take()
            .map(|stream| pump(stream, true, Arc::clone(out))),
    ];
    // The connection's end is the command's end.
    let group = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    if let Ok(mut input) = input.try_clone() {
        std::thread::spawn(move || {
            let mut bytes = [0u8; 256];
            while matches!(input.read(&mut bytes), Ok(n) if n > 0) {}
            if let Some(group) = group {
                let _ = rustix::process::kill_process_group(group, rustix::process::Signal::TERM);
            }
        });
    }
    let status = child.wait()?;
    for pump in pumps.into_iter().flatten() {
        let _ = pump.join();
    }
    Ok(FromAgent::Exited {
        code: command::exit_code(status),
    })
}

fn pump(
    mut stream: impl Read + Send + 'static,
    stderr: bool,
    out: Out,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut bytes = vec![0u8; 32 << 10];
        while let Ok(n) = stream.read(&mut bytes) {
            if n == 0 {
                return;
            }
            let mut writer = out
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            let sent = writer
                .send(&FromAgent::Output { stderr })
                .and_then(|()| writer.write(&Frame::Data(bytes[..n].to_vec())));
            if sent.is_err() {
                return;
            }
        }
    })
}

/// Starts a transaction, with one end of a socket pair as its standard input, and passes on what
/// is said until it ends. Afterwards, whatever became of the connection, this process stays to
/// repair what a transaction leaves behind that is killed.
fn begin(host: &Host, first: &[&Frame], input: File, output: File, out: &Out) -> io::Result<()> {
    widen(&input);
    let (ours, theirs) = UnixStream::pair()?;
    let mut transaction = Command::new(std::env::current_exe()?)
        .args(["agent", "transaction"])
        .stdin(OwnedFd::from(theirs))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let name = match first.last().map(|frame| frame.parse()) {
        Some(Ok(ToAgent::Begin(begin))) => begin.transaction,
        _ => String::new(),
    };
    let passed = pass_on(ours, first, input, output);
    if transaction.wait()?.success() {
        return passed;
    }
    say(out, &how_it_ended(host, &name, out))
}

/// Lets sshd write more at once, as much as everyone may (pipe(7)): where its packets of 32 kB meet a
/// pipe of 64, its own buffer grows to 2 MB, and is copied for each of them. That is most of what it
/// does for a large transfer.
fn widen(input: &File) {
    #[cfg(target_os = "linux")]
    {
        // Without it, and where it is no pipe, it goes as well and not as quickly.
        let _ = rustix::pipe::fcntl_setpipe_size(input, 1 << 20);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = input;
}

/// How a transaction ended that is not there any more, after it was repaired where it had died.
fn how_it_ended(host: &Host, transaction: &str, out: &Out) -> FromAgent {
    let ended = with_heartbeats(out, || {
        let asked = Instant::now();
        // Somebody else may be at the repair. What one repair cannot do, a second cannot either.
        while clean_up(host).is_empty()
            && is_unfinished(host)
            && !is_taken(host)
            && asked.elapsed() < REPAIRING
        {
            std::thread::sleep(Duration::from_millis(50));
        }
        transaction::ended(host, transaction)
    });
    ended.map_or_else(FromAgent::Failed, |ended| {
        FromAgent::Ended(ended.map(Box::new))
    })
}

/// Whether somebody has the lock for something else than a repair.
fn is_taken(host: &Host) -> bool {
    matches!(Lock::holder(&host.layout), Ok(Some(holder)) if holder.what != recover::WHAT)
}

fn is_unfinished(host: &Host) -> bool {
    matches!(super::journal::unfinished(&host.layout), Ok(Some(_)))
}

/// Says `first` to a transaction, and copies bytes both ways until it ends.
fn pass_on(
    mut from_transaction: UnixStream,
    first: &[&Frame],
    mut input: File,
    mut output: File,
) -> io::Result<()> {
    let mut to_transaction = from_transaction.try_clone()?;
    for frame in first {
        to_transaction.write_all(&frame.encode())?;
    }
    std::thread::spawn(move || {
        let _ = copy(&mut input, &mut to_transaction);
        let _ = to_transaction.shutdown(Shutdown::Write);
    });
    copy(&mut from_transaction, &mut output)
}

/// Copies each piece as soon as it is there. (`io::copy` would use splice(2), which holds a small
/// message back until more comes.)
fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut bytes = vec![0u8; 64 << 10];
    loop {
        match from.read(&mut bytes) {
            Ok(0) => return Ok(()),
            Ok(n) => to.write_all(&bytes[..n])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
