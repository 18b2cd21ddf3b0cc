//! The receiving side of [`super::pack()`].

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};

use zstd::stream::write::Decoder;

use super::chunk::{CHUNKED_FROM, Chunk, Chunks, MAX_CHUNK};
use super::delta;
use super::error::TreeError;
use super::level::WINDOW_LOG;
use super::pack::{CHUNKS, DELTA, HEADER, KNOWN, LITERAL, MAX_PIECE, WHOLE};
use super::scan::open;
use super::staging::{Received, Staging};
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
            chunks: Chunks::default(),
            head: Vec::with_capacity(HEADER),
            state: State::Header,
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

    /// The chunks that are here already of what the missing content `digest` may have been made
    /// from; the sender may leave them out. None for a small content.
    pub fn chunks(&mut self, digest: &Digest) -> Vec<Chunk> {
        let records = self.decoder.get_mut();
        let files = records.staging.ancestors(digest).to_vec();
        let paths = files.iter().map(|(_, path)| path.as_path());
        records.chunks.add(paths)
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

    /// The stream has ended. The tree may still miss contents: those that were to be made of what
    /// is here, when that turned out to be damaged.
    ///
    /// # Errors
    /// When it was cut.
    pub fn finish(mut self) -> Result<Staging, TreeError> {
        self.step(Write::flush)?;
        let records = self.decoder.into_inner();
        if matches!(records.state, State::Header) && records.head.is_empty() {
            return Ok(records.staging);
        }
        Err(TreeError::says(
            "receive into",
            records.staging.path(),
            "the stream ended early",
        ))
    }

    /// Gives up, and leaves what came for a later transfer.
    pub fn leave(self) {
        self.decoder.into_inner().staging.leave();
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
    chunks: Chunks,
    /// What is there of a header.
    head: Vec<u8>,
    state: State,
    received: u64,
    /// What the decompressor's own error cannot carry.
    error: Option<TreeError>,
}

/// What comes next.
#[derive(Debug)]
enum State {
    /// The header of a record.
    Header,
    /// So many bytes of a content that is sent whole.
    Whole(u64),
    /// One byte: how the next chunk comes; so many bytes are left of the content.
    Chunk(u64),
    /// The length of a chunk's bytes.
    LiteralLength(u64),
    /// So many bytes of a chunk, of so many of the content.
    Literal(u64, u64),
    /// The name of a chunk.
    KnownName(u64),
    /// The digest of the content that a difference is to.
    Base,
    /// The length of the next piece of a difference.
    PieceLength(Box<Patch>),
    /// So many bytes of a piece of a difference.
    Piece(Box<Patch>, u64),
}

/// A difference being applied. Without a decoder it is passed over: the content is wanted again.
#[derive(Debug)]
struct Patch {
    decoder: Option<delta::Decoder>,
}

impl State {
    /// How long the header is that comes next, bytes; `None` when it is content.
    fn header(&self) -> Option<usize> {
        match self {
            Self::Header => Some(HEADER),
            Self::Chunk(_) => Some(1),
            Self::LiteralLength(_) | Self::PieceLength(_) => Some(4),
            Self::KnownName(_) => Some(8),
            Self::Base => Some(32),
            Self::Whole(_) | Self::Literal(..) | Self::Piece(..) => None,
        }
    }
}

impl Records {
    fn take(&mut self, mut bytes: &[u8]) -> Result<(), TreeError> {
        while !bytes.is_empty() {
            let Some(wanted) = self.state.header() else {
                bytes = self.content(bytes)?;
                continue;
            };
            let length = bytes.len().min(wanted - self.head.len());
            let (part, rest) = bytes.split_at(length);
            self.head.extend_from_slice(part);
            bytes = rest;
            if self.head.len() == wanted {
                let head = std::mem::take(&mut self.head);
                self.state = self.turn(&head)?;
            }
        }
        Ok(())
    }

    /// Takes what belongs to the content from `bytes`; the rest.
    fn content<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], TreeError> {
        let state = std::mem::replace(&mut self.state, State::Header);
        let (State::Whole(left) | State::Literal(left, _) | State::Piece(_, left)) = &state else {
            return Ok(bytes);
        };
        let length = usize::try_from(*left).map_or(bytes.len(), |n| n.min(bytes.len()));
        let (content, rest) = bytes.split_at(length);
        let length = length as u64;
        self.state = match state {
            State::Whole(left) => {
                let received = self.staging.write(content)?;
                self.received += length;
                if let Received::Wrong { found, expected } = received {
                    let (found, expected) = (found.short(), expected.short());
                    return Err(self.says(&format!("its content is {found}, expected {expected}")));
                }
                match left - length {
                    0 => State::Header,
                    left => State::Whole(left),
                }
            }
            State::Literal(left, of) => {
                let received = self.staging.write(content)?;
                self.received += length;
                match (received, left - length) {
                    (Received::Part, 0) => State::Chunk(of - length),
                    (Received::Part, left) => State::Literal(left, of - length),
                    _ => State::Header,
                }
            }
            State::Piece(mut patch, left) => {
                self.patch(&mut patch, content)?;
                match left - length {
                    0 => State::PieceLength(patch),
                    left => State::Piece(patch, left),
                }
            }
            other => other,
        };
        Ok(rest)
    }

    /// A header is complete: what comes after it.
    fn turn(&mut self, head: &[u8]) -> Result<State, TreeError> {
        let number = |bytes: &[u8]| {
            let mut number = [0; 8];
            number[..bytes.len()].copy_from_slice(bytes);
            u64::from_le_bytes(number)
        };
        let digest = |bytes: &[u8]| {
            let mut digest = [0; 32];
            digest.copy_from_slice(bytes);
            Digest::from(blake3::Hash::from_bytes(digest))
        };
        match std::mem::replace(&mut self.state, State::Header) {
            State::Header => {
                let size = self.staging.start(number(&head[1..]))?;
                match head[0] {
                    WHOLE => Ok(State::Whole(size)),
                    CHUNKS if size >= CHUNKED_FROM => Ok(State::Chunk(size)),
                    DELTA => Ok(State::Base),
                    _ => Err(self.says("a record is of no kind that there is")),
                }
            }
            State::Chunk(left) => match head[0] {
                LITERAL => Ok(State::LiteralLength(left)),
                KNOWN => Ok(State::KnownName(left)),
                _ => Err(self.says("a chunk is of no kind that there is")),
            },
            State::LiteralLength(left) => match number(head) {
                length if length > 0 && length <= left && length <= MAX_CHUNK as u64 => {
                    Ok(State::Literal(length, left))
                }
                _ => Err(self.says("a chunk has a length that none can have")),
            },
            State::KnownName(left) => self.known_chunk(number(head), left),
            State::Base => {
                let base = self.staging.base(&digest(head));
                let size = self.staging.incoming_size();
                let decoder = base.and_then(|path| {
                    let file: File = open(&path).ok()?;
                    delta::Decoder::new(file, size).ok()
                });
                if decoder.is_none() {
                    self.staging.give_up()?;
                }
                Ok(State::PieceLength(Box::new(Patch { decoder })))
            }
            State::PieceLength(patch) => match number(head) {
                0 => {
                    if patch.decoder.is_some() {
                        // It ended before the content was whole.
                        self.staging.give_up()?;
                    }
                    Ok(State::Header)
                }
                length if length <= MAX_PIECE as u64 => Ok(State::Piece(patch, length)),
                _ => Err(self.says("a difference comes in pieces that are too large")),
            },
            other => Ok(other),
        }
    }

    fn known_chunk(&mut self, id: u64, left: u64) -> Result<State, TreeError> {
        let bytes = self.chunks.read(id).unwrap_or_default();
        if bytes.is_empty() || bytes.len() as u64 > left {
            return Err(self.says("a chunk is named that is not here"));
        }
        Ok(match self.staging.write(&bytes)? {
            Received::Part => State::Chunk(left - bytes.len() as u64),
            Received::Whole | Received::Wrong { .. } => State::Header,
        })
    }

    /// Applies a piece of a difference. One that does not fit is passed over from there on, and
    /// the content is wanted again: what it is to may have been damaged here.
    fn patch(&mut self, patch: &mut Patch, piece: &[u8]) -> Result<(), TreeError> {
        let Some(decoder) = &mut patch.decoder else {
            return Ok(());
        };
        let mut made = Made {
            staging: &mut self.staging,
            received: &mut self.received,
            ended: false,
            error: None,
        };
        let applied = {
            let mut out = io::BufWriter::with_capacity(128 << 10, &mut made);
            decoder.push(piece, &mut out).and_then(|()| out.flush())
        };
        let (ended, error) = (made.ended, made.error.take());
        if let Some(error) = error {
            return Err(error);
        }
        if applied.is_err() && !ended {
            self.staging.give_up()?;
        }
        if applied.is_err() || ended {
            patch.decoder = None;
        }
        Ok(())
    }

    fn says(&self, why: &str) -> TreeError {
        TreeError::says("receive into", self.staging.path(), why)
    }
}

/// The content that a difference makes.
struct Made<'a> {
    staging: &'a mut Staging,
    received: &'a mut u64,
    /// It is complete, right or wrong.
    ended: bool,
    error: Option<TreeError>,
}

impl Write for Made<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.ended {
            return Err(io::ErrorKind::InvalidData.into());
        }
        match self.staging.write(bytes) {
            Ok(received) => {
                *self.received += bytes.len() as u64;
                self.ended = received != Received::Part;
                Ok(bytes.len())
            }
            Err(error) => {
                // The first one tells why: a buffer that is dropped tries once more.
                self.error.get_or_insert(error);
                Err(io::ErrorKind::Other.into())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
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
