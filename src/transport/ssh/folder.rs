//! The private folder of a connection: ssh(1)'s configuration, its control socket, a key from CI.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;

use super::super::Options;
use crate::model::Failure;

/// The control socket's name in its folder, which is a folder in a [`Folder`] whose name begins
/// with [`SOCKET_FOLDER`]; both as the openssh crate names them.
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
        fs::write(folder.config(), config(options))?;
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

    /// A key that CI hands over as content (often with CRLF and without a last newline) becomes a
    /// private file; a path is used as it is.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn key_file(&self, key: &str) -> io::Result<PathBuf> {
        if !is_key(key) {
            return Ok(PathBuf::from(key.trim()));
        }
        let text = key.replace("\r\n", "\n").replace('\r', "\n");
        let path = self.path().join("key");
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)?;
        io::Write::write_all(&mut file, format!("{}\n", text.trim()).as_bytes())?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.dir.disable_cleanup(self.kept.load(Ordering::Relaxed));
    }
}

/// Whether `key` is a private key's content, and not the path of one.
pub fn is_key(key: &str) -> bool {
    key.contains("PRIVATE KEY")
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

/// Ours first (ssh_config(5): the first value obtained is used), then the user's. What went wrong is
/// known by what ssh says: it may not be told to be quiet.
fn config(options: &Options) -> String {
    let mut text = String::from(
        "Host *\n  ForwardAgent no\n  ForwardX11 no\n  PermitLocalCommand no\n  \
         UpdateHostKeys no\n  ServerAliveCountMax 3\n  RequestTTY no\n  RemoteCommand none\n  LogLevel INFO\n",
    );
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

/// A path in ssh_config(5): in double quotes where it holds spaces.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    if text.contains(' ') {
        format!("\"{text}\"")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_from_ci_loses_its_carriage_returns() {
        let options = Options {
            project: "/".into(),
            ssh_config: None,
            ssh_key: None,
            persist_s: None,
            cache: None,
            timeout: std::time::Duration::from_secs(1),
        };
        let folder = Folder::make(&options).unwrap();
        let path = folder
            .key_file("-----BEGIN X PRIVATE KEY-----\r\nabc\r\n-----END X PRIVATE KEY-----")
            .unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            "-----BEGIN X PRIVATE KEY-----\nabc\n-----END X PRIVATE KEY-----\n"
        );
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let dir = folder.path().to_owned();
        drop(folder);
        assert!(!dir.exists());
    }
}
