//! Feeding one host: the archives of runtimes that it lacks, then the packed content, without
//! waiting for an answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::archives::OpenArchive;
use super::spool::{Broken, SpoolReader};
use crate::model::event::{HostEvent, Sink};
use crate::model::{Failure, HostName, HostRuntime, Sha256};
use crate::transport::link::LinkSender;
use crate::wire::{Frame, ToAgent};

/// The size of a data frame, bytes. Each of thirty hosts has some of them on its way; with twice as
/// much the controller's largest resident set was half as large again, and nothing was quicker.
const PIECE: usize = 64 << 10;

/// How often progress is told.
const TELL: Duration = Duration::from_millis(100);

/// Why a host was not fed to the end.
pub(super) enum Unsent {
    /// The connection is gone.
    Gone,
    /// Something of the release cannot be read, or stored for the hosts.
    Here(Broken),
    /// Somebody ended it.
    Interrupted,
    /// It is for another reason of this end.
    Failed(Failure),
}

/// What feeding a host took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fed {
    pub(super) sent: u64,
    pub(super) waited: Duration,
    pub(super) took: Duration,
}

/// A host that is being fed.
pub(super) struct Feed<'a> {
    sink: &'a Sink,
    host: &'a HostName,
    sender: &'a LinkSender,
    /// Bytes of all that it shall get, before compression.
    total: u64,
    /// Bytes of archives that it got.
    archived: u64,
    started: Instant,
    told: Instant,
    fed: Fed,
}

impl<'a> Feed<'a> {
    pub(super) fn new(
        sink: &'a Sink,
        host: &'a HostName,
        sender: &'a LinkSender,
        total: u64,
    ) -> Self {
        let now = Instant::now();
        Self {
            sink,
            host,
            sender,
            total,
            archived: 0,
            started: now,
            told: now,
            fed: Fed::default(),
        }
    }

    /// Sends the archive of `runtime`, as it is, from byte `from` on.
    pub(super) async fn archive(
        &mut self,
        runtime: &HostRuntime,
        sha256: Sha256,
        archive: &Arc<OpenArchive>,
        from: u64,
    ) -> Result<(), Unsent> {
        let name = format!("{} {}", runtime.name, runtime.version);
        self.message(&ToAgent::Archive { sha256, from }).await?;
        let mut at = from;
        loop {
            let read = archive.next(at).await;
            let bytes = read.map_err(|error| {
                let message = format!("the archive of {name} cannot be read: {error}");
                Unsent::Failed(Failure::unexpected(message))
            })?;
            if bytes.is_empty() {
                break;
            }
            let length = bytes.len() as u64;
            self.data(bytes).await?;
            at += length;
            self.archived += length;
            self.tell(0, Some(&name));
        }
        self.message(&ToAgent::DataEnd).await
    }

    /// Sends a packed stream.
    pub(super) async fn content(&mut self, mut stream: SpoolReader) -> Result<(), Unsent> {
        while let Some((bytes, done)) = stream.next(PIECE).await.map_err(Unsent::Here)? {
            self.data(bytes).await?;
            self.tell(done, None);
        }
        self.message(&ToAgent::DataEnd).await
    }

    /// What it took.
    pub(super) fn end(mut self) -> Fed {
        self.fed.took = self.started.elapsed();
        self.fed
    }

    async fn message(&self, message: &ToAgent) -> Result<(), Unsent> {
        let sent = self.sender.message(message).await;
        sent.map_err(|_| Unsent::Gone)
    }

    async fn data(&mut self, bytes: Vec<u8>) -> Result<(), Unsent> {
        self.fed.sent += bytes.len() as u64;
        let since = Instant::now();
        let sent = self.sender.frame(Frame::Data(bytes)).await;
        self.fed.waited += since.elapsed();
        sent.map_err(|_| Unsent::Gone)
    }

    fn tell(&mut self, content: u64, runtime: Option<&str>) {
        if self.told.elapsed() < TELL {
            return;
        }
        self.told = Instant::now();
        let progress = HostEvent::Transferring {
            done: self.archived + content,
            total: self.total,
            sent: self.fed.sent,
            runtime: runtime.map(str::to_owned),
        };
        self.sink.host(self.host, progress);
    }
}
