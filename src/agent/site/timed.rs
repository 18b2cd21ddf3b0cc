//! A connection that does not wait for ever: one visitor that stalls holds nothing for long.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// How long a connection may take for what.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From the first byte of a request to the end of its header.
    pub header: Duration,
    /// Without a request, and without progress of a response.
    pub idle: Duration,
}

const IDLE: u8 = 0;
const HEADER: u8 = 1;
const ANSWER: u8 = 2;

/// What a connection is doing; shared between its bytes and its requests.
#[derive(Debug, Clone, Default)]
pub struct Phase(Arc<AtomicU8>);

/// A request that is being answered, until this is dropped.
#[derive(Debug)]
pub struct Answering(Phase);

impl Phase {
    /// A request has been read.
    #[must_use]
    pub fn answering(&self) -> Answering {
        self.set(ANSWER);
        Answering(self.clone())
    }

    fn get(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, phase: u8) {
        self.0.store(phase, Ordering::Relaxed);
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.set(IDLE);
    }
}

/// A stream that fails with `TimedOut` when its peer is slower than the limits allow.
#[derive(Debug)]
pub struct Timed<S> {
    stream: S,
    phase: Phase,
    limits: Limits,
    timer: Pin<Box<Sleep>>,
    timer_of: u8,
}

impl<S> Timed<S> {
    /// A stream that begins without a request.
    pub fn new(stream: S, phase: Phase, limits: Limits) -> Self {
        let timer = Box::pin(tokio::time::sleep(limits.idle));
        Self {
            stream,
            phase,
            limits,
            timer,
            timer_of: IDLE,
        }
    }

    /// Starts the time of the present phase anew.
    fn restart(&mut self) {
        self.timer_of = self.phase.get();
        let limit = if self.timer_of == HEADER {
            self.limits.header
        } else {
            self.limits.idle
        };
        self.timer.as_mut().reset(Instant::now() + limit);
    }

    /// Nothing can be done now: waits for the peer, within the limit.
    fn wait<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if self.timer_of != self.phase.get() {
            self.restart();
        }
        self.timer
            .as_mut()
            .poll(context)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Bytes went through. Those of a header do not make its time longer.
    fn progress(&mut self) {
        if self.phase.get() != HEADER {
            self.restart();
        }
    }

    fn written(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Pending => self.wait(context),
            Poll::Ready(result) => {
                self.progress();
                Poll::Ready(result)
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        match Pin::new(&mut this.stream).poll_read(context, buffer) {
            Poll::Pending => this.wait(context),
            Poll::Ready(result) => {
                if buffer.filled().len() > before {
                    match this.phase.get() {
                        IDLE => {
                            this.phase.set(HEADER);
                            this.restart();
                        }
                        _ => this.progress(),
                    }
                }
                Poll::Ready(result)
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.written(written, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, pieces);
        this.written(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
