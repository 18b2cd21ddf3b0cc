//! One change to a host: what it says, and how it is made.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::closed::Closed;
use super::folder;
use super::give;
use super::kept::Kept;
use super::keys::Keys;
use super::settings::Difference;
use crate::agent::disk;
use crate::agent::service::{Scope, account, child, systemctl};
use crate::model::{Failure, FailureKind, ServiceName};

/// How long one program may take: stopping a service that is no longer wanted among them.
const PATIENCE: Duration = Duration::from_secs(120);

/// A unit file that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenUnit {
    /// Its place.
    pub path: PathBuf,
    /// The service that it starts; `None` for the recovery at boot.
    pub service: Option<ServiceName>,
    /// All of it.
    pub text: String,
    /// Whether it takes the place of one.
    pub there: bool,
    /// Where that one differs; none where only its comments or its order do.
    pub differences: Vec<Difference>,
}

/// A change that is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The user that the services run as.
    SystemUser {
        name: String,
        home: PathBuf,
        comment: String,
    },
    /// The user that deploys.
    Login { name: String, home: PathBuf },
    /// Lets the administrator in as the deploying user.
    Keys {
        login: String,
        home: PathBuf,
        keys: Option<Keys>,
    },
    /// Membership in a group.
    Join { user: String, group: String },
    /// A folder outside the root folder, or the root folder itself, with its parents.
    Parents { path: PathBuf },
    /// A folder: made, or given the right owner and mode.
    Folder {
        base: PathBuf,
        below: PathBuf,
        owner: String,
        mode: u32,
        there: bool,
    },
    /// A folder closed to other users.
    Close { closed: Closed, there: bool },
    /// A release of an older ship, whose launchers do not read its environment.
    Release(Kept),
    /// An empty file.
    File {
        base: PathBuf,
        below: PathBuf,
        owner: String,
    },
    /// What one user has below a folder goes to another.
    Give {
        base: PathBuf,
        below: PathBuf,
        from: u32,
        owner: String,
        count: usize,
    },
    /// A service runs as another user from now on.
    Restart { unit: String, user: String },
    /// The agent, in the deploying user's folder.
    Agent {
        program: PathBuf,
        base: PathBuf,
        below: PathBuf,
        owner: String,
    },
    /// A unit.
    Unit(WrittenUnit),
    /// A unit that is no longer wanted.
    Retire {
        scope: Scope,
        unit: String,
        path: PathBuf,
    },
    /// Makes systemd read its units again.
    Reload { scope: Scope },
    /// Start at boot.
    Enable { scope: Scope, unit: String },
    /// The deploying user's rights.
    Sudoers {
        path: PathBuf,
        text: String,
        there: bool,
        /// What a person should know about it.
        remarks: Vec<String>,
    },
    /// Services of a user that is not logged in.
    Linger { user: String },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wrote = |there: &bool| if *there { "updated" } else { "wrote" };
        match self {
            Self::SystemUser { name, .. } => write!(f, "created the system user {name}"),
            Self::Login { name, .. } => write!(f, "created the user {name}"),
            Self::Keys {
                login,
                keys: Some(keys),
                ..
            } => {
                let count = keys.count;
                let s = if count == 1 { "" } else { "s" };
                write!(
                    f,
                    "let {login} in with the {count} ssh key{s} of {}",
                    keys.of
                )
            }
            Self::Keys {
                login,
                home,
                keys: None,
            } => write!(
                f,
                "left {login} without ssh keys: none were found to copy; add yours to {}",
                home.join(".ssh/authorized_keys").display()
            ),
            Self::Join { user, group } => write!(f, "added {user} to the group {group}"),
            Self::Parents { path } => write!(f, "made the folder {}", path.display()),
            Self::Folder {
                base,
                below,
                owner,
                there: false,
                ..
            } => {
                write!(
                    f,
                    "made the folder {} for {owner}",
                    base.join(below).display()
                )
            }
            Self::Folder {
                base,
                below,
                owner,
                mode,
                there: true,
            } => write!(
                f,
                "gave {} to {owner}, mode {mode:04o}",
                base.join(below).display()
            ),
            Self::Close { closed, there } => closed.say(*there, f),
            Self::Release(kept) => kept.fmt(f),
            Self::File { base, below, owner } => {
                write!(
                    f,
                    "made the empty file {} for {owner}",
                    base.join(below).display()
                )
            }
            Self::Give {
                base,
                below,
                from,
                owner,
                count,
            } => {
                let from = account::by_uid(*from).map_or(from.to_string(), |it| it.name);
                let s = if *count == 1 { "" } else { "s" };
                let path = base.join(below);
                write!(
                    f,
                    "gave {owner} the {count} file{s} and folder{s} of {from} in {}",
                    path.display()
                )
            }
            Self::Restart { unit, user } => write!(f, "restarted {unit}, which runs as {user} now"),
            Self::Agent {
                base, below, owner, ..
            } => write!(
                f,
                "left the agent for {owner}: {}",
                base.join(below).display()
            ),
            Self::Unit(WrittenUnit { path, there, .. }) => {
                write!(f, "{} {}", wrote(there), path.display())
            }
            Self::Sudoers {
                path,
                there,
                remarks,
                ..
            } => {
                write!(f, "{} {}", wrote(there), path.display())?;
                remarks
                    .iter()
                    .try_for_each(|remark| write!(f, "; {remark}"))
            }
            Self::Retire { path, .. } => write!(
                f,
                "stopped, disabled and removed {}, which is no longer wanted",
                path.display()
            ),
            Self::Reload { .. } => f.write_str("had systemd read its units again"),
            Self::Enable { unit, .. } => write!(f, "enabled {unit}: it starts at boot"),
            Self::Linger { user } => {
                write!(
                    f,
                    "enabled linger: services of {user} run while nobody is logged in"
                )
            }
        }
    }
}

