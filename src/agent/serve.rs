//! The agent at the host's end of a connection: answers questions itself, and passes everything
//! from `Begin` on to a transaction, a process of its own that survives the connection.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::host::Host;
use super::lock::Lock;
use super::outgoing::Outgoing;
use super::secrets::Secrets;
use super::{
    console, export, facts, freeze, history, login, logs, query, recover, releases, stage,
    transaction,
};
use crate::model::{Failure, FailureKind};
use crate::wire::{
    Frame, FrameReader, FrameWriter, FromAgent, MARKER, SetupRequest, ToAgent, Wants, argument,
};

/// How long a repair that somebody else is at is waited for: a restart and a proof.
const REPAIRING: Duration = Duration::from_secs(120);

/// How long the transaction that runs may take to answer.
const ASKING: Duration = Duration::from_secs(10);

type Out = Arc<Mutex<Outgoing<File>>>;

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
    let first = argument::decode(open)?;
    let ToAgent::Open(open) = first.parse()? else {
        return Err(io::Error::other("a connection starts with Open"));
    };
    let is_kept = open.is_kept;
    let host = Host::new(open.deployment);
    let secrets = Secrets::of(&host.layout);
    let outgoing = Outgoing::new(raw_output.try_clone()?, secrets.clone());
    let out: Out = Arc::new(Mutex::new(outgoing));
    let opened = opened(&host, is_kept, &out);
    let is_open = matches!(opened, FromAgent::Opened(_));
    say(&out, &opened)?;
    let mut comparing = open
        .wants
        .filter(|_| is_open)
        .map(|wants| compare(&host, wants, &out));
    while let Some(frame) = reader.next_frame()? {
        let message = frame.parse()?;
        // From there on others write to the connection.
        if matches!(message, ToAgent::Begin(_) | ToAgent::Attach(_))
            && let Some(comparing) = comparing.take()
        {
            let _ = comparing.join();
        }
        match message {
            ToAgent::Begin(_) => return begin(&host, &[&first, &frame], input, raw_output, &out),
            ToAgent::Attach(attach) => match transaction::knock(&host.layout) {
                Ok(stream) => return pass_on(stream, &[&frame], input, raw_output),
                Err(_) => say(&out, &how_it_ended(&host, &attach.transaction, &out))?,
            },
            ToAgent::Exec(exec) => return console::run(&host, &exec, reader, &out),
            // What is stopped is the controller's: here is nothing to stop.
            ToAgent::Heartbeat | ToAgent::Cancel | ToAgent::EndWatch => {}
            message => answer(&host, message, &secrets, &out, &input)?,
        }
    }
    Ok(())
}

fn say(out: &Out, message: &FromAgent) -> io::Result<()> {
    out.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .send(message)
}

/// Compares the host with the manifest and says what was found, while the controller does what it
/// can do without.
fn compare(host: &Host, wants: Wants, out: &Out) -> JoinHandle<()> {
    let (host, out) = (host.clone(), Arc::clone(out));
    std::thread::spawn(move || {
        let findings = super::setup::compare(&host, &wants);
        // A controller that is gone is noticed by whoever reads from it.
        let _ = say(&out, &FromAgent::Findings(findings));
    })
}

fn opened(host: &Host, is_kept: bool, out: &Out) -> FromAgent {
    let recovered = repair(host, out);
    match facts::gather(host, recovered) {
        Ok(mut facts) => {
            facts.is_login_old = is_kept && login::lacks_groups();
            FromAgent::Opened(Box::new(facts))
        }
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

fn answer(
    host: &Host,
    message: ToAgent,
    secrets: &Secrets,
    out: &Out,
    input: &File,
) -> io::Result<()> {
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
        ToAgent::Setup(request) => with_heartbeats(out, || setup(host, &request)),
        ToAgent::Remove(request) => with_heartbeats(out, || {
            super::setup::remove(host, &request).map(FromAgent::Changes)
        }),
        ToAgent::Logs(asked) => {
            exit_with_controller(input);
            // A service may be silent for hours.
            with_heartbeats(out, || {
                logs::logs(host, secrets, &asked, &mut |line| {
                    let message = FromAgent::Log {
                        time: line.time,
                        service: line.service,
                        text: line.text,
                    };
                    say(out, &message).is_ok()
                })
            })
            .map(|()| FromAgent::Done)
        }
        ToAgent::Freeze { freeze, operation } => {
            freeze::set(host, &freeze, &operation).map(|()| FromAgent::Done)
        }
        ToAgent::Thaw { who, operation } => {
            freeze::thaw(host, &who, &operation).map(|()| FromAgent::Done)
        }
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
    // A process that was stopped accepts connections, and does not answer.
    stream.set_read_timeout(Some(ASKING))?;
    stream.set_write_timeout(Some(ASKING))?;
    FrameWriter::new(stream.try_clone()?).send(&ToAgent::CancelRunning { by })?;
    let answer = FrameReader::new(stream)
        .next_frame()
        .map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Failure::unexpected(format!(
                "the process at work here did not answer within {} s: it may have been stopped",
                ASKING.as_secs()
            )),
            _ => error.into(),
        })?;
    let ended = || Failure::refused("the operation here has just ended");
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
    let status = transaction.wait()?;
    if status.success() {
        return passed;
    }
    let ended = match how_it_ended(host, &name, out) {
        // It failed, and what served before still serves.
        FromAgent::Ended(None) => FromAgent::Failed(Failure::new(
            FailureKind::Reverted,
            format!(
                "the process that did this here has died ({}); nothing had been switched",
                super::command::describe(status)
            ),
        )),
        ended => ended,
    };
    say(out, &ended)
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
