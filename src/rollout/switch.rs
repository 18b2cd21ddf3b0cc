//! Activating a release across the hosts: wave by wave, then commit everywhere, or put everything
//! back as the policy says.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::conclude::{Conclusion, HostEnd, kind, outcome};
use super::fleet::{Context, Fleet};
use super::hook::run_hook;
use super::link::{HostLink, unasked};
use super::plan::{Wave, waves};
use crate::model::event::Event;
use crate::model::{Failure, FailureKind, HostName, ReleaseId};
use crate::project::{Hook, OnFailure, Strategy};
use crate::wire::{ActivateRequest, Activated, FromAgent, ToAgent};

/// An activation across the fleet. The locks are held, the release is on every host.
#[derive(Debug)]
pub struct Switch<'a> {
    /// The context.
    pub context: &'a Context,
    /// The hosts.
    pub fleet: &'a mut Fleet,
    /// To which release.
    pub release: ReleaseId,
    /// Whether the settle time is waited for.
    pub settle: bool,
    /// In which order.
    pub strategy: Strategy,
    /// What when a host fails.
    pub on_failure: OnFailure,
    /// `deployed` or `rolled back`.
    pub verb: &'a str,
    /// Hooks that run when every host is proven, before anything is final: one that fails is a
    /// failure of the rollout.
    pub after: &'a [Hook],
    /// When the command began.
    pub started: Instant,
    /// How many good releases stay.
    pub keep: u32,
}

/// How one host answered to an activation.
enum Answer {
    Ended(Activated),
    /// Nothing was changed there.
    Refused(Failure),
    /// The connection was lost on the way.
    Lost(Failure),
}

