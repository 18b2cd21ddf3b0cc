//! Making every host of an environment ready, as root where that is needed.

use super::context::Context;
use super::link::{HostLink, unasked};
use super::programs::with_versions_here;
use crate::model::event::HostEvent;
use crate::model::{Failure, HostName};
use crate::project::Host;
use crate::transport::ssh::host_keys;
use crate::wire::{self, FromAgent, SetupRequest, ToAgent};

/// What was changed, per host.
pub type Changes = Vec<(HostName, Vec<String>)>;

/// Sets up every host, one after the other, connecting as `user` when one is given.
///
/// # Errors
/// The first failure; the hosts before it are done.
pub async fn setup(
    context: &Context,
    user: Option<&str>,
    dry_run: bool,
) -> Result<Changes, Failure> {
    let mut all = Vec::new();
    for host in &context.environment.hosts {
        let mut link = connect_rightly(context, host, user, "setup").await?;
        let mut wants = context.wants_of(host);
        with_versions_here(&mut wants.programs, &context.caller).await;
        let request = ToAgent::Setup(Box::new(SetupRequest {
            wants,
            login: deploying_user(context, host, &link, user).await,
            dry_run,
        }));
        match link.ask(&request, "setup").await? {
            FromAgent::Changes(changes) => {
                say(context, &host.name, &changes);
                all.push((host.name.clone(), changes.made));
            }
            other => return Err(unasked(&host.name, &other)),
        }
    }
    Ok(all)
}

/// Says what was changed on a host, and what stays there.
pub(super) fn say(context: &Context, host: &HostName, changes: &wire::Changes) {
    for text in changes.made.iter().cloned() {
        context.sink.host(host, HostEvent::Changed { text });
    }
    for text in changes.left.iter().cloned() {
        context.sink.host(host, HostEvent::Note { text });
    }
}

/// With `systemd` the agent must be root: by login, else through `sudo -n`.
pub(super) async fn connect_rightly(
    context: &Context,
    host: &Host,
    user: Option<&str>,
    command: &str,
) -> Result<HostLink, Failure> {
    let user = user.map(str::to_owned);
    if !context.environment.manager.is_system_wide() || host.name == HostName::local() {
        return HostLink::connect(context, host.name.clone(), user, false).await;
    }
    let login = user.as_deref().or_else(|| login_of(&host.name));
    if login == Some("root") {
        return HostLink::connect(context, host.name.clone(), user, false).await;
    }
    HostLink::connect(context, host.name.clone(), user, true)
        .await
        .map_err(|failure| {
            let as_root = format!("ship {command} {} --as root", context.environment.name);
            match failure.hint {
                Some(ref hint) if hint.contains("--as root") => failure.hint(as_root),
                _ => failure,
            }
        })
}

fn login_of(host: &HostName) -> Option<&str> {
    let bare = host
        .as_str()
        .strip_prefix("ssh://")
        .unwrap_or(host.as_str());
    bare.rsplit_once('@').map(|(user, _)| user)
}

/// The user that will deploy: the one in the manifest's address; where it names none, whoever the
/// connection without `--as` would be, which only the user's ssh_config(5) knows.
pub(super) async fn deploying_user(
    context: &Context,
    host: &Host,
    link: &HostLink,
    as_user: Option<&str>,
) -> String {
    if let Some(user) = login_of(&host.name) {
        return user.to_owned();
    }
    if as_user.is_none() {
        return link.facts.user.clone();
    }
    host_keys::login(&host.name, &context.options)
        .await
        .unwrap_or_else(|| link.facts.user.clone())
}
