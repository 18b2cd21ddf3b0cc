//! Frames over any byte stream, for the agent's threads and for the controller's tasks.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The largest payload of a frame, bytes. A longer claim is an error before anything is allocated.
pub const MAX_FRAME: usize = 16 << 20;

/// What an agent writes before its first frame, so that whatever a login shell's rc files print
/// before it can be told from it. Not valid UTF-8, so no ordinary text holds it.
pub const MARKER: &[u8] = b"\xffship-agent\xfe";

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A JSON message.
    Message(Vec<u8>),
    /// A piece of bulk data.
    Data(Vec<u8>),
}

impl Frame {
    /// A message frame that holds `message`.
    ///
    /// # Errors
    /// When it does not serialize or is larger than [`MAX_FRAME`].
    pub fn message<T: Serialize>(message: &T) -> io::Result<Self> {
        let payload = serde_json::to_vec(message)?;
        if payload.len() > MAX_FRAME {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "message too large",
            ));
        }
        Ok(Self::Message(payload))
    }

    /// The frame's bytes on the wire.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let (kind, payload) = match self {
            Self::Message(payload) => (0u8, payload),
            Self::Data(payload) => (1u8, payload),
        };
        let mut bytes = Vec::with_capacity(payload.len() + 5);
        bytes.push(kind);
        bytes.extend_from_slice(
            &u32::try_from(payload.len())
                .unwrap_or(u32::MAX)
                .to_le_bytes(),
        );
        bytes.extend_from_slice(payload);
        bytes
    }

    /// Reads the message of this frame.
    ///
    /// # Errors
    /// When it is data, or not a `T`.
    pub fn parse<T: DeserializeOwned>(&self) -> io::Result<T> {
        match self {
            Self::Message(payload) => Ok(serde_json::from_slice(payload)?),
            Self::Data(_) => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "expected a message, found data",
            )),
        }
    }

    fn of(kind: u8, payload: Vec<u8>) -> io::Result<Self> {
        match kind {
            0 => Ok(Self::Message(payload)),
            1 => Ok(Self::Data(payload)),
            _ => Err(bad_header(kind, payload.len())),
        }
    }
}

fn bad_header(kind: u8, length: usize) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("not a frame: kind {kind}, length {length}; the stream is damaged"),
    )
}

fn check_header(header: [u8; 5]) -> io::Result<(u8, usize)> {
    let length = u32::from_le_bytes([header[1], header[2], header[3], header[4]]) as usize;
    if header[0] > 1 || length > MAX_FRAME {
        return Err(bad_header(header[0], length));
    }
    Ok((header[0], length))
}

/// Reads frames from a blocking stream.
#[derive(Debug)]
pub struct FrameReader<R>(R);

impl<R: Read> FrameReader<R> {
    /// Reads from `inner`.
    pub fn new(inner: R) -> Self {
        Self(inner)
    }

    /// The next frame; `None` at the end of the stream.
    ///
    /// # Errors
    /// When the stream fails, ends inside a frame, or does not hold frames.
    pub fn next_frame(&mut self) -> io::Result<Option<Frame>> {
        let mut header = [0u8; 5];
        if !read_header(&mut self.0, &mut header)? {
            return Ok(None);
        }
        let (kind, length) = check_header(header)?;
        let mut payload = Vec::new();
        // `take` and `read_to_end` allocate as bytes arrive, not as the peer claims.
        let got = (&mut self.0)
            .take(length as u64)
            .read_to_end(&mut payload)?;
        if got < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Frame::of(kind, payload).map(Some)
    }
}