impl Step {
    /// Makes the change.
    ///
    /// # Errors
    /// What the program or the file system said.
    pub fn apply(&self) -> Result<(), Failure> {
        match self {
            Self::SystemUser {
                name,
                home,
                comment,
            } => {
                let mut useradd = child::command("useradd");
                useradd.args(["--system", "--no-create-home", "--shell", &nologin()]);
                useradd.args(["--comment", comment]);
                useradd.arg("--home-dir").arg(home);
                with_group(&mut useradd, name)?;
                run(useradd.arg(name)).map(drop)
            }
            Self::Login { name, home } => {
                let mut useradd = child::command("useradd");
                useradd.args(["--create-home", "--shell", "/bin/bash"]);
                useradd.arg("--home-dir").arg(home);
                with_group(&mut useradd, name)?;
                run(useradd.arg(name)).map(drop)
            }
            Self::Keys { keys: None, .. } => Ok(()),
            Self::Keys {
                login,
                home,
                keys: Some(keys),
            } => let_in(login, home, keys),
            Self::Join { user, group } => {
                run(child::command("usermod").args(["--append", "--groups", group, user])).map(drop)
            }
            Self::Parents { path } => {
                folder::make_all(path).map_err(|error| cannot_make(path, &error))
            }
            Self::Folder {
                base,
                below,
                owner,
                mode,
                ..
            } => folder::ensure(base, below, owner, *mode)
                .map_err(|error| cannot_make(&base.join(below), &error)),
            Self::Close { closed, .. } => closed.close(),
            Self::Release(kept) => kept.mend(),
            Self::File { base, below, owner } => folder::touch(base, below, owner, 0o640)
                .map_err(|error| cannot_make(&base.join(below), &error)),
            Self::Give {
                base,
                below,
                from,
                owner,
                ..
            } => give::give(base, below, *from, owner).map_err(|error| {
                let path = base.join(below);
                Failure::unexpected(format!(
                    "cannot give {} to {owner}: {error}",
                    path.display()
                ))
            }),
            Self::Restart { unit, user } => restart(unit, user),
            Self::Agent {
                program,
                base,
                below,
                owner,
            } => folder::put(base, below, program, owner)
                .map_err(|error| cannot_make(&base.join(below), &error)),
            Self::Unit(WrittenUnit { path, text, .. }) => {
                let folder = path.parent().unwrap_or(Path::new("/"));
                fs::create_dir_all(folder).map_err(|error| cannot_make(folder, &error))?;
                disk::write_atomic(path, text.as_bytes(), 0o644).map_err(Failure::from)
            }
            Self::Retire { scope, unit, path } => {
                run(systemctl(*scope).args(["disable", "--now", unit]))?;
                fs::remove_file(path).map_err(|error| disk::named(error, path).into())
            }
            Self::Reload { scope } => run(systemctl(*scope).arg("daemon-reload")).map(drop),
            Self::Enable { scope, unit } => run(systemctl(*scope).args(["enable", unit])).map(drop),
            Self::Sudoers { path, text, .. } => allow(path, text),
            Self::Linger { user } => linger(user),
        }
    }
}

