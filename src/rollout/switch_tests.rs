use super::*;
use crate::project::Strategy;
use crate::rollout::fake::{Answers, Fake, back, kept, proven};
use crate::rollout::plan::waves;
use crate::rollout::stop::Stage;
use crate::wire::{FromAgent, ToAgent};

/// Switches two hosts to `v2`.
async fn switched(on_failure: OnFailure, answers: Answers) -> (Fake, Conclusion) {
    switches(Fake::fleet(2, "", answers), on_failure).await
}

async fn switches(mut fake: Fake, on_failure: OnFailure) -> (Fake, Conclusion) {
    let plan = Plan {
        verb: Verb::Deployed,
        release: ReleaseId(2),
        waves: waves(fake.fleet.hosts.len(), Strategy::AllAtOnce),
        before: Vec::new(),
        after: Vec::new(),
        settle: false,
        watch_ms: 0,
        on_failure,
        keep: 3,
    };
    let switch = Switch {
        context: &fake.context,
        members: &mut fake.fleet.hosts,
        plan: &plan,
        started: Instant::now(),
    };
    let conclusion = switch.run().await;
    (fake, conclusion)
}

/// The kind of the failure, its sentence, and where each host is.
fn told(conclusion: &Conclusion) -> (FailureKind, String, Vec<Option<u32>>) {
    let failure = conclusion.failure.clone().expect("a failure");
    let hosts = conclusion.outcome.hosts.iter();
    let hosts = hosts.map(|row| row.is.map(|release| release.0));
    (failure.kind, failure.message(), hosts.collect())
}

fn activated(end: Activated) -> FromAgent {
    FromAgent::Activated(Box::new(end))
}

fn failed() -> FromAgent {
    FromAgent::Failed(Failure::unexpected("the journal cannot be written"))
}

/// A controller that slept for longer than the lease hears of the way back where it waits for
/// another answer.
#[tokio::test]
async fn a_host_that_went_back_by_itself_is_told_of_as_it_is() {
    let early: Answers = |at, request| match request {
        ToAgent::Activate(_) if at == 0 => vec![activated(proven()), activated(back("the lease"))],
        ToAgent::Activate(_) => vec![activated(proven())],
        ToAgent::Precommit | ToAgent::Commit { .. } => vec![FromAgent::Done],
        _ => vec![],
    };
    let (fake, conclusion) = switched(OnFailure::Stop, early).await;
    let (kind, message, hosts) = told(&conclusion);
    assert_eq!(hosts, [Some(1), Some(2)]);
    assert_eq!(kind, FailureKind::Partial, "{message}");
    assert_eq!(conclusion.outcome.verb, Verb::Deployed);
    assert!(!fake.was_asked(0, "Commit"));

    let late: Answers = |at, request| match request {
        ToAgent::Activate(_) => vec![activated(proven())],
        ToAgent::Commit { .. } if at == 0 => vec![activated(back("the lease"))],
        ToAgent::Precommit | ToAgent::Commit { .. } => vec![FromAgent::Done],
        _ => vec![],
    };
    let (_, conclusion) = switched(OnFailure::Continue, late).await;
    let (kind, message, hosts) = told(&conclusion);
    assert_eq!(hosts, [Some(1), Some(2)]);
    assert_eq!(kind, FailureKind::Partial, "{message}");
}

/// From the precommit on, a host keeps the release by itself.
#[tokio::test]
async fn what_was_final_already_is_not_said_to_be_the_previous_release() {
    let answers: Answers = |at, request| match request {
        ToAgent::Activate(_) => vec![activated(proven())],
        ToAgent::Precommit if at == 0 => vec![failed()],
        ToAgent::Present | ToAgent::Precommit => vec![FromAgent::Done],
        ToAgent::Revert { .. } if at == 0 => vec![activated(back("web1 failed"))],
        ToAgent::Revert { .. } => vec![FromAgent::Ended(Some(Box::new(kept())))],
        _ => vec![],
    };
    let (_, conclusion) = switched(OnFailure::RevertAll, answers).await;
    let (kind, message, hosts) = told(&conclusion);
    assert_eq!(hosts, [Some(1), Some(2)]);
    assert_eq!(kind, FailureKind::Partial);
    assert_eq!(
        message,
        "v2 failed on web1; the hosts where it was final already stay on it"
    );
}

#[tokio::test]
async fn a_host_that_cannot_note_what_it_is_told_is_asked_to_go_back() {
    let answers: Answers = |at, request| match request {
        ToAgent::Activate(_) => vec![activated(proven())],
        ToAgent::Precommit if at == 1 => vec![failed()],
        ToAgent::Present | ToAgent::Precommit => vec![FromAgent::Done],
        ToAgent::Revert { .. } => vec![activated(back("web2 failed"))],
        _ => vec![],
    };
    let (fake, conclusion) = switched(OnFailure::RevertAll, answers).await;
    let (kind, message, hosts) = told(&conclusion);
    assert!(fake.was_asked(1, "Revert"));
    assert_eq!(hosts, [Some(1), Some(1)]);
    assert_eq!(kind, FailureKind::Reverted, "{message}");
    assert_eq!(conclusion.outcome.verb, Verb::Reverted);
}

#[tokio::test]
async fn nobody_is_told_that_the_release_stays_where_one_is_gone() {
    let answers: Answers = |at, request| match request {
        ToAgent::Activate(_) => vec![activated(proven())],
        ToAgent::Present if at == 1 => vec![activated(back("the lease"))],
        ToAgent::Revert { .. } => vec![activated(back("web2 failed"))],
        _ => vec![FromAgent::Done],
    };
    let (fake, conclusion) = switched(OnFailure::RevertAll, answers).await;
    let (kind, message, hosts) = told(&conclusion);
    assert!(!fake.was_asked(0, "Precommit") && !fake.was_asked(1, "Precommit"));
    assert_eq!(hosts, [Some(1), Some(1)]);
    assert_eq!(kind, FailureKind::Reverted, "{message}");
}

#[tokio::test]
async fn a_stop_that_was_asked_for_before_the_decision_leads_back() {
    let answers: Answers = |_, request| match request {
        ToAgent::Activate(_) => vec![activated(proven())],
        ToAgent::Revert { .. } => vec![activated(back("interrupted"))],
        _ => vec![FromAgent::Done],
    };
    let hosts = Fake::fleet(2, "", answers);
    hosts.context.stop.ask();
    let (_, conclusion) = switches(hosts, OnFailure::RevertAll).await;
    assert_eq!(told(&conclusion).0, FailureKind::Interrupted);

    let (fake, conclusion) = switched(OnFailure::RevertAll, answers).await;
    assert!(conclusion.failure.is_none());
    assert_eq!(fake.context.stop.stage(), Stage::Final(ReleaseId(2)));
}
