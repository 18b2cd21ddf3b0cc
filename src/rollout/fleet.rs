//! The hosts of an environment, all connected.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Instant;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::cache::{Cache, Remembered};
use super::link::{HostLink, unasked};
use super::offer::Offers;
use super::transfer::offer;
use crate::model::event::{Event, HostEvent, Sink};
use crate::model::{Deployment, Digest, Failure, FailureKind, HostName, ServiceSpec};
use crate::project::{Environment, Host, Project};
use crate::runtime::Wish;
use crate::transport::Options;
use crate::wire::{Begin, Facts, FromAgent, Holder, ToAgent};

/// What every command against an environment needs.
#[derive(Clone)]
pub struct Context {
    /// The project.
    pub project: Project,
    /// The environment.
    pub environment: Environment,
    /// How hosts are reached.
    pub options: Options,
    /// Where events go.
    pub sink: Sink,
    /// Turns `true` at the first Ctrl-C, SIGTERM or SIGHUP.
    pub cancel: watch::Receiver<bool>,
    /// Makes `cancel` true.
    pub stop: watch::Sender<bool>,
    /// Who asks: `user@machine`, or the CI's actor.
    pub who: String,
    /// The CI run's address.
    pub ci: Option<String>,
    /// How long a command waits for a lock, ms.
    pub wait_ms: u64,
    /// What earlier commands learned.
    pub cache: Cache,
    /// The environment of whoever started `ship`.
    pub caller: BTreeMap<OsString, OsString>,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The caller's environment holds tokens.
        f.debug_struct("Context")
            .field("environment", &self.environment.name)
            .finish_non_exhaustive()
    }
}

impl Context {
    /// What an agent must know.
    #[must_use]
    pub fn deployment(&self) -> Deployment {
        let environment = &self.environment;
        Deployment {
            app: environment.app.clone(),
            environment: environment.name.clone(),
            root: environment.root.clone(),
            manager: environment.manager,
            user: environment.user.clone(),
        }
    }

