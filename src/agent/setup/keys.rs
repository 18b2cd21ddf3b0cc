//! The keys that let a new deploying user in: those of whoever made it.

use std::path::PathBuf;

use crate::agent::careful;
use crate::agent::service::account;

/// Whose keys, and the lines of authorized_keys (sshd(8)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// The user they were read from.
    pub of: String,
    /// The lines, each with its end.
    pub text: String,
    /// How many.
    pub count: usize,
}

/// The keys of the person behind sudo, else those of root; `None` when there are none.
#[must_use]
pub fn of_administrator() -> Option<Keys> {
    let sudo = std::env::var("SUDO_USER")
        .ok()
        .filter(|name| name != "root");
    let users = sudo.into_iter().chain(["root".to_owned()]);
    users.filter_map(|user| read(&user)).next()
}

fn read(user: &str) -> Option<Keys> {
    let home = account::by_name(user)?.home;
    let file: PathBuf = home.join(".ssh/authorized_keys");
    let lines = usable(&careful::text(&file, careful::METADATA).ok()?);
    (!lines.is_empty()).then(|| Keys {
        of: user.to_owned(),
        count: lines.len(),
        text: lines.iter().map(|line| format!("{line}\n")).collect(),
    })
}

/// Keys without a forced command: images of clouds let root in only to be told to go away.
fn usable(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter(|line| !line.to_ascii_lowercase().contains("command=\""))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_a_forced_command_lets_nobody_in() {
        let text = "# mine\nssh-ed25519 AAAA me\n\n\
             no-pty,command=\"echo 'Please login as the user ubuntu';exit 142\" ssh-rsa BBBB you\n";
        assert_eq!(usable(text), ["ssh-ed25519 AAAA me"]);
    }
}
