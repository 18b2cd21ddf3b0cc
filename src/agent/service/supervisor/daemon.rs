//! The supervisor itself: one process per root folder that keeps its services running and answers
//! on its socket. It ends when no service should run any more.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::keeper::{Ask, Keeper, Shared};
use super::log::LogFile;
use super::protocol::{MAX_LINE, Order, Reply, Request};
use super::record::Record;
use super::{SOCKET, lock};
use crate::agent::service::{ServiceState, ServiceStatus};
use crate::agent::{Layout, lock, socket};
use crate::model::{Failure, Instance};

/// How long a supervisor without services stays, for whoever is about to ask.
const LINGER: Duration = Duration::from_secs(2);

/// How long another supervisor, which may be on its way out, may hold the lock.
const LOCKED: Duration = Duration::from_secs(5);

/// How long a client may take to say what it wants.
const ASKING: Duration = Duration::from_secs(10);

/// How often the end is looked for.
const TICK: Duration = Duration::from_millis(250);

/// Keeps the services of `layout` running until none should run any more, or until SIGTERM.
///
/// Returns well when another supervisor has this root. Handles SIGTERM, SIGINT and SIGHUP for the
/// whole process: it is meant to be all that a process does.
///
/// # Errors
/// When the root's state folder or the socket cannot be made.
pub fn supervise(layout: &Layout) -> Result<(), Failure> {
    on_signals();
    let state = layout.state();
    for folder in [&state, &layout.logs()] {
        fs::create_dir_all(folder).map_err(|error| Failure::io("cannot make", folder, &error))?;
    }
    let Some(_locked) = lock_root(layout)? else {
        return Ok(());
    };
    let listener = socket::bind(&state, SOCKET)
        .map_err(|error| Failure::io("cannot listen in", &state, &error))?;
    let record = Record::load(&layout.supervisor_record());
    let shared = Arc::new(Shared {
        layout: layout.clone(),
        record: Mutex::new(record.clone()),
        log: Mutex::new(LogFile::new(layout.state_file("supervisor.log"))),
    });
    let daemon = Arc::new(Daemon {
        shared,
        keepers: Mutex::new(BTreeMap::new()),
        ending: AtomicBool::new(false),
        clients: AtomicUsize::new(0),
        asked: Mutex::new(Instant::now()),
    });
    for (instance, entry) in record.services {
        let keeper = Keeper::start(instance.clone(), Arc::clone(&daemon.shared), entry);
        lock(&daemon.keepers).insert(instance, keeper);
    }
    daemon.serve(&state, listener);
    daemon.close();
    // Still under the lock: the next one's socket is not removed.
    socket::remove(&state, SOCKET);
    Ok(())
}

/// The lock that makes this supervisor the only one: flock(2), freed by the death of its holder.
/// `None` when another one lives.
fn lock_root(layout: &Layout) -> Result<Option<File>, Failure> {
    let path = layout.state_file("supervisor.lock");
    let cannot = |error: io::Error| Failure::io("cannot lock", &path, &error);
    let file = lock::open_private(&path).map_err(cannot)?;
    let end = Instant::now() + LOCKED;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(fs::TryLockError::Error(error)) => return Err(cannot(error)),
            Err(fs::TryLockError::WouldBlock) if Instant::now() > end => return Ok(None),
            Err(fs::TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(20)),
        }
    }
}

struct Daemon {
    shared: Arc<Shared>,
    keepers: Mutex<BTreeMap<Instance, Arc<Keeper>>>,
    ending: AtomicBool,
    clients: AtomicUsize,
    asked: Mutex<Instant>,
}

impl Daemon {
    fn serve(self: &Arc<Self>, state: &Path, mut listener: UnixListener) {
        let mut inode = socket::inode(state, SOCKET);
        // A client that gives up between poll and accept must not block the loop.
        let _ = listener.set_nonblocking(true);
        while !self.is_over() {
            let mut fds = [PollFd::new(&listener, PollFlags::IN)];
            let tick = Timespec {
                tv_sec: 0,
                tv_nsec: i64::from(TICK.subsec_nanos()),
            };
            if !poll(&mut fds, Some(&tick)).is_ok_and(|ready| ready > 0) {
                // Somebody removed or replaced it: without it nobody reaches the services.
                if (inode.is_none() || socket::inode(state, SOCKET) != inode)
                    && let Ok(new) = socket::bind(state, SOCKET)
                {
                    let _ = new.set_nonblocking(true);
                    (listener, inode) = (new, socket::inode(state, SOCKET));
                }
                continue;
            }
            if let Ok((client, _)) = listener.accept() {
                let this = Arc::clone(self);
                self.clients.fetch_add(1, Ordering::SeqCst);
                thread::spawn(move || {
                    let _ = this.answer(&client);
                    *lock(&this.asked) = Instant::now();
                    this.clients.fetch_sub(1, Ordering::SeqCst);
                });
            }
        }
    }

