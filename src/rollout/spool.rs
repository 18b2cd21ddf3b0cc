//! A packed stream that is made once and read by many, each at its own pace: a slow host holds up
//! nobody, and memory stays flat however many there are. It lies in a file without a name. The
//! writer stays only a little ahead of the fastest reader, so that it notices how fast that is.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// How far the writer may be ahead of the fastest reader, bytes.
const AHEAD: u64 = 8 << 20;
/// How far it may be ahead of the first reader's beginning, bytes: what is made in about a second.
const HEAD_START: u64 = 32 << 20;
/// How long a writer that waits does not notice that nobody reads any more.
const MOMENT: Duration = Duration::from_millis(20);

/// Whether the writer begins before it is known whether anybody will read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadStart {
    /// The first reader is there already.
    None,
    /// It may never come.
    Given,
}

/// How far the stream is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Grown {
    /// Bytes in the file.
    written: u64,
    /// Bytes of contents in them, before compression.
    done: u64,
    /// How it ended.
    end: Option<Result<(), Broken>>,
}

/// Why a stream has no end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// A lower-case sentence.
    pub why: String,
    /// Whether this machine could not store it: else what is packed could not be read.
    pub is_unstored: bool,
}

/// The writing end.
#[derive(Debug)]
pub struct SpoolWriter {
    file: Arc<File>,
    grown: Arc<watch::Sender<Grown>>,
    written: u64,
    fastest: Arc<Fastest>,
    /// Whether it could not be written.
    is_unstored: bool,
}

/// How far the fastest reader is.
#[derive(Debug)]
struct Fastest {
    /// Bytes; `None` before the first one has begun.
    offset: Mutex<Option<u64>>,
    moved: Condvar,
}

impl Fastest {
    fn reached(&self, at: u64) {
        let mut offset = self.offset.lock().unwrap_or_else(PoisonError::into_inner);
        if offset.is_none_or(|offset| at > offset) {
            *offset = Some(at);
            self.moved.notify_all();
        }
    }

    /// Waits a moment until `is_enough`; whether it was.
    fn wait_until(&self, is_enough: impl Fn(Option<u64>) -> bool) -> bool {
        let offset = self.offset.lock().unwrap_or_else(PoisonError::into_inner);
        let (offset, _) = self
            .moved
            .wait_timeout_while(offset, MOMENT, |offset| !is_enough(*offset))
            .unwrap_or_else(PoisonError::into_inner);
        is_enough(*offset)
    }
}

/// A reading end; as many as one likes.
#[derive(Debug, Clone)]
pub struct SpoolReader {
    file: Arc<File>,
    grown: watch::Receiver<Grown>,
    offset: u64,
    fastest: Arc<Fastest>,
}

/// A new stream in `folder`, else in the system's folder for temporary files.
///
/// # Errors
/// When no file can be made.
pub fn spool(folder: Option<&Path>, start: HeadStart) -> io::Result<(SpoolWriter, SpoolReader)> {
    let file = match folder.map(tempfile::tempfile_in) {
        Some(Ok(file)) => file,
        _ => tempfile::tempfile()?,
    };
    let file = Arc::new(file);
    let (grown, seen) = watch::channel(Grown::default());
    let fastest = Arc::new(Fastest {
        offset: Mutex::new(match start {
            HeadStart::None => Some(0),
            HeadStart::Given => None,
        }),
        moved: Condvar::new(),
    });
    let reader = SpoolReader {
        file: Arc::clone(&file),
        grown: seen,
        offset: 0,
        fastest: Arc::clone(&fastest),
    };
    let writer = SpoolWriter {
        file,
        grown: Arc::new(grown),
        written: 0,
        fastest,
        is_unstored: false,
    };
    Ok((writer, reader))
}

impl SpoolWriter {
    /// What to tell how many bytes of contents were packed, before compression. At the end of a head
    /// start it waits there, and not in the writing: nobody shall take that for a slow link.
    pub fn progress(&self) -> impl Fn(u64) + use<> {
        let grown = Arc::clone(&self.grown);
        let fastest = Arc::clone(&self.fastest);
        move |done| {
            grown.send_modify(|grown| grown.done = done);
            let written = grown.borrow().written;
            while written > HEAD_START
                && !fastest.wait_until(|offset| offset.is_some())
                && !grown.is_closed()
            {}
        }
    }

    /// The stream has ended: well, or with a reason.
    pub fn end(self, end: Result<(), String>) {
        let is_unstored = self.is_unstored;
        let end = end.map_err(|why| Broken { why, is_unstored });
        self.grown.send_modify(|grown| grown.end = Some(end));
    }
}

