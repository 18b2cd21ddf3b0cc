//! Processes of this machine, those inside its hosts included: all share one kernel.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};

/// A process that was there a moment ago.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its pid on this machine, wherever it runs.
    pub pid: u32,
    /// Its words, as `/proc/PID/cmdline` has them, with spaces between.
    pub title: String,
}

impl Process {
    /// The process of this pid; `None` when it is gone or a kernel thread.
    pub fn of(pid: u32) -> Option<Self> {
        let words = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let words = String::from_utf8_lossy(&words).replace('\0', " ");
        let title = words.trim().to_owned();
        (!title.is_empty()).then_some(Self { pid, title })
    }

    /// All that have this variable in their environment: what a [`super::Controller`] started,
    /// whatever became of its parents.
    pub fn with_variable(name: &str, value: &Path) -> Vec<Self> {
        let wanted = [name.as_bytes(), b"=", value.as_os_str().as_bytes()].concat();
        let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
        pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|pid| {
                let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
                environment.split(|byte| *byte == 0).any(|v| v == wanted)
            })
            .filter_map(Self::of)
            .collect()
    }

    /// Where it works, as its own file system names it.
    pub fn folder(&self) -> Option<PathBuf> {
        fs::read_link(format!("/proc/{}/cwd", self.pid)).ok()
    }

    /// The file name of its program.
    pub fn program(&self) -> &str {
        let first = self.title.split(' ').next().unwrap_or_default();
        let name = Path::new(first).file_name().and_then(OsStr::to_str);
        name.unwrap_or(first)
    }

    /// Kills it with SIGKILL; fine when it is gone.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Sends it a signal; fine when it is gone.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process(pid, signal);
        }
    }
}