impl Switch<'_> {
    /// Does it.
    pub async fn run(mut self) -> Conclusion {
        let mut ends: Vec<HostEnd> = self
            .fleet
            .hosts
            .iter()
            .map(|host| HostEnd::Untouched {
                current: host.facts.current,
            })
            .collect();
        let mut first_failure: Option<(HostName, Failure)> = None;
        let mut failed_hosts = 0;
        for wave in waves(self.fleet.hosts.len(), self.strategy) {
            if self.context.cancelled() {
                break;
            }
            for (at, answer) in self.activate(&wave).await {
                let host = self.fleet.hosts[at].host.clone();
                let was = self.fleet.hosts[at].facts.current;
                match answer {
                    Answer::Ended(activated) => {
                        if !activated.ok {
                            failed_hosts += 1;
                            first_failure.get_or_insert_with(|| (host, why_not(&activated)));
                        }
                        ends[at] = HostEnd::Reported(Box::new(activated));
                    }
                    Answer::Refused(failure) => {
                        failed_hosts += 1;
                        first_failure.get_or_insert((host, failure));
                    }
                    Answer::Lost(failure) => {
                        failed_hosts += 1;
                        let unless = match self.may_commit_itself() {
                            Some(_) => ", unless it was proven already",
                            None => "",
                        };
                        let why = format!("{}; it goes back by itself{unless}", failure.message);
                        ends[at] = HostEnd::Unknown { was, why };
                        first_failure.get_or_insert((host, failure));
                    }
                }
            }
            let tolerated = self.on_failure == OnFailure::Continue
                && failed_hosts <= self.context.environment.rollout.max_failures as usize;
            if first_failure.is_some() && !tolerated {
                break;
            }
            if first_failure.is_none() && wave.bake_ms > 0 {
                self.bake(wave.bake_ms).await;
            }
        }
        if first_failure.is_none() && !self.context.cancelled() {
            first_failure = self.run_hooks().await;
        }
        // What is final is not interrupted any more.
        let interrupted = self.context.cancelled() && !ends.iter().any(HostEnd::committed);
        let revert =
            interrupted || (first_failure.is_some() && self.on_failure == OnFailure::RevertAll);
        if revert {
            self.revert(&mut ends, first_failure.as_ref()).await;
        } else {
            self.confirm(&mut ends, &mut first_failure).await;
        }
        self.conclude(ends, first_failure, interrupted)
    }

    /// A host that is the whole fleet has nobody to wait for: how many good releases it keeps when
    /// it commits by itself.
    fn may_commit_itself(&self) -> Option<u32> {
        (self.fleet.hosts.len() == 1 && self.after.is_empty()).then_some(self.keep)
    }

    async fn activate(&mut self, wave: &Wave) -> Vec<(usize, Answer)> {
        let request = ToAgent::Activate(ActivateRequest {
            release: self.release,
            settle: self.settle,
            commit: self.may_commit_itself(),
        });
        let asked = self
            .fleet
            .hosts
            .iter_mut()
            .enumerate()
            .filter(|(at, _)| wave.hosts.contains(at))
            .map(|(at, host)| {
                let request = &request;
                async move { (at, activate_one(host, request).await) }
            });
        join_all(asked).await
    }

    async fn run_hooks(&mut self) -> Option<(HostName, Failure)> {
        for hook in self.after {
            if let Err(failed) = run_hook(self.fleet, hook, self.release).await {
                return Some(failed);
            }
        }
        None
    }

    async fn bake(&self, ms: u64) {
        self.context.sink.emit(Event::Note {
            text: format!(
                "the first hosts are watched for {} s before the others follow",
                ms / 1000
            ),
        });
        let mut cancel = self.context.cancel.clone();
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(ms)) => {}
            _ = cancel.wait_for(|on| *on) => {}
        }
    }

    /// Puts back every host that is on the new release. Every one is attempted.
    async fn revert(&mut self, ends: &mut [HostEnd], cause: Option<&(HostName, Failure)>) {
        let why = match cause {
            Some((host, _)) => format!("{} failed on {host}", self.release),
            None => "interrupted".to_owned(),
        };
        // A host that failed has gone back by itself already.
        let others = ends.iter().any(HostEnd::done);
        if let Some((host, _)) = cause.filter(|_| others) {
            self.context.sink.emit(Event::Reverting {
                release: self.release,
                host: host.clone(),
            });
        }
        let request = ToAgent::Revert { why };
        let asked = self
            .fleet
            .hosts
            .iter_mut()
            .zip(ends.iter_mut())
            .map(|(host, end)| {
                let request = &request;
                async move {
                    match end {
                        HostEnd::Reported(activated) if activated.ok => {
                            let was = activated.was;
                            *end = match host.ask(request, "revert").await {
                                Ok(FromAgent::Activated(back) | FromAgent::Ended(Some(back))) => {
                                    HostEnd::Reported(back)
                                }
                                Ok(other) => HostEnd::Unknown {
                                    was,
                                    why: unasked(&host.host, &other).message,
                                },
                                Err(failure) => HostEnd::Unknown {
                                    was,
                                    why: failure.message,
                                },
                            };
                        }
                        HostEnd::Unknown { .. } => {}
                        HostEnd::Reported(_) | HostEnd::Untouched { .. } => {
                            host.end().await;
                        }
                    }
                }
            });
        join_all(asked).await;
    }

    /// Makes the release final. Several hosts are told first that all have proven it, so that none
    /// goes back by itself any more; one that cannot be told is a failure of the rollout.
    async fn confirm(&mut self, ends: &mut [HostEnd], failure: &mut Option<(HostName, Failure)>) {
        let open = ends.iter().filter(|end| end.done() && !end.committed());
        if open.count() > 1 {
            let untold = self.precommit(ends).await;
            let back = untold.is_some() && self.on_failure == OnFailure::RevertAll;
            *failure = failure.take().or(untold);
            if back {
                self.revert(ends, failure.as_ref()).await;
                return;
            }
        }
        self.commit(ends, failure).await;
    }

    /// Tells every host where the release is proven that it is proven on all.
    async fn precommit(&mut self, ends: &mut [HostEnd]) -> Option<(HostName, Failure)> {
        let hosts = self.fleet.hosts.iter_mut().zip(ends.iter_mut());
        let asked = hosts
            .filter(|(_, end)| end.done())
            .map(|(host, end)| async move {
                let failure = match host.ask(&ToAgent::Precommit, "precommit").await {
                    Ok(FromAgent::Done) => return None,
                    Ok(FromAgent::Ended(Some(ended))) => {
                        let failure = why_not(&ended);
                        *end = HostEnd::Reported(ended);
                        failure
                    }
                    Ok(other) => unasked(&host.host, &other),
                    Err(failure) => {
                        let (was, why) = (end.was(), failure.message.clone());
                        *end = HostEnd::Unknown { was, why };
                        failure
                    }
                };
                Some((host.host.clone(), failure))
            });
        join_all(asked).await.into_iter().flatten().next()
    }

    /// Makes the release good where it is live, and ends the transaction elsewhere.
    async fn commit(&mut self, ends: &mut [HostEnd], failure: &mut Option<(HostName, Failure)>) {
        let commit = ToAgent::Commit { keep: self.keep };
        let release = self.release;
        let asked = self
            .fleet
            .hosts
            .iter_mut()
            .zip(ends.iter_mut())
            .map(|(host, end)| {
                let commit = &commit;
                async move {
                    if end.committed() {
                        return None;
                    }
                    if !end.done() {
                        if !matches!(end, HostEnd::Unknown { .. }) {
                            host.end().await;
                        }
                        return None;
                    }
                    match host.ask(commit, "commit").await {
                        Ok(FromAgent::Done) => None,
                        Ok(FromAgent::Ended(Some(ended))) => {
                            let failure = (!ended.ok).then(|| why_not(&ended));
                            *end = HostEnd::Reported(ended);
                            failure.map(|failure| (host.host.clone(), failure))
                        }
                        Ok(other) => Some((host.host.clone(), unasked(&host.host, &other))),
                        Err(failure) => {
                            *end = HostEnd::Unknown {
                                was: end.was(),
                                why: format!(
                                    "{release} was proven there, but could not be confirmed: {}",
                                    failure.message
                                ),
                            };
                            Some((host.host.clone(), failure))
                        }
                    }
                }
            });
        for failed in join_all(asked).await.into_iter().flatten() {
            failure.get_or_insert(failed);
        }
    }

    fn conclude(
        self,
        ends: Vec<HostEnd>,
        failure: Option<(HostName, Failure)>,
        interrupted: bool,
    ) -> Conclusion {
        let ends: Vec<(HostName, HostEnd)> = self.fleet.names().into_iter().zip(ends).collect();
        let sent = self.fleet.hosts.iter().map(HostLink::sent).sum();
        let went_back = failure.is_some() || interrupted;
        let verb = if went_back { "reverted" } else { self.verb };
        let outcome = outcome(verb, Some(self.release), &ends, self.started, sent);
        if !went_back {
            return Conclusion {
                outcome,
                failure: None,
            };
        }
        let partial = self.on_failure != OnFailure::RevertAll;
        let kind = kind(&ends, interrupted, partial);
        let message = match (&failure, kind) {
            (None, _) => "interrupted".to_owned(),
            (Some((host, _)), _) => format!("{} failed on {host}", self.release),
        };
        let mut whole = Failure::new(kind, format!("{message}{}", what_is_true(kind, &ends)));
        if let Some((_, failure)) = failure {
            whole.details.push(failure.message);
            whole.details.extend(failure.details);
            whole.hint = failure.hint;
        }
        Conclusion {
            outcome,
            failure: Some(whole),
        }
    }
}

