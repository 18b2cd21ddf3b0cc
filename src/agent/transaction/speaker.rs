//! How a transaction speaks to its controller, and remembers what it said: a controller that comes
//! back on another connection is told what it missed.

use std::collections::VecDeque;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::agent::secrets::Secrets;
use crate::model::Texts;
use crate::model::event::HostEvent;
use crate::wire::{Attach, FrameWriter, FromAgent};

/// The newest events that are kept to be told again.
const EVENTS: usize = 4_096;

/// The newest answers that are kept: more are never under way at once.
const ANSWERS: usize = 4;

/// Says things to the controller. While nobody listens, what is said is only remembered.
#[derive(Clone)]
pub(super) struct Speaker {
    /// Masked in all that is said, before it is kept or written.
    secrets: Secrets,
    inner: Arc<Mutex<Inner>>,
    /// Who else hears the events, in this order. Behind a lock of its own: a disk that hangs keeps
    /// neither heartbeats nor a cancel from being said.
    subscribers: Arc<Mutex<Vec<Subscriber>>>,
}

/// Hears each event.
pub(super) type Subscriber = Box<dyn FnMut(&HostEvent) + Send>;

struct Inner {
    writer: Option<FrameWriter<UnixStream>>,
    events: Kept<HostEvent>,
    answers: Kept<FromAgent>,
    cancelled_by: Option<String>,
}

/// The newest of what was said, and how much was said before.
struct Kept<T> {
    before: u64,
    most: usize,
    newest: VecDeque<T>,
}

impl<T: Clone> Kept<T> {
    fn new(most: usize) -> Self {
        Self {
            before: 0,
            most,
            newest: VecDeque::new(),
        }
    }

    fn push(&mut self, item: T) {
        if self.newest.len() == self.most {
            self.newest.pop_front();
            self.before += 1;
        }
        self.newest.push_back(item);
    }

    /// What came after the first `had`.
    fn after(&self, had: u64) -> Vec<T> {
        let skip = usize::try_from(had.saturating_sub(self.before)).unwrap_or(usize::MAX);
        self.newest.iter().skip(skip).cloned().collect()
    }
}

impl Speaker {
    pub(super) fn new(socket: UnixStream, secrets: Secrets) -> Self {
        Self {
            secrets,
            inner: Arc::new(Mutex::new(Inner {
                writer: Some(FrameWriter::new(socket)),
                events: Kept::new(EVENTS),
                answers: Kept::new(ANSWERS),
                cancelled_by: None,
            })),
            subscribers: Arc::default(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on `subscriber` hears what is said, after what was said already.
    pub(super) fn subscribe(&self, mut subscriber: Subscriber) {
        let said: Vec<HostEvent> = self.inner().events.newest.iter().cloned().collect();
        for event in &said {
            subscriber(event);
        }
        self.subscribers().push(subscriber);
    }

    fn subscribers(&self) -> MutexGuard<'_, Vec<Subscriber>> {
        let subscribers = self.subscribers.lock();
        subscribers.unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn say(&self, message: &FromAgent) {
        // Masking may read from the disk, which must not hold up a sign of life.
        if matches!(message, FromAgent::Heartbeat) {
            return self.inner().send(message);
        }
        let message = self.masked(message.clone());
        let mut inner = self.inner();
        if message.is_answer() {
            inner.answers.push(message.clone());
        }
        inner.send(&message);
    }

    pub(super) fn event(&self, event: HostEvent) {
        let event = self.masked(event);
        for subscriber in self.subscribers().iter_mut() {
            subscriber(&event);
        }
        let mut inner = self.inner();
        inner.events.push(event.clone());
        inner.send(&FromAgent::Event(event));
    }

    fn masked<T: Texts>(&self, mut said: T) -> T {
        self.secrets.mask(&mut said);
        said
    }

    /// Tells the controller, now or when it comes back, that `by` wants it to stop.
    pub(super) fn cancelled(&self, by: &str) {
        let mut inner = self.inner();
        inner.cancelled_by = Some(by.to_owned());
        inner.send(&FromAgent::CancelAsked { by: by.to_owned() });
    }

    /// What masks what is said.
    pub(super) fn secrets(&self) -> Secrets {
        self.secrets.clone()
    }

    pub(super) fn cancelled_by(&self) -> Option<String> {
        self.inner().cancelled_by.clone()
    }

    /// Speaks on `socket` from now on, and says there what the controller had not had.
    pub(super) fn move_to(&self, socket: UnixStream, had: &Attach) {
        let mut inner = self.inner();
        inner.writer = Some(FrameWriter::new(socket));
        for event in inner.events.after(had.events) {
            inner.send(&FromAgent::Event(event));
        }
        for answer in inner.answers.after(had.answers) {
            inner.send(&answer);
        }
        if let Some(by) = inner.cancelled_by.clone() {
            inner.send(&FromAgent::CancelAsked { by });
        }
    }
}

impl Inner {
    /// Once that failed, nothing is sent until there is another connection.
    fn send(&mut self, message: &FromAgent) {
        if let Some(open) = self.writer.as_mut()
            && open.send(message).is_err()
        {
            self.writer = None;
        }
    }
}
