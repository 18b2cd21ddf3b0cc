//! The lock of one app on one host: a kernel `flock(2)`, so that death frees it; who holds it is
//! written beside it, for people.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, OFlags, flock};

use super::careful::{self, ReadError, Why};
use super::{Layout, disk};
use crate::model::OperationKind;
use crate::wire::Holder;

impl Holder {
    /// A holder whose note cannot be read, for that reason. All notes that cannot be read are equal:
    /// whether one holder follows another, they do not tell.
    fn unknown(why: &ReadError) -> Self {
        Self {
            what: OperationKind::Other("command".to_owned()),
            who: format!("somebody ({why})"),
            since: None,
            ci: None,
            doing: None,
            is_tidying: false,
        }
    }
}

/// The held lock; dropping it, or the death of this process, frees it. The file descriptor is
/// close-on-exec, so that no child keeps it alive.
#[derive(Debug)]
#[must_use]
pub struct Lock {
    _file: File,
    path: PathBuf,
    holder: Holder,
}

impl Lock {
    /// Takes the lock, or says `None` when somebody has it.
    ///
    /// # Errors
    /// When the lock file cannot be opened.
    pub fn take(layout: &Layout, holder: &Holder) -> io::Result<Option<Self>> {
        let file = open(layout)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let path = layout.state_file("holder.json");
        // For people, and worth nothing after a power cut. On a full disk it is not there, and a
        // recovery goes on without.
        let _ = disk::write_unsynced(&path, &serde_json::to_vec(holder)?, 0o600);
        Ok(Some(Self {
            _file: file,
            path,
            holder: holder.clone(),
        }))
    }

    /// Says what its holder is at right now, such as `activating v42`. It is a courtesy: where it
    /// cannot be written, what was said before stays.
    pub fn doing(&self, what: &str) {
        self.note(what, false);
    }

    /// Says that its holder has answered, and only cleans up behind itself.
    pub fn tidying(&self) {
        self.note("tidying up", true);
    }

    fn note(&self, doing: &str, is_tidying: bool) {
        let holder = Holder {
            doing: Some(doing.to_owned()),
            is_tidying,
            ..self.holder.clone()
        };
        let text = serde_json::to_vec(&holder).unwrap_or_default();
        let _ = disk::write_unsynced(&self.path, &text, 0o600);
    }

    /// Who holds the lock right now. A holder file without a held lock says nothing: its process
    /// died.
    ///
    /// # Errors
    /// When the lock file cannot be opened.
    pub fn holder(layout: &Layout) -> io::Result<Option<Holder>> {
        let file = match open_any(
            &layout.state_file("lock"),
            fs::OpenOptions::new().read(true),
        ) {
            Ok(file) => file,
            Err(error) if error.is_absent() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        match flock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(None),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let path = layout.state_file("holder.json");
                let told = careful::json(&path, careful::SMALL);
                Ok(Some(told.unwrap_or_else(|error| Holder::unknown(&error))))
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Takes the lock on the file at `path`, waiting for it for at most `limit`; it is free when the file
/// is dropped.
///
/// # Errors
/// When the file cannot be opened or locked, or another process has the lock for longer.
pub fn wait_for_file(path: &Path, limit: Duration) -> io::Result<File> {
    /// How often it is tried.
    const PAUSE: Duration = Duration::from_millis(20);
    let file = open_private(path)?;
    let end = Instant::now() + limit;
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < end => thread::sleep(PAUSE),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let text = format!(
                    "{} has been locked by another process for {} s",
                    path.display(),
                    limit.as_secs()
                );
                return Err(io::Error::new(io::ErrorKind::TimedOut, text));
            }
            Err(error) => return Err(disk::named(error.into(), path)),
        }
    }
}

fn open(layout: &Layout) -> io::Result<File> {
    open_private(&layout.state_file("lock"))
}

/// Opens a lock file that only its owner can open: flock(2) needs no more than a descriptor, and
/// whoever has one can hold up all others. An older ship made it readable for everyone.
pub(in crate::agent) fn open_private(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    let file = open_any(path, options.mode(0o600))?;
    let found = file.metadata().map_err(|error| disk::named(error, path))?;
    if found.mode() & 0o077 != 0 && found.uid() == rustix::process::geteuid().as_raw() {
        let mode = found.mode() & 0o700 | 0o600;
        let closed = file.set_permissions(fs::Permissions::from_mode(mode));
        closed.map_err(|error| disk::named(error, path))?;
    }
    Ok(file)
}

/// Opens what has the name of a lock file. A folder or a FIFO in its place serves as well, because
/// flock(2) locks any inode, and replacing it could take the lock from its holder. A lock file of this
/// user that nobody may open is opened up first.
fn open_any(path: &Path, options: &mut fs::OpenOptions) -> careful::Result<File> {
    let refused = match careful::open_with(path, options) {
        Err(error) if is_closed(&error, path) => {
            let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o600));
            careful::open_with(path, options)
        }
        opened => opened,
    };
    match refused {
        Err(error) if matches!(error.why(), Why::Kind(kind) if kind.is_dir() || kind.is_fifo()) => {
            let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
            let mut options = fs::OpenOptions::new();
            options.read(true).custom_flags(flags.bits().cast_signed());
            options.open(path).map_err(|_| error)
        }
        opened => opened,
    }
}

