//! The reporter: one lock, one consumer behind it, one thread that lets time pass.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::model::event::Sink;
use crate::model::{Event, Redactor, Texts};

use super::clock::Clock;
use super::json;
use super::mode::{Mode, Options, Verbosity};
use super::output::{Output, Standard};
use super::paint::Paint;
use super::person::Person;
use super::screen::Screen;
use super::scrub::inert;
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
    /// See [`Options::columns`].
    columns: Option<usize>,
    /// Whether programs are told of round trips too (`-v`).
    is_verbose: bool,
    /// Masks the secrets that this process knows, in all that is said.
    redactor: Mutex<Redactor>,
    person: Mutex<Person>,
    ended: Mutex<bool>,
    end: Condvar,
}

impl Shared {
    /// A consumer that panicked once goes on: the next event is as good as any.
    fn person(&self) -> MutexGuard<'_, Person> {
        self.person.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn redactor(&self) -> Redactor {
        let redactor = self.redactor.lock();
        redactor.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn event(&self, mut event: Event) {
        self.redactor().mask_all(&mut event);
        let mut person = self.person();
        if !self.json {
            person.event(event);
            return;
        }
        if matches!(event, Event::RoundTrip { .. } | Event::Planned { .. }) && !self.is_verbose {
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
        let mut talk = Talk::new(Arc::clone(&output), dialect, paint, clock, token);
        talk.columns = options
            .columns
            .filter(|_| dialect == Dialect::Plain && !json);
        talk.is_live = mode == Mode::Live;
        let shared = Arc::new(Shared {
            output,
            json,
            columns: options.columns,
            is_verbose: options.verbosity == Verbosity::Verbose,
            redactor: Mutex::default(),
            person: Mutex::new(Person::new(talk, verbosity, screen)),
            ended: Mutex::new(false),
            end: Condvar::new(),
        });
        let consumer = Arc::clone(&shared);
        let sink = Sink::new(move |event| consumer.event(event.clone()));
        let reporter = Self {
            shared,
            ticker: None,
        };
        (sink, reporter)
    }

    /// From now on masks what `redactor` knows, in all that is said.
    pub fn know(&self, redactor: Redactor) {
        let mut known = self.shared.redactor.lock();
        let known = known.as_mut();
        match known {
            Ok(known) => **known = redactor,
            Err(poisoned) => **poisoned.get_mut() = redactor,
        }
    }

    /// What masks the secrets that this process knows.
    #[must_use]
    pub fn redactor(&self) -> Redactor {
        self.shared.redactor()
    }

    /// An answer of a host before it is put into a table: its secrets masked, and, where it is for
    /// a person, each of its texts in one safe line, so that none of them makes a row of its own.
    pub fn prepare(&self, answer: &mut dyn Texts) {
        self.redactor().mask_all(answer);
        if !self.shared.json {
            inert(answer);
        }
    }

    /// Writes data for a person, such as a table that was asked for, to stdout. Whole lines. Nothing
    /// in it commands a terminal or a CI, and no secret is in it.
    pub fn data(&self, text: &str) {
        let text = self.redactor().mask(text).into_owned();
        self.shared.person().data(&text);
    }

    /// Writes data for a program to stdout: one line of JSON.
    pub fn json(&self, data: &impl serde::Serialize) {
        let line = format!("{}\n", json::line(data));
        self.shared.person().write(&line);
    }

    /// How many columns data may take: what `COLUMNS` says, else those of the terminal that it goes
    /// to; `None` where there is no limit.
    #[must_use]
    pub fn columns(&self) -> Option<usize> {
        let terminal = || match self.shared.output.data_columns() {
            0 => None,
            columns => Some(usize::from(columns)),
        };
        self.shared.columns.or_else(terminal)
    }

    /// Leaves the terminal to `ask`, which may prompt. Events meanwhile are told, not drawn.
    pub fn suspend<R>(&self, ask: impl FnOnce() -> R) -> R {
        self.shared.person().pause();
        let answer = ask();
        self.shared.person().resume();
        answer
    }

    /// Draws while `work` runs, inside of [`suspend`](Self::suspend).
    pub fn drawing<R>(&self, work: impl FnOnce() -> R) -> R {
        self.shared.person().resume();
        let done = work();
        self.shared.person().pause();
        done
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
