//! What another tool left live: Capistrano, Deployer and Mina point `current` to a folder of
//! `releases/`, too. The first deploy makes that folder the release v0, so that it can be gone back
//! to: the link `releases/v0` leads to it, and a `.ship` of its own in it has the launchers. Nothing
//! else of it is touched, neither now nor when v0 is pruned.
//!
//! v0 is the same word on every host, whatever numbers the hosts have seen.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::host::{Host, writable};
use super::service::{account, systemctl};
use super::setup::closed_parent;
use super::{Layout, careful, disk, flip, releases, stage};
use crate::artifact::remove_tree;
use crate::model::release::Origin;
use crate::model::{Digest, Failure, Release, ReleaseId, ReleaseState, Secret};
use crate::wire::Publish;

/// The adopted release.
pub const ADOPTED: ReleaseId = ReleaseId(0);

/// A live folder of `releases/` that is not a release of ship.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    name: PathBuf,
}

impl Foreign {
    /// `releases/20240101120000`.
    #[must_use]
    pub fn shown(&self) -> String {
        Path::new("releases").join(&self.name).display().to_string()
    }

    fn folder(&self, layout: &Layout) -> PathBuf {
        layout.releases().join(&self.name)
    }
}

/// What another tool left live; `None` where nothing is live, or a release of ship.
///
/// # Errors
/// Refused when `current` cannot be adopted: it is no link, leads nowhere or out of `releases/`.
pub fn find(layout: &Layout) -> Result<Option<Foreign>, Failure> {
    let path = layout.current();
    let found = match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found.map_err(|error| disk::named(error, &path))?,
    };
    if !found.is_symlink() {
        let what = if found.is_dir() {
            "a real folder"
        } else {
            "a file"
        };
        return Err(refused(
            format!("{} is {what}, not a link to a release", path.display()),
            "move it away, then deploy again",
        ));
    }
    let target = fs::read_link(&path).map_err(|error| disk::named(error, &path))?;
    if of_ship(layout, &target).is_some() {
        return Ok(None);
    }
    let leads = format!("{} points to {}", path.display(), target.display());
    let folder = fs::canonicalize(&path).map_err(|_| {
        refused(
            format!("{leads}, which does not exist"),
            "point it to the folder that is live, or remove it, then deploy again",
        )
    })?;
    let releases = fs::canonicalize(layout.releases()).ok();
    match folder.file_name() {
        Some(name) if folder.parent() == releases.as_deref() && folder.is_dir() => {
            Ok(Some(Foreign { name: name.into() }))
        }
        _ => Err(refused(
            format!(
                "{leads}, which is not a folder of {}",
                layout.releases().display()
            ),
            "move it away, then deploy again",
        )),
    }
}

/// The release of ship that a link with this `target` leads to.
pub(super) fn of_ship(layout: &Layout, target: &Path) -> Option<ReleaseId> {
    let name = target.file_name()?.to_str()?;
    let parent = target.parent()?;
    let inside = parent == Path::new("releases") || parent == layout.releases();
    let id = ReleaseId::parse(name).ok()?;
    let is_ours = inside && name == id.to_string() && is_published(layout, id);
    is_ours.then_some(id)
}

/// Whether the release is one that ship published or adopted, however damaged: another tool may
/// call its folders v1, v2, v3.
#[must_use]
pub fn is_published(layout: &Layout, id: ReleaseId) -> bool {
    let folder = layout.release(id);
    match fs::symlink_metadata(&folder) {
        // What is not there at all was ours to keep.
        Err(_) => true,
        Ok(found) if found.is_symlink() => true,
        Ok(_) => folder.join(".ship").exists() && !leads_to(layout, id),
    }
}

/// Whether the adopted release is this folder.
fn leads_to(layout: &Layout, id: ReleaseId) -> bool {
    fs::read_link(layout.release(ADOPTED)).is_ok_and(|to| to == Path::new(&id.to_string()))
}

/// Whether the release was adopted: its place is a link.
#[must_use]
pub fn is_adopted(layout: &Layout, id: ReleaseId) -> bool {
    fs::symlink_metadata(layout.release(id)).is_ok_and(|found| found.is_symlink())
}

/// Refuses before anything is changed when what another tool left live could not be adopted.
///
/// # Errors
/// As [`find`]; and when the folder is not this user's to write, has a `.ship` that is not ours, or
/// is closed to the user of the services.
pub fn check(host: &Host) -> Result<(), Failure> {
    match find(&host.layout)? {
        Some(foreign) => may_adopt(host, &foreign),
        None => Ok(()),
    }
}

