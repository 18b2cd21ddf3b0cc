//! A process named beyond doubt: its pid and its start time.

use std::fmt;
use std::fs;
use std::str::FromStr;

/// A process of this machine; pids are used again, pids with start times are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    pid: u32,
    /// In clock ticks since boot, proc(5), field 22 of `/proc/PID/stat`.
    started: u64,
}

impl Owner {
    /// This process.
    pub fn me() -> Self {
        Self::of(std::process::id()).expect("this process is in /proc")
    }

    /// The process with this pid, while it lives.
    pub fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field is the name in parentheses and may hold anything.
        let fields = &stat[stat.rfind(')')? + 2..];
        let mut fields = fields.split_ascii_whitespace();
        if fields.next()? == "Z" {
            return None;
        }
        let started = fields.nth(18)?.parse().ok()?;
        Some(Self { pid, started })
    }

    pub fn lives(self) -> bool {
        Self::of(self.pid) == Some(self)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.pid, self.started)
    }
}

impl FromStr for Owner {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (pid, started) = text.trim().split_once('-').ok_or(())?;
        Ok(Self {
            pid: pid.parse().map_err(drop)?,
            started: started.parse().map_err(drop)?,
        })
    }
}
