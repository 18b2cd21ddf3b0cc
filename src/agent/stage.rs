//! Staging: the whole release, verified, beside the live one. Nothing that runs is touched.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::host::Host;
use super::launcher::launcher;
use super::service::env_file;
use super::setup::{Entry, entries};
use super::{disk, releases, spare};
use crate::artifact::{
    Assembly, Change, Index, Known, Staging, TreePath, Unpacker, remove_tree, sync_each,
};
use crate::model::service::Run;
use crate::model::{
    Digest, Failure, FailureKind, ReleaseId, ReleaseState, Secret, ServiceManagerKind,
};
use crate::wire::{Need, Offer, Publish};

/// A tree on its way to become a release.
#[derive(Debug)]
pub struct Stage {
    index: Arc<Index>,
    /// `tree`, and what is needed to go on after an interruption.
    folder: PathBuf,
    progress: Progress,
}

#[derive(Debug)]
enum Progress {
    Complete(Box<Staging>),
    Receiving(Box<Unpacker>),
    Broken,
}

/// What a transfer that was cut leaves is worth keeping from this size on, bytes.
const WORTH_KEEPING: u64 = 1 << 20;

impl Stage {
    /// Begins a tree for `offer`, whose encoded index (under zstd) is `bytes`, from what the host
    /// has; the second value is what must travel. `None` when the index is a change of an
    /// artifact that is not here.
    ///
    /// # Errors
    /// When the index is not valid, the disk has no room, or the file system refuses.
    pub fn begin(
        host: &Host,
        offer: &Offer,
        bytes: &[u8],
    ) -> Result<Option<(Self, Need)>, Failure> {
        Self::begin_tree(host, offer, bytes).map_err(or_full)
    }

    fn begin_tree(
        host: &Host,
        offer: &Offer,
        bytes: &[u8],
    ) -> Result<Option<(Self, Need)>, Failure> {
        let Some(Offered { index, base }) = read_offer(host, offer, bytes)? else {
            return Ok(None);
        };
        let at_hand = base.as_ref().map(|base| (base.artifact, &base.index));
        let known = known(host, base.as_ref())?;
        let folder = host.layout.state_file("staging").join(disk::unique());
        let mut plan = match spare::take(&host.layout, &folder, at_hand) {
            Some(spare) => {
                let _ = fs::remove_file(folder.join("index"));
                Assembly::plan_over(Arc::clone(&index), &spare, &known)
            }
            None => {
                fs::create_dir(&folder).map_err(|error| disk::named(error, &folder))?;
                Assembly::plan(Arc::clone(&index), &known)
            }
        };
        let contents = index.contents();
        let numbers = numbers(&contents);
        let deltas = bases(&mut plan, offer, &contents, &known);
        make_room(host, &plan)?;
        let reused = index.bytes().saturating_sub(plan.missing_bytes());
        let staging = plan.begin(&folder.join("tree")).map_err(refused)?;
        let mut stage = Self {
            index,
            folder,
            progress: Progress::Broken,
        };
        stage.keep_index(staging.missing_bytes())?;
        let whole = offer
            .whole
            .iter()
            .filter_map(|at| contents.get(*at as usize));
        let whole: HashSet<Digest> = whole.map(|(digest, _)| *digest).collect();
        let mut need = stage.receive(staging, &numbers, &deltas, &whole)?;
        need.reused = reused;
        Ok(Some((stage, need)))
    }

    /// Beside a large transfer lies its index, so that the next one can go on where it was cut.
    fn keep_index(&self, missing: u64) -> Result<(), Failure> {
        if missing < WORTH_KEEPING {
            return Ok(());
        }
        let bytes = encoded(&self.index)?;
        let path = self.folder.join("index");
        fs::write(&path, bytes).map_err(|error| disk::named(error, &path).into())
    }