/// Whether a file of this user at `path`, not a link, may be opened by nobody.
fn is_closed(error: &ReadError, path: &Path) -> bool {
    let is_ours = |found: fs::Metadata| {
        !found.is_symlink() && found.uid() == rustix::process::geteuid().as_raw()
    };
    matches!(error.why(), Why::Io(error) if error.kind() == io::ErrorKind::PermissionDenied)
        && fs::symlink_metadata(path).is_ok_and(is_ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(who: &str) -> Holder {
        Holder {
            what: OperationKind::Deploy,
            who: who.into(),
            since: Some("now".into()),
            ci: None,
            doing: None,
            is_tidying: false,
        }
    }

    #[test]
    fn the_second_is_told_who_has_it_and_a_drop_frees_it() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path());
        fs::create_dir(layout.state()).unwrap();
        assert_eq!(Lock::holder(&layout).unwrap(), None);
        let lock = Lock::take(&layout, &holder("ann")).unwrap().unwrap();
        assert!(Lock::take(&layout, &holder("bob")).unwrap().is_none());
        assert_eq!(Lock::holder(&layout).unwrap(), Some(holder("ann")));
        lock.doing("activating v42");
        let told = Lock::holder(&layout).unwrap().unwrap();
        assert_eq!(
            (told.who.as_str(), told.doing.as_deref()),
            ("ann", Some("activating v42"))
        );
        drop(lock);
        // A process that another test is starting right now has the descriptor until its exec.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while Lock::take(&layout, &holder("bob")).unwrap().is_none() {
            assert!(std::time::Instant::now() < deadline, "the lock stays held");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_holder_whose_note_is_gone_is_not_taken_for_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path());
        fs::create_dir(layout.state()).unwrap();
        let lock = Lock::take(&layout, &holder("ann")).unwrap().unwrap();
        let told = Lock::holder(&layout).unwrap().unwrap();
        let note = layout.state_file("holder.json");
        fs::remove_file(&note).unwrap();
        let untold = Lock::holder(&layout).unwrap().unwrap();
        assert!(
            untold.who.contains("holder.json is not there"),
            "{untold:?}"
        );
        assert!(!told.is_followed_by(&untold) && !untold.is_followed_by(&told));
        let later = Holder {
            since: Some("later".to_owned()),
            ..holder("bob")
        };
        assert!(told.is_followed_by(&later));
        drop(lock);
    }

    #[test]
    fn whatever_has_the_name_of_the_lock_file_locks() {
        for make in [
            "mkdir lock",
            "mkfifo lock",
            "touch lock && chmod 0 lock",
            "printf '\\377\\376' > lock",
        ] {
            let folder = tempfile::tempdir().unwrap();
            let layout = Layout::at(folder.path());
            fs::create_dir(layout.state()).unwrap();
            let made = std::process::Command::new("sh")
                .args(["-c", make])
                .current_dir(layout.state())
                .status();
            assert!(made.unwrap().success(), "{make}");
            let lock = Lock::take(&layout, &holder("ann")).unwrap().expect(make);
            let second = Lock::take(&layout, &holder("bob")).unwrap();
            assert!(second.is_none(), "{make}");
            let told = Lock::holder(&layout).unwrap();
            assert_eq!(told, Some(holder("ann")), "{make}");
            drop(lock);
        }
        // A link could lead anywhere.
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path());
        fs::create_dir(layout.state()).unwrap();
        std::os::unix::fs::symlink("elsewhere", layout.state_file("lock")).unwrap();
        let error = Lock::take(&layout, &holder("ann")).unwrap_err().to_string();
        assert!(
            error.ends_with("/lock is a link, not a regular file"),
            "{error}"
        );
    }

    #[test]
    fn a_lock_that_stays_held_is_waited_for_up_to_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let _held = wait_for_file(&path, Duration::ZERO).unwrap();
        let error = wait_for_file(&path, Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(
            error
                .to_string()
                .contains("has been locked by another process")
        );
    }

    #[test]
    fn nobody_else_can_open_a_lock_file_not_even_one_of_an_older_ship() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path());
        fs::create_dir(layout.state()).unwrap();
        let paths = [layout.state_file("lock"), layout.state_file("tidy.lock")];
        fs::write(&paths[0], "").unwrap();
        fs::set_permissions(&paths[0], fs::Permissions::from_mode(0o666)).unwrap();
        drop(Lock::take(&layout, &holder("ann")).unwrap());
        drop(wait_for_file(&paths[1], Duration::ZERO).unwrap());
        for path in paths {
            assert_eq!(
                fs::metadata(&path).unwrap().mode() & 0o777,
                0o600,
                "{path:?}"
            );
        }
    }

    #[test]
    fn a_holder_file_without_a_lock_is_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path());
        fs::create_dir(layout.state()).unwrap();
        fs::write(layout.state_file("lock"), "").unwrap();
        fs::write(
            layout.state_file("holder.json"),
            serde_json::to_vec(&holder("ann")).unwrap(),
        )
        .unwrap();
        assert_eq!(Lock::holder(&layout).unwrap(), None);
    }
}
