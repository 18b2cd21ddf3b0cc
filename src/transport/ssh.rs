//! SSH by the user's own `ssh`, so that their ssh_config(5), agent, keys and jump hosts work.

use std::fs;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use openssh::{ControlPersist, KnownHosts, Session, SessionBuilder, Stdio};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};

use super::bootstrap::{First, command_line, first};
use super::{Link, Options, Target, agents};
use crate::model::{Failure, FailureKind};

/// How long an idle connection outlives its command, seconds: long enough for one command's
/// several steps, and short enough that a killed controller leaves nothing behind.
const PERSIST_S: usize = 30;

/// ssh(1) asks a silent server for a sign of life this often (`ServerAliveInterval`), seconds;
/// three unanswered questions end the connection.
const ALIVE_S: u64 = 5;

/// Connects and starts the agent.
///
/// # Errors
/// As [`super::connect`].
pub async fn connect(target: &Target, options: &Options) -> Result<Link, Failure> {
    let folder = Arc::new(Folder::make(options)?);
    let session = tokio::time::timeout(options.timeout, open(target, options, &folder))
        .await
        .map_err(|_| {
            unreachable_host(
                target,
                &format!("no connection within {} s", options.timeout.as_secs()),
            )
        })??;
    let session = Arc::new(session);
    let started = start_agent(&session, target, agents::own_platform(), &folder);
    match tokio::time::timeout(options.timeout * 4, started).await {
        Ok(link) => link,
        Err(_) => Err(unreachable_host(
            target,
            "connected, but its login shell did not start the agent in time",
        )),
    }
}

/// A private folder for the control socket and the generated configuration. Its path is short:
/// the socket's name has to fit into the 108 bytes of unix(7).
struct Folder(tempfile::TempDir);

impl Folder {
    fn make(options: &Options) -> Result<Self, Failure> {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let base = runtime
            .filter(|path| path.as_os_str().len() < 40 && path.is_dir())
            .unwrap_or_else(|| PathBuf::from("/tmp"));
        let folder = tempfile::Builder::new()
            .prefix("ship-")
            .tempdir_in(&base)
            .or_else(|_| tempfile::Builder::new().prefix("ship-").tempdir_in("/tmp"))?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700))?;
        fs::write(folder.path().join("config"), config(options))?;
        Ok(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Ours first (ssh_config(5): the first value obtained is used), then the user's.
fn config(options: &Options) -> String {
    let mut text = String::from(
        "Host *\n  ForwardAgent no\n  ForwardX11 no\n  PermitLocalCommand no\n  \
         UpdateHostKeys no\n  ServerAliveCountMax 3\n  RequestTTY no\n  RemoteCommand none\n",
    );
    let pinned = options.project.join(".ship/known_hosts");
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

async fn open(target: &Target, options: &Options, folder: &Folder) -> Result<Session, Failure> {
    let mut builder = SessionBuilder::default();
    builder
        .known_hosts_check(KnownHosts::Strict)
        .config_file(folder.path().join("config"))
        .control_directory(folder.path())
        .connect_timeout(options.timeout)
        .server_alive_interval(Duration::from_secs(ALIVE_S));
    if let Some(seconds) = std::num::NonZeroUsize::new(PERSIST_S) {
        builder.control_persist(ControlPersist::IdleFor(seconds));
    }
    if let Some(key) = &options.ssh_key {
        builder.keyfile(key_file(key, folder)?);
    }
    let address = Address::parse(target.host.as_str());
    if let Some(user) = target.user.as_deref().or(address.user) {
        builder.user(user.to_owned());
    }
    if let Some(port) = address.port {
        builder.port(port);
    }
    let tempdir = builder
        .launch_master(address.host)
        .await
        .map_err(|error| explain(target, &error))?;
    Ok(Session::new_native_mux(tempdir))
}

/// The parts of a host's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Address<'a> {
    user: Option<&'a str>,
    host: &'a str,
    port: Option<u16>,
}

impl<'a> Address<'a> {
    /// Reads `[ssh://][user@]host[:port]`; an IPv6 address may stand in brackets.
    fn parse(text: &'a str) -> Self {
        let text = text
            .strip_prefix("ssh://")
            .unwrap_or(text)
            .trim_end_matches('/');
        let (user, rest) = match text.rsplit_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, text),
        };
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                port.parse().map_or((rest, None), |port| (host, Some(port)))
            }
            _ => (rest, None),
        };
        let host = host
            .strip_prefix('[')
            .and_then(|h| h.strip_suffix(']'))
            .unwrap_or(host);
        Self { user, host, port }
    }
}

