//! Keeps one service running: a thread per service that starts, watches, stops and restarts it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions};

use super::launch::{Launched, launch};
use super::log::{LogFile, pump};
use super::record::{Entry, Process, Record};
use super::{lock, processes};
use crate::agent::Layout;
use crate::agent::service::{ServiceState, ServiceStatus, exit, show};
use crate::model::Instance;

/// The pause before the first restart; it doubles with each one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause before a restart.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A service that was up this long has recovered: the next pause is the first one again.
const RECOVERED: Duration = Duration::from_secs(60);

/// What all services of a supervisor share.
#[derive(Debug)]
pub struct Shared {
    /// Where they live.
    pub layout: Layout,
    /// What the next supervisor must know.
    pub record: Mutex<Record>,
    /// The supervisor's own log.
    pub log: Mutex<LogFile>,
}

impl Shared {
    fn remember(&self, instance: &Instance, change: impl FnOnce(&mut Entry)) {
        let mut record = lock(&self.record);
        record.update(instance, change);
        if let Err(error) = record.save(&self.layout.supervisor_record()) {
            lock(&self.log).say(&format!("cannot write the supervisor's record: {error}"));
        }
    }

    fn say(&self, text: &str) {
        lock(&self.log).say(text);
    }
}

/// What a client may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// To run.
    Start,
    /// To run anew.
    Restart,
    /// Not to run.
    Stop,
}

/// A service that is kept.
#[derive(Debug)]
pub struct Keeper {
    instance: Instance,
    shared: Arc<Shared>,
    log: Arc<Mutex<LogFile>>,
    slot: Mutex<Slot>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Slot {
    /// Whether it should run.
    wanted: bool,
    /// Whether the supervisor ends.
    closing: bool,
    /// Counts what was asked; the keeper acts when it changes.
    orders: u64,
    /// The newest order that was carried out.
    obeyed: u64,
    /// Why the newest order could not be carried out.
    refused: Option<String>,
    state: ServiceState,
    process: Option<Process>,
    /// Whether the process has ended and is not yet waited for.
    ended: bool,
    started: Option<Instant>,
    restarts: u32,
    last_exit: Option<String>,
}

impl Keeper {
    /// A keeper on a thread of its own. `entry` is what the last supervisor knew of the service.
    #[must_use]
    pub fn start(instance: Instance, shared: Arc<Shared>, entry: Entry) -> Arc<Self> {
        let path = shared.layout.log(&instance);
        let keeper = Arc::new(Self {
            instance,
            shared,
            log: Arc::new(Mutex::new(LogFile::new(path))),
            slot: Mutex::new(Slot {
                wanted: entry.wanted,
                state: ServiceState::Stopped,
                ..Slot::default()
            }),
            changed: Condvar::new(),
        });
        let this = Arc::clone(&keeper);
        thread::spawn(move || this.keep(entry.process));
        keeper
    }

    /// Gives an order and waits until it is carried out.
    ///
    /// # Errors
    /// A lower-case sentence: why it could not be, or that `deadline` has passed.
    pub fn ask(&self, ask: Ask, deadline: Duration) -> Result<(), String> {
        let mut slot = lock(&self.slot);
        let wanted = ask != Ask::Stop;
        if ask == Ask::Start && slot.wanted && slot.state == ServiceState::Running {
            return Ok(());
        }
        slot.wanted = wanted;
        slot.orders += 1;
        slot.refused = None;
        let order = slot.orders;
        self.changed.notify_all();
        drop(slot);
        self.shared
            .remember(&self.instance, |entry| entry.wanted = wanted);

        let waiting = |slot: &mut Slot| slot.obeyed < order && !slot.closing;
        let slot = self
            .changed
            .wait_timeout_while(lock(&self.slot), deadline, waiting)
            .unwrap_or_else(PoisonError::into_inner)
            .0;
        let instance = &self.instance;
        if slot.closing {
            return Err("the supervisor is being stopped".to_owned());
        }
        if slot.obeyed < order {
            let verb = if wanted { "start" } else { "stop" };
            return Err(format!("{instance} did not {verb} within {deadline:.0?}"));
        }
        slot.refused.clone().map_or(Ok(()), Err)
    }

    /// What there is to know right now.
    #[must_use]
    pub fn status(&self) -> ServiceStatus {
        let slot = lock(&self.slot);
        let mut status = ServiceStatus {
            state: slot.state,
            restarts: slot.restarts,
            last_exit: slot.last_exit.clone(),
            ..ServiceStatus::default()
        };
        let process = slot.process.clone();
        let started = slot.started;
        drop(slot);
        if let Some(process) = process {
            status.main_pid = Some(process.pid);
            status.uptime_ms =
                started.map(|at| u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX));
            status.pids = processes::members(&process);
            status.memory = show::memory_of(&status.pids);
            status.invocation = Some(process.invocation);
        }
        status
    }

