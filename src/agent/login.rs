//! The login that this agent belongs to.

use std::collections::BTreeSet;
use std::time::Duration;

use super::service::account;
use super::service::child;

/// How long the name service, which may be on the network, gets.
const ASKING: Duration = Duration::from_secs(5);

/// Whether the user was added to a group since this login began: a process has the groups of its
/// login (credentials(7)), whatever the databases say later. Where they do not answer, no.
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
    lacks(&has, &listed(&account.name))
}

fn lacks(has: &BTreeSet<u32>, listed: &str) -> bool {
    let mut listed = listed.split_whitespace();
    listed.any(|group| group.parse().is_ok_and(|group| !has.contains(&group)))
}

/// The ids of the user's groups, as id(1) prints them.
fn listed(user: &str) -> String {
    let mut id = child::command("id");
    id.args(["-G", "--", user]);
    let output = child::run(&mut id, ASKING);
    output.map_or_else(|_| String::new(), |output| output.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_group_that_is_listed_and_not_there_counts() {
        let has = BTreeSet::from([0, 4, 27]);
        for (listed, lack) in [
            ("0 4 27\n", false),
            ("0\n", false),
            ("", false),
            ("0 101\n", true),
        ] {
            assert_eq!(lacks(&has, listed), lack, "{listed:?}");
        }
        assert_eq!(listed("root").split_whitespace().next(), Some("0"));
    }
}
