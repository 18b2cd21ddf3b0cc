//! A project as validated: no text of the manifest is left to interpret past this point.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::model::{
    AppName, EnvironmentName, HostName, Redactor, ServiceManagerKind, ServiceName, ServiceSpec,
};

/// A folder with a valid `ship.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The folder of the manifest, absolute.
    pub dir: PathBuf,
    /// The folder in which steps run and to which the paths of the manifest are relative
    /// (`app.source`), absolute: `dir` or one above it.
    pub source: PathBuf,
    /// `app.name`.
    pub app: AppName,
    /// `[runtimes]`: what each asks for.
    pub runtimes: BTreeMap<String, RuntimeRequest>,
    /// `[build]`.
    pub build: Pipeline,
    /// `[test]`.
    pub test: Pipeline,
    /// `[release]`.
    pub release: ReleaseRules,
    /// `[services]`, in the order of the manifest.
    pub services: Vec<ServiceSpec>,
    /// `[hooks] before-activate`.
    pub before_activate: Vec<Hook>,
    /// `[hooks] after-activate`.
    pub after_activate: Vec<Hook>,
    /// `[environments]`; `local` is always among them.
    pub environments: BTreeMap<EnvironmentName, Environment>,
    /// `app.default-environment`, or the only one besides `local`.
    pub default_environment: Option<EnvironmentName>,
}

impl Project {
    /// The folder of the manifest, relative to `source`: empty when they are the same.
    #[must_use]
    pub fn place(&self) -> &Path {
        self.dir.strip_prefix(&self.source).unwrap_or(Path::new(""))
    }

    /// The folders in which tools look for their settings: the manifest's, and that of the sources.
    #[must_use]
    pub fn folders(&self) -> Vec<&Path> {
        match self.dir == self.source {
            true => vec![&self.dir],
            false => vec![&self.dir, &self.source],
        }
    }

    /// Masks the values that `caller`, the environment of this command, has for the secrets of any
    /// environment of the project, and the key that it gives as content.
    #[must_use]
    pub fn redactor(&self, caller: &BTreeMap<OsString, OsString>) -> Redactor {
        let environments = self.environments.values();
        let names = environments.flat_map(|environment| &environment.secrets);
        let names = names.map(String::as_str).chain([SSH_KEY]);
        let value = |name: &str| caller.get(std::ffi::OsStr::new(name))?.to_str();
        Redactor::new(names.filter_map(|name| Some((name, value(name)?))).filter(
            // A path is not a secret.
            |(name, value)| *name != SSH_KEY || value.contains("PRIVATE KEY"),
        ))
    }
}

/// The variable that holds a key for ssh, as content or as a path.
const SSH_KEY: &str = "SHIP_SSH_KEY";

/// One entry of `[runtimes]`: `node = "20.11.1"` or `php = { version = "8.3", source = "host" }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeRequest {
    /// Exact version, prefix or range, in the ecosystem's own grammar.
    pub version: String,
    /// Whether the host brings it (`source = "host"`), instead of ship.
    pub from_host: bool,
    /// Where to download instead of the publisher (`mirror`).
    pub mirror: Option<String>,
}

/// `[build]` or `[test]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pipeline {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Environment of the steps (`env`).
    pub env: BTreeMap<String, String>,
    /// Whether the steps see the caller's whole environment (`inherit-env`).
    pub inherit_env: bool,
}

/// One step of `[build]` or `[test]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it is called; the command itself when not named.
    pub name: String,
    /// A line for `/bin/sh`.
    pub run: String,
    /// After this long the whole process group is killed, ms.
    pub timeout_ms: u64,
}

/// `[release]`: which files make the artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseRules {
    /// Files, folders or globs, relative to the project.
    pub include: Vec<String>,
    /// Globs that are left out.
    pub exclude: Vec<String>,
    /// Whether what git ignores is left out, unless an include is meant for it.
    pub gitignore: bool,
    /// Paths that live in `shared/` on the host and are linked into each release.
    pub shared: Vec<String>,
    /// Users of the hosts, beside the deploying one and the services', that may read the releases.
    pub readable_by: Vec<String>,
    /// How many good releases a host keeps.
    pub keep: u32,
}

impl ReleaseRules {
    /// Globs of everything that is not released: `exclude`, and the paths that are in `shared`.
    #[must_use]
    pub fn left_out(&self) -> Vec<String> {
        let shared = self.shared.iter();
        let shared = shared.map(|path| format!("/{}", path.trim_matches('/')));
        self.exclude.iter().cloned().chain(shared).collect()
    }
}

/// A command on the hosts around the activation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// What it is called; the command itself when not named.
    pub name: String,
    /// A line for `/bin/sh`, run in the new release's folder with its environment.
    pub run: String,
    /// On one host of the fleet, or on each.
    pub on: HookScope,
    /// After this long it is killed, ms.
    pub timeout_ms: u64,
}

/// Where a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookScope {
    /// Once per fleet, on the first host (migrations).
    OneHost,
    /// On every host.
    EachHost,
}

/// One environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// Its hosts, in order; for `local` the one host `local`.
    pub hosts: Vec<Host>,
    /// The app's name on these hosts (`name`; default `app.name`): names the root folder, the
    /// units and the system user.
    pub app: AppName,
    /// The root folder (`root`), when not the default.
    pub root: Option<String>,
    /// Who keeps the services running (`manager`).
    pub manager: ServiceManagerKind,
    /// The system user that the services run as (`user`; default the app's name).
    pub user: String,
    /// Whether the manifest names that user: an account that ship did not make runs the services
    /// only then.
    pub user_is_named: bool,
    /// Environment of the services.
    pub env: BTreeMap<String, String>,
    /// Names of secrets that a release needs; their values come from environment variables of the
    /// controller.
    pub secrets: Vec<String>,
    /// How releases reach the hosts.
    pub rollout: RolloutRules,
}

/// One host of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// How it is reached.
    pub name: HostName,
    /// The services that run there; `None` means all.
    pub services: Option<Vec<ServiceName>>,
}

/// `rollout` of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolloutRules {
    /// All at once, or in batches.
    pub strategy: Strategy,
    /// What happens to the hosts of the rollout when one fails.
    pub on_failure: OnFailure,
    /// With `on-failure = "continue"`: how many hosts may fail.
    pub max_failures: u32,
    /// How long a host waits for a lost controller before it reverts by itself, ms.
    pub lease_ms: u64,
    /// How long a new release is watched after its proof before it counts as good, ms.
    pub watch_ms: u64,
}

/// In which order hosts switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// Every host at the same time.
    AllAtOnce,
    /// A batch after the other.
    Rolling {
        /// Hosts per batch.
        batch: Batch,
    },
    /// Some hosts first, watched for a while, then the rest.
    Canary {
        /// Hosts that go first.
        batch: Batch,
        /// How long they are watched before the rest, ms.
        bake_ms: u64,
    },
}

/// A number of hosts: `2` or `"25%"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batch {
    /// So many hosts.
    Hosts(u32),
    /// So many percent of the hosts, at least one.
    Percent(u32),
}

/// The policy when a host of the rollout fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// Every host of the rollout goes back.
    RevertAll,
    /// The failed host goes back; what is done stays; no more hosts are touched.
    Stop,
    /// The failed host goes back; the rest goes on, up to `max-failures`.
    Continue,
}
