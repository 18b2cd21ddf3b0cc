//! The configuration that ssh(1) would use for a host, as `ssh -G` says it: the user's files with
//! everything that they include, and what the command line adds.

use std::ffi::OsString;
use std::process::Stdio;

use tokio::process::Command;

use super::super::{Options, Target};
use super::folder::Folder;
use super::master;

/// What is in effect for one host: lines of a keyword in lower case, a space, and its value.
#[derive(Debug)]
pub struct Effective(String);

impl Effective {
    /// Asks ssh(1). `None` when it does not say.
    pub async fn of(target: &Target, options: &Options, folder: &Folder) -> Option<Self> {
        let output = Command::new("ssh")
            .args(arguments(target, options, folder))
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

/// What ssh(1) is asked with. Anybody on this machine can read it: the configuration holds the name
/// of a key's file.
fn arguments(target: &Target, options: &Options, folder: &Folder) -> Vec<OsString> {
    let to = master::arguments(target, options, &folder.config());
    std::iter::once("-G".into()).chain(to).collect()
}

#[cfg(test)]
mod tests {
    use super::super::SshKey;
    use super::*;

    #[test]
    fn a_key_from_ci_is_in_no_list_of_processes() {
        let options = Options {
            project: "/".into(),
            ssh_config: None,
            ssh_key: Some(SshKey::Content(crate::model::Secret::new("PRIVATE KEY"))),
            persist_s: None,
            cache: None,
            timeout: std::time::Duration::from_secs(1),
        };
        let target = Target {
            host: "deploy@web1:2222".try_into().unwrap(),
            user: None,
            sudo: false,
            root: "/srv/shop".into(),
            anew: false,
        };
        let folder = Folder::make(&options).unwrap();
        let asked = arguments(&target, &options, &folder);
        let text = asked.join(" ".as_ref()).into_string().unwrap();
        assert!(!text.contains("PRIVATE KEY"), "{text}");
        let config = std::fs::read_to_string(folder.config()).unwrap();
        let key = format!("IdentityFile {}/key\n", folder.path().display());
        assert!(config.contains(&key), "{config}");
        assert!(!config.contains("PRIVATE KEY"), "{config}");
        assert!(text.ends_with(" -l deploy -p 2222 -- web1"), "{text}");
    }
}
