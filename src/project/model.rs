//! A project as validated: no text of the manifest is left to interpret past this point.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::model::{
    AppName, EnvironmentName, HostName, ServiceManagerKind, ServiceName, ServiceSpec,
};

/// A folder with a valid `ship.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The folder of the manifest, absolute.
    pub dir: PathBuf,
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
    /// Paths that live in `shared/` on the host and are linked into each release.
    pub shared: Vec<String>,
    /// How many good releases stay on a host.
    pub keep: u32,
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
    /// Environment of the services.
    pub env: BTreeMap<String, String>,
    /// Names of secrets that a release needs; their values come from `ship secrets` or the
    /// controller's environment.
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
    /// How long a host waits for a controller that is gone before it reverts by itself, ms.
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
