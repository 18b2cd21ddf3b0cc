//! Archives and unpacked runtimes of one user, shared by all projects:
//!
//! ```text
//! $XDG_CACHE_HOME/ship/runtimes/
//!   archives/<sha256>              whole and verified
//!   archives/<sha256>.part         on its way, or where an interrupted download stopped
//!   archives/<sha256>.lock         held (flock(2)) by whoever makes any of these, gone afterwards
//!   node-20.11.1-0123456789ab/     unpacked whole: it gets this name as the last thing
//!   node-20.11.1-0123456789ab.part/
//! ```
//!
//! All of it may be deleted while no command runs. Of a cache that cannot be written, what is
//! unpacked there can be used.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use super::download::{Wanted, download};
use super::http::Http;
use super::trouble;
use crate::artifact::archive::{self, Limits};
use crate::artifact::{Sha256Hasher, TreeError, remove_tree, sync_all, write_launchers};
use crate::model::event::{Event, Sink};
use crate::model::runtime::RuntimeArchive;
use crate::model::{Failure, FailureKind, Sha256};

/// How often a lock that another process holds is tried.
const LOOK: Duration = Duration::from_millis(50);
/// Least time between two events about the same download.
const CALM: Duration = Duration::from_millis(100);

/// The folder of runtimes.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
}

/// The right to make what one archive brings; ends when it is dropped, or with the process.
#[derive(Debug)]
struct Held {
    #[expect(dead_code, reason = "an open file holds the lock")]
    file: File,
    path: PathBuf,
}

impl Drop for Held {
    fn drop(&mut self) {
        // Under the lock: whoever waits for this file sees that it has no name any more.
        let _ = fs::remove_file(&self.path);
    }
}

impl Cache {
    /// The one in the user's cache folder of ship, `user`. Nothing is made yet.
    ///
    /// # Errors
    /// When the user has no such folder.
    pub fn below(user: Option<&Path>) -> Result<Self, Failure> {
        match user {
            Some(user) => Ok(Self {
                folder: user.join("runtimes"),
            }),
            None => Err(Failure::refused(
                "there is no place to keep runtimes: neither XDG_CACHE_HOME nor \
                                  HOME is an absolute path",
            )
            .hint("set one of them")),
        }
    }

    /// Where the runtime that unpacks to `name` is, if it is there: one stat(2).
    #[must_use]
    pub fn unpacked(&self, name: &str) -> Option<PathBuf> {
        let path = self.folder.join(name);
        path.is_dir().then_some(path)
    }

    /// The archive of `wanted`, whole and verified; downloaded when it is not there. Of several
    /// processes that want it at once, one downloads it.
    ///
    /// # Errors
    /// As [`download`], and [`FailureKind::Refused`] when the cache cannot be written.
    pub(super) async fn archive(
        &self,
        http: &Http,
        wanted: &Wanted,
        sink: &Sink,
    ) -> Result<PathBuf, Failure> {
        let path = self.path(&wanted.sha256, "");
        if verify(path.clone(), wanted).await? {
            return Ok(path);
        }
        let _held = self.hold(&wanted.what, &wanted.sha256, sink).await?;
        self.archive_held(http, wanted, sink).await?;
        Ok(path)
    }

    /// Unpacks `wanted` to the folder `name`, and downloads it when it is not there. `starts` looks
    /// at the unpacked folder before it gets its name.
    ///
    /// # Errors
    /// As [`archive`](Self::archive), what unpacking finds wrong ([`FailureKind::Refused`]), and
    /// what `starts` says. No folder of that name is there then.
    pub(super) async fn unpack(
        &self,
        http: &Http,
        wanted: &Wanted,
        (name, archive): (&str, &RuntimeArchive),
        starts: impl FnOnce(&Path) -> Result<(), Failure> + Send + 'static,
        sink: &Sink,
    ) -> Result<PathBuf, Failure> {
        let held = self.hold(&wanted.what, &wanted.sha256, sink).await?;
        if let Some(path) = self.unpacked(name) {
            return Ok(path);
        }
        self.archive_held(http, wanted, sink).await?;
        let waiting = Wait::begin(sink, format!("unpacking {}", wanted.what));
        let work = Unpacking {
            what: wanted.what.clone(),
            packed: self.path(&wanted.sha256, ""),
            archive: archive.clone(),
            part: self.folder.join(format!("{name}.part")),
            path: self.folder.join(name),
        };
        let path = work.path.clone();
        // The lock goes along: whoever asked may be gone before this is done.
        blocking(move || {
            let _held = held;
            work.run(starts)
        })
        .await?;
        waiting.end(None);
        Ok(path)
    }

