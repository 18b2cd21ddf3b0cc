//! Where others find a running transaction: its controller, back on another connection, and
//! whoever wants it to stop.

use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use super::contact::{Heard, Life, listen};
use super::speaker::Speaker;
use crate::agent::{Layout, socket};
use crate::model::Failure;
use crate::wire::{Attach, Attached, FrameReader, FrameWriter, FromAgent, ToAgent};

/// Below `<root>/.ship`, of whoever holds the lock.
const SOCKET: &str = "transaction.sock";

/// How long somebody who knocks may take to say what for.
const ASKING: Duration = Duration::from_secs(5);

/// How long one message to the controller may take to leave.
pub(super) const SENDING: Duration = Duration::from_secs(5);

/// The way to the transaction of `layout` that is running.
///
/// # Errors
/// `NotFound` or `ConnectionRefused` where none is.
pub(in crate::agent) fn knock(layout: &Layout) -> io::Result<UnixStream> {
    socket::connect(&layout.state(), SOCKET)
}

/// What a controller that comes back finds.
pub(super) struct Door {
    pub(super) transaction: String,
    pub(super) speaker: Speaker,
    pub(super) life: Arc<Life>,
    pub(super) sender: mpsc::SyncSender<Heard>,
    /// The connection that is heard, and who hears it.
    pub(super) heard: Mutex<Option<(UnixStream, JoinHandle<()>)>>,
}

/// The open door; nobody finds it any more when this is dropped.
pub(super) struct Opened(Layout);

impl Drop for Opened {
    fn drop(&mut self) {
        socket::remove(&self.0.state(), SOCKET);
    }
}

impl Door {
    /// Opens it, under the lock.
    ///
    /// # Errors
    /// Those of bind(2).
    pub(super) fn open(self, layout: &Layout) -> io::Result<Opened> {
        let listener = socket::bind(&layout.state(), SOCKET)?;
        let door = Arc::new(self);
        std::thread::spawn(move || door.keep(&listener));
        Ok(Opened(layout.clone()))
    }

    fn keep(self: Arc<Self>, listener: &UnixListener) {
        for caller in listener.incoming().flatten() {
            let door = Arc::clone(&self);
            std::thread::spawn(move || {
                let _ = door.answer(caller);
            });
        }
    }

    fn answer(&self, caller: UnixStream) -> io::Result<()> {
        caller.set_read_timeout(Some(ASKING))?;
        caller.set_write_timeout(Some(SENDING))?;
        let mut reader = FrameReader::new(caller.try_clone()?);
        let Some(first) = reader.next_frame()? else {
            return Ok(());
        };
        let reply = match first.parse()? {
            ToAgent::Attach(attach) if attach.transaction == self.transaction => {
                caller.set_read_timeout(None)?;
                return self.attach(&attach, caller);
            }
            ToAgent::CancelRunning { by } => self.cancel(&by),
            _ => FromAgent::Ended(None),
        };
        FrameWriter::new(caller).send(&reply)
    }

    /// Hears and speaks to the controller on `caller` from now on.
    fn attach(&self, attach: &Attach, caller: UnixStream) -> io::Result<()> {
        // One after the other, where a controller comes twice.
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((old, listener)) = heard.take() {
            // What came on it is read to its end, and comes first.
            let _ = old.shutdown(std::net::Shutdown::Both);
            let _ = listener.join();
        }
        self.life.opened();
        self.speaker.move_to(caller.try_clone()?, attach);
        // A long request is not interrupted by this; in all other cases it is told when everything
        // that came before was handled.
        let told = self.life.is_busy();
        if told {
            tell(&self.speaker, &self.life);
        }
        if self.sender.send(Heard::Attached { told }).is_ok() {
            let stream = caller.try_clone()?;
            let listener = listen(stream, Arc::clone(&self.life), self.sender.clone());
            *heard = Some((caller, listener));
        }
        Ok(())
    }

    fn cancel(&self, by: &str) -> FromAgent {
        if self.life.precommitted.load(Ordering::Relaxed) {
            return FromAgent::Failed(Failure::refused(
                "the release is proven on every host and is being confirmed",
            ));
        }
        // First, as saying so may wait for a connection.
        self.life.stop.store(true, Ordering::Relaxed);
        self.speaker.cancelled(by);
        FromAgent::Done
    }
}

/// Says how many requests came.
pub(super) fn tell(speaker: &Speaker, life: &Life) {
    let requests = life.requests.load(Ordering::Relaxed);
    speaker.say(&FromAgent::Attached(Attached { requests }));
}
