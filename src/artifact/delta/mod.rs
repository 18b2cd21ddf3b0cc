//! A large content as its difference to another one (placeholder until the codec lands).

use std::fs::File;
use std::io::{self, Write};

/// Placeholder.
#[derive(Debug, Clone, Copy)]
pub enum Mode {
    /// Full.
    Full,
    /// Quick.
    Quick,
}

/// Placeholder.
pub struct Options<'a> {
    /// Mode.
    pub mode: Mode,
    /// Most.
    pub max_bytes: u64,
    /// Stop.
    pub stop: &'a dyn Fn() -> bool,
}

/// Placeholder.
#[derive(Debug)]
pub enum Encoded {
    /// Whole.
    Whole {
        /// Bytes.
        bytes: u64,
    },
    /// Not.
    GaveUp(()),
}

/// Placeholder.
///
/// # Errors
/// Never.
pub fn encode(_: &File, _: &File, _: &mut dyn Write, o: &Options<'_>) -> io::Result<Encoded> {
    let _ = (o.mode, o.max_bytes, (o.stop)());
    Ok(Encoded::GaveUp(()))
}

/// Applies a difference.
#[derive(Debug)]
pub struct Decoder;

impl Decoder {
    /// To `_base`, making `_size` bytes.
    ///
    /// # Errors
    /// Never.
    pub fn new(_base: File, _size: u64) -> io::Result<Self> {
        Ok(Self)
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// Always.
    pub fn push(&mut self, _bytes: &[u8], _out: &mut dyn Write) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
