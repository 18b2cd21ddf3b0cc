//! A hook of the release, on the first host or on each.

use super::fleet::Fleet;
use super::link::unasked;
use crate::model::{Failure, HostName, ReleaseId};
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
    for host in fleet.hosts.iter_mut().take(count) {
        let failure = match host.ask(&request, "hook").await {
            Ok(FromAgent::Done) => continue,
            Ok(other) => unasked(&host.host, &other),
            Err(failure) => failure,
        };
        return Err((host.host.clone(), failure));
    }
    Ok(())
}
