//! An archive on its way: bounded, summed up while it comes, kept when it is cut.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use super::{PARTIAL, archive, title};
use crate::agent::{Layout, disk};
use crate::artifact::Sha256Hasher;
use crate::model::{Failure, HostRuntime, Sha256};

/// Receives one archive.
#[derive(Debug)]
pub(super) struct Receiver {
    runtime: HostRuntime,
    path: PathBuf,
    file: File,
    sum: Sha256Hasher,
    length: u64,
    /// So many bytes were here before.
    resumed: u64,
}

/// An archive that ended.
#[derive(Debug)]
pub(super) enum Received {
    /// It is what was offered.
    Verified {
        runtime: HostRuntime,
        archive: PathBuf,
    },
    /// It is not, and that may be the fault of what an interrupted transfer left: it is gone, and
    /// the whole archive is to come.
    Spoiled { runtime: HostRuntime },
}

/// Where the archive with this sum lies while it comes.
fn partial(layout: &Layout, sha256: Sha256) -> PathBuf {
    layout.runtimes().join(format!("{PARTIAL}{sha256}"))
}

/// How many bytes an interrupted transfer of `runtime`'s archive left.
pub(super) fn have(layout: &Layout, runtime: &HostRuntime) -> u64 {
    archive(runtime).map_or(0, |archive| {
        let found = fs::symlink_metadata(partial(layout, archive.sha256));
        let length = found.map_or(0, |found| if found.is_file() { found.len() } else { 0 });
        if length <= archive.size { length } else { 0 }
    })
}

impl Receiver {
    /// Goes on with what is here of the archive of `runtime`, from byte `from` on.
    ///
    /// # Errors
    /// When it cannot be written, or less than `from` bytes are here.
    pub(super) fn open(layout: &Layout, runtime: HostRuntime, from: u64) -> Result<Self, Failure> {
        let Some(archive) = archive(&runtime) else {
            return Err(Failure::unexpected(
                "a runtime without an archive was announced",
            ));
        };
        let path = partial(layout, archive.sha256);
        let opened = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW)
            .open(&path)
            .and_then(|file| take_up(file, from));
        let (file, sum) = opened.map_err(|error| disk::named(error, &path))?;
        Ok(Self {
            runtime,
            path,
            file,
            sum,
            length: from,
            resumed: from,
        })
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// When more comes than was offered, or it cannot be written.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let size = archive(&self.runtime).map_or(0, |archive| archive.size);
        let length = self.length + bytes.len() as u64;
        if length > size {
            let _ = fs::remove_file(&self.path);
            return Err(Failure::unexpected(format!(
                "more than the {size} bytes of {} came",
                title(&self.runtime)
            )));
        }
        if let Err(error) = self.file.write_all(bytes) {
            // Most likely the disk is full: what came must not keep it so.
            let _ = fs::remove_file(&self.path);
            return Err(disk::named(error, &self.path).into());
        }
        self.sum.update(bytes);
        self.length = length;
        Ok(())
    }

    /// The archive has ended.
    ///
    /// # Errors
    /// `Refused` when it came whole and is not what was offered; nothing of it stays.
    pub(super) fn finish(self) -> Result<Received, Failure> {
        let Self {
            runtime,
            path,
            sum,
            length,
            resumed,
            ..
        } = self;
        let found = sum.finish();
        let wanted = archive(&runtime).map(|archive| (archive.sha256, archive.size));
        if wanted == Some((found, length)) {
            let archive = path;
            return Ok(Received::Verified { runtime, archive });
        }
        let _ = fs::remove_file(&path);
        if resumed > 0 {
            return Ok(Received::Spoiled { runtime });
        }
        let (sha256, size) = wanted.unwrap_or((found, length));
        Err(Failure::refused(format!(
            "{} did not arrive as ship.lock has it",
            title(&runtime)
        ))
        .detail(format!("expected {size} bytes with the SHA-256 {sha256}"))
        .detail(format!("received {length} bytes with the SHA-256 {found}"))
        .hint("run the deploy again; what came is gone"))
    }
}

/// Cuts `file` at `from` and sums up what is before it.
fn take_up(mut file: File, from: u64) -> io::Result<(File, Sha256Hasher)> {
    if file.metadata()?.len() < from {
        return Err(io::Error::other("it is shorter than it was"));
    }
    file.set_len(from)?;
    let mut sum = Sha256Hasher::default();
    sum.read(&file)?;
    file.seek(SeekFrom::Start(from))?;
    Ok((file, sum))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FailureKind;
    use crate::model::runtime::RuntimeSource;

    const CONTENT: &[u8] = b"the bytes of an archive";

    fn offered() -> HostRuntime {
        let mut runtime = crate::agent::runtimes::example("node", "20.11.1", None);
        if let RuntimeSource::Archive(archive) = &mut runtime.source {
            let mut sum = Sha256Hasher::default();
            sum.update(CONTENT);
            archive.sha256 = sum.finish();
            archive.size = CONTENT.len() as u64;
        }
        runtime
    }

    fn host() -> (tempfile::TempDir, Layout) {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path());
        fs::create_dir(layout.runtimes()).unwrap();
        (folder, layout)
    }

    #[test]
    fn an_archive_that_was_cut_goes_on_where_it_was() {
        let (_folder, layout) = host();
        let mut cut = Receiver::open(&layout, offered(), 0).unwrap();
        cut.push(&CONTENT[..9]).unwrap();
        drop(cut);
        assert_eq!(have(&layout, &offered()), 9);
        let mut rest = Receiver::open(&layout, offered(), 9).unwrap();
        rest.push(&CONTENT[9..]).unwrap();
        let Received::Verified { archive, .. } = rest.finish().unwrap() else {
            panic!("not verified");
        };
        assert_eq!(fs::read(archive).unwrap(), CONTENT);
    }

    #[test]
    fn a_spoiled_beginning_is_thrown_away_and_asked_for_again() {
        let (_folder, layout) = host();
        let sha256 = archive(&offered()).unwrap().sha256;
        fs::write(partial(&layout, sha256), b"damaged").unwrap();
        let mut rest = Receiver::open(&layout, offered(), 7).unwrap();
        rest.push(&CONTENT[7..]).unwrap();
        assert!(matches!(rest.finish(), Ok(Received::Spoiled { .. })));
        assert_eq!(have(&layout, &offered()), 0);
        assert!(!partial(&layout, sha256).exists());
    }

    #[test]
    fn what_is_not_what_was_offered_is_refused_and_leaves_nothing() {
        let (_folder, layout) = host();
        let mut other = Receiver::open(&layout, offered(), 0).unwrap();
        other.push(&[b'x'; CONTENT.len()]).unwrap();
        let failure = other.finish().unwrap_err();
        assert_eq!(failure.kind, FailureKind::Refused);
        let mut long = Receiver::open(&layout, offered(), 0).unwrap();
        assert!(long.push(&[0; CONTENT.len() + 1]).is_err());
        let short = Receiver::open(&layout, offered(), 0).unwrap();
        assert!(short.finish().is_err());
        assert_eq!(fs::read_dir(layout.runtimes()).unwrap().count(), 0);
    }

    #[test]
    fn too_much_of_an_old_transfer_is_not_gone_on_with() {
        let (_folder, layout) = host();
        let sha256 = archive(&offered()).unwrap().sha256;
        fs::write(partial(&layout, sha256), [0; CONTENT.len() + 1]).unwrap();
        assert_eq!(have(&layout, &offered()), 0);
        assert!(Receiver::open(&layout, offered(), 90).is_err());
    }
}
