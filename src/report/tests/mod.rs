//! The whole output of whole commands, in every mode.

mod events_doc;
mod inert;
mod narrow;
mod patience;
mod sample;
mod say;
mod scenes;
mod whole;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::model::Event;

use super::clock::Clock;
use super::output::Output;
use super::{Mode, Options, Reporter};

/// Events with the time of each, in milliseconds since the beginning.
type Tape = Vec<(u64, Event)>;

/// Keeps the exact bytes.
#[derive(Debug, Default)]
struct Capture {
    stdout: Mutex<Vec<u8>>,
    stderr: Mutex<Vec<u8>>,
    drawn: Mutex<Vec<u8>>,
}

impl Output for Capture {
    fn talk(&self, bytes: &[u8]) {
        self.stderr.lock().unwrap().extend_from_slice(bytes);
    }

    fn data(&self, bytes: &[u8]) {
        self.stdout.lock().unwrap().extend_from_slice(bytes);
    }

    fn draw(&self, bytes: &[u8]) {
        self.drawn.lock().unwrap().extend_from_slice(bytes);
    }

    fn size(&self) -> (u16, u16) {
        (80, 24)
    }

    fn data_columns(&self) -> u16 {
        0
    }
}

/// What came out.
struct Seen {
    stdout: String,
    stderr: String,
    drawn: String,
}

/// Plays a tape; every second of it the ticker ticks.
fn play(mode: Mode, options: Options, tape: Tape) -> Seen {
    let capture = Arc::new(Capture::default());
    let ms = Arc::new(AtomicU64::new(0));
    let output = Arc::clone(&capture) as Arc<dyn Output>;
    let clock = Clock::Set(Arc::clone(&ms));
    let token = || "0123456789abcdef0123456789abcdef".to_owned();
    let (sink, reporter) = Reporter::with(mode, options, output, clock, token);
    for (at, event) in tape {
        loop {
            let now = ms.load(Ordering::Relaxed);
            let next = (now / 1_000 + 1) * 1_000;
            if next > at {
                break;
            }
            ms.store(next, Ordering::Relaxed);
            reporter.tick();
        }
        ms.store(at, Ordering::Relaxed);
        sink.emit(event);
    }
    reporter.finish();
    let text = |bytes: &Mutex<Vec<u8>>| String::from_utf8(bytes.lock().unwrap().clone()).unwrap();
    Seen {
        stdout: text(&capture.stdout),
        stderr: text(&capture.stderr),
        drawn: text(&capture.drawn),
    }
}

impl Seen {
    /// Both streams, with control characters made visible.
    fn whole(&self) -> String {
        let visible = |text: &str| text.replace('\x1b', "␛").replace('\r', "␍");
        format!(
            "-- stdout --\n{}-- stderr --\n{}",
            visible(&self.stdout),
            visible(&self.stderr)
        )
    }
}
