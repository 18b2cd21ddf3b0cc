//! What a connection is: everything that decides where it leads and as whom.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::super::{Options, Target};
use super::address::Address;
use super::folder::Folder;

/// A name for the connection to `target` that a change of any of these changes: the address, the
/// configuration in effect (as `ssh -G` says it, nested files included), the known host keys, the
/// keys to log in with. `None` when ssh(1) does not say.
pub async fn of(
    target: &Target,
    options: &Options,
    folder: &Folder,
    idle_s: usize,
) -> Option<String> {
    let address = Address::of(target);
    let mut command = Command::new("ssh");
    command.arg("-G").arg("-F").arg(folder.config());
    if let Some(key) = &options.ssh_key {
        command.arg("-i").arg(key.trim());
    }
    if let Some(user) = address.user {
        command.args(["-l", user]);
    }
    if let Some(port) = address.port {
        command.args(["-p", &port.to_string()]);
    }
    let output = command
        .args(["--", address.host])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(options.timeout, output)
        .await
        .ok()?
        .ok()?;
    if !output.status.success() {
        return None;
    }
    let mut hasher = blake3::Hasher::new();
    let mut add = |part: &[u8]| {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    };
    add(address.host.as_bytes());
    add(&idle_s.to_le_bytes());
    add(&output.stdout);
    let agent = std::env::var_os("SSH_AUTH_SOCK").unwrap_or_default();
    add(agent.as_encoded_bytes());
    add(&fs::read(options.pinned()).unwrap_or_default());
    for file in files(&String::from_utf8_lossy(&output.stdout)) {
        // A device or a pipe could be read without end.
        let content = if file.is_file() {
            fs::read(file)
        } else {
            Ok(Vec::new())
        };
        add(&content.unwrap_or_default());
    }
    Some(hasher.finalize().to_hex()[..16].to_owned())
}

/// The files that the configuration in effect names, whose content decides too.
fn files(config: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in config.lines() {
        match line.split_once(' ') {
            Some(("identityfile" | "certificatefile" | "revokedhostkeys", file)) => {
                files.push(at_home(file));
            }
            Some(("userknownhostsfile" | "globalknownhostsfile", list)) => {
                files.extend(list.split(' ').map(at_home));
            }
            _ => {}
        }
    }
    files
}

fn at_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_configuration() {
        let config = "host web1\nidentityfile /keys/of mine\nidentitiesonly yes\n\
                      userknownhostsfile /a /b\nrevokedhostkeys none\n";
        let expected = ["/keys/of mine", "/a", "/b", "none"].map(PathBuf::from);
        assert_eq!(files(config), expected);
    }
}
