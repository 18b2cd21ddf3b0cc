//! What every command against an environment needs.

use std::collections::BTreeMap;
use std::ffi::OsString;

use tokio::sync::watch;

use super::cache::{Cache, Remembered, SeenRelease};
use super::programs::programs;
use super::stop::{Stage, Stop};
use crate::model::event::{Event, HostEvent, Sink};
use crate::model::{
    Deployment, Digest, Failure, HostName, OperationKind, ReleaseState, ServiceSpec,
};
use crate::pipeline::{History, Seeds};
use crate::project::{Environment, Host, Project};
use crate::runtime::Wish;
use crate::transport::Options;
use crate::wire::{Facts, FleetMember, Holder, Wants};

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
    pub stop: Stop,
    /// Who asks: `user@machine`, or the CI's actor.
    pub who: String,
    /// The CI run's address.
    pub ci: Option<String>,
    /// How long a command waits for a lock, ms.
    pub wait_ms: u64,
    /// The hosts of the environment, also where a command goes on without some of them.
    pub fleet: Vec<HostName>,
    /// How the project's git history begins, where the command has to know whose the root folder is;
    /// else nothing.
    pub history: History,
    /// What the project has for the shared places of its hosts, where the command may bring it.
    pub seeds: Seeds,
    /// What earlier commands learned.
    pub cache: Cache,
    /// Whether the hosts are only asked something: then none is waited for longer than a question may
    /// take.
    pub asks_only: bool,
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
            readable_by: self.project.release.readable_by.clone(),
        }
    }

    /// What a release needs of `host`, which setup made or will make.
    #[must_use]
    pub fn wants_of(&self, host: &Host) -> Wants {
        Wants {
            services: self.services_of(host),
            shared: self.project.release.shared.clone(),
            seeded: self.seeded(),
            user_is_named: self.environment.user_is_named,
            programs: programs(&self.project, &self.services_of(host)),
            history: self.history.commits().to_vec(),
        }
    }

    /// The shared paths that the project has something for.
    #[must_use]
    pub fn seeded(&self) -> Vec<String> {
        let places = self.seeds.places().iter();
        places.map(|place| place.name.clone()).collect()
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

    /// The hosts of the environment as a deploy tells them to each other.
    #[must_use]
    pub fn members(&self) -> Vec<FleetMember> {
        let names = self.fleet.iter().cloned();
        names.map(|name| FleetMember { name }).collect()
    }

    /// The hosts of the last deploy from this machine.
    #[must_use]
    pub fn remembered_fleet(&self) -> Vec<FleetMember> {
        self.cache.fleet(&self.place())
    }

    /// Remembers the hosts for the next deploy from this machine.
    pub fn remember_fleet(&self) {
        self.cache.keep_fleet(&self.place(), &self.members());
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

    /// Whether nothing was brought to any of the hosts from here, as far as is remembered.
    #[must_use]
    pub fn is_new_to_all(&self) -> bool {
        self.remembered().all(|host| host.artifact.is_none())
    }

    /// Remembers what was learned of `host`.
    pub fn remember(&self, host: &HostName, remembered: Remembered) {
        self.cache.keep_host(host, &self.place(), remembered);
    }

    /// Remembers which releases are on `host`, for completions.
    pub fn remember_releases(&self, host: &HostName, facts: &Facts) {
        let seen = facts.releases.iter().map(|release| SeenRelease {
            id: release.id,
            // The live one, too: this command may be about to make another one live.
            is_target: release.state == ReleaseState::Good,
            about: match &release.subject {
                Some(subject) => subject.clone(),
                None => release.created.clone(),
            },
        });
        let seen: Vec<SeenRelease> = seen.collect();
        let (app, environment) = (self.project.app.as_str(), self.environment.name.as_str());
        self.cache
            .keep_releases(app, environment, host.as_str(), &seen);
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
                    host: host.clone(),
                    what: "connect".to_owned(),
                    ms: *ms,
                });
            }
            other => sink.emit(other.clone()),
        });
        Self {
            sink,
            asks_only: true,
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

    /// What came of a step before the switch, unless a stop was asked for: whatever that made fail
    /// has not failed by itself.
    ///
    /// # Errors
    /// [`FailureKind::Interrupted`], or the step's own.
    pub fn unless_cancelled<T>(&self, result: Result<T, Failure>) -> Result<T, Failure> {
        match self.cancelled() {
            true => Err(Self::interrupted()),
            false => result,
        }
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
        if !self.cancelled() && self.stop.ask() == Stage::Open {
            self.sink.emit(Event::Warning {
                text: format!("cancelled by {by}"),
                hint: None,
            });
        }
    }

    /// Who holds a lock, when it is us.
    #[must_use]
    pub fn holder(&self, what: OperationKind) -> Holder {
        let now = jiff::Timestamp::now();
        let since = now.round(jiff::Unit::Second).unwrap_or(now).to_string();
        Holder {
            what,
            who: self.who.clone(),
            since: Some(since),
            ci: self.ci.clone(),
            doing: None,
            is_tidying: false,
        }
    }

    /// A word that names a transaction: the same on all hosts of the fleet, never used twice.
    #[must_use]
    pub fn new_operation(&self) -> String {
        let now = jiff::Timestamp::now().as_nanosecond();
        let seed = format!("{} {} {now}", self.who, std::process::id());
        Digest::of(seed.as_bytes()).to_string()[..32].to_owned()
    }

    /// What a stop looks like when nothing was changed yet.
    #[must_use]
    pub fn interrupted() -> Failure {
        Failure::interrupted("interrupted; nothing was changed on any host")
    }
}
