//! Takes back what setup and deploys made of an app on a host. What they did not make stays, and so
//! do the shared files unless they are to go.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;

use super::places::{self, OtherPlace};
use super::step::{self, Step};
use super::{Target, give, names, settings, units};
use crate::agent::host::Host;
use crate::agent::service::{Scope, Supervisor, account, child};
use crate::agent::{Layout, adopt, careful, owner, releases};
use crate::artifact::remove_tree;
use crate::model::{AppName, Failure, ReleaseId, ServiceManagerKind};
use crate::wire::{Changes, RemoveRequest, SetupRequest, Wants};

/// How long the built-in supervisor may take to stop its services.
const STOPPING: Duration = Duration::from_secs(120);

/// How long the tidying after a deploy may take.
const TIDYING: Duration = Duration::from_secs(30);

/// The pause between two looks whether it has ended.
const PAUSE: Duration = Duration::from_millis(50);

/// Takes the app off this host. Each change is a lower-case sentence in the past tense, also those of
/// a dry run, which makes none of them. What is gone already is no failure.
///
/// # Errors
/// `Refused` before anything is changed, when it needs root, belongs to another environment, or a
/// deploy is under way; what a step said when one fails.
pub fn remove(host: &Host, request: &RemoveRequest) -> Result<Changes, Failure> {
    let setup = SetupRequest {
        wants: Wants {
            services: Vec::new(),
            shared: Vec::new(),
            seeded: Vec::new(),
            user_is_named: true,
            programs: Vec::new(),
            history: Vec::new(),
        },
        login: request.login.clone(),
        dry_run: request.dry_run,
    };
    let target = Target::of(host, &setup)?;
    let mut removal = Removal {
        target: &target,
        purge: request.purge,
        parts: Vec::new(),
        left: Vec::new(),
    };
    // Held to the end: no deploy begins meanwhile.
    let _locks = removal.plan()?;
    for part in removal.parts.iter().filter(|_| !request.dry_run) {
        part.apply()?;
    }
    Ok(Changes {
        made: removal.parts.iter().map(ToString::to_string).collect(),
        left: removal.left,
    })
}

struct Removal<'a> {
    target: &'a Target<'a>,
    purge: bool,
    parts: Vec<Part>,
    left: Vec<String>,
}

/// Something that goes.
#[derive(Debug)]
enum Part {
    /// A unit, or what systemd knows of one.
    Unit(Step),
    /// The supervisor of a root folder and what it runs.
    Supervisor(Layout),
    /// A file outside the root folder.
    File(PathBuf),
    /// A file or folder below a root folder, with all that is in it.
    Tree(PathBuf, PathBuf),
    /// A folder, if it is empty.
    Empty(PathBuf),
    /// Shared files of a user that goes: they are root's then, not the next user's of that number.
    Keep(Step),
    /// A user.
    Account(String),
}