/// Fills `header`; `false` at a clean end of the stream.
fn read_header(reader: &mut impl Read, header: &mut [u8; 5]) -> io::Result<bool> {
    let mut filled = 0;
    while filled < header.len() {
        match reader.read(&mut header[filled..]) {
            Ok(0) if filled == 0 => return Ok(false),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// Reads frames from an async stream. What came of a frame is kept here, so that a read may be
/// given up at any moment and begun anew.
#[derive(Debug, Default)]
pub struct FrameBuffer(Vec<u8>);

/// The length of a frame's header, bytes.
const HEADER: usize = 5;

impl FrameBuffer {
    /// The next frame; `None` at the end of the stream. Cancel safe.
    ///
    /// # Errors
    /// As [`FrameReader::next_frame`].
    pub async fn next_frame<R: AsyncRead + Unpin>(
        &mut self,
        reader: &mut R,
    ) -> io::Result<Option<Frame>> {
        loop {
            let wanted = match self.0.first_chunk::<HEADER>() {
                None => HEADER,
                Some(header) => {
                    let (kind, length) = check_header(*header)?;
                    if self.0.len() == HEADER + length {
                        let payload = self.0.split_off(HEADER);
                        self.0.clear();
                        return Frame::of(kind, payload).map(Some);
                    }
                    HEADER + length
                }
            };
            let missing = wanted - self.0.len();
            // Allocates as bytes arrive, not as the peer claims. `read_buf` is cancel safe.
            let got = reader.take(missing as u64).read_buf(&mut self.0).await?;
            if got == 0 {
                return match self.0.is_empty() {
                    true => Ok(None),
                    false => Err(io::ErrorKind::UnexpectedEof.into()),
                };
            }
        }
    }
}

/// Writes frames to a blocking stream, flushing each.
#[derive(Debug)]
pub struct FrameWriter<W>(W);

impl<W: Write> FrameWriter<W> {
    /// Writes to `inner`.
    pub fn new(inner: W) -> Self {
        Self(inner)
    }

    /// Sends one message.
    ///
    /// # Errors
    /// When the stream fails.
    pub fn send<T: Serialize>(&mut self, message: &T) -> io::Result<()> {
        self.write(&Frame::message(message)?)
    }

    /// Sends one frame.
    ///
    /// # Errors
    /// When the stream fails.
    pub fn write(&mut self, frame: &Frame) -> io::Result<()> {
        self.0.write_all(&frame.encode())?;
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_claimed_length_is_not_believed() {
        let bytes = [0u8, 0xff, 0xff, 0xff, 0x00];
        assert!(FrameReader::new(&bytes[..]).next_frame().is_err());
        let huge = [0u8, 0xff, 0xff, 0xff, 0xff];
        assert!(FrameReader::new(&huge[..]).next_frame().is_err());
    }

    proptest! {
        #[test]
        fn frames_survive_the_wire(payload in proptest::collection::vec(any::<u8>(), 0..2000), data: bool) {
            let frame = if data { Frame::Data(payload) } else { Frame::Message(payload) };
            let bytes = frame.encode();
            prop_assert_eq!(FrameReader::new(&bytes[..]).next_frame().unwrap(), Some(frame));
        }

        /// A stream that gives a few bytes at a time, read by somebody who gives up again and again.
        #[test]
        fn a_read_that_is_given_up_loses_nothing(
            frames in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..300), any::<bool>()), 0..5),
            cuts in proptest::collection::vec(1usize..40, 1..20)
        ) {
            let frames: Vec<Frame> = frames
                .into_iter()
                .map(|(payload, data)| if data { Frame::Data(payload) } else { Frame::Message(payload) })
                .collect();
            let bytes: Vec<u8> = frames.iter().flat_map(Frame::encode).collect();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let read = runtime.block_on(async {
                let (mut far, mut near) = tokio::io::duplex(1 << 16);
                let (mut buffer, mut read, mut at) = (FrameBuffer::default(), Vec::new(), 0);
                for cut in cuts.iter().cycle() {
                    let end = (at + cut).min(bytes.len());
                    tokio::io::AsyncWriteExt::write_all(&mut far, &bytes[at..end]).await.unwrap();
                    at = end;
                    let mut given_up = false;
                    while !given_up {
                        tokio::select! {
                            biased;
                            frame = buffer.next_frame(&mut near) => read.extend(frame.unwrap()),
                            () = std::future::ready(()) => given_up = true,
                        }
                    }
                    if at == bytes.len() {
                        break;
                    }
                }
                drop(far);
                assert_eq!(buffer.next_frame(&mut near).await.unwrap(), None);
                read
            });
            prop_assert_eq!(read, frames);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = FrameReader::new(&bytes[..]);
            while let Ok(Some(_)) = reader.next_frame() {}
        }
    }
}
