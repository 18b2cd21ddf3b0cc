//! Processes of services: whether one is still itself, and which belong together.
//!
//! A service's processes are its process group and, where there is a `/proc`, whatever carries its
//! `$INVOCATION_ID` in its environment: that also finds those that left the group.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::record::Process;

/// How long killed processes may take to be gone.
const DYING: Duration = Duration::from_secs(10);

/// When process `pid` was born, as text that no later process of this id shares; `None` when there
/// is none, or only its remains.
#[cfg(target_os = "linux")]
#[must_use]
pub fn born(pid: u32) -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let stat = Stat::of(pid)?;
    (!stat.is_dead).then(|| format!("{} {}", boot.trim(), stat.started))
}

/// See the other one; `ps -o lstart` has a resolution of a second.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn born(pid: u32) -> Option<String> {
    let line = ps(&["-o", "stat=,lstart=", "-p", &pid.to_string()])?;
    let (letters, started) = line.trim().split_once(' ')?;
    (!letters.starts_with('Z')).then(|| started.trim().to_owned())
}

/// Whether the process that was recorded still runs.
#[must_use]
pub fn is_alive(process: &Process) -> bool {
    born(process.pid).is_some_and(|born| born == process.born)
}

/// The living processes of a service, without what is dead and not yet waited for.
#[cfg(target_os = "linux")]
#[must_use]
pub fn members(process: &Process) -> Vec<u32> {
    let mark = format!("INVOCATION_ID={}", process.invocation);
    let belongs = |pid: &u32| {
        let Some(stat) = Stat::of(*pid).filter(|stat| !stat.is_dead) else {
            return false;
        };
        // Between fork and exec, a child has the environment of its parent in memory.
        stat.group == process.pid
            || std::fs::read(format!("/proc/{pid}/environ"))
                .is_ok_and(|env| env.split(|b| *b == 0).any(|var| var == mark.as_bytes()))
    };
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(belongs)
        .collect()
}

/// See the other one.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn members(process: &Process) -> Vec<u32> {
    let all = ps(&["-axo", "pid=,pgid=,stat="]).unwrap_or_default();
    let member = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let (pid, group) = (fields.next()?.parse().ok()?, fields.next()?);
        let dead = fields.next()?.starts_with('Z');
        (group == process.pid.to_string() && !dead).then_some(pid)
    };
    all.lines().filter_map(member).collect()
}

/// Asks the main process to end.
pub fn terminate(process: &Process) {
    signal(process.pid, Signal::TERM);
}

/// Kills all processes of a service and waits until they are gone; whether they are.
pub fn kill_all(process: &Process) -> bool {
    let end = Instant::now() + DYING;
    loop {
        let left = members(process);
        if left.is_empty() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        for pid in left {
            signal(pid, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Stops a service that nobody waits for: asks, waits, kills.
pub fn stop_orphan(process: &Process) {
    if is_alive(process) {
        terminate(process);
        let end = Instant::now() + Duration::from_millis(process.stop_timeout_ms);
        while is_alive(process) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
    } else if cfg!(not(target_os = "linux")) {
        // The id of its group may be somebody else's by now, and nothing marks its members.
        return;
    }
    // A main process that is gone may have left others behind, which hold its port.
    kill_all(process);
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// What proc(5) says in `/proc/<pid>/stat`.
#[cfg(target_os = "linux")]
struct Stat {
    is_dead: bool,
    group: u32,
    /// Clock ticks since the boot.
    started: u64,
}

#[cfg(target_os = "linux")]
impl Stat {
    fn of(pid: u32) -> Option<Self> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name, in parentheses, may hold anything.
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<_> = rest.split_ascii_whitespace().collect();
        Some(Self {
            is_dead: matches!(*fields.first()?, "Z" | "X"),
            group: fields.get(2)?.parse().ok()?,
            started: fields.get(19)?.parse().ok()?,
        })
    }
}

#[cfg(not(target_os = "linux"))]
fn ps(args: &[&str]) -> Option<String> {
    use crate::agent::service::child;
    let output = child::run(child::command("ps").args(args), Duration::from_secs(5)).ok()?;
    output.ok().then_some(output.stdout)
}
