//! Large changed files as differences to what they were, where the controller still has that: begun
//! while the hosts are being contacted, used when a host turns out to have the same.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use foldhash::HashSet;
use tokio::sync::watch;

use super::context::Context;
use crate::artifact::delta::{self, Encoded, Mode, Options};
use crate::artifact::{CHUNKED_FROM, Change, Index, Kind, TreePath, ancestor};
use crate::model::Digest;

/// At most so many files at once, the largest first.
const MOST: usize = 16;
/// A longer difference is not worth its memory, bytes.
const MAX_DELTA: u64 = 32 << 20;
/// A link of which nothing is known is taken for this fast, bytes per second.
const USUAL_RATE: u64 = 12_000_000;
/// A difference may take this long in any case: as long as a connection, which is waited for too.
const LEAST_TIME: Duration = Duration::from_millis(400);

/// A difference; `None` when it is not worth it.
type Result = Option<Arc<Vec<u8>>>;

/// The differences of a deploy.
#[derive(Debug, Default)]
pub struct Deltas(Vec<Delta>);

/// A difference that is, or is being, worked out.
#[derive(Debug)]
pub struct Delta {
    /// Of which content.
    pub content: Digest,
    /// To which.
    pub base: Digest,
    /// The length of that, bytes.
    pub base_size: u64,
    result: watch::Receiver<Option<Result>>,
}

/// One to work out.
struct Job {
    new: PathBuf,
    old: PathBuf,
    size: u64,
    result: watch::Sender<Option<Result>>,
}

impl Deltas {
    /// Begins with the differences of the tree `index` at `dir` to what was brought to the
    /// environment's hosts last, as far as that is remembered.
    pub fn start(context: &Context, dir: &Path, index: &Index) -> Self {
        let remembered: Vec<_> = context.remembered().collect();
        let rate = remembered.iter().filter_map(|host| host.rate).min();
        let rate = rate.unwrap_or(USUAL_RATE).max(1);
        let Some(artifact) = remembered.iter().find_map(|host| host.artifact) else {
            return Self::default();
        };
        let Some(before) = context.cache.index(&artifact) else {
            return Self::default();
        };
        let (mut deltas, mut jobs) = (Vec::new(), Vec::new());
        for (path, digest, size) in changed(&before, index).into_iter().take(MOST) {
            let Some(old) = ancestor(&before, &path, size, CHUNKED_FROM) else {
                continue;
            };
            let Some(held) = context.cache.content(&old.digest) else {
                continue;
            };
            let (sender, result) = watch::channel(None);
            deltas.push(Delta {
                content: digest,
                base: old.digest,
                base_size: old.size,
                result,
            });
            jobs.push(Job {
                new: path.below(dir),
                old: held,
                size,
                result: sender,
            });
        }
        if !jobs.is_empty() {
            tokio::task::spawn_blocking(move || jobs.into_iter().for_each(|job| job.run(rate)));
        }
        Self(deltas)
    }

    /// Those that may be offered, and the contents that turned out not to be worth it.
    #[must_use]
    pub fn offered(&self) -> (Vec<&Delta>, Vec<Digest>) {
        let (mut offered, mut whole) = (Vec::new(), Vec::new());
        for delta in &self.0 {
            match *delta.result.borrow() {
                Some(None) => whole.push(delta.content),
                Some(Some(_)) | None => offered.push(delta),
            }
        }
        (offered, whole)
    }

    /// The difference of `content` and what it is to, waiting for it; `None` when there is none.
    pub async fn get(&self, content: &Digest) -> Option<(Digest, Arc<Vec<u8>>)> {
        let delta = self.0.iter().find(|delta| delta.content == *content)?;
        let mut result = delta.result.clone();
        let done = result.wait_for(Option::is_some).await.ok()?.clone();
        Some((delta.base, done.flatten()?))
    }
}

/// Large contents of `index` that `before` has not, the largest first.
fn changed(before: &Index, index: &Index) -> Vec<(TreePath, Digest, u64)> {
    let held: HashSet<Digest> = before.files().map(|(_, digest, ..)| digest).collect();
    let mut seen = held;
    let mut changed: Vec<_> = Change::between(before, index)
        .set()
        .iter()
        .filter_map(|entry| match entry.kind {
            Kind::File { digest, size, .. } if size >= CHUNKED_FROM => seen
                .insert(digest)
                .then(|| (entry.path.clone(), digest, size)),
            _ => None,
        })
        .collect();
    changed.sort_by_key(|(_, _, size)| std::cmp::Reverse(*size));
    changed
}

impl Job {
    /// `rate` is how many bytes per second the link takes.
    fn run(self, rate: u64) {
        let encoded = self.encode(rate).ok().flatten();
        self.result.send_replace(Some(encoded.map(Arc::new)));
    }

    fn encode(&self, rate: u64) -> io::Result<Option<Vec<u8>>> {
        let began = Instant::now();
        // Longer than sending the file it must not take.
        let time = Duration::from_millis(self.size / (rate / 1000 + 1)).max(LEAST_TIME);
        let mut encoded = Vec::new();
        let options = Options {
            mode: Mode::Full,
            max_bytes: (self.size / 2).min(MAX_DELTA),
            // Or nobody waits any more.
            stop: &|| self.result.is_closed() || began.elapsed() > time,
        };
        let (old, new) = (File::open(&self.old)?, File::open(&self.new)?);
        Ok(match delta::encode(&old, &new, &mut encoded, &options)? {
            Encoded::Whole { .. } => Some(encoded),
            Encoded::GaveUp(_) => None,
        })
    }
}
