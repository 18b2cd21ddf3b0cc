//! What makes a tree a release: links to shared folders, and `.ship` with metadata, environment and
//! launchers.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::room::refused;
use crate::agent::host::Host;
use crate::agent::launcher::{MARKER, launcher};
use crate::agent::runtimes::RuntimeEnvironment;
use crate::agent::service::env_file;
use crate::agent::setup::{Entry, entries};
use crate::agent::{disk, releases};
use crate::artifact::{Staging, TreePath, remove_tree, sync_each};
use crate::model::service::Run;
use crate::model::{Failure, ReleaseId, Secret};
use crate::wire::Publish;

/// Makes each shared path of the release a relative link to its place in `shared/`.
pub(super) fn link_shared(
    host: &Host,
    staging: &mut Staging,
    shared: &[String],
) -> Result<(), Failure> {
    for entry in shared {
        let relative = entry.trim_end_matches('/');
        let place = host.layout.shared().join(relative);
        if !place.exists() {
            if host.deployment.manager.is_system_wide() {
                return Err(
                    Failure::refused(format!("{} is not there", place.display()))
                        .hint(format!("ship setup {}", host.deployment.environment)),
                );
            }
            make_shared(&host.layout.shared(), entry)?;
        }
        let path =
            TreePath::try_from(relative).map_err(|error| Failure::unexpected(error.to_string()))?;
        // releases/vN/a/b → ../../../shared/a/b
        let mut target = PathBuf::new();
        (0..=path.components().count()).for_each(|_| target.push(".."));
        target.push("shared");
        target.push(relative);
        staging.link(&path, &target).map_err(refused)?;
    }
    Ok(())
}

/// Makes a shared entry, a folder or an empty file, with the folders above it.
fn make_shared(shared: &Path, entry: &str) -> Result<(), Failure> {
    for entry in entries(&[entry.to_owned()]) {
        let place = shared.join(entry.path());
        let made = match &entry {
            _ if place.exists() => Ok(()),
            Entry::Folder(_) => fs::create_dir(&place),
            Entry::File(_) => fs::File::create_new(&place).map(|_| ()),
        };
        made.map_err(|error| disk::named(error, &place))?;
    }
    Ok(())
}

/// `.ship/` of a release, written and not yet in its tree: metadata, environment, launchers. It is made
/// in the staging folder, where it gets the group of the services' user, which a tree need not have (it
/// may be a spare of an older setup). Dropped, it is gone.
#[derive(Debug)]
#[must_use]
pub(in crate::agent) struct OwnFiles {
    folder: PathBuf,
}

impl OwnFiles {
    /// Writes them.
    ///
    /// # Errors
    /// When the file system refuses, or a variable cannot be written.
    pub(in crate::agent) fn write(host: &Host, publish: &Publish) -> Result<Self, Failure> {
        let folder = host.layout.state_file("staging").join(disk::unique());
        fs::create_dir(&folder).map_err(|error| disk::named(error, &folder))?;
        let own = Self { folder };
        write_files(host, &own.own(), publish)?;
        Ok(own)
    }

    fn own(&self) -> PathBuf {
        self.folder.join(".ship")
    }

    /// Brings them to the disk.
    ///
    /// # Errors
    /// When the system cannot.
    pub(in crate::agent) fn sync(&self) -> Result<(), Failure> {
        sync_each(&own_files(&self.own())?).map_err(refused)
    }

    /// Puts them into the folder of another tool, in place of what is there. That tool removes the
    /// folder with all that is in it, one day.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(in crate::agent) fn lend(self, folder: &Path) -> Result<(), Failure> {
        let own = folder.join(".ship");
        remove_tree(&own).map_err(refused)?;
        fs::rename(self.own(), &own).map_err(|error| disk::named(error, &own))?;
        Ok(())
    }

    /// Puts them into `tree` and closes them against changes.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(in crate::agent) fn place(self, tree: &Path) -> Result<(), Failure> {
        let own = tree.join(".ship");
        self.lend(tree)?;
        // Not before: rename(2) of a folder to another place needs the right to write to it.
        for folder in [own.join("run"), own] {
            fs::set_permissions(&folder, fs::Permissions::from_mode(READ_ONLY))
                .map_err(|error| disk::named(error, &folder))?;
        }
        Ok(())
    }
}

impl Drop for OwnFiles {
    fn drop(&mut self) {
        let _ = remove_tree(&self.folder);
    }
}

/// The mode of a folder in a release.
pub(super) const READ_ONLY: u32 = 0o555;

fn write_files(host: &Host, own: &Path, publish: &Publish) -> Result<(), Failure> {
    let release = &publish.release;
    let run = own.join("run");
    fs::create_dir_all(&run).map_err(|error| disk::named(error, &run))?;
    let metadata = serde_json::to_vec_pretty(release)
        .map_err(|error| Failure::unexpected(format!("release.json: {error}")))?;
    write_new(&own.join("release.json"), &metadata, 0o444)?;
    write_new(
        &own.join("identity"),
        publish.identity.to_string().as_bytes(),
        0o600,
    )?;
    let env = env_text(&publish.env, release.id)?;
    write_new(&own.join("env"), env.as_bytes(), 0o640)?;
    let final_dir = host.layout.release(release.id);
    let runtimes = RuntimeEnvironment::of(&host.layout, &release.runtimes);
    let runtimes = runtimes.without(publish.env.keys());
    for service in &release.services {
        let text = launcher(service, release.id, &final_dir, &runtimes);
        write_new(&run.join(service.name.as_str()), text.as_bytes(), 0o555)?;
    }
    if release
        .services
        .iter()
        .any(|s| matches!(s.run, Run::Static(_)))
    {
        bring_self(&own.join("ship"))?;
    }
    Ok(())
}

/// The files in a release's `.ship`, and the folders that hold them.
pub(super) fn own_files(own: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in [own.to_owned(), own.join("run")] {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                files.push(entry.path());
            }
        }
        files.push(folder);
    }
    Ok(files)
}

/// What is written outside of the tree of release `id`, and the folders that hold it.
pub(super) fn records(host: &Host, id: ReleaseId) -> Vec<PathBuf> {
    let layout = &host.layout;
    vec![
        releases::index_path(layout, id),
        layout.state_file("indexes"),
        layout.state_file("states").join(id.to_string()),
        layout.state_file("states"),
        layout.state_file("sequence"),
        layout.state(),
    ]
}

/// This program, in the release: a static site is served by the build that deployed it.
fn bring_self(target: &Path) -> Result<(), Failure> {
    let exe = std::env::current_exe()?;
    if fs::hard_link(&exe, target).is_err() {
        fs::copy(&exe, target).map_err(|error| disk::named(error, target))?;
        fs::set_permissions(target, fs::Permissions::from_mode(0o555))?;
    }
    Ok(())
}

fn env_text(env: &BTreeMap<String, Secret>, id: ReleaseId) -> Result<String, Failure> {
    let id = id.to_string();
    let variables = env
        .iter()
        .map(|(key, value)| (key.as_str(), value.reveal()))
        .filter(|(key, _)| *key != MARKER);
    env_file::write(variables.chain([(MARKER, id.as_str())]))
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Failure> {
    use std::io::Write;
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            // The umask took bits from the mode of open(2).
            file.set_permissions(fs::Permissions::from_mode(mode))
        });
    written.map_err(|error| disk::named(error, path).into())
}
