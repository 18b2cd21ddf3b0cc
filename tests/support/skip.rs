//! A test that cannot run here says so, loudly, and is counted.

use super::command::attempt;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::thread;

const TOOLS: [&str; 10] = [
    "ip",
    "mkfs.ext4",
    "mmdebstrap",
    "mount",
    "nsenter",
    "perl",
    "setsid",
    "ssh",
    "ssh-keygen",
    "systemd-nspawn",
];

/// `Some` where real hosts can be made: root, the tools, the right to make
/// namespaces. Otherwise the test is skipped (see [`skip`]), or fails when
/// `SHIP_TEST_HOSTS=required`.
#[track_caller]
pub fn require_hosts() -> Option<()> {
    let Some(reason) = missing() else {
        return Some(());
    };
    assert!(
        std::env::var_os("SHIP_TEST_HOSTS").is_none_or(|wish| wish != "required"),
        "SHIP_TEST_HOSTS=required, but {reason}"
    );
    skip(&format!("real hosts: {reason}"));
    None
}

/// `Some` for root. Otherwise the test is skipped (see [`skip`]), for this reason.
pub fn require_root(reason: &str) -> Option<()> {
    if is_root() {
        return Some(());
    }
    skip(reason);
    None
}

/// Says that the test of this thread is skipped and why, past libtest's capture
/// of output, and appends `<test>: <reason>` to the file `$SHIP_TEST_SKIPS`.
pub fn skip(reason: &str) {
    let test = thread::current().name().unwrap_or("?").to_owned();
    // In one piece, so that no other thread's line gets into it.
    let line = format!("SKIPPED: {reason} ({test})\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(file) = std::env::var_os("SHIP_TEST_SKIPS") {
        let line = format!("{test}: {reason}\n");
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(file)
            .and_then(|mut file| file.write_all(line.as_bytes()))
            .expect("write to $SHIP_TEST_SKIPS");
    }
}

fn missing() -> Option<String> {
    if !is_root() {
        return Some("needs root".into());
    }
    let absent: Vec<_> = TOOLS.into_iter().filter(|tool| !on_path(tool)).collect();
    if !absent.is_empty() {
        return Some(format!("not installed: {}", absent.join(", ")));
    }
    if super::machine::cgroup_roots().is_empty() {
        return Some("no cgroup2 file system is mounted".into());
    }
    if !attempt("unshare", &["--mount", "--net", "--pid", "--fork", "true"]) {
        return Some("no right to make namespaces".into());
    }
    None
}

/// The effective uid, proc(5), `/proc/PID/status`.
fn is_root() -> bool {
    fs::read_to_string("/proc/self/status").is_ok_and(|status| {
        status
            .lines()
            .find_map(|line| line.strip_prefix("Uid:"))
            .and_then(|uids| uids.split_ascii_whitespace().nth(1))
            == Some("0")
    })
}

fn on_path(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| Path::new(&folder).join(tool).is_file())
}
