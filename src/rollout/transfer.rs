//! Getting a release onto every host: offered by its index, only what a host lacks travels.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join_all;

use super::fleet::{Context, Fleet};
use super::identity::identity;
use super::link::{HostLink, unasked};
use crate::artifact::{Index, pack};
use crate::model::event::{HostEvent, Sink};
use crate::model::release::Origin;
use crate::model::{Digest, Failure, HostName, Release, ReleaseId, Secret, ServiceSpec};
use crate::transport::link::LinkSender;
use crate::wire::{Frame, FromAgent, Publish, ToAgent};

/// What becomes a release: the same for all hosts, but for the services that run there.
#[derive(Debug, Clone)]
pub struct Payload {
    /// The project's folder.
    pub dir: PathBuf,
    /// Its tree.
    pub index: Arc<Index>,
    /// The tree, encoded.
    pub encoded: Arc<Vec<u8>>,
    /// The tree's digest.
    pub artifact: Digest,
    /// Environment and secrets.
    pub env: BTreeMap<String, Secret>,
    /// Exact runtimes.
    pub runtimes: BTreeMap<String, String>,
    /// Paths below `shared/`.
    pub shared: Vec<String>,
    /// Where it comes from.
    pub origin: Origin,
}

impl Payload {
    /// What makes the release what it is on a host with `services`.
    #[must_use]
    pub fn identity(&self, services: &[ServiceSpec]) -> Digest {
        identity(
            self.artifact,
            services,
            &self.env,
            &self.runtimes,
            &self.shared,
        )
    }

    fn publish(&self, id: ReleaseId, services: Vec<ServiceSpec>, created: &str) -> ToAgent {
        ToAgent::Publish(Box::new(Publish {
            identity: self.identity(&services),
            release: Release {
                id,
                artifact: self.artifact,
                created: created.to_owned(),
                origin: self.origin.clone(),
                services,
                runtimes: self.runtimes.clone(),
                shared: self.shared.clone(),
            },
            env: self.env.clone(),
        }))
    }
}

/// Stages release `id` on every host at the same time; the bytes that went over the wire.
///
/// # Errors
/// The first failure; every host has been waited for then.
pub async fn stage_everywhere(
    context: &Context,
    fleet: &mut Fleet,
    payload: &Payload,
    id: ReleaseId,
) -> Result<(), Failure> {
    let now = jiff::Timestamp::now();
    let created = now.round(jiff::Unit::Second).unwrap_or(now).to_string();
    let staged = fleet
        .hosts
        .iter_mut()
        .zip(&context.environment.hosts)
        .map(|(link, host)| {
            let publish = payload.publish(id, context.services_of(host), &created);
            stage(link, payload, publish, id, &context.sink)
        });
    join_all(staged).await.into_iter().collect()
}

async fn stage(
    host: &mut HostLink,
    payload: &Payload,
    publish: ToAgent,
    id: ReleaseId,
    sink: &Sink,
) -> Result<(), Failure> {
    let started = Instant::now();
    let sent_before = host.sent();
    host.send(&ToAgent::Offer).await?;
    host.send_data(&payload.encoded).await?;
    let missing = match host.answer().await? {
        FromAgent::Need { missing } => missing,
        other => return Err(unasked(&host.host, &other)),
    };
    host.took("offer", started);
    let asked = Instant::now();
    let files_sent = missing.len() as u64;
    if !missing.is_empty() {
        send_content(host, payload, missing, sink).await?;
    }
    match host.ask(&publish, "publish").await? {
        FromAgent::Published => {}
        other => return Err(unasked(&host.host, &other)),
    }
    host.took("content", asked);
    sink.host(
        &host.host,
        HostEvent::Staged {
            release: id,
            files: payload.index.file_count(),
            files_sent,
            sent: host.sent() - sent_before,
            ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        },
    );
    Ok(())
}

/// Packs in a blocking thread, straight onto the wire; the agent may refuse meanwhile.
async fn send_content(
    host: &mut HostLink,
    payload: &Payload,
    missing: Vec<Digest>,
    sink: &Sink,
) -> Result<(), Failure> {
    host.send(&ToAgent::Content).await?;
    let sizes = payload.index.contents();
    let total = missing.iter().filter_map(|digest| sizes.get(digest)).sum();
    let mut wire = WireWriter {
        sender: host.sender(),
        buffer: Vec::with_capacity(PIECE),
        sent: 0,
        done: 0,
        total,
        told: Instant::now(),
        host: host.host.clone(),
        sink: sink.clone(),
    };
    let (dir, index) = (payload.dir.clone(), Arc::clone(&payload.index));
    let packed = tokio::task::spawn_blocking(move || {
        let done = std::cell::Cell::new(0);
        let result = {
            let mut progress = |bytes| done.set(bytes);
            pack(
                &dir,
                &index,
                &missing,
                &mut Tracked {
                    wire: &mut wire,
                    done: &done,
                },
                &mut progress,
            )
        };
        result.map_err(|error| error.to_string())?;
        wire.push().map_err(|error| error.to_string())
    });
    match packed.await {
        Ok(Ok(())) => host.send(&ToAgent::DataEnd).await,
        Ok(Err(why)) => {
            // The agent's own reason, if it gave one, is the better one.
            Err(Failure::refused(format!(
                "the release could not be sent to {}: {why}",
                host.host
            ))
            .hint("a file that changes while it is read? run the deploy again"))
        }
        Err(error) => Err(Failure::unexpected(error.to_string())),
    }
}

/// The size of a data frame, bytes.
const PIECE: usize = 128 << 10;

/// Turns written bytes into data frames.
struct WireWriter {
    sender: LinkSender,
    buffer: Vec<u8>,
    sent: u64,
    done: u64,
    total: u64,
    told: Instant,
    host: HostName,
    sink: Sink,
}

impl WireWriter {
    fn push(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.buffer, Vec::with_capacity(PIECE));
        self.sent += piece.len() as u64;
        self.sender.frame_blocking(Frame::Data(piece))?;
        if self.told.elapsed().as_millis() > 100 {
            self.told = Instant::now();
            self.sink.host(
                &self.host,
                HostEvent::Transferring {
                    done: self.done,
                    total: self.total,
                    sent: self.sent,
                },
            );
        }
        Ok(())
    }
}

/// Passes bytes on with the progress that the packer reports beside them.
struct Tracked<'a> {
    wire: &'a mut WireWriter,
    done: &'a std::cell::Cell<u64>,
}

impl Write for Tracked<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wire.buffer.extend_from_slice(bytes);
        self.wire.done = self.done.get();
        if self.wire.buffer.len() >= PIECE {
            self.wire.push()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
