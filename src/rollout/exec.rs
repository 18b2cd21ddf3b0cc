//! `ship exec` from this end: a command on a host, its input, output, signals and exit code.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender};
use tokio::time::{Instant, timeout_at};

use super::context::Context;
use super::link::{HostLink, unasked};
use crate::model::{Failure, HostName, ServiceName};
use crate::project::Host;
use crate::transport::link::LinkSender;
use crate::wire::{EXEC_WINDOW, Exec, ExecSignal, Frame, FromAgent, Size, ToAgent};

/// A host that has said nothing for so long is lost: it says every 2 s that it lives.
const SILENCE: Duration = Duration::from_secs(15);

/// What goes to a command.
#[derive(Debug)]
pub enum Input {
    /// A piece of its standard input.
    Bytes(Vec<u8>),
    /// The end of that.
    End,
    /// Its terminal has this size now.
    Size(Size),
    /// A signal.
    Signal(ExecSignal),
    /// Nobody reads this output any more: whether it is standard error.
    Unread(bool),
}

/// What comes of a command.
#[derive(Debug)]
pub struct Piece {
    /// Where it was written.
    pub host: HostName,
    /// Whether it is standard error.
    pub stderr: bool,
    /// As the command wrote it.
    pub bytes: Vec<u8>,
}

/// How a command ended.
#[derive(Debug)]
pub enum ExecEnd {
    /// It exited with this code.
    Exited(i32),
    /// It was not started; the exit code that a shell would give, and why.
    NotStarted(i32, Failure),
}

/// Runs `exec` on `host`. `input` goes to it, `window` says how much of its standard input may be
/// read; its output goes to `output`, which is waited for.
///
/// # Errors
/// [`FailureKind::Unreachable`] when the host cannot be reached or the connection is lost, which
/// ends the command; what the host refuses; [`FailureKind::Interrupted`] before the command began.
pub async fn exec(
    context: &Context,
    host: &HostName,
    exec: Exec,
    input: Receiver<Input>,
    window: Arc<Window>,
    output: Sender<Piece>,
) -> Result<ExecEnd, Failure> {
    // However it ends, nothing more is read for it.
    let _closed = CloseAtEnd(&window);
    let quiet = context.quiet();
    let mut link = tokio::select! {
        link = HostLink::connect(&quiet, host.clone(), None, false) => link?,
        () = context.interruption() => {
            return Err(Failure::interrupted("interrupted before the command began"));
        }
    };
    link.send(&ToAgent::Exec(Box::new(exec))).await?;
    let sending = send(link.sender(), input);
    tokio::select! {
        end = receive(&mut link, &window, &output) => end,
        never = sending => match never {},
    }
}

/// Sends what goes to the command, for as long as somebody is there to end this.
async fn send(link: LinkSender, mut input: Receiver<Input>) -> std::convert::Infallible {
    while let Some(next) = input.recv().await {
        let sent = match next {
            Input::Bytes(bytes) => link.frame(Frame::Data(bytes)).await,
            Input::End => link.message(&ToAgent::DataEnd).await,
            Input::Size(size) => link.message(&ToAgent::Resize(size)).await,
            Input::Signal(signal) => link.message(&ToAgent::Signal(signal)).await,
            Input::Unread(stderr) => link.message(&ToAgent::Unread { stderr }).await,
        };
        if sent.is_err() {
            break;
        }
    }
    std::future::pending().await
}

/// Passes output on until the command has ended.
async fn receive(
    link: &mut HostLink,
    window: &Window,
    output: &Sender<Piece>,
) -> Result<ExecEnd, Failure> {
    let host = link.host.clone();
    let mut stderr = None;
    loop {
        // Time counts while the host is waited for, not while our own reader is.
        let frame = timeout_at(Instant::now() + SILENCE, link.next_frame()).await;
        let frame = match frame {
            Ok(Ok(frame)) => frame,
            Ok(Err(lost)) => return Err(lost.detail(ENDS_THERE)),
            Err(_) => return Err(silent(&host).detail(ENDS_THERE)),
        };
        let message = match frame {
            Frame::Data(bytes) => {
                let stderr = stderr.take();
                let stderr = stderr.ok_or_else(|| Failure::unexpected("data without a word"))?;
                // Who reads no more has said so.
                let host = host.clone();
                let _ = output
                    .send(Piece {
                        host,
                        stderr,
                        bytes,
                    })
                    .await;
                continue;
            }
            Frame::Message(_) => frame.parse::<FromAgent>()?,
        };
        match message {
            FromAgent::Output { stderr: is_error } => stderr = Some(is_error),
            FromAgent::Taken { bytes } => window.give(bytes),
            FromAgent::InputClosed => window.close(),
            FromAgent::Heartbeat | FromAgent::Event(_) => {}
            FromAgent::Exited { code } => return Ok(ExecEnd::Exited(code)),
            FromAgent::NotStarted { code, failure } => {
                return Ok(ExecEnd::NotStarted(code, failure.on(&host)));
            }
            FromAgent::Failed(failure) => return Err(failure.on(&host)),
            other => return Err(unasked(&host, &other)),
        }
    }
}

