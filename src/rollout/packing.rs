//! The packed streams of a payload: what several hosts lack is packed once. Where this machine has
//! brought nothing to the hosts before, they will lack all of it, and it is packed while the
//! connections are being made.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::HashMap;

use super::cache::Cache;
use super::context::Context;
use super::spool::{HeadStart, SpoolReader, spool};
use crate::artifact::{Index, Level, Parcel, Way, pack};
use crate::model::{Digest, Failure};
use crate::wire::Need;

/// Packs the contents of a tree.
#[derive(Debug)]
pub struct Packing {
    dir: PathBuf,
    index: Arc<Index>,
    cache: Cache,
    level: Level,
    streams: Mutex<Streams>,
}

#[derive(Debug, Default)]
struct Streams {
    /// By what was asked for.
    asked: HashMap<String, SpoolReader>,
    /// All of it, which nobody has asked for yet.
    ahead: Option<(String, SpoolReader)>,
}

impl Packing {
    /// Packs contents of the tree `index` at `dir`, as hard as the slowest of the environment's links
    /// makes worth it, as far as they are known.
    #[must_use]
    pub fn of(context: &Context, dir: &Path, index: &Arc<Index>) -> Self {
        let rate = context.remembered().filter_map(|host| host.rate).min();
        Self {
            dir: dir.to_owned(),
            index: Arc::clone(index),
            cache: context.cache.clone(),
            level: rate.map_or_else(Level::default, Level::for_rate),
            streams: Mutex::default(),
        }
    }

    /// Begins to pack all of it, for hosts that will be asked later what they lack. What is `held`
    /// is not read again.
    ///
    /// # Errors
    /// When no file can be made for it.
    pub fn begin_ahead(&self, held: &HashMap<Digest, Arc<Vec<u8>>>) -> Result<(), Failure> {
        let contents = self.index.contents();
        if contents.is_empty() {
            return Ok(());
        }
        let wanted = contents.iter().map(|(digest, _)| *digest).collect();
        let all = Need {
            missing: self.index.runs(&wanted),
            ..Need::default()
        };
        let parcels = contents.into_iter().map(|(digest, _)| {
            let held = held.get(&digest).cloned();
            let way = held.map_or(Way::Whole, Way::Held);
            Parcel { digest, way }
        });
        let reader = self.begin(parcels.collect(), HeadStart::Given)?;
        self.streams().ahead = Some((asked_for(&all)?, reader));
        Ok(())
    }

    /// What was packed ahead is not wanted.
    pub fn end_ahead(&self) {
        self.streams().ahead = None;
    }

    /// Nobody asks for anything any more.
    pub fn end(&self) {
        *self.streams() = Streams::default();
    }

    /// The stream of `parcels`, which is what `need` asks for; `None` when that is nothing.
    ///
    /// # Errors
    /// When no file can be made for it.
    pub fn stream(
        &self,
        need: &Need,
        parcels: Vec<Parcel>,
    ) -> Result<Option<SpoolReader>, Failure> {
        let key = asked_for(need)?;
        let mut streams = self.streams();
        // All of it is lacked, or that was a mistake.
        if let Some((all, reader)) = streams.ahead.take()
            && all == key
        {
            streams.asked.insert(all, reader);
        }
        if parcels.is_empty() {
            return Ok(None);
        }
        if let Some(reader) = streams.asked.get(&key) {
            return Ok(Some(reader.clone()));
        }
        let reader = self.begin(parcels, HeadStart::None)?;
        streams.asked.insert(key, reader.clone());
        Ok(Some(reader))
    }

    fn begin(&self, parcels: Vec<Parcel>, start: HeadStart) -> io::Result<SpoolReader> {
        let (mut writer, reader) = spool(self.cache.scratch(), start)?;
        let (dir, index, level) = (self.dir.clone(), Arc::clone(&self.index), self.level);
        tokio::task::spawn_blocking(move || {
            let mut progress = writer.progress();
            let packed = pack(&dir, &index, &parcels, level, &mut writer, &mut progress);
            writer.end(packed.map(drop).map_err(|error| error.to_string()));
        });
        Ok(reader)
    }

