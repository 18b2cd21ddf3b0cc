//! Staging: the whole release, verified, beside the live one. Nothing that runs is touched.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::host::Host;
use super::launcher::launcher;
use super::service::env_file;
use super::setup::{Entry, entries};
use super::{disk, releases};
use crate::artifact::{Assembly, Index, Known, Staging, Unpacker, remove_tree};
use crate::model::service::Run;
use crate::model::{Digest, Failure, ReleaseId, ReleaseState, Secret, ServiceManagerKind};
use crate::wire::Publish;

/// A tree on its way to become a release.
#[derive(Debug)]
pub struct Stage {
    index: Index,
    progress: Progress,
}

#[derive(Debug)]
enum Progress {
    Complete(Box<Staging>),
    Receiving(Box<Unpacker>),
    Broken,
}

impl Stage {
    /// Begins a tree for the encoded `index`, from what the kept releases hold; the second value
    /// is what must travel.
    ///
    /// # Errors
    /// When the index is not valid, the disk has no room, or the file system refuses.
    pub fn begin(host: &Host, index: &[u8]) -> Result<(Self, Vec<Digest>), Failure> {
        let index = Index::decode(index).map_err(|error| {
            Failure::unexpected(format!("the artifact's index is not valid: {error}"))
        })?;
        let plan = Assembly::plan(index.clone(), &known(host)?);
        check_room(
            host.layout.root(),
            plan.missing_bytes(),
            index.entries().len() as u64,
        )?;
        let folder = host.layout.state_file("staging");
        let staging = plan.begin(&folder.join(disk::unique())).map_err(refused)?;
        let missing = staging.missing();
        let progress = if missing.is_empty() {
            Progress::Complete(Box::new(staging))
        } else {
            Progress::Receiving(Box::new(Unpacker::new(staging).map_err(refused)?))
        };
        Ok((Self { index, progress }, missing))
    }

    /// Takes the next bytes of the packed content.
    ///
    /// # Errors
    /// When it is not what was asked for, or cannot be written; the tree is gone then.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let Progress::Receiving(unpacker) = &mut self.progress else {
            return Err(Failure::unexpected(
                "content arrived that was not asked for",
            ));
        };
        let pushed = unpacker.push(bytes).map_err(refused);
        if pushed.is_err() {
            self.progress = Progress::Broken;
        }
        pushed
    }

    /// The packed content has ended.
    ///
    /// # Errors
    /// When something is still missing; the tree is gone then.
    pub fn end_content(&mut self) -> Result<(), Failure> {
        match std::mem::replace(&mut self.progress, Progress::Broken) {
            Progress::Receiving(unpacker) => {
                self.progress = Progress::Complete(Box::new(unpacker.finish().map_err(refused)?));
                Ok(())
            }
            other => {
                self.progress = other;
                Ok(())
            }
        }
    }

    /// Completes the tree with what makes it a release, flushes it to the disk and renames it to
    /// its place.
    ///
    /// # Errors
    /// When the file system refuses; nothing is published then.
    pub fn publish(self, host: &Host, publish: &Publish) -> Result<(), Failure> {
        let Progress::Complete(staging) = self.progress else {
            return Err(Failure::unexpected("the tree is not complete"));
        };
        let layout = &host.layout;
        let release = &publish.release;
        let target = layout.release(release.id);
        if target.exists() {
            return Err(Failure::unexpected(format!(
                "{} is there already",
                target.display()
            )));
        }
        link_shared(host, staging.path(), &release.shared)?;
        write_own_files(host, staging.path(), publish)?;
        let assembled = staging.finish().map_err(refused)?;
        let index = self
            .index
            .encode()
            .map_err(|error| Failure::unexpected(error.to_string()))?;
        disk::write_atomic(&releases::index_path(layout, release.id), &index, 0o600)?;
        releases::use_number(layout, release.id)?;
        releases::set_state(layout, release.id, ReleaseState::Staged)?;
        let path = assembled.path().to_owned();
        fs::rename(&path, &target).map_err(|error| {
            let _ = remove_tree(&path);
            Failure::from(disk::named(error, &target))
        })?;
        disk::sync_folder(&layout.releases())?;
        Ok(())
    }
}

/// What the releases on this host hold, the newest first. A release that was found bad by its
/// content is no source, but one that merely failed its proof is.
fn known(host: &Host) -> Result<Known, Failure> {
    let mut known = Known::default();
    for id in releases::ids(&host.layout)? {
        let path = releases::index_path(&host.layout, id);
        let Ok(bytes) = fs::read(&path) else { continue };
        let Ok(index) = Index::decode(&bytes) else {
            continue;
        };
        let assembled = fs::metadata(&path).and_then(|found| found.modified())?;
        known.add(host.layout.release(id), &index, assembled);
    }
    Ok(known)
}

