//! The service manager that is built in: for `local`, containers and hosts without systemd.
//!
//! A daemon per root folder ([`supervise`]) keeps the services running; [`Supervisor`] is its
//! client, which starts it when there is something to keep. Its files, below `<root>/.ship`:
//! `supervisor.sock`, `supervisor.lock`, `supervisor.json` (what should run), `supervisor.log`,
//! `logs/<service>.log` and `runtime/<service>/`.
//!
//! A service counts as started once its launcher runs, also one that says `READY=1` to systemd:
//! there is no `$NOTIFY_SOCKET` here. Its proof is its health check.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{LogCursor, LogLine, LogSpan, ServiceManager, ServiceState, ServiceStatus, show};
use crate::agent::{Layout, socket};
use crate::model::{EnvironmentName, Failure, Instance, ServiceName};
use protocol::{Order, Reply, Request};
use record::Record;

mod daemon;
mod keeper;
mod launch;
mod log;
mod log_read;
mod processes;
mod protocol;
mod record;
mod spawn;

pub use daemon::supervise;

/// Where the daemon listens, below `<root>/.ship`.
const SOCKET: &str = "supervisor.sock";

/// How long a supervisor may take to replace a socket that somebody spoiled.
const REBINDING: Duration = Duration::from_secs(2);

/// The hidden command that runs [`supervise`]; the root folder follows.
pub const COMMAND: [&str; 2] = ["agent", "supervise"];

/// How long a question about the status may take.
const ASKING: Duration = Duration::from_secs(10);

/// What a client waits longer than the supervisor does, to hear why.
const GRACE: Duration = Duration::from_secs(2);

/// A supervisor that was started and does not answer is started again after this.
const STARTING: Duration = Duration::from_secs(2);

/// How often a followed log is looked at.
const TICK: Duration = Duration::from_millis(100);

/// Whether a service that a supervisor of `layout` started still runs.
#[must_use]
pub fn runs_something(layout: &Layout) -> bool {
    let record = Record::load(&layout.supervisor_record());
    let mut processes = record.services.into_values().filter_map(|it| it.process);
    processes.any(|process| !processes::members(&process).is_empty())
}

/// Speaks to the supervisor of one root folder.
#[derive(Debug, Clone)]
pub struct Supervisor {
    layout: Layout,
    daemon: Option<(PathBuf, Vec<OsString>)>,
}

impl Supervisor {
    /// The services of `layout`. A daemon is started as this program with [`COMMAND`].
    #[must_use]
    pub fn new(layout: Layout) -> Self {
        Self {
            layout,
            daemon: None,
        }
    }

    /// Starts its daemon by another command, which must call [`supervise`].
    #[must_use]
    pub fn with_daemon(mut self, program: PathBuf, args: Vec<OsString>) -> Self {
        self.daemon = Some((program, args));
        self
    }

    /// Stops all services and the supervisor. What should run is remembered: it runs again with
    /// the next supervisor.
    ///
    /// # Errors
    /// When it does not end by `deadline`.
    pub fn shutdown(&self, deadline: Duration) -> Result<(), Failure> {
        match self.call(&Request::Shutdown, deadline, false)? {
            Some(Reply::Failed { why }) => Err(Failure::unexpected(why)),
            _ => Ok(()),
        }
    }

