//! ssh(1) as the master of a connection: it logs in, goes to the background and offers a control
//! socket there. What it says on the way is kept, apart from what the programs say that it starts
//! to get there (jump hosts, proxies).

use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Command;

use super::super::{Options, Target};
use super::address::Address;
use super::folder::{Folder, SOCKET, SOCKET_FOLDER};

/// The longest text that is read of what was said, bytes.
const MAX_SAID: u64 = 64 << 10;

/// What is added to the time that an idle connection lives, s. ssh(1) counts it from the moment it
/// is in the background, in whole seconds (up to one is lost), and a busy machine takes a while to
/// start the first program over it.
const FIRST_USE_S: usize = 10;

/// How the lines begin that ssh(1) writes for `-v` only.
const ONLY_VERBOSE: [&str; 5] = [
    "debug1: ",
    "OpenSSH_",
    "Authenticated to ",
    "Transferred: ",
    "Bytes per second: ",
];

/// What was said while a connection was being made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// By ssh(1) itself, of the host.
    pub own: String,
    /// By the programs that ssh(1) started: the ssh(1) of a jump host, a `ProxyCommand`. Before
    /// ssh(1) opens its log, its own words are here too.
    pub way: String,
}

/// Why there is no connection.
#[derive(Debug)]
pub enum NotConnected {
    /// ssh(1) could not be started, or its folder not be written to.
    Unstarted(io::Error),
    /// ssh(1) gave up.
    Failed(Said),
    /// The time was over; what had been said until then.
    Late(Said),
}

impl From<io::Error> for NotConnected {
    fn from(error: io::Error) -> Self {
        Self::Unstarted(error)
    }
}

/// Has ssh(1) log in with the configuration `config`, go to the background, and end `idle_s` (and
/// [`FIRST_USE_S`]) after its last use. The folder of its control socket.
///
/// # Errors
/// When it is not logged in within `limit`.
pub async fn launch(
    target: &Target,
    options: &Options,
    folder: &Folder,
    config: &Path,
    idle_s: NonZeroUsize,
    limit: Duration,
) -> Result<TempDir, NotConnected> {
    let dir = tempfile::Builder::new()
        .prefix(SOCKET_FOLDER)
        .tempdir_in(folder.path())?;
    let (own, way) = (dir.path().join("log"), dir.path().join("way"));
    let mut ssh = Command::new("ssh");
    ssh.arg("-E").arg(&own);
    ssh.arg("-S").arg(dir.path().join(SOCKET));
    // Without `-v`, `ControlPersist` takes standard error away from what ssh(1) starts.
    ssh.args(["-v", "-M", "-f", "-N", "-o"])
        .arg(format!("ControlPersist={}", idle_s.get() + FIRST_USE_S));
    ssh.args(arguments(target, options, config))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        // A file and not a pipe: the ssh(1) of a jump host has it open for as long as it lives.
        .stderr(File::create(&way)?)
        .kill_on_drop(true);
    let said = || Said {
        own: read(&own),
        way: read(&way),
    };
    let ended = tokio::time::timeout(limit, async { ssh.spawn()?.wait().await });
    match ended.await {
        Err(_) => Err(NotConnected::Late(said())),
        Ok(Err(error)) => Err(io::Error::new(error.kind(), format!("ssh: {error}")).into()),
        Ok(Ok(status)) if status.success() => Ok(dir),
        Ok(Ok(_)) => Err(NotConnected::Failed(said())),
    }
}

/// The arguments that say where ssh(1) is to go, with the configuration `config`.
pub fn arguments(target: &Target, options: &Options, config: &Path) -> Vec<std::ffi::OsString> {
    let address = Address::of(target);
    let mut arguments = vec!["-F".into(), config.into()];
    if options.ssh_key.is_some() {
        // The configuration names it. Keys of the agent are not offered beside it.
        arguments.extend(["-o".into(), "IdentitiesOnly=yes".into()]);
    }
    if let Some(user) = address.user {
        arguments.extend(["-l".into(), user.into()]);
    }
    if let Some(port) = address.port {
        arguments.extend(["-p".into(), port.to_string().into()]);
    }
    arguments.extend(["--".into(), address.host.into()]);
    arguments
}

/// The beginning of the file at `path`, without the lines that ssh(1) has for `-v` only; nothing
/// where there is no such file.
pub fn read(path: &Path) -> String {
    use io::Read as _;
    let mut bytes = Vec::new();
    if let Ok(file) = File::open(path) {
        let _ = file.take(MAX_SAID).read_to_end(&mut bytes);
    }
    let text = String::from_utf8_lossy(&bytes);
    let is_said = |line: &&str| !ONLY_VERBOSE.iter().any(|start| line.starts_with(start));
    let lines: Vec<&str> = text.lines().filter(is_said).collect();
    lines.join("\n")
}
