//! What becomes of an activation: final on every host, or back on every host.

use futures_util::future::join_all;

use super::conclude::HostEnd;
use super::fleet::on_each;
use super::member::{Answer, Member};
use super::switch::{Switch, what_failed, why_not};
use crate::model::event::Event;
use crate::model::{Failure, HostName};
use crate::project::OnFailure;
use crate::wire::Activated;

impl<M: Member> Switch<'_, M> {
    /// Puts back every host that is on the new release, unless it is final there. Every one is
    /// attempted.
    pub(super) async fn revert(
        &mut self,
        ends: &mut [HostEnd],
        cause: Option<&(HostName, Failure)>,
    ) {
        let end_of = |name: &HostName| {
            let mut names = self.members.iter().map(Member::name);
            names
                .position(|host| host == name)
                .and_then(|at| ends.get(at))
        };
        let why = match cause {
            Some((host, _)) => what_failed(self.plan.release, host, end_of(host)),
            None => "interrupted".to_owned(),
        };
        // A host that failed has gone back by itself already.
        let others = ends.iter().any(HostEnd::open);
        if let Some((host, _)) = cause.filter(|_| others) {
            self.context.sink.emit(Event::Reverting {
                release: self.plan.release,
                host: host.clone(),
                activated: !matches!(end_of(host), Some(HostEnd::Untouched { .. })),
            });
        }
        let asked = self
            .members
            .iter_mut()
            .zip(ends.iter_mut())
            .map(|(member, end)| {
                let why = &why;
                async move {
                    match end {
                        _ if end.open() => match member.revert(why).await {
                            Answer::Ended(back) => end.report(back),
                            Answer::Refused(failure) | Answer::Lost(failure) => {
                                let (was, why) = (end.was(), failure.message());
                                *end = HostEnd::Unknown { was, why };
                            }
                        },
                        // Out of reach, or final.
                        HostEnd::Unknown { .. } => {}
                        _ if end.committed() => {}
                        HostEnd::Reported(_) | HostEnd::Untouched { .. } => {
                            member.end().await;
                        }
                    }
                }
            });
        join_all(asked).await;
    }

    /// Asks each of `hosts` whether it is still there, before any is told that the release stays: one
    /// that is away is waited for, and a controller that died meanwhile would leave a fleet of two
    /// minds. What those say that are not; nobody is asked where the policy allows for two.
    pub(super) async fn muster(&mut self, hosts: Vec<usize>) -> Vec<(usize, Answer)> {
        if hosts.len() < 2 || self.plan.on_failure != OnFailure::RevertAll {
            return Vec::new();
        }
        let hosts = &hosts;
        let asked = on_each(self.members.iter_mut(), async |at, member: &mut M| {
            if !hosts.contains(&at) {
                return None;
            }
            let answer = member.present().await.err()?;
            Some((at, answer))
        });
        asked.await.into_iter().flatten().collect()
    }

    /// Makes the release final. Several hosts are told first that all have proven it, so that none
    /// goes back by itself any more; one that cannot be told is a failure of the rollout.
    pub(super) async fn confirm(
        &mut self,
        ends: &mut [HostEnd],
        failure: &mut Option<(HostName, Failure)>,
    ) {
        if ends.iter().filter(|end| end.open()).count() > 1 {
            let untold = self.precommit(ends).await;
            let back = untold.is_some() && self.plan.on_failure == OnFailure::RevertAll;
            *failure = failure.take().or(untold);
            if back {
                self.context.stop.reopen();
                self.revert(ends, failure.as_ref()).await;
                return;
            }
        }
        self.commit(ends, failure).await;
    }

    /// Tells every host where the release is proven that it is proven on all.
    async fn precommit(&mut self, ends: &mut [HostEnd]) -> Option<(HostName, Failure)> {
        let members = self.members.iter_mut().zip(ends.iter_mut());
        let asked = members
            .filter(|(_, end)| end.open())
            .map(|(member, end)| async move {
                let failure = match member.precommit().await.err()? {
                    // It went back by itself, or died and was repaired: from here on that is to stay.
                    Answer::Ended(ended) => ended_itself(end, ended)?,
                    Answer::Lost(failure) => {
                        let (was, why) = (end.was(), failure.message());
                        *end = HostEnd::Unknown { was, why };
                        failure
                    }
                    // It is there, and can be asked to go back.
                    Answer::Refused(failure) => failure,
                };
                Some((member.name().clone(), failure))
            });
        join_all(asked).await.into_iter().flatten().next()
    }

    /// Makes the release good where it is live, and ends the transaction elsewhere.
    async fn commit(&mut self, ends: &mut [HostEnd], failure: &mut Option<(HostName, Failure)>) {
        let (release, keep) = (self.plan.release, self.plan.keep);
        let asked = self
            .members
            .iter_mut()
            .zip(ends.iter_mut())
            .map(|(member, end)| async move {
                if end.committed() {
                    return None;
                }
                if !end.done() {
                    if !matches!(end, HostEnd::Unknown { .. }) {
                        member.end().await;
                    }
                    return None;
                }
                let failure = match member.commit(keep).await.err()? {
                    Answer::Ended(ended) => {
                        return Some((member.name().clone(), ended_itself(end, ended)?));
                    }
                    Answer::Refused(failure) | Answer::Lost(failure) => failure,
                };
                *end = HostEnd::Unknown {
                    was: end.was(),
                    why: format!(
                        "{release} was proven there, but could not be confirmed: {}",
                        failure.message()
                    ),
                };
                Some((member.name().clone(), failure))
            });
        for failed in join_all(asked).await.into_iter().flatten() {
            failure.get_or_insert(failed);
        }
    }
}

/// A host came to its end without being told to: that is what is true there, and a failure when it
/// is not on the release.
fn ended_itself(end: &mut HostEnd, ended: Box<Activated>) -> Option<Failure> {
    let failure = (!ended.ok).then(|| why_not(&ended));
    end.report(ended);
    failure
}
