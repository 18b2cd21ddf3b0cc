//! What `systemctl show` says about a unit (org.freedesktop.systemd1(5)).

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use super::{ServiceState, ServiceStatus, exit};

/// The properties that [`status`] reads, as `systemctl show --property` takes them.
pub const PROPERTIES: &str = "LoadState,ActiveState,SubState,MainPID,InvocationID,NRestarts,\
     ExecMainCode,ExecMainStatus,ExecMainStartTimestampMonotonic,Result,ConditionResult,\
     ConditionTimestampMonotonic,MemoryCurrent,ControlGroup";

/// The `KEY=value` blocks of several units, one map each, in the order they were asked for.
#[must_use]
pub fn blocks(text: &str) -> Vec<HashMap<&str, &str>> {
    text.split("\n\n")
        .map(|block| {
            block
                .lines()
                .filter_map(|line| line.split_once('='))
                .collect()
        })
        .filter(|block: &HashMap<_, _>| !block.is_empty())
        .collect()
}

/// The status that the properties of a unit amount to; `now_us` is the monotonic clock,
/// microseconds.
#[must_use]
pub fn status(unit: &HashMap<&str, &str>, now_us: u64) -> ServiceStatus {
    let get = |key: &str| unit.get(key).copied().unwrap_or_default();
    let state = state(get("LoadState"), get("ActiveState"), get("SubState"));
    let main_pid = get("MainPID").parse().ok().filter(|pid| *pid != 0);
    let started: u64 = get("ExecMainStartTimestampMonotonic").parse().unwrap_or(0);
    let pids = pids(get("ControlGroup"));
    // 2^64-1 and `[not set]` both mean that systemd does not count it, as for many users.
    let memory = get("MemoryCurrent").parse().ok().filter(|n| *n != u64::MAX);
    ServiceStatus {
        state,
        main_pid,
        invocation: Some(get("InvocationID").to_owned()).filter(|id| !id.is_empty()),
        restarts: get("NRestarts").parse().unwrap_or(0),
        uptime_ms: main_pid.map(|_| now_us.saturating_sub(started) / 1000),
        last_exit: last_exit(unit, state),
        memory: memory.or_else(|| memory_of(&pids)),
        pids,
    }
}

fn state(load: &str, active: &str, sub: &str) -> ServiceState {
    match (load, active) {
        ("not-found", _) => ServiceState::Missing,
        // `auto-restart-queued` is newer than `auto-restart`.
        (_, "activating") if sub.starts_with("auto-restart") => ServiceState::Restarting,
        (_, "activating") => ServiceState::Starting,
        (_, "active" | "reloading" | "refreshing") => ServiceState::Running,
        (_, "deactivating") => ServiceState::Stopping,
        (_, "failed") => ServiceState::Failed,
        _ => ServiceState::Stopped,
    }
}

/// How the last main process ended. While one runs, systemd does not remember the one before.
fn last_exit(unit: &HashMap<&str, &str>, state: ServiceState) -> Option<String> {
    let get = |key: &str| unit.get(key).copied().unwrap_or_default();
    match get("LoadState") {
        "masked" => return Some("the unit is masked".to_owned()),
        "bad-setting" | "error" => return Some("the unit file is not valid".to_owned()),
        _ => {}
    }
    if state == ServiceState::Stopped
        && get("ConditionResult") == "no"
        && get("ConditionTimestampMonotonic") != "0"
    {
        return Some("not started: the live release has no launcher for it".to_owned());
    }
    if get("Result") == "oom-kill" {
        return Some("killed: out of memory".to_owned());
    }
    let number = get("ExecMainStatus").parse().ok()?;
    // waitid(2): CLD_EXITED, CLD_KILLED, CLD_DUMPED.
    let ended = match get("ExecMainCode") {
        "1" => exit::with_code(number),
        "2" => exit::by_signal(number),
        "3" => format!("{}, core dumped", exit::by_signal(number)),
        _ => return None,
    };
    Some(match get("Result") {
        "timeout" => format!("{ended}, after a timeout of systemd's"),
        "watchdog" => format!("{ended}, after its watchdog went off"),
        "protocol" => format!("{ended}, without having said READY=1"),
        _ => ended,
    })
}

/// Resident memory of these processes together, bytes; `None` where that is not known.
#[must_use]
pub fn memory_of(pids: &[u32]) -> Option<u64> {
    let of = |pid: &u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
        Some(kib * 1024)
    };
    let known: Vec<u64> = pids.iter().filter_map(of).collect();
    (!known.is_empty()).then(|| known.iter().sum())
}

/// The processes of a control group and of those below it, in the unified hierarchy or in
/// systemd's own of version 1 (cgroups(7)).
fn pids(group: &str) -> Vec<u32> {
    let Some(group) = group.strip_prefix('/').filter(|group| !group.is_empty()) else {
        return Vec::new();
    };
    let mounts = ["", "unified", "systemd"].map(|mount| Path::new("/sys/fs/cgroup").join(mount));
    let mut found = Vec::new();
    let folder = mounts
        .iter()
        .map(|mount| mount.join(group))
        .find(|folder| folder.join("cgroup.procs").is_file());
    if let Some(folder) = folder {
        collect(&folder, &mut found);
    }
    found
}

fn collect(folder: &Path, found: &mut Vec<u32>) {
    let own = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    // 0 stands for a process that cannot be seen from here.
    let pids = own.lines().filter_map(|pid| pid.parse::<u32>().ok());
    found.extend(pids.filter(|pid| *pid != 0));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&entry.path(), found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNNING: &str = "LoadState=loaded\nActiveState=active\nSubState=running\nMainPID=4711\n\
         InvocationID=0af1\nNRestarts=2\nExecMainCode=0\nExecMainStatus=0\nResult=success\n\
         ExecMainStartTimestampMonotonic=5000000\nMemoryCurrent=[not set]\nControlGroup=\n";

    fn read(text: &str) -> ServiceStatus {
        status(&blocks(text)[0], 7_500_000)
    }

    #[test]
    fn a_running_service() {
        let expected = ServiceStatus {
            state: ServiceState::Running,
            main_pid: Some(4711),
            invocation: Some("0af1".to_owned()),
            restarts: 2,
            uptime_ms: Some(2500),
            ..ServiceStatus::default()
        };
        assert_eq!(read(RUNNING), expected);
        assert_eq!(blocks(&format!("{RUNNING}\n{RUNNING}")).len(), 2);
    }

    #[test]
    fn a_service_that_ended() {
        for (lines, state, last_exit) in [
            (
                "ActiveState=activating\nSubState=auto-restart\nExecMainCode=1\nExecMainStatus=1\n",
                ServiceState::Restarting,
                "exit code 1",
            ),
            (
                "ActiveState=failed\nExecMainCode=2\nExecMainStatus=9\nResult=oom-kill\n",
                ServiceState::Failed,
                "killed: out of memory",
            ),
            (
                "ActiveState=failed\nExecMainCode=3\nExecMainStatus=11\nResult=core-dump\n",
                ServiceState::Failed,
                "killed by signal 11 (SIGSEGV), core dumped",
            ),
            (
                "ActiveState=inactive\nConditionResult=no\nConditionTimestampMonotonic=5\n",
                ServiceState::Stopped,
                "not started: the live release has no launcher for it",
            ),
        ] {
            let status = read(&format!("LoadState=loaded\n{lines}"));
            assert_eq!(
                (status.state, status.last_exit.as_deref()),
                (state, Some(last_exit))
            );
        }
        let missing = read("LoadState=not-found\nActiveState=inactive\nSubState=dead\n");
        assert_eq!(missing, ServiceStatus::default());
    }
}
