//! Activating a release across the hosts: wave by wave, then commit everywhere, or put everything
//! back as the policy says.

use std::time::Instant;

use super::conclude::{Conclusion, HostEnd, kind, outcome};
use super::context::Context;
use super::fleet::on_each;
use super::hook::run_hook;
use super::member::{Answer, Member};
use super::plan::{Plan, Wave};
use crate::model::event::Verb;
use crate::model::{Failure, FailureKind, HostName, ReleaseId};
use crate::project::OnFailure;
use crate::wire::{ActivateRequest, Activated};

/// An activation across the fleet. The locks are held, the release is on every member.
#[derive(Debug)]
pub struct Switch<'a, M> {
    /// The context.
    pub context: &'a Context,
    /// The members, in the order of the manifest.
    pub members: &'a mut [M],
    /// What is done to them.
    pub plan: &'a Plan,
    /// When the command began.
    pub started: Instant,
}

/// How far it got.
struct Course {
    ends: Vec<HostEnd>,
    /// The first failure, and where.
    failure: Option<(HostName, Failure)>,
    /// How many hosts failed.
    failed: usize,
}

impl Course {
    /// Nothing was done yet.
    fn of<M: Member>(members: &[M]) -> Self {
        let untouched = |member: &M| HostEnd::Untouched {
            current: member.live(),
        };
        Self {
            ends: members.iter().map(untouched).collect(),
            failure: None,
            failed: 0,
        }
    }

    /// The hosts that are on the new release.
    fn done(&self) -> impl Iterator<Item = usize> {
        let ends = self.ends.iter().enumerate();
        ends.filter(|(_, end)| end.done()).map(|(at, _)| at)
    }
}

