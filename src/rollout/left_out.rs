//! Hosts that a command goes on without, because they cannot be reached.

use super::conclude::Ended;
use super::context::Context;
use super::fleet::{Compares, Fleet, whole};
use crate::model::event::{HostEvent, HostOutcome, Outcome};
use crate::model::{Failure, FailureKind, HostName};

/// The hosts that were left out, each with what was said of it, in the order of the manifest.
#[derive(Debug, Clone, Default)]
pub struct LeftOut(Vec<(HostName, Failure)>);

impl LeftOut {
    /// Connects to every host at the same time; those that cannot be reached or do not authenticate
    /// are left out, with a warning each, if `skip` says so.
    ///
    /// # Errors
    /// When one cannot be reached that is not left out: with another host key than the known one none
    /// is; when none can be reached at all.
    pub async fn connect(
        context: &Context,
        skip: bool,
        compares: Compares,
    ) -> Result<(Fleet, Self), Failure> {
        if !skip {
            return Self::connect_all(context, compares).await;
        }
        let warn = |host: &HostName, failure: &Failure| {
            if Self::may_be(failure) {
                let text = format!("left out: {}", failure.cause);
                context.sink.host(host, HostEvent::Warning { text });
            }
        };
        let (fleet, failures) = Fleet::connect_each(context, compares, warn).await?;
        Ok((fleet, Self::of(context, failures)?))
    }

    async fn connect_all(context: &Context, compares: Compares) -> Result<(Fleet, Self), Failure> {
        let (fleet, failures) = Fleet::connect_each(context, compares, |_, _| {}).await?;
        let can_be = failures.iter().all(|(_, failure)| Self::may_be(failure));
        match whole(failures) {
            None => Ok((fleet, Self::default())),
            Some(failure) if can_be && !fleet.hosts.is_empty() => {
                Err(failure.detail("--skip-unreachable goes on without it"))
            }
            Some(failure) => Err(failure),
        }
    }

    /// Those that could not be connected to.
    ///
    /// # Errors
    /// The first one that must not be left out; the first one at all, when nobody is left.
    fn of(context: &Context, failures: Vec<(HostName, Failure)>) -> Result<Self, Failure> {
        let stays = |(_, failure): &&(HostName, Failure)| !Self::may_be(failure);
        if let Some((_, failure)) = failures.iter().find(stays) {
            return Err(failure.clone());
        }
        if failures.len() < context.environment.hosts.len() {
            return Ok(Self(failures));
        }
        Err(whole(failures).unwrap_or_else(Context::interrupted))
    }

    /// Whether a host with this failure can be left out: it cannot be reached, or does not let us
    /// in. One that shows another key than the known one cannot.
    #[must_use]
    pub fn may_be(failure: &Failure) -> bool {
        failure.kind == FailureKind::Unreachable && !failure.cause.is_about_host_key()
    }

    /// Whether nobody was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a command needs against the hosts that are left.
    #[must_use]
    pub fn rest(&self, context: &Context) -> Context {
        context.only(|host| self.0.iter().all(|(out, _)| out != host))
    }

    /// How a command ended that went on without these hosts: they have a row of their own, and what
    /// is done without them is partly done.
    ///
    /// # Errors
    /// As `result`; [`FailureKind::Partial`], when it was good.
    pub fn conclude(
        &self,
        context: &Context,
        result: Result<Outcome, Ended>,
    ) -> Result<Outcome, Ended> {
        if self.is_empty() {
            return result.map_err(|ended| partly_done(context, ended));
        }
        match result {
            Ok(mut outcome) => {
                let reached = outcome.hosts.len();
                self.add_rows(context, &mut outcome);
                let what = match outcome.release {
                    Some(release) => format!("{release} is live"),
                    None => outcome.verb.as_str().to_owned(),
                };
                let message = format!(
                    "{what} on {reached} of {} hosts; {}",
                    outcome.hosts.len(),
                    self.sentence()
                );
                Err(Ended {
                    failure: Failure::new(FailureKind::Partial, message)
                        .hint(resume_hint(context, "there again")),
                    outcome: Some(Box::new(outcome)),
                })
            }
            Err(mut ended) => {
                if let Some(outcome) = &mut ended.outcome {
                    self.add_rows(context, outcome);
                    ended.failure.details.push(self.sentence());
                }
                Err(partly_done(context, ended))
            }
        }
    }

    fn sentence(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(|(host, _)| host.short()).collect();
        match names.as_slice() {
            [only] => format!("{only} was not reached"),
            many => format!("{} were not reached", many.join(", ")),
        }
    }

    fn add_rows(&self, context: &Context, outcome: &mut Outcome) {
        let row = |(host, failure): &(HostName, Failure)| HostOutcome {
            host: host.clone(),
            was: None,
            is: None,
            healthy: None,
            why: Some(format!("not reached: {}", failure.cause)),
            unanswered_ms: None,
            by_hand: Vec::new(),
        };
        outcome.hosts.extend(self.0.iter().map(row));
        outcome.hosts.sort_by_key(|row| context.position(&row.host));
    }
}

/// What is partly done can be done on the other hosts later, where there are any: a hook may have
/// failed when all of them were done.
fn partly_done(context: &Context, mut ended: Ended) -> Ended {
    let is_behind = |outcome: &Outcome| outcome.hosts.iter().any(|row| row.is != outcome.release);
    let is_behind = ended.outcome.as_deref().is_some_and(is_behind);
    if ended.failure.kind == FailureKind::Partial && is_behind {
        ended.failure.hint = Some(resume_hint(context, "mended"));
    }
    ended
}

/// What brings up the hosts that are behind, when they are `ready` for it.
fn resume_hint(context: &Context, ready: &str) -> String {
    let environment = &context.environment.name;
    format!("brings up the rest when it is {ready}: ship deploy {environment} --resume")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Cause;

    #[test]
    fn a_host_with_another_key_is_never_left_out() {
        let why = || "no way".to_owned();
        for cause in [
            Cause::Connection { why: why() },
            Cause::Login { why: why() },
        ] {
            assert!(LeftOut::may_be(&Failure::from(cause)));
        }
        for cause in [
            Cause::HostKeyUnknown { why: why() },
            Cause::HostKeyChanged { why: why() },
        ] {
            assert!(!LeftOut::may_be(&Failure::from(cause)));
        }
        let refused = Failure::refused("current is a real folder");
        assert!(!LeftOut::may_be(&refused));
    }
}