fn may_adopt(host: &Host, foreign: &Foreign) -> Result<(), Failure> {
    let folder = foreign.folder(&host.layout);
    let own = folder.join(".ship");
    if own.exists() && !own.join("release.json").is_file() {
        return Err(refused(
            format!("{} is there, and ship did not make it", own.display()),
            "move it away, then deploy again",
        ));
    }
    let services_user = &host.deployment.user;
    if host.deployment.manager.is_system_wide()
        && let Some(closed) = closed_parent(&folder.join(".ship"), services_user)?
    {
        let closed = closed.display();
        return Err(refused(
            format!(
                "{services_user}, whom the services run as, cannot enter {closed}, which another \
                 tool made"
            ),
            &format!("on the host: chmod o+rx {closed}"),
        ));
    }
    if writable(&folder) {
        return Ok(());
    }
    let user = systemctl::user_name();
    let owner = fs::metadata(&folder).ok().map(|found| {
        let uid = found.uid();
        account::by_uid(uid).map_or_else(|| format!("user id {uid}"), |account| account.name)
    });
    let owner = owner.unwrap_or_else(|| "somebody else".to_owned());
    Err(refused(
        format!(
            "{} was made by another tool and belongs to {owner}: {user} cannot make it a release \
             to go back to",
            folder.display()
        ),
        &format!("as root on the host: chown {user} {}", folder.display()),
    ))
}

/// Makes what another tool left live the release v0, with the services and the environment of the
/// release `beside`, and points `current` to it. Returns what it was: `releases/20240101120000`.
/// After a death half way `current` is as it was, and the next call does it all again.
///
/// # Errors
/// As [`check`], and when the file system refuses; `current` is as it was then.
pub fn adopt(host: &Host, beside: ReleaseId) -> Result<Option<String>, Failure> {
    let layout = &host.layout;
    let Some(foreign) = find(layout)? else {
        return Ok(None);
    };
    may_adopt(host, &foreign)?;
    let folder = foreign.folder(layout);
    let link = layout.release(ADOPTED);
    if is_adopted(layout, ADOPTED) {
        // Adopted before, and the other tool was used again since.
        forget(layout, ADOPTED);
    }
    if fs::symlink_metadata(&link).is_ok() {
        return Err(refused(
            format!("{} is there, and ship did not make it", link.display()),
            "move it away, then deploy again",
        ));
    }
    let publish = release(host, &foreign, beside)?;
    write_own(host, &publish, &folder)?;
    releases::set_state(layout, ADOPTED, ReleaseState::Good)?;
    let begun = layout
        .releases()
        .join(format!(".{ADOPTED}.{}", disk::unique()));
    std::os::unix::fs::symlink(&foreign.name, &begun)
        .map_err(|error| disk::named(error, &begun))?;
    fs::rename(&begun, &link).map_err(|error| {
        let _ = fs::remove_file(&begun);
        disk::named(error, &link)
    })?;
    disk::sync_folder(&layout.releases())?;
    flip::flip(layout, Some(ADOPTED))?;
    Ok(Some(foreign.shown()))
}

/// What makes `foreign` a release.
fn release(host: &Host, foreign: &Foreign, beside: ReleaseId) -> Result<Publish, Failure> {
    let new = host.release(beside)?;
    let folder = foreign.folder(&host.layout);
    let made = fs::metadata(&folder).ok().map(|found| found.mtime());
    let made = made.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    // Capistrano and Deployer write the commit into this file.
    let commit = careful::text(&folder.join("REVISION"), careful::SMALL).ok();
    let commit = commit.map(|text| text.trim().to_owned());
    let is_id = |text: &String| text.len() >= 7 && text.bytes().all(|b| b.is_ascii_hexdigit());
    Ok(Publish {
        release: Release {
            id: ADOPTED,
            artifact: Digest::of(folder.as_os_str().as_encoded_bytes()),
            created: made.map_or_else(disk::now, |made| made.to_string()),
            origin: Origin {
                who: "another tool".to_owned(),
                commit: commit.filter(is_id),
                subject: Some(format!("adopted {}", foreign.shown())),
                ship: env!("CARGO_PKG_VERSION").to_owned(),
                ..Origin::default()
            },
            services: new.release.services,
            runtimes: new.release.runtimes,
            shared: Vec::new(),
            secrets: new.release.secrets,
        },
        // Never that of a deploy: what is in the folder is not known.
        identity: Digest::of(b"adopted"),
        env: new
            .env
            .into_iter()
            .map(|(key, value)| (key, Secret::new(value)))
            .collect(),
        made: None,
    })
}

/// Writes `.ship` of the adopted release, whole or not at all.
fn write_own(host: &Host, publish: &Publish, folder: &Path) -> Result<(), Failure> {
    let written = (|| {
        let own = stage::OwnFiles::write(host, publish)?;
        own.sync()?;
        own.lend(folder)?;
        disk::sync_folder(folder)?;
        Ok(())
    })();
    written.map_err(stage::or_full)
}

