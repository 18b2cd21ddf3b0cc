//! What goes on right now: one item per running step, wait and host. A screen draws it; without
//! one, what takes long is said from time to time.

use crate::model::HostName;
use crate::model::event::{Event, HostEvent, Phase};

use super::humanize::{bytes, elapsed, rate};
use super::phrase::proven;
use super::story::Story;

/// How often something that is waited for is mentioned where nothing is drawn, in milliseconds.
const MENTION: u64 = 15_000;

/// The same for bytes that travel, which people watch more closely.
const MENTION_TRANSFER: u64 = 5_000;

/// What an item is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// A step of this machine.
    Step(Phase, String),
    /// A wait of this machine that is no step.
    Wait(String),
    /// A host.
    Host(HostName),
}

/// One thing that goes on.
#[derive(Debug)]
pub(super) struct Item {
    /// What it is about.
    pub key: Key,
    /// What is being done, after "still"; the last state for a host that does nothing.
    pub doing: String,
    /// What was last seen of it: a line of output, bytes, the answer to a health check.
    pub seen: String,
    /// Whether it is being waited for.
    pub busy: bool,
    /// When that began.
    pub since: u64,
    way: Way,
    said: u64,
}

/// What is on its way, where it is mentioned otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Nothing of that kind.
    Nothing,
    /// A connection to the host.
    ToHost,
    /// Bytes.
    Bytes,
}

/// Everything that goes on: hosts in the order of the manifest, then the rest as it began.
#[derive(Debug, Default)]
pub(super) struct Progress {
    items: Vec<Item>,
}

impl Progress {
    /// Takes in what happened at `now` (ms).
    pub fn hear(&mut self, now: u64, event: &Event) {
        match event {
            Event::Started { hosts, .. } => {
                for host in hosts {
                    self.begin(now, Key::Host(host.clone()), "connecting");
                    self.waits_for(host, Way::ToHost);
                }
            }
            Event::StepStarted { phase, name } => {
                let doing = format!("running {} step `{name}`", phase.as_str());
                self.begin(now, Key::Step(*phase, name.clone()), &doing);
            }
            Event::StepOutput { phase, name, line } => {
                self.see(&Key::Step(*phase, name.clone()), line.clone());
            }
            Event::StepFinished { phase, name, .. } => {
                self.end(&Key::Step(*phase, name.clone()));
            }
            Event::Waiting { text, done, total } => {
                let key = Key::Wait(text.clone());
                self.begin(now, key.clone(), text);
                if let Some(item) = self.find(&key)
                    && let Some(done) = done
                {
                    item.way = Way::Bytes;
                    item.seen = match total {
                        Some(total) => format!("{} of {}", bytes(*done), bytes(*total)),
                        None => bytes(*done),
                    };
                }
            }
            Event::Waited { text, .. } => self.end(&Key::Wait(text.clone())),
            Event::Host { host, what } => self.hear_host(now, host, what),
            Event::Unchanged { .. }
            | Event::Finished { .. }
            | Event::Done
            | Event::Failed { .. } => {
                self.items.clear();
            }
            Event::Note { .. }
            | Event::Warning { .. }
            | Event::RoundTrip { .. }
            | Event::Planned { .. }
            | Event::Numbered { .. }
            | Event::Reverting { .. } => {}
        }
    }

    fn hear_host(&mut self, now: u64, host: &HostName, what: &HostEvent) {
        let key = Key::Host(host.clone());
        match what {
            HostEvent::Connected { current, .. } => {
                let state = match current {
                    Some(release) => format!("connected, {release} is live"),
                    None => "connected".to_owned(),
                };
                self.rest(now, key, &state);
            }
            HostEvent::Reconnecting => {
                self.begin(now, key, "reconnecting");
                self.waits_for(host, Way::ToHost);
            }
            HostEvent::Reconnected { .. } => self.rest(now, key, "connected again"),
            HostEvent::Waiting { text } => self.begin(now, key, &format!("waiting for {text}")),
            HostEvent::Transferring {
                done,
                total,
                runtime,
                ..
            } => {
                self.begin(now, key.clone(), "sending");
                self.waits_for(host, Way::Bytes);
                let since = self.find(&key).map_or(now, |item| item.since);
                let runtime = runtime.as_deref();
                let ms = now.saturating_sub(since);
                self.see(&key, sending(runtime, *done, *total, ms));
            }
            HostEvent::Staged { release, .. } => self.rest(now, key, &format!("staged {release}")),
            HostEvent::HookStarted { name } => {
                self.begin(now, key, &format!("running hook `{name}`"));
            }
            HostEvent::HookOutput { line, .. } => self.see(&key, line.clone()),
            HostEvent::HookFinished { name, .. } => {
                self.rest(now, key, &format!("hook `{name}` ended"));
            }
            HostEvent::Flipped { .. } => self.begin(now, key, "restarting services"),
            HostEvent::Stopped { service } => {
                self.rest(now, key, &format!("stopped {service}"));
            }
            HostEvent::Restarted { service, .. } => {
                self.begin(now, key, &format!("proving {service}"));
            }
            HostEvent::Proving { service, seen } => {
                self.begin(now, key.clone(), &format!("proving {service}"));
                self.see(&key, seen.clone());
            }
            HostEvent::Proven {
                service, answered, ..
            } => {
                let state = proven(*answered);
                self.rest(now, key, &format!("{service} is {state}"));
            }
            HostEvent::Unproven { diagnosis } => {
                self.rest(now, key, &format!("{} is not healthy", diagnosis.service));
            }
            HostEvent::Watching {
                release,
                left_ms,
                bad,
                ..
            } => {
                self.begin(now, key.clone(), &format!("watching {release}"));
                let bad = bad
                    .as_ref()
                    .map_or_else(String::new, |bad| format!("; {bad}"));
                let left = elapsed(left_ms.next_multiple_of(1_000));
                self.see(&key, format!("{left} left{bad}"));
            }
            HostEvent::Watched { release, .. } => {
                self.rest(now, key, &format!("{release} stayed healthy"));
            }
            HostEvent::Reverted { to, .. } => {
                let state = match to {
                    Some(to) => format!("put back to {to}"),
                    None => "put back to nothing live".to_owned(),
                };
                self.rest(now, key, &state);
            }
            HostEvent::Pruned { .. }
            | HostEvent::Changed { .. }
            | HostEvent::Note { .. }
            | HostEvent::Warning { .. } => {}
        }
    }

