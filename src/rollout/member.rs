//! A member of a rollout: what the policy asks of a target, whatever kind it is. A host that is
//! reached over SSH is one ([`HostLink`]); how a release comes to it is each kind's own.

use tokio::sync::watch;

use super::link::{HostLink, unasked};
use crate::model::{Failure, FailureKind, HostName, ReleaseId};
use crate::wire::{ActivateRequest, Activated, FromAgent, HookRequest, ToAgent};

/// How a member answered.
#[derive(Debug)]
pub enum Answer {
    /// It came to an end there, with this.
    Ended(Box<Activated>),
    /// Nothing was changed there by it.
    Refused(Failure),
    /// The connection was lost on the way.
    Lost(Failure),
}

/// A target of a rollout. Its lock is held, and the release is there.
#[expect(
    async_fn_in_trait,
    reason = "a rollout polls its members itself, and sends them nowhere"
)]
pub trait Member {
    /// Its name.
    fn name(&self) -> &HostName;

    /// The release that was live there when the rollout began.
    fn live(&self) -> Option<ReleaseId>;

    /// Bytes that were sent to it so far.
    fn sent(&self) -> u64;

    /// Switches to a release and proves it; puts the one before back where that fails.
    async fn activate(&mut self, request: &ActivateRequest) -> Answer;

    /// Watches what is proven there for `ms` milliseconds, or until `enough` turns `true`.
    async fn watch(&mut self, ms: u64, enough: watch::Receiver<bool>) -> Answer;

    /// Runs a hook of the release.
    ///
    /// # Errors
    /// When it fails, or the member cannot be reached.
    async fn hook(&mut self, hook: &HookRequest) -> Result<(), Failure>;

    /// Whether what was proven is still there, and is heard.
    ///
    /// # Errors
    /// What it answered instead.
    async fn present(&mut self) -> Result<(), Answer>;

    /// All members have proven the release: from now on it stays there, whatever dies.
    ///
    /// # Errors
    /// What it answered instead.
    async fn precommit(&mut self) -> Result<(), Answer>;

    /// The release is good. The newest `keep` good ones stay.
    ///
    /// # Errors
    /// What it answered instead.
    async fn commit(&mut self, keep: u32) -> Result<(), Answer>;

    /// Goes back to the release from before. `why` is for its history.
    async fn revert(&mut self, why: &str) -> Answer;

    /// Ends a rollout that changed nothing there.
    async fn end(&mut self);

    /// How it ended there while nothing was asked of it, if it did.
    fn told(&mut self) -> Option<Box<Activated>>;

    /// Hears what it says while nothing is asked of it. Never ends; can be given up at any moment.
    async fn tend(&mut self);
}

impl Answer {
    fn of(host: &HostName, answered: Result<FromAgent, Failure>) -> Self {
        match answered {
            Ok(FromAgent::Ended(None)) => Self::Refused(
                Failure::new(
                    FailureKind::Reverted,
                    "what was begun there has ended, and nothing had been switched: it heard \
                     nothing of this machine for too long, or its process died",
                )
                .on(host),
            ),
            answered => Self::after_proof(host, answered),
        }
    }

    /// The same of a host where the release was proven: something had been switched.
    fn after_proof(host: &HostName, answered: Result<FromAgent, Failure>) -> Self {
        match answered {
            Ok(FromAgent::Activated(ended) | FromAgent::Ended(Some(ended))) => Self::Ended(ended),
            Ok(other) => Self::Refused(unasked(host, &other)),
            Err(failure) if failure.kind == FailureKind::Unreachable => Self::Lost(failure),
            Err(failure) => Self::Refused(failure),
        }
    }
}

impl HostLink {
    /// Asks for something whose only good answer is that it is done.
    async fn decide(&mut self, request: &ToAgent, what: &str) -> Result<(), Answer> {
        match self.ask(request, what).await {
            Ok(FromAgent::Done) => Ok(()),
            answered => Err(Answer::after_proof(&self.host, answered)),
        }
    }
}

impl Member for HostLink {
    fn name(&self) -> &HostName {
        &self.host
    }

    fn live(&self) -> Option<ReleaseId> {
        self.facts.current
    }

    fn sent(&self) -> u64 {
        Self::sent(self)
    }

    async fn activate(&mut self, request: &ActivateRequest) -> Answer {
        let request = ToAgent::Activate(request.clone());
        let answered = self.ask(&request, "activate").await;
        Answer::of(&self.host, answered)
    }

    async fn watch(&mut self, ms: u64, enough: watch::Receiver<bool>) -> Answer {
        let answered = Self::watch(self, ms, enough).await;
        Answer::of(&self.host, answered)
    }

    async fn hook(&mut self, hook: &HookRequest) -> Result<(), Failure> {
        match self.ask(&ToAgent::Hook(hook.clone()), "hook").await? {
            FromAgent::Done => Ok(()),
            other => Err(unasked(&self.host, &other)),
        }
    }

    async fn present(&mut self) -> Result<(), Answer> {
        match self.ask(&ToAgent::Present, "muster").await {
            Ok(FromAgent::Done) => Ok(()),
            answered => Err(Answer::of(&self.host, answered)),
        }
    }

    async fn precommit(&mut self) -> Result<(), Answer> {
        self.decide(&ToAgent::Precommit, "precommit").await
    }

    async fn commit(&mut self, keep: u32) -> Result<(), Answer> {
        self.decide(&ToAgent::Commit { keep }, "commit").await
    }

    async fn revert(&mut self, why: &str) -> Answer {
        let why = why.to_owned();
        let answered = self.ask(&ToAgent::Revert { why }, "revert").await;
        Answer::after_proof(&self.host, answered)
    }

    async fn end(&mut self) {
        Self::end(self).await;
    }

    fn told(&mut self) -> Option<Box<Activated>> {
        let told = Self::told(self)?;
        match Answer::of(&self.host, Ok(told)) {
            Answer::Ended(ended) => Some(ended),
            Answer::Refused(_) | Answer::Lost(_) => None,
        }
    }

    async fn tend(&mut self) {
        Self::tend(self).await;
    }
}