impl Removal<'_> {
    fn plan(&mut self) -> Result<Vec<fs::File>, Failure> {
        let deployment = self.target.deployment;
        let is_root = rustix::process::geteuid().is_root();
        if deployment.manager.is_system_wide() && !is_root {
            return Err(Failure::refused("removing system services needs root")
                .hint(format!("ship remove {} --as root", deployment.environment)));
        }
        let mut locks = Vec::new();
        for place in self.places() {
            let layout = Layout::at(&place.root);
            owner::check(&layout, self.target.deployment, &[])?;
            locks.extend(nobody_deploys(&layout)?);
            self.services(&place, &layout)?;
            self.folders(&layout)?;
        }
        Ok(locks)
    }

    /// The manifest's place, and those that an earlier manifest left, as far as this user may change
    /// them: root what is the system's, the deploying user what is its own.
    fn places(&self) -> Vec<OtherPlace> {
        let Target {
            deployment, home, ..
        } = self.target;
        let root = self.target.layout.root();
        let own = OtherPlace {
            manager: deployment.manager,
            root: root.to_owned(),
            units: Vec::new(),
        };
        let mut places = vec![own];
        places.extend(places::others(
            &deployment.app,
            deployment.manager,
            root,
            home,
        ));
        let is_root = rustix::process::geteuid().is_root();
        // On this machine whoever calls is the deploying user.
        let is_own = deployment.environment.is_local() || !self.target.for_another;
        places.retain(|place| match place.manager {
            ServiceManagerKind::Systemd => is_root,
            _ => is_own,
        });
        places
    }

    fn services(&mut self, place: &OtherPlace, layout: &Layout) -> Result<(), Failure> {
        let app = &self.target.deployment.app;
        let Some(scope) = Scope::of(place.manager) else {
            if layout.supervisor_record().exists() {
                self.parts.push(Part::Supervisor(layout.clone()));
            }
            return Ok(());
        };
        let folder = units::folder(scope, &self.target.home);
        let before = self.parts.len();
        for unit in units::all(&folder, app) {
            let path = folder.join(&unit);
            let text = fs::read_to_string(&path).unwrap_or_default();
            let of_this = places::root_of_unit(&text).is_none_or(|root| root == place.root);
            let is_known = self.parts.iter().any(|part| part.is_unit(&unit));
            if !of_this || is_known {
                continue;
            }
            if let Some(other) = other_environment(&text, self.target) {
                return Err(Failure::refused(format!(
                    "{} belongs to {app} of environment {other}, not of {}",
                    path.display(),
                    self.target.deployment.environment
                )));
            }
            self.parts
                .push(Part::Unit(Step::Retire { scope, unit, path }));
        }
        if self.parts.len() > before {
            self.parts.push(Part::Unit(Step::Reload { scope }));
        }
        let sudoers = PathBuf::from(format!("/etc/sudoers.d/ship-{app}"));
        if scope == Scope::System && units::is_ours(&sudoers, app) {
            self.parts.push(Part::File(sudoers));
        }
        Ok(())
    }

    fn folders(&mut self, layout: &Layout) -> Result<(), Failure> {
        let root = layout.root();
        let is_there = |path: &Path| fs::symlink_metadata(root.join(path)).is_ok();
        if !is_there(Path::new(".ship")) {
            return self.shared(layout);
        }
        let tree = |path: &str| Part::Tree(root.to_owned(), PathBuf::from(path));
        let leads_to_ours = fs::read_link(layout.current()).is_ok_and(|to| {
            let name = to.strip_prefix("releases").ok().and_then(Path::to_str);
            name.and_then(|name| ReleaseId::parse(name).ok())
                .is_some_and(|id| adopt::is_published(layout, id))
        });
        if leads_to_ours {
            self.parts.push(tree("current"));
        }
        for id in releases::ids(layout)? {
            if adopt::is_adopted(layout, id) {
                // Only the part of ship in a folder that another tool made.
                let to = fs::read_link(layout.release(id))?;
                if to.components().count() == 1 {
                    self.parts.push(Part::Tree(
                        root.to_owned(),
                        Path::new("releases").join(to).join(".ship"),
                    ));
                }
            }
            self.parts.push(tree(&format!("releases/{id}")));
        }
        for name in ["runtimes", ".ship"] {
            if is_there(Path::new(name)) {
                self.parts.push(tree(name));
            }
        }
        if is_there(Path::new("releases")) {
            self.empty(&layout.releases());
        }
        self.shared(layout)
    }

    /// The shared files, the user whose they are, and the root folder.
    fn shared(&mut self, layout: &Layout) -> Result<(), Failure> {
        let Target {
            deployment, login, ..
        } = self.target;
        let (app, user) = (&deployment.app, &deployment.user);
        // Without files in it, it is ship's own folder, and nobody would miss it.
        let is_empty = fs::read_dir(layout.shared()).is_ok_and(|mut files| files.next().is_none());
        let is_there = !is_empty && fs::symlink_metadata(layout.shared()).is_ok();
        if is_empty {
            self.parts.push(Part::Empty(layout.shared()));
        } else if is_there && self.purge {
            let tree = Part::Tree(layout.root().to_owned(), PathBuf::from("shared"));
            self.parts.push(tree);
        } else if is_there {
            let shared = layout.shared();
            self.left
                .push(format!("{} stays; --purge removes it", shared.display()));
        }
        let is_system = rustix::process::geteuid().is_root();
        let found = account::find(user)?;
        let found =
            found.filter(|it| is_system && user != login && names::is_ours(it, app, layout));
        if let Some(account) = found {
            match user_of_another(app, user) {
                Some(unit) => self
                    .left
                    .push(format!("the user {user} stays: {unit} runs as it")),
                None => {
                    if is_there && !self.purge {
                        self.keep(layout, account.uid)?;
                    }
                    self.parts.push(Part::Account(user.clone()));
                }
            }
        }
        if fs::symlink_metadata(layout.root()).is_ok() {
            self.empty(layout.root());
        }
        Ok(())
    }

    /// A folder that goes when all that is in it does.
    fn empty(&mut self, folder: &Path) {
        let goes = |path: &Path| {
            self.parts.iter().any(|part| match part {
                Part::Tree(base, below) => base.join(below) == path,
                Part::Empty(it) => it == path,
                _ => false,
            })
        };
        let inside = fs::read_dir(folder).into_iter().flatten().flatten();
        let stays = inside.map(|entry| entry.path()).find(|path| !goes(path));
        match stays {
            None => self.parts.push(Part::Empty(folder.to_owned())),
            // That is said already.
            Some(path) if path.ends_with("shared") || path.ends_with("releases") => {}
            Some(path) => self
                .left
                .push(format!("{} stays: ship did not make it", path.display())),
        }
    }

    fn keep(&mut self, layout: &Layout, uid: u32) -> Result<(), Failure> {
        let below = PathBuf::from("shared");
        let owners = give::owners(layout.root(), &below)?;
        if let Some(count) = owners.get(&uid) {
            self.parts.push(Part::Keep(Step::Give {
                base: layout.root().to_owned(),
                below,
                from: uid,
                owner: "root".to_owned(),
                count: *count,
            }));
        }
        Ok(())
    }
}

