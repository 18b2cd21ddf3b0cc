//! The keys of a host, each with whether the host has proven that it has it.
//!
//! Anybody can show a public key: ssh-keyscan(1) prints what it is shown, and ssh(1) writes a new
//! key down, before the signature over the key exchange (RFC 4253, section 8) is looked at. So ssh
//! itself is run, once for each type of key, the way that it will go later (aliases, jump hosts,
//! ports), with an agent's socket of ours: it asks the agent only after a complete key exchange,
//! and is ended then, before it tries to log in. Its log would tell that too, but a host can write
//! lines into the log.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use futures_util::future::join_all;
use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio::process::Command;

use super::super::{Options, Target};
use super::effective::Effective;
use super::explain::{not_connected, unreachable_host};
use super::folder::Folder;
use super::master::{self, NotConnected, Said};
use crate::model::{Failure, HostName};

/// The signature algorithms of each type of key that is asked for.
const TYPES: [&str; 5] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512,rsa-sha2-256",
];

/// A key that a host showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostKey {
    /// The line of a known_hosts file (sshd(8)), with the name under which ssh(1) looks it up.
    pub line: String,
    /// `SHA256:…`.
    pub fingerprint: String,
    /// As ssh-keygen(1) describes it: `256 SHA256:… web1 (ED25519)`.
    pub described: String,
    /// Whether the host has proven that it has the private key.
    pub is_proven: bool,
}

impl HostKey {
    /// The keys in the lines of a known_hosts file.
    ///
    /// # Errors
    /// When ssh-keygen(1) cannot be run.
    pub async fn in_lines(lines: &[String], is_proven: bool) -> Result<Vec<Self>, Failure> {
        let mut keys = Vec::new();
        for line in lines {
            let file = tempfile::NamedTempFile::new()?;
            fs::write(file.path(), format!("{line}\n"))?;
            let output = Command::new("ssh-keygen")
                .arg("-lf")
                .arg(file.path())
                .stdin(Stdio::null())
                .output()
                .await
                .map_err(|error| Failure::unexpected(format!("ssh-keygen: {error}")))?;
            let described = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            let mut words = described.split_whitespace();
            if let Some(fingerprint) = words.find(|word| word.starts_with("SHA256:")) {
                keys.push(Self {
                    line: line.clone(),
                    fingerprint: fingerprint.to_owned(),
                    described,
                    is_proven,
                });
            }
        }
        Ok(keys)
    }
}

/// The user that ssh(1) would log in to `host` as (`ssh -G`).
pub async fn login(host: &HostName, options: &Options) -> Option<String> {
    let folder = Folder::make(options).ok()?;
    let effect = Effective::of(&target(host), options, &folder).await?;
    effect.value("user").map(str::to_owned)
}

/// Asks `host` for its keys.
///
/// # Errors
/// Unreachable when it shows none: it, or a machine on the way to it, cannot be reached, or is not
/// known.
pub async fn ask(host: &HostName, options: &Options) -> Result<Vec<HostKey>, Failure> {
    let target = target(host);
    // No key of ours is needed, nor looked for.
    let options = Options {
        ssh_key: None,
        ..options.clone()
    };
    let folder = Folder::make(&options)?;
    let effect = Effective::of(&target, &options, &folder).await;
    let asked = TYPES.map(|algorithms| async {
        Question::new(&target, &options, &folder)?
            .ask(algorithms)
            .await
    });
    let mut keys = Vec::new();
    let mut failure = None;
    for answer in join_all(asked).await {
        match answer? {
            Answer::Shown { lines, is_proven } => {
                keys.extend(HostKey::in_lines(&lines, is_proven).await?);
            }
            Answer::Nothing(why) => failure = failure.or(Some(why)),
        }
    }
    match failure {
        Some(why) if keys.is_empty() => {
            let limit_s = options.timeout.as_secs();
            Err(not_connected(&target, effect.as_ref(), why, limit_s))
        }
        _ if keys.is_empty() => Err(unreachable_host(&target, "it shows no host key")),
        _ => Ok(keys),
    }
}

fn target(host: &HostName) -> Target {
    Target {
        host: host.clone(),
        user: None,
        sudo: false,
        root: String::new(),
        anew: true,
    }
}

/// What came of one run of ssh(1).
enum Answer {
    /// The host showed a key.
    Shown { lines: Vec<String>, is_proven: bool },
    /// It did not.
    Nothing(NotConnected),
}

/// One run of ssh(1), which asks for keys of one type.
struct Question<'a> {
    target: &'a Target,
    options: &'a Options,
    folder: &'a Folder,
    dir: TempDir,
    agent: UnixListener,
}

impl<'a> Question<'a> {
    fn new(target: &'a Target, options: &'a Options, folder: &'a Folder) -> Result<Self, Failure> {
        let dir = TempDir::new_in(folder.path())?;
        let agent = UnixListener::bind(dir.path().join("agent"))?;
        Ok(Self {
            target,
            options,
            folder,
            dir,
            agent,
        })
    }

    async fn ask(&self, algorithms: &str) -> Result<Answer, Failure> {
        let at = |name: &str| self.dir.path().join(name);
        let (own, way, known) = (at("log"), at("way"), at("known_hosts"));
        let mut ssh = Command::new("ssh")
            .arg("-E")
            .arg(&own)
            .args(self.settings(algorithms, &known))
            .args(master::arguments(
                self.target,
                self.options,
                &self.folder.config(),
            ))
            // Where the host asks for no key at all, this is what runs there.
            .arg("true")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&way)?)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| not_connected(self.target, None, error.into(), 0))?;
        let said = || Said {
            own: master::read(&own),
            way: master::read(&way),
        };
        let (is_proven, why) = tokio::select! {
            biased;
            asked = self.agent.accept() => (asked.is_ok(), NotConnected::Failed(said())),
            _ = ssh.wait() => (false, NotConnected::Failed(said())),
            () = tokio::time::sleep(self.options.timeout) => (false, NotConnected::Late(said())),
        };
        let _ = ssh.kill().await;
        let text = master::read(&known);
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        Ok(match lines.is_empty() {
            true => Answer::Nothing(why),
            false => Answer::Shown { lines, is_proven },
        })
    }

    /// What makes ssh(1) write the key that it is shown to the file `known`, whatever is known
    /// elsewhere, and nothing else: no connection of the user's is used, and no login tried.
    fn settings(&self, algorithms: &str, known: &Path) -> Vec<OsString> {
        let agent = self.dir.path().join("agent");
        let quoted = |path: &Path| format!("\"{}\"", path.display());
        [
            format!("HostKeyAlgorithms={algorithms}"),
            format!("UserKnownHostsFile={}", quoted(known)),
            format!("IdentityAgent={}", quoted(&agent)),
            "StrictHostKeyChecking=accept-new".to_owned(),
            "GlobalKnownHostsFile=/dev/null".to_owned(),
            "HashKnownHosts=no".to_owned(),
            "CheckHostIP=no".to_owned(),
            "VerifyHostKeyDNS=no".to_owned(),
            "NoHostAuthenticationForLocalhost=no".to_owned(),
            "ControlMaster=no".to_owned(),
            "ControlPath=none".to_owned(),
            "PubkeyAuthentication=yes".to_owned(),
            "PreferredAuthentications=publickey".to_owned(),
            "IdentitiesOnly=yes".to_owned(),
        ]
        .into_iter()
        .flat_map(|setting| ["-o".into(), OsString::from(setting)])
        .collect()
    }
}
