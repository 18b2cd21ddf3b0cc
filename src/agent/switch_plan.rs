//! The steps of a switch, as a value, and the words that the journal has for them. The driver walks
//! the plan, and the journal names it, so that whoever comes after a crash knows what may have been
//! done.

use serde::{Deserialize, Serialize};

/// How far an activation got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Instances are about to be started beside those of the release before.
    Starting,
    /// `current` is about to be switched.
    Flipping,
    /// The services are about to be restarted.
    Restarting,
    /// Requests are about to go to the new instances.
    Routing,
    /// The release is proven here; the fleet may not be.
    Proven,
    /// The release is proven on all hosts: from here on it stays, whatever dies.
    Precommitted,
    /// `current` is about to be put back, for a reason that is not the release's fault.
    Reverting,
    /// `current` is about to be put back: the release failed by itself.
    Failed,
    /// The end: the release is good.
    Committed,
    /// The end: the previous release is back, proven or not (that is in the history).
    Reverted,
}

impl Step {
    /// Whether nothing is left to restore after this step.
    #[must_use]
    pub fn is_end(self) -> bool {
        matches!(self, Self::Committed | Self::Reverted)
    }
}

/// A step of a switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// The new release's instances start beside those of the release before.
    Start,
    /// They are proven there. Nobody else asks them yet.
    ProveBeside,
    /// `current` leads to the new release.
    Flip,
    /// The services that the new release does not have are stopped.
    Stop,
    /// The services that have one instance are restarted.
    Restart,
    /// They are proven.
    Prove,
    /// New requests go to the new release's instances.
    Route,
    /// The instances of the release before finish the requests that they have.
    Drain,
    /// They are stopped.
    Retire,
}

impl Act {
    /// What the journal says before it.
    #[must_use]
    pub fn intention(self) -> Step {
        match self {
            Self::Start | Self::ProveBeside => Step::Starting,
            Self::Flip => Step::Flipping,
            Self::Stop | Self::Restart | Self::Prove => Step::Restarting,
            Self::Route => Step::Routing,
            // The release stays by then.
            Self::Drain | Self::Retire => Step::Precommitted,
        }
    }
}

/// How one release takes over from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SwitchPlan {
    /// Each service is restarted in its place.
    #[default]
    InPlace,
    /// The new release's instances run beside the old ones until they are proven; then requests go
    /// to them. No host does so yet: the decisions are walked already.
    Beside,
}

impl SwitchPlan {
    /// What leads to a release that is proven here, in this order.
    #[must_use]
    pub fn forth(self) -> &'static [Act] {
        match self {
            Self::InPlace => &[Act::Flip, Act::Stop, Act::Restart, Act::Prove],
            Self::Beside => &[
                Act::Start,
                Act::ProveBeside,
                Act::Flip,
                Act::Stop,
                Act::Restart,
                Act::Prove,
                Act::Route,
            ],
        }
    }

    /// What is done once the release stays: until then the way back must not need a start.
    #[must_use]
    pub fn afterwards(self) -> &'static [Act] {
        match self {
            Self::InPlace => &[],
            Self::Beside => &[Act::Drain, Act::Retire],
        }
    }

    /// The first word of the journal.
    #[must_use]
    pub fn first(self) -> Step {
        match self {
            Self::InPlace => Step::Flipping,
            Self::Beside => Step::Starting,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_plan_begins_with_its_first_word_and_flips_once() {
        for plan in [SwitchPlan::InPlace, SwitchPlan::Beside] {
            let acts = plan.forth();
            assert_eq!(acts[0].intention(), plan.first());
            let flips = acts.iter().filter(|act| **act == Act::Flip);
            assert_eq!(flips.count(), 1);
            let decided = |act: &Act| act.intention() == Step::Precommitted;
            assert!(!acts.iter().any(decided) && plan.afterwards().iter().all(decided));
        }
    }
}
