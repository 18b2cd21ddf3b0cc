//! Publishing on a file system: write invisibly, sync, rename.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

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

/// Writes `bytes` over the first ones of the file at `path`, in place and with fsync: that needs no
/// room. What lies in one sector (512 bytes) is never half-written.
///
/// # Errors
/// When there is no such file, or it cannot be written.
pub fn overwrite(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    let written = File::options().write(true).open(path).and_then(|file| {
        file.write_all_at(bytes, 0)?;
        file.sync_data()
    });
    written.map_err(|error| named(error, path))
}

/// Flushes the entries of a folder to the disk (fsync(2) on the folder).
///
/// # Errors
/// When it cannot be opened or synced.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Appends `line` and a newline to `path`, with fsync.
///
/// # Errors
/// When it cannot be written.
pub fn append_line(path: &Path, line: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(format!("{line}\n").as_bytes())?;
    file.sync_data()
}

/// Puts the path into an error's text.
#[must_use]
pub fn named(error: io::Error, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
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
