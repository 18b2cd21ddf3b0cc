//! What an offer says, and what of it is here.

use std::fs;
use std::io::Read;
use std::sync::Arc;

use foldhash::{HashSet, HashSetExt};

use super::leftover::leftovers;
use crate::agent::host::Host;
use crate::agent::spare::Found;
use crate::agent::{careful, releases};
use crate::artifact::{Assembly, Change, Index, Known};
use crate::model::{Digest, Failure, ReleaseId};
use crate::wire::Offer;

/// An artifact that is known here.
pub(super) struct Base {
    id: ReleaseId,
    pub(super) artifact: Digest,
    pub(super) index: Arc<Index>,
}

/// What an offer says.
pub(super) struct Offered {
    pub(super) index: Arc<Index>,
    /// What it is a change of; else the live release.
    pub(super) base: Option<Base>,
}

/// The largest index that is taken, decompressed, bytes: some millions of files.
const MAX_INDEX: u64 = 512 << 20;

/// Reads the offered index; `None` when what it is a change of is not here. What it is a change of
/// is mostly `at_hand`.
pub(super) fn read_offer(
    host: &Host,
    offer: &Offer,
    bytes: &[u8],
    at_hand: Option<&Found>,
) -> Result<Option<Offered>, Failure> {
    let invalid =
        |why: String| Failure::unexpected(format!("the artifact's index is not valid: {why}"));
    let mut plain = Vec::new();
    zstd::Decoder::new(bytes)
        .and_then(|decoder| decoder.take(MAX_INDEX).read_to_end(&mut plain))
        .map_err(|error| invalid(error.to_string()))?;
    let base = base(host, offer.base, at_hand);
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
fn base(host: &Host, wanted: Option<Digest>, at_hand: Option<&Found>) -> Option<Base> {
    let layout = &host.layout;
    let read = |id: ReleaseId, artifact: Digest| {
        let index = match at_hand {
            Some(found) if found.artifact == artifact => Arc::clone(&found.index),
            _ => {
                let path = releases::index_path(layout, id);
                let stored = careful::read(&path, careful::INDEX).ok()?;
                Arc::new(Index::decode_own(&stored, &artifact).ok()?)
            }
        };
        Some(Base {
            id,
            artifact,
            index,
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
pub(super) fn known(host: &Host, base: Option<&Base>) -> Result<Known, Failure> {
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
    for folder in leftovers(layout) {
        if let Ok(bytes) = careful::read(&folder.join("index"), careful::INDEX)
            && let Ok(index) = Index::decode(&bytes)
        {
            known.add_leftover(folder.join("tree"), index);
        }
    }
    Ok(known)
}

/// The contents that may come as the differences that were offered.
pub(super) fn bases(
    plan: &mut Assembly,
    offer: &Offer,
    index: &Index,
    known: &Known,
) -> HashSet<Digest> {
    if offer.deltas.is_empty() {
        return HashSet::new();
    }
    let contents = index.numbered();
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
