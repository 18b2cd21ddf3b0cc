//! The decompressed stream on its way to its places: at once while it is short, else by a thread of
//! its own, beside the decompressor.

use std::io::{self, Write};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use super::chunk::Chunk;
use super::error::TreeError;
use super::records::Records;
use crate::model::Digest;

/// After so many bytes the stream is a long one: what is placed in a few ms needs no thread.
const LONG: usize = 1 << 20;
/// What the thread is given at a time, bytes.
const BLOCK: usize = 256 << 10;
/// So many blocks may wait for it.
const WAITING: usize = 8;

/// Takes what the decompressor makes.
#[derive(Debug)]
pub(super) struct Placing {
    at: Place,
    /// Bytes placed at once.
    taken: usize,
    /// What an error of the decompressor cannot carry.
    error: Option<TreeError>,
}

#[derive(Debug)]
enum Place {
    Here(Box<Records>),
    Beside(Beside),
    /// It failed.
    Nowhere,
}

impl Placing {
    pub(super) fn new(records: Records) -> Self {
        Self {
            at: Place::Here(Box::new(records)),
            taken: 0,
            error: None,
        }
    }

    /// As [`Records::chunks`]; none when that is not known any more.
    pub(super) fn chunks(&mut self, digest: &Digest) -> Vec<Chunk> {
        match &mut self.at {
            Place::Here(records) => records.chunks(digest),
            Place::Beside(_) | Place::Nowhere => Vec::new(),
        }
    }

    /// Why a write failed, once.
    pub(super) fn take_error(&mut self) -> Option<TreeError> {
        self.error.take()
    }

    /// Waits until all of it is placed; `None` when it failed before.
    ///
    /// # Errors
    /// What came of the last bytes.
    pub(super) fn end(self) -> Result<Option<Records>, TreeError> {
        match self.at {
            Place::Here(records) => Ok(Some(*records)),
            Place::Beside(beside) => beside.end(),
            Place::Nowhere => Ok(None),
        }
    }

    /// A stream that has become long goes on in a thread, where there can be one.
    fn look_beside(&mut self) {
        if self.taken < LONG || !matches!(self.at, Place::Here(_)) {
            return;
        }
        self.taken = 0;
        if let Place::Here(records) = std::mem::replace(&mut self.at, Place::Nowhere) {
            self.at = match Beside::begin(records) {
                Ok(beside) => Place::Beside(beside),
                Err(records) => Place::Here(records),
            };
        }
    }

    /// Nothing more can be placed; what was is gone.
    fn fail(&mut self, why: Option<TreeError>) -> io::Error {
        let why = match std::mem::replace(&mut self.at, Place::Nowhere) {
            Place::Beside(beside) => beside.end().err(),
            Place::Here(_) | Place::Nowhere => why,
        };
        self.error = why;
        io::ErrorKind::BrokenPipe.into()
    }
}

impl Write for Placing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.look_beside();
        let placed = match &mut self.at {
            Place::Here(records) => records.take(bytes).map_err(Some),
            Place::Beside(beside) => beside.take(bytes).map_err(|Ended| None),
            Place::Nowhere => Err(None),
        };
        self.taken += bytes.len();
        placed.map_err(|why| self.fail(why))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = match &mut self.at {
            Place::Here(_) => Ok(()),
            Place::Beside(beside) => beside.flush(),
            Place::Nowhere => Err(Ended),
        };
        flushed.map_err(|Ended| self.fail(None))
    }
}

/// The thread takes no more.
struct Ended;

/// Places blocks in a thread. Dropped, it waits for the thread.
#[derive(Debug)]
struct Beside {
    /// What is not given to the thread yet.
    block: Vec<u8>,
    blocks: Option<SyncSender<Vec<u8>>>,
    /// Blocks that were placed, to be filled again.
    used: Arc<Mutex<Vec<Vec<u8>>>>,
    thread: Option<JoinHandle<Placed>>,
}

/// What a thread ends with: all placed, if it was given anything.
type Placed = Result<Option<Box<Records>>, TreeError>;

impl Beside {
    /// Goes on with `records`, which come back when the system has no thread for them.
    fn begin(records: Box<Records>) -> Result<Self, Box<Records>> {
        let (hand_over, handed_over) = sync_channel::<Box<Records>>(1);
        let (blocks, coming) = sync_channel::<Vec<u8>>(WAITING);
        let used = Arc::new(Mutex::new(Vec::new()));
        let give_back = Arc::clone(&used);
        let thread = Builder::new().spawn(move || {
            let Ok(mut records) = handed_over.recv() else {
                return Ok(None);
            };
            for mut block in coming {
                records.take(&block)?;
                block.clear();
                lock(&give_back).push(block);
            }
            Ok(Some(records))
        });
        let Ok(thread) = thread else {
            return Err(records);
        };
        hand_over.send(records).map_err(|unsent| unsent.0)?;
        Ok(Self {
            block: Vec::with_capacity(BLOCK),
            blocks: Some(blocks),
            used,
            thread: Some(thread),
        })
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        if self.block.len() + bytes.len() > BLOCK {
            self.flush()?;
        }
        self.block.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Ended> {
        if self.block.is_empty() {
            return Ok(());
        }
        let next = lock(&self.used).pop();
        let next = next.unwrap_or_else(|| Vec::with_capacity(BLOCK));
        let block = std::mem::replace(&mut self.block, next);
        let given = self.blocks.as_ref().map(|blocks| blocks.send(block));
        given.and_then(Result::ok).ok_or(Ended)
    }

    /// Waits for what the thread was given.
    fn end(mut self) -> Result<Option<Records>, TreeError> {
        // Whether it takes the rest, it says itself.
        let _ = self.flush();
        self.blocks = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(placed)) => Ok(placed?.map(|records| *records)),
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Ok(None),
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.blocks = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock(used: &Mutex<Vec<Vec<u8>>>) -> MutexGuard<'_, Vec<Vec<u8>>> {
    used.lock().unwrap_or_else(PoisonError::into_inner)
}
