//! What is true at the end, as a value: the outcome and, when something failed, the failure.

use std::time::Instant;

use crate::model::event::{HostOutcome, Outcome, Verb};
use crate::model::{Failure, FailureKind, HostName, ReleaseId};
use crate::wire::Activated;

/// The end of a command that touched hosts.
#[derive(Debug, Clone)]
pub struct Conclusion {
    /// What is true now.
    pub outcome: Outcome,
    /// What went wrong, if anything.
    pub failure: Option<Failure>,
}

/// A command that failed, with what is true now when hosts were touched.
#[derive(Debug, Clone)]
pub struct Ended {
    /// What went wrong.
    pub failure: Failure,
    /// What is true now.
    pub outcome: Option<Box<Outcome>>,
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            outcome: None,
        }
    }
}

impl Conclusion {
    /// The outcome, or the failure with it.
    ///
    /// # Errors
    /// When something went wrong.
    pub fn into_result(self) -> Result<Outcome, Ended> {
        match self.failure {
            None => Ok(self.outcome),
            Some(failure) => Err(Ended {
                failure,
                outcome: Some(Box::new(self.outcome)),
            }),
        }
    }
}

/// How it ended on one host.
#[derive(Debug, Clone)]
pub enum HostEnd {
    /// Never switched; still on what it was on.
    Untouched {
        /// What it is on.
        current: Option<ReleaseId>,
    },
    /// Switched, or put back, as the agent reported.
    Reported(Box<Activated>),
    /// It is on the release, and nobody could tell it that the fleet agrees, or to go back.
    Unknown {
        /// What it was on before.
        was: Option<ReleaseId>,
        /// Why it is not known.
        why: String,
    },
}

impl HostEnd {
    /// The row of the truth table.
    #[must_use]
    pub fn row(&self, host: &HostName) -> HostOutcome {
        let host = host.clone();
        match self {
            Self::Untouched { current } => HostOutcome {
                host,
                was: *current,
                is: *current,
                healthy: None,
                why: Some("not touched".to_owned()),
                unanswered_ms: None,
                by_hand: Vec::new(),
            },
            Self::Reported(end) => HostOutcome {
                host,
                was: end.was,
                is: end.is,
                // Nothing is there any more: nothing to be healthy.
                healthy: if end.is.is_none() && end.healthy {
                    None
                } else {
                    Some(end.healthy)
                },
                why: end.why.clone(),
                unanswered_ms: end.unanswered_ms,
                by_hand: end.by_hand.clone(),
            },
            Self::Unknown { was, why } => HostOutcome {
                unanswered_ms: None,
                by_hand: vec![format!("ssh {host}   # then look: ship status")],
                host,
                was: *was,
                is: None,
                healthy: None,
                why: Some(why.clone()),
            },
        }
    }

    /// Takes in what the agent reported later: that is what is true now. The longest time without
    /// an answer stays, as the service's users have had to wait for it.
    pub fn report(&mut self, mut ended: Box<Activated>) {
        if let Self::Reported(before) = self {
            ended.unanswered_ms = ended.unanswered_ms.max(before.unanswered_ms);
        }
        *self = Self::Reported(ended);
    }

    /// The release before.
    #[must_use]
    pub fn was(&self) -> Option<ReleaseId> {
        match self {
            Self::Untouched { current } => *current,
            Self::Reported(end) => end.was,
            Self::Unknown { was, .. } => *was,
        }
    }

    /// Whether a person must look at the host.
    #[must_use]
    pub fn needs_person(&self) -> bool {
        match self {
            Self::Untouched { .. } => false,
            Self::Reported(end) => !end.healthy,
            Self::Unknown { .. } => true,
        }
    }

    /// Whether the host is on what was asked for.
    #[must_use]
    pub fn done(&self) -> bool {
        matches!(self, Self::Reported(end) if end.ok)
    }

    /// Whether the host is on what was asked for, and can still go back.
    #[must_use]
    pub fn open(&self) -> bool {
        self.done() && !self.committed()
    }

    /// Whether that is final.
    #[must_use]
    pub fn committed(&self) -> bool {
        matches!(self, Self::Reported(end) if end.ok && end.committed)
    }
}

/// Puts the ends of all hosts into an outcome.
#[must_use]
pub fn outcome(
    verb: Verb,
    release: Option<ReleaseId>,
    ends: &[(HostName, HostEnd)],
    started: Instant,
    sent: u64,
) -> Outcome {
    let unanswered_ms = ends
        .iter()
        .filter_map(|(_, end)| match end {
            HostEnd::Reported(end) => end.unanswered_ms,
            _ => None,
        })
        .max();
    Outcome {
        verb,
        release,
        hosts: ends.iter().map(|(host, end)| end.row(host)).collect(),
        ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        sent,
        unanswered_ms,
    }
}

/// The kind of a failed rollout: what the exit code will say is what is true on the hosts.
#[must_use]
pub fn kind(ends: &[(HostName, HostEnd)], interrupted: bool) -> FailureKind {
    if ends.iter().any(|(_, end)| end.needs_person()) {
        return FailureKind::NeedsPerson;
    }
    if ends.iter().any(|(_, end)| end.done()) {
        return FailureKind::Partial;
    }
    if interrupted {
        return FailureKind::Interrupted;
    }
    FailureKind::Reverted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A host that was proven and then put back has kept its users waiting twice: the longer time
    /// is told. A watch, which measures nothing, does not hide what the switch before it measured.
    #[test]
    fn a_later_report_does_not_hide_the_longer_outage() {
        let told = |first, then| {
            let proven = |ms| Box::new(Activated::proven(None, ReleaseId(1), ms));
            let mut end = HostEnd::Reported(proven(first));
            end.report(proven(then));
            let host = HostName::try_from("web1").unwrap();
            end.row(&host).unanswered_ms
        };
        assert_eq!(told(Some(40), Some(900)), Some(900));
        assert_eq!(told(Some(40), None), Some(40));
        assert_eq!(told(None, None), None);
    }
}