/// Bytes that stay free beside what a release needs: headroom for a rollback's logs and journal.
const HEADROOM: u64 = 16 << 20;

/// Inodes that stay free.
const INODE_HEADROOM: u64 = 200;

/// Refuses before anything is written when the file system of `root` has no room.
fn check_room(root: &Path, bytes: u64, entries: u64) -> Result<(), Failure> {
    let found = rustix::fs::statvfs(root).map_err(io::Error::from)?;
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let room = |what: String, has: String| {
        Failure::refused(format!(
            "{} has no room for the release: it needs {what}, {has} free",
            root.display()
        ))
        .hint("free some space, or lower `release.keep`")
    };
    if bytes.saturating_add(HEADROOM) > free {
        return Err(room(
            format!(
                "{} MB and {} MB headroom",
                bytes.div_ceil(1_000_000),
                HEADROOM / 1_000_000
            ),
            format!("{} MB are", free / 1_000_000),
        ));
    }
    // File systems without a fixed number of inodes (btrfs) report none at all.
    if found.f_files > 0 && entries.saturating_add(INODE_HEADROOM) > found.f_favail {
        return Err(room(
            format!("{} inodes", entries + INODE_HEADROOM),
            format!("{} inodes are", found.f_favail),
        ));
    }
    Ok(())
}

/// A full disk is a refusal (nothing changed), anything else is unexpected.
fn refused(error: crate::artifact::TreeError) -> Failure {
    let text = error.to_string();
    if text.contains("No space left") || text.contains("Disk quota") {
        return Failure::refused(format!("the disk is full: {text}"))
            .hint("free some space, or lower `release.keep`");
    }
    Failure::unexpected(text)
}

/// Makes each shared path of the release a relative link to its place in `shared/`.
fn link_shared(host: &Host, staging: &Path, shared: &[String]) -> Result<(), Failure> {
    for entry in shared {
        let relative = Path::new(entry.trim_end_matches('/'));
        let place = host.layout.shared().join(relative);
        if !place.exists() {
            if host.deployment.manager == ServiceManagerKind::Systemd {
                return Err(
                    Failure::refused(format!("{} is not there", place.display()))
                        .hint(format!("ship setup {}", host.deployment.environment)),
                );
            }
            make_shared(&host.layout.shared(), entry)?;
        }
        let link = staging.join(relative);
        if let Some(parent) = link.parent() {
            fs::create_dir_all(parent).map_err(|error| disk::named(error, parent))?;
        }
        // releases/vN/a/b → ../../../shared/a/b
        let up = relative.components().count() + 1;
        let mut target = PathBuf::new();
        (0..up).for_each(|_| target.push(".."));
        target.push("shared");
        target.push(relative);
        std::os::unix::fs::symlink(&target, &link).map_err(|error| disk::named(error, &link))?;
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

/// Writes `.ship/` of the release: metadata, environment, launchers.
fn write_own_files(host: &Host, staging: &Path, publish: &Publish) -> Result<(), Failure> {
    let release = &publish.release;
    let own = staging.join(".ship");
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
    write_new(&own.join("env"), env_text(&publish.env)?.as_bytes(), 0o600)?;
    let final_dir = host.layout.release(release.id);
    for service in &release.services {
        let text = launcher(service, release.id, &final_dir);
        write_new(&run.join(service.name.as_str()), text.as_bytes(), 0o555)?;
    }
    if release
        .services
        .iter()
        .any(|s| matches!(s.run, Run::Static(_)))
    {
        bring_self(&own.join("ship"))?;
    }
    for folder in [&run, &own] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
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

fn env_text(env: &BTreeMap<String, Secret>) -> Result<String, Failure> {
    env_file::write(
        env.iter()
            .map(|(key, value)| (key.as_str(), value.reveal())),
    )
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

/// Removes a release that was staged and never switched to.
pub fn unstage(host: &Host, id: ReleaseId) {
    let layout = &host.layout;
    if releases::state(layout, id) == ReleaseState::Staged
        && releases::current(layout).is_ok_and(|current| current != Some(id))
    {
        super::prune::remove(layout, id);
    }
}

/// Removes what earlier transactions left in the staging folder. Call it under the lock.
pub fn clean(host: &Host) {
    for name in ["staging", "trash"] {
        let Ok(entries) = fs::read_dir(host.layout.state_file(name)) else {
            continue;
        };
        for entry in entries.flatten() {
            let _ = remove_tree(&entry.path());
        }
    }
}
