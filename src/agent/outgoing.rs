//! The way of messages from an agent to its controller.

use std::io::{self, Write};

use super::secrets::Secrets;
use crate::wire::{Frame, FrameWriter, FromAgent};

/// Writes messages, with the secrets in their texts masked.
pub struct Outgoing<W> {
    frames: FrameWriter<W>,
    secrets: Secrets,
}

impl<W: Write> Outgoing<W> {
    /// Messages to `stream`, masked by `secrets`.
    pub fn new(stream: W, secrets: Secrets) -> Self {
        Self {
            frames: FrameWriter::new(stream),
            secrets,
        }
    }

    /// Sends a message.
    ///
    /// # Errors
    /// As [`FrameWriter::send`].
    pub fn send(&mut self, message: &FromAgent) -> io::Result<()> {
        let mut message = message.clone();
        self.secrets.mask(&mut message);
        self.frames.send(&message)
    }

    /// Sends bytes as they are: whoever reads them from a command has masked them.
    ///
    /// # Errors
    /// As [`FrameWriter::write`].
    pub fn write(&mut self, frame: &Frame) -> io::Result<()> {
        self.frames.write(frame)
    }

    /// What masks messages.
    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}
