//! The receiving side of [`super::pack()`].

use std::fmt;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use zstd::stream::write::Decoder;

use super::chunk::Chunk;
use super::error::TreeError;
use super::level::WINDOW_LOG;
use super::placing::Placing;
use super::records::Records;
use super::staging::Staging;
use crate::model::Digest;

/// Takes the stream of [`super::pack()`] in pieces of any size, as they come off the wire. Of a long
/// one, the contents are put in their places by a thread of their own: a sender on a quick link is
/// as quick as either, and not as both.
pub struct Unpacker {
    decoder: Decoder<'static, Placing>,
    path: PathBuf,
    failed: bool,
}

impl fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unpacker")
            .field("placing", self.decoder.get_ref())
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

impl Unpacker {
    /// Receives into `staging`.
    ///
    /// # Errors
    /// When the decompressor cannot be made.
    pub fn new(staging: Staging) -> Result<Self, TreeError> {
        let path = staging.path().to_owned();
        let refused = |error| TreeError::io("receive into", &path, error);
        let placing = Placing::new(Records::new(staging));
        let mut decoder = Decoder::new(placing).map_err(refused)?;
        decoder.window_log_max(WINDOW_LOG).map_err(refused)?;
        Ok(Self {
            decoder,
            path,
            failed: false,
        })
    }

    /// The chunks that are here already of what the missing content `digest` may have been made
    /// from; the sender may leave them out. None for a small content, and none when the stream has
    /// begun.
    pub fn chunks(&mut self, digest: &Digest) -> Vec<Chunk> {
        self.decoder.get_mut().chunks(digest)
    }

    /// Takes the next bytes of the stream. After an error it takes no more.
    ///
    /// # Errors
    /// A stream that is not one, contents that were not asked for or are not what their digest
    /// says, what the system refuses: with these bytes, with later ones or at the end.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), TreeError> {
        self.step(|decoder| {
            decoder.write_all(bytes)?;
            // Else the last bytes stay in the decompressor until the next ones come.
            decoder.flush()
        })
    }

    /// The stream has ended. The tree may still miss contents: those that were to be made of what
    /// is here, when that turned out to be damaged.
    ///
    /// # Errors
    /// When it was cut, and those of [`Self::push`].
    pub fn finish(mut self) -> Result<Staging, TreeError> {
        self.step(Write::flush)?;
        let placed = self.decoder.into_inner().end()?;
        placed.map_or_else(|| Err(failed_before(&self.path)), Records::finish)
    }

    /// Gives up, and leaves what came for a later transfer.
    pub fn leave(self) {
        if let Ok(Some(records)) = self.decoder.into_inner().end() {
            records.leave();
        }
    }

    fn step(
        &mut self,
        act: impl FnOnce(&mut Decoder<'static, Placing>) -> io::Result<()>,
    ) -> Result<(), TreeError> {
        if self.failed {
            return Err(failed_before(&self.path));
        }
        let result = act(&mut self.decoder);
        self.failed = result.is_err();
        result.map_err(|error| {
            let refused = self.decoder.get_mut().take_error();
            refused.unwrap_or_else(|| {
                let why = format!("the stream is damaged: {error}");
                TreeError::says("receive into", &self.path, why)
            })
        })
    }
}

fn failed_before(path: &Path) -> TreeError {
    TreeError::says("receive into", path, "the stream failed before")
}

/// Takes the whole stream from `reader`.
///
/// # Errors
/// As [`Unpacker`], and when `reader` fails.
pub fn unpack(reader: &mut dyn Read, staging: Staging) -> Result<Staging, TreeError> {
    let path = staging.path().to_owned();
    let mut unpacker = Unpacker::new(staging)?;
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return unpacker.finish(),
            Ok(length) => unpacker.push(&buffer[..length])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(TreeError::io("receive into", path, error)),
        }
    }
}
