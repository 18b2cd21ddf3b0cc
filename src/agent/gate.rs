//! The two folders that close an app to the other users of its host: `<root>/releases` and
//! `<root>/.ship`. Only the deploying user, the services' user and root pass; what lies below keeps the
//! modes that hard links need. `release.readable-by` opens `releases/` to more users, by an access
//! control list (acl(5)).

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::host::Host;
use super::service::account;
use crate::model::Deployment;

mod acl;

/// The set-group-id bit: what is made in such a folder gets its group (inode(7)).
const SET_GROUP_ID: u32 = 0o2000;

/// Who passes a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// The user that it belongs to, who deploys.
    pub owner: u32,
    /// The group that passes: that of the services' user. `None` where the services run as the owner.
    pub group: Option<u32>,
    /// More users that may pass, sorted.
    pub readers: Vec<u32>,
}

impl Gate {
    /// The gate of `<root>/.ship` where `owner` deploys.
    #[must_use]
    pub fn of(deployment: &Deployment, owner: u32) -> Self {
        Self {
            owner,
            group: services_group(deployment, owner),
            readers: Vec::new(),
        }
    }

    /// The gate of `<root>/releases`; readers that this host does not know are left out.
    #[must_use]
    pub fn of_releases(deployment: &Deployment, owner: u32) -> Self {
        let known = deployment.readable_by.iter();
        let mut readers: Vec<u32> = known
            .filter_map(|name| account::by_name(name))
            .map(|account| account.uid)
            .collect();
        readers.sort_unstable();
        readers.dedup();
        Self {
            readers,
            ..Self::of(deployment, owner)
        }
    }

    /// The mode of the folder, without the bits of an access control list.
    #[must_use]
    pub fn mode(&self) -> u32 {
        match self.group {
            Some(_) => SET_GROUP_ID | 0o750,
            None => 0o700,
        }
    }

    /// Whether the folder at `path` is closed as this says. What is not there is not.
    #[must_use]
    pub fn is_at(&self, path: &Path) -> bool {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
        let opened = rustix::fs::open(path, flags, Mode::empty());
        opened.is_ok_and(|folder| self.is_of(&folder).unwrap_or(false))
    }

    fn is_of(&self, folder: &impl AsFd) -> io::Result<bool> {
        let found = rustix::fs::fstat(folder)?;
        if found.st_uid != self.owner || self.group.is_some_and(|group| group != found.st_gid) {
            return Ok(false);
        }
        let listed = acl::read(folder)?;
        let mode = found.st_mode & 0o7777;
        Ok(match self.readers.is_empty() {
            true => listed.is_none() && mode == self.mode(),
            // The list decides; the mode shows a part of it.
            false => {
                listed == Some(self.list()) && mode & SET_GROUP_ID == self.mode() & SET_GROUP_ID
            }
        })
    }

    fn list(&self) -> Vec<acl::Entry> {
        acl::list(self.mode(), &self.readers)
    }

    /// Closes an open folder. The owner can do it where the group is its own; root can always.
    ///
    /// # Errors
    /// Those of the file system: one that has no access control lists is one.
    pub fn close(&self, folder: &impl AsFd) -> io::Result<()> {
        let found = rustix::fs::fstat(folder)?;
        let group = self.group.unwrap_or(found.st_gid);
        if (found.st_uid, found.st_gid) != (self.owner, group) {
            let (uid, gid) = (
                rustix::fs::Uid::from_raw(self.owner),
                rustix::fs::Gid::from_raw(group),
            );
            rustix::fs::fchown(folder, Some(uid), Some(gid))?;
        }
        // A list that is there would make these the bits of its mask.
        acl::remove(folder)?;
        let mode = Mode::from_raw_mode(self.mode() as rustix::fs::RawMode);
        rustix::fs::fchmod(folder, mode)?;
        match self.readers.is_empty() {
            true => Ok(()),
            false => acl::write(folder, &self.list()),
        }
    }

    /// Makes the folder at `path` and closes it, unless it is there.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn make(&self, path: &Path) -> io::Result<()> {
        use std::os::unix::fs::DirBuilderExt;
        match fs::DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
            Ok(()) => self.close(&fs::File::open(path)?),
        }
    }
}

/// The group of the services' user; `None` where the services run as `owner`.
fn services_group(deployment: &Deployment, owner: u32) -> Option<u32> {
    if !deployment.manager.is_system_wide() {
        return None;
    }
    let services = account::by_name(&deployment.user)?;
    (services.uid != owner).then_some(services.gid)
}

/// Closes the folders of `local`, which has no setup, and where nobody else is let in.
///
/// # Errors
/// Those of the file system.
pub fn close_own(host: &Host) -> io::Result<()> {
    let me = rustix::process::geteuid().as_raw();
    if !host.deployment.environment.is_local() {
        return Ok(());
    }
    let (deployment, layout) = (&host.deployment, &host.layout);
    for (path, gate) in [
        (layout.releases(), Gate::of_releases(deployment, me)),
        (layout.state(), Gate::of(deployment, me)),
    ] {
        if !gate.is_at(&path) {
            gate.close(&fs::File::open(&path)?)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn gate(group: Option<u32>, readers: &[u32]) -> Gate {
        Gate {
            owner: rustix::process::geteuid().as_raw(),
            group,
            readers: readers.to_owned(),
        }
    }

    #[test]
    fn a_folder_is_closed_opened_to_readers_and_closed_again() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("releases");
        let own = rustix::process::getegid().as_raw();
        gate(None, &[]).make(&path).unwrap();
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(), 0o700);
        let folder = fs::File::open(&path).unwrap();
        for (group, readers, shown) in [
            (Some(own), &[33, 34][..], 0o2750),
            (Some(own), &[34], 0o2750),
            (Some(own), &[], 0o2750),
            (None, &[33], 0o710),
            (None, &[], 0o700),
        ] {
            let wanted = gate(group, readers);
            assert!(!wanted.is_at(&path), "{wanted:?}");
            wanted.close(&folder).unwrap();
            assert!(wanted.is_at(&path), "{wanted:?}");
            assert_eq!(mode(), shown, "{wanted:?}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(!gate(None, &[]).is_at(&path));
        let link = temp.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        gate(None, &[]).close(&folder).unwrap();
        assert!(gate(None, &[]).is_at(&path) && !gate(None, &[]).is_at(&link));
    }
}
