//! Releases that an older ship staged. There the service manager read the environment file as root;
//! now a release's launchers do, as the services' user.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, RawMode};

use super::folder::{self, DOWN};
use crate::agent::gate::Gate;
use crate::agent::launcher::{MARKER, read_environment};
use crate::agent::{Layout, careful, disk, releases};
use crate::model::{Deployment, Failure, ReleaseId};

/// The mode of an environment file: the group is that of the services' user.
const ENVIRONMENT: u32 = 0o640;

/// A release that needs mending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    layout: Layout,
    id: ReleaseId,
    /// The deploying user's id: only what belongs to it is touched.
    owner: u32,
    deployment: Deployment,
}

/// The releases of `deployment` at `layout` that an older ship staged, or that were staged for another
/// user of the services, as far as they belong to the user `owner`.
pub fn of_older_setup(
    deployment: &Deployment,
    layout: &Layout,
    owner: u32,
) -> impl Iterator<Item = Kept> {
    let ids = releases::ids(layout).unwrap_or_default();
    let (deployment, layout) = (deployment.clone(), layout.clone());
    ids.into_iter()
        .map(move |id| Kept {
            layout: layout.clone(),
            id,
            owner,
            deployment: deployment.clone(),
        })
        .filter(|kept| kept.needs_mending().unwrap_or(false))
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "had the launchers of {} read its environment, which is its services' alone",
            self.id
        )
    }
}

impl Kept {
    fn needs_mending(&self) -> io::Result<bool> {
        let own = self.own()?;
        let outdated = self.outdated(&own)?;
        Ok(!outdated.is_empty() || !self.is_right(&own)?)
    }

    /// Makes its launchers read its environment, and its environment readable for them.
    ///
    /// # Errors
    /// Those of the file system; a link on the way is one.
    pub fn mend(&self) -> Result<(), Failure> {
        let mended = || {
            let own = self.own()?;
            // First what the new launchers need.
            if !self.is_right(&own)? {
                let env = self.open(&own, "env")?;
                let group = rustix::fs::Gid::from_raw(self.group()?);
                rustix::fs::fchown(&env, None, Some(group))?;
                rustix::fs::fchmod(&env, Mode::from_raw_mode(ENVIRONMENT as RawMode))?;
            }
            for (name, text) in self.outdated(&own)? {
                let run = rustix::fs::openat(&own, "run", DOWN, Mode::empty())?;
                self.replace(&run, &name, &text)?;
            }
            Ok(())
        };
        mended().map_err(|error: io::Error| {
            Failure::io("cannot mend", &self.path().join(".ship"), &error)
        })
    }

    /// Its folder: of an adopted one the folder of the other tool.
    fn path(&self) -> PathBuf {
        let releases = self.layout.releases();
        let name = self.id.to_string();
        match std::fs::read_link(releases.join(&name)) {
            Ok(target) if target.components().count() == 1 => releases.join(target),
            _ => releases.join(name),
        }
    }

    fn own(&self) -> io::Result<OwnedFd> {
        let path = self.path().join(".ship");
        let below = path.strip_prefix(self.layout.root());
        let below = below.map_err(|_| io::ErrorKind::InvalidInput)?;
        let (parent, name) = folder::descend(self.layout.root(), below)?;
        let name = name.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(rustix::fs::openat(&parent, name, DOWN, Mode::empty())?)
    }

    /// The group that its services have.
    fn group(&self) -> io::Result<u32> {
        match Gate::of(&self.deployment, self.owner).group {
            Some(group) => Ok(group),
            None => Ok(std::fs::metadata(self.layout.releases())?.gid()),
        }
    }

    fn is_right(&self, own: &OwnedFd) -> io::Result<bool> {
        let found = self.open(own, "env")?.metadata()?;
        Ok(found.mode() & 0o7777 == ENVIRONMENT && found.gid() == self.group()?)
    }

