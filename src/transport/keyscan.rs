//! Host keys for `ship host trust`: asked of the host by ssh-keyscan(1), shown as fingerprints,
//! pinned in the project.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::model::{Failure, FailureKind, HostName};

/// A host's public keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostKeys {
    /// Lines of a known_hosts file (sshd(8)).
    pub lines: Vec<String>,
    /// As ssh-keygen(1) prints them: `256 SHA256:… host (ED25519)`.
    pub fingerprints: Vec<String>,
}

/// Asks `host` for its keys.
///
/// # Errors
/// When it does not answer, or the OpenSSH tools are missing.
pub fn scan(host: &HostName, ssh_config: Option<&Path>) -> Result<HostKeys, Failure> {
    let (name, port) = resolve(host, ssh_config)?;
    let output = Command::new("ssh-keyscan")
        .args(["-T", "10", "-p", &port, "--", &name])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure::unexpected(format!("ssh-keyscan: {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines: Vec<String> = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(str::to_owned)
        .collect();
    lines.sort();
    if lines.is_empty() {
        let said = String::from_utf8_lossy(&output.stderr);
        let why = said
            .lines()
            .rfind(|line| !line.starts_with('#'))
            .unwrap_or("no answer")
            .to_owned();
        return Err(Failure::new(
            FailureKind::Unreachable,
            format!("{host}: no host key: {why}"),
        ));
    }
    let fingerprints = fingerprints(&lines)?;
    Ok(HostKeys {
        lines,
        fingerprints,
    })
}

/// The user that ssh(1) would log in as (`ssh -G`).
#[must_use]
pub fn login(host: &HostName, ssh_config: Option<&Path>) -> Option<String> {
    value(&effective(host, ssh_config).ok()?, "user")
}

/// The name and port that ssh(1) would use, aliases of ssh_config(5) included.
fn resolve(host: &HostName, ssh_config: Option<&Path>) -> Result<(String, String), Failure> {
    let text = effective(host, ssh_config)?;
    Ok((
        value(&text, "hostname").unwrap_or_else(|| host.short().to_owned()),
        value(&text, "port").unwrap_or_else(|| "22".to_owned()),
    ))
}

fn value(text: &str, key: &str) -> Option<String> {
    text.lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(' ').map(str::to_owned))
}

/// The configuration in effect for `host` (`ssh -G`).
fn effective(host: &HostName, ssh_config: Option<&Path>) -> Result<String, Failure> {
    let mut command = Command::new("ssh");
    if let Some(path) = ssh_config {
        command.arg("-F").arg(path);
    }
    let bare = host
        .as_str()
        .strip_prefix("ssh://")
        .unwrap_or(host.as_str());
    let uri = format!("ssh://{bare}");
    let output = command
        .args(["-G", "--", &uri])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure::unexpected(format!("ssh: {error}")))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn fingerprints(lines: &[String]) -> Result<Vec<String>, Failure> {
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), format!("{}\n", lines.join("\n")))?;
    let output = Command::new("ssh-keygen")
        .arg("-lf")
        .arg(file.path())
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure::unexpected(format!("ssh-keygen: {error}")))?;
    Ok(String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(str::to_owned)
        .collect())
}

/// Pins `keys` in the project's `.ship/known_hosts`, in place of whatever was pinned for the same
/// names.
///
/// # Errors
/// When the file cannot be written.
pub fn pin(project: &Path, keys: &HostKeys) -> Result<(), Failure> {
    let folder = project.join(".ship");
    fs::create_dir_all(&folder)?;
    let path = folder.join("known_hosts");
    let old = fs::read_to_string(&path).unwrap_or_default();
    let name = |line: &str| {
        line.split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let names: Vec<String> = keys.lines.iter().map(|line| name(line)).collect();
    let mut lines: Vec<String> = old
        .lines()
        .filter(|line| !names.contains(&name(line)))
        .map(str::to_owned)
        .collect();
    lines.extend(keys.lines.iter().cloned());
    crate::agent::disk::write_atomic(&path, format!("{}\n", lines.join("\n")).as_bytes(), 0o644)?;
    Ok(())
}
