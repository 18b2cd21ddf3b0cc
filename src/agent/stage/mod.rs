//! Staging: the whole release, verified, beside the live one. Nothing that runs is touched.

mod leftover;
mod offer;
mod own;
mod room;
mod stored;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use foldhash::{HashSet, HashSetExt};

use super::host::Host;
use super::spare::Ahead;
use super::{disk, releases};
use crate::artifact::{
    Assembly, Index, Known, Spare, Staging, TreePath, Unpacker, remove_tree, sync_each,
};
use crate::model::{Digest, Failure};
use crate::wire::{Need, Offer, Publish};

use leftover::clean_but;
use offer::{Offered, bases, known, read_offer};
use own::{READ_ONLY, link_shared, own_files, records};
use room::{make_room, refused};
use stored::StoredIndex;

pub use leftover::{clean, give_up, unstage};
pub(in crate::agent) use own::OwnFiles;
pub use room::{Room, or_full};

/// A tree on its way to become a release.
#[derive(Debug)]
pub struct Stage {
    index: Arc<Index>,
    /// Where the index is on its way to the disk.
    stored: Option<StoredIndex>,
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

/// So many chunks are told at most: some 8 GB of them, in a message of 6 MB.
const MOST_CHUNKS: usize = 200_000;

/// What a transfer that was cut leaves is worth keeping from this size on, bytes.
const WORTH_KEEPING: u64 = 1 << 20;

impl Stage {
    /// Begins a tree for `offer`, whose encoded index (under zstd) is `bytes`, from what the host
    /// has, `ahead` first; the second value is what must travel. `None` when the index is a change
    /// of an artifact that is not here. `beside` is what the release takes besides its tree.
    ///
    /// # Errors
    /// When the index is not valid, the disk has no room, or the file system refuses.
    pub fn begin(
        host: &Host,
        offer: &Offer,
        bytes: &[u8],
        beside: Room,
        ahead: &mut Option<Ahead>,
    ) -> Result<Option<(Self, Need)>, Failure> {
        Self::begin_tree(host, offer, bytes, beside, ahead).map_err(or_full)
    }

    fn begin_tree(
        host: &Host,
        offer: &Offer,
        bytes: &[u8],
        beside: Room,
        ahead: &mut Option<Ahead>,
    ) -> Result<Option<(Self, Need)>, Failure> {
        let at_hand = ahead.as_ref().map(Ahead::found);
        let Some(Offered { index, base }) = read_offer(host, offer, bytes, at_hand)? else {
            return Ok(None);
        };
        let stored = StoredIndex::begin(&index, &host.layout.state_file("staging"));
        let known = known(host, base.as_ref())?;
        let attempt = |ahead: Option<Ahead>| -> Result<_, Failure> {
            let stage = Self {
                index: Arc::clone(&index),
                stored: None,
                folder: host.layout.state_file("staging").join(disk::unique()),
                progress: Progress::Broken,
            };
            let spare = ahead.and_then(|ahead| ahead.take(&host.layout, &stage.folder));
            let is_new = spare.is_none();
            let mut plan = stage.plan(spare, &known);
            let deltas = bases(&mut plan, offer, &index, &known);
            make_room(host, &plan, beside)?;
            // Not before: on a disk without a block left, how much is needed would not be said.
            if is_new {
                let folder = &stage.folder;
                fs::create_dir(folder).map_err(|error| disk::named(error, folder))?;
            }
            let reused = index.bytes().saturating_sub(plan.missing_bytes());
            let tree = stage.folder.join("tree");
            let mut staging = plan.begin(&tree).map_err(refused)?;
            staging.sync_early();
            Ok((stage, staging, deltas, reused))
        };
        let (mut stage, staging, deltas, reused) = match attempt(ahead.take()) {
            // A spare that is not what it should be is nobody's loss.
            Err(failure) if !failure.cause.is_full() => attempt(None)?,
            result => result?,
        };
        stage.stored = Some(stored);
        stage.keep_index(staging.missing_bytes())?;
        let whole = match offer.whole.is_empty() {
            true => HashSet::new(),
            false => {
                let contents = index.numbered();
                let whole = offer.whole.iter();
                let whole = whole.filter_map(|at| contents.get(*at as usize));
                whole.map(|(digest, _)| *digest).collect()
            }
        };
        let mut need = stage.receive(staging, &deltas, &whole)?;
        need.reused = reused;
        Ok(Some((stage, need)))
    }