/// The environment that a unit was written for, when that is not this one.
fn other_environment(unit: &str, target: &Target<'_>) -> Option<String> {
    let said = unit
        .lines()
        .find_map(|line| line.split_once("`ship setup "));
    let (environment, _) = said?.1.split_once('`')?;
    (environment != target.deployment.environment.as_str()).then(|| environment.to_owned())
}

/// A unit of another app that runs as `user`.
fn user_of_another(app: &AppName, user: &str) -> Option<String> {
    let folder = units::folder(Scope::System, Path::new("/"));
    let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names
        .filter(|name| name.ends_with(".service") && !units::is_ours(&folder.join(name), app))
        .find(|name| {
            let text = fs::read_to_string(folder.join(name)).unwrap_or_default();
            settings::value(&text, "Service", "User").as_deref() == Some(user)
        })
}

/// Takes the locks of the app, where there are any. What the last deploy left to be tidied up is
/// waited for.
fn nobody_deploys(layout: &Layout) -> Result<Vec<fs::File>, Failure> {
    let mut locks = Vec::new();
    for (name, patience) in [("lock", Duration::ZERO), ("tidy.lock", TIDYING)] {
        let file = match careful::open(&layout.state_file(name)) {
            Ok(file) => file,
            Err(error) if error.is_absent() => continue,
            Err(error) => return Err(error.into()),
        };
        let deadline = Instant::now() + patience;
        while rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            if Instant::now() >= deadline {
                return Err(Failure::refused(format!(
                    "something is being done in {} right now",
                    layout.root().display()
                ))
                .hint("wait for it, or end it: ship cancel"));
            }
            std::thread::sleep(PAUSE);
        }
        locks.push(file);
    }
    Ok(locks)
}

impl Part {
    fn is_unit(&self, name: &str) -> bool {
        matches!(self, Self::Unit(Step::Retire { unit, .. }) if unit == name)
    }

    fn apply(&self) -> Result<(), Failure> {
        match self {
            Self::Unit(step) | Self::Keep(step) => step.apply(),
            Self::Supervisor(layout) => Supervisor::new(layout.clone()).take_down(STOPPING),
            Self::File(path) => gone(path, fs::remove_file(path)),
            Self::Tree(base, below) => {
                let path = base.join(below);
                gone(&path, remove_below(base, below))
            }
            Self::Empty(path) => match fs::remove_dir(path) {
                // Something came there meanwhile.
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
                removed => gone(path, removed),
            },
            Self::Account(name) => {
                step::run(child::command("userdel").arg(name))?;
                // It stays where somebody else was added to it.
                if account::group_exists(name)? {
                    step::run(child::command("groupdel").arg(name))?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit(Step::Retire { path, .. }) => {
                write!(f, "stopped, disabled and removed {}", path.display())
            }
            Self::Unit(step) | Self::Keep(step) => step.fmt(f),
            Self::Supervisor(layout) => write!(
                f,
                "stopped the services and the supervisor of {}",
                layout.root().display()
            ),
            Self::File(path) => write!(f, "removed {}", path.display()),
            Self::Tree(base, below) => write!(f, "removed {}", base.join(below).display()),
            Self::Empty(path) => write!(f, "removed the folder {}", path.display()),
            Self::Account(name) => write!(f, "removed the user {name}"),
        }
    }
}

fn gone(path: &Path, removed: io::Result<()>) -> Result<(), Failure> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Failure::unexpected(format!(
            "cannot remove {}: {error}",
            path.display()
        ))),
        _ => Ok(()),
    }
}

/// Removes what is at `below` of `base`. No link is followed on the way down: the folders are the
/// deploying user's, who must not lead root astray.
fn remove_below(base: &Path, below: &Path) -> io::Result<()> {
    let (parent, name) = super::folder::descend(base, below)?;
    let Some(name) = name else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    #[cfg(target_os = "linux")]
    let path = {
        use std::os::fd::AsRawFd;
        PathBuf::from(format!("/proc/self/fd/{}", parent.as_raw_fd())).join(name)
    };
    #[cfg(not(target_os = "linux"))]
    let path = {
        let _ = (&parent, name);
        base.join(below)
    };
    remove_tree(&path).map_err(|error| io::Error::other(error.to_string()))
}
