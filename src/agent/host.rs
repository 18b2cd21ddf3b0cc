//! One app on this host, as every part of the agent needs it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::as_app::Commands;
use super::runtimes::RuntimeEnvironment;
use super::service::{ServiceManager, env_file};
use super::{Layout, careful, launcher, releases};
use crate::model::{Deployment, Failure, Instance, Release, ReleaseId, ServiceSpec};

/// The app, its folders and its service manager.
#[derive(Clone)]
pub struct Host {
    /// Which app, where, how.
    pub deployment: Deployment,
    /// Its folders.
    pub layout: Layout,
    /// Who keeps its services running.
    pub manager: Arc<dyn ServiceManager>,
    /// Runs its commands.
    pub commands: Arc<Commands>,
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
            commands: Arc::new(Commands::of(&deployment, &layout)),
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
        let deployment: Deployment = careful::json(&path, careful::METADATA)?;
        let manager = Arc::from(super::service::manager(&deployment, &layout));
        Ok(Self {
            commands: Arc::new(Commands::of(&deployment, &layout)),
            deployment,
            layout,
            manager,
        })
    }

    /// Which process of `instance` runs which release, as its launcher said last; `None` where it
    /// has said nothing yet.
    ///
    /// # Errors
    /// When something else is there than what the launcher writes: the app's user may put anything
    /// there.
    pub fn announced(&self, instance: &Instance) -> careful::Result<Option<(u32, String)>> {
        let path = self.manager.runtime_dir(instance).join("release");
        let text = match careful::text(&path, careful::SMALL) {
            Err(error) if error.is_absent() => return Ok(None),
            read => read?,
        };
        let words = text.trim().split_once(' ');
        match words.and_then(|(pid, id)| Some((pid.parse().ok()?, id.to_owned()))) {
            // The launcher opens the file a moment before it writes.
            None if !text.is_empty() => {
                let what = "it does not hold the line of the launcher";
                Err(careful::ReadError::garbled(&path, what))
            }
            announced => Ok(announced),
        }
    }

    /// The environment in which `service` of `release` runs here: its own, the release's, and where
    /// it may write while it runs.
    ///
    /// # Errors
    /// When the name service does not answer.
    pub fn service_env(
        &self,
        release: &LoadedRelease,
        service: &ServiceSpec,
    ) -> Result<BTreeMap<String, String>, Failure> {
        let mut env = release.service_env(service)?;
        let folder = self
            .manager
            .runtime_dir(&service.instance())
            .display()
            .to_string();
        env.insert("RUNTIME_DIRECTORY".to_owned(), folder);
        Ok(env)
    }

    /// The environment of a hook of `release`: that of its first service, whose folder to write to may
    /// not be there yet; where no service of it runs here, the release's own.
    ///
    /// # Errors
    /// When the name service does not answer.
    pub fn hook_env(&self, release: &LoadedRelease) -> Result<BTreeMap<String, String>, Failure> {
        let Some(service) = release.release.services.first() else {
            return release.command_env();
        };
        let mut env = self.service_env(release, service)?;
        if !self.manager.runtime_dir(&service.instance()).is_dir() {
            env.remove("RUNTIME_DIRECTORY");
        }
        Ok(env)
    }

    /// The instances of the live release's services that are not among `services`: a switch to these
    /// stops them.
    #[must_use]
    pub fn stopped_by(&self, services: &[ServiceSpec]) -> Vec<Instance> {
        let live = releases::current(&self.layout).ok().flatten();
        let live = live.and_then(|id| releases::read(&self.layout, id).ok());
        let names = live.into_iter().flat_map(|live| live.services);
        names
            .filter(|gone| services.iter().all(|service| service.name != gone.name))
            .map(|service| service.instance())
            .collect()
    }

    /// The release's metadata and environment.
    ///
    /// # Errors
    /// When the release is not there or not readable.
    pub fn release(&self, id: ReleaseId) -> Result<LoadedRelease, Failure> {
        let release = releases::read(&self.layout, id)?;
        let dir = self.layout.release(id);
        let path = dir.join(".ship/env");
        let text = match careful::text(&path, careful::METADATA) {
            // Releases that another tool made have none.
            Err(error) if error.is_absent() => String::new(),
            text => text?,
        };
        let mut env = env_file::parse(&text)
            .map_err(|why| Failure::unexpected(format!("{}: {why}", path.display())))?;
        env.retain(|(name, _)| name != launcher::MARKER);
        Ok(LoadedRelease {
            runtimes: RuntimeEnvironment::of(&self.layout, &release.runtimes),
            release,
            dir,
            env: env.into_iter().collect(),
            commands: Arc::clone(&self.commands),
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
    /// What runs its commands, as whom.
    pub commands: Arc<Commands>,
}

impl LoadedRelease {
    /// The environment that a command of this release sees: its own on top of a plain one, and its
    /// runtimes first on `PATH`.
    ///
    /// # Errors
    /// When the name service does not answer.
    pub fn command_env(&self) -> Result<BTreeMap<String, String>, Failure> {
        let mut env = self.own_env()?;
        self.runtimes.apply(&mut env);
        Ok(env)
    }

    fn own_env(&self) -> Result<BTreeMap<String, String>, Failure> {
        let own = |key: &str| Some((key.to_owned(), std::env::var(key).ok()?));
        let mut env: BTreeMap<String, String> = match &self.commands.person()? {
            None => ["HOME", "USER", "LOGNAME", "PATH"]
                .into_iter()
                .filter_map(own)
                .collect(),
            // The PATH of the deploying user's login is not that of a service.
            Some(person) => BTreeMap::from([
                ("HOME".to_owned(), person.home.display().to_string()),
                ("USER".to_owned(), person.name.clone()),
                ("LOGNAME".to_owned(), person.name.clone()),
            ]),
        };
        env.extend(own("LANG"));
        env.entry("PATH".to_owned())
            .or_insert_with(|| "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin".to_owned());
        env.entry("LANG".to_owned())
            .or_insert_with(|| "C.UTF-8".to_owned());
        env.extend(self.env.clone());
        env.insert("SHIP_RELEASE".to_owned(), self.release.id.to_string());
        Ok(env)
    }

    /// The environment of a service's own commands: with its `env` and `PORT`.
    fn service_env(&self, service: &ServiceSpec) -> Result<BTreeMap<String, String>, Failure> {
        let mut env = self.own_env()?;
        if let Some(port) = service.endpoint().port {
            env.insert("PORT".to_owned(), port.to_string());
        }
        env.extend(service.env.clone());
        env.insert("SHIP_RELEASE".to_owned(), self.release.id.to_string());
        self.runtimes.apply(&mut env);
        Ok(env)
    }
}

#[cfg(test)]
impl Host {
    /// An app at `root` under the built-in supervisor, whose commands this process runs.
    pub fn example(root: &Path) -> Self {
        let mut host = Self::new(Deployment {
            app: "shop".try_into().unwrap(),
            environment: "production".try_into().unwrap(),
            root: Some(root.display().to_string()),
            manager: crate::model::ServiceManagerKind::Supervisor,
            user: "shop".to_owned(),
            readable_by: Vec::new(),
        });
        host.commands = Arc::new(Commands::here());
        host
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
                secrets: None,
            },
            dir: dir.to_owned(),
            env: BTreeMap::new(),
            runtimes: RuntimeEnvironment::default(),
            commands: Arc::new(Commands::here()),
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::model::ServiceManagerKind;

    /// A FIFO held the deploy for ever, and a link to /dev/zero filled its memory.
    #[test]
    fn what_the_app_puts_in_the_place_of_its_announcement_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::new(Deployment {
            app: "shop".try_into().unwrap(),
            environment: "production".try_into().unwrap(),
            root: Some(folder.path().display().to_string()),
            manager: ServiceManagerKind::Supervisor,
            user: "shop".to_owned(),
            readable_by: Vec::new(),
        });
        let web: Instance = "web".parse().unwrap();
        let place = host.manager.runtime_dir(&web).join("release");
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        let said = move || {
            let announced = host.announced(&web);
            announced.map_err(|error| {
                error
                    .to_string()
                    .split_once("release ")
                    .unwrap()
                    .1
                    .to_owned()
            })
        };
        let wrong = |what: &str| Err(what.to_owned());
        assert_eq!(said(), Ok(None));
        fs::write(&place, "").unwrap();
        assert_eq!(said(), Ok(None));
        fs::write(&place, "12 v3\n").unwrap();
        assert_eq!(said(), Ok(Some((12, "v3".to_owned()))));
        fs::write(&place, "mine\n").unwrap();
        let garbled = "is damaged: it does not hold the line of the launcher";
        assert_eq!(said(), wrong(garbled));
        fs::remove_file(&place).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &place).unwrap();
        assert_eq!(said(), wrong("is a link, not a regular file"));
        fs::remove_file(&place).unwrap();
        let mode = rustix::fs::Mode::from_raw_mode(0o666);
        let fifo = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &place, fifo, mode, 0).unwrap();
        let (sender, answer) = std::sync::mpsc::channel();
        std::thread::spawn(move || sender.send(said()));
        let answer = answer.recv_timeout(std::time::Duration::from_secs(20));
        let answer = answer.expect("it waits for no writer");
        assert_eq!(answer, wrong("is a FIFO, not a regular file"));
    }
}
