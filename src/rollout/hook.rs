//! A hook of the release, on the first host or on each.

use super::fleet::{Fleet, on_each};
use super::member::Member;
use crate::model::{Failure, FailureKind, HostName, ReleaseId};
use crate::project::{Hook, HookScope};
use crate::wire::{Facts, HookRequest};

/// Runs `hook` in the folder of `release`, on one member after the other.
///
/// # Errors
/// The first failure and the member that it happened on; those after it are not asked.
pub async fn run_hook<M: Member>(
    members: &mut [M],
    hook: &Hook,
    release: ReleaseId,
) -> Result<(), (HostName, Failure)> {
    let request = HookRequest {
        name: hook.name.clone(),
        run: hook.run.clone(),
        release,
        timeout_ms: hook.timeout_ms,
    };
    let count = match hook.on {
        HookScope::OneHost => 1,
        HookScope::EachHost => members.len(),
    };
    for number in 0..count {
        let ended = on_each(members.iter_mut(), async |at, member: &mut M| {
            if at != number {
                return None;
            }
            let failure = member.hook(&request).await.err()?;
            Some((member.name().clone(), failure))
        });
        if let Some(failed) = ended.await.into_iter().flatten().next() {
            return Err(failed);
        }
    }
    Ok(())
}

/// Runs the hooks that come before the switch to `release`. What one did before it failed is not
/// undone by us; the release was not switched to, so what was live stays live.
///
/// # Errors
/// [`FailureKind::Reverted`]: the first failure.
pub async fn run_before_switch(
    fleet: &mut Fleet,
    hooks: &[Hook],
    release: ReleaseId,
) -> Result<(), Failure> {
    let live: Vec<_> = fleet.hosts.iter().map(|host| live(&host.facts)).collect();
    for hook in hooks {
        run_hook(&mut fleet.hosts, hook, release)
            .await
            .map_err(|(_, mut failure)| {
                failure.kind = FailureKind::Reverted;
                failure.detail(format!("nothing was switched; {}", still_true(&live)))
            })?;
    }
    Ok(())
}

/// What is live on a host, in a word.
fn live(facts: &Facts) -> Option<String> {
    let current = facts.current.map(|id| id.to_string());
    current.or_else(|| facts.adoptable.clone())
}

/// What hosts serve on which nothing was switched, and where this was `live`.
fn still_true(live: &[Option<String>]) -> String {
    match live.split_first() {
        Some((None, others)) if others.iter().all(Option::is_none) => {
            "nothing was live before".to_owned()
        }
        Some((Some(first), others)) if others.iter().all(|it| it.as_ref() == Some(first)) => {
            format!("{first} is still live")
        }
        _ => "every host serves what it served before".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A first deploy was told that the previous release serves on.
    #[test]
    fn only_what_was_live_is_said_to_be_live_still() {
        let hosts = |live: &[&str]| {
            let named = live.iter().map(|name| Some((*name).to_owned()));
            still_true(
                &named
                    .map(|name| name.filter(|it| !it.is_empty()))
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(hosts(&[""]), "nothing was live before");
        assert_eq!(hosts(&["", ""]), "nothing was live before");
        assert_eq!(hosts(&["v3", "v3"]), "v3 is still live");
        let different = "every host serves what it served before";
        assert_eq!(hosts(&["v3", "v2"]), different);
        assert_eq!(hosts(&["", "v2"]), different);
        assert_eq!(hosts(&["v2", ""]), different);
    }
}