    /// The items that go on.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Sentences about what has been waited for since the last mention, for `now` (ms).
    pub fn overdue(&mut self, now: u64, story: &Story) -> Vec<String> {
        let mut sentences = Vec::new();
        for item in &mut self.items {
            let pause = match item.way {
                Way::Bytes => MENTION_TRANSFER,
                Way::Nothing | Way::ToHost => MENTION,
            };
            if !item.busy || now.saturating_sub(item.said) < pause {
                continue;
            }
            item.said = now;
            let prefix = match &item.key {
                Key::Host(host) => story.prefix(host),
                _ => String::new(),
            };
            let to = match &item.key {
                Key::Host(host) if item.way == Way::ToHost => {
                    format!(" to {}", story.name(host))
                }
                _ => String::new(),
            };
            // A step's last line of output could be taken for the reporter's own words.
            let seen = match &item.key {
                Key::Step(..) => "",
                _ => item.seen.as_str(),
            };
            let colon = if seen.is_empty() { "" } else { ": " };
            let time = elapsed(now.saturating_sub(item.since));
            sentences.push(format!(
                "{prefix}still {}{to}{colon}{seen} ({time})",
                item.doing
            ));
        }
        sentences
    }

    /// Puts off the next mention: something was just said about the host.
    pub fn mentioned(&mut self, now: u64, host: &HostName) {
        if let Some(item) = self.find(&Key::Host(host.clone())) {
            item.said = now;
        }
    }

    fn find(&mut self, key: &Key) -> Option<&mut Item> {
        self.items.iter_mut().find(|item| item.key == *key)
    }

    /// The item does `doing` now; one that does it already goes on.
    fn begin(&mut self, now: u64, key: Key, doing: &str) {
        match self.find(&key) {
            Some(item) if item.busy && item.doing == doing => {}
            Some(item) => item.set(now, doing, true),
            None => self.items.push(Item::new(now, key, doing, true)),
        }
    }

    fn waits_for(&mut self, host: &HostName, way: Way) {
        if let Some(item) = self.find(&Key::Host(host.clone())) {
            item.way = way;
        }
    }

    /// The item does nothing now.
    fn rest(&mut self, now: u64, key: Key, state: &str) {
        match self.find(&key) {
            Some(item) => item.set(now, state, false),
            None => self.items.push(Item::new(now, key, state, false)),
        }
    }

    fn see(&mut self, key: &Key, seen: String) {
        if let Some(item) = self.find(key) {
            item.seen = seen;
        }
    }

    fn end(&mut self, key: &Key) {
        self.items.retain(|item| item.key != *key);
    }
}

impl Item {
    fn new(now: u64, key: Key, doing: &str, busy: bool) -> Self {
        Self {
            key,
            doing: doing.to_owned(),
            seen: String::new(),
            busy,
            since: now,
            way: Way::Nothing,
            said: now,
        }
    }

    fn set(&mut self, now: u64, doing: &str, busy: bool) {
        *self = Self::new(now, self.key.clone(), doing, busy);
    }
}

/// `12.1 MB of 40 MB, 8 MB/s` after `ms` milliseconds; what travels in front when it is a runtime:
/// `node 20.11.1, 12.1 MB of 40 MB`.
pub(super) fn sending(runtime: Option<&str>, done: u64, total: u64, ms: u64) -> String {
    let what = runtime.map_or_else(String::new, |runtime| format!("{runtime}, "));
    let rate = rate(done, ms).map_or_else(String::new, |rate| format!(", {rate}"));
    format!("{what}{} of {}{rate}", bytes(done), bytes(total))
}
