//! A whole release, fetched from a host that has it: spooled into a folder of this machine, from
//! where it travels as a built one does. Its secrets stay in memory.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tokio::sync::mpsc;

use super::context::Context;
use super::link::{HostLink, unasked};
use super::payload::Payload;
use super::runtimes::Runtimes;
use super::vouched;
use crate::artifact::{Assembly, Index, Known, Unpacker, remove_tree};
use crate::model::{Failure, HostName, Release, ReleaseId};
use crate::wire::{Exported, Frame, FromAgent, ToAgent};

/// The largest index that is taken, bytes: some millions of files.
const MAX_INDEX: u64 = 1 << 30;

/// Pieces of content that wait for the disk.
const AHEAD: usize = 16;

/// A release that was fetched; its files are gone when it is dropped.
#[derive(Debug)]
pub(super) struct Fetched {
    /// What travels to other hosts.
    pub(super) payload: Payload,
    /// The release as the host has it.
    pub(super) release: Release,
    _folder: Folder,
}

/// A folder with a tree in it, whose own folders are read-only.
#[derive(Debug)]
struct Folder(TempDir);

impl Folder {
    fn make(scratch: Option<&Path>) -> std::io::Result<Self> {
        match scratch.map(TempDir::new_in) {
            Some(Ok(folder)) => Ok(Self(folder)),
            _ => TempDir::new().map(Self),
        }
    }

    fn tree(&self) -> PathBuf {
        self.0.path().join("tree")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = remove_tree(&self.tree());
    }
}

/// Fetches release `id` from `host`, for hosts of `platforms`, after comparing it with what `others`
/// have of it. Over a connection of its own: a
/// transaction may be under way on the one that stands.
///
/// # Errors
/// When the host cannot be reached, has the release not as it was deployed, or this machine has no
/// room for it; what [`Runtimes::of_release`] says.
pub(super) async fn fetch(
    context: &Context,
    host: &HostName,
    id: ReleaseId,
    platforms: &[&str],
    others: &[HostName],
) -> Result<Fetched, Failure> {
    let fetching = async {
        let mut link = HostLink::connect(&context.quiet(), host.clone(), None, false).await?;
        let request = ToAgent::Export { release: id };
        link.send(&request).await?;
        let exported = match link.answer_to(&request, "export").await? {
            FromAgent::Exported(exported) => *exported,
            other => return Err(unasked(host, &other)),
        };
        vouched::compare(context, host, &exported, others).await?;
        let index = Arc::new(read_index(&mut link, &exported).await?);
        let folder = Folder::make(context.cache.scratch())?;
        read_content(&mut link, Arc::clone(&index), folder.tree()).await?;
        Ok((link.facts.platform.clone(), exported, index, folder))
    };
    let (platform, exported, index, folder) = tokio::select! {
        fetched = fetching => fetched?,
        () = context.interruption() => return Err(Context::interrupted()),
    };
    if let Ok(encoded) = index.encode() {
        let artifact = exported.release.artifact;
        context.cache.keep_index(&artifact, &encoded);
    }
    let release = exported.release.clone();
    let runtimes = Runtimes::of_release(context, &release, &platform, platforms)?;
    let dir = folder.tree();
    Ok(Fetched {
        payload: Payload::exported(context, exported, index, dir, runtimes),
        release,
        _folder: folder,
    })
}

/// Reads data frames up to [`FromAgent::DataEnd`]; `take` gets each.
async fn read_data(
    link: &mut HostLink,
    mut take: impl AsyncFnMut(Vec<u8>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    loop {
        let message = match link.next_frame().await? {
            Frame::Data(bytes) => {
                take(bytes).await?;
                continue;
            }
            message @ Frame::Message(_) => message.parse()?,
        };
        match message {
            FromAgent::DataEnd => return Ok(()),
            FromAgent::Heartbeat => {}
            FromAgent::Failed(failure) => return Err(failure.on(&link.host)),
            other => return Err(unasked(&link.host, &other)),
        }
    }
}

async fn read_index(link: &mut HostLink, exported: &Exported) -> Result<Index, Failure> {
    let too_large = || Failure::unexpected("the release's index is too large");
    let mut packed = Vec::new();
    read_data(link, async |bytes| {
        packed.extend(bytes);
        match packed.len() as u64 > MAX_INDEX {
            true => Err(too_large()),
            false => Ok(()),
        }
    })
    .await?;
    let mut plain = Vec::new();
    let mut decoder = zstd::Decoder::new(&packed[..])?.take(MAX_INDEX);
    decoder.read_to_end(&mut plain)?;
    let index = Index::decode(&plain)?;
    if index.digest() != exported.release.artifact {
        return Err(Failure::unexpected(format!(
            "{}: the index of {} is not that of its artifact",
            link.host, exported.release.id
        )));
    }
    Ok(index)
}

/// Receives the packed content of `index` into the folder `tree`; each content is verified.
async fn read_content(
    link: &mut HostLink,
    index: Arc<Index>,
    tree: PathBuf,
) -> Result<(), Failure> {
    let (pieces, mut coming) = mpsc::channel::<Vec<u8>>(AHEAD);
    let unpacking = tokio::task::spawn_blocking(move || {
        let staging = Assembly::plan(index, &Known::new()).begin(&tree)?;
        let mut unpacker = Unpacker::new(staging)?;
        while let Some(bytes) = coming.blocking_recv() {
            unpacker.push(&bytes)?;
        }
        unpacker.finish()?.finish()
    });
    // Where the disk refuses, the other end of the channel is gone, and it says why.
    let read = read_data(link, async |bytes| {
        let _ = pieces.send(bytes).await;
        Ok(())
    })
    .await;
    drop(pieces);
    let unpacked = unpacking
        .await
        .map_err(|error| Failure::unexpected(error.to_string()))?;
    read?;
    unpacked.map(drop).map_err(|error| {
        Failure::refused(format!(
            "the release cannot be kept on this machine: {error}"
        ))
    })
}
