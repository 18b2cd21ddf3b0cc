//! The login that this agent belongs to.

use std::collections::BTreeSet;
use std::path::Path;

use super::careful;
use super::service::account;

/// Whether the user was added to a group since this login began: a process has the groups of its
/// login (credentials(7)), whatever group(5) says later. Only that file is read: setup writes to no
/// other place, and a question to the name service is one more process for each connection.
#[must_use]
pub fn lacks_groups() -> bool {
    let user = rustix::process::geteuid();
    let Some(account) = account::by_uid(user.as_raw()) else {
        return false;
    };
    let Ok(groups) = rustix::process::getgroups() else {
        return false;
    };
    let mut has: BTreeSet<u32> = groups.into_iter().map(|group| group.as_raw()).collect();
    has.insert(rustix::process::getegid().as_raw());
    let groups = careful::text(Path::new("/etc/group"), careful::METADATA).unwrap_or_default();
    lacks(&has, &account.name, &groups)
}

/// Whether `groups`, as in group(5), lists `user` as a member of one that `has` lacks.
fn lacks(has: &BTreeSet<u32>, user: &str, groups: &str) -> bool {
    groups.lines().any(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let [_, _, id, members] = fields[..] else {
            return false;
        };
        members.split(',').any(|member| member == user)
            && id.parse().is_ok_and(|id| !has.contains(&id))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_group_that_is_listed_and_not_there_counts() {
        let has = BTreeSet::from([0, 4, 27]);
        let of = |line: &str| lacks(&has, "ann", &format!("root:x:0:\n{line}\nann:x:1000:\n"));
        for (line, lack) in [
            ("adm:x:4:ann,bob", false),
            ("web:x:101:bob,anna", false),
            ("web:x:101:bob,ann", true),
            ("web:x:101", false),
            ("web:x:no:ann", false),
        ] {
            assert_eq!(of(line), lack, "{line:?}");
        }
    }
}
