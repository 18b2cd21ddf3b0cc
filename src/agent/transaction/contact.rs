//! The controller as a transaction sees it: what was heard of it, and how it is spoken to.

use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use crate::model::event::HostEvent;
use crate::wire::{Frame, FrameReader, FrameWriter, FromAgent, ToAgent};

/// How often the agent says that it lives, ms.
const HEARTBEAT_MS: u64 = 5_000;

/// A controller that was heard of within this time is there, ms.
const NEAR_MS: u64 = 7_000;

/// What is known of the controller.
pub(super) struct Life {
    pub(super) started: Instant,
    pub(super) heard_ms: AtomicU64,
    pub(super) lease_ms: u64,
    pub(super) gone: AtomicBool,
    /// Cancelled by the controller, or the lease ended.
    pub(super) stop: AtomicBool,
    /// What is being watched was watched long enough, says the controller.
    pub(super) enough: AtomicBool,
}

impl Life {
    pub(super) fn new(lease_ms: u64) -> Self {
        Self {
            started: Instant::now(),
            heard_ms: AtomicU64::new(0),
            lease_ms,
            gone: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            enough: AtomicBool::new(false),
        }
    }

    pub(super) fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(super) fn heard(&self) {
        self.heard_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    pub(super) fn lease_is_over(&self) -> bool {
        self.now_ms()
            .saturating_sub(self.heard_ms.load(Ordering::Relaxed))
            > self.lease_ms
    }

    /// Whether the controller is there: its connection is open, it wants to go on, and it was heard
    /// of within two of its heartbeats (3 s each).
    pub(super) fn is_near(&self) -> bool {
        let silence = self.now_ms() - self.heard_ms.load(Ordering::Relaxed).min(self.now_ms());
        !self.gone.load(Ordering::Relaxed) && !self.stopped() && silence <= NEAR_MS
    }

    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Says things to the controller; once that failed, it keeps silent.
#[derive(Clone)]
pub(super) struct Speaker(Arc<Mutex<Option<FrameWriter<UnixStream>>>>);

impl Speaker {
    pub(super) fn new(socket: UnixStream) -> Self {
        Self(Arc::new(Mutex::new(Some(FrameWriter::new(socket)))))
    }

    pub(super) fn say(&self, message: &FromAgent) {
        let mut writer = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(open) = writer.as_mut()
            && open.send(message).is_err()
        {
            *writer = None;
        }
    }

    pub(super) fn event(&self, event: HostEvent) {
        self.say(&FromAgent::Event(event));
    }
}

/// Reads frames in a thread of its own, so that heartbeats and a cancel are heard during long
/// work. The channel is bounded: a sender that is faster than the disk waits.
pub(super) fn listen(
    mut reader: FrameReader<UnixStream>,
    life: Arc<Life>,
) -> mpsc::Receiver<Frame> {
    let (sender, receiver) = mpsc::sync_channel(64);
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
                    Ok(_) => {}
                    Err(_) => break,
                },
                Frame::Data(_) => {}
            }
            if sender.send(frame).is_err() {
                return;
            }
        }
        life.gone.store(true, Ordering::Relaxed);
    });
    receiver
}

pub(super) fn beat(speaker: Speaker, life: Arc<Life>) {
    std::thread::spawn(move || {
        let mut since = Instant::now();
        loop {
            std::thread::sleep(Duration::from_millis(100));
            if life.lease_is_over() {
                life.stop.store(true, Ordering::Relaxed);
            }
            if since.elapsed() >= Duration::from_millis(HEARTBEAT_MS) {
                speaker.say(&FromAgent::Heartbeat);
                since = Instant::now();
            }
        }
    });
}
