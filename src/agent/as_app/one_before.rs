//! What a transaction began that was killed ends a moment later; the next one waits for that, so that
//! no migration ever runs beside another.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use crate::agent::service::child;
use crate::agent::{Layout, careful, disk};
use crate::model::Failure;

/// How long the processes of a killed transaction may take to be gone.
const DYING: Duration = Duration::from_secs(15);

/// A process, told from a later one with the same id.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Process {
    pid: u32,
    born: String,
}

fn path(layout: &Layout) -> std::path::PathBuf {
    layout.state_file("as-app.json")
}

/// Notes the process that runs the app's commands for this transaction.
///
/// # Errors
/// When it cannot be written: then nothing is to be run.
pub(super) fn note(layout: &Layout, pid: u32) -> std::io::Result<()> {
    let born = born(pid).unwrap_or_default();
    let text = serde_json::to_vec(&Process { pid, born })?;
    disk::write_unsynced(&path(layout), &text, 0o600)
}

/// Waits until what the transaction before began to run has ended. Call it under the lock. The user
/// of the services can stop a process of its own (SIGSTOP): one that does not end is continued, and
/// then killed, as that `user`.
///
/// # Errors
/// `Refused` when it still runs after 15 s.
pub fn wait_for_the_one_before(layout: &Layout, user: &str) -> Result<(), Failure> {
    let Ok(process) = careful::json::<Process>(&path(layout), careful::SMALL) else {
        return Ok(());
    };
    let begun = Instant::now();
    let mut means = MEANS.iter().peekable();
    while born(process.pid).is_some_and(|born| born == process.born) {
        if let Some((_, signal)) = means.next_if(|(after, _)| begun.elapsed() > *after) {
            send(*signal, process.pid, user);
        }
        if begun.elapsed() > DYING {
            return Err(Failure::refused(format!(
                "a command of an earlier deploy still runs, below process {}",
                process.pid
            ))
            .hint(format!("on the host: kill -9 {}", process.pid)));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = std::fs::remove_file(path(layout));
    Ok(())
}

/// What is sent to a process that does not end, and after how long.
const MEANS: [(Duration, Signal); 2] = [
    (Duration::from_secs(2), Signal::CONT),
    // When it runs, it kills what it has started within 10 s.
    (Duration::from_secs(13), Signal::KILL),
];

/// Sends `signal` to the process, as this process's user or as `user`. That it is gone or that there
/// is no right to it shows by the process.
fn send(signal: Signal, pid: u32, user: &str) {
    let target = i32::try_from(pid).ok().and_then(Pid::from_raw);
    if target.is_some_and(|pid| kill_process(pid, signal).is_ok()) {
        return;
    }
    let mut sudo = child::command("sudo");
    sudo.args(["-n", "-u", user, "--", "/bin/sh", "-c"]);
    sudo.arg(format!("kill -{} {pid}", signal.as_raw()));
    let _ = child::run(&mut sudo, Duration::from_secs(5));
}

/// When a living process began, in clock ticks since the boot (proc(5), field 22 of `stat`), with the
/// boot.
fn born(pid: u32) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    let started = fields.nth(18)?;
    let boot = crate::agent::journal::boot().unwrap_or_default();
    Some(format!("{boot} {started}"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_next_transaction_waits_for_what_the_one_before_began() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path());
        std::fs::create_dir(layout.state()).unwrap();
        wait_for_the_one_before(&layout, "nobody").unwrap();
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        note(&layout, child.id()).unwrap();
        let waiting = std::thread::spawn(move || wait_for_the_one_before(&layout, "nobody"));
        std::thread::sleep(Duration::from_millis(100));
        assert!(!waiting.is_finished(), "it goes on beside the process");
        child.kill().unwrap();
        child.wait().unwrap();
        waiting.join().unwrap().unwrap();
        assert!(!folder.path().join(".ship/as-app.json").exists());
    }

    /// The app can stop a process of its own user, and so keep it from seeing that it is to end.
    #[test]
    fn a_stopped_process_does_not_hinder_the_next_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path());
        std::fs::create_dir(layout.state()).unwrap();
        let mut child = Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let pid = Pid::from_child(&child);
        kill_process(pid, Signal::STOP).unwrap();
        note(&layout, child.id()).unwrap();
        drop(child.stdin.take());
        wait_for_the_one_before(&layout, "nobody").unwrap();
        assert!(child.wait().unwrap().success(), "it was not continued");
    }
}
