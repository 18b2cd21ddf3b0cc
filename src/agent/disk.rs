//! Publishing on a file system: write invisibly, sync, rename.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::careful;
use crate::model::OnPath;

/// Writes `bytes` to `path` so that a reader, or a power cut, sees the old content or the new one
/// and nothing between: a new file beside it, fsync, rename(2), fsync of the folder.
///
/// # Errors
/// When any of these fails; the new file is gone then.
pub fn write_atomic(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    write(path, bytes, mode, true)
}

/// As [`write_atomic`], without the two fsync: a reader sees the old content or the new one; what
/// a power cut leaves is up to the next sync.
///
/// # Errors
/// As there.
pub fn write_unsynced(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    write(path, bytes, mode, false)
}

fn write(path: &Path, bytes: &[u8], mode: u32, synced: bool) -> io::Result<()> {
    let folder = path
        .parent()
        .ok_or_else(|| io::Error::other("no parent folder"))?;
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::other("no file name"))?;
    let temporary = folder.join(format!(".{}.{}", name.to_string_lossy(), unique()));
    let written = (|| {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&temporary)?;
        file.write_all(bytes)?;
        if !synced {
            return fs::rename(&temporary, path);
        }
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        sync_folder(folder)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(|error| named(error, path))
}

/// A new, empty file in place of what is at `path`, which only this user may read. Neither what was
/// there nor its mode is left.
///
/// # Errors
/// When it cannot be made.
pub fn create_private(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path),
    }
    .map_err(|error| named(error, path))
}

/// Writes `bytes` to such a file.
///
/// # Errors
/// As [`create_private`], and when it cannot be written.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let written = create_private(path)?.write_all(bytes);
    written.map_err(|error| named(error, path))
}

/// Writes `bytes` over the first ones of the file at `path`, in place and with fsync: that needs no
/// room. What lies in one sector (512 bytes) is never half-written.
///
/// # Errors
/// When there is no such file, or it cannot be written.
pub fn overwrite(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    let file = careful::open_with(path, File::options().write(true))?;
    let written = file.write_all_at(bytes, 0).and_then(|()| file.sync_data());
    written.map_err(|error| named(error, path))
}

/// What to do about [`unusable_mount`].
pub const REMOUNT: &str =
    "as root on the host: look at /etc/fstab and `dmesg`, or choose another root folder";

/// Why nothing can be deployed to `path`, or to where it will be made: its file system is mounted
/// read-only, or so that no program starts from it (mount(8) `ro`, `noexec`).
#[must_use]
pub fn unusable_mount(path: &Path) -> Option<String> {
    use rustix::fs::StatVfsMountFlags as Flags;
    let there = path.ancestors().find(|folder| folder.exists())?;
    let flags = rustix::fs::statvfs(there).ok()?.f_flag;
    let path = path.display();
    if flags.contains(Flags::RDONLY) {
        return Some(format!(
            "{path} is on a file system that is mounted read-only"
        ));
    }
    flags.contains(Flags::NOEXEC).then(|| {
        format!("{path} is on a file system that is mounted noexec: no program starts from it")
    })
}

/// Flushes the entries of a folder to the disk (fsync(2) on the folder).
///
/// # Errors
/// When it cannot be opened or synced.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Appends `line` and a newline to the file at `path`, with fsync. A last line that was cut, as by a
/// power cut, is ended first: it does not take the new one with it.
///
/// # Errors
/// When it is not a regular file, or cannot be written.
pub fn append_line(path: &Path, line: &str) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    let mut options = fs::OpenOptions::new();
    let options = options.create(true).append(true).read(true).mode(0o600);
    let mut file = careful::open_with(path, options)?;
    let length = file.metadata()?.len();
    let mut last = [b'\n'];
    if length > 0 {
        file.read_exact_at(&mut last, length - 1)?;
    }
    let ended = if last == *b"\n" { "" } else { "\n" };
    file.write_all(format!("{ended}{line}\n").as_bytes())?;
    file.sync_data()
}

/// Puts the path into an error's text.
#[must_use]
pub fn named(error: io::Error, path: &Path) -> io::Error {
    let path = path.display().to_string();
    io::Error::new(error.kind(), OnPath { path, error })
}

/// A word that no other call of any process on this machine returned: for temporary names.
#[must_use]
pub fn unique() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_nanos());
    format!(
        "{}-{nanos:x}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

/// Now, RFC 3339, UTC, whole seconds.
#[must_use]
pub fn now() -> String {
    let now = jiff::Timestamp::now();
    now.round(jiff::Unit::Second).unwrap_or(now).to_string()
}