    /// What fetching the project's runtimes takes; ends when `cancel` becomes `true`.
    #[must_use]
    pub fn wish(&self, cancel: watch::Receiver<bool>) -> Wish<'_> {
        Wish {
            project: &self.project,
            cache: self.options.cache.as_deref(),
            caller: &self.caller,
            sink: &self.sink,
            cancel,
        }
    }

    /// The services that run on `host`.
    #[must_use]
    pub fn services_of(&self, host: &Host) -> Vec<ServiceSpec> {
        let wanted = |service: &ServiceSpec| {
            host.services
                .as_ref()
                .is_none_or(|names| names.contains(&service.name))
        };
        self.project
            .services
            .iter()
            .filter(|service| wanted(service))
            .cloned()
            .collect()
    }

    /// What earlier commands learned of `host`.
    #[must_use]
    pub fn remember_of(&self, host: &HostName) -> Remembered {
        self.cache.host(host, &self.place())
    }

    /// What earlier commands learned of each host.
    pub fn remembered(&self) -> impl Iterator<Item = Remembered> {
        let hosts = self.environment.hosts.iter();
        hosts.map(|host| self.remember_of(&host.name))
    }

    /// Remembers what was learned of `host`.
    pub fn remember(&self, host: &HostName, remembered: Remembered) {
        self.cache.keep_host(host, &self.place(), remembered);
    }

    /// The same for those hosts only of which `is_one` says so.
    #[must_use]
    pub fn only(&self, is_one: impl Fn(&HostName) -> bool) -> Self {
        let mut rest = self.clone();
        rest.environment.hosts.retain(|host| is_one(&host.name));
        rest
    }

    /// The same for a question, whose answer is data: that a connection was made for it is worth a
    /// word with `-v` only.
    #[must_use]
    pub fn quiet(&self) -> Self {
        let sink = self.sink.clone();
        let sink = Sink::new(move |event| match event {
            Event::Host {
                host,
                what: HostEvent::Connected { ms, .. },
            } => {
                sink.emit(Event::RoundTrip {
                    host,
                    what: "connect".to_owned(),
                    ms,
                });
            }
            other => sink.emit(other),
        });
        Self {
            sink,
            ..self.clone()
        }
    }

    /// Where `host` stands in the manifest.
    #[must_use]
    pub fn position(&self, host: &HostName) -> usize {
        let mut hosts = self.environment.hosts.iter();
        hosts.position(|other| other.name == *host).unwrap_or(0)
    }

    /// Names the environment among all of this user.
    fn place(&self) -> String {
        format!("{} {}", self.environment.app, self.environment.name)
    }

    /// Whether a stop was asked for.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        *self.cancel.borrow()
    }

    /// Waits until a stop is asked for.
    pub async fn interruption(&self) {
        let mut cancel = self.cancel.clone();
        if cancel.wait_for(|on| *on).await.is_err() {
            // Nobody is there any more who could ask for it.
            std::future::pending::<()>().await;
        }
    }

    /// Somebody else asked this command to stop.
    pub fn cancelled_by(&self, by: &str) {
        if !self.stop.send_replace(true) {
            self.sink.emit(Event::Warning {
                text: format!("cancelled by {by}"),
                hint: None,
            });
        }
    }

    /// Who holds a lock, when it is us.
    #[must_use]
    pub fn holder(&self, what: &str) -> Holder {
        let now = jiff::Timestamp::now();
        let since = now.round(jiff::Unit::Second).unwrap_or(now).to_string();
        Holder {
            what: what.to_owned(),
            who: self.who.clone(),
            since,
            ci: self.ci.clone(),
            doing: None,
        }
    }

    /// A word that names a transaction: the same on all hosts of the fleet, never used twice.
    #[must_use]
    pub fn new_transaction(&self) -> String {
        let now = jiff::Timestamp::now().as_nanosecond();
        let seed = format!("{} {} {now}", self.who, std::process::id());
        Digest::of(seed.as_bytes()).to_string()[..32].to_owned()
    }

    /// What a stop looks like when nothing was changed yet.
    #[must_use]
    pub fn interrupted() -> Failure {
        Failure::new(
            FailureKind::Interrupted,
            "interrupted; nothing was changed on any host",
        )
    }
}

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
        let (fleet, failures) = Self::connect_each(context, |_, _| {}).await?;
        whole(failures).map_or(Ok(fleet), Err)
    }

    /// Connects to every host at the same time; `failed` hears at once of each that fails. The hosts
    /// that were reached and the others, in the order of the manifest.
    pub(super) async fn connect_each(
        context: &Context,
        failed: impl Fn(&HostName, &Failure),
    ) -> Result<(Self, Vec<(HostName, Failure)>), Failure> {
        let mut tasks = JoinSet::new();
        for (at, host) in context.environment.hosts.iter().enumerate() {
            let (context, host) = (context.clone(), host.name.clone());
            tasks.spawn(async move { (at, connect_one(&context, host, None, false).await) });
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

    /// Takes the lock on every host. The first host is the arbiter: of two commands that start at
    /// the same moment exactly one gets it, and only that one asks the others. Offers go out
    /// behind the request, without waiting; their answers come later.
    ///
    /// # Errors
    /// Refused when somebody else has it, or the host is not ready. Locks that were taken are
    /// free again.
    pub async fn begin(
        &mut self,
        context: &Context,
        what: &str,
        brings: Brings<'_>,
    ) -> Result<(), Failure> {
        let (is_bringing, offers) = match brings {
            Brings::Nothing => (false, None),
            Brings::Later => (true, None),
            Brings::Offers(offers) => (true, Some(offers)),
        };
        let transaction = context.new_transaction();
        let begins: Vec<ToAgent> = context
            .environment
            .hosts
            .iter()
            .map(|host| {
                ToAgent::Begin(Box::new(Begin {
                    transaction: transaction.clone(),
                    holder: context.holder(what),
                    wait_ms: context.wait_ms,
                    lease_ms: context.environment.rollout.lease_ms,
                    services: is_bringing.then(|| context.services_of(host)),
                }))
            })
            .collect();
        let count = self.hosts.len();
        let (first, rest) = self.hosts.split_at_mut(1.min(count));
        let mut begun = 0;
        let mut result = Ok(());
        if let (Some(host), Some(begin)) = (first.first_mut(), begins.first()) {
            result = begin_one(host, begin, offers).await;
            begun += usize::from(result.is_ok());
        }
        if result.is_ok() {
            let asked = rest
                .iter_mut()
                .zip(&begins[1..])
                .map(|(host, begin)| begin_one(host, begin, offers));
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
        first.details.push(other.message);
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

/// Does `work` on each host at the same time; the results, in the order of the hosts. Where it is
/// done, the connection is tended until it is done everywhere.
pub async fn on_each<'h, T>(
    hosts: impl IntoIterator<Item = &'h mut HostLink>,
    work: impl AsyncFn(usize, &mut HostLink) -> T,
) -> Vec<T> {
    let hosts: Vec<&mut HostLink> = hosts.into_iter().collect();
    let count = hosts.len();
    let (done, all) = watch::channel(0);
    let (work, done) = (&work, &done);
    let each = hosts.into_iter().enumerate().map(|(at, host)| {
        let mut all = all.clone();
        async move {
            let result = work(at, host).await;
            done.send_modify(|done| *done += 1);
            tokio::select! {
                biased;
                _ = all.wait_for(|done| *done == count) => {}
                () = host.tend() => {}
            }
            result
        }
    });
    join_all(each).await
}

async fn begin_one(
    host: &mut HostLink,
    begin: &ToAgent,
    offers: Option<&Offers<'_>>,
) -> Result<(), Failure> {
    let started = Instant::now();
    if let ToAgent::Begin(begin) = begin {
        host.begin(&begin.transaction, begin.lease_ms);
    }
    host.send(begin).await?;
    if let Some(offers) = offers {
        offer(host, &offers.for_host(&host.facts)?).await?;
    }
    match host.answer().await? {
        FromAgent::Begun { facts } => {
            host.took("lock", started);
            host.facts = *facts;
            Ok(())
        }
        other => Err(unasked(&host.host, &other)),
    }
}

/// Connects to one host, as `user` when that is not the address's, as root with `sudo`.
///
/// # Errors
/// As [`HostLink::connect`].
pub async fn connect_one(
    context: &Context,
    host: HostName,
    user: Option<String>,
    sudo: bool,
) -> Result<HostLink, Failure> {
    HostLink::connect(context, host, user, sudo).await
}