/// Takes an adopted release out of the list: its link and its `.ship` go, and the folder stays as
/// the other tool made it.
pub fn forget(layout: &Layout, id: ReleaseId) -> bool {
    let link = layout.release(id);
    // The secrets first: where this ends half way, the link leads to them still.
    let gone = remove_tree(&link.join(".ship")).is_ok() && fs::remove_file(&link).is_ok();
    if gone {
        releases::forget(layout, id);
    }
    gone
}

fn refused(message: String, hint: &str) -> Failure {
    Failure::refused(message).hint(hint.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn root() -> (tempfile::TempDir, Layout) {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path());
        fs::create_dir_all(layout.releases().join("20240101120000")).unwrap();
        (folder, layout)
    }

    fn points_to(layout: &Layout, target: impl AsRef<Path>) {
        let _ = fs::remove_file(layout.current());
        symlink(target, layout.current()).unwrap();
    }

    fn shown(layout: &Layout) -> Result<Option<String>, String> {
        let found = find(layout).map_err(|failure| failure.message())?;
        Ok(found.map(|foreign| foreign.shown()))
    }

    #[test]
    fn a_folder_of_releases_is_found_however_the_link_says_it() {
        let (_folder, layout) = root();
        assert_eq!(shown(&layout), Ok(None));
        let named = Ok(Some("releases/20240101120000".to_owned()));
        points_to(&layout, "releases/20240101120000");
        assert_eq!(shown(&layout), named);
        points_to(&layout, "./releases/20240101120000/");
        assert_eq!(shown(&layout), named);
        points_to(&layout, layout.releases().join("20240101120000"));
        assert_eq!(shown(&layout), named);
        // By a link on the way to the root folder, and through another link.
        let aside = tempfile::tempdir().unwrap();
        symlink(layout.root(), aside.path().join("www")).unwrap();
        points_to(&layout, aside.path().join("www/releases/20240101120000"));
        assert_eq!(shown(&layout), named);
        symlink("20240101120000", layout.releases().join("latest")).unwrap();
        points_to(&layout, "releases/latest");
        assert_eq!(shown(&layout), named);
        // Deployer and Mina count.
        fs::create_dir(layout.releases().join("7")).unwrap();
        points_to(&layout, "releases/7");
        assert_eq!(shown(&layout), Ok(Some("releases/7".to_owned())));
        // A tool whose folders are called as ours.
        fs::create_dir(layout.releases().join("v7")).unwrap();
        points_to(&layout, "releases/v7");
        assert_eq!(shown(&layout), Ok(Some("releases/v7".to_owned())));
    }

    #[test]
    fn a_release_of_ship_is_not_adopted() {
        let (_folder, layout) = root();
        fs::create_dir_all(layout.release(ReleaseId(3)).join(".ship")).unwrap();
        points_to(&layout, "releases/v3");
        assert_eq!(shown(&layout), Ok(None));
        points_to(&layout, layout.release(ReleaseId(3)));
        assert_eq!(shown(&layout), Ok(None));
        symlink("20240101120000", layout.release(ADOPTED)).unwrap();
        points_to(&layout, "releases/v0");
        assert_eq!(shown(&layout), Ok(None));
        assert!(is_adopted(&layout, ADOPTED) && !is_adopted(&layout, ReleaseId(3)));
    }

    #[test]
    fn what_leads_nowhere_or_elsewhere_is_refused() {
        let (_folder, layout) = root();
        let refused = |target: &str, said: &str| {
            points_to(&layout, target);
            let why = shown(&layout).unwrap_err();
            assert!(why.contains(target) && why.contains(said), "{why}");
        };
        refused("releases/20250101120000", "which does not exist");
        refused("/etc", "which is not a folder of");
        refused("releases", "which is not a folder of");
        fs::write(layout.releases().join("file"), "").unwrap();
        refused("releases/file", "which is not a folder of");
        fs::create_dir_all(layout.releases().join("20240101120000/app")).unwrap();
        refused("releases/20240101120000/app", "which is not a folder of");
        fs::remove_file(layout.current()).unwrap();
        fs::create_dir(layout.current()).unwrap();
        assert!(shown(&layout).unwrap_err().contains("a real folder"));
    }

    #[test]
    fn what_is_forgotten_leaves_the_folder_as_it_was() {
        let (_folder, layout) = root();
        let folder = layout.releases().join("20240101120000");
        fs::create_dir_all(folder.join(".ship")).unwrap();
        fs::write(folder.join(".ship/env"), "KEY=secret").unwrap();
        fs::write(folder.join("index.html"), "hello").unwrap();
        symlink("20240101120000", layout.release(ADOPTED)).unwrap();
        assert!(forget(&layout, ADOPTED));
        assert!(!is_adopted(&layout, ADOPTED) && !folder.join(".ship").exists());
        assert_eq!(
            fs::read_to_string(folder.join("index.html")).unwrap(),
            "hello"
        );
        assert!(!forget(&layout, ADOPTED), "there is none any more");
    }
}
