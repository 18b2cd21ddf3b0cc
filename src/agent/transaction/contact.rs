//! The controller as a transaction hears it: what was heard of it last, and what it asks.

use std::io::{self, Read};
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
    /// It was the end of the lease, whether the controller has come back since or not.
    pub(super) left: AtomicBool,
    /// How often the controller has come back.
    attached: AtomicU64,
    /// What was on its way to be staged before the controller came back for this time is void: it
    /// begins its offer anew.
    void_before: AtomicU64,
    /// The last request that came was to publish: what came before belongs to it.
    publishes: AtomicBool,
    /// What came is not taken from the connection, because the work does not keep up: whether the
    /// controller lives, nobody can hear.
    deaf: AtomicBool,
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
            left: AtomicBool::new(false),
            attached: AtomicU64::new(0),
            void_before: AtomicU64::new(0),
            publishes: AtomicBool::new(false),
            deaf: AtomicBool::new(false),
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
        if self.deaf.load(Ordering::Relaxed) {
            return 0;
        }
        let heard = self.heard_ms.load(Ordering::Relaxed);
        self.now_ms().saturating_sub(heard)
    }

    pub(super) fn lease_is_over(&self) -> bool {
        self.silence_ms() > self.lease_ms
    }

    /// Asks the work to stop when the lease is over, unless every host has proven the release.
    fn look_at_lease(&self) {
        if self.lease_is_over() && !self.precommitted.load(Ordering::Relaxed) && !self.stopped() {
            self.left.store(true, Ordering::Relaxed);
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    /// Its connection was closed, by whatever.
    fn closed(&self) {
        self.closed_ms.store(self.now_ms() + 1, Ordering::Relaxed);
    }

    /// It has a connection again; all that came on the one before is in the channel.
    pub(super) fn opened(&self) {
        self.closed_ms.store(0, Ordering::Relaxed);
        self.heard();
        let times = self.attached.fetch_add(1, Ordering::Relaxed) + 1;
        // As the controller sees it (`HostLink::rejoin_staging`).
        if !self.publishes.load(Ordering::Relaxed) {
            self.void_before.store(times, Ordering::Relaxed);
        }
    }

    /// Whether a frame that is taken from the channel after the controller came back so often is one
    /// whose answer nobody waits for any more.
    pub(super) fn is_void(&self, frame: &Frame, times: u64) -> bool {
        if times >= self.void_before.load(Ordering::Relaxed) {
            return false;
        }
        let counted = |message: ToAgent| message.is_counted();
        !frame.parse().is_ok_and(counted)
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

/// A connection on which each byte is a sign of life: over a slow link one frame may take longer
/// than the lease, and heartbeats come behind it.
struct Alive {
    stream: UnixStream,
    life: Arc<Life>,
}

impl Read for Alive {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.stream.read(buffer)?;
        if length > 0 {
            self.life.heard();
        }
        Ok(length)
    }
}

/// Reads frames from `stream` in a thread of its own, so that heartbeats and a cancel are heard
/// during long work. The channel is bounded: a sender that is faster than the disk waits.
pub(super) fn listen(
    stream: UnixStream,
    life: Arc<Life>,
    sender: mpsc::SyncSender<Heard>,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut reader = FrameReader::new(Alive {
            stream,
            life: Arc::clone(&life),
        });
        while let Ok(Some(frame)) = reader.next_frame() {
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
                        let publishes = matches!(message, ToAgent::Publish(_));
                        life.publishes.store(publishes, Ordering::Relaxed);
                        life.requests.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(_) => {}
                    Err(_) => break,
                },
                Frame::Data(_) => {}
            }
            if !pass_on(&life, &sender, frame) {
                return;
            }
        }
        life.closed();
    })
}

/// Passes a frame on; `false` when nobody takes it any more.
fn pass_on(life: &Life, sender: &mpsc::SyncSender<Heard>, frame: Frame) -> bool {
    match sender.try_send(Heard::Frame(frame)) {
        Ok(()) => true,
        Err(mpsc::TrySendError::Disconnected(_)) => false,
        Err(mpsc::TrySendError::Full(frame)) => {
            life.deaf.store(true, Ordering::Relaxed);
            let sent = sender.send(frame);
            // The controller's silence begins when it could be heard.
            life.heard();
            life.deaf.store(false, Ordering::Relaxed);
            sent.is_ok()
        }
    }
}

/// Keeps the lease, on a thread that does nothing else: it neither reads nor writes nor waits for a
/// lock, so that a disk, a program or a connection that hangs cannot delay the end of the lease.
pub(super) fn keep_lease(life: Arc<Life>) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(100));
            life.look_at_lease();
        }
    });
}

/// Says now and then that this end lives.
pub(super) fn beat(speaker: Speaker) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(HEARTBEAT_MS));
            speaker.say(&FromAgent::Heartbeat);
        }
    });
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::wire::FrameWriter;

    /// A controller's end, what is known of it (with a lease of 1 ms), and what it asks.
    fn connected(waiting: usize) -> (UnixStream, Arc<Life>, mpsc::Receiver<Heard>) {
        let (near, far) = UnixStream::pair().unwrap();
        let life = Arc::new(Life::new(1));
        let (sender, incoming) = mpsc::sync_channel(waiting);
        listen(near, Arc::clone(&life), sender);
        (far, life, incoming)
    }

    fn wait_until(is_so: impl Fn() -> bool) {
        let since = Instant::now();
        while !is_so() {
            assert!(
                since.elapsed() < Duration::from_secs(60),
                "it does not come"
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn a_part_of_a_frame_is_a_sign_of_life() {
        let (mut far, life, incoming) = connected(1);
        wait_until(|| life.lease_is_over());
        let before = life.now_ms();
        let frame = Frame::Data(vec![7; 100]).encode();
        for part in frame[..50].chunks(10) {
            far.write_all(part).unwrap();
        }
        wait_until(|| life.heard_ms.load(Ordering::Relaxed) >= before);
        assert!(incoming.try_recv().is_err(), "the frame is not there yet");
    }

    #[test]
    fn who_is_not_listened_to_is_not_silent() {
        let (far, life, incoming) = connected(1);
        let mut far = FrameWriter::new(far);
        for _ in 0..3 {
            far.write(&Frame::Data(vec![7; 100])).unwrap();
        }
        wait_until(|| life.deaf.load(Ordering::Relaxed));
        std::thread::sleep(Duration::from_millis(20));
        assert!(!life.lease_is_over() && life.is_near());
        for _ in 0..3 {
            assert!(matches!(incoming.recv(), Ok(Heard::Frame(_))));
        }
        wait_until(|| life.lease_is_over());
    }

    #[test]
    fn what_was_on_its_way_on_a_lost_connection_is_void() {
        let life = Life::new(1000);
        let data = Frame::Data(vec![7]);
        let [end_of_data, end] =
            [ToAgent::DataEnd, ToAgent::End].map(|m| Frame::message(&m).unwrap());
        assert!(!life.is_void(&data, 0));
        life.opened();
        assert!(life.is_void(&data, 0) && life.is_void(&end_of_data, 0));
        assert!(!life.is_void(&end, 0), "it is counted, and not sent again");
        assert!(!life.is_void(&data, 1));

        life.publishes.store(true, Ordering::Relaxed);
        life.opened();
        assert!(!life.is_void(&data, 1), "it is going to be published");
    }
}