    /// Waits for what `staging` misses; what that is. Of what comes neither as one of `deltas` nor
    /// `whole` the chunks that are here are told, and of what an interrupted transfer began: then
    /// there are many, and a difference that was offered may come to nothing.
    fn receive(
        &mut self,
        staging: Staging,
        numbers: &HashMap<Digest, u32>,
        deltas: &HashSet<Digest>,
        whole: &HashSet<Digest>,
    ) -> Result<Need, Failure> {
        let missing = staging.missing();
        let mut need = Need::default();
        if missing.is_empty() {
            self.progress = Progress::Complete(Box::new(staging));
            return Ok(need);
        }
        let begun = missing.iter().filter(|digest| staging.is_begun(digest));
        let begun: HashSet<Digest> = begun.copied().collect();
        let mut unpacker = Unpacker::new(staging).map_err(refused)?;
        for digest in missing {
            let Some(&number) = numbers.get(&digest) else {
                continue;
            };
            match need.missing.last_mut() {
                Some((first, count)) if *first + *count == number => *count += 1,
                _ => need.missing.push((number, 1)),
            }
            let is_delta = deltas.contains(&digest);
            if is_delta {
                need.deltas.push(number);
            }
            if begun.contains(&digest) || !(is_delta || whole.contains(&digest)) {
                let chunks = unpacker.chunks(&digest);
                if !chunks.is_empty() {
                    let chunks = chunks.iter().map(|chunk| (chunk.id, chunk.length));
                    need.chunks.push((number, chunks.collect()));
                }
            }
        }
        self.progress = Progress::Receiving(Box::new(unpacker));
        Ok(need)
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
    /// When it was cut; the tree is gone then.
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

    /// The transfer was cut: what came stays for the next one.
    pub fn leave(mut self) {
        match std::mem::replace(&mut self.progress, Progress::Broken) {
            Progress::Receiving(unpacker) => unpacker.leave(),
            Progress::Complete(staging) => staging.leave(),
            Progress::Broken => return,
        }
        if self.folder.join("index").is_file() {
            self.folder = PathBuf::new();
        }
    }

    /// Completes the tree with what makes it a release, flushes it to the disk and renames it to
    /// its place, as soon as `may_publish` says so. Returns what must still travel, when something
    /// of the host turned out to be damaged; nothing is published then.
    ///
    /// # Errors
    /// When the file system refuses, or `may_publish` does; nothing is published then.
    pub fn publish(
        &mut self,
        host: &Host,
        publish: &Publish,
        may_publish: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<Option<Need>, Failure> {
        self.publish_tree(host, publish, may_publish)
            .map_err(or_full)
    }

    fn publish_tree(
        &mut self,
        host: &Host,
        publish: &Publish,
        may_publish: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<Option<Need>, Failure> {
        let Progress::Complete(mut staging) =
            std::mem::replace(&mut self.progress, Progress::Broken)
        else {
            return Err(Failure::unexpected("the tree is not complete"));
        };
        if !staging.missing().is_empty() {
            staging.want_whole();
            let numbers = numbers(&self.index.contents());
            let none = HashSet::new();
            let need = self.receive(*staging, &numbers, &none, &none)?;
            return Ok(Some(need));
        }
        let layout = &host.layout;
        let release = &publish.release;
        let target = layout.release(release.id);
        if target.exists() {
            return Err(Failure::unexpected(format!(
                "{} is there already",
                target.display()
            )));
        }
        link_shared(host, &mut staging, &release.shared)?;
        write_own_files(host, staging.path(), publish)?;
        let assembled = staging.finish().map_err(refused)?;
        let path = assembled.path().to_owned();
        let published = (|| {
            assembled.sync(&own_files(&path)?).map_err(refused)?;
            may_publish()?;
            let index = releases::index_path(layout, release.id);
            disk::write_unsynced(&index, &encoded(&self.index)?, 0o600)?;
            releases::stage_number(layout, release.id)?;
            sync_each(&records(host, release.id)).map_err(refused)?;
            fs::rename(&path, &target).map_err(|error| disk::named(error, &target))?;
            disk::sync_folder(&layout.releases())?;
            Ok(None)
        })();
        match &published {
            Ok(_) => clean_but(host, &self.folder),
            Err(_) => {
                let _ = remove_tree(&path);
                releases::forget(layout, release.id);
            }
        }
        published
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.progress = Progress::Broken;
        if !self.folder.as_os_str().is_empty() {
            let _ = remove_tree(&self.folder);
        }
    }
}

fn encoded(index: &Index) -> Result<Vec<u8>, Failure> {
    let encoded = index.encode();
    encoded.map_err(|error| Failure::unexpected(error.to_string()))
}

/// An artifact that is known here.
struct Base {
    id: ReleaseId,
    artifact: Digest,
    index: Arc<Index>,
}

/// What an offer says.
struct Offered {
    index: Arc<Index>,
    /// What it is a change of; else the live release.
    base: Option<Base>,
}

/// The largest index that is taken, decompressed, bytes: some millions of files.
const MAX_INDEX: u64 = 512 << 20;

/// Reads the offered index; `None` when what it is a change of is not here.
fn read_offer(host: &Host, offer: &Offer, bytes: &[u8]) -> Result<Option<Offered>, Failure> {
    let invalid =
        |why: String| Failure::unexpected(format!("the artifact's index is not valid: {why}"));
    let mut plain = Vec::new();
    zstd::Decoder::new(bytes)
        .and_then(|decoder| decoder.take(MAX_INDEX).read_to_end(&mut plain))
        .map_err(|error| invalid(error.to_string()))?;
    let base = base(host, offer.base);
    let index = match (offer.base, &base) {
        (None, _) => Index::decode(&plain),
        (Some(wanted), Some(base)) if base.artifact == wanted => {
            Change::decode(&plain).and_then(|change| change.apply(&base.index))
        }
        (Some(_), _) => return Ok(None),
    };
    let index = index.map_err(|error| invalid(error.to_string()))?;
    if index.digest() != offer.artifact {
        // The change was made for another index than ours: it was damaged on one end.
        return match offer.base {
            Some(_) => Ok(None),
            None => Err(invalid("it is not what it is called".to_owned())),
        };
    }
    Ok(Some(Offered {
        index: Arc::new(index),
        base,
    }))
}

/// The kept release with the artifact `wanted`, else the live one, with its index.
fn base(host: &Host, wanted: Option<Digest>) -> Option<Base> {
    let layout = &host.layout;
    let read = |id: ReleaseId, artifact: Digest| {
        let index = Index::decode(&fs::read(releases::index_path(layout, id)).ok()?).ok()?;
        Some(Base {
            id,
            artifact,
            index: Arc::new(index),
        })
    };
    let current = releases::current(layout).ok().flatten();
    let ids = current.into_iter().chain(releases::ids(layout).ok()?);
    for id in ids {
        let Ok(release) = releases::read(layout, id) else {
            continue;
        };
        if wanted.is_none_or(|wanted| wanted == release.artifact)
            && let Some(base) = read(id, release.artifact)
        {
            return Some(base);
        }
    }
    None
}

/// What this host holds: the release that the offer builds on, the others with the newest first,
/// and what an interrupted transfer left. A release that merely failed its proof is a source, too.
fn known(host: &Host, base: Option<&Base>) -> Result<Known, Failure> {
    let layout = &host.layout;
    let mut known = Known::new();
    if let Some(base) = base
        && let Ok(found) = fs::metadata(releases::index_path(layout, base.id))
    {
        known.add(
            layout.release(base.id),
            Arc::clone(&base.index),
            found.modified()?,
        );
    }
    for id in releases::ids(layout)? {
        if base.is_none_or(|base| base.id != id) {
            known.add_stored(layout.release(id), releases::index_path(layout, id));
        }
    }
    for folder in leftovers(host) {
        if let Ok(bytes) = fs::read(folder.join("index"))
            && let Ok(index) = Index::decode(&bytes)
        {
            known.add_leftover(folder.join("tree"), index);
        }
    }
    Ok(known)
}

/// The numbers of contents on the wire.
fn numbers(contents: &[(Digest, u64)]) -> HashMap<Digest, u32> {
    contents
        .iter()
        .zip(0..)
        .map(|((digest, _), number)| (*digest, number))
        .collect()
}

/// The contents that may come as the differences that were offered.
fn bases(
    plan: &mut Assembly,
    offer: &Offer,
    contents: &[(Digest, u64)],
    known: &Known,
) -> HashSet<Digest> {
    if offer.deltas.is_empty() {
        return HashSet::new();
    }
    let missing: HashSet<Digest> = plan.missing().iter().copied().collect();
    offer
        .deltas
        .iter()
        .filter_map(|delta| {
            let (digest, _) = *contents.get(delta.content as usize)?;
            let is_here =
                missing.contains(&digest) && plan.add_base(digest, delta.base, delta.size, known);
            is_here.then_some(digest)
        })
        .collect()
}

/// Bytes that stay free beside what a release needs: headroom for a rollback's logs and journal.
const HEADROOM: u64 = 16 << 20;

/// Inodes that stay free.
const INODE_HEADROOM: u64 = 200;

/// Refuses before anything is written when the file system has no room, after removing what can
/// be done without.
fn make_room(host: &Host, plan: &Assembly) -> Result<(), Failure> {
    let root = host.layout.root();
    let check = || check_room(root, plan.missing_bytes(), plan.names_to_make());
    check().or_else(|_| {
        spare::remove(&host.layout);
        super::tidy::empty_trash(&host.layout);
        check()
    })
}

/// Refuses when the file system of `root` has no room.
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

fn refused(error: crate::artifact::TreeError) -> Failure {
    or_full(Failure::unexpected(error.to_string()))
}

/// While a release is staged a full disk is a refusal (nothing changed), whatever could not be
/// written.
fn or_full(failure: Failure) -> Failure {
    let text = &failure.message;
    let is_full = text.contains("No space left") || text.contains("Disk quota");
    if failure.kind == FailureKind::Unexpected && is_full {
        return Failure::refused(format!("the disk is full: {text}"))
            .hint("free some space, or lower `release.keep`");
    }
    failure
}

/// Makes each shared path of the release a relative link to its place in `shared/`.
fn link_shared(host: &Host, staging: &mut Staging, shared: &[String]) -> Result<(), Failure> {
    for entry in shared {
        let relative = entry.trim_end_matches('/');
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

/// What [`write_own_files`] wrote into the tree at `staging`: files, and the folders that hold them.
fn own_files(staging: &Path) -> io::Result<Vec<PathBuf>> {
    let own = staging.join(".ship");
    let run = own.join("run");
    let mut files = Vec::new();
    for folder in [own, run] {
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
fn records(host: &Host, id: ReleaseId) -> Vec<PathBuf> {
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

/// Removes what earlier transactions left in the staging folder, but for the newest transfer that
/// can be gone on with. Call it under the lock.
pub fn clean(host: &Host) {
    let newest = leftovers(host).into_iter().max_by_key(|folder| {
        let index = fs::metadata(folder.join("index"));
        index.and_then(|found| found.modified()).ok()
    });
    clean_but(host, &newest.unwrap_or_default());
}

/// Interrupted transfers.
fn leftovers(host: &Host) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(host.layout.state_file("staging")) else {
        return Vec::new();
    };
    entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|folder| folder.join("index").is_file() && folder.join("tree").is_dir())
        .collect()
}

/// Moves all but `kept` out of the staging folder; the tidying removes it.
fn clean_but(host: &Host, kept: &Path) {
    let Ok(entries) = fs::read_dir(host.layout.state_file("staging")) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let trash = host.layout.state_file("trash").join(disk::unique());
        if path != kept && fs::rename(&path, trash).is_err() {
            let _ = remove_tree(&path);
        }
    }
}
