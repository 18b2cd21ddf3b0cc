//! Getting a release onto every host: only what a host lacks travels, and what several lack is
//! read and compressed once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use foldhash::{HashMap, HashSet, HashSetExt};

use super::archives::Archives;
use super::cache::Remembered;
use super::context::Context;
use super::feed::{Fed, Feed, Unsent};
use super::fleet::{Fleet, on_each};
use super::link::{HostLink, unasked};
use super::offer::{Offering, Offers};
use super::payload::Payload;
use super::spool::{Broken, SpoolReader};
use crate::artifact::{Chunk, Parcel, Way};
use crate::model::event::HostEvent;
use crate::model::runtime::RuntimeSource;
use crate::model::{
    Digest, Failure, FailureKind, HostName, HostRuntime, Platform, ReleaseId, ServiceSpec, Sha256,
};
use crate::project::Host;
use crate::wire::{FromAgent, Need, NeededArchive, ToAgent};

/// How long a host may take over its disk while no content moves: to hash what it has, to bring a
/// release to the disk.
const STAGING: Duration = Duration::from_secs(900);

/// How often a transfer goes on after a lost connection.
const REJOINS: usize = 5;

/// A link is timed by transfers of at least so many bytes: less disappears in buffers on the way.
const TIMED_FROM: u64 = 4 << 20;

/// The transfer of a payload to a fleet.
struct Transfer<'a> {
    context: &'a Context,
    payload: &'a Payload,
    offers: &'a Offers<'a>,
    archives: Archives<'a>,
    contents: Vec<(Digest, u64)>,
}

/// What a transfer brought.
#[derive(Debug, Clone, Copy, Default)]
struct Delivered {
    /// Files that travelled.
    files_sent: u64,
    /// Bytes that were there already.
    reused: u64,
}

/// A runtime whose archive a host lacks.
struct Wanted<'a> {
    runtime: &'a HostRuntime,
    platform: Platform,
    sha256: Sha256,
    /// Bytes that are there already.
    have: u64,
    /// Bytes to send.
    bytes: u64,
}

/// A release that is to be staged.
pub struct Delivery<'a> {
    /// Its number.
    pub release: ReleaseId,
    /// What becomes it.
    pub payload: &'a Payload,
    /// How it is offered.
    pub offers: &'a Offers<'a>,
    /// Whether the offers are out already.
    pub offered: bool,
    /// Which services it has on a host.
    pub services: &'a (dyn Fn(&Host) -> Vec<ServiceSpec> + Sync),
}

impl std::fmt::Debug for Delivery<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery")
            .field("release", &self.release)
            .finish_non_exhaustive()
    }
}

/// Stages a release on every host at the same time.
///
/// # Errors
/// The first failure; every host has been waited for then.
pub async fn stage_everywhere(
    context: &Context,
    fleet: &mut Fleet,
    delivery: &Delivery<'_>,
) -> Result<(), Failure> {
    let payload = delivery.payload;
    let transfer = Transfer {
        context,
        payload,
        offers: delivery.offers,
        archives: Archives::new(context),
        contents: payload.index.numbered(),
    };
    let transfer = &transfer;
    let staged = on_each(&mut fleet.hosts, async |at, link| {
        let services = (delivery.services)(&context.environment.hosts[at]);
        let publish = payload.publish(delivery.release, services, &link.facts.platform);
        transfer.stage(link, publish, delivery).await
    });
    let staged = staged.await;
    payload.packing.end();
    staged.into_iter().collect()
}

/// What this machine could not send to `host`, and why.
fn unsent(host: &HostName, Broken { why, is_unstored }: &Broken) -> Failure {
    let hint = match is_unstored {
        true => {
            "free some space for the user's cache, or set XDG_CACHE_HOME to where there is more: it \
             takes what the release has, compressed"
        }
        false => "a file that changes while it is read? run the deploy again",
    };
    Failure::refused(format!("the release could not be sent to {host}: {why}")).hint(hint)
}

/// Sends an offer; the answer comes later.
///
/// # Errors
/// When the connection is lost.
pub async fn offer(host: &mut HostLink, offering: &Offering) -> Result<(), Failure> {
    host.send(&ToAgent::Offer(offering.message.clone())).await?;
    host.send_data(&offering.index).await
}