    /// Whether it was told to end, or there has been nothing to do for a while.
    fn is_over(&self) -> bool {
        let idle = || {
            self.clients.load(Ordering::SeqCst) == 0
                && lock(&self.asked).elapsed() > LINGER
                && lock(&self.keepers).values().all(|keeper| keeper.is_idle())
        };
        SIGNALLED.load(Ordering::SeqCst) || self.ending.load(Ordering::SeqCst) || idle()
    }

    /// Stops all services and waits until they are; their own stop timeouts bound it.
    fn close(&self) {
        let keepers: Vec<_> = lock(&self.keepers).values().cloned().collect();
        for keeper in &keepers {
            keeper.close();
        }
        while !keepers.iter().all(|keeper| keeper.is_closed()) {
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn answer(&self, client: &UnixStream) -> io::Result<()> {
        client.set_nonblocking(false)?;
        client.set_read_timeout(Some(ASKING))?;
        client.set_write_timeout(Some(ASKING))?;
        let mut line = String::new();
        BufReader::new(client.take(MAX_LINE)).read_line(&mut line)?;
        let reply = match serde_json::from_str(&line) {
            Ok(request) => self.carry_out(request),
            Err(error) => Reply::Failed {
                why: format!("the supervisor does not understand this request: {error}"),
            },
        };
        let mut text = serde_json::to_string(&reply)?;
        text.push('\n');
        let mut client = client;
        client.write_all(text.as_bytes())
    }

    fn carry_out(&self, request: Request) -> Reply {
        let order = |ask, order: Order| {
            let deadline = Duration::from_millis(order.deadline_ms);
            match self
                .keeper(&order.service, ask)
                .map(|k| k.ask(ask, deadline))
            {
                None | Some(Ok(())) => Reply::Done,
                Some(Err(why)) => Reply::Failed { why },
            }
        };
        match request {
            Request::Start(of) => order(Ask::Start, of),
            Request::Restart(of) => order(Ask::Restart, of),
            Request::Stop(of) => order(Ask::Stop, of),
            Request::Status { services } => Reply::Statuses {
                statuses: services
                    .iter()
                    .map(|instance| self.status(instance))
                    .collect(),
            },
            Request::Shutdown => {
                self.ending.store(true, Ordering::SeqCst);
                self.close();
                Reply::Done
            }
        }
    }

    /// The keeper of a service, made when it is needed; `None` for a stop of what does not run.
    fn keeper(&self, instance: &Instance, ask: Ask) -> Option<Arc<Keeper>> {
        let mut keepers = lock(&self.keepers);
        if ask == Ask::Stop || self.ending.load(Ordering::SeqCst) {
            return keepers.get(instance).cloned();
        }
        let make = || {
            Keeper::start(
                instance.clone(),
                Arc::clone(&self.shared),
                Default::default(),
            )
        };
        Some(Arc::clone(
            keepers.entry(instance.clone()).or_insert_with(make),
        ))
    }

    fn status(&self, instance: &Instance) -> ServiceStatus {
        let keeper = lock(&self.keepers).get(instance).cloned();
        keeper.map_or_else(
            || ServiceStatus {
                state: ServiceState::Stopped,
                ..ServiceStatus::default()
            },
            |keeper| keeper.status(),
        )
    }
}

/// Set by SIGTERM and SIGINT.
static SIGNALLED: AtomicBool = AtomicBool::new(false);

/// Notices SIGTERM and SIGINT, and lives through SIGHUP, which the end of a session may send.
///
/// By handlers, which exec resets in the services: what is blocked or ignored would stay so there
/// (execve(2)), and std leaves it so.
fn on_signals() {
    extern "C" fn end(_signal: libc::c_int) {
        SIGNALLED.store(true, Ordering::SeqCst);
    }
    extern "C" fn pass(_signal: libc::c_int) {}
    let handlers: [(libc::c_int, extern "C" fn(libc::c_int)); 3] = [
        (libc::SIGTERM, end),
        (libc::SIGINT, end),
        (libc::SIGHUP, pass),
    ];
    for (signal, handler) in handlers {
        // SAFETY: the handlers do nothing but store to an atomic (signal-safety(7)); the action is
        // zeroed, which is a valid empty one (sigaction(2)).
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler as *const () as libc::sighandler_t;
            action.sa_flags = libc::SA_RESTART;
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        }
    }
}
