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
    // `ssh -G` names it too, but in a list that does not tell where a path with a space ends.
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
    use std::time::Duration;

    #[test]
    fn a_connection_is_another_when_what_decides_is_different() {
        let dir = tempfile::tempdir().unwrap();
        let project = dir.path().join("my shop");
        let write = |path: &str, text: &str| {
            fs::create_dir_all(project.join(".ship")).unwrap();
            fs::write(project.join(path), text).unwrap();
        };
        write("key", "one");
        write("nested", "Port 22\n");
        let nested = project.join("nested");
        write("config", &format!("Include \"{}\"\n", nested.display()));
        write(".ship/known_hosts", "web1 one\n");
        let options = Options {
            project: project.clone(),
            ssh_config: Some(project.join("config")),
            ssh_key: Some(project.join("key").to_string_lossy().into_owned()),
            persist_s: None,
            cache: None,
            timeout: Duration::from_secs(10),
        };
        let name = |host: &str, user: Option<&str>, idle_s| {
            let target = Target {
                host: host.try_into().unwrap(),
                user: user.map(str::to_owned),
                sudo: false,
                root: "/srv/shop".into(),
            };
            let folder = Folder::make(&options).unwrap();
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(of(&target, &options, &folder, idle_s))
                .expect("ssh is here")
        };
        let first = name("deploy@web1", None, 60);
        assert_eq!(first, name("deploy@web1", None, 60));
        let mut names = vec![
            first,
            name("deploy@web2", None, 60),
            name("deploy@web1:23", None, 60),
            name("deploy@web1", Some("root"), 60),
            name("deploy@web1", None, 61),
        ];
        for (path, text) in [
            ("key", "two"),
            ("nested", "Compression yes\n"),
            (".ship/known_hosts", "web1 two\n"),
        ] {
            write(path, text);
            names.push(name("deploy@web1", None, 60));
        }
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
    }

    #[test]
    fn files_of_a_configuration() {
        let config = "host web1\nidentityfile /keys/of mine\nidentitiesonly yes\n\
                      userknownhostsfile /a /b\nrevokedhostkeys none\n";
        let expected = ["/keys/of mine", "/a", "/b", "none"].map(PathBuf::from);
        assert_eq!(files(config), expected);
    }
}
