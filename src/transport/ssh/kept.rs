//! Connections that outlive their command for a while, as ssh_config(5)'s `ControlPersist` has it,
//! so that the next command pays no handshake.
//!
//! ```text
//! $XDG_RUNTIME_DIR/ship/       0700, ours, no link; else /tmp/ship-<uid>
//!   <identity>                 link to the folder of the control socket to use
//!   c-<random>/                one connection
//!     config
//!     .ssh-connection<random>/master
//! ```
//!
//! A command that finds no live connection under its identity makes one and renames a link to it
//! into place. Of two commands at once each makes its own; the last link stays, and the other
//! connection ends when it was idle long enough.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::num::NonZeroUsize;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::net::UnixStream;

use super::super::{Options, Target};
use super::effective::Effective;
use super::folder::{Folder, SOCKET, SOCKET_FOLDER};
use super::identity;
use super::key::SshKey;

/// The longest path of the folder of all connections, bytes: with the names below it and the 17
/// bytes that ssh(1) appends while it binds, a socket's name fits into the 108 bytes of unix(7).
const MAX_BASE: usize = 50;

/// What the folder of a connection begins with.
const PREFIX: &str = "c-";

/// Where a connection is, or will be, for the next command.
#[derive(Debug)]
pub struct Kept {
    /// How long the connection outlives its last use, seconds.
    pub idle_s: NonZeroUsize,
    base: PathBuf,
    identity: String,
}

impl Kept {
    /// A folder for a connection to `target` that is to be kept, if it has to be made. `None` when
    /// connections shall not be kept, or cannot be: there is no place that is safe.
    pub async fn folder(options: &Options) -> Option<Folder> {
        options.persist_s?;
        if matches!(options.ssh_key, Some(SshKey::Content(_))) {
            return None;
        }
        let base = base()?;
        sweep_once(&base).await;
        Folder::make_in(&base, PREFIX, options).ok()
    }

    /// The place of the connection to `target` whose folder, if it has to be made, is `folder`.
    pub fn place(
        target: &Target,
        options: &Options,
        folder: &Folder,
        effect: &Effective,
    ) -> Option<Self> {
        let idle_s = options.persist_s?;
        Some(Self {
            idle_s,
            base: folder.path().parent()?.to_owned(),
            identity: identity::of(target, options, effect, idle_s.get()),
        })
    }

    /// The control socket of a connection that is there already. Whether it lives is another
    /// question.
    pub fn socket(&self) -> Option<PathBuf> {
        // Resolved once: the link may change while the connection is in use.
        let folder = fs::read_link(self.base.join(&self.identity)).ok()?;
        let socket = folder.join(SOCKET);
        socket.exists().then_some(socket)
    }

    /// Offers the connection with its control socket in `folder` to the next commands. If that
    /// fails, it ends unused.
    pub fn publish(&self, folder: &Path) {
        let temporary = format!(".{}.{}", self.identity, std::process::id());
        let temporary = self.base.join(temporary);
        let _ = fs::remove_file(&temporary);
        let _ = symlink(folder, &temporary)
            .and_then(|()| fs::rename(&temporary, self.base.join(&self.identity)));
    }
}

/// The folder of all connections of this user, made if need be.
fn base() -> Option<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let base = runtime
        .filter(|path| path.is_absolute() && is_ours(path, 0o022))
        .map(|path| path.join("ship"))
        .filter(|path| path.as_os_str().len() <= MAX_BASE);
    let uid = rustix::process::geteuid().as_raw();
    let base = base.unwrap_or_else(|| PathBuf::from(format!("/tmp/ship-{uid}")));
    match DirBuilder::new().mode(0o700).create(&base) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return None,
        _ => {}
    }
    is_ours(&base, 0o077).then_some(base)
}

/// Whether `path` is a folder, not a link to one, that belongs to this user and gives nobody else
/// any of the rights in `forbidden`.
fn is_ours(path: &Path, forbidden: u32) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| {
        found.is_dir()
            && found.uid() == rustix::process::geteuid().as_raw()
            && found.mode() & forbidden == 0
    })
}

/// Removes what dead connections left behind, at the first connection of a command.
async fn sweep_once(base: &Path) {
    static SWEPT: AtomicBool = AtomicBool::new(false);
    if !SWEPT.swap(true, Ordering::Relaxed) {
        sweep(base).await;
    }
}

async fn sweep(base: &Path) {
    let found = fs::read_dir(base).into_iter().flatten().flatten();
    let (links, folders): (Vec<_>, Vec<_>) = found
        .map(|entry| entry.path())
        .partition(|path| path.is_symlink());
    for folder in folders {
        remove_dead(&folder).await;
    }
    for link in links.iter().filter(|link| !link.exists()) {
        let _ = fs::remove_file(link);
    }
}

/// Removes the folder of a connection unless it lives or is being made.
async fn remove_dead(folder: &Path) {
    let Ok(lock) = File::open(folder) else { return };
    if lock.try_lock().is_ok() && !lives(folder).await {
        let _ = fs::remove_dir_all(folder);
    }
}

/// Whether anybody listens on the control socket in `folder`; where that cannot be told, yes.
async fn lives(folder: &Path) -> bool {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if !name
            .as_encoded_bytes()
            .starts_with(SOCKET_FOLDER.as_bytes())
        {
            continue;
        }
        match UnixStream::connect(entry.path().join(SOCKET)).await {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
                ) => {}
            _ => return true,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixListener;
    use std::time::{Duration, Instant};

    #[test]
    fn only_a_private_folder_of_our_own_will_do() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ship");
        fs::create_dir(&path).unwrap();
        for (mode, ours) in [(0o700, true), (0o750, false), (0o701, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_ours(&path, 0o077), ours, "{mode:o}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        let link = dir.path().join("link");
        symlink(&path, &link).unwrap();
        assert!(!is_ours(&link, 0o077));
        assert!(!is_ours(&dir.path().join("none"), 0o077));
    }

    #[test]
    fn what_the_dead_leave_behind_is_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let socket = dir.path().join(name).join(".ssh-connection1/master");
            fs::create_dir_all(socket.parent().unwrap()).unwrap();
            let link = dir.path().join(format!("link-{name}"));
            symlink(socket.parent().unwrap(), link).unwrap();
            socket
        };
        let alive = make("c-alive");
        let _listener = UnixListener::bind(&alive).unwrap();
        drop(UnixListener::bind(make("c-killed")).unwrap());
        make("c-idle");
        make("c-made");
        let lock = File::open(dir.path().join("c-made")).unwrap();
        lock.lock_shared().unwrap();

        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .unwrap();
        let left = || {
            runtime.block_on(sweep(dir.path()));
            let names = fs::read_dir(dir.path()).unwrap();
            let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            names.collect::<BTreeSet<_>>()
        };
        // A child that another test forks has the dead listener until it becomes its program.
        let deadline = Instant::now() + Duration::from_secs(5);
        while left().contains("c-killed") && Instant::now() < deadline {}
        let alive = ["c-alive", "c-made", "link-c-alive", "link-c-made"];
        assert_eq!(left(), alive.map(str::to_owned).into());
    }
}
