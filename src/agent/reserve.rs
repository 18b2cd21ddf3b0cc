//! Room that is set aside on the app's disk: on a full one it is given back, so that a rollback has
//! the few inodes and blocks that its links, its journal and its line of the history take.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use super::{Layout, spare, stage, tidy};

/// How many files are set aside, each an inode.
const FILES: usize = 8;

/// The size of each, bytes.
const SIZE: usize = 16 << 10;

/// A switch with less than this free has too little room, bytes.
const LITTLE_SPACE: u64 = 1 << 20;

/// A switch with fewer free inodes than this has too little room.
const FEW_INODES: u64 = 32;

/// Sets the room aside, unless it is already. Where there is none, there is nothing to set aside.
pub fn make(layout: &Layout) {
    let folder = layout.state_file("reserve");
    // Not its parents: the tidying after a deploy must not bring back an app that was removed.
    let made = fs::create_dir(&folder);
    if made.is_err_and(|error| error.kind() != std::io::ErrorKind::AlreadyExists) {
        return;
    }
    for number in 0..FILES {
        let path = folder.join(number.to_string());
        let made = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path);
        // Bytes, as a hole takes no room.
        let written = made.and_then(|mut file| file.write_all(&vec![b'.'; SIZE]));
        if written.is_err_and(|error| error.kind() != std::io::ErrorKind::AlreadyExists) {
            return;
        }
    }
}

/// Makes room for a switch where there is little: the spare, interrupted transfers and what was pruned
/// go, and then what was set aside. Call it under the lock.
pub fn give(layout: &Layout) {
    if !is_little(layout) {
        return;
    }
    spare::remove(layout);
    stage::give_up(layout);
    tidy::empty_trash(layout);
    if is_little(layout) {
        let _ = fs::remove_dir_all(layout.state_file("reserve"));
    }
}

fn is_little(layout: &Layout) -> bool {
    rustix::fs::statvfs(layout.root()).is_ok_and(|disk| {
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        // Some file systems make inodes as they are needed, and count none.
        free < LITTLE_SPACE || (disk.f_files > 0 && disk.f_favail < FEW_INODES)
    })
}