/// A key that CI hands over as content (often with CRLF and without a last newline) becomes a
/// private file; a path is used as it is.
fn key_file(key: &str, folder: &Folder) -> Result<PathBuf, Failure> {
    if !key.contains("PRIVATE KEY") {
        return Ok(PathBuf::from(key.trim()));
    }
    let text = key.replace("\r\n", "\n").replace('\r', "\n");
    let path = folder.path().join("key");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    std::io::Write::write_all(&mut file, format!("{}\n", text.trim()).as_bytes())?;
    Ok(path)
}

async fn start_agent(
    session: &Arc<Session>,
    target: &Target,
    mut platform: String,
    folder: &Arc<Folder>,
) -> Result<Link, Failure> {
    // A host of another platform says so, and gets its own agent in a second try.
    for _ in 0..2 {
        let agent = match agents::for_platform(&platform) {
            Ok(agent) => agent,
            Err(failure) => return Err(named(failure, target)),
        };
        let line = command_line(&agent, &target.root, target.sudo);
        let mut child = Arc::clone(session)
            .arc_raw_command(line)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .await
            .map_err(|error| explain(target, &error))?;
        let (Some(mut stdin), Some(stdout), Some(stderr)) = (
            child.stdin().take(),
            child.stdout().take(),
            child.stderr().take(),
        ) else {
            return Err(Failure::unexpected("the channel has no pipes"));
        };
        let said = keep_stderr(stderr);
        let mut stdout = BufReader::with_capacity(64 << 10, stdout);
        let lost = |error: std::io::Error| unreachable_host(target, &error.to_string());
        let mut agent_sent = false;
        let mut seen = first(&mut stdout).await.map_err(lost)?;
        if let First::Need(system, machine) = &seen {
            let wanted = agents::platform(system, machine);
            if wanted != platform {
                platform = wanted;
                continue;
            }
            let binary = tokio::task::spawn_blocking(move || agent.compressed()).await;
            let binary = binary.map_err(|error| Failure::unexpected(error.to_string()))??;
            // A line that broke ends its input too: what it said is the better reason.
            let _ = send_agent(&mut stdin, &binary).await;
            agent_sent = true;
            seen = first(&mut stdout).await.map_err(lost)?;
        }
        return match seen {
            First::Running => {
                let guard = Box::new((child, Arc::clone(session), Arc::clone(folder)));
                let mut link = Link::new(stdout, stdin, guard).with_stderr(said);
                link.agent_sent = agent_sent;
                Ok(link)
            }
            First::Need(..) => Err(no_agent(target, "it asks for the agent again and again")),
            First::Ended(noise) => {
                // Standard error may come a moment later.
                tokio::time::sleep(Duration::from_millis(100)).await;
                let said = said.lock().map(|text| text.clone()).unwrap_or_default();
                Err(no_agent(target, &format!("{noise}\n{said}")))
            }
        };
    }
    Err(no_agent(target, "it changes its mind about its platform"))
}

async fn send_agent(stdin: &mut openssh::ChildStdin, binary: &[u8]) -> std::io::Result<()> {
    let length = format!("{}\n", binary.len());
    stdin.write_all(length.as_bytes()).await?;
    stdin.write_all(binary).await?;
    stdin.flush().await
}

