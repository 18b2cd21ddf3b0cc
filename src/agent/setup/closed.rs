//! Closing the app's folders to other users.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::compare::Told;
use super::folder;
use super::step::cannot_make;
use crate::agent::gate::Gate;
use crate::agent::service::account;
use crate::model::{Deployment, Failure};
use crate::wire::Level;

/// Which folder below the root folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Below {
    /// `releases`, which `release.readable-by` opens to more users.
    Releases,
    /// `.ship`.
    State,
    /// `.ship/staging`, which gives its group to the environment of a release.
    Staging,
}

/// A folder to close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The app's root folder.
    pub root: PathBuf,
    /// Which one of it.
    pub below: Below,
    /// Whose services are to pass.
    pub deployment: Deployment,
    /// The deploying user.
    pub owner: String,
}

impl Closed {
    /// Its path, relative to the root folder.
    pub fn below(&self) -> &'static Path {
        Path::new(match self.below {
            Below::Releases => "releases",
            Below::State => ".ship",
            Below::Staging => ".ship/staging",
        })
    }

    /// How it is to be closed, with `owner` as the id of the deploying user.
    pub fn gate(&self, owner: u32) -> Gate {
        match self.below {
            Below::Releases => Gate::of_releases(&self.deployment, owner),
            Below::State | Below::Staging => Gate::of(&self.deployment, owner),
        }
    }

    /// Makes the folder where it is not there, and closes it.
    ///
    /// # Errors
    /// Those of the file system; a link on the way is one.
    pub fn close(&self) -> Result<(), Failure> {
        let closed = || {
            let owner = account::known(&self.owner)?;
            let (parent, name) = folder::descend(&self.root, self.below())?;
            let name = name.ok_or(std::io::ErrorKind::InvalidInput)?;
            let folder = folder::make(&parent, name)?;
            self.gate(owner.uid).close(&folder)
        };
        closed().map_err(|error: std::io::Error| cannot_make(&self.root.join(self.below()), &error))
    }

    /// What a person should know of a folder that is there and not closed as it should be.
    pub fn told(&self) -> Option<Told> {
        let path = self.root.join(self.below());
        let found = std::fs::metadata(&path).ok()?;
        let shown = path.display();
        let text = match self.below {
            // It lies below another one.
            Below::Staging => return None,
            _ if found.mode() & 0o007 != 0 => format!("every user of this host can read {shown}"),
            _ => format!("{shown} is not open to exactly the users that the manifest names"),
        };
        Some((Level::Warning, "access", text))
    }

    /// Says what was done; `there` is whether the folder was there before.
    pub fn say(&self, there: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.root.join(self.below());
        let path = path.display();
        let mut who = vec![self.owner.as_str()];
        let services = self.deployment.user.as_str();
        if self.deployment.manager.is_system_wide() && !who.contains(&services) {
            who.push(services);
        }
        if self.below == Below::Releases {
            who.extend(self.deployment.readable_by.iter().map(String::as_str));
        }
        let who = match who.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, first)) => format!("{} and {last}", first.join(", ")),
            None => String::new(),
        };
        match there {
            true => write!(f, "closed {path} to all users but {who}"),
            false => write!(f, "made the folder {path} for {who} alone"),
        }
    }
}