    /// Stops all services, also those that a dead supervisor left, and the supervisor. Nothing is to
    /// run again.
    ///
    /// # Errors
    /// When a service or the supervisor does not end by `deadline`.
    pub fn take_down(&self, deadline: Duration) -> Result<(), Failure> {
        let end = Instant::now() + deadline;
        let left = || end.saturating_duration_since(Instant::now());
        for instance in Record::load(&self.layout.supervisor_record())
            .services
            .keys()
        {
            self.stop(instance, left())?;
        }
        self.shutdown(left())?;
        // It answers before it ends.
        while socket::connect(&self.layout.state(), SOCKET).is_ok() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn start_daemon(&self) -> Result<(), Failure> {
        let started = match &self.daemon {
            Some((program, args)) => spawn::detached(program, args),
            None => std::env::current_exe().and_then(|this| {
                let mut args: Vec<OsString> = COMMAND.map(OsString::from).into();
                args.push(self.layout.root().into());
                spawn::detached(&this, &args)
            }),
        };
        started
            .map_err(|error| Failure::unexpected(format!("cannot start the supervisor: {error}")))
    }

    /// Asks and waits for the answer; `None` when no supervisor runs and `start` is not set.
    fn call(
        &self,
        request: &Request,
        deadline: Duration,
        start: bool,
    ) -> Result<Option<Reply>, Failure> {
        let end = Instant::now() + deadline + GRACE;
        let mut started: Option<Instant> = None;
        let began = Instant::now();
        let state = self.layout.state();
        while Instant::now() < end {
            match socket::connect(&state, SOCKET) {
                Ok(stream) => {
                    let left = end.saturating_duration_since(Instant::now());
                    // No answer: it was just about to end.
                    if let Some(reply) = exchange(stream, request, left)? {
                        return Ok(Some(reply));
                    }
                }
                // A supervisor that lives makes it anew.
                Err(_) if socket::is_spoiled(&state, SOCKET) && began.elapsed() < REBINDING => {}
                Err(error) if !is_absent(&error) => {
                    return Err(Failure::unexpected(format!(
                        "cannot reach the supervisor at {}: {error}",
                        state.join(SOCKET).display()
                    )));
                }
                Err(_) if !start => return Ok(None),
                Err(_) if started.is_none_or(|at| at.elapsed() > STARTING) => {
                    self.start_daemon()?;
                    started = Some(Instant::now());
                }
                Err(_) => {}
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(Failure::unexpected(format!(
            "the supervisor of {} does not answer",
            self.layout.root().display()
        ))
        .hint(format!(
            "see {}",
            self.layout.state_file("supervisor.log").display()
        )))
    }

    fn order(&self, request: &Request, deadline: Duration) -> Result<(), Failure> {
        match self.call(request, deadline, true)? {
            Some(Reply::Failed { why }) => Err(Failure::unexpected(why)),
            _ => Ok(()),
        }
    }

    /// What can be known without a supervisor.
    fn status_of_record(&self, record: &Record, instance: &Instance) -> ServiceStatus {
        let mut status = ServiceStatus {
            state: ServiceState::Stopped,
            ..ServiceStatus::default()
        };
        let Some(entry) = record.services.get(instance) else {
            return status;
        };
        let process = entry.process.as_ref();
        if let Some(process) = process.filter(|process| processes::is_alive(process)) {
            status.state = ServiceState::Running;
            status.main_pid = Some(process.pid);
            status.invocation = Some(process.invocation.clone());
            status.pids = processes::members(process);
            status.memory = show::memory_of(&status.pids);
        } else if entry.wanted {
            status.state = ServiceState::Failed;
            status.last_exit = Some("its supervisor does not run".to_owned());
        }
        status
    }
}

impl ServiceManager for Supervisor {
    fn runtime_dir(&self, instance: &Instance) -> PathBuf {
        self.layout.runtime_directory(instance)
    }

    fn by_hand_restart(&self, environment: &EnvironmentName, service: &ServiceName) -> String {
        format!("ship restart {environment} {service}")
    }

    fn status(&self, instance: &Instance) -> Result<ServiceStatus, Failure> {
        let mut statuses = self.statuses(std::slice::from_ref(instance))?;
        statuses
            .pop()
            .ok_or_else(|| Failure::unexpected("the supervisor told of no service"))
    }

    fn statuses(&self, instances: &[Instance]) -> Result<Vec<ServiceStatus>, Failure> {
        let request = Request::Status {
            services: instances.to_owned(),
        };
        match self.call(&request, ASKING, false)? {
            Some(Reply::Statuses { statuses }) if statuses.len() == instances.len() => Ok(statuses),
            Some(Reply::Failed { why }) => Err(Failure::unexpected(why)),
            Some(_) => Err(Failure::unexpected(
                "the supervisor's answer is another one's",
            )),
            None => {
                let record = Record::load(&self.layout.supervisor_record());
                let status = |instance| self.status_of_record(&record, instance);
                Ok(instances.iter().map(status).collect())
            }
        }
    }

    fn restart(
        &self,
        instance: &Instance,
        _seen: Option<&ServiceStatus>,
        deadline: Duration,
    ) -> Result<(), Failure> {
        self.order(&Request::Restart(order(instance, deadline)), deadline)
    }

    fn start(&self, instance: &Instance, deadline: Duration) -> Result<(), Failure> {
        self.order(&Request::Start(order(instance, deadline)), deadline)
    }

    fn stop(&self, instance: &Instance, deadline: Duration) -> Result<(), Failure> {
        let request = Request::Stop(order(instance, deadline));
        // Nothing to stop needs no supervisor; a process that was left by a dead one does.
        let record = Record::load(&self.layout.supervisor_record());
        let known = record.services.contains_key(instance);
        match self.call(&request, deadline, known)? {
            Some(Reply::Failed { why }) => Err(Failure::unexpected(why)),
            _ => Ok(()),
        }
    }

    fn log_cursor(&self, instance: &Instance) -> Result<LogCursor, Failure> {
        Ok(log_read::cursor(&self.layout.log(instance)))
    }

    fn log_since(
        &self,
        instance: &Instance,
        cursor: Option<&LogCursor>,
        max: usize,
    ) -> Result<Vec<LogLine>, Failure> {
        let path = self.layout.log(instance);
        Ok(log_read::since(&path, instance, cursor, max))
    }

    fn log_within(
        &self,
        instances: &[Instance],
        span: &LogSpan,
        newest_first: bool,
        line: &mut dyn FnMut(LogLine) -> bool,
    ) -> Result<(), Failure> {
        let logs = instances
            .iter()
            .map(|instance| (self.layout.log(instance), instance));
        log_read::within(logs, span, newest_first, line);
        Ok(())
    }

    fn follow(
        &self,
        instances: &[Instance],
        line: &mut dyn FnMut(Option<LogLine>) -> bool,
    ) -> Result<(), Failure> {
        let tail =
            |instance: &Instance| log_read::Tail::new(self.layout.log(instance), instance.clone());
        let mut tails: Vec<_> = instances.iter().map(tail).collect();
        loop {
            let mut new: Vec<_> = tails.iter_mut().flat_map(log_read::Tail::lines).collect();
            new.sort_by(|a, b| a.time.cmp(&b.time));
            let go_on = new.into_iter().all(|new| line(Some(new))) && line(None);
            if !go_on {
                return Ok(());
            }
            std::thread::sleep(TICK);
        }
    }
}

fn order(instance: &Instance, deadline: Duration) -> Order {
    Order {
        service: instance.clone(),
        deadline_ms: u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX),
    }
}

/// Sends a request and reads the answer; `None` when the supervisor hung up without one.
fn exchange(
    mut stream: UnixStream,
    request: &Request,
    timeout: Duration,
) -> Result<Option<Reply>, Failure> {
    let mut talk = || -> io::Result<String> {
        stream.set_read_timeout(Some(timeout.max(Duration::from_millis(1))))?;
        let mut text = serde_json::to_string(request)?;
        text.push('\n');
        stream.write_all(text.as_bytes())?;
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line)?;
        Ok(line)
    };
    match talk() {
        Ok(line) if line.is_empty() => Ok(None),
        Ok(line) => serde_json::from_str(&line).map(Some).map_err(|error| {
            Failure::unexpected(format!("the supervisor's answer cannot be read: {error}"))
        }),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
            ) =>
        {
            Err(Failure::unexpected(format!(
                "the supervisor did not answer within {timeout:.0?}"
            )))
        }
        // It ended under our hands.
        Err(_) => Ok(None),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
    )
}

/// Locks; a thread that panicked while it held the lock does not take the others with it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