impl Transfer<'_> {
    /// Brings the release to one host. Where the connection is lost on the way it is made anew, and
    /// goes on with what came: the host keeps that.
    async fn stage(
        &self,
        host: &mut HostLink,
        publish: ToAgent,
        delivery: &Delivery<'_>,
    ) -> Result<(), Failure> {
        let started = Instant::now();
        let mut offered = !host.stages() && delivery.offered;
        let mut staged = self.deliver_all(host, &publish, offered).await;
        for _ in 0..REJOINS {
            match &staged {
                Err(failure) if failure.kind == FailureKind::Unreachable => {}
                _ => break,
            }
            if self.context.cancelled() {
                break;
            }
            let arrived = host.rejoin_staging().await?;
            offered = false;
            staged = match arrived {
                true => match host.answer_within(STAGING, "staging").await {
                    Ok(FromAgent::Published) => Ok(Delivered::default()),
                    // What it has is damaged; it forgot the rest when the connection was lost.
                    Ok(FromAgent::Need(_)) => self.deliver_all(host, &publish, offered).await,
                    Ok(other) => Err(unasked(&host.host, &other)),
                    Err(failure) => Err(failure),
                },
                false => self.deliver_all(host, &publish, offered).await,
            };
        }
        host.staged();
        let Delivered { files_sent, reused } = staged?;
        let staged = HostEvent::Staged {
            release: delivery.release,
            files: self.payload.index.file_count(),
            files_sent,
            sent: host.sent(),
            reused,
            ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        self.context.sink.host(&host.host, staged);
        Ok(())
    }

    /// From the answer to the offer (which is made here unless it was `offered`) to the published
    /// release.
    async fn deliver_all(
        &self,
        host: &mut HostLink,
        publish: &ToAgent,
        offered: bool,
    ) -> Result<Delivered, Failure> {
        let started = Instant::now();
        if !offered {
            offer(host, &self.offers.for_host(&host.facts)?).await?;
        }
        let mut need = match host.answer_within(STAGING, "offer").await? {
            FromAgent::Need(need) => need,
            FromAgent::NeedIndex => self.offer_again(host).await?,
            other => return Err(unasked(&host.host, &other)),
        };
        host.took("offer", started);
        let asked = Instant::now();
        let reused = need.reused;
        let mut files_sent = 0;
        let mut first = true;
        // A second time when what the host has turned out to be damaged.
        for _ in 0..3 {
            let (parcels, size) = self.parcels(&need, first).await?;
            files_sent += parcels.len() as u64;
            match self.deliver(host, &need, parcels, size, publish).await? {
                FromAgent::Published => {
                    host.took("content", asked);
                    return Ok(Delivered { files_sent, reused });
                }
                FromAgent::Need(again) => need = again,
                other => return Err(unasked(&host.host, &other)),
            };
            first = false;
        }
        Err(Failure::unexpected(format!(
            "{}: contents are asked for again and again",
            host.host
        )))
    }

    async fn offer_again(&self, host: &mut HostLink) -> Result<Need, Failure> {
        offer(host, &self.offers.whole(&host.facts)?).await?;
        match host.answer_within(STAGING, "staging").await? {
            FromAgent::Need(need) => Ok(need),
            other => Err(unasked(&host.host, &other)),
        }
    }

    /// How each missing content travels, and the size of all, bytes.
    async fn parcels(&self, need: &Need, first: bool) -> Result<(Vec<Parcel>, u64), Failure> {
        let hostile = || Failure::unexpected("the agent asked for what was not offered");
        let chunks: HashMap<u32, Arc<HashSet<Chunk>>> = need
            .chunks
            .iter()
            .map(|(number, chunks)| {
                let chunks = chunks.iter().map(|&(id, length)| Chunk { id, length });
                (*number, Arc::new(chunks.collect()))
            })
            .collect();
        let deltas: HashSet<u32> = need.deltas.iter().copied().collect();
        let mut parcels = Vec::new();
        let mut bytes = 0_u64;
        let mut seen = HashSet::new();
        for &(start, count) in &need.missing {
            let end = start.checked_add(count).ok_or_else(hostile)?;
            let range = start as usize..end as usize;
            let contents = self.contents.get(range).ok_or_else(hostile)?;
            for ((digest, size), number) in contents.iter().zip(start..) {
                if *size == 0 || !seen.insert(*digest) {
                    continue;
                }
                bytes = bytes.saturating_add(*size);
                let delta = match deltas.contains(&number) && first {
                    true => self.payload.deltas.get(digest).await,
                    false => None,
                };
                let way = match (delta, chunks.get(&number)) {
                    (Some((base, delta)), _) => Way::Delta { base, delta },
                    (None, Some(known)) => Way::Chunks(Arc::clone(known)),
                    (None, None) => Way::Whole,
                };
                parcels.push(Parcel {
                    digest: *digest,
                    way,
                });
            }
        }
        Ok((parcels, bytes))
    }

    /// Sends `parcels`, contents of `size` bytes, and the request to publish; the answer to that.
    /// An agent that gives up meanwhile is heard at once, and so is a person: what was sent so far
    /// is there for the next deploy.
    async fn deliver(
        &self,
        host: &mut HostLink,
        need: &Need,
        parcels: Vec<Parcel>,
        size: u64,
        publish: &ToAgent,
    ) -> Result<FromAgent, Failure> {
        let runtimes = self.wanted(&need.archives, &host.facts.platform)?;
        let archived = runtimes.iter().map(|wanted| wanted.bytes);
        let total = size + archived.sum::<u64>();
        let name = host.host.clone();
        let stream = self.payload.packing.stream(need, parcels)?;
        let sender = host.sender();
        host.sends(publish);
        let sending = async {
            let mut feed = Feed::new(&self.context.sink, &name, &sender, total);
            tokio::select! {
                fed = self.feed(&mut feed, &runtimes, stream) => fed?,
                () = self.context.interruption() => {
                    return Err(Unsent::Interrupted);
                }
            }
            let sent = sender.message(publish).await;
            sent.map_err(|_| Unsent::Gone)?;
            Ok::<_, Unsent>(feed.end())
        };
        let (answer, fed) = {
            let answering = host.answer_within(STAGING, "staging");
            tokio::pin!(sending, answering);
            tokio::select! {
                biased;
                answer = &mut answering => (answer, None),
                fed = &mut sending => match fed {
                    Ok(fed) => (answering.await, Some(fed)),
                    // Why it is gone, the other half of the connection knows.
                    Err(Unsent::Gone) => (answering.await, None),
                    Err(Unsent::Failed(failure)) => return Err(failure),
                    Err(Unsent::Here(broken)) => return Err(unsent(&name, &broken)),
                    Err(Unsent::Interrupted) => return Err(Context::interrupted()),
                },
            }
        };
        if let (Ok(_), Some(fed)) = (&answer, fed) {
            self.remember(&name, fed);
        }
        answer
    }

    /// Sends the archives of `runtimes`, which are unpacked there while the content travels, and
    /// then that.
    async fn feed(
        &self,
        feed: &mut Feed<'_>,
        runtimes: &[Wanted<'_>],
        stream: Option<SpoolReader>,
    ) -> Result<(), Unsent> {
        for wanted in runtimes {
            let Wanted {
                runtime,
                platform,
                sha256,
                have,
                ..
            } = wanted;
            let opened = self.archives.open(runtime, *platform, *sha256).await;
            let archive = opened.map_err(Unsent::Failed)?;
            feed.archive(runtime, *sha256, &archive, *have).await?;
        }
        match stream {
            Some(stream) => feed.content(stream).await,
            None => Ok(()),
        }
    }

    /// The runtimes whose archives a host asks for; its platform is called `name` there.
    fn wanted(&self, archives: &[NeededArchive], name: &str) -> Result<Vec<Wanted<'_>>, Failure> {
        let runtimes = &self.payload.runtimes;
        let find = |needed: &NeededArchive| {
            let platform = runtimes.platform(name)?;
            runtimes
                .of(name)
                .iter()
                .find_map(|runtime| match &runtime.source {
                    RuntimeSource::Archive(archive) if archive.sha256 == needed.sha256 => {
                        Some(Wanted {
                            runtime,
                            platform,
                            sha256: needed.sha256,
                            have: needed.have,
                            bytes: archive.size.checked_sub(needed.have)?,
                        })
                    }
                    _ => None,
                })
        };
        let hostile = || Failure::unexpected("the agent asked for what was not offered");
        let found = archives
            .iter()
            .map(|needed| find(needed).ok_or_else(hostile));
        found.collect()
    }

    fn remember(&self, host: &HostName, fed: Fed) {
        let before = self.context.remember_of(host);
        let rate = (fed.sent >= TIMED_FROM)
            .then(|| {
                // What the link was not waited for, it was faster than us.
                let seconds = fed.waited.max(fed.took / 20).as_secs_f64().max(1e-6);
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    clippy::cast_precision_loss,
                    reason = "a rough rate; `as` saturates"
                )]
                let rate = (fed.sent as f64 / seconds) as u64;
                rate
            })
            .or(before.rate);
        self.context.remember(
            host,
            Remembered {
                artifact: Some(self.payload.artifact),
                rate,
                ..before
            },
        );
    }
}
