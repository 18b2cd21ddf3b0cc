//! Where a release comes from: git, CI, and who.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use super::ci;
use super::git::{self, Change, Git, GitState, Unknown};
use crate::model::release::Origin;
use crate::project::Project;

/// Where a release comes from, and whether all that it is made of is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// For the history. Its commit is git's, else the one that the CI system names.
    pub origin: Origin,
    /// For the guard of a deploy.
    pub committed: Committed,
}

/// Whether all that a release is made of is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// It is, or there is no repository.
    Yes,
    /// These changes are not; at least one.
    No(Vec<Change>),
    /// Git could not tell.
    Unknown(Unknown),
}

/// Where a release of `project` comes from that somebody with the environment `env` makes.
#[must_use]
pub fn origin(
    project: &Project,
    env: &BTreeMap<OsString, OsString>,
    tests_skipped: bool,
) -> Provenance {
    let (state, committed) = match git::read(&project.source) {
        Git::Found(mut state) => {
            let changes = std::mem::take(&mut state.changes);
            let changes = git::in_release(project, changes);
            let committed = match changes.is_empty() {
                true => Committed::Yes,
                false => Committed::No(changes),
            };
            (state, committed)
        }
        Git::None => (GitState::default(), Committed::Yes),
        Git::Unknown(unknown) => (GitState::default(), Committed::Unknown(unknown)),
    };
    let (who, ci) = who(env);
    let origin = Origin {
        who,
        commit: state.commit.or_else(|| ci::detect(env)?.commit),
        subject: state.subject,
        author: state.author,
        dirty: match &committed {
            Committed::Yes => Some(false),
            Committed::No(_) => Some(true),
            Committed::Unknown(_) => None,
        },
        ci,
        tests_skipped,
        ship: env!("CARGO_PKG_VERSION").to_owned(),
    };
    Provenance { origin, committed }
}

/// Who somebody with the environment `env` is: the CI's actor or `user@machine`, and the address
/// of the CI run.
#[must_use]
pub fn who(env: &BTreeMap<OsString, OsString>) -> (String, Option<String>) {
    let run = ci::detect(env).unwrap_or_default();
    (run.who.unwrap_or_else(|| user_at_machine(env)), run.url)
}

/// `user@machine`.
fn user_at_machine(env: &BTreeMap<OsString, OsString>) -> String {
    let user = ["USER", "LOGNAME"]
        .iter()
        .filter_map(|name| env.get(OsStr::new(name))?.to_str())
        .find(|name| !name.is_empty())
        .map_or_else(
            || match rustix::process::geteuid().as_raw() {
                0 => "root".to_owned(),
                uid => format!("uid-{uid}"),
            },
            str::to_owned,
        );
    let uname = rustix::system::uname();
    let machine = uname.nodename().to_string_lossy();
    format!("{user}@{machine}")
        .chars()
        .filter(|c| !c.is_control())
        .collect()
}
