//! Where a release comes from: git, CI, and who.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::{ci, git};
use crate::model::release::Origin;

/// The origin of a release made from `project` by somebody with the environment `env`. The second
/// value is a warning, when the project is in a git repository that does not tell its state.
#[must_use]
pub fn origin(
    project: &Path,
    env: &BTreeMap<OsString, OsString>,
    tests_skipped: bool,
) -> (Origin, Option<String>) {
    let (state, warning) = match git::read(project) {
        git::Git::Found(state) => (state, None),
        git::Git::None => (git::GitState::default(), None),
        git::Git::Unknown(why) => (
            git::GitState::default(),
            Some(format!("the commit of this release is not known: {why}")),
        ),
    };
    let (who, ci) = who(env);
    let origin = Origin {
        who,
        commit: state.commit,
        subject: state.subject,
        author: state.author,
        dirty: state.dirty,
        ci,
        tests_skipped,
        ship: env!("CARGO_PKG_VERSION").to_owned(),
    };
    (origin, warning)
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
