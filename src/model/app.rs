//! What one app is on one host.

use serde::{Deserialize, Serialize};

use super::name::{AppName, EnvironmentName};

/// Who keeps the services running on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceManagerKind {
    /// System units, through `sudo -n` with exact sudoers lines.
    Systemd,
    /// Units of the deploying user, kept by linger; no root.
    SystemdUser,
    /// Built in: for `local`, containers and hosts without systemd.
    Supervisor,
}

impl ServiceManagerKind {
    /// The word in the manifest and on the screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Systemd => "systemd",
            Self::SystemdUser => "systemd-user",
            Self::Supervisor => "supervisor",
        }
    }

    /// Whether it belongs to the whole system: root sets it up, once, and the services run as a user
    /// of their own. Else all of it belongs to the deploying user.
    #[must_use]
    pub fn is_system_wide(self) -> bool {
        match self {
            Self::Systemd => true,
            Self::SystemdUser | Self::Supervisor => false,
        }
    }

    /// The root folder of `app` on a host, where the manifest names none. On the machine of the
    /// command itself the agent chooses it.
    #[must_use]
    pub fn default_root(self, app: &AppName) -> String {
        match self {
            Self::Systemd => format!("/srv/{app}"),
            Self::SystemdUser | Self::Supervisor => format!("~/apps/{app}"),
        }
    }
}

impl Deployment {
    /// The root folder on a host: the one of the manifest, or the default of the service manager. A
    /// leading `~/` is the deploying user's home.
    #[must_use]
    pub fn root_folder(&self) -> String {
        let default = || self.manager.default_root(&self.app);
        self.root.clone().unwrap_or_else(default)
    }
}

/// What the agent must know to find its way on a host: sent with the first message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// The app.
    pub app: AppName,
    /// The environment; a root folder belongs to one.
    pub environment: EnvironmentName,
    /// The root folder on the host that the manifest names; a leading `~/` is the deploying user's
    /// home. See [`root_folder`](Self::root_folder).
    pub root: Option<String>,
    /// Who keeps the services running.
    pub manager: ServiceManagerKind,
    /// The system user that the services run as (`systemd` only).
    pub user: String,
    /// Other users of the host that may read the releases (`release.readable-by`).
    #[serde(default)]
    pub readable_by: Vec<String>,
}
