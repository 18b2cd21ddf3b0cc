//! The reporter: one lock, one consumer behind it, one thread that lets time pass.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::model::Event;
use crate::model::event::Sink;

use super::clock::Clock;
use super::json;
use super::mode::{Mode, Options, Verbosity};
use super::output::{Output, Standard};
use super::paint::Paint;
use super::person::Person;
use super::screen::Screen;
use super::talk::{Dialect, Talk, random_token};

/// Holds the screen and the ticker. Keep it until the command has ended; dropping it takes what
/// is drawn off the screen.
pub struct Reporter {
    shared: Arc<Shared>,
    ticker: Option<JoinHandle<()>>,
}

struct Shared {
    output: Arc<dyn Output>,
    json: bool,
    /// Whether programs are told of round trips too (`-v`).
    trips: bool,
    person: Mutex<Person>,
    ended: Mutex<bool>,
    end: Condvar,
}

impl Shared {
    /// A consumer that panicked once goes on: the next event is as good as any.
    fn person(&self) -> MutexGuard<'_, Person> {
        self.person.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn event(&self, event: Event) {
        let mut person = self.person();
        if !self.json {
            person.event(event);
            return;
        }
        if matches!(event, Event::RoundTrip { .. }) && !self.trips {
            return;
        }
        let line = format!("{}\n", json::line(&event));
        self.output.data(line.as_bytes());
        if matches!(event, Event::Failed { .. }) {
            person.event(event);
        } else {
            person.overhear(&event);
        }
    }
}

impl Reporter {
    /// Starts a reporter on stdout and stderr: the sink takes events from any thread, the
    /// reporter itself writes data and ends it all.
    #[must_use]
    pub fn new(mode: Mode, options: Options) -> (Sink, Self) {
        let output = Arc::new(Standard::default());
        let (sink, mut reporter) = Self::with(mode, options, output, Clock::real(), random_token);
        let interval = match mode {
            Mode::Live => Some(Duration::from_millis(100)),
            Mode::Plain | Mode::GitHub | Mode::GitLab => Some(Duration::from_secs(1)),
            Mode::Json => None,
        };
        reporter.ticker = interval.and_then(|interval| reporter.start_ticker(interval));
        (sink, reporter)
    }

    /// A reporter whose output, time and tokens are given, and whose time passes by
    /// [`Reporter::tick`] only.
    pub(super) fn with(
        mode: Mode,
        options: Options,
        output: Arc<dyn Output>,
        clock: Clock,
        token: fn() -> String,
    ) -> (Sink, Self) {
        let json = mode == Mode::Json;
        let paint = Paint { on: options.colour };
        let dialect = match mode {
            Mode::GitHub => Dialect::GitHub,
            Mode::GitLab => Dialect::GitLab,
            Mode::Live | Mode::Plain | Mode::Json => Dialect::Plain,
        };
        let verbosity = if json {
            Verbosity::Quiet
        } else {
            options.verbosity
        };
        let screen = (mode == Mode::Live && verbosity != Verbosity::Quiet)
            .then(|| Screen::new(Arc::clone(&output), paint, options.width));
        let talk = Talk::new(Arc::clone(&output), dialect, paint, clock, token);
        let shared = Arc::new(Shared {
            output,
            json,
            trips: options.verbosity == Verbosity::Verbose,
            person: Mutex::new(Person::new(talk, verbosity, screen)),
            ended: Mutex::new(false),
            end: Condvar::new(),
        });
        let consumer = Arc::clone(&shared);
        let sink = Sink::new(move |event| consumer.event(event));
        let reporter = Self {
            shared,
            ticker: None,
        };
        (sink, reporter)
    }

    /// Writes data, such as a table that was asked for, to stdout. Whole lines.
    pub fn data(&self, text: &str) {
        self.shared.person().data(text);
    }

    /// Leaves the terminal to `ask`, which may prompt. Events meanwhile are told, not drawn.
    pub fn suspend<R>(&self, ask: impl FnOnce() -> R) -> R {
        self.shared.person().pause();
        let answer = ask();
        self.shared.person().resume();
        answer
    }

    /// Lets the reporter notice that time passed.
    #[cfg(test)]
    pub(super) fn tick(&self) {
        self.shared.person().tick();
    }

    /// Stops the ticker and clears what is drawn. What is emitted later is still told.
    pub fn finish(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let mut ended = self
            .shared
            .ended
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *ended = true;
        drop(ended);
        self.shared.end.notify_all();
        if let Some(ticker) = self.ticker.take() {
            // A ticker that panicked has ended too.
            let _ = ticker.join();
        }
        self.shared.person().pause();
    }

    /// Without a thread to be had there is less to see, and nothing else changes.
    fn start_ticker(&self, interval: Duration) -> Option<JoinHandle<()>> {
        let shared = Arc::clone(&self.shared);
        let tick = move || {
            let mut ended = shared.ended.lock().unwrap_or_else(PoisonError::into_inner);
            while !*ended {
                ended = match shared.end.wait_timeout(ended, interval) {
                    Ok((ended, _)) => ended,
                    Err(poisoned) => poisoned.into_inner().0,
                };
                if !*ended {
                    shared.person().tick();
                }
            }
        };
        std::thread::Builder::new()
            .name("reporter".to_owned())
            .spawn(tick)
            .ok()
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reporter")
    }
}
