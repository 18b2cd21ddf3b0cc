//! How hard a stream is compressed: as hard as costs no time.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use zstd::stream::raw::CParameter;
use zstd::stream::write::Encoder;

/// Both ends keep so much of the stream in memory: 2^24 bytes.
pub(super) const WINDOW_LOG: u32 = 24;

/// After so many bytes the level is looked at again.
const FRAME: usize = 1 << WINDOW_LOG;

/// The levels of zstd that are used, from the quickest to the strongest; each costs up to twice
/// the time of the one before. Quicker ones than 1 save no time, and make more bytes.
const LEVELS: [i32; 5] = [1, 3, 6, 9, 12];

/// Up to here each [`FRAME`] is a frame of zstd, which forgets what was before it, and there is no
/// search far back. In a window that has wrapped around zstd looks in two places: of `node_modules`,
/// that makes 2 % fewer bytes, in up to a quarter more time. A search far back would make a
/// thirtieth fewer, in a fifth more: what is alike is together already.
const QUICK: usize = 1;

/// How much level 1 remembers (`HashLog`): as much as 3 does, of which it makes 4 % more bytes then, in
/// five sixths of the time. By itself it makes 28 % more, in three quarters.
const HASH_LOG: u32 = 17;

/// How hard a stream is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level(usize);

impl Default for Level {
    /// For a link of which nothing is known: the quickest. It gets stronger while the link is
    /// waited for.
    fn default() -> Self {
        Self(0)
    }
}

impl Level {
    /// For a link of `rate` bytes per second: the strongest whose compressor is not slower than
    /// the link, on a core like today's.
    #[must_use]
    pub fn for_rate(rate: u64) -> Self {
        Self(match rate {
            0..3_000_000 => 4,
            3_000_000..8_000_000 => 3,
            8_000_000..20_000_000 => 2,
            20_000_000..30_000_000 => 1,
            _ => 0,
        })
    }

    /// The next one, given how long a frame took and how much of that the link was waited for.
    fn after(self, waited: Duration, took: Duration) -> Self {
        let share = waited.as_secs_f64() / took.as_secs_f64().max(1e-9);
        if share > 0.6 {
            Self((self.0 + 1).min(LEVELS.len() - 1))
        } else if share < 0.05 {
            Self(self.0.saturating_sub(1))
        } else {
            self
        }
    }
}

/// A compressed stream whose level follows the sink.
pub(super) struct Leveled<'a> {
    encoder: Option<Encoder<'static, Timed<'a>>>,
    level: Level,
    since: Instant,
    taken: usize,
}

impl<'a> Leveled<'a> {
    pub(super) fn new(sink: &'a mut dyn Write, level: Level) -> io::Result<Self> {
        let sink = Timed {
            sink,
            waited: Duration::ZERO,
        };
        Ok(Self {
            encoder: Some(frame(sink, level)?),
            level,
            since: Instant::now(),
            taken: 0,
        })
    }

    /// After [`FRAME`] bytes.
    fn next_frame(&mut self) -> io::Result<()> {
        let Some(encoder) = self.encoder.take() else {
            return Ok(());
        };
        let waited = encoder.get_ref().waited;
        let level = self.level.after(waited, self.since.elapsed());
        self.taken = 0;
        self.since = Instant::now();
        let goes_on = level == self.level && level.0 > QUICK;
        self.level = level;
        self.encoder = Some(if goes_on {
            let mut encoder = encoder;
            encoder.get_mut().waited = Duration::ZERO;
            encoder
        } else {
            let mut sink = encoder.finish()?;
            sink.waited = Duration::ZERO;
            frame(sink, level)?
        });
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        match self.encoder.take() {
            Some(encoder) => encoder.finish()?.flush(),
            None => Ok(()),
        }
    }
}

fn frame(sink: Timed<'_>, level: Level) -> io::Result<Encoder<'static, Timed<'_>>> {
    let mut encoder = Encoder::new(sink, LEVELS[level.0])?;
    encoder.set_parameter(CParameter::WindowLog(WINDOW_LOG))?;
    if level == Level::default() {
        encoder.set_parameter(CParameter::HashLog(HASH_LOG))?;
    }
    if level.0 > QUICK {
        // A bundle and its source map; a package that is there twice under other names.
        encoder.set_parameter(CParameter::EnableLongDistanceMatching(true))?;
    }
    Ok(encoder)
}

impl Write for Leveled<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.taken == FRAME {
            self.next_frame()?;
        }
        let Some(encoder) = &mut self.encoder else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let room = FRAME - self.taken;
        let taken = encoder.write(&bytes[..bytes.len().min(room)])?;
        self.taken += taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.encoder.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// A sink that knows how long it was waited for.
struct Timed<'a> {
    sink: &'a mut dyn Write,
    waited: Duration,
}

impl Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let since = Instant::now();
        let result = self.sink.write(bytes);
        self.waited += since.elapsed();
        result
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
