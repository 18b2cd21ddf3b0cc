//! What a connection is: everything that decides where it leads and as whom.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::{Options, Target};
use super::address::Address;
use super::effective::Effective;

/// A name for the connection to `target` that a change of any of these changes: the address, the
/// configuration in `effect` (nested files included), the known host keys, the keys to log in with.
pub fn of(target: &Target, options: &Options, effect: &Effective, idle_s: usize) -> String {
    let address = Address::of(target);
    let mut hasher = blake3::Hasher::new();
    let mut add = |part: &[u8]| {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    };
    add(address.host.as_bytes());
    add(&idle_s.to_le_bytes());
    add(effect.text().as_bytes());
    let agent = std::env::var_os("SSH_AUTH_SOCK").unwrap_or_default();
    add(agent.as_encoded_bytes());
    // `ssh -G` names it too, but in a list that does not tell where a path with a space ends.
    add(&fs::read(options.pinned()).unwrap_or_default());
    for file in files(effect) {
        // A device or a pipe could be read without end.
        let content = if file.is_file() {
            fs::read(file)
        } else {
            Ok(Vec::new())
        };
        add(&content.unwrap_or_default());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// The files that the configuration in effect names, whose content decides too.
fn files(effect: &Effective) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for (keyword, value) in effect.pairs() {
        match keyword {
            "identityfile" | "certificatefile" | "revokedhostkeys" => files.push(at_home(value)),
            "userknownhostsfile" | "globalknownhostsfile" => {
                files.extend(value.split(' ').map(at_home));
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
    use super::super::SshKey;
    use super::super::folder::Folder;
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
            ssh_key: Some(SshKey::File(project.join("key"))),
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
                anew: false,
            };
            let folder = Folder::make(&options).unwrap();
            let effect = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(Effective::of(&target, &options, &folder))
                .expect("ssh is here");
            of(&target, &options, &effect, idle_s)
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
        assert_eq!(files(&Effective::from_text(config)), expected);
    }
}
