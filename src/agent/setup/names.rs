//! Whose account the services run as: one that ship made, or one that the manifest names.

use super::{Target, settings, units};
use crate::agent::Layout;
use crate::agent::service::account::{self, Account};
use crate::agent::service::{Scope, unit};
use crate::model::{AppName, Failure};

/// Groups whose members may do what root may, or read what only root should.
const POWERFUL: [&str; 11] = [
    "root", "sudo", "wheel", "admin", "adm", "docker", "lxd", "incus", "disk", "shadow", "kvm",
];

/// The comment of an account that ship makes for `app` (passwd(5), GECOS, which holds no
/// colon).
#[must_use]
pub fn comment(app: &AppName) -> String {
    format!("made by ship for {app}")
}

/// Whether ship made `account` for `app`: it says so, or it lives in the app's shared folder, as
/// those of earlier versions do.
#[must_use]
pub fn is_ours(account: &Account, app: &AppName, layout: &Layout) -> bool {
    account.uid != 0 && (account.comment == comment(app) || account.home == layout.shared())
}

/// Refuses to run the services as an account that has another purpose, unless the manifest names it
/// or they run as it already.
///
/// # Errors
/// `Refused`, naming the account or the group.
pub fn refuse(target: &Target<'_>) -> Result<(), Failure> {
    let user = &target.deployment.user;
    let (app, environment) = (&target.deployment.app, &target.deployment.environment);
    let found = account::find(user)?;
    if target.user_is_named && found.is_some() {
        return Ok(());
    }
    let hint = format!(
        "give this environment a name of its own on the host (`name`), or set user = \"{user}\" in \
         [environments.{environment}] if its services are meant to run as that account"
    );
    match found {
        Some(found) => {
            if is_ours(&found, app, &target.layout) || runs_as(target, user) {
                return Ok(());
            }
            let whose = match *user == target.login {
                true => format!("{user} is the user that deploys"),
                false => format!("there is a user {user} on this host that ship did not make"),
            };
            Err(Failure::refused(format!(
                "{whose}, and the services of {app} would run as it"
            ))
            .hint(hint))
        }
        None if POWERFUL.contains(&user.as_str()) || is_taken_group(target, user)? => {
            Err(Failure::refused(format!(
                "there is a group {user} on this host that ship did not make, and the services of \
                 {app} would be in it"
            ))
            .hint("give this environment a name of its own on the host (`name`)"))
        }
        None => Ok(()),
    }
}

/// A group that the manifest names together with the user may have been made for it.
fn is_taken_group(target: &Target<'_>, user: &str) -> Result<bool, Failure> {
    Ok(!target.user_is_named && account::group_exists(user)?)
}

/// Whether a unit of ours runs as `user` already.
fn runs_as(target: &Target<'_>, user: &str) -> bool {
    let app = &target.deployment.app;
    let folder = units::folder(Scope::System, &target.home);
    target.services.iter().any(|service| {
        let path = folder.join(unit::unit_name(app, &service.instance()));
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        units::is_ours(&path, app)
            && settings::value(&text, "Service", "User").as_deref() == Some(user)
    })
}
