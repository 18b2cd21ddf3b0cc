//! The records of a packed stream (see [`super::pack()`]), each content verified and put in its places.

use std::fs::File;
use std::io::{self, Write};

use super::chunk::{CHUNKED_FROM, Chunk, Chunks, MAX_CHUNK};
use super::delta;
use super::error::TreeError;
use super::pack::{CHUNKS, DELTA, HEADER, KNOWN, LITERAL, MAX_PIECE, WHOLE};
use super::scan::open;
use super::staging::{Received, Staging};
use crate::model::Digest;

/// The decompressed stream: headers and contents.
#[derive(Debug)]
pub(super) struct Records {
    staging: Staging,
    chunks: Chunks,
    /// What is there of a header.
    head: Vec<u8>,
    state: State,
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
    /// Receives into `staging`.
    pub(super) fn new(staging: Staging) -> Self {
        Self {
            staging,
            chunks: Chunks::default(),
            head: Vec::with_capacity(HEADER),
            state: State::Header,
        }
    }

    /// The chunks that are here already of what the missing content `digest` may have been made
    /// from. None for a small content.
    pub(super) fn chunks(&mut self, digest: &Digest) -> Vec<Chunk> {
        let files = self.staging.ancestors(digest).to_vec();
        let paths = files.iter().map(|(_, path)| path.as_path());
        self.chunks.add(paths)
    }

    /// What was received into, if the last record is complete.
    pub(super) fn finish(self) -> Result<Staging, TreeError> {
        if matches!(self.state, State::Header) && self.head.is_empty() {
            return Ok(self.staging);
        }
        Err(self.says("the stream ended early"))
    }

    /// Leaves what came for a later transfer.
    pub(super) fn leave(self) {
        self.staging.leave();
    }

    /// Takes the next bytes of the stream.
    ///
    /// # Errors
    /// As [`super::Unpacker::push`]; no more may be taken then.
    pub(super) fn take(&mut self, mut bytes: &[u8]) -> Result<(), TreeError> {
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
