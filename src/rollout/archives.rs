//! The archives of runtimes that hosts lack: fetched when the first host asks, opened once, and read
//! once by hosts that are fed at the same pace.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::HashMap;
use tokio::sync::OnceCell;

use super::context::Context;
use crate::model::runtime::Platform;
use crate::model::{Failure, HostRuntime, Sha256};
use crate::runtime;

/// The size of what is read at a time, bytes.
const PIECE: u64 = 128 << 10;

/// Pieces that stay in memory for hosts that are a little behind: 8 MiB in all.
const RECENT: usize = 64;

/// An archive, or why it cannot be had.
type Opened = Result<Arc<OpenArchive>, Failure>;

/// The archives of a deploy.
pub(super) struct Archives<'a> {
    context: &'a Context,
    opened: Mutex<HashMap<Sha256, Arc<OnceCell<Opened>>>>,
}

impl<'a> Archives<'a> {
    pub(super) fn new(context: &'a Context) -> Self {
        Self {
            context,
            opened: Mutex::default(),
        }
    }

    /// The archive of `runtime` for `platform`, verified: from the cache, else downloaded. Whoever
    /// asks for the same meanwhile waits for it.
    ///
    /// # Errors
    /// When it cannot be had.
    pub(super) async fn open(
        &self,
        runtime: &HostRuntime,
        platform: Platform,
        sha256: Sha256,
    ) -> Opened {
        let cell = {
            let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(opened.entry(sha256).or_default())
        };
        cell.get_or_init(|| self.fetch(runtime, platform))
            .await
            .clone()
    }

    async fn fetch(&self, runtime: &HostRuntime, platform: Platform) -> Opened {
        let wish = self.context.wish(self.context.cancel.clone());
        let path = runtime::archive(&wish, runtime, platform).await?;
        let opened = OpenArchive::open(&path);
        opened.map(Arc::new).map_err(|error| {
            Failure::unexpected(format!("{} cannot be read: {error}", path.display()))
        })
    }
}

/// An archive that is read by several hosts.
#[derive(Debug)]
pub(super) struct OpenArchive {
    file: File,
    size: u64,
    recent: Mutex<VecDeque<(u64, Arc<Vec<u8>>)>>,
}

impl OpenArchive {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        Ok(Self {
            file,
            size,
            recent: Mutex::default(),
        })
    }

    /// The next bytes from `at` on; none at the end.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) async fn next(self: &Arc<Self>, at: u64) -> io::Result<Vec<u8>> {
        let this = Arc::clone(self);
        let read = tokio::task::spawn_blocking(move || this.read(at));
        read.await.map_err(io::Error::other)?
    }

    fn read(&self, at: u64) -> io::Result<Vec<u8>> {
        if at >= self.size {
            return Ok(Vec::new());
        }
        let start = at - at % PIECE;
        let piece = self.piece(start)?;
        let skip = usize::try_from(at - start).map_err(io::Error::other)?;
        Ok(piece.get(skip..).unwrap_or_default().to_vec())
    }

    fn piece(&self, start: u64) -> io::Result<Arc<Vec<u8>>> {
        // Held while it is read: who wants the same waits, and does not read it again.
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, piece)) = recent.iter().find(|(known, _)| *known == start) {
            return Ok(Arc::clone(piece));
        }
        let length = usize::try_from(PIECE.min(self.size - start)).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start)?;
        let piece = Arc::new(bytes);
        recent.push_back((start, Arc::clone(&piece)));
        if recent.len() > RECENT {
            recent.pop_front();
        }
        Ok(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_archive_is_read_once_by_hosts_at_the_same_pace() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let content: Vec<u8> = (0..PIECE * 3 + 5).map(|at| (at % 251) as u8).collect();
        std::fs::write(&file, &content).unwrap();
        let archive = Arc::new(OpenArchive::open(file.path()).unwrap());
        let whole = |from: u64| {
            let archive = Arc::clone(&archive);
            async move {
                let mut all = Vec::new();
                loop {
                    let bytes = archive.next(from + all.len() as u64).await.unwrap();
                    if bytes.is_empty() {
                        return all;
                    }
                    all.extend(bytes);
                }
            }
        };
        let (one, other) = tokio::join!(whole(0), whole(0));
        assert!(one == content && other == content);
        // What was read is not read again.
        std::fs::write(&file, vec![0; content.len()]).unwrap();
        assert!(whole(7).await == content[7..]);
        assert!(whole(content.len() as u64).await.is_empty());
    }
}