impl<M: Member> Switch<'_, M> {
    /// Does it.
    pub async fn run(mut self) -> Conclusion {
        let mut course = Course::of(self.members);
        for wave in self.plan.waves.clone() {
            if self.context.cancelled() {
                break;
            }
            let answers = self.activate(&wave).await;
            self.hear(&mut course, answers);
            if !self.goes_on(&course) {
                break;
            }
            if wave.bake_ms > 0 {
                let first = course.done().filter(|at| wave.hosts.contains(at)).collect();
                let answers = self.bake(first, wave.bake_ms).await;
                self.hear(&mut course, answers);
                if !self.goes_on(&course) {
                    break;
                }
            }
        }
        if course.failure.is_none() && !self.context.cancelled() {
            course.failure = self.run_hooks().await;
        }
        if !self.goes_back(&course) && self.plan.watch_ms > 0 {
            let all = course.done().collect();
            let answers = self.watch(all, self.plan.watch_ms).await;
            self.hear(&mut course, answers);
        }
        if !self.goes_back(&course) {
            let answers = self.muster(course.done().collect()).await;
            self.hear(&mut course, answers);
        }
        let failed = course.failure.is_some() && self.plan.on_failure == OnFailure::RevertAll;
        let interrupted = self.is_interrupted(&course, failed);
        let Course {
            mut ends,
            mut failure,
            ..
        } = course;
        if interrupted || failed {
            // What the stop made fail, or came before it and was tolerated, is not why.
            let cause = failure.as_ref().filter(|_| !interrupted);
            self.revert(&mut ends, cause).await;
        } else {
            self.confirm(&mut ends, &mut failure).await;
        }
        self.conclude(ends, failure, interrupted)
    }

    /// Takes in what hosts answered to an activation or a watch, and what those have said meanwhile
    /// that were done: one that went back by itself has failed, too.
    fn hear(&mut self, course: &mut Course, mut answers: Vec<(usize, Answer)>) {
        let asked: Vec<usize> = answers.iter().map(|(at, _)| *at).collect();
        for at in course.done().filter(|at| !asked.contains(at)) {
            if let Some(ended) = self.members[at].told() {
                answers.push((at, Answer::Ended(ended)));
            }
        }
        for (at, answer) in answers {
            let member = &self.members[at];
            let failure = match answer {
                Answer::Ended(activated) => {
                    let failure = (!activated.ok).then(|| why_not(&activated));
                    course.ends[at].report(activated);
                    failure
                }
                Answer::Refused(failure) => Some(failure),
                Answer::Lost(failure) => {
                    let unless = match self.may_commit_itself() {
                        Some(_) => ", unless it was proven already",
                        None => "",
                    };
                    let why = format!("{}; it goes back by itself{unless}", failure.message());
                    let was = member.live();
                    course.ends[at] = HostEnd::Unknown { was, why };
                    Some(failure)
                }
            };
            if let Some(failure) = failure {
                course.failed += 1;
                let host = member.name().clone();
                course.failure.get_or_insert((host, failure));
            }
        }
    }

    /// Whether more hosts may be touched.
    fn goes_on(&self, course: &Course) -> bool {
        let most = self.context.environment.rollout.max_failures as usize;
        let tolerated = self.plan.on_failure == OnFailure::Continue && course.failed <= most;
        course.failure.is_none() || tolerated
    }

    /// Whether what was done will not stay.
    fn goes_back(&self, course: &Course) -> bool {
        let failed = course.failure.is_some() && self.plan.on_failure == OnFailure::RevertAll;
        failed || self.context.cancelled()
    }

    /// Whether a stop was asked for in time: what is final is not interrupted any more, and from here
    /// on neither is what stays.
    fn is_interrupted(&self, course: &Course, failed: bool) -> bool {
        if course.ends.iter().any(HostEnd::committed) {
            return false;
        }
        match failed {
            true => self.context.cancelled(),
            false => !self.context.stop.decide(self.plan.release),
        }
    }

    /// A host that is the whole fleet has nobody to wait for: how many good releases it keeps when
    /// it commits by itself.
    fn may_commit_itself(&self) -> Option<u32> {
        let only = self.members.len() == 1;
        (only && self.plan.after.is_empty() && self.plan.watch_ms == 0).then_some(self.plan.keep)
    }

    async fn activate(&mut self, wave: &Wave) -> Vec<(usize, Answer)> {
        let request = &ActivateRequest {
            release: self.plan.release,
            settle: self.plan.settle,
            commit: self.may_commit_itself(),
        };
        let asked = on_each(
            self.members.iter_mut(),
            async |at, member: &mut M| match wave.hosts.contains(&at) {
                true => Some((at, member.activate(request).await)),
                false => None,
            },
        );
        asked.await.into_iter().flatten().collect()
    }

    async fn run_hooks(&mut self) -> Option<(HostName, Failure)> {
        for hook in &self.plan.after {
            if let Err(failed) = run_hook(self.members, hook, self.plan.release).await {
                return Some(failed);
            }
        }
        None
    }

    fn conclude(
        self,
        ends: Vec<HostEnd>,
        failure: Option<(HostName, Failure)>,
        interrupted: bool,
    ) -> Conclusion {
        let names = self.members.iter().map(|member| member.name().clone());
        let ends: Vec<(HostName, HostEnd)> = names.zip(ends).collect();
        let sent = self.members.iter().map(Member::sent).sum();
        // What is final everywhere was not interrupted: the host was quicker.
        let interrupted = interrupted && !ends.iter().all(|(_, end)| end.committed());
        let went_back = failure.is_some() || interrupted;
        let stays = ends.iter().any(|(_, end)| end.done());
        let verb = if went_back && !stays {
            Verb::Reverted
        } else {
            self.plan.verb
        };
        let outcome = outcome(verb, Some(self.plan.release), &ends, self.started, sent);
        if !went_back {
            self.context.stop.settle(self.plan.release);
            return Conclusion {
                outcome,
                failure: None,
            };
        }
        let policy = (!interrupted).then_some(self.plan.on_failure);
        let kind = kind(&ends, interrupted);
        let message = match (&failure, kind) {
            (None, _) | (_, FailureKind::Interrupted) => "interrupted".to_owned(),
            (Some((host, _)), _) => {
                let end = ends.iter().find(|(of, _)| of == host);
                what_failed(self.plan.release, host, end.map(|(_, end)| end))
            }
        };
        let mut whole = Failure::new(
            kind,
            format!("{message}{}", what_is_true(kind, policy, &ends)),
        );
        if let Some((_, failure)) = failure {
            whole.details.push(failure.message());
            whole.details.extend(failure.details);
            whole.hint = failure.hint;
        }
        Conclusion {
            outcome,
            failure: Some(whole),
        }
    }
}

/// The failure of `release` on `host`, which came to this `end`. A release that was only staged there
/// did not fail by itself.
pub(super) fn what_failed(release: ReleaseId, host: &HostName, end: Option<&HostEnd>) -> String {
    match end {
        Some(HostEnd::Untouched { .. }) => format!("{release} was not activated on {host}"),
        _ => format!("{release} failed on {host}"),
    }
}

/// What the hosts are on; `policy` is what decided that, unless it was interrupted.
fn what_is_true(
    kind: FailureKind,
    policy: Option<OnFailure>,
    ends: &[(HostName, HostEnd)],
) -> &'static str {
    let before = ends.iter().filter(|(_, end)| end.was().is_some()).count();
    match kind {
        FailureKind::Reverted if before == 0 => {
            "; there was no release before, so the service is stopped"
        }
        FailureKind::Reverted if before < ends.len() => {
            "; the hosts that had a release before serve it, the others serve nothing"
        }
        FailureKind::Reverted => "; the previous release is serving",
        FailureKind::Interrupted => "; every host is on the release that it was on",
        FailureKind::Partial if matches!(policy, None | Some(OnFailure::RevertAll)) => {
            "; the hosts where it was final already stay on it"
        }
        FailureKind::Partial => "; the hosts that were done stay on it, as the policy says",
        _ => "; at least one host needs you",
    }
}

pub(super) fn why_not(activated: &Activated) -> Failure {
    Failure::new(
        FailureKind::Reverted,
        activated
            .why
            .clone()
            .unwrap_or_else(|| "not healthy".to_owned()),
    )
}

#[cfg(test)]
#[path = "switch_tests.rs"]
mod tests;
