//! The private folder of a connection: ssh(1)'s configuration, its control socket, a key from CI.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;

use super::super::Options;
use super::key::SshKey;
use crate::model::Failure;

/// The control socket's name in its folder, which is a folder in a [`Folder`] whose name begins
/// with [`SOCKET_FOLDER`]; the openssh crate expects this name.
pub const SOCKET: &str = "master";

/// See [`SOCKET`].
pub const SOCKET_FOLDER: &str = ".ssh-connection";

/// A folder that nobody else can read, removed with this value unless it is kept. While this value
/// is there, the folder is locked (flock(2)): its connection is not dead, but being made.
#[derive(Debug)]
pub struct Folder {
    dir: TempDir,
    kept: AtomicBool,
    _lock: File,
}

impl Folder {
    /// In the user's runtime folder, else in `/tmp`. Its path is short: the socket's name has to
    /// fit into the 108 bytes of unix(7).
    ///
    /// # Errors
    /// When neither can be written to.
    pub fn make(options: &Options) -> Result<Self, Failure> {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let base = runtime
            .filter(|path| path.as_os_str().len() < 40 && path.is_dir())
            .unwrap_or_else(|| PathBuf::from("/tmp"));
        let folder = Self::make_in(&base, "ship-", options)
            .or_else(|_| Self::make_in(Path::new("/tmp"), "ship-", options))?;
        Ok(folder)
    }

    /// In `base`, with a name that begins with `prefix`.
    ///
    /// # Errors
    /// When `base` cannot be written to.
    pub fn make_in(base: &Path, prefix: &str, options: &Options) -> io::Result<Self> {
        let (dir, lock) = locked_in(base, prefix)?;
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700))?;
        let folder = Self {
            dir,
            kept: AtomicBool::new(false),
            _lock: lock,
        };
        let key = options.ssh_key.as_ref();
        let key = key.map(|key| folder.key_file(key)).transpose()?;
        fs::write(folder.config(), config(options, key.as_deref()))?;
        Ok(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The configuration for ssh(1).
    pub fn config(&self) -> PathBuf {
        self.path().join("config")
    }

    /// The same, with a connection that [`super::dial`] makes.
    ///
    /// # Errors
    /// When it cannot be written, or nobody knows where this program is.
    pub fn dialling_config(&self) -> io::Result<PathBuf> {
        let path = self.path().join("config-dialling");
        let lines = super::dial::config()?;
        fs::write(
            &path,
            format!("{lines}Include {}\n", quoted(&self.config())),
        )?;
        Ok(path)
    }

    /// Leaves the folder where it is, for the connection that outlives this command.
    pub fn keep(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }

    /// The file of `key`: a private one here, when it was given as content.
    ///
    /// # Errors
    /// When the file cannot be written.
    fn key_file(&self, key: &SshKey) -> io::Result<PathBuf> {
        let key = match key {
            SshKey::File(path) => return Ok(path.clone()),
            SshKey::Content(key) => key,
        };
        let path = self.path().join("key");
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)?;
        io::Write::write_all(&mut file, key.reveal().as_bytes())?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.dir.disable_cleanup(self.kept.load(Ordering::Relaxed));
    }
}

/// A new folder with a lock on it. Another command may take one that has no lock yet for a dead
/// connection's, and remove it: then there is another one.
fn locked_in(base: &Path, prefix: &str) -> io::Result<(TempDir, File)> {
    loop {
        let dir = tempfile::Builder::new().prefix(prefix).tempdir_in(base)?;
        let lock = match File::open(dir.path()) {
            Ok(lock) => lock,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        lock.lock_shared()?;
        let locked = lock.metadata()?.ino();
        if fs::symlink_metadata(dir.path()).is_ok_and(|there| there.ino() == locked) {
            return Ok((dir, lock));
        }
    }
}

/// Our values first (ssh_config(5): the first value obtained is used), then the user's. They hold
/// for jump hosts too, whose ssh(1) is given the same file.
const OURS: &str = "\
  StrictHostKeyChecking yes
  UpdateHostKeys no
  BatchMode yes
  ServerAliveInterval 5
  ServerAliveCountMax 3
  ClearAllForwardings yes
  ExitOnForwardFailure no
  ForwardAgent no
  ForwardX11 no
  Tunnel no
  PermitLocalCommand no
  RequestTTY no
  RemoteCommand none
  LogLevel INFO
";

/// The text of our configuration. A forwarding, a terminal or a command of the user's is for the
/// user's own sessions; and as the cause of a failure is known by what ssh says, ssh may not be
/// told to be quiet. The key in the file `key` is for jump hosts, too.
fn config(options: &Options, key: Option<&Path>) -> String {
    let limit_s = options.timeout.as_secs().max(1);
    let mut text = format!("Host *\n{OURS}  ConnectTimeout {limit_s}\n");
    if let Some(key) = key {
        text.push_str(&format!("  IdentityFile {}\n", quoted(key)));
    }
    let pinned = options.pinned();
    if pinned.is_file() {
        text.push_str(&format!(
            "  GlobalKnownHostsFile {} /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2\n",
            quoted(&pinned)
        ));
    }
    match &options.ssh_config {
        Some(path) => text.push_str(&format!("Include {}\n", quoted(path))),
        None => text.push_str("Include ~/.ssh/config\nInclude /etc/ssh/ssh_config\n"),
    }
    text
}

/// A path in ssh_config(5): in double quotes where it holds spaces or could begin a comment.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    if text.contains([' ', '#']) {
        format!("\"{text}\"")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_given_as_content_is_private_and_goes_with_the_folder() {
        let options = Options {
            project: "/".into(),
            ssh_config: None,
            ssh_key: None,
            persist_s: None,
            cache: None,
            timeout: std::time::Duration::from_secs(1),
        };
        let folder = Folder::make(&options).unwrap();
        let key = SshKey::Content(crate::model::Secret::new("a key\n"));
        let path = folder.key_file(&key).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, "a key\n");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let dir = folder.path().to_owned();
        drop(folder);
        assert!(!dir.exists());
    }
}
