//! The receiving half of a tree that is being made: contents as they come, verified as they end.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::{Staging, Wanted};
use crate::artifact::error::TreeError;
use crate::artifact::files::{Put, create_file, link_or_copy, set_mode};
use crate::artifact::index::Kind;
use crate::artifact::store::Trusted;
use crate::model::Digest;

/// A content being received, into the first of its places.
#[derive(Debug)]
pub(super) struct Incoming {
    digest: Digest,
    size: u64,
    left: u64,
    hasher: blake3::Hasher,
    file: File,
    places: Vec<usize>,
}

/// How a received content turned out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::artifact) enum Received {
    /// More bytes are to come.
    Part,
    /// It is complete, verified and in its places.
    Whole,
    /// It is not what its digest says, and is wanted again.
    Wrong {
        /// What it is.
        found: Digest,
        /// What it was announced as.
        expected: Digest,
    },
}

impl Staging {
    /// Where the content `base` lies that the content being received may have been made from.
    pub(in crate::artifact) fn base(&self, base: &Digest) -> Option<PathBuf> {
        let incoming = self.incoming.as_ref()?;
        self.ancestors(&incoming.digest)
            .iter()
            .find(|(digest, _)| digest == base)
            .map(|(_, path)| path.clone())
    }

    /// The size of the content being received, bytes.
    pub(in crate::artifact) fn incoming_size(&self) -> u64 {
        self.incoming.as_ref().map_or(0, |incoming| incoming.size)
    }

    /// Begins to receive the content of the file at position `at` of the index; its size, bytes.
    ///
    /// # Errors
    /// When that is no file whose content is missing, another content is not complete, or its file
    /// cannot be created.
    pub(in crate::artifact) fn start(&mut self, at: u64) -> Result<u64, TreeError> {
        let refuse = |why: &str| Err(TreeError::says("receive into", &self.path, why));
        if self.broken || self.incoming.is_some() {
            return refuse("the content before is not complete");
        }
        let entry = usize::try_from(at).ok();
        let entry = entry.and_then(|at| self.index.entries().get(at));
        let Some(Kind::File { digest, size, .. }) = entry.map(|entry| &entry.kind) else {
            return refuse("a content came of what is no file");
        };
        let (digest, size) = (*digest, *size);
        let Some(wanted) = self.wanted.remove(&digest) else {
            return refuse(&format!("the content {} was not asked for", digest.short()));
        };
        let places = wanted.places;
        self.broken = true;
        let first = places.first().copied().unwrap_or_default();
        let executable = match self.index.entries()[first].kind {
            Kind::File { executable, .. } => executable,
            Kind::Symlink { .. } | Kind::Dir => false,
        };
        let path = self.place_path(first);
        let file = create_file(&path, executable)?;
        self.broken = false;
        self.incoming = Some(Incoming {
            digest,
            size,
            left: size,
            hasher: blake3::Hasher::new(),
            file,
            places,
        });
        Ok(size)
    }

    /// Receives the next bytes of the content that was started; with the last ones it is verified
    /// and put at all its places.
    ///
    /// # Errors
    /// When none was started, there are too many bytes, the content is not what its digest says,
    /// or it cannot be written. The tree cannot be finished then.
    pub(in crate::artifact) fn write(&mut self, bytes: &[u8]) -> Result<Received, TreeError> {
        let Some(mut incoming) = self.incoming.take() else {
            return Err(TreeError::says(
                "receive into",
                &self.path,
                "no content was started",
            ));
        };
        self.broken = true;
        let path = self.place_path(incoming.places.first().copied().unwrap_or_default());
        let Some(left) = incoming.left.checked_sub(bytes.len() as u64) else {
            return Err(TreeError::says(
                "receive",
                path,
                "more bytes came than were announced",
            ));
        };
        incoming.left = left;
        incoming.hasher.update(bytes);
        incoming
            .file
            .write_all(bytes)
            .map_err(|error| TreeError::io("write", &path, error))?;
        // What is little is synced file by file.
        if let Some(flush) = self.flush.as_mut().filter(|_| self.written.are_many()) {
            flush.wrote(bytes.len() as u64, &self.path);
        }
        let received = if left == 0 {
            self.complete(incoming, &path)?
        } else {
            self.incoming = Some(incoming);
            Received::Part
        };
        self.broken = false;
        Ok(received)
    }

    /// Gives the content that is being received up; it is wanted again.
    pub(in crate::artifact) fn give_up(&mut self) -> Result<(), TreeError> {
        match self.incoming.take() {
            Some(incoming) => self.want_again(incoming),
            None => Ok(()),
        }
    }

    fn want_again(&mut self, incoming: Incoming) -> Result<(), TreeError> {
        let Incoming {
            digest,
            size,
            places,
            ..
        } = incoming;
        let path = self.place_path(places.first().copied().unwrap_or_default());
        std::fs::remove_file(&path).map_err(|error| TreeError::io("remove", path, error))?;
        self.wanted.insert(digest, Wanted { size, places });
        Ok(())
    }

    fn complete(&mut self, incoming: Incoming, path: &Path) -> Result<Received, TreeError> {
        let found = Digest::from(incoming.hasher.finalize());
        if found != incoming.digest {
            let expected = incoming.digest;
            self.want_again(incoming)?;
            return Ok(Received::Wrong { found, expected });
        }
        let mut first = None;
        for &at in &incoming.places {
            let Kind::File { executable, .. } = self.index.entries()[at].kind else {
                continue;
            };
            self.written.add(&self.place_path(at));
            match &first {
                None => {
                    set_mode(&incoming.file, path, executable)?;
                    first = Some(Trusted {
                        path: path.to_owned(),
                        executable,
                        verified: true,
                    });
                }
                Some(first) => {
                    let twin = self.place_path(at);
                    let put = link_or_copy(first, &twin, &incoming.digest, executable)?;
                    if put == Put::Bad {
                        return Err(TreeError::says("copy", path, "it changed meanwhile"));
                    }
                }
            }
            self.received += 1;
        }
        Ok(Received::Whole)
    }
}