fn keep_stderr(mut stderr: openssh::ChildStderr) -> Arc<Mutex<String>> {
    let said = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&said);
    tokio::spawn(async move {
        let mut bytes = vec![0u8; 4096];
        while let Ok(n) = stderr.read(&mut bytes).await {
            if n == 0 {
                return;
            }
            if let Ok(mut text) = kept.lock()
                && text.len() < 64 << 10
            {
                text.push_str(&String::from_utf8_lossy(&bytes[..n]));
            }
        }
    });
    said
}

fn named(mut failure: Failure, target: &Target) -> Failure {
    failure.message = format!("{}: {}", target.host, failure.message);
    failure
}

fn unreachable_host(target: &Target, why: &str) -> Failure {
    Failure::new(FailureKind::Unreachable, format!("{}: {why}", target.host))
}

fn no_agent(target: &Target, said: &str) -> Failure {
    let lines: Vec<String> = said
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    if target.sudo && lines.iter().any(|line| line.contains("sudo")) {
        return Failure::refused(format!(
            "{}: this user may not use sudo without a password",
            target.host
        ))
        .details(lines)
        .hint("connect as root: ship setup ENV --as root");
    }
    let full = lines.iter().any(|line| line.contains("No space left"));
    let failure =
        unreachable_host(target, "connected, but the agent could not be started").details(lines);
    if full {
        failure.hint("free some space on the host")
    } else {
        failure
    }
}

/// Turns what ssh(1) said into a sentence and what to do about it.
fn explain(target: &Target, error: &openssh::Error) -> Failure {
    use std::error::Error as _;
    let said = error
        .source()
        .map_or_else(|| error.to_string(), |source| source.to_string());
    let host = &target.host;
    let lines = || {
        said.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('@'))
            .map(str::to_owned)
    };
    if said.contains("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        return unreachable_host(target, "its host key is not the one that is known")
            .details(lines())
            .hint(format!("somebody may be listening in; if the host was really reinstalled: ship host trust {}", host.short()));
    }
    if said.contains("Host key verification failed") {
        return unreachable_host(target, "its host key is not known").hint(format!(
            "compare and pin it: ship host trust {}",
            host.short()
        ));
    }
    if said.contains("Permission denied (") {
        return unreachable_host(target, "the host refuses every key that ssh offers")
            .details(lines().filter(|line| line.contains("Permission denied")))
            .hint(format!("try `ssh {host} true`; the public key belongs into ~/.ssh/authorized_keys on the host"));
    }
    let last = lines().next_back().unwrap_or(said.clone());
    let failure = unreachable_host(target, last.strip_prefix("ssh: ").unwrap_or(&last));
    failure.hint(format!("try `ssh {host} true`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let all = |text: &'static str| {
            let address = Address::parse(text);
            (address.user, address.host, address.port)
        };
        assert_eq!(all("web1"), (None, "web1", None));
        assert_eq!(
            all("deploy@web1:2222"),
            (Some("deploy"), "web1", Some(2222))
        );
        assert_eq!(
            all("ssh://deploy@web1:22/"),
            (Some("deploy"), "web1", Some(22))
        );
        assert_eq!(
            all("deploy@[fe80::1]:22"),
            (Some("deploy"), "fe80::1", Some(22))
        );
        assert_eq!(all("deploy@fe80::1"), (Some("deploy"), "fe80::1", None));
    }

    #[test]
    fn a_key_from_ci_loses_its_carriage_returns() {
        let options = Options {
            project: "/".into(),
            ssh_config: None,
            ssh_key: None,
            timeout: Duration::from_secs(1),
        };
        let folder = Folder::make(&options).unwrap();
        let path = key_file(
            "-----BEGIN X PRIVATE KEY-----\r\nabc\r\n-----END X PRIVATE KEY-----",
            &folder,
        )
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
    }
}
