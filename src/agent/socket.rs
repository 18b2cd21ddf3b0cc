//! Unix sockets in an app's state folder. `sun_path` holds about 100 bytes (unix(7)), a root folder
//! may be longer: then the socket is named through a shorter path to its folder.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// What fits in `sun_path` everywhere, with its terminator, bytes (macOS has 104, Linux 108).
const LONGEST: usize = 100;

/// Listens at `name` in `folder`, for this user alone. The caller holds the lock that goes with it:
/// a socket that is there already is a dead process's.
///
/// # Errors
/// Those of bind(2).
pub fn bind(folder: &Path, name: &str) -> io::Result<UnixListener> {
    use std::os::unix::fs::PermissionsExt;
    remove(folder, name);
    let listener = with_short_path(folder, name, |path| UnixListener::bind(path))?;
    // Until here the umask lets nobody else write to it, which is what connecting needs.
    std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Connects to whoever listens at `name` in `folder`.
///
/// # Errors
/// Those of connect(2): `NotFound` or `ConnectionRefused` where nobody does.
pub fn connect(folder: &Path, name: &str) -> io::Result<UnixStream> {
    with_short_path(folder, name, |path| UnixStream::connect(path))
}

/// Removes the socket of a process that ends, or what somebody put in its place.
pub fn remove(folder: &Path, name: &str) {
    let path = folder.join(name);
    let found = std::fs::symlink_metadata(&path);
    let _ = match found.is_ok_and(|found| found.is_dir()) {
        true => {
            let trash = folder.join("trash");
            let _ = std::fs::create_dir(&trash);
            std::fs::rename(path, trash.join(super::disk::unique()))
        }
        false => std::fs::remove_file(path),
    };
}

/// The device and inode of the socket at `name` in `folder`; `None` when there is no socket, or its
/// owner may not connect to it.
#[must_use]
pub fn inode(folder: &Path, name: &str) -> Option<(u64, u64)> {
    let found = std::fs::symlink_metadata(folder.join(name)).ok()?;
    let is_open = found.file_type().is_socket() && found.mode() & 0o600 == 0o600;
    is_open.then(|| (found.dev(), found.ino()))
}

/// Whether something else than a socket that its owner may use is at `name` in `folder`.
#[must_use]
pub fn is_spoiled(folder: &Path, name: &str) -> bool {
    std::fs::symlink_metadata(folder.join(name)).is_ok() && inode(folder, name).is_none()
}

fn with_short_path<T>(
    folder: &Path,
    name: &str,
    run: impl Fn(&Path) -> io::Result<T>,
) -> io::Result<T> {
    let path = folder.join(name);
    if path.as_os_str().len() <= LONGEST {
        return run(&path);
    }
    let opened = File::open(folder)?;
    let through_proc = PathBuf::from(format!("/proc/self/fd/{}", opened.as_raw_fd()));
    if through_proc.exists() {
        return run(&through_proc.join(name));
    }
    let temp = tempfile::tempdir()?;
    let link = temp.path().join("d");
    std::os::unix::fs::symlink(folder, &link)?;
    run(&link.join(name))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_long_root_is_no_obstacle() {
        let temp = tempfile::tempdir().unwrap();
        for folder in [
            temp.path().join("short"),
            temp.path().join("long/".repeat(40)),
        ] {
            std::fs::create_dir_all(&folder).unwrap();
            assert_eq!(
                connect(&folder, "a.sock").unwrap_err().kind(),
                io::ErrorKind::NotFound
            );
            let listener = bind(&folder, "a.sock").unwrap();
            connect(&folder, "a.sock").unwrap();
            drop(listener);
            // A child that another test is starting has the listener until its exec.
            let deadline = Instant::now() + Duration::from_secs(10);
            let refused = loop {
                match connect(&folder, "a.sock") {
                    Ok(_) => assert!(Instant::now() < deadline, "it still listens"),
                    Err(error) => break error,
                }
            };
            assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
            bind(&folder, "a.sock").unwrap();
        }
    }
}
