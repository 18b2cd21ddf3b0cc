//! Whether the app's commands may run as its user.

use std::fmt;

use super::commands::BECOMING;
use crate::agent::service::{account, child, systemctl};
use crate::model::{Deployment, Failure};

/// Groups whose members can become root, by the means that a distribution gives them.
const POWERFUL: [&str; 5] = ["sudo", "wheel", "docker", "lxd", "disk"];

/// Why the app's commands run as the deploying user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Barred {
    /// The services' user is the deploying user.
    Same,
    /// It is root.
    Root,
    /// It is a member of a group that can become root.
    Group(&'static str),
    /// It may use sudo itself.
    Sudo,
    /// There is no such user yet.
    Unknown,
}

impl Barred {
    /// Whether that is worth telling: where both are one user, there is nothing to tell.
    #[must_use]
    pub fn is_worth_telling(&self) -> bool {
        !matches!(self, Self::Same | Self::Unknown)
    }
}

impl fmt::Display for Barred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same => f.write_str("is the deploying user"),
            Self::Root => f.write_str("is root"),
            Self::Group(group) => write!(f, "is in the group {group}, which can become root"),
            Self::Sudo => f.write_str("may use sudo"),
            Self::Unknown => f.write_str("is not there"),
        }
    }
}

/// Why `login`, who deploys, may not run commands as the user of the services. Whether that one may
/// use sudo, only root can ask.
///
/// Letting `login` become the services' user gives it nothing new, as deploying runs any code as that
/// user; where that user has more power than its services need, it would.
///
/// # Errors
/// When the name service does not answer.
pub fn barred(deployment: &Deployment, login: &str) -> Result<Option<Barred>, Failure> {
    let user = &deployment.user;
    if !deployment.manager.is_system_wide() || user == login {
        return Ok(Some(Barred::Same));
    }
    let Some(account) = account::find(user)? else {
        return Ok(Some(Barred::Unknown));
    };
    if account.uid == 0 {
        return Ok(Some(Barred::Root));
    }
    let groups = account::groups_of(user)?;
    let mut powerful = POWERFUL.into_iter();
    Ok(powerful
        .find(|group| groups.iter().any(|it| it == group))
        .map(Barred::Group))
}

/// As [`barred`], asked by root before the user is made, and also whether it may use sudo.
///
/// # Errors
/// When the name service or sudo do not answer.
pub fn barred_by_root(deployment: &Deployment, login: &str) -> Result<Option<Barred>, Failure> {
    let user = &deployment.user;
    match barred(deployment, login)? {
        // It gets the group of its name.
        Some(Barred::Unknown) => {
            let mut powerful = POWERFUL.into_iter();
            Ok(powerful.find(|group| group == user).map(Barred::Group))
        }
        None => {
            let mut sudo = child::command("sudo");
            sudo.args(["-n", "-l", "-U", user]);
            let listed = child::run(&mut sudo, BECOMING);
            let listed = listed.map_err(|why| systemctl::no_answer_of_sudo(&why, &sudo))?;
            Ok(listed
                .stdout
                .contains("may run the following")
                .then_some(Barred::Sudo))
        }
        barred => Ok(barred),
    }
}