/// A group of the user's name that is there already is its group.
fn with_group(useradd: &mut Command, name: &str) -> Result<(), Failure> {
    if account::group_exists(name)? {
        useradd.args(["--gid", name]);
    } else {
        useradd.arg("--user-group");
    }
    Ok(())
}

/// The shell of those who do not log in.
fn nologin() -> String {
    let places = ["/usr/sbin/nologin", "/sbin/nologin"];
    let found = places.into_iter().find(|path| Path::new(path).exists());
    found.unwrap_or("/bin/false").to_owned()
}

fn systemctl(scope: Scope) -> Command {
    let mut command = systemctl::command(systemctl::path(), scope);
    if scope == Scope::User {
        command.arg("--user");
    }
    command
}

/// Runs a program that must succeed.
pub(super) fn run(command: &mut Command) -> Result<child::Output, Failure> {
    let line = child::line(command);
    match child::run(command, PATIENCE) {
        Ok(output) if output.ok() => Ok(output),
        Ok(output) => Err(Failure::unexpected(format!("{line} failed"))
            .details(output.stderr.lines().map(str::to_owned))),
        Err(why) => Err(Failure::unexpected(why.of(command))),
    }
}

/// A service counts as up when it has been up for so long without a restart.
const SETTLED: Duration = Duration::from_secs(3);

/// Restarts a service and waits until it stays up.
fn restart(unit: &str, user: &str) -> Result<(), Failure> {
    run(systemctl(Scope::System).args(["restart", unit]))?;
    let began = Instant::now();
    while began.elapsed() < SETTLED {
        let property = "--property=ActiveState,SubState,NRestarts";
        let shown = run(systemctl(Scope::System).args(["show", property, unit]))?.stdout;
        let says = |line: &str| shown.lines().any(|it| it == line);
        if !says("ActiveState=active") || !says("NRestarts=0") {
            return Err(Failure::new(
                FailureKind::Reverted,
                format!("{unit} does not run as {user}"),
            )
            .details(shown.lines().map(str::to_owned))
            .hint(format!(
                "see what it says: journalctl --unit {unit} --lines 50"
            )));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// Writes the new user's authorized_keys; its home was made a moment ago and is its alone.
fn let_in(login: &str, home: &Path, keys: &Keys) -> Result<(), Failure> {
    let ssh = Path::new(".ssh");
    folder::ensure(home, ssh, login, 0o700)
        .map_err(|error| cannot_make(&home.join(ssh), &error))?;
    let file = home.join(".ssh/authorized_keys");
    disk::write_atomic(&file, keys.text.as_bytes(), 0o600)?;
    let account = account::known(login)?;
    std::os::unix::fs::lchown(&file, Some(account.uid), Some(account.gid))
        .map_err(|error| disk::named(error, &file).into())
}

/// Publishes a drop-in of sudoers(5) that visudo(8) has read: a broken one would lock all of sudo.
fn allow(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder).map_err(|error| cannot_make(folder, &error))?;
    let mut temp = tempfile::NamedTempFile::new().map_err(Failure::from)?;
    std::io::Write::write_all(&mut temp, text.as_bytes())?;
    run(child::command("visudo").arg("-cf").arg(temp.path()))?;
    disk::write_atomic(path, text.as_bytes(), 0o440).map_err(Failure::from)
}

/// Enables linger and waits until the user's service manager is up.
fn linger(user: &str) -> Result<(), Failure> {
    let output = child::run(
        child::command("loginctl").args(["enable-linger", user]),
        PATIENCE,
    )
    .map_err(|why| Failure::unexpected(format!("cannot run loginctl: {why}")))?;
    if !output.ok() {
        return Err(Failure::refused(format!(
            "{user} may not enable linger for itself: its services would end with its last session"
        ))
        .details(output.stderr.lines().map(str::to_owned))
        .hint(format!(
            "as root on the host: loginctl enable-linger {user}"
        )));
    }
    let Some(account) = account::find(user)? else {
        return Ok(());
    };
    let bus = PathBuf::from(format!("/run/user/{}/bus", account.uid));
    let end = Instant::now() + Duration::from_secs(20);
    while !bus.exists() {
        if Instant::now() > end {
            return Err(Failure::unexpected(format!(
                "the service manager of {user} did not start: there is no {}",
                bus.display()
            ))
            .hint("the packages dbus-user-session and libpam-systemd bring it"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

pub(super) fn cannot_make(path: &Path, error: &std::io::Error) -> Failure {
    let text = format!("cannot make {}: {error}", path.display());
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => Failure::new(FailureKind::Refused, text)
            .hint("choose a root folder of your own, or make it as root and give it away"),
        _ => Failure::unexpected(text),
    }
}
