//! Every text inside a message, one by one: what masks secrets and what makes text safe to print
//! both walk it here. The matches name every field, so that a new one cannot be forgotten.

use super::event::{Diagnosis, Event, HostEvent, HostOutcome, Outcome};
use super::{Cause, Failure, Freeze, Redactor, Running};

/// How a text is read, which decides what may be done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// By programs: who, when, a path, a commit, an address. It is never masked: what it holds is not
    /// free text, and a secret that happens to be equal to it would make it useless.
    Word,
    /// One line without colours: it may end up in a column.
    Name,
    /// One line, as somebody wrote it.
    Line,
    /// Lines, as somebody wrote them.
    Text,
}

/// Does something to texts.
pub trait Visit {
    /// A text.
    fn text(&mut self, reading: Reading, text: &mut String);

    /// Texts that follow one another, such as the lines of a log.
    fn texts(&mut self, reading: Reading, texts: &mut [String]) {
        for text in texts {
            self.text(reading, text);
        }
    }

    /// A text that may be absent.
    fn maybe(&mut self, reading: Reading, text: &mut Option<String>) {
        if let Some(text) = text {
            self.text(reading, text);
        }
    }
}

/// Something that holds texts.
pub trait Texts {
    /// Shows each text to `visit`.
    fn each(&mut self, visit: &mut dyn Visit);
}

impl Redactor {
    /// Masks every text of `message` that is free text.
    pub fn mask_all(&self, message: &mut dyn Texts) {
        struct Mask<'a>(&'a Redactor);

        impl Visit for Mask<'_> {
            fn text(&mut self, reading: Reading, text: &mut String) {
                if reading != Reading::Word {
                    self.0.mask_in(text);
                }
            }

            fn texts(&mut self, reading: Reading, texts: &mut [String]) {
                if reading != Reading::Word {
                    self.0.mask_lines(texts);
                }
            }
        }

        if !self.is_empty() {
            message.each(&mut Mask(self));
        }
    }
}

impl<T: Texts> Texts for Vec<T> {
    fn each(&mut self, visit: &mut dyn Visit) {
        self.iter_mut().for_each(|item| item.each(visit));
    }
}

impl<T: Texts> Texts for Option<T> {
    fn each(&mut self, visit: &mut dyn Visit) {
        self.iter_mut().for_each(|item| item.each(visit));
    }
}

impl Texts for Failure {
    fn each(&mut self, visit: &mut dyn Visit) {
        let Self {
            kind: _,
            cause,
            host: _,
            details,
            hint,
        } = self;
        cause.each(visit);
        visit.texts(Reading::Text, details);
        visit.maybe(Reading::Text, hint);
    }
}

impl Texts for Cause {
    fn each(&mut self, visit: &mut dyn Visit) {
        match self {
            Self::Io {
                doing,
                path,
                errno: _,
                why,
            } => {
                visit.maybe(Reading::Text, doing);
                visit.maybe(Reading::Text, path);
                visit.text(Reading::Text, why);
            }
            Self::NoRoom {
                place,
                needed,
                free,
            } => {
                for text in [place, needed, free] {
                    visit.text(Reading::Text, text);
                }
            }
            Self::Locked(Running {
                what,
                who,
                since,
                ci,
                doing,
            }) => {
                visit.text(Reading::Text, what);
                visit.text(Reading::Word, who);
                visit.maybe(Reading::Word, since);
                visit.maybe(Reading::Word, ci);
                visit.maybe(Reading::Text, doing);
            }
            Self::Full { why }
            | Self::NoProgram { why }
            | Self::NoRight { why }
            | Self::NotSetUp { why }
            | Self::HostKeyUnknown { why }
            | Self::HostKeyChanged { why }
            | Self::Login { why }
            | Self::Connection { why }
            | Self::Interrupted { why }
            | Self::Other { kind: _, why } => visit.text(Reading::Text, why),
        }
    }
}

impl Texts for Freeze {
    fn each(&mut self, visit: &mut dyn Visit) {
        let Self {
            reason,
            who,
            since,
            until,
        } = self;
        visit.text(Reading::Name, reason);
        for word in [who, since, until] {
            visit.text(Reading::Word, word);
        }
    }
}

