//! The processes of a command: all that share its session (setsid(2)).

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// How long killed processes may take to be gone.
const DYING: Duration = Duration::from_secs(2);

/// Kills every process of the session that `leader` made, with those that a shell put into groups
/// of their own. A process that made a session for itself is out of reach, as after a logout.
pub fn kill(leader: Pid) {
    let end = Instant::now() + DYING;
    loop {
        let _ = kill_process_group(leader, Signal::KILL);
        let left = members(leader);
        if left.is_empty() || Instant::now() > end {
            return;
        }
        for pid in left {
            let _ = kill_process(pid, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The living processes of a session, without those that are dead and not yet waited for.
#[cfg(target_os = "linux")]
fn members(leader: Pid) -> Vec<Pid> {
    let belongs = |pid: &Pid| {
        let path = format!("/proc/{}/stat", pid.as_raw_nonzero());
        let text = std::fs::read_to_string(path).unwrap_or_default();
        // proc(5): after the name, in parentheses, come state, parent, group and session.
        let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest);
        let mut fields = fields.split_ascii_whitespace();
        let is_dead = matches!(fields.next(), None | Some("Z" | "X"));
        let session = fields.nth(2).and_then(|field| field.parse().ok());
        !is_dead && session == Some(leader.as_raw_nonzero().get())
    };
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(Pid::from_raw)
        .filter(belongs)
        .collect()
}

/// Where there is no `/proc`, the group is all that is known.
#[cfg(not(target_os = "linux"))]
fn members(_leader: Pid) -> Vec<Pid> {
    Vec::new()
}