/// What a lost connection means to the command.
const ENDS_THERE: &str = "the host ends the command";

fn silent(host: &HostName) -> Failure {
    let seconds = SILENCE.as_secs();
    let what = format!("the connection was lost: no message came for {seconds} s");
    Failure::connection(what).on(host)
}

/// How much of the standard input may be read: no more than the host has room for, so that what the
/// command does not take is left for whoever reads next.
#[derive(Debug)]
pub struct Window {
    free: Mutex<Option<usize>>,
    changed: Condvar,
    /// Closed with the window: wakes whoever waits for input.
    open: Mutex<Option<OwnedFd>>,
}

impl Window {
    /// A window with room for [`EXEC_WINDOW`] bytes, and what hangs up when it closes.
    ///
    /// # Errors
    /// When no pipe can be had.
    pub fn new() -> io::Result<(Arc<Self>, OwnedFd)> {
        let (closed, open) = io::pipe()?;
        let window = Self {
            free: Mutex::new(Some(EXEC_WINDOW)),
            changed: Condvar::new(),
            open: Mutex::new(Some(open.into())),
        };
        Ok((Arc::new(window), closed.into()))
    }

    /// Waits until there is room, and takes at most `most` bytes of it; `None` when it is closed.
    #[must_use]
    pub fn take(&self, most: usize) -> Option<usize> {
        let free = lock(&self.free);
        let waited = self.changed.wait_while(free, |free| *free == Some(0));
        let mut free = waited.unwrap_or_else(PoisonError::into_inner);
        let left = free.as_mut()?;
        let taken = most.min(*left);
        *left -= taken;
        Some(taken)
    }

    /// Gives room back.
    pub fn give(&self, bytes: usize) {
        if let Some(free) = lock(&self.free).as_mut() {
            *free += bytes;
        }
        self.changed.notify_all();
    }

    /// Nothing more is wanted.
    pub fn close(&self) {
        *lock(&self.free) = None;
        lock(&self.open).take();
        self.changed.notify_all();
    }
}

struct CloseAtEnd<'a>(&'a Window);

impl Drop for CloseAtEnd<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The host called `wanted`; without a name, the first one on which `service` runs.
///
/// # Errors
/// When there is none of that name, or the service runs nowhere.
pub fn one_host(
    context: &Context,
    wanted: Option<&str>,
    service: Option<&ServiceName>,
) -> Result<HostName, Failure> {
    match wanted {
        Some(wanted) => find_host(context, wanted),
        None => {
            let first = hosts_of(context, service).into_iter().next();
            first.ok_or_else(|| runs_nowhere(context, service))
        }
    }
}

/// The hosts on which `service` runs by the manifest; without a name, all.
#[must_use]
pub fn hosts_of(context: &Context, service: Option<&ServiceName>) -> Vec<HostName> {
    let hosts = context.environment.hosts.iter();
    let runs_there = |host: &&Host| match (service, &host.services) {
        (Some(service), Some(services)) => services.contains(service),
        _ => true,
    };
    let hosts = hosts.filter(runs_there);
    hosts.map(|host| host.name.clone()).collect()
}

/// No host has `service`.
#[must_use]
pub fn runs_nowhere(context: &Context, service: Option<&ServiceName>) -> Failure {
    let environment = &context.environment.name;
    let service = service.map_or("nothing", ServiceName::as_str);
    Failure::refused(format!(
        "{service} does not run on any host of {environment}"
    ))
}

/// The host of the environment that is called `wanted`, by its whole or its short name.
///
/// # Errors
/// Refused, when there is none of that name.
pub fn find_host(context: &Context, wanted: &str) -> Result<HostName, Failure> {
    let hosts = &context.environment.hosts;
    let found = hosts
        .iter()
        .find(|host| host.name.as_str() == wanted || host.name.short() == wanted);
    found.map(|host| host.name.clone()).ok_or_else(|| {
        let there: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
        let environment = &context.environment.name;
        Failure::refused(format!("{wanted} is not a host of {environment}"))
            .hint(format!("its hosts are: {}", there.join(", ")))
    })
}
