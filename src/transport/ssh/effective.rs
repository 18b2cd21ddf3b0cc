//! The configuration that ssh(1) would use for a host, as `ssh -G` says it: the user's files with
//! everything that they include, and what the command line adds.

use std::ffi::OsString;
use std::io;
use std::process::Stdio;

use tokio::process::Command;

use super::super::{Options, Target};
use super::address::Address;
use super::folder::Folder;

/// What is in effect for one host: lines of a keyword in lower case, a space, and its value.
#[derive(Debug)]
pub struct Effective(String);

impl Effective {
    /// Asks ssh(1). `None` when it does not say.
    pub async fn of(target: &Target, options: &Options, folder: &Folder) -> Option<Self> {
        let output = Command::new("ssh")
            .args(arguments(target, options, folder).ok()?)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(options.timeout, output)
            .await
            .ok()?
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then_some(Self(text))
    }

    /// All of it.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Keywords and values, in the order in which they count.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.lines().filter_map(|line| line.split_once(' '))
    }

    /// The first value of `keyword`.
    pub fn value(&self, keyword: &str) -> Option<&str> {
        self.pairs()
            .find_map(|(name, value)| (name == keyword).then_some(value))
    }

    #[cfg(test)]
    pub fn from_text(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// What ssh(1) is asked with. Anybody on this machine can read it: of a key that was given as
/// content it holds the file's name only.
fn arguments(target: &Target, options: &Options, folder: &Folder) -> io::Result<Vec<OsString>> {
    let address = Address::of(target);
    let mut arguments: Vec<OsString> = vec!["-G".into(), "-F".into(), folder.config().into()];
    if let Some(key) = &options.ssh_key {
        arguments.extend(["-i".into(), folder.key_file(key)?.into()]);
    }
    if let Some(user) = address.user {
        arguments.extend(["-l".into(), user.into()]);
    }
    if let Some(port) = address.port {
        arguments.extend(["-p".into(), port.to_string().into()]);
    }
    arguments.extend(["--".into(), address.host.into()]);
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_from_ci_is_in_no_list_of_processes() {
        let options = Options {
            project: "/".into(),
            ssh_config: None,
            ssh_key: Some("-----BEGIN X PRIVATE KEY-----\nabc\n-----END X PRIVATE KEY-----".into()),
            persist_s: None,
            cache: None,
            timeout: std::time::Duration::from_secs(1),
        };
        let target = Target {
            host: "deploy@web1:2222".try_into().unwrap(),
            user: None,
            sudo: false,
            root: "/srv/shop".into(),
        };
        let folder = Folder::make(&options).unwrap();
        let asked = arguments(&target, &options, &folder).unwrap();
        let text = asked.join(" ".as_ref()).into_string().unwrap();
        assert!(!text.contains("PRIVATE KEY"), "{text}");
        let key = folder.path().join("key");
        assert!(asked.contains(&key.into_os_string()), "{text}");
        assert!(text.ends_with(" -l deploy -p 2222 -- web1"), "{text}");
    }
}