    fn streams(&self) -> std::sync::MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What tells one stream from another.
fn asked_for(need: &Need) -> Result<String, Failure> {
    let content = (&need.missing, &need.deltas, &need.chunks);
    serde_json::to_string(&content).map_err(|error| Failure::unexpected(error.to_string()))
}

#[cfg(test)]
mod tests {
    use foldhash::HashMapExt;

    use super::*;
    use crate::artifact::{NoCache, scan, select};

    /// Of a project with two files.
    fn packing(dir: &Path) -> Packing {
        for name in ["a", "b"] {
            std::fs::write(dir.join(name), name).unwrap();
        }
        let selection = select(dir, &["a".to_owned(), "b".to_owned()], &[]).unwrap();
        Packing {
            dir: dir.to_owned(),
            index: Arc::new(scan(dir, &selection, &NoCache).unwrap()),
            cache: Cache::default(),
            level: Level::default(),
            streams: Mutex::default(),
        }
    }

    /// A host lacks `count` contents from `first` on.
    fn lacks(packing: &Packing, first: u32, count: u32) -> Option<SpoolReader> {
        let need = Need {
            missing: vec![(first, count)],
            ..Need::default()
        };
        let contents = packing.index.contents().into_iter();
        let parcels = contents.map(|(digest, _)| Parcel {
            digest,
            way: Way::Whole,
        });
        let parcels = parcels.skip(first as usize).take(count as usize);
        packing.stream(&need, parcels.collect()).unwrap()
    }

    async fn read(mut reader: SpoolReader) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some((bytes, _)) = reader.next(1000).await.unwrap() {
            all.extend(bytes);
        }
        zstd::decode_all(&all[..]).unwrap()
    }

    #[tokio::test]
    async fn a_file_that_changes_meanwhile_is_not_sent_as_what_was_packed_ahead() {
        let dir = tempfile::tempdir().unwrap();
        let packing = packing(dir.path());
        std::fs::write(dir.path().join("b"), "B").unwrap();
        packing.begin_ahead(&HashMap::new()).unwrap();
        let mut reader = lacks(&packing, 0, 2).unwrap();
        let failed = loop {
            match reader.next(1000).await {
                Ok(Some(_)) => {}
                other => break other.unwrap_err(),
            }
        };
        assert!(
            failed.why.contains("it changed after it was scanned"),
            "{failed:?}"
        );
    }

    #[tokio::test]
    async fn what_was_packed_ahead_is_read_by_all_who_lack_all_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let packing = packing(dir.path());
        packing.begin_ahead(&HashMap::new()).unwrap();
        let one = lacks(&packing, 0, 2).unwrap();
        let other = lacks(&packing, 0, 2).unwrap();
        assert_eq!(read(one).await, b"\0\0\0\0\0a\0\x01\0\0\0b");
        // It was packed once: the files are not needed any more.
        std::fs::remove_file(dir.path().join("a")).unwrap();
        assert_eq!(read(other).await.len(), 12);
    }

    #[tokio::test]
    async fn what_is_in_memory_is_not_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let packing = packing(dir.path());
        std::fs::remove_file(dir.path().join("a")).unwrap();
        let held = [(Digest::of(b"a"), Arc::new(b"a".to_vec()))]
            .into_iter()
            .collect();
        packing.begin_ahead(&held).unwrap();
        let all = lacks(&packing, 0, 2).unwrap();
        assert_eq!(read(all).await, b"\0\0\0\0\0a\0\x01\0\0\0b");
    }

    #[tokio::test]
    async fn what_was_packed_ahead_is_dropped_when_less_is_lacked() {
        let dir = tempfile::tempdir().unwrap();
        let packing = packing(dir.path());
        packing.begin_ahead(&HashMap::new()).unwrap();
        assert!(lacks(&packing, 0, 0).is_none() && packing.streams().ahead.is_none());
        packing.begin_ahead(&HashMap::new()).unwrap();
        let one = lacks(&packing, 1, 1).unwrap();
        assert!(packing.streams().ahead.is_none());
        assert_eq!(read(one).await, b"\0\x01\0\0\0b");
    }
}
