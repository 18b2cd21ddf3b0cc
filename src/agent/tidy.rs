//! What is done on a host after a transaction, when nobody waits: what was pruned is removed piece
//! by piece, and the spare for the next deploy is made. A process of its own, at low priority.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::lock;
use super::{Layout, reserve, runtimes, spare};
use crate::artifact::remove_tree;

/// How long the tidying after the transaction before may take: a large tree on a busy disk.
const WAITING: Duration = Duration::from_secs(3600);

/// Starts the tidying of the app at `layout` and does not wait for it. Where it cannot be
/// started the next transaction's does it.
pub fn start(layout: &Layout) {
    use std::os::unix::process::CommandExt;
    let Ok(exe) = std::env::current_exe() else {
        return;
    };
    let _ = Command::new(exe)
        .args(["agent", "tidy"])
        .arg(layout.root())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn();
}

/// Tidies the app at `root`; one after the other when there are two.
///
/// # Errors
/// When the lock file cannot be opened.
pub fn run(root: &Path) -> io::Result<()> {
    let _ = rustix::process::setsid();
    // Whoever waits comes first: nice(2).
    let _ = rustix::process::nice(19);
    let layout = Layout::at(root);
    let _lock = lock::wait_for_file(&layout.state_file("tidy.lock"), WAITING)?;
    spare::clean(&layout);
    spare::make(&layout);
    empty_trash(&layout);
    reserve::make(&layout);
    Ok(())
}

/// Removes for good what was pruned.
pub fn empty_trash(layout: &Layout) {
    runtimes::remove_gone(layout);
    let Ok(entries) = fs::read_dir(layout.state_file("trash")) else {
        return;
    };
    for entry in entries.flatten() {
        let _ = remove_tree(&entry.path());
    }
}
