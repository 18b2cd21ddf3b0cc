//! The hosts of an environment, all connected.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::context::Context;
use super::link::{HostLink, unasked};
use super::member::Member;
use super::offer::Offers;
use super::plan;
use super::transfer::offer;
use crate::model::{Failure, FailureKind, HostName, OperationKind};
use crate::wire::{Begin, Facts, FromAgent, ToAgent};

/// What a transaction brings to the hosts.
#[derive(Debug, Clone, Copy)]
pub enum Brings<'a> {
    /// No release: what is there is switched or restarted.
    Nothing,
    /// A release that is offered when it is known what each host has.
    Later,
    /// A release that is at hand.
    Offers(&'a Offers<'a>),
}

/// What hosts compare themselves with while they are being connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compares {
    /// With nothing: what is there will do.
    Nothing,
    /// With what the manifest wants of them, for a deploy.
    WithManifest,
}

/// Hosts of the environment, in the order of the manifest.
#[derive(Debug)]
pub struct Fleet {
    /// The hosts.
    pub hosts: Vec<HostLink>,
}

impl Fleet {
    /// Connects to every host at the same time.
    ///
    /// # Errors
    /// When one cannot be reached; the others' failures are in the details.
    pub async fn connect(context: &Context) -> Result<Self, Failure> {
        let (fleet, failures) = Self::connect_each(context, Compares::Nothing, |_, _| {}).await?;
        whole(failures).map_or(Ok(fleet), Err)
    }

    /// Connects to every host at the same time; `failed` hears at once of each that fails. The hosts
    /// that were reached and the others, in the order of the manifest.
    pub(super) async fn connect_each(
        context: &Context,
        compares: Compares,
        failed: impl Fn(&HostName, &Failure),
    ) -> Result<(Self, Vec<(HostName, Failure)>), Failure> {
        let mut tasks = JoinSet::new();
        for (at, host) in context.environment.hosts.iter().enumerate() {
            let (context, host) = (context.clone(), host.clone());
            tasks.spawn(async move {
                let connected = match compares {
                    Compares::Nothing => HostLink::connect(&context, host.name, None, false).await,
                    Compares::WithManifest => HostLink::connect_comparing(&context, &host).await,
                };
                (at, connected)
            });
        }
        let mut found = Vec::new();
        let mut failures = Vec::new();
        while let Some(joined) = tasks.join_next().await {
            match joined {
                Ok((at, Ok(link))) => found.push((at, link)),
                Ok((at, Err(failure))) => {
                    let host = context.environment.hosts[at].name.clone();
                    failed(&host, &failure);
                    failures.push((at, (host, failure)));
                }
                Err(error) => return Err(Failure::unexpected(error.to_string())),
            }
        }
        failures.sort_by_key(|(at, _)| *at);
        found.sort_by_key(|(at, _)| *at);
        let fleet = Self {
            hosts: found.into_iter().map(|(_, link)| link).collect(),
        };
        let failures = failures.into_iter().map(|(_, failed)| failed).collect();
        Ok((fleet, failures))
    }

    /// Those of the hosts of which `is_one` says so, and the others.
    #[must_use]
    pub fn split(self, is_one: impl Fn(&HostName) -> bool) -> (Self, Self) {
        let (ones, others) = self.hosts.into_iter().partition(|host| is_one(&host.host));
        (Self { hosts: ones }, Self { hosts: others })
    }

    /// Both together, in the order of the manifest.
    #[must_use]
    pub fn join(mut self, other: Self, context: &Context) -> Self {
        self.hosts.extend(other.hosts);
        self.hosts.sort_by_key(|host| context.position(&host.host));
        self
    }

    /// The hosts with what was found there last.
    #[must_use]
    pub fn facts(&self) -> Vec<(&HostName, &Facts)> {
        let hosts = self.hosts.iter();
        hosts.map(|host| (&host.host, &host.facts)).collect()
    }