    /// The launchers that do not read the environment, and what they should be.
    fn outdated(&self, own: &OwnedFd) -> io::Result<Vec<(String, String)>> {
        let run = rustix::fs::openat(own, "run", DOWN, Mode::empty())?;
        let mut outdated = Vec::new();
        for entry in rustix::fs::Dir::read_from(&run)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            let mut text = String::new();
            let launcher = self.open(&run, &name)?;
            launcher.take(careful::METADATA).read_to_string(&mut text)?;
            if let Some(text) = self.mended(&text) {
                outdated.push((name, text));
            }
        }
        Ok(outdated)
    }

    /// The launcher `text` with the lines that read the environment; `None` where it has them.
    fn mended(&self, text: &str) -> Option<String> {
        if text.contains(MARKER) {
            return None;
        }
        // They come where the launcher has gone to the release's folder.
        let at = text.find("\ncd -P ")? + 1;
        let end = at + text[at..].find('\n')? + 1;
        let lines = read_environment(self.id, &self.layout.release(self.id));
        Some(format!("{}{lines}\n{}", &text[..end], &text[end..]))
    }

    /// Opens a file of the deploying user: no link, nothing to wait for, not another user's file under
    /// a second name.
    fn open(&self, folder: &impl AsFd, name: &str) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(folder, name, flags, Mode::empty())?);
        let found = file.metadata()?;
        if !found.is_file() || found.uid() != self.owner {
            return Err(io::Error::other(format!(
                "{name} is not a file of the deploying user"
            )));
        }
        Ok(file)
    }

    fn replace(&self, run: &OwnedFd, name: &str, text: &str) -> io::Result<()> {
        let begun = format!(".{name}.{}", disk::unique());
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW;
        // Where this is not root, the folder may be closed against changes to its owner, too.
        let mode = Mode::from_raw_mode(rustix::fs::fstat(run)?.st_mode & 0o7777);
        rustix::fs::fchmod(run, mode | Mode::WUSR)?;
        let file = rustix::fs::openat(run, &begun, flags | OFlags::CLOEXEC, Mode::RUSR)?;
        let mut file = File::from(file);
        let put = file
            .write_all(text.as_bytes())
            .and_then(|()| {
                let found = rustix::fs::fstat(run)?;
                let (uid, gid) = (
                    rustix::fs::Uid::from_raw(found.st_uid),
                    rustix::fs::Gid::from_raw(found.st_gid),
                );
                rustix::fs::fchown(&file, Some(uid), Some(gid))?;
                Ok(rustix::fs::fchmod(&file, Mode::from_raw_mode(0o555))?)
            })
            .and_then(|()| file.sync_all())
            .and_then(|()| Ok(rustix::fs::renameat(run, &begun, run, Path::new(name))?));
        if put.is_err() {
            let _ = rustix::fs::unlinkat(run, &begun, AtFlags::empty());
        }
        rustix::fs::fchmod(run, mode)?;
        put
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::Command;

    use super::*;

    /// A release as the ship of before staged it.
    fn old() -> (tempfile::TempDir, Layout) {
        let temp = tempfile::tempdir().unwrap();
        let layout = Layout::at(temp.path());
        let own = layout.release(ReleaseId(3)).join(".ship");
        fs::create_dir_all(own.join("run")).unwrap();
        fs::write(own.join("env"), "KEY=\"a $ b\"\n".replace('$', "\\$")).unwrap();
        fs::set_permissions(own.join("env"), fs::Permissions::from_mode(0o600)).unwrap();
        let dir = layout.release(ReleaseId(3)).display().to_string();
        let text = format!(
            "#!/bin/sh\n# Written by ship: service web of release v3.\ncd -P {dir} || exit 1\n\
             export PORT=80\nexec printenv KEY PORT\n"
        );
        crate::artifact::start::write_program(&own.join("run/web"), &text);
        (temp, layout)
    }

    fn deployment() -> Deployment {
        Deployment {
            app: "shop".try_into().unwrap(),
            environment: "production".try_into().unwrap(),
            root: None,
            manager: crate::model::ServiceManagerKind::Supervisor,
            user: "shop".to_owned(),
            readable_by: Vec::new(),
        }
    }

    fn kept(layout: &Layout) -> Vec<Kept> {
        of_older_setup(&deployment(), layout, rustix::process::geteuid().as_raw()).collect()
    }

    #[test]
    fn a_release_of_an_older_ship_reads_its_environment_after_setup() {
        let (_temp, layout) = old();
        let [found] = &kept(&layout)[..] else {
            panic!("it is not found");
        };
        found.mend().unwrap();
        assert_eq!(kept(&layout), []);
        let own = layout.release(ReleaseId(3)).join(".ship");
        // Not by itself: another test's child may hold it open for writing (execve(2), `ETXTBSY`).
        let said = Command::new("/bin/sh")
            .arg(own.join("run/web"))
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&said.stdout), "a $ b\n80\n");
        let mode = |path: &str| fs::metadata(own.join(path)).unwrap().mode() & 0o7777;
        assert_eq!((mode("env"), mode("run/web")), (0o640, 0o555));
        assert_eq!(fs::read_dir(own.join("run")).unwrap().count(), 1);
    }

    /// Root mends what the deploying user may have changed.
    #[test]
    fn nothing_is_mended_through_links_or_special_files() {
        let (temp, layout) = old();
        let own = layout.release(ReleaseId(3)).join(".ship");
        let elsewhere = temp.path().join("elsewhere");
        fs::write(&elsewhere, "KEY=x\n").unwrap();
        fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o600)).unwrap();
        let untouched = || {
            let _ = kept(&layout).iter().map(Kept::mend).collect::<Vec<_>>();
            let mode = fs::metadata(&elsewhere).unwrap().mode() & 0o7777;
            assert_eq!(mode, 0o600);
        };
        fs::remove_file(own.join("env")).unwrap();
        symlink(&elsewhere, own.join("env")).unwrap();
        untouched();
        fs::remove_file(own.join("env")).unwrap();
        let fifo = Command::new("mkfifo").arg(own.join("env")).status();
        assert!(fifo.unwrap().success());
        untouched();
        fs::remove_file(own.join("env")).unwrap();
        fs::write(own.join("env"), "").unwrap();
        fs::remove_file(own.join("run/web")).unwrap();
        symlink("/dev/zero", own.join("run/web")).unwrap();
        untouched();
        fs::rename(&own, temp.path().join("own")).unwrap();
        symlink(temp.path().join("own"), &own).unwrap();
        untouched();
        // Another user's file under a second name.
        let someone = Kept {
            layout,
            id: ReleaseId(3),
            owner: u32::MAX,
            deployment: deployment(),
        };
        assert!(someone.mend().is_err());
    }
}
