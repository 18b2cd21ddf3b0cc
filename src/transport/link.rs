//! A framed connection to an agent, with what it cost.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::mpsc;

use crate::wire::frame::FrameBuffer;
use crate::wire::{Frame, FromAgent, ToAgent};

/// What must live as long as the connection (a child process, an SSH session).
pub type Guard = Box<dyn Send>;

/// What the connection cost so far, bytes.
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    sent: Arc<AtomicU64>,
    content: Arc<AtomicU64>,
    received: Arc<AtomicU64>,
}

impl Traffic {
    /// Bytes written to the agent.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Bytes written to the agent in frames of data: neither requests nor heartbeats.
    #[must_use]
    pub fn content(&self) -> u64 {
        self.content.load(Ordering::Relaxed)
    }

    /// Bytes read from the agent.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

/// The sending half: cheap to clone, so that heartbeats go out during long work.
#[derive(Debug, Clone)]
pub struct LinkSender(mpsc::Sender<Frame>);

impl LinkSender {
    /// Sends one frame; waits while the wire is slower than the caller.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn frame(&self, frame: Frame) -> io::Result<()> {
        self.0
            .send(frame)
            .await
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// Sends one message.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn message(&self, message: &ToAgent) -> io::Result<()> {
        self.frame(Frame::message(message)?).await
    }
}

/// A connection to an agent.
pub struct Link {
    sender: LinkSender,
    reader: Box<dyn AsyncRead + Send + Unpin>,
    buffer: FrameBuffer,
    traffic: Traffic,
    /// Whether the agent had to be sent first.
    pub agent_sent: bool,
    stderr: Arc<std::sync::Mutex<String>>,
    _guard: Guard,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

impl Link {
    /// A link over a stream on which an agent has said its marker already.
    pub fn new(
        reader: impl AsyncRead + Send + Unpin + 'static,
        writer: impl AsyncWrite + Send + Unpin + 'static,
        guard: Guard,
    ) -> Self {
        let traffic = Traffic::default();
        // Few frames: thirty hosts each have such a queue.
        let (sender, frames) = mpsc::channel(4);
        tokio::spawn(write_frames(writer, frames, traffic.clone()));
        let reader = Counted {
            inner: reader,
            count: Arc::clone(&traffic.received),
        };
        Self {
            sender: LinkSender(sender),
            reader: Box::new(reader),
            buffer: FrameBuffer::default(),
            traffic,
            agent_sent: false,
            stderr: Arc::default(),
            _guard: guard,
        }
    }

    /// Keeps what the remote side says on standard error, for the day something goes wrong.
    #[must_use]
    pub fn with_stderr(mut self, stderr: Arc<std::sync::Mutex<String>>) -> Self {
        self.stderr = stderr;
        self
    }

    /// What the remote side said on standard error so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr
            .lock()
            .map(|text| text.trim().to_owned())
            .unwrap_or_default()
    }

    /// The sending half.
    #[must_use]
    pub fn sender(&self) -> LinkSender {
        self.sender.clone()
    }

    /// What the connection cost so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.traffic.clone()
    }

    /// The next frame; `None` when the agent is gone. Cancel safe.
    ///
    /// # Errors
    /// When the connection fails or the stream is damaged.
    pub async fn frame(&mut self) -> io::Result<Option<Frame>> {
        self.buffer.next_frame(&mut self.reader).await
    }

    /// The next message; `None` when the agent is gone. Cancel safe.
    ///
    /// # Errors
    /// When the connection fails, the stream is damaged, or data comes instead.
    pub async fn message(&mut self) -> io::Result<Option<FromAgent>> {
        self.frame().await?.map(|frame| frame.parse()).transpose()
    }
}

async fn write_frames(
    mut writer: impl AsyncWrite + Unpin,
    mut frames: mpsc::Receiver<Frame>,
    traffic: Traffic,
) {
    while let Some(frame) = frames.recv().await {
        let bytes = frame.encode();
        if writer.write_all(&bytes).await.is_err() || writer.flush().await.is_err() {
            return;
        }
        let written = bytes.len() as u64;
        traffic.sent.fetch_add(written, Ordering::Relaxed);
        if matches!(frame, Frame::Data(_)) {
            traffic.content.fetch_add(written, Ordering::Relaxed);
        }
    }
    let _ = writer.shutdown().await;
}

struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: AsyncRead + Unpin> AsyncRead for Counted<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        self.count
            .fetch_add((buf.filled().len() - before) as u64, Ordering::Relaxed);
        polled
    }
}
