//! A hook of the release, on the first host or on each.

use super::fleet::{Fleet, on_each};
use super::link::{HostLink, unasked};
use crate::model::{Failure, FailureKind, HostName, ReleaseId};
use crate::project::{Hook, HookScope};
use crate::wire::{FromAgent, HookRequest, ToAgent};

/// Runs `hook` in the folder of `release`, host after host.
///
/// # Errors
/// The first failure and the host that it happened on; the hosts after it are not asked.
pub async fn run_hook(
    fleet: &mut Fleet,
    hook: &Hook,
    release: ReleaseId,
) -> Result<(), (HostName, Failure)> {
    let request = ToAgent::Hook(HookRequest {
        name: hook.name.clone(),
        run: hook.run.clone(),
        release,
        timeout_ms: hook.timeout_ms,
    });
    let count = match hook.on {
        HookScope::OneHost => 1,
        HookScope::EachHost => fleet.hosts.len(),
    };
    for number in 0..count {
        let ended = on_each(&mut fleet.hosts, async |at, host| match at == number {
            true => Some(run_one(host, &request).await),
            false => None,
        });
        if let Some(failed) = ended.await.into_iter().flatten().find_map(Result::err) {
            return Err(failed);
        }
    }
    Ok(())
}

/// Runs the hooks that come before the switch to `release`. What one did before it failed is not
/// undone by us; the release was not switched to, so the previous one serves.
///
/// # Errors
/// [`FailureKind::Reverted`]: the first failure.
pub async fn run_before_switch(
    fleet: &mut Fleet,
    hooks: &[Hook],
    release: ReleaseId,
) -> Result<(), Failure> {
    for hook in hooks {
        run_hook(fleet, hook, release)
            .await
            .map_err(|(_, mut failure)| {
                failure.kind = FailureKind::Reverted;
                failure.detail("nothing was switched; the previous release serves on")
            })?;
    }
    Ok(())
}

async fn run_one(host: &mut HostLink, request: &ToAgent) -> Result<(), (HostName, Failure)> {
    let failure = match host.ask(request, "hook").await {
        Ok(FromAgent::Done) => return Ok(()),
        Ok(other) => unasked(&host.host, &other),
        Err(failure) => failure,
    };
    Err((host.host.clone(), failure))
}
