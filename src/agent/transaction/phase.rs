//! Where the conversation of a transaction is: what came, and so what may be asked next.

use std::time::Instant;

use crate::agent::activate::Pending;
use crate::agent::runtimes::Incoming;
use crate::agent::stage::{self, Stage};
use crate::model::{Failure, ReleaseId};
use crate::wire::{Offer, ToAgent};

/// The largest index that is taken, compressed, bytes: some millions of files.
const MAX_INDEX: usize = 256 << 20;

/// Where the conversation is. Bulk data means what the phase says: an index, or what the artifact
/// needs.
pub(super) enum Phase {
    /// Nothing is on its way, and nothing was switched.
    Idle,
    /// An artifact is offered, and its index is on its way.
    Offered(Box<Offered>),
    /// What the artifact needs is on its way.
    Receiving(Box<Receiving>),
    /// What was offered came to nothing. What is on its way still is passed over.
    Refused,
    /// A release is here, and nobody has switched to it.
    Staged(ReleaseId),
    /// It is switched to and proven. It may go back.
    Proven(Proven),
}

/// An artifact whose index is on its way.
pub(super) struct Offered {
    pub(super) offer: Offer,
    /// As far as it came.
    pub(super) index: Vec<u8>,
    pub(super) incoming: Incoming,
}

/// An artifact whose content and runtimes are on their way.
pub(super) struct Receiving {
    pub(super) stage: Stage,
    pub(super) incoming: Incoming,
}

/// A switch that is proven here and waits for the fleet.
#[derive(Clone, Copy)]
pub(super) struct Proven {
    pub(super) pending: Pending,
    /// When it was proven.
    pub(super) at: Instant,
}

impl Phase {
    /// What is going on, for a refusal.
    fn name(&self) -> &'static str {
        match self {
            Self::Idle => "nothing is offered and nothing is switched",
            Self::Offered(_) => "an index is on its way",
            Self::Receiving(_) => "a release is on its way",
            Self::Refused => "what was offered came to nothing",
            Self::Staged(_) => "a release is staged",
            Self::Proven(_) => "a release is proven and not final",
        }
    }

    /// Whether `request` may come now. A transaction can be ended, and sent back, at any time.
    fn accepts(&self, request: &ToAgent) -> bool {
        match request {
            ToAgent::Revert { .. } | ToAgent::End => true,
            ToAgent::Offer(_) => matches!(self, Self::Idle | Self::Refused),
            ToAgent::DataEnd => {
                matches!(self, Self::Offered(_) | Self::Receiving(_) | Self::Refused)
            }
            ToAgent::Archive { .. } | ToAgent::Content => {
                matches!(self, Self::Receiving(_) | Self::Refused)
            }
            ToAgent::Publish(_) => matches!(self, Self::Receiving(_)),
            ToAgent::Seed(_) | ToAgent::Hook(_) => {
                matches!(self, Self::Idle | Self::Staged(_) | Self::Proven(_))
            }
            ToAgent::Activate(_) => matches!(self, Self::Idle | Self::Staged(_)),
            ToAgent::Service { .. } => matches!(self, Self::Idle),
            ToAgent::Watch { .. }
            | ToAgent::Present
            | ToAgent::Precommit
            | ToAgent::Commit { .. } => matches!(self, Self::Proven(_)),
            _ => false,
        }
    }

    /// Refuses `request` by name unless it may come now.
    ///
    /// # Errors
    /// Unexpected: the other end does not keep to the conversation.
    pub(super) fn check(&self, request: &ToAgent) -> Result<(), Failure> {
        match self.accepts(request) {
            true => Ok(()),
            false => Err(self.refuse(&request.name())),
        }
    }

    fn refuse(&self, what: &str) -> Failure {
        Failure::unexpected(format!("`{what}` does not belong here: {}", self.name()))
    }

    /// What is proven here.
    ///
    /// # Errors
    /// Unexpected, where nothing is.
    pub(super) fn proven(&self) -> Result<Proven, Failure> {
        match self {
            Self::Proven(proven) => Ok(*proven),
            _ => Err(Failure::unexpected("nothing is proven here")),
        }
    }

    /// Takes a piece of what is on its way.
    ///
    /// # Errors
    /// When it cannot be written, or nothing should come.
    pub(super) fn data(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Offered(offered) => {
                if offered.index.len() + bytes.len() > MAX_INDEX {
                    return Err(Failure::unexpected("the artifact's index is too large"));
                }
                offered.index.extend_from_slice(bytes);
                Ok(())
            }
            Self::Receiving(receiving) => match receiving.incoming.is_receiving() {
                true => receiving.incoming.push(bytes).map_err(stage::or_full),
                false => receiving.stage.push(bytes),
            },
            Self::Refused => Ok(()),
            Self::Idle | Self::Staged(_) | Self::Proven(_) => Err(self.refuse("data")),
        }
    }

    /// What was on its way comes to nothing; a release that is here stays.
    pub(super) fn fail(&mut self) {
        if matches!(self, Self::Offered(_) | Self::Receiving(_)) {
            *self = Self::Refused;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::switch_plan::SwitchPlan;
    use crate::wire::ServiceAction;

    fn proven() -> Phase {
        let (from, to, plan) = (None, ReleaseId(1), SwitchPlan::InPlace);
        Phase::Proven(Proven {
            pending: Pending { from, to, plan },
            at: Instant::now(),
        })
    }

    #[test]
    fn each_phase_refuses_what_does_not_belong_to_it_by_name() {
        let requests = [
            ToAgent::Content,
            ToAgent::DataEnd,
            ToAgent::Watch { ms: 1 },
            ToAgent::Present,
            ToAgent::Precommit,
            ToAgent::Commit { keep: 1 },
            ToAgent::Revert { why: String::new() },
            ToAgent::End,
            ToAgent::Service {
                action: ServiceAction::Stop,
                services: Vec::new(),
            },
            ToAgent::Status,
        ];
        let accepted = |phase: &Phase| -> Vec<String> {
            let accepted = requests.iter().filter(|it| phase.check(it).is_ok());
            accepted.map(ToAgent::name).collect()
        };
        let always = ["revert", "end"];
        assert_eq!(accepted(&Phase::Idle), ["revert", "end", "service"]);
        assert_eq!(accepted(&Phase::Staged(ReleaseId(1))), always);
        assert_eq!(
            accepted(&Phase::Refused),
            ["content", "data-end", "revert", "end"]
        );
        assert_eq!(
            accepted(&proven()),
            ["watch", "present", "precommit", "commit", "revert", "end"]
        );
        let refused = Phase::Idle.check(&ToAgent::Precommit).unwrap_err();
        assert_eq!(
            refused.message(),
            "`precommit` does not belong here: nothing is offered and nothing is switched"
        );
    }

    #[test]
    fn data_is_passed_over_only_where_something_was_refused() {
        assert!(Phase::Refused.data(b"x").is_ok());
        assert!(Phase::Idle.data(b"x").is_err());
        assert!(proven().data(b"x").is_err());
    }

    #[test]
    fn a_failure_leaves_what_is_here() {
        let mut phase = Phase::Staged(ReleaseId(1));
        phase.fail();
        assert!(matches!(phase, Phase::Staged(_)));
    }
}