impl Texts for Diagnosis {
    fn each(&mut self, visit: &mut dyn Visit) {
        let Self {
            service: _,
            release: _,
            reason,
            facts,
            log,
        } = self;
        visit.text(Reading::Name, reason);
        visit.texts(Reading::Text, facts);
        visit.texts(Reading::Line, log);
    }
}

impl Texts for HostOutcome {
    fn each(&mut self, visit: &mut dyn Visit) {
        let Self {
            host: _,
            was: _,
            is: _,
            healthy: _,
            why,
            unanswered_ms: _,
            by_hand,
        } = self;
        visit.maybe(Reading::Name, why);
        visit.texts(Reading::Text, by_hand);
    }
}

impl Texts for Outcome {
    fn each(&mut self, visit: &mut dyn Visit) {
        let Self {
            verb: _,
            release: _,
            hosts,
            ms: _,
            sent: _,
            unanswered_ms: _,
        } = self;
        hosts.each(visit);
    }
}

impl Texts for Event {
    fn each(&mut self, visit: &mut dyn Visit) {
        match self {
            Self::Started {
                command,
                app: _,
                environment: _,
                hosts: _,
                commit,
            } => {
                visit.text(Reading::Word, command);
                visit.maybe(Reading::Word, commit);
            }
            Self::Note { text } => visit.text(Reading::Text, text),
            Self::Warning { text, hint } => {
                visit.text(Reading::Text, text);
                visit.maybe(Reading::Text, hint);
            }
            Self::StepStarted { phase: _, name } => visit.text(Reading::Name, name),
            Self::StepOutput {
                phase: _,
                name,
                line,
            } => {
                visit.text(Reading::Name, name);
                visit.text(Reading::Line, line);
            }
            Self::StepFinished {
                phase: _,
                name,
                ok: _,
                why,
                is_stopped: _,
                ms: _,
                log,
            } => {
                visit.text(Reading::Name, name);
                visit.maybe(Reading::Name, why);
                visit.maybe(Reading::Word, log);
            }
            Self::Waiting { text, .. } | Self::Waited { text, .. } => {
                visit.text(Reading::Name, text);
            }
            Self::RoundTrip {
                host: _,
                what,
                ms: _,
            } => visit.text(Reading::Name, what),
            Self::Planned {
                release: _,
                hosts,
                before,
                after,
                watch_ms: _,
            } => {
                let runtimes = hosts.iter_mut().flat_map(|host| &mut host.runtimes);
                for text in runtimes.chain(before).chain(after) {
                    visit.text(Reading::Name, text);
                }
            }
            Self::Host { host: _, what } => what.each(visit),
            Self::Unchanged { .. }
            | Self::Numbered { .. }
            | Self::Reverting { .. }
            | Self::Done => {}
            Self::Finished { outcome } => outcome.each(visit),
            Self::Failed {
                failure,
                outcome,
                exit: _,
            } => {
                failure.each(visit);
                outcome.each(visit);
            }
        }
    }
}

impl Texts for HostEvent {
    fn each(&mut self, visit: &mut dyn Visit) {
        match self {
            Self::Connected { .. }
            | Self::Reconnecting
            | Self::Reconnected { .. }
            | Self::Staged { .. }
            | Self::Flipped { .. }
            | Self::Stopped { .. }
            | Self::Restarted { .. }
            | Self::Proven { .. }
            | Self::Watched { .. }
            | Self::Reverted { .. }
            | Self::Pruned { .. } => {}
            Self::Waiting { text } => visit.text(Reading::Name, text),
            Self::Transferring { runtime, .. } => visit.maybe(Reading::Word, runtime),
            Self::HookStarted { name } => visit.text(Reading::Name, name),
            Self::HookOutput { name, line } => {
                visit.text(Reading::Name, name);
                visit.text(Reading::Line, line);
            }
            Self::HookFinished {
                name,
                ok: _,
                why,
                is_stopped: _,
                ms: _,
            } => {
                visit.text(Reading::Name, name);
                visit.maybe(Reading::Name, why);
            }
            Self::Proving { service: _, seen } => visit.text(Reading::Name, seen),
            Self::Watching { bad, .. } => visit.maybe(Reading::Name, bad),
            Self::Unproven { diagnosis } => diagnosis.each(visit),
            Self::Changed { text } | Self::Note { text } | Self::Warning { text } => {
                visit.text(Reading::Text, text);
            }
        }
    }
}