    /// Takes the lock on every host, in the order of [`plan::lock_order`]. Its first host is the
    /// arbiter: of two commands that start at the same moment exactly one gets it, and only that one
    /// asks the others. Offers go out
    /// behind the request, without waiting; their answers come later.
    ///
    /// # Errors
    /// Refused when somebody else has it, the host is not ready, or two hosts are one machine. Locks that were taken are
    /// free again.
    pub async fn begin(
        &mut self,
        context: &Context,
        what: OperationKind,
        brings: Brings<'_>,
    ) -> Result<(), Failure> {
        let (is_bringing, offers) = match brings {
            Brings::Nothing => (false, None),
            Brings::Later => (true, None),
            Brings::Offers(offers) => (true, Some(offers)),
        };
        let transaction = context.new_operation();
        let begins: Vec<Begin> = context
            .environment
            .hosts
            .iter()
            .map(|host| Begin {
                transaction: transaction.clone(),
                holder: context.holder(what.clone()),
                wait_ms: context.wait_ms,
                lease_ms: context.environment.rollout.lease_ms,
                services: is_bringing.then(|| context.services_of(host)),
                history: context.history.commits().to_vec(),
                seeded: context.seeded(),
                fleet: context.members(),
                compared: self
                    .hosts
                    .iter()
                    .any(|link| link.host == host.name && link.comparison.is_fresh()),
            })
            .collect();
        let order = plan::lock_order(&self.facts())?;
        let mut hosts: Vec<Option<_>> = self.hosts.iter_mut().zip(&begins).map(Some).collect();
        let mut ordered = order.into_iter().filter_map(|at| hosts[at].take());
        let mut begun = 0;
        let mut result = Ok(());
        if let Some((host, begin)) = ordered.next() {
            result = begin_one(host, begin, offers).await;
            begun += usize::from(result.is_ok());
        }
        if result.is_ok() {
            let asked = ordered.map(|(host, begin)| begin_one(host, begin, offers));
            result = match context.wait_ms {
                0 => join_all(asked).await.into_iter().collect(),
                // Who waits takes them one after the other: two that reach different hosts would
                // wait for each other's.
                _ => in_turn(asked).await,
            };
        }
        if result.is_err() && begun > 0 {
            self.end().await;
        }
        // Who interrupts a wait for the lock was not refused.
        if result.is_err() && context.cancelled() {
            return Err(Context::interrupted());
        }
        result
    }

    /// Ends transactions that activated nothing; what was staged is gone then. Failures are passed
    /// over: a host that does not hear it ends by itself.
    pub async fn end(&mut self) {
        join_all(self.hosts.iter_mut().map(HostLink::end)).await;
    }

    /// The hosts' names.
    #[must_use]
    pub fn names(&self) -> Vec<HostName> {
        self.hosts.iter().map(|host| host.host.clone()).collect()
    }
}

/// The first failure, with the others in its details.
pub(super) fn whole(failures: Vec<(HostName, Failure)>) -> Option<Failure> {
    let mut failures = failures.into_iter().map(|(_, failure)| failure);
    let mut first = failures.next()?;
    for other in failures {
        first.details.push(other.message());
        first.details.extend(other.details);
    }
    Some(first)
}

async fn in_turn(
    asked: impl Iterator<Item = impl Future<Output = Result<(), Failure>>>,
) -> Result<(), Failure> {
    for one in asked {
        one.await?;
    }
    Ok(())
}

/// Does `work` on each member at the same time; the results, in their order. Where it is done, the
/// member is tended until it is done everywhere.
pub async fn on_each<'m, M: Member + 'm, T>(
    members: impl IntoIterator<Item = &'m mut M>,
    work: impl AsyncFn(usize, &mut M) -> T,
) -> Vec<T> {
    let members: Vec<&mut M> = members.into_iter().collect();
    let count = members.len();
    let (done, all) = watch::channel(0);
    let (work, done) = (&work, &done);
    let each = members.into_iter().enumerate().map(|(at, member)| {
        let mut all = all.clone();
        async move {
            let result = work(at, member).await;
            done.send_modify(|done| *done += 1);
            tokio::select! {
                biased;
                _ = all.wait_for(|done| *done == count) => {}
                () = member.tend() => {}
            }
            result
        }
    });
    join_all(each).await
}

/// Asks for the lock, with the offer right behind it.
async fn send_begin(
    host: &mut HostLink,
    begin: &Begin,
    offers: Option<&Offers<'_>>,
) -> Result<(), Failure> {
    host.send(&ToAgent::Begin(Box::new(begin.clone()))).await?;
    match offers {
        Some(offers) => offer(host, &offers.for_host(&host.facts)?).await,
        None => Ok(()),
    }
}

/// Begins on one host. A connection that is lost while the lock is waited for is made anew: nothing
/// was begun then, and what is left of the wait is waited.
async fn begin_one(
    host: &mut HostLink,
    begin: &Begin,
    offers: Option<&Offers<'_>>,
) -> Result<(), Failure> {
    let started = Instant::now();
    let end = started + Duration::from_millis(begin.wait_ms);
    let mut begin = begin.clone();
    loop {
        host.begin(&begin.transaction, begin.lease_ms);
        match send_begin(host, &begin, offers).await {
            // A host that refuses says why, and hangs up before all of an offer is on its way.
            Err(failure) if failure.kind == FailureKind::Unreachable => {}
            sent => sent?,
        }
        let left = match host
            .answer_to(&ToAgent::Begin(Box::new(begin.clone())), "lock")
            .await?
        {
            FromAgent::Begun { facts } => {
                host.took("lock", started);
                host.facts = *facts;
                return Ok(());
            }
            FromAgent::Ended(None) if Instant::now() < end => end - Instant::now(),
            other => return Err(unasked(&host.host, &other)),
        };
        begin.wait_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        host.connect_anew().await?;
    }
}
