//! The configuration that ssh(1) would use for a host, as `ssh -G` says it: the user's files with
//! everything that they include, and what the command line adds.

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
