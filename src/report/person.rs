//! Events to a person: live on a terminal, as lines elsewhere.

use std::collections::HashMap;

use crate::model::event::{Event, HostEvent, Phase};
use crate::model::{FailureKind, HostName};

use super::humanize::{bytes, count, duration};
use super::kept::Kept;
use super::phrase::{self, Weight};
use super::progress::{Progress, sending};
use super::screen::Screen;
use super::scrub::scrub;
use super::story::Story;
use super::talk::{Dialect, Talk};
use super::untrusted::Colours;
use super::{Verbosity, ending};

/// Least time between two lines about the same transfer or proof, in milliseconds.
const CALM: u64 = 3_000;

/// Whose output it is: a step of this machine, or a hook on a host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Speaker {
    host: Option<HostName>,
    phase: Phase,
    name: String,
}

/// How a step or a hook ended.
struct How {
    ok: bool,
    why: Option<String>,
    is_stopped: bool,
}

/// When something that goes on was last spoken of, and in which words.
#[derive(Debug, Clone, Default)]
struct Told {
    topic: String,
    since: u64,
    at: u64,
    text: String,
}

/// Tells a person.
pub(super) struct Person {
    talk: Talk,
    verbosity: Verbosity,
    story: Story,
    progress: Progress,
    kept: HashMap<Speaker, Kept>,
    told: HashMap<HostName, Told>,
    screen: Option<Screen>,
    paused: bool,
}

impl Person {
    /// With a `screen` what goes on is drawn; without one it is mentioned.
    pub fn new(mut talk: Talk, verbosity: Verbosity, screen: Option<Screen>) -> Self {
        talk.screen = screen.as_ref().map(Screen::bars);
        Self {
            talk,
            verbosity,
            story: Story::default(),
            progress: Progress::default(),
            kept: HashMap::new(),
            told: HashMap::new(),
            screen,
            paused: false,
        }
    }

    /// Remembers an event without a word.
    pub fn overhear(&mut self, event: &Event) {
        self.story.hear(&scrub(event.clone(), Colours::Strip));
    }

    /// Tells an event.
    pub fn event(&mut self, event: Event) {
        let colours = match self.screen.is_some() && self.talk.paint.on {
            true => Colours::Keep,
            false => Colours::Strip,
        };
        let event = scrub(event, colours);
        let now = self.talk.clock.ms();
        self.story.hear(&event);
        self.progress.hear(now, &event);
        // The end is the last thing on the screen; much that is only drawn waits for the next tick.
        match &event {
            Event::Finished { .. }
            | Event::Done
            | Event::Failed { .. }
            | Event::Unchanged { .. } => {
                if let Some(screen) = &mut self.screen {
                    screen.clear();
                }
            }
            Event::StepOutput { .. } | Event::Waiting { .. } => {}
            Event::Host {
                what:
                    HostEvent::HookOutput { .. }
                    | HostEvent::Transferring { .. }
                    | HostEvent::Proving { .. },
                ..
            } => {}
            _ => self.draw(now),
        }
        self.tell(now, event);
    }

    /// Lets time pass: draws, or mentions what takes long.
    pub fn tick(&mut self) {
        let now = self.talk.clock.ms();
        if self.screen.is_some() {
            self.draw(now);
        } else if self.verbosity != Verbosity::Quiet {
            for sentence in self.progress.overdue(now, &self.story) {
                self.talk.line(&sentence);
            }
        }
    }

    /// Leaves the screen to somebody else, until [`Person::resume`].
    pub fn pause(&mut self) {
        self.paused = true;
        self.talk.screen = None;
        if let Some(screen) = &mut self.screen {
            screen.clear();
        }
    }

    /// Takes the screen back.
    pub fn resume(&mut self) {
        self.paused = false;
        self.talk.screen = self.screen.as_ref().map(Screen::bars);
    }

    /// Writes data for a person, past everything that is drawn.
    pub fn data(&self, text: &str) {
        self.write(&self.talk.safe(text));
    }

    /// Writes data as it is, past everything that is drawn.
    pub fn write(&self, text: &str) {
        match &self.talk.screen {
            Some(bars) => bars.suspend(|| self.talk.output.data(text.as_bytes())),
            None => self.talk.output.data(text.as_bytes()),
        }
    }

    fn draw(&mut self, now: u64) {
        if let Some(screen) = self.screen.as_mut().filter(|_| !self.paused) {
            screen.show(now, &self.progress, &self.story);
        }
    }

