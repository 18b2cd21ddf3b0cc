//! One app on this host, as every part of the agent needs it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::runtimes::RuntimeEnvironment;
use super::service::{ServiceManager, env_file};
use super::{Layout, disk, releases};
use crate::model::{
    Deployment, Failure, Release, ReleaseId, ServiceManagerKind, ServiceName, ServiceSpec,
};

/// The app, its folders and its service manager.
#[derive(Clone)]
pub struct Host {
    /// Which app, where, how.
    pub deployment: Deployment,
    /// Its folders.
    pub layout: Layout,
    /// Who keeps its services running.
    pub manager: Arc<dyn ServiceManager>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("layout", &self.layout)
            .finish_non_exhaustive()
    }
}

impl Host {
    /// The app of `deployment` on this machine.
    #[must_use]
    pub fn new(deployment: Deployment) -> Self {
        let layout = Layout::resolve(&deployment, &home(), &data_dir());
        let manager = Arc::from(super::service::manager(&deployment, &layout));
        Self {
            deployment,
            layout,
            manager,
        }
    }

    /// The app at `layout`, as the last transaction there had it.
    ///
    /// # Errors
    /// When there was none.
    pub fn at(layout: Layout) -> std::io::Result<Self> {
        let path = layout.deployment();
        let text = fs::read(&path).map_err(|error| disk::named(error, &path))?;
        let deployment: Deployment = serde_json::from_slice(&text)?;
        let manager = Arc::from(super::service::manager(&deployment, &layout));
        Ok(Self {
            deployment,
            layout,
            manager,
        })
    }

    /// The folder that a service has as `$RUNTIME_DIRECTORY`: its launcher says there which
    /// process runs which release (systemd.exec(5) `RuntimeDirectory=`).
    #[must_use]
    pub fn runtime_dir(&self, service: &ServiceName) -> PathBuf {
        let name = format!("{}-{service}", self.deployment.app);
        match self.deployment.manager {
            ServiceManagerKind::Systemd => Path::new("/run").join(name),
            ServiceManagerKind::SystemdUser => {
                let uid = rustix::process::geteuid().as_raw();
                PathBuf::from(format!("/run/user/{uid}")).join(name)
            }
            ServiceManagerKind::Supervisor => self.layout.runtime_directory(service),
        }
    }

    /// Which process runs which release of `service`, as its launcher said last; `None` where it
    /// has said nothing.
    #[must_use]
    pub fn announced(&self, service: &ServiceName) -> Option<(u32, String)> {
        let text = fs::read_to_string(self.runtime_dir(service).join("release")).ok()?;
        let (pid, release) = text.trim().split_once(' ')?;
        Some((pid.parse().ok()?, release.to_owned()))
    }

    /// The services of the live release that are not among `services`: a switch to these stops them.
    #[must_use]
    pub fn stopped_by(&self, services: &[ServiceSpec]) -> Vec<ServiceName> {
        let live = releases::current(&self.layout).ok().flatten();
        let live = live.and_then(|id| releases::read(&self.layout, id).ok());
        let names = live.into_iter().flat_map(|live| live.services);
        names
            .map(|service| service.name)
            .filter(|name| services.iter().all(|service| service.name != *name))
            .collect()
    }

    /// What a person types to restart `service` without ship.
    #[must_use]
    pub fn by_hand_restart(&self, service: &ServiceName) -> String {
        let unit = format!("{}-{service}.service", self.deployment.app);
        match self.deployment.manager {
            ServiceManagerKind::Systemd => format!("sudo systemctl restart {unit}"),
            ServiceManagerKind::SystemdUser => format!("systemctl --user restart {unit}"),
            ServiceManagerKind::Supervisor => {
                format!("ship restart {} {service}", self.deployment.environment)
            }
        }
    }

    /// The release's metadata and environment.
    ///
    /// # Errors
    /// When the release is not there or not readable.
    pub fn release(&self, id: ReleaseId) -> Result<LoadedRelease, Failure> {
        let release = releases::read(&self.layout, id)?;
        let dir = self.layout.release(id);
        let path = dir.join(".ship/env");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let env = env_file::parse(&text)
            .map_err(|why| Failure::unexpected(format!("{}: {why}", path.display())))?;
        Ok(LoadedRelease {
            runtimes: RuntimeEnvironment::of(&self.layout, &release.runtimes),
            release,
            dir,
            env: env.into_iter().collect(),
        })
    }
}

/// A release as it lies on the host.
#[derive(Debug, Clone)]
pub struct LoadedRelease {
    /// Its metadata.
    pub release: Release,
    /// Its folder.
    pub dir: PathBuf,
    /// Its environment and secrets. Never printed.
    pub env: BTreeMap<String, String>,
    /// What its runtimes add to that.
    pub runtimes: RuntimeEnvironment,
}

impl LoadedRelease {
    /// The environment that a command of this release sees: its own on top of a plain one, and its
    /// runtimes first on `PATH`.
    #[must_use]
    pub fn command_env(&self) -> BTreeMap<String, String> {
        let mut env = self.own_env();
        self.runtimes.apply(&mut env);
        env
    }

    fn own_env(&self) -> BTreeMap<String, String> {
        let mut env: BTreeMap<String, String> = ["HOME", "USER", "LOGNAME", "LANG", "PATH"]
            .into_iter()
            .filter_map(|key| Some((key.to_owned(), std::env::var(key).ok()?)))
            .collect();
        env.entry("PATH".to_owned())
            .or_insert_with(|| "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin".to_owned());
        env.entry("LANG".to_owned())
            .or_insert_with(|| "C.UTF-8".to_owned());
        env.extend(self.env.clone());
        env.insert("SHIP_RELEASE".to_owned(), self.release.id.to_string());
        env
    }

    /// The environment of a service's own commands: with its `env` and `PORT`.
    #[must_use]
    pub fn service_env(&self, service: &ServiceSpec) -> BTreeMap<String, String> {
        let mut env = self.own_env();
        if let Some(port) = service.port {
            env.insert("PORT".to_owned(), port.to_string());
        }
        env.extend(service.env.clone());
        self.runtimes.apply(&mut env);
        env
    }
}

#[cfg(test)]
impl LoadedRelease {
    /// A release with these services in `dir`, and nothing else.
    pub fn bare(dir: &Path, services: Vec<ServiceSpec>) -> Self {
        Self {
            release: Release {
                id: ReleaseId(1),
                artifact: crate::model::Digest::of(b"x"),
                created: String::new(),
                origin: crate::model::release::Origin::default(),
                services,
                runtimes: Vec::new(),
                shared: Vec::new(),
            },
            dir: dir.to_owned(),
            env: BTreeMap::new(),
            runtimes: RuntimeEnvironment::default(),
        }
    }
}

/// The home folder of the user that this process runs as: `$HOME`, else `/`.
#[must_use]
pub fn home() -> PathBuf {
    std::env::var_os("HOME").map_or_else(|| PathBuf::from("/"), PathBuf::from)
}

/// The data directory of this machine's user (XDG Base Directory Specification).
#[must_use]
pub fn data_dir() -> PathBuf {
    std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .unwrap_or_else(|| home().join(".local/share"))
}

/// Whether `path` is inside this process's reach for writing.
#[must_use]
pub fn writable(path: &Path) -> bool {
    rustix::fs::access(
        path,
        rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK,
    )
    .is_ok()
}
