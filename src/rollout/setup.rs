//! Making every host of an environment ready, as root where that is needed.

use std::time::Duration;

use super::context::Context;
use super::link::{HostLink, unasked};
use crate::model::event::HostEvent;
use crate::model::{Failure, HostName, ServiceManagerKind};
use crate::project::Host;
use crate::wire::{FromAgent, SetupRequest, ToAgent};

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
        let mut link = connect_rightly(context, host, user).await?;
        let request = ToAgent::Setup(Box::new(SetupRequest {
            services: context.services_of(host),
            shared: context.project.release.shared.clone(),
            login: deploying_user(context, host, &link, user),
            dry_run,
        }));
        let asked =
            tokio::time::timeout(Duration::from_secs(300), link.ask(&request, "setup")).await;
        let answer = asked.map_err(|_| {
            Failure::unexpected(format!("{}: setup took longer than 5 minutes", host.name))
        })??;
        match answer {
            FromAgent::Changes(changes) => {
                for text in &changes {
                    context
                        .sink
                        .host(&host.name, HostEvent::Changed { text: text.clone() });
                }
                all.push((host.name.clone(), changes));
            }
            other => return Err(unasked(&host.name, &other)),
        }
    }
    Ok(all)
}

/// With `systemd` the agent must be root: by login, else through `sudo -n`.
async fn connect_rightly(
    context: &Context,
    host: &Host,
    user: Option<&str>,
) -> Result<HostLink, Failure> {
    let user = user.map(str::to_owned);
    if context.environment.manager != ServiceManagerKind::Systemd || host.name == HostName::local()
    {
        return HostLink::connect(context, host.name.clone(), user, false).await;
    }
    let login = user.as_deref().or_else(|| login_of(&host.name));
    if login == Some("root") {
        return HostLink::connect(context, host.name.clone(), user, false).await;
    }
    HostLink::connect(context, host.name.clone(), user, true)
        .await
        .map_err(|failure| {
            let as_root = format!("ship setup {} --as root", context.environment.name);
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
fn deploying_user(
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
    crate::transport::keyscan::login(&host.name, context.options.ssh_config.as_deref())
        .unwrap_or_else(|| link.facts.user.clone())
}
