//! Users and groups of this host, by the host's own name service (getent(1)): a static binary
//! cannot load the C library's modules for it.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::child;

/// How long the name service, which may be on the network, gets.
const ASKING: Duration = Duration::from_secs(10);

/// A user (passwd(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The login name.
    pub name: String,
    /// The user id.
    pub uid: u32,
    /// The id of the primary group.
    pub gid: u32,
    /// The home folder.
    pub home: PathBuf,
}

/// The user of this name.
#[must_use]
pub fn by_name(name: &str) -> Option<Account> {
    entry("passwd", name, |fields| fields.first() == Some(&name))
        .and_then(|line| parse(&line))
        .or_else(|| own().filter(|account| account.name == name))
}

/// The user with this id.
#[must_use]
pub fn by_uid(uid: u32) -> Option<Account> {
    let key = uid.to_string();
    entry("passwd", &key, |fields| {
        fields.get(2) == Some(&key.as_str())
    })
    .and_then(|line| parse(&line))
    .or_else(|| own().filter(|account| account.uid == uid))
}

/// This process's user by its environment, where accounts are in no file and there is no getent
/// (macOS).
fn own() -> Option<Account> {
    if cfg!(target_os = "linux") {
        return None;
    }
    Some(Account {
        name: std::env::var("USER").ok()?,
        uid: rustix::process::geteuid().as_raw(),
        gid: rustix::process::getegid().as_raw(),
        home: PathBuf::from(std::env::var_os("HOME")?),
    })
}

/// Whether `user` is listed as a member of `group`; a session that is older than the membership
/// does not have it (credentials(7)).
#[must_use]
pub fn is_listed(user: &str, group: &str) -> bool {
    let line = entry("group", group, |fields| fields.first() == Some(&group));
    line.is_some_and(|line| {
        let members = line.split(':').nth(3).unwrap_or_default();
        members.split(',').any(|member| member == user)
    })
}

/// Whether there is a group of this name.
#[must_use]
pub fn group_exists(group: &str) -> bool {
    entry("group", group, |fields| fields.first() == Some(&group)).is_some()
}

/// Whether `name` can be written into a unit, a sudoers file and a command line as it is:
/// useradd(8)'s rule, and upper-case letters and dots, which directories of companies have.
#[must_use]
pub fn is_name(name: &str) -> bool {
    name.len() <= 32
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
}

/// A line of a database of nsswitch.conf(5). A user that the file has is that user everywhere, and
/// the file is quicker; of a group other sources may know more members.
fn entry(database: &str, key: &str, matches: impl Fn(&[&str]) -> bool) -> Option<String> {
    let in_file = || {
        let file = fs::read_to_string(format!("/etc/{database}")).ok()?;
        file.lines()
            .find(|line| matches(&line.split(':').collect::<Vec<_>>()))
            .map(str::to_owned)
    };
    if database == "passwd"
        && let Some(line) = in_file()
    {
        return Some(line);
    }
    match child::run(child::command("getent").args([database, key]), ASKING) {
        Ok(output) => output.stdout.lines().next().map(str::to_owned),
        Err(_) => in_file(),
    }
}

fn parse(line: &str) -> Option<Account> {
    let fields: Vec<_> = line.split(':').collect();
    Some(Account {
        name: (*fields.first()?).to_owned(),
        uid: fields.get(2)?.parse().ok()?,
        gid: fields.get(3)?.parse().ok()?,
        home: PathBuf::from(fields.get(5)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_known_and_nobody_else_is_invented() {
        let root = by_name("root").unwrap();
        assert_eq!((root.uid, by_uid(0)), (0, Some(root.clone())));
        assert_eq!(by_name("no-such-user"), None);
        assert!(!is_listed("no-such-user", "no-such-group"));
    }

    #[test]
    fn names_are_safe_to_write() {
        assert!(is_name("deploy") && is_name("_x") && is_name("Jane.Doe"));
        for bad in ["", "a b", "-a", "a,b", "ALL\n", "%wheel", "#0", "a=b", "1a"] {
            assert!(!is_name(bad), "{bad:?} was taken");
        }
    }
}
