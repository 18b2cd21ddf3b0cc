//! Taking an app off hosts: those of an environment, or one that has left it.

use std::time::Duration;

use super::context::Context;
use super::link::unasked;
use super::setup::{Changes, connect_rightly, deploying_user, say};
use crate::model::{Failure, FailureKind, HostName};
use crate::project::Host;
use crate::wire::{FromAgent, RemoveRequest, ToAgent};

/// How long a removal may take on one host: services may have minutes to stop.
const PATIENCE: Duration = Duration::from_secs(600);

/// The hosts that are meant: all of the environment, or `wanted`, which need not be one of them.
///
/// # Errors
/// `Usage` when `wanted` is not the address of a host.
pub fn hosts(context: &Context, wanted: Option<&str>) -> Result<Vec<Host>, Failure> {
    let all = &context.environment.hosts;
    let Some(wanted) = wanted else {
        return Ok(all.clone());
    };
    let of_environment = all
        .iter()
        .find(|host| host.name.as_str() == wanted || host.name.short() == wanted);
    if let Some(host) = of_environment {
        return Ok(vec![host.clone()]);
    }
    let name = HostName::try_from(wanted)
        .map_err(|why| Failure::new(FailureKind::Usage, format!("host `{wanted}` {why}")))?;
    Ok(vec![Host {
        name,
        services: None,
    }])
}

/// Takes the app off `hosts`, one after the other, connecting as `user` when one is given.
///
/// # Errors
/// The first failure; the hosts before it are done.
pub async fn remove(
    context: &Context,
    hosts: &[Host],
    user: Option<&str>,
    purge: bool,
    dry_run: bool,
) -> Result<Changes, Failure> {
    let mut all = Vec::new();
    for host in hosts {
        let mut link = connect_rightly(context, host, user, "remove").await?;
        let request = ToAgent::Remove(RemoveRequest {
            login: deploying_user(context, host, &link, user).await,
            purge,
            dry_run,
        });
        let asked = tokio::time::timeout(PATIENCE, link.ask(&request, "remove")).await;
        let answer = asked.map_err(|_| {
            let minutes = PATIENCE.as_secs() / 60;
            Failure::unexpected(format!(
                "{}: the removal took longer than {minutes} minutes",
                host.name
            ))
        })??;
        match answer {
            FromAgent::Changes(changes) => {
                say(context, &host.name, &changes);
                all.push((host.name.clone(), changes.made));
            }
            other => return Err(unasked(&host.name, &other)),
        }
    }
    Ok(all)
}
