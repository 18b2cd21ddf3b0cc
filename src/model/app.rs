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
}

/// What the agent must know to find its way on a host: sent with the first message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// The app.
    pub app: AppName,
    /// The environment; a root folder belongs to one.
    pub environment: EnvironmentName,
    /// The app's folder on the host; a leading `~/` is the deploying user's home. `None` is the
    /// default of the service manager: `/srv/<app>`, `~/apps/<app>`, or the data directory.
    pub root: Option<String>,
    /// Who keeps the services running.
    pub manager: ServiceManagerKind,
    /// The system user that the services run as (`systemd` only).
    pub user: String,
    /// Other users of the host that may read the releases (`release.readable-by`).
    #[serde(default)]
    pub readable_by: Vec<String>,
}