    fn tell(&mut self, now: u64, event: Event) {
        match event {
            Event::Started {
                command, commit, ..
            } => self.begin(&command, commit.as_deref()),
            Event::Note { text } => self.say(Weight::Loud, &text),
            Event::Warning { text, hint } => self.talk.warning("", &text, hint.as_deref()),
            Event::StepStarted { phase, name } => {
                self.say(
                    Weight::Detail,
                    &format!("{} step `{name}` began", phase.as_str()),
                );
            }
            Event::StepOutput { phase, name, line } => self.hear_output(None, phase, name, line),
            Event::StepFinished {
                phase,
                name,
                ok,
                why,
                is_stopped,
                ms,
                log,
            } => self.end_of_step(
                None,
                phase,
                name,
                How {
                    ok,
                    why,
                    is_stopped,
                },
                ms,
                log,
            ),
            // The first mention is the ticker's: what is quick needs no line.
            Event::Waiting { .. } => {}
            Event::Waited {
                text,
                bytes: all,
                ms,
            } => match all {
                Some(all) => {
                    let text = format!("{text}: {} in {}", bytes(all), duration(ms));
                    self.say(Weight::Fact, &text);
                }
                None => self.say(Weight::Detail, &format!("{text} took {}", duration(ms))),
            },
            Event::RoundTrip { host, what, ms } => {
                let prefix = self.story.prefix(&host);
                let text = format!("{prefix}round trip {what} took {}", duration(ms));
                self.say(Weight::Detail, &text);
            }
            Event::Planned {
                release,
                hosts,
                before,
                after,
                watch_ms,
            } => {
                for line in phrase::plan(&self.story, release, &hosts) {
                    self.say(Weight::Detail, &line);
                }
                for (when, hooks) in [("before the switch", before), ("after the proof", after)] {
                    if !hooks.is_empty() {
                        let text = format!("hooks {when}: {}", hooks.join(", "));
                        self.say(Weight::Detail, &text);
                    }
                }
                if watch_ms > 0 {
                    let text = format!("{release} is watched for {}", duration(watch_ms));
                    self.say(Weight::Detail, &text);
                }
            }
            Event::Host { host, what } => self.tell_host(now, host, what),
            Event::Unchanged { release } => {
                let text = ending::unchanged(&self.story, self.talk.paint, release);
                self.talk.sentence(&text);
            }
            Event::Numbered { release } => {
                self.say(Weight::Fact, &format!("the next release is {release}"));
            }
            Event::Reverting {
                release,
                host,
                activated,
            } => {
                let host = self.story.name(&host);
                let what = match activated {
                    true => "failed",
                    false => "was not activated",
                };
                let text = format!("{release} {what} on {host}; going back on every host");
                self.say(Weight::Loud, &text);
            }
            Event::Done => {}
            // The line for it is there already.
            Event::Finished { .. } if self.story.unchanged => {}
            Event::Finished { outcome } => {
                let columns = self.talk.columns();
                let (above, last) = ending::good(&self.story, self.talk.paint, columns, &outcome);
                let mut lines = match self.verbosity {
                    Verbosity::Quiet => Vec::new(),
                    _ => above,
                };
                lines.extend(last);
                self.talk.lines(lines.iter().map(String::as_str));
            }
            Event::Failed {
                failure, outcome, ..
            } => {
                let paint = self.talk.paint;
                let columns = self.talk.columns();
                let (message, lines) =
                    ending::bad(&self.story, paint, columns, &failure, outcome.as_ref());
                if failure.kind == FailureKind::Interrupted {
                    self.talk.sentence(&paint.warn(message));
                } else {
                    self.talk.error(&self.title(), &message);
                }
                self.talk.lines(lines.iter().map(String::as_str));
            }
        }
    }

    fn tell_host(&mut self, now: u64, host: HostName, what: HostEvent) {
        if let Some((weight, text)) = phrase::host(&self.story, &host, &what) {
            self.progress.mentioned(now, &host);
            self.say(weight, &text);
        }
        match what {
            HostEvent::Warning { text } => {
                self.talk.warning(&self.story.prefix(&host), &text, None);
            }
            HostEvent::HookOutput { name, line } => {
                self.hear_output(Some(host), Phase::Hook, name, line);
            }
            HostEvent::HookFinished {
                name,
                ok,
                why,
                is_stopped,
                ms,
            } => {
                let how = How {
                    ok,
                    why,
                    is_stopped,
                };
                self.end_of_step(Some(host), Phase::Hook, name, how, ms, None);
            }
            HostEvent::Transferring {
                done,
                total,
                sent,
                runtime,
            } => {
                let since = self.told.get(&host).filter(|told| told.topic == "sending");
                let ms = now.saturating_sub(since.map_or(now, |told| told.since));
                let wire = match sent < done {
                    true => format!(", {} on the wire", bytes(sent)),
                    false => String::new(),
                };
                let sending = sending(runtime.as_deref(), done, total, ms);
                let text = format!("sending {sending}{wire}");
                self.tell_calmly(now, &host, "sending".to_owned(), text);
            }
            HostEvent::Proving { service, seen } => {
                let text = format!("proving {service}: {seen}");
                self.tell_calmly(now, &host, format!("proving {service}"), text);
            }
            _ => {}
        }
    }

