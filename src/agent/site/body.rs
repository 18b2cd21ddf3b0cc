//! What is sent: a few bytes, or a file piece by piece.

use std::fs::File;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::body::{Bytes, Frame, SizeHint};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::{Response, StatusCode};
use tokio::io::{AsyncRead, ReadBuf};

/// How much of a file is in memory at a time, bytes.
pub const PIECE: usize = 64 << 10;

/// The body of a response.
#[derive(Debug)]
pub enum Body {
    /// Bytes in memory; empty once sent.
    Bytes(Bytes),
    /// The rest of a file.
    File(Rest),
}

/// A file on its way out.
#[derive(Debug)]
pub struct Rest {
    file: tokio::fs::File,
    left: u64,
    piece: Vec<u8>,
}

impl Body {
    /// No body.
    #[must_use]
    pub const fn empty() -> Self {
        Self::Bytes(Bytes::new())
    }

    /// The next `length` bytes of `file`.
    #[must_use]
    pub fn file(file: File, length: u64) -> Self {
        let mut file = tokio::fs::File::from_std(file);
        file.set_max_buf_size(PIECE);
        Self::File(Rest {
            file,
            left: length,
            piece: Vec::new(),
        })
    }
}

/// A response of plain text, not to be kept.
#[must_use]
pub fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::Bytes(text.into()));
    *response.status_mut() = status;
    for (name, value) in [
        (CONTENT_TYPE, "text/plain; charset=utf-8"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-cache"),
    ] {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

impl Rest {
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        if self.piece.is_empty() {
            let length = usize::try_from(self.left).unwrap_or(PIECE).min(PIECE);
            self.piece = vec![0; length];
        }
        let mut buffer = ReadBuf::new(&mut self.piece);
        let read = ready!(Pin::new(&mut self.file).poll_read(context, &mut buffer));
        let filled = buffer.filled().len();
        let mut piece = std::mem::take(&mut self.piece);
        piece.truncate(filled);
        Poll::Ready(Some(match read {
            Err(error) => Err(error),
            // The length is promised already: only breaking the connection tells the visitor.
            Ok(()) if filled == 0 => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(()) => {
                self.left = self.left.saturating_sub(filled as u64);
                Ok(Bytes::from(piece))
            }
        }))
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Bytes(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Bytes(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::File(rest) => rest
                .poll_piece(context)
                .map(|piece| piece.map(|bytes| bytes.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Bytes(bytes) => bytes.is_empty(),
            Self::File(rest) => rest.left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(rest) => rest.left,
        })
    }
}
