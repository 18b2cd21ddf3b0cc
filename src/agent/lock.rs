//! The lock of one app on one host: a kernel `flock(2)`, so that death frees it; who holds it is
//! written beside it, for people.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::{Layout, disk};
use crate::wire::Holder;

/// What the holder is at when it has answered, and only cleans up behind itself.
pub const TIDYING: &str = "tidying up";

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
        let _ = disk::write_unsynced(&path, &serde_json::to_vec(holder)?, 0o644);
        Ok(Some(Self {
            _file: file,
            path,
            holder: holder.clone(),
        }))
    }

    /// Says what its holder is at right now, such as `activating v42`. It is a courtesy: where it
    /// cannot be written, what was said before stays.
    pub fn doing(&self, what: &str) {
        let holder = Holder {
            doing: Some(what.to_owned()),
            ..self.holder.clone()
        };
        let text = serde_json::to_vec(&holder).unwrap_or_default();
        let _ = disk::write_unsynced(&self.path, &text, 0o644);
    }

    /// Who holds the lock right now. A holder file without a held lock says nothing: its process
    /// died.
    ///
    /// # Errors
    /// When the lock file cannot be opened.
    pub fn holder(layout: &Layout) -> io::Result<Option<Holder>> {
        let file = match fs::File::open(layout.state_file("lock")) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match flock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(None),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let text = fs::read(layout.state_file("holder.json")).unwrap_or_default();
                Ok(Some(serde_json::from_slice(&text).unwrap_or_else(|_| {
                    Holder {
                        what: "something".to_owned(),
                        who: "somebody".to_owned(),
                        since: disk::now(),
                        ci: None,
                        doing: None,
                    }
                })))
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

/// Takes the lock on the file at `path`, waiting for it; it is free when the file is dropped.
///
/// # Errors
/// When the file cannot be opened or locked.
pub fn wait_for_file(path: &Path) -> io::Result<File> {
    let file = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|error| disk::named(error, path))?;
    flock(&file, FlockOperation::LockExclusive)?;
    Ok(file)
}

fn open(layout: &Layout) -> io::Result<File> {
    let path = layout.state_file("lock");
    fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)
        .map_err(|error| disk::named(error, &path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(who: &str) -> Holder {
        Holder {
            what: "deploy".into(),
            who: who.into(),
            since: "now".into(),
            ci: None,
            doing: None,
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