    /// The folder `name`, when the file `part` is in it.
    #[must_use]
    pub fn whole(&self, name: &str, part: &str) -> Option<PathBuf> {
        self.unpacked(name).filter(|path| path.join(part).exists())
    }

    /// Makes the folder `name` of `what` by `work`, which fills a folder beside it; nothing where
    /// the file `part` is in it already. Of several processes that want it at once, one makes it;
    /// `key` names it among all.
    ///
    /// # Errors
    /// What `work` says, and [`FailureKind::Refused`] when the cache cannot be written.
    pub(super) async fn make<W: Future<Output = Result<(), Failure>>>(
        &self,
        (name, what, part): (&str, &str, &str),
        key: &Sha256,
        work: impl FnOnce(PathBuf) -> W,
        sink: &Sink,
    ) -> Result<PathBuf, Failure> {
        let _held = self.hold(what, key, sink).await?;
        if let Some(path) = self.whole(name, part) {
            return Ok(path);
        }
        let (made, path) = (
            self.folder.join(format!("{name}.part")),
            self.folder.join(name),
        );
        let unusable = |error: TreeError| {
            let kind = error.io_kind().unwrap_or(std::io::ErrorKind::Other);
            let error = std::io::Error::new(kind, error.to_string());
            trouble::cache("write", &path, &error)
        };
        // What a command that was killed has left, and what is not whole any more.
        remove_tree(&made)
            .and_then(|()| remove_tree(&path))
            .map_err(unusable)?;
        fs::create_dir_all(&made).map_err(|error| trouble::cache("write", &made, &error))?;
        if let Err(failure) = work(made.clone()).await {
            let _ = remove_tree(&made);
            return Err(failure);
        }
        sync_all(&made).map_err(unusable)?;
        fs::rename(&made, &path).map_err(|error| trouble::cache("write", &path, &error))?;
        Ok(path)
    }

    fn path(&self, sha256: &Sha256, extension: &str) -> PathBuf {
        self.folder.join(format!("archives/{sha256}{extension}"))
    }

    /// Waits for the right to make what this archive brings.
    async fn hold(&self, what: &str, sha256: &Sha256, sink: &Sink) -> Result<Held, Failure> {
        let folder = self.folder.join("archives");
        fs::create_dir_all(&folder)
            .map_err(|error| trouble::cache("make the cache folder", &folder, &error))?;
        let path = self.path(sha256, ".lock");
        let failed = |error: std::io::Error| trouble::cache("lock", &path, &error);
        let mut waiting = None;
        let file = loop {
            if let Some(file) = try_lock(&path).map_err(failed)? {
                break file;
            }
            waiting.get_or_insert_with(|| {
                let text = format!("another command fetches {what}; waiting for it");
                sink.emit(Event::Note { text });
                Wait::begin(sink, format!("waiting for {what}"))
            });
            tokio::time::sleep(LOOK).await;
        };
        if let Some(waiting) = waiting {
            waiting.end(None);
        }
        Ok(Held { file, path })
    }

    /// Sees to it that the archive is there, under the lock.
    async fn archive_held(&self, http: &Http, wanted: &Wanted, sink: &Sink) -> Result<(), Failure> {
        let (path, part) = (
            self.path(&wanted.sha256, ""),
            self.path(&wanted.sha256, ".part"),
        );
        if verify(path.clone(), wanted).await? {
            return Ok(());
        }
        let waiting = Wait::begin(sink, format!("fetching {}", wanted.what));
        let told = std::sync::Mutex::new(None::<Instant>);
        let seen = |done: u64| {
            let Ok(mut told) = told.lock() else { return };
            if told.is_some_and(|at| at.elapsed() < CALM) {
                return;
            }
            *told = Some(Instant::now());
            waiting.seen(done, wanted.size);
        };
        download(http, wanted, &part, &seen).await?;
        fs::rename(&part, &path).map_err(|error| trouble::cache("write", &path, &error))?;
        waiting.end(Some(wanted.size));
        Ok(())
    }
}