fn what_is_true(kind: FailureKind, ends: &[(HostName, HostEnd)]) -> &'static str {
    let nothing_before = ends.iter().all(|(_, end)| end.was().is_none());
    match kind {
        FailureKind::Reverted if nothing_before => {
            "; there was no release before, so the service is stopped"
        }
        FailureKind::Reverted => "; the previous release is serving",
        FailureKind::Interrupted => "; every host is on the release that it was on",
        FailureKind::Partial => "; the hosts that were done stay on it, as the policy says",
        _ => "; at least one host needs you",
    }
}

async fn activate_one(host: &mut HostLink, request: &ToAgent) -> Answer {
    match host.ask(request, "activate").await {
        Ok(FromAgent::Activated(ended) | FromAgent::Ended(Some(ended))) => Answer::Ended(*ended),
        Ok(FromAgent::Ended(None)) => Answer::Refused(Failure::new(
            FailureKind::Reverted,
            format!("{}: the host gave up waiting for this machine", host.host),
        )),
        Ok(other) => Answer::Refused(unasked(&host.host, &other)),
        Err(failure) if failure.kind == FailureKind::Unreachable => Answer::Lost(failure),
        Err(failure) => Answer::Refused(failure),
    }
}

fn why_not(activated: &Activated) -> Failure {
    Failure::new(
        FailureKind::Reverted,
        activated
            .why
            .clone()
            .unwrap_or_else(|| "not healthy".to_owned()),
    )
}
