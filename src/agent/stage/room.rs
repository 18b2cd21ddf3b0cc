//! Whether there is room for a release.

use std::io;
use std::path::Path;

use crate::agent::host::Host;
use crate::agent::{spare, tidy};
use crate::artifact::Assembly;
use crate::model::{Cause, Failure, FailureKind};

/// Bytes that stay free beside what a release needs: headroom for a rollback's logs and journal.
const HEADROOM: u64 = 16 << 20;

/// What to do when a disk is full.
const HINT: &str = "free some space, or lower `release.keep`";

/// Inodes that stay free.
const INODE_HEADROOM: u64 = 200;

/// What something takes of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Room {
    /// Bytes.
    pub bytes: u64,
    /// Files, folders and links.
    pub inodes: u64,
}

/// Refuses before anything is written when the file system has no room for the tree that is planned
/// and `beside` it, after removing what can be done without.
pub(super) fn make_room(host: &Host, plan: &Assembly, beside: Room) -> Result<(), Failure> {
    let root = host.layout.root();
    let bytes = plan.missing_bytes().saturating_add(beside.bytes);
    let inodes = plan.inodes().saturating_add(beside.inodes);
    let check = || check_room(root, bytes, inodes);
    check().or_else(|_| {
        spare::remove(&host.layout);
        tidy::empty_trash(&host.layout);
        check()
    })
}

/// Refuses when the file system of `root` has no room.
fn check_room(root: &Path, bytes: u64, entries: u64) -> Result<(), Failure> {
    let found = rustix::fs::statvfs(root).map_err(io::Error::from)?;
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let room = |what: String, has: String| {
        Failure::from(Cause::NoRoom {
            place: root.display().to_string(),
            needed: what,
            free: has,
        })
        .hint(HINT)
    };
    if bytes.saturating_add(HEADROOM) > free {
        return Err(room(
            format!(
                "{} MB and {} MB headroom",
                bytes.div_ceil(1_000_000),
                HEADROOM / 1_000_000
            ),
            format!("{} MB are", free / 1_000_000),
        ));
    }
    // File systems without a fixed number of inodes (btrfs) report none at all.
    if found.f_files > 0 && entries.saturating_add(INODE_HEADROOM) > found.f_favail {
        return Err(room(
            format!("{} inodes", entries + INODE_HEADROOM),
            format!("{} inodes are", found.f_favail),
        ));
    }
    Ok(())
}

pub(super) fn refused(error: crate::artifact::TreeError) -> Failure {
    or_full(error.into())
}

/// While a release is staged a full disk is a refusal (nothing changed), whatever could not be
/// written.
#[must_use]
pub fn or_full(failure: Failure) -> Failure {
    if failure.kind == FailureKind::Unexpected && failure.cause.is_full() {
        let why = failure.message();
        return Failure::from(Cause::Full { why }).hint(HINT);
    }
    failure
}
