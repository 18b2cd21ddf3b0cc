use super::*;
use crate::rollout::fake::{Answers, Fake, back, kept, proven};

/// Switches two hosts to `v2`.
async fn switched(on_failure: OnFailure, answers: Answers) -> (Fake, Conclusion) {
    let mut fake = Fake::fleet(2, "", answers);
    let switch = Switch {
        context: &fake.context,
        fleet: &mut fake.fleet,
        release: ReleaseId(2),
        settle: false,
        strategy: Strategy::AllAtOnce,
        on_failure,
        verb: "deployed",
        after: &[],
        started: Instant::now(),
        keep: 3,
        watch_ms: 0,
    };
    let conclusion = switch.run().await;
    (fake, conclusion)
}

/// The kind of the failure, its sentence, and where each host is.
fn told(conclusion: &Conclusion) -> (FailureKind, String, Vec<Option<u32>>) {
    let failure = conclusion.failure.clone().expect("a failure");
    let hosts = conclusion.outcome.hosts.iter();
    let hosts = hosts.map(|row| row.is.map(|release| release.0));
    (failure.kind, failure.message, hosts.collect())
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
        ToAgent::Precommit => vec![FromAgent::Done],
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
        ToAgent::Precommit => vec![FromAgent::Done],
        ToAgent::Revert { .. } => vec![activated(back("web2 failed"))],
        _ => vec![],
    };
    let (fake, conclusion) = switched(OnFailure::RevertAll, answers).await;
    let (kind, message, hosts) = told(&conclusion);
    assert!(fake.was_asked(1, "Revert"));
    assert_eq!(hosts, [Some(1), Some(1)]);
    assert_eq!(kind, FailureKind::Reverted, "{message}");
}