/// The lock file at `path`, locked; `None` while another process has it.
fn try_lock(path: &Path) -> std::io::Result<Option<File>> {
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
    loop {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            // Whoever had it has removed it meanwhile: a lock on it keeps nobody out.
            Ok(()) if file.metadata()?.nlink() == 0 => {}
            Ok(()) => return Ok(Some(file)),
            Err(Errno::WOULDBLOCK) => return Ok(None),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Whether the archive at `path` is there and is what is wanted. A damaged one is removed; one that
/// is whole, of another length than is wanted, shows that the lock is wrong.
async fn verify(path: PathBuf, wanted: &Wanted) -> Result<bool, Failure> {
    if !fs::metadata(&path).is_ok_and(|about| about.is_file()) {
        return Ok(false);
    }
    let Wanted {
        what, sha256, size, ..
    } = wanted.clone();
    blocking(move || {
        match Sha256Hasher::of_file(&path) {
            Ok((found, length)) if found == sha256 && length == size => return Ok(true),
            Ok((found, length)) if found == sha256 => {
                let message = format!(
                    "the archive with the checksum of {what} is {length} bytes long; ship.lock \
                     says {size}"
                );
                let hint = format!("an edited ship.lock; {}", trouble::ask_again(&what));
                return Err(Failure::refused(message).hint(hint));
            }
            _ => {}
        }
        fs::remove_file(&path).map_err(|error| trouble::cache("remove", &path, &error))?;
        Ok(false)
    })
    .await
}

/// An archive on its way into a folder.
struct Unpacking {
    what: String,
    packed: PathBuf,
    archive: RuntimeArchive,
    part: PathBuf,
    path: PathBuf,
}

impl Unpacking {
    fn run(self, starts: impl FnOnce(&Path) -> Result<(), Failure>) -> Result<(), Failure> {
        // What a command that was killed has left.
        remove_tree(&self.part).map_err(|error| self.failure(&error))?;
        let made = self.make(starts);
        if made.is_err() {
            // What went wrong first is what is said.
            let _ = remove_tree(&self.part);
        }
        made
    }

    fn make(&self, starts: impl FnOnce(&Path) -> Result<(), Failure>) -> Result<(), Failure> {
        let RuntimeArchive { format, strip, .. } = self.archive;
        archive::unpack(&self.packed, format, strip, &self.part, Limits::default())
            .and_then(|()| write_launchers(&self.part, &self.archive))
            .map_err(|error| self.failure(&error))?;
        self.check()?;
        starts(&self.part)?;
        // The name promises that it is whole, also after a power cut.
        sync_all(&self.part).map_err(|error| self.failure(&error))?;
        fs::rename(&self.part, &self.path)
            .map_err(|error| trouble::cache("write", &self.path, &error))
    }

    /// Whether what was unpacked has the folders of a runtime.
    fn check(&self) -> Result<(), Failure> {
        for bin in &self.archive.bin {
            if !self.part.join(bin).is_dir() {
                let message = format!("the archive of {} has no folder `{bin}`", self.what);
                return Err(Failure::refused(message).hint(format!(
                    "it is the one that ship.lock names; {}",
                    trouble::ask_again(&self.what)
                )));
            }
        }
        Ok(())
    }

    fn failure(&self, error: &TreeError) -> Failure {
        match error.io_kind() {
            Some(kind) => trouble::cache(
                &format!("unpack {} into", self.what),
                &self.path,
                &std::io::Error::new(kind, error.to_string()),
            ),
            None => Failure::refused(format!("the archive of {} is refused: {error}", self.what))
                .hint("it is the one that ship.lock names: tell its publisher"),
        }
    }
}

/// A wait of this machine, as events tell it.
pub(super) struct Wait<'a> {
    sink: &'a Sink,
    text: String,
    begun: Instant,
}

impl<'a> Wait<'a> {
    pub(super) fn begin(sink: &'a Sink, text: String) -> Self {
        let wait = Self {
            sink,
            text,
            begun: Instant::now(),
        };
        wait.emit(None, None);
        wait
    }

    fn seen(&self, done: u64, total: u64) {
        self.emit(Some(done), Some(total));
    }

    fn emit(&self, done: Option<u64>, total: Option<u64>) {
        let text = self.text.clone();
        self.sink.emit(Event::Waiting { text, done, total });
    }

    pub(super) fn end(&self, bytes: Option<u64>) {
        self.sink.emit(Event::Waited {
            text: self.text.clone(),
            bytes,
            ms: u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
    }
}

/// Runs what reads and writes much on a thread of its own.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Failure::new(FailureKind::Unexpected, error.to_string())))
}