    /// Whether it does not run and should not.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let slot = lock(&self.slot);
        !slot.wanted && slot.obeyed == slot.orders && slot.state == ServiceState::Stopped
    }

    /// Stops the process because the supervisor ends. It should still run.
    pub fn close(&self) {
        lock(&self.slot).closing = true;
        self.changed.notify_all();
    }

    /// Whether nothing runs after [`close`](Self::close).
    #[must_use]
    pub fn is_closed(&self) -> bool {
        let slot = lock(&self.slot);
        slot.closing && slot.state == ServiceState::Stopped
    }

    fn keep(&self, orphan: Option<Process>) {
        if let Some(orphan) = orphan {
            lock(&self.slot).state = ServiceState::Stopping;
            if processes::is_alive(&orphan) {
                self.shared.say(&format!(
                    "{}: process {} is left from a supervisor that was killed; replacing it",
                    self.instance, orphan.pid
                ));
            }
            processes::stop_orphan(&orphan);
            self.shared
                .remember(&self.instance, |entry| entry.process = None);
        }
        let mut pause = FIRST_PAUSE;
        while let Some(order) = self.wait_until_wanted() {
            match launch(&self.shared.layout, &self.instance) {
                Ok(launched) => {
                    if self.watch(launched, order) >= RECOVERED {
                        pause = FIRST_PAUSE;
                    }
                }
                Err(why) => self.refuse(order, why),
            }
            pause = self.rest(order, pause);
        }
    }

    /// The order to carry out by starting the service; `None` when the supervisor ends.
    fn wait_until_wanted(&self) -> Option<u64> {
        let mut slot = lock(&self.slot);
        loop {
            if slot.closing || !slot.wanted {
                slot.state = ServiceState::Stopped;
                slot.obeyed = slot.orders;
                self.changed.notify_all();
            }
            if slot.closing {
                return None;
            }
            if slot.wanted {
                slot.state = ServiceState::Starting;
                return Some(slot.orders);
            }
            slot = self
                .changed
                .wait(slot)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn refuse(&self, order: u64, why: String) {
        self.shared.say(&format!("{}: {why}", self.instance));
        let mut slot = lock(&self.slot);
        slot.obeyed = order;
        slot.refused = Some(why.clone());
        slot.last_exit = Some(why);
        self.changed.notify_all();
    }

    /// Watches a process until it ends, by itself or because something else was asked; how long it
    /// was up.
    fn watch(&self, launched: Launched, order: u64) -> Duration {
        let Launched {
            mut child,
            process,
            output,
        } = launched;
        let started = Instant::now();
        let log = Arc::clone(&self.log);
        let writer = thread::spawn(move || pump(output, &log));
        self.shared.remember(&self.instance, |entry| {
            entry.process = Some(process.clone());
        });
        let mut slot = lock(&self.slot);
        slot.state = ServiceState::Running;
        slot.process = Some(process.clone());
        slot.started = Some(started);
        slot.ended = false;
        slot.obeyed = order;
        self.changed.notify_all();
        drop(slot);

        thread::scope(|scope| {
            scope.spawn(|| self.await_end(process.pid));
            let slot = lock(&self.slot);
            let going = |slot: &mut Slot| !slot.ended && slot.orders == order && !slot.closing;
            let slot = self
                .changed
                .wait_while(slot, going)
                .unwrap_or_else(PoisonError::into_inner);
            if !slot.ended {
                self.stop(slot, &process);
            }
        });
        let up = started.elapsed();
        // The main process is dead and not yet waited for, so that its group's id is still its.
        let gone = processes::kill_all(&process);
        let ended = match child.wait() {
            Ok(status) => exit::of(status),
            Err(error) => format!("ended, and cannot be waited for: {error}"),
        };
        if gone {
            // All that held the pipe is dead: the last words are in the log before the end is told.
            let _ = writer.join();
        }
        self.shared
            .say(&format!("{}: {ended} after {up:.1?}", self.instance));
        self.shared
            .remember(&self.instance, |entry| entry.process = None);
        let mut slot = lock(&self.slot);
        slot.process = None;
        slot.started = None;
        slot.last_exit = Some(ended);
        up
    }

    /// Waits until a process is dead and leaves it to be waited for.
    fn await_end(&self, pid: u32) {
        let id = i32::try_from(pid).ok().and_then(Pid::from_raw);
        if let Some(id) = id {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(rustix::io::Errno::INTR) =
                rustix::process::waitid(WaitId::Pid(id), options)
            {}
        }
        lock(&self.slot).ended = true;
        self.changed.notify_all();
    }

    /// Asks the process to end, and kills all of the service's when it does not in time.
    fn stop(&self, mut slot: MutexGuard<'_, Slot>, process: &Process) {
        slot.state = ServiceState::Stopping;
        processes::terminate(process);
        let timeout = Duration::from_millis(process.stop_timeout_ms);
        let slot = self
            .changed
            .wait_timeout_while(slot, timeout, |slot| !slot.ended)
            .unwrap_or_else(PoisonError::into_inner)
            .0;
        let ended = slot.ended;
        drop(slot);
        if !ended {
            self.shared.say(&format!(
                "{}: did not stop within {timeout:.1?}; killing it",
                self.instance
            ));
            processes::kill_all(process);
        }
    }

    /// Pauses after a process that ended by itself; the pause for the next time.
    fn rest(&self, order: u64, pause: Duration) -> Duration {
        let mut slot = lock(&self.slot);
        if slot.orders == order && !slot.closing {
            slot.state = ServiceState::Restarting;
            self.changed.notify_all();
            let resting = |slot: &mut Slot| slot.orders == order && !slot.closing;
            slot = self
                .changed
                .wait_timeout_while(slot, pause, resting)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        if slot.orders == order {
            slot.restarts = slot.restarts.saturating_add(1);
            (pause * 2).min(LONGEST_PAUSE)
        } else {
            slot.restarts = 0;
            FIRST_PAUSE
        }
    }
}
