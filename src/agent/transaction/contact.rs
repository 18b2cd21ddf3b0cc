//! The controller as a transaction hears it: what was heard of it last, and what it asks.

use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::speaker::Speaker;
use crate::wire::{Frame, FrameReader, FromAgent, ToAgent};

/// How often the agent says that it lives, ms.
const HEARTBEAT_MS: u64 = 2_000;

/// A controller that was heard of within this time is there, ms: two of its heartbeats and a bit.
const NEAR_MS: u64 = 5_000;

/// How long a controller whose connection was closed is waited for while nothing is activated, ms:
/// it comes back within a second, or not at all, and the lock is wanted by others.
const GONE_MS: u64 = 10_000;

/// What is known of the controller.
pub(super) struct Life {
    started: Instant,
    heard_ms: AtomicU64,
    pub(super) lease_ms: u64,
    /// When its connection was closed, ms, plus one; 0 while one is open.
    closed_ms: AtomicU64,
    /// Cancelled, or the lease ended.
    pub(super) stop: AtomicBool,
    /// Requests that came ([`ToAgent::is_counted`]).
    pub(super) requests: AtomicU64,
    /// Answers that were given to them.
    pub(super) answered: AtomicU64,
    /// Every host has proven the release: it is not interrupted any more.
    pub(super) precommitted: AtomicBool,
    /// What is being watched was watched long enough, says the controller.
    pub(super) enough: AtomicBool,
}

impl Life {
    pub(super) fn new(lease_ms: u64) -> Self {
        Self {
            started: Instant::now(),
            heard_ms: AtomicU64::new(0),
            lease_ms,
            closed_ms: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            // `Begin` is what it began with.
            requests: AtomicU64::new(1),
            answered: AtomicU64::new(0),
            precommitted: AtomicBool::new(false),
            enough: AtomicBool::new(false),
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn heard(&self) {
        self.heard_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    fn silence_ms(&self) -> u64 {
        let heard = self.heard_ms.load(Ordering::Relaxed);
        self.now_ms().saturating_sub(heard)
    }

    pub(super) fn lease_is_over(&self) -> bool {
        self.silence_ms() > self.lease_ms
    }

    /// Its connection was closed, by whatever.
    fn closed(&self) {
        self.closed_ms.store(self.now_ms() + 1, Ordering::Relaxed);
    }

    /// It has a connection again.
    pub(super) fn opened(&self) {
        self.closed_ms.store(0, Ordering::Relaxed);
        self.heard();
    }

    fn is_closed(&self) -> bool {
        self.closed_ms.load(Ordering::Relaxed) != 0
    }

    /// Whether the controller is there: its connection is open, and it was heard of a moment ago.
    pub(super) fn is_near(&self) -> bool {
        !self.is_closed() && self.silence_ms() <= NEAR_MS
    }

    /// Whether nobody will come back who could go on with what is not activated yet.
    pub(super) fn is_abandoned(&self) -> bool {
        let closed = self.closed_ms.load(Ordering::Relaxed);
        let gone = closed != 0 && self.now_ms().saturating_sub(closed) > GONE_MS;
        gone || self.lease_is_over()
    }

    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether a request is being worked on.
    pub(super) fn is_busy(&self) -> bool {
        self.requests.load(Ordering::Relaxed) > self.answered.load(Ordering::Relaxed)
    }
}

/// What comes to a transaction, in its order.
pub(super) enum Heard {
    Frame(Frame),
    /// The controller came back on another connection; what follows comes from there.
    Attached {
        /// Whether it was told already where the transaction is.
        told: bool,
    },
}

/// Reads frames in a thread of its own, so that heartbeats and a cancel are heard during long
/// work. The channel is bounded: a sender that is faster than the disk waits.
pub(super) fn listen(
    mut reader: FrameReader<UnixStream>,
    life: Arc<Life>,
    sender: mpsc::SyncSender<Heard>,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        while let Ok(Some(frame)) = reader.next_frame() {
            life.heard();
            match &frame {
                Frame::Message(_) => match frame.parse::<ToAgent>() {
                    Ok(ToAgent::Heartbeat) => continue,
                    Ok(ToAgent::Cancel) => {
                        life.stop.store(true, Ordering::Relaxed);
                        continue;
                    }
                    Ok(ToAgent::EndWatch) => {
                        life.enough.store(true, Ordering::Relaxed);
                        continue;
                    }
                    Ok(message) if message.is_counted() => {
                        life.requests.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(_) => {}
                    Err(_) => break,
                },
                Frame::Data(_) => {}
            }
            if sender.send(Heard::Frame(frame)).is_err() {
                return;
            }
        }
        life.closed();
    })
}

pub(super) fn beat(speaker: Speaker, life: Arc<Life>) {
    std::thread::spawn(move || {
        let mut since = Instant::now();
        loop {
            std::thread::sleep(Duration::from_millis(100));
            if life.lease_is_over() && !life.precommitted.load(Ordering::Relaxed) {
                life.stop.store(true, Ordering::Relaxed);
            }
            if since.elapsed() >= Duration::from_millis(HEARTBEAT_MS) {
                speaker.say(&FromAgent::Heartbeat);
                since = Instant::now();
            }
        }
    });
}
