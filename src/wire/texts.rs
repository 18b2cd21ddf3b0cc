//! The texts in what an agent says.

use super::{Activated, Facts, Finding, FromAgent, Holder, HostStatus};
use super::{ReleaseSummary, ServiceReport};
use crate::model::Operation;
use crate::model::texts::{Reading, Texts, Visit};

impl Texts for FromAgent {
    fn each(&mut self, visit: &mut dyn Visit) {
        match self {
            Self::Opened(facts) | Self::Begun { facts } => facts.each(visit),
            Self::Event(event) => event.each(visit),
            Self::Activated(activated) | Self::Ended(Some(activated)) => activated.each(visit),
            Self::Findings(findings) => findings.each(visit),
            Self::Changes(changes) => {
                visit.texts(Reading::Text, &mut changes.made);
                visit.texts(Reading::Text, &mut changes.left);
            }
            Self::Status(status) => status.each(visit),
            Self::Releases(releases) => releases.each(visit),
            Self::History(entries) => entries.each(visit),
            Self::Log {
                time,
                service: _,
                text,
            } => {
                visit.text(Reading::Word, time);
                visit.text(Reading::Line, text);
            }
            Self::Failed(failure) | Self::NotStarted { failure, .. } => failure.each(visit),
            Self::CancelAsked { by } => visit.text(Reading::Word, by),
            // The bytes of an output come in frames of their own. What is exported is a release, to
            // the last byte.
            Self::Output { .. }
            | Self::Exported(_)
            | Self::Need(_)
            | Self::NeedIndex
            | Self::Published
            | Self::Done
            | Self::Taken { .. }
            | Self::InputClosed
            | Self::Exited { .. }
            | Self::Heartbeat
            | Self::Attached(_)
            | Self::Ended(None)
            | Self::DataEnd => {}
        }
    }
}

impl Texts for Facts {
    fn each(&mut self, visit: &mut dyn Visit) {
        for word in [
            &mut self.hostname,
            &mut self.user,
            &mut self.platform,
            &mut self.root,
        ] {
            visit.text(Reading::Word, word);
        }
        visit.maybe(Reading::Word, &mut self.adoptable);
        self.releases.each(visit);
        self.holder.each(visit);
        self.freeze.each(visit);
        visit.texts(Reading::Text, &mut self.recovered);
    }
}

impl Texts for ReleaseSummary {
    fn each(&mut self, visit: &mut dyn Visit) {
        let Self {
            id: _,
            state: _,
            after: _,
            current: _,
            created,
            who,
            commit,
            subject,
            runtimes,
            artifact: _,
        } = self;
        visit.text(Reading::Word, created);
        visit.text(Reading::Word, who);
        visit.maybe(Reading::Word, commit);
        visit.maybe(Reading::Name, subject);
        *runtimes = std::mem::take(runtimes)
            .into_iter()
            .map(|(mut name, mut version)| {
                visit.text(Reading::Word, &mut name);
                visit.text(Reading::Word, &mut version);
                (name, version)
            })
            .collect();
    }
}

impl Texts for Activated {
    fn each(&mut self, visit: &mut dyn Visit) {
        visit.maybe(Reading::Name, &mut self.why);
        self.diagnoses.each(visit);
        visit.texts(Reading::Text, &mut self.by_hand);
    }
}

impl Texts for Finding {
    fn each(&mut self, visit: &mut dyn Visit) {
        let Self {
            level: _,
            subject,
            text,
            hint,
        } = self;
        visit.text(Reading::Word, subject);
        visit.text(Reading::Name, text);
        visit.maybe(Reading::Name, hint);
    }
}

impl Texts for HostStatus {
    fn each(&mut self, visit: &mut dyn Visit) {
        let Self {
            current,
            adoptable,
            since,
            services,
            holder,
            freeze,
        } = self;
        current.each(visit);
        visit.maybe(Reading::Word, adoptable);
        visit.maybe(Reading::Word, since);
        services.each(visit);
        holder.each(visit);
        freeze.each(visit);
    }
}

impl Texts for ServiceReport {
    fn each(&mut self, visit: &mut dyn Visit) {
        visit.text(Reading::Name, &mut self.seen);
    }
}

impl Texts for Holder {
    fn each(&mut self, visit: &mut dyn Visit) {
        let Self {
            what,
            who,
            since,
            ci,
            doing,
            is_tidying: _,
        } = self;
        if let Some(word) = what.foreign() {
            visit.text(Reading::Word, word);
        }
        visit.text(Reading::Word, who);
        for word in [since, ci] {
            visit.maybe(Reading::Word, word);
        }
        visit.maybe(Reading::Name, doing);
    }
}

impl Texts for Operation {
    fn each(&mut self, visit: &mut dyn Visit) {
        let Self {
            id,
            what,
            started,
            flipped,
            time,
            release: _,
            from: _,
            outcome,
            why,
            unanswered_ms: _,
            sent: _,
            made,
            who,
            ci,
            commit,
            tests_skipped: _,
        } = self;
        for word in [what.foreign(), outcome.foreign()].into_iter().flatten() {
            visit.text(Reading::Word, word);
        }
        for word in [time, who] {
            visit.text(Reading::Word, word);
        }
        for word in [id, started, flipped, ci, commit] {
            visit.maybe(Reading::Word, word);
        }
        let commits = made.iter_mut().flat_map(|made| made.commits.as_mut());
        for commit in commits.flatten() {
            visit.text(Reading::Word, &mut commit.id);
        }
        visit.maybe(Reading::Name, why);
    }
}
