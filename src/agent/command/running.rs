//! A command that runs: signals to it, the size of its terminal, and its end.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use super::{session, start};
use crate::wire::Size;

/// What can be done with a command that was started, in this process or through another.
pub trait Control: std::fmt::Debug + Send + Sync {
    /// See [`Running::wait`].
    ///
    /// # Errors
    /// As there.
    fn wait(&self) -> io::Result<ExitStatus>;
    /// See [`Running::wait_for`].
    fn wait_for(&self, limit: Duration) -> Option<ExitStatus>;
    /// See [`Running::signal`].
    fn signal(&self, signal: Signal);
    /// See [`Running::resize`].
    fn resize(&self, size: Size);
    /// See [`Running::end`].
    fn end(&self, grace: Duration);
    /// See [`Running::kill`].
    fn kill(&self);
}

/// A command that was started. Dropping it before it has ended kills its session.
#[derive(Debug)]
pub struct Running(Box<dyn Control>);

impl Running {
    /// A command that is controlled by `control`.
    pub fn by(control: impl Control + 'static) -> Self {
        Self(Box::new(control))
    }

    /// Waits until the command has ended. One thread must do so; it also ends the outputs.
    ///
    /// # Errors
    /// When the system does not say how it ended.
    pub fn wait(&self) -> io::Result<ExitStatus> {
        self.0.wait()
    }

    /// How it ended, as soon as [`Running::wait`] knows; `None` after `limit`.
    #[must_use]
    pub fn wait_for(&self, limit: Duration) -> Option<ExitStatus> {
        self.0.wait_for(limit)
    }

    /// Sends `signal` to the foreground processes of its terminal; without one, to its group.
    pub fn signal(&self, signal: Signal) {
        self.0.signal(signal);
    }

    /// Sets the size of its terminal, if it has one.
    pub fn resize(&self, size: Size) {
        self.0.resize(size);
    }

    /// Asks it to end, as a closed terminal (SIGHUP) or kill(1) (SIGTERM) would. Kills what is left
    /// of its session when it has ended, and after `grace` in any case.
    pub fn end(&self, grace: Duration) {
        self.0.end(grace);
    }

    /// Kills all processes of its session, also those in the background, unless it has ended: they
    /// were left behind on purpose then.
    pub fn kill(&self) {
        self.0.kill();
    }
}

/// A command that is a child of this process.
#[derive(Debug)]
pub(super) struct ChildProcess {
    leader: Pid,
    /// `None` once it was waited for: its process id may be another's then.
    child: Mutex<Option<Child>>,
    end: Mutex<Option<ExitStatus>>,
    ended: Condvar,
    /// Closed when the command has ended; the outputs hold the other end.
    alive: Mutex<Option<OwnedFd>>,
    /// Whether its session ends with it.
    is_ending: AtomicBool,
    /// The end that controls its terminal.
    terminal: Option<OwnedFd>,
}

impl ChildProcess {
    /// `child`, which leads a session; what hangs up when it has ended.
    pub(super) fn of(child: Child, terminal: Option<OwnedFd>) -> io::Result<(Self, Arc<OwnedFd>)> {
        let leader = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let leader = leader.ok_or_else(|| io::Error::other("not a process id"))?;
        let (ended, alive) = io::pipe()?;
        let running = Self {
            leader,
            child: Mutex::new(Some(child)),
            end: Mutex::new(None),
            ended: Condvar::new(),
            alive: Mutex::new(Some(alive.into())),
            is_ending: AtomicBool::new(false),
            terminal,
        };
        Ok((running, Arc::new(ended.into())))
    }
}

impl Control for ChildProcess {
    fn wait(&self) -> io::Result<ExitStatus> {
        // Until it is reaped below, nobody else can get its process id.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(rustix::io::Errno::INTR) =
            rustix::process::waitid(WaitId::Pid(self.leader), options)
        {}
        let mut child = lock(&self.child);
        if let Some(mut child) = child.take() {
            if self.is_ending.load(Ordering::SeqCst) {
                session::kill(self.leader);
            }
            *lock(&self.end) = Some(child.wait()?);
        }
        drop(child);
        lock(&self.alive).take();
        self.ended.notify_all();
        lock(&self.end).ok_or_else(|| io::Error::other("it ended without a status"))
    }

    fn wait_for(&self, limit: Duration) -> Option<ExitStatus> {
        let end = lock(&self.end);
        let waited = self
            .ended
            .wait_timeout_while(end, limit, |end| end.is_none());
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn signal(&self, signal: Signal) {
        let child = lock(&self.child);
        if child.is_none() {
            return;
        }
        let foreground = |terminal| rustix::termios::tcgetpgrp(terminal).ok();
        let group = self.terminal.as_ref().and_then(foreground);
        let _ = rustix::process::kill_process_group(group.unwrap_or(self.leader), signal);
    }

    fn resize(&self, size: Size) {
        if let Some(terminal) = &self.terminal {
            let _ = start::set_size(terminal, size);
        }
    }

    fn end(&self, grace: Duration) {
        self.is_ending.store(true, Ordering::SeqCst);
        self.signal(match self.terminal {
            Some(_) => Signal::HUP,
            None => Signal::TERM,
        });
        if self.wait_for(grace).is_none() {
            self.kill();
        }
    }

    fn kill(&self) {
        self.is_ending.store(true, Ordering::SeqCst);
        if lock(&self.child).is_some() {
            session::kill(self.leader);
        }
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        self.kill();
        if let Some(mut child) = lock(&self.child).take() {
            let _ = child.wait();
        }
    }
}

/// The exit code that sh(1) would have passed on: 128 + n for signal n.
#[must_use]
pub fn exit_code(status: ExitStatus) -> i32 {
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// `exit code 3`, `killed by signal 9`.
#[must_use]
pub fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => "ended without a status".to_owned(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
