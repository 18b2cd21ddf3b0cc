//! An archive from its address into a file: resumed, and verified while it comes.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::http::{ATTEMPTS, Body, Http, NOT_HAD, is_html, pause, shown};
use super::trouble::{self, Trouble};
use crate::artifact::Sha256Hasher;
use crate::model::{Failure, FailureKind, Sha256};

/// An archive as `ship.lock` names it.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// For messages: `node 20.11.1`.
    pub what: String,
    /// Where it is.
    pub address: String,
    /// What it must be.
    pub sha256: Sha256,
    /// How long it must be, bytes.
    pub size: u64,
}

/// Downloads `wanted` into the file `part`, going on with what is there already, and tells `seen`
/// how many bytes there are. Nobody else may write to `part` meanwhile.
///
/// # Errors
/// [`FailureKind::Unreachable`] when it cannot be had: `part` stays, the next download goes on with
/// it. [`FailureKind::Refused`] when what comes is not what was locked (its sum, its length, a page
/// instead) or cannot be kept: nothing stays then.
pub(super) async fn download(
    http: &Http,
    wanted: &Wanted,
    part: &Path,
    seen: &(dyn Fn(u64) + Send + Sync),
) -> Result<(), Failure> {
    let mut part = Part::open(part, wanted.size)?;
    let mut resumed = part.length > 0;
    let mut furthest = part.length;
    let mut attempts = 0;
    loop {
        match fetch(http, wanted, &mut part, seen).await {
            Ok(()) if part.sum() == wanted.sha256 => return part.finish(),
            // What was there before may be what is wrong.
            Ok(()) if resumed => {
                resumed = false;
                part.restart()?;
            }
            Ok(()) => {
                let failure = wrong_sum(wanted, part.sum());
                return Err(part.discard(failure));
            }
            Err(trouble) if trouble.again => {
                if part.length > furthest {
                    (furthest, attempts) = (part.length, 0);
                }
                attempts += 1;
                if attempts >= ATTEMPTS {
                    return Err(part.leave(trouble.failure));
                }
                pause(attempts).await;
            }
            Err(trouble) if trouble.failure.kind == FailureKind::Refused => {
                return Err(part.discard(trouble.failure));
            }
            Err(trouble) => return Err(part.leave(trouble.failure)),
        }
    }
}

/// Takes what is missing, in one go.
async fn fetch(
    http: &Http,
    wanted: &Wanted,
    part: &mut Part,
    seen: &(dyn Fn(u64) + Send + Sync),
) -> Result<(), Trouble> {
    seen(part.length);
    if part.length == wanted.size {
        return Ok(());
    }
    let mut body = http.open(&wanted.address, part.length).await?;
    if body.from != part.length {
        part.restart()?;
    }
    let length = check_length(wanted, &body);
    let mut begun = part.length > 0;
    loop {
        let more = body
            .next(&mut |bytes| {
                if !begun && is_html(bytes) {
                    return Err(trouble::page(&wanted.address));
                }
                begun = true;
                length.clone()?;
                part.take(bytes, wanted)?;
                seen(part.length);
                Ok(())
            })
            .await;
        match more {
            Ok(true) => {}
            Ok(false) => break,
            Err(trouble) if trouble.again && part.length > 0 => {
                return Err(stopped(
                    wanted,
                    part.length,
                    Some(trouble.failure.message()),
                ));
            }
            Err(trouble) => return Err(trouble),
        }
    }
    length?;
    if part.length < wanted.size {
        return Err(stopped(wanted, part.length, None));
    }
    Ok(())
}

/// The length of an archive is in the lock: a source that says another has another archive.
fn check_length(wanted: &Wanted, body: &Body) -> Result<(), Failure> {
    match body.length.map(|length| body.from.saturating_add(length)) {
        Some(length) if length != wanted.size => Err(another_length(
            wanted,
            &format!("{} is {length} bytes long", shown(&wanted.address)),
        )),
        _ => Ok(()),
    }
}

fn another_length(wanted: &Wanted, message: &str) -> Failure {
    Failure::refused(format!(
        "{message}; ship.lock says {} for {}",
        wanted.size, wanted.what
    ))
    .detail(format!(
        "if ship.lock is wrong, {}",
        trouble::ask_again(&wanted.what)
    ))
    .hint(trouble::MIRROR)
}

fn stopped(wanted: &Wanted, at: u64, why: Option<String>) -> Trouble {
    let address = shown(&wanted.address);
    Trouble {
        failure: Failure::new(
            NOT_HAD,
            format!("{address} stopped after {at} of {} bytes", wanted.size),
        )
        .details(why)
        .hint("try again: the part that arrived is kept, and only the rest is downloaded"),
        again: true,
    }
}

fn wrong_sum(wanted: &Wanted, found: Sha256) -> Failure {
    Failure::refused(format!(
        "the archive of {} is not the one that was locked: its checksum is wrong",
        wanted.what
    ))
    .detail(format!("from:      {}", shown(&wanted.address)))
    .detail(format!("ship.lock: sha256 {}", wanted.sha256))
    .detail(format!("found:     sha256 {found}"))
    .detail("nothing of it was kept")
    .hint(format!(
        "a damaged or a false archive, or an edited ship.lock; {}",
        trouble::ask_again(&wanted.what)
    ))
}

/// The file that is being written, and the sum of what is in it.
struct Part {
    path: PathBuf,
    file: File,
    hasher: Sha256Hasher,
    length: u64,
}

impl Part {
    /// Opens it with what is there already; `size` bytes at most.
    fn open(path: &Path, size: u64) -> Result<Self, Failure> {
        let trouble = |error| trouble::cache("write", path, &error);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(trouble)?;
        let mut hasher = Sha256Hasher::default();
        let length = hasher.read(&file).map_err(trouble)?;
        let mut part = Self {
            path: path.to_owned(),
            file,
            hasher,
            length,
        };
        if length > size {
            part.restart()?;
        }
        Ok(part)
    }

    fn sum(&self) -> Sha256 {
        self.hasher.clone().finish()
    }

    fn restart(&mut self) -> Result<(), Failure> {
        self.hasher = Sha256Hasher::default();
        self.length = 0;
        let emptied = self
            .file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)));
        emptied
            .map(|_| ())
            .map_err(|error| trouble::cache("write", &self.path, &error))
    }

    /// Writes the next bytes, unless they are more than there can be.
    fn take(&mut self, bytes: &[u8], wanted: &Wanted) -> Result<(), Failure> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let length = self.length.saturating_add(length);
        if length > wanted.size {
            let address = shown(&wanted.address);
            let message = format!("{address} sends more than {} bytes", wanted.size);
            return Err(another_length(wanted, &message));
        }
        self.file
            .write_all(bytes)
            .map_err(|error| trouble::cache("write", &self.path, &error))?;
        self.hasher.update(bytes);
        self.length = length;
        Ok(())
    }

    /// Brings it to the disk.
    fn finish(self) -> Result<(), Failure> {
        self.file
            .sync_all()
            .map_err(|error| trouble::cache("write", &self.path, &error))
    }

    /// Leaves it for the next download, if there is anything in it.
    fn leave(self, failure: Failure) -> Failure {
        match self.length {
            0 => self.discard(failure),
            _ => failure,
        }
    }

    /// Removes it.
    fn discard(self, failure: Failure) -> Failure {
        match std::fs::remove_file(&self.path) {
            Ok(()) => failure,
            Err(error) => failure.detail(format!("{} stays: {error}", self.path.display())),
        }
    }
}