    /// Says how something goes on, at most every three seconds, and nothing twice.
    fn tell_calmly(&mut self, now: u64, host: &HostName, topic: String, text: String) {
        let told = self.told.entry(host.clone()).or_default();
        if told.topic != topic {
            *told = Told {
                topic,
                since: now,
                at: now,
                text: String::new(),
            };
        }
        if now.saturating_sub(told.at) < CALM || told.text == text {
            return;
        }
        told.at = now;
        told.text.clone_from(&text);
        self.progress.mentioned(now, host);
        self.say(Weight::Fact, &format!("{}{text}", self.story.prefix(host)));
    }

    /// Says a sentence, if it matters enough.
    fn say(&self, weight: Weight, text: &str) {
        let least = match self.verbosity {
            Verbosity::Quiet => return,
            Verbosity::Normal if self.screen.is_some() => Weight::Loud,
            Verbosity::Normal => Weight::Fact,
            Verbosity::Verbose => Weight::Detail,
        };
        if weight >= least {
            self.talk.sentence(text);
        }
    }

    fn begin(&self, command: &str, commit: Option<&str>) {
        let (Some(app), Some(environment)) = (&self.story.app, &self.story.environment) else {
            return;
        };
        let hosts = match self.story.hosts() {
            [] => String::new(),
            [only] if only.as_str() == environment => String::new(),
            [only] => format!(" ({})", self.story.name(only)),
            many => format!(" ({})", count(many.len() as u64, "host")),
        };
        let to = match command {
            "deploy" | "promote" => "to",
            _ => "on",
        };
        let commit = commit.map_or_else(String::new, |commit| format!(", commit {commit}"));
        let text = format!("{command} {app} {to} {environment}{hosts}{commit}");
        self.say(Weight::Loud, &text);
    }

    /// What an annotation about the whole command is called.
    fn title(&self) -> String {
        let story = &self.story;
        match (&story.command, &story.app, &story.environment) {
            (Some(command), Some(app), Some(environment)) => {
                format!("ship {command} {app} {environment}")
            }
            _ => "ship".to_owned(),
        }
    }

    /// Whether output is told as it comes. Not in a CI, where all of it is told in its place.
    fn streams(&self) -> bool {
        self.verbosity == Verbosity::Verbose && self.talk.dialect == Dialect::Plain
    }

    fn hear_output(&mut self, host: Option<HostName>, phase: Phase, name: String, line: String) {
        if self.streams() {
            let prefix = host.map_or_else(String::new, |host| self.story.prefix(&host));
            let text = format!("{prefix}{} {name} | {line}", phase.as_str());
            self.talk.line(text.trim_end());
            return;
        }
        let speaker = Speaker { host, phase, name };
        self.kept.entry(speaker).or_default().push(line);
    }

    fn end_of_step(
        &mut self,
        host: Option<HostName>,
        phase: Phase,
        name: String,
        How {
            ok,
            why,
            is_stopped,
        }: How,
        ms: u64,
        log: Option<String>,
    ) {
        let prefix = match &host {
            Some(host) => self.story.prefix(host),
            None => String::new(),
        };
        let speaker = Speaker { host, phase, name };
        let kept = self.kept.remove(&speaker).unwrap_or_default();
        let name = speaker.name;
        let folds = self.talk.dialect != Dialect::Plain && self.verbosity != Verbosity::Quiet;
        if !self.streams() && !is_stopped && !kept.is_empty() && (!ok || folds) {
            let title = format!("{prefix}output of {} step `{name}`", phase.as_str());
            let older = (kept.dropped() > 0).then(|| {
                let older = format!("{} came before", count(kept.dropped(), "line"));
                match &log {
                    Some(log) => format!("({older}; all of it is in {log})"),
                    None => format!("({older})"),
                }
            });
            self.talk
                .block(&title, ok, older.as_deref().into_iter().chain(kept.lines()));
        }
        let paint = self.talk.paint;
        let about = format!(
            "{:<5}  {name}  {}",
            phase.as_str(),
            paint.faint(duration(ms))
        );
        if ok {
            self.say(
                Weight::Loud,
                &format!("{prefix}{} {about}", paint.good("ok")),
            );
        } else {
            let why = why.map_or_else(String::new, |why| format!(": {why}"));
            // A step that was stopped from outside did not fail.
            let mark = match is_stopped {
                true => paint.faint("stopped"),
                false => paint.bad("failed"),
            };
            self.talk.sentence(&format!("{prefix}{mark} {about}{why}"));
        }
    }
}
