//! The receiving side of [`super::pack()`].

use std::fmt;
use std::io::{self, Read, Write};

use zstd::stream::write::Decoder;

use super::error::TreeError;
use super::pack::{HEADER, WINDOW_LOG};
use super::staging::Staging;
use crate::model::Digest;

/// Takes the stream of [`super::pack()`] in pieces of any size, as they come off the wire.
pub struct Unpacker {
    decoder: Decoder<'static, Records>,
    failed: bool,
}

impl fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unpacker")
            .field("records", self.decoder.get_ref())
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
        let records = Records {
            staging,
            header: [0; HEADER],
            filled: 0,
            left: 0,
            received: 0,
            error: None,
        };
        let mut decoder = Decoder::new(records).map_err(refused)?;
        decoder.window_log_max(WINDOW_LOG).map_err(refused)?;
        Ok(Self {
            decoder,
            failed: false,
        })
    }

    /// Takes the next bytes of the stream. After an error it takes no more.
    ///
    /// # Errors
    /// A stream that is not one, contents that were not asked for or are not what their digest
    /// says, what the system refuses.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), TreeError> {
        self.step(|decoder| {
            decoder.write_all(bytes)?;
            // Else the last bytes stay in the decompressor until the next ones come.
            decoder.flush()
        })
    }

    /// Content received and written so far, bytes.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.decoder.get_ref().received
    }

    /// The stream has ended.
    ///
    /// # Errors
    /// When it was cut, or contents are still missing.
    pub fn finish(mut self) -> Result<Staging, TreeError> {
        self.step(Write::flush)?;
        let records = self.decoder.into_inner();
        let staging = records.staging;
        let missing = staging.missing();
        if records.left > 0 || records.filled > 0 || !missing.is_empty() {
            return Err(TreeError::says(
                "receive into",
                staging.path(),
                format!("the stream ended early, {} contents short", missing.len()),
            ));
        }
        Ok(staging)
    }

    fn step(
        &mut self,
        act: impl FnOnce(&mut Decoder<'static, Records>) -> io::Result<()>,
    ) -> Result<(), TreeError> {
        let says = |records: &Records, why: String| {
            TreeError::says("receive into", records.staging.path(), why)
        };
        if self.failed {
            let why = "the stream failed before".to_owned();
            return Err(says(self.decoder.get_ref(), why));
        }
        let result = act(&mut self.decoder);
        self.failed = result.is_err();
        result.map_err(|error| {
            let records = self.decoder.get_mut();
            records
                .error
                .take()
                .unwrap_or_else(|| says(records, format!("the stream is damaged: {error}")))
        })
    }
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

/// The decompressed stream: headers and contents.
#[derive(Debug)]
struct Records {
    staging: Staging,
    header: [u8; HEADER],
    /// How much of `header` is there, bytes.
    filled: usize,
    /// What is left of the content, bytes.
    left: u64,
    received: u64,
    /// What the decompressor's own error cannot carry.
    error: Option<TreeError>,
}

impl Records {
    fn take(&mut self, mut bytes: &[u8]) -> Result<(), TreeError> {
        while !bytes.is_empty() {
            if self.left > 0 {
                let length = usize::try_from(self.left).map_or(bytes.len(), |n| n.min(bytes.len()));
                let (content, rest) = bytes.split_at(length);
                self.staging.write(content)?;
                self.left -= length as u64;
                self.received += length as u64;
                bytes = rest;
                continue;
            }
            let length = bytes.len().min(HEADER - self.filled);
            let (part, rest) = bytes.split_at(length);
            self.header[self.filled..self.filled + length].copy_from_slice(part);
            self.filled += length;
            bytes = rest;
            if self.filled == HEADER {
                self.filled = 0;
                let mut digest = [0; 32];
                digest.copy_from_slice(&self.header[..32]);
                let mut size = [0; 8];
                size.copy_from_slice(&self.header[32..]);
                let size = u64::from_le_bytes(size);
                let digest = Digest::from(blake3::Hash::from_bytes(digest));
                self.staging.start(digest, size)?;
                self.left = size;
            }
        }
        Ok(())
    }
}

impl Write for Records {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.take(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(error) => {
                let carried = io::Error::other(error.to_string());
                self.error = Some(error);
                Err(carried)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