impl Write for SpoolWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let least = self.written.saturating_sub(AHEAD);
        let is_near = |offset: Option<u64>| offset.is_none_or(|offset| offset >= least);
        loop {
            // What nobody reads any more is not packed on.
            if self.grown.is_closed() {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            if self.fastest.wait_until(is_near) {
                break;
            }
        }
        if let Err(error) = self.file.write_all_at(bytes, self.written) {
            self.is_unstored = true;
            let why = format!("data on its way cannot be stored on this machine: {error}");
            return Err(io::Error::new(error.kind(), why));
        }
        self.written += bytes.len() as u64;
        let written = self.written;
        self.grown.send_modify(|grown| grown.written = written);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl SpoolReader {
    /// The next bytes, at most `most`, with how many bytes of contents were read with them, more or
    /// less (all of them at the end); `None` after the end. Waits for the writer.
    ///
    /// # Errors
    /// The writer's reason, or that it is gone.
    pub async fn next(&mut self, most: usize) -> Result<Option<(Vec<u8>, u64)>, Broken> {
        let offset = self.offset;
        self.fastest.reached(offset);
        let grown = self
            .grown
            .wait_for(|grown| grown.written > offset || grown.end.is_some())
            .await
            .map(|grown| grown.clone());
        let broken = |why: String| Broken {
            why,
            is_unstored: false,
        };
        let grown = grown.map_err(|_| broken("its packing did not finish".to_owned()))?;
        if grown.written == offset {
            return match grown.end {
                Some(Err(broken)) => Err(broken),
                _ => Ok(None),
            };
        }
        let length = usize::try_from(grown.written - offset).map_or(most, |left| left.min(most));
        let file = Arc::clone(&self.file);
        let read = tokio::task::spawn_blocking(move || {
            let mut bytes = vec![0; length];
            file.read_exact_at(&mut bytes, offset).map(|()| bytes)
        });
        let bytes = read
            .await
            .map_err(|error| broken(error.to_string()))?
            .map_err(|error| broken(error.to_string()))?;
        self.offset += length as u64;
        self.fastest.reached(self.offset);
        let share = u128::from(grown.done) * u128::from(self.offset) / u128::from(grown.written);
        Ok(Some((bytes, u64::try_from(share).unwrap_or(grown.done))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_reader_gets_the_whole_stream_at_its_own_pace() {
        let (mut writer, reader) = spool(None, HeadStart::None).unwrap();
        let late = reader.clone();
        let read = |mut reader: SpoolReader, most| async move {
            let mut all = Vec::new();
            while let Some((bytes, _)) = reader.next(most).await.unwrap() {
                assert!(bytes.len() <= most);
                all.extend(bytes);
            }
            all
        };
        let early = tokio::spawn(read(reader, 3));
        for piece in ["one ", "two ", "three"] {
            writer.write_all(piece.as_bytes()).unwrap();
            tokio::task::yield_now().await;
        }
        writer.end(Ok(()));
        assert_eq!(early.await.unwrap(), b"one two three");
        assert_eq!(read(late, 1000).await, b"one two three");
    }

    #[tokio::test]
    async fn a_head_start_ends_and_what_nobody_reads_is_not_written_on() {
        const PIECE: usize = 1 << 20;
        let (mut writer, mut reader) = spool(None, HeadStart::Given).unwrap();
        let written = writer.grown.subscribe();
        let writing = tokio::task::spawn_blocking(move || {
            let progress = writer.progress();
            let mut pieces = 0;
            loop {
                progress(0);
                if writer.write_all(&[7; PIECE]).is_err() {
                    return pieces;
                }
                pieces += 1;
            }
        });
        let at = |least: u64| {
            let mut written = written.clone();
            async move {
                written
                    .wait_for(|grown| grown.written >= least)
                    .await
                    .unwrap();
            }
        };
        at(HEAD_START + 1).await;
        // It waits for the reader now, who has begun when it asks, and goes on when he is near.
        let bytes = reader.next(PIECE).await.unwrap().unwrap().0;
        assert_eq!(bytes, [7; PIECE]);
        while reader.offset < HEAD_START {
            reader.next(PIECE).await.unwrap();
        }
        at(HEAD_START + AHEAD / 2).await;
        drop((reader, written));
        let pieces = writing.await.unwrap();
        let most = (HEAD_START + 2 * AHEAD) / PIECE as u64;
        assert!(pieces <= most, "{pieces} pieces were written");
    }

    #[tokio::test]
    async fn a_writer_that_fails_or_dies_is_noticed() {
        let (writer, mut reader) = spool(None, HeadStart::None).unwrap();
        let mut other = reader.clone();
        writer.end(Err("a file changed".to_owned()));
        for reader in [&mut reader, &mut other] {
            let broken = reader.next(10).await.unwrap_err();
            assert_eq!(
                (broken.why.as_str(), broken.is_unstored),
                ("a file changed", false)
            );
        }
        let (writer, mut reader) = spool(None, HeadStart::None).unwrap();
        drop(writer);
        assert!(reader.next(10).await.is_err());
    }
}
