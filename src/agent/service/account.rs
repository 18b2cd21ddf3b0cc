//! Users and groups of this host, by the host's own name service (getent(1)): a static binary
//! cannot load the C library's modules for it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::child::{self, NoOutput};
use crate::agent::careful;
use crate::model::Failure;

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
    /// What it is for, or the full name.
    pub comment: String,
    /// The home folder.
    pub home: PathBuf,
}

/// The user of this name; `None` also where the name service does not answer: for words, not for
/// decisions, which are [`find`]'s.
#[must_use]
pub fn by_name(name: &str) -> Option<Account> {
    find(name).ok().flatten()
}

/// The user of this name; `None` where there is none.
///
/// # Errors
/// When the name service does not answer: then nobody knows.
pub fn find(name: &str) -> Result<Option<Account>, Failure> {
    let line = entry("passwd", name, |fields| fields.first() == Some(&name))?;
    let found = line.and_then(|line| parse(&line));
    Ok(found.or_else(|| own().filter(|account| account.name == name)))
}

/// The user of this name, who must be there.
///
/// # Errors
/// When there is no such user, or the name service does not answer.
pub fn known(name: &str) -> std::io::Result<Account> {
    use std::io::Error;
    let found = find(name).map_err(|failure| Error::other(failure.message()))?;
    found.ok_or_else(|| Error::other(format!("there is no user {name}")))
}

/// The user with this id.
#[must_use]
pub fn by_uid(uid: u32) -> Option<Account> {
    let key = uid.to_string();
    let line = entry("passwd", &key, |fields| {
        fields.get(2) == Some(&key.as_str())
    });
    let line = line.ok().flatten();
    line.and_then(|line| parse(&line))
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
        comment: String::new(),
        home: PathBuf::from(std::env::var_os("HOME")?),
    })
}

/// Whether `user` is listed as a member of `group`; a session that is older than the membership
/// does not have it (credentials(7)).
///
/// # Errors
/// When the name service does not answer.
pub fn is_listed(user: &str, group: &str) -> Result<bool, Failure> {
    let line = entry("group", group, |fields| fields.first() == Some(&group))?;
    Ok(line.is_some_and(|line| {
        let members = line.split(':').nth(3).unwrap_or_default();
        members.split(',').any(|member| member == user)
    }))
}

/// The names of all groups of `user`, its own first (id(1)).
///
/// # Errors
/// When there is no such user, or the name service does not answer.
pub fn groups_of(user: &str) -> Result<Vec<String>, Failure> {
    let mut id = child::command("id");
    id.args(["-Gn", "--", user]);
    match child::run(&mut id, ASKING) {
        Ok(output) if output.ok() => Ok(output
            .stdout
            .split_whitespace()
            .map(str::to_owned)
            .collect()),
        Ok(output) => Err(Failure::unexpected(output.stderr)),
        Err(why) => Err(Failure::unexpected(why.of(&id))),
    }
}

/// Whether there is a group of this name.
///
/// # Errors
/// When the name service does not answer.
pub fn group_exists(group: &str) -> Result<bool, Failure> {
    Ok(entry("group", group, |fields| fields.first() == Some(&group))?.is_some())
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
///
/// # Errors
/// When the file does not have it and getent does not answer.
fn entry(
    database: &str,
    key: &str,
    matches: impl Fn(&[&str]) -> bool,
) -> Result<Option<String>, Failure> {
    let in_file = || {
        let path = format!("/etc/{database}");
        let file = careful::text(Path::new(&path), careful::METADATA).ok()?;
        file.lines()
            .find(|line| matches(&line.split(':').collect::<Vec<_>>()))
            .map(str::to_owned)
    };
    if database == "passwd"
        && let Some(line) = in_file()
    {
        return Ok(Some(line));
    }
    let mut getent = child::command("getent");
    getent.args([database, key]);
    match child::run(&mut getent, ASKING) {
        Ok(output) => Ok(output.stdout.lines().next().map(str::to_owned)),
        // A system without it has its accounts in files alone.
        Err(NoOutput::NotFound) => Ok(in_file()),
        Err(why) => match in_file() {
            Some(line) => Ok(Some(line)),
            None => Err(Failure::unexpected(why.of(&getent))),
        },
    }
}

fn parse(line: &str) -> Option<Account> {
    let fields: Vec<_> = line.split(':').collect();
    Some(Account {
        name: (*fields.first()?).to_owned(),
        uid: fields.get(2)?.parse().ok()?,
        gid: fields.get(3)?.parse().ok()?,
        comment: (*fields.get(4)?).to_owned(),
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
        assert!(!is_listed("no-such-user", "no-such-group").unwrap());
    }

    #[test]
    fn names_are_safe_to_write() {
        assert!(is_name("deploy") && is_name("_x") && is_name("Jane.Doe"));
        for bad in ["", "a b", "-a", "a,b", "ALL\n", "%wheel", "#0", "a=b", "1a"] {
            assert!(!is_name(bad), "{bad:?} was taken");
        }
    }
}