    /// Plans the tree as a change of `spare`, which lies in the folder; else as a new one.
    fn plan(&self, spare: Option<(Spare, HashSet<TreePath>)>, known: &Known) -> Assembly {
        let index = Arc::clone(&self.index);
        if let Some((spare, damaged)) = spare {
            let _ = fs::remove_file(self.folder.join("index"));
            return Assembly::plan_over(index, &spare, &damaged, known);
        }
        Assembly::plan(index, known)
    }

    /// Beside a large transfer lies its index, so that the next one can go on where it was cut.
    fn keep_index(&self, missing: u64) -> Result<(), Failure> {
        if missing < WORTH_KEEPING {
            return Ok(());
        }
        let bytes = encoded(&self.index)?;
        let path = self.folder.join("index");
        Ok(disk::write_private(&path, &bytes)?)
    }

    /// Waits for what `staging` misses; what that is. Of what comes neither as one of `deltas` nor
    /// `whole` the chunks that are here are told, and of what an interrupted transfer began: then
    /// there are many, and a difference that was offered may come to nothing.
    fn receive(
        &mut self,
        staging: Staging,
        deltas: &HashSet<Digest>,
        whole: &HashSet<Digest>,
    ) -> Result<Need, Failure> {
        let missing = staging.missing();
        if missing.is_empty() {
            self.progress = Progress::Complete(Box::new(staging));
            return Ok(Need::default());
        }
        let wanted: HashSet<Digest> = missing.iter().copied().collect();
        let numbers = self.index.numbers(&wanted);
        let mut need = Need {
            missing: self.index.runs(&wanted),
            ..Need::default()
        };
        let begun = missing.iter().filter(|digest| staging.is_begun(digest));
        let begun: HashSet<Digest> = begun.copied().collect();
        let mut unpacker = Unpacker::new(staging).map_err(refused)?;
        let mut room = MOST_CHUNKS;
        for digest in missing {
            let Some(&number) = numbers.get(&digest) else {
                continue;
            };
            let is_delta = deltas.contains(&digest);
            if is_delta {
                need.deltas.push(number);
            }
            let is_chunked = begun.contains(&digest) || !(is_delta || whole.contains(&digest));
            if is_chunked && room > 0 {
                let mut chunks = unpacker.chunks(&digest);
                chunks.truncate(room);
                room -= chunks.len();
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
            let none = HashSet::new();
            let need = self.receive(*staging, &none, &none)?;
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
        OwnFiles::write(host, publish)?.place(staging.path())?;
        let assembled = staging.finish().map_err(refused)?;
        let path = assembled.path().to_owned();
        let published = (|| {
            assembled
                .sync(&own_files(&path.join(".ship"))?)
                .map_err(refused)?;
            may_publish()?;
            let stored = self.stored.take();
            let stored = stored.ok_or_else(|| Failure::unexpected("the index was not kept"))?;
            stored.publish(&releases::index_path(layout, release.id))?;
            releases::stage_number(layout, release.id)?;
            sync_each(&records(host, release.id)).map_err(refused)?;
            fs::rename(&path, &target).map_err(|error| disk::named(error, &target))?;
            // Not before: rename(2) of a folder to another place needs the right to write to it.
            fs::set_permissions(&target, fs::Permissions::from_mode(READ_ONLY))
                .map_err(|error| disk::named(error, &target))?;
            disk::sync_folder(&layout.releases())?;
            Ok(None)
        })();
        match &published {
            Ok(_) => clean_but(layout, &self.folder),
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
