//! Files that belong to somebody who is no longer meant: to the user that the services ran as before
//! the manifest named another one, to another deploying user, or to root, who made them by hand.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::step::{Step, WrittenUnit};
use super::{Target, give};
use crate::agent::service::account;
use crate::agent::{Layout, adopt, releases};
use crate::model::Failure;

/// Adds steps that give such files to the user who is meant now. `steps` holds what is done with the
/// folders and the units already.
///
/// # Errors
/// `Refused` when there are too many of them.
pub fn plan(target: &Target<'_>, steps: &mut Vec<Step>) -> Result<(), Failure> {
    let layout = &target.layout;
    let mut meant = BTreeSet::new();
    for name in [&target.login, &target.deployment.user] {
        meant.extend(account::find(name)?.map(|account| account.uid));
    }
    for name in of_the_login(layout) {
        let former = owners_near(&layout.root().join(&name));
        let former = former.difference(&meant).copied().collect();
        below(layout, &name, &former, &target.login, steps)?;
    }
    let mut former = BTreeSet::new();
    for name in former_users(steps) {
        former.extend(account::find(&name)?.map(|account| account.uid));
    }
    for step in steps.iter() {
        if let Step::Folder { base, below, .. } = step
            && below.starts_with("shared")
        {
            let found = fs::symlink_metadata(base.join(below));
            former.extend(found.ok().map(|found| found.uid()));
        }
    }
    // Never what the app has, nor what a person of the deploying user's name put there.
    let former = former.difference(&meant).copied().collect();
    below(layout, "shared", &former, &target.deployment.user, steps)
}

/// The folders of the deploying user, below the root folder. What another tool released stays as it
/// is.
fn of_the_login(layout: &Layout) -> Vec<String> {
    let ids = releases::ids(layout).unwrap_or_default();
    let own = ids.into_iter().filter(|id| !adopt::is_adopted(layout, *id));
    let releases = own.map(|id| format!("releases/{id}"));
    ["runtimes", ".ship"]
        .map(str::to_owned)
        .into_iter()
        .chain(releases)
        .collect()
}

/// The users as which the services ran until now, by the units that are written anew.
pub fn former_users(steps: &[Step]) -> BTreeSet<String> {
    let units = steps.iter().filter_map(|step| match step {
        Step::Unit(unit) => unit.former_user(),
        _ => None,
    });
    units.map(str::to_owned).collect()
}

impl WrittenUnit {
    /// The user that the service ran as, when that changes.
    #[must_use]
    pub fn former_user(&self) -> Option<&str> {
        self.service.as_ref()?;
        let user = self.differences.iter().find(|it| it.name == "User")?;
        user.found.as_deref()
    }
}

fn below(
    layout: &Layout,
    name: &str,
    former: &BTreeSet<u32>,
    owner: &str,
    steps: &mut Vec<Step>,
) -> Result<(), Failure> {
    if former.is_empty() {
        return Ok(());
    }
    let below = PathBuf::from(name);
    let counted = give::owners(layout.root(), &below);
    let counted = counted.map_err(|error| by_hand(&layout.root().join(name), owner, &error))?;
    for uid in former {
        let Some(count) = counted.get(uid) else {
            continue;
        };
        steps.push(Step::Give {
            base: layout.root().to_owned(),
            below: below.clone(),
            from: *uid,
            owner: owner.to_owned(),
            count: *count,
        });
    }
    Ok(())
}

fn by_hand(path: &Path, owner: &str, error: &io::Error) -> Failure {
    let path = path.display();
    Failure::refused(format!(
        "what is in {path} cannot be given to {owner}: {error}"
    ))
    .hint(format!(
        "give it by hand, as root on the host: chown -R {owner} {path}"
    ))
}

/// The owners of a folder and of what is directly in it.
fn owners_near(folder: &Path) -> BTreeSet<u32> {
    let inside = fs::read_dir(folder).into_iter().flatten().flatten();
    let inside = inside.filter_map(|entry| entry.metadata().ok());
    let itself = fs::symlink_metadata(folder).ok();
    itself
        .into_iter()
        .filter(fs::Metadata::is_dir)
        .chain(inside)
        .map(|found| found.uid())
        .collect()
}
