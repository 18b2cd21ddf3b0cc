//! A service as both ends know it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::name::ServiceName;
use super::{Endpoint, Instance};

/// How a service of a release is launched, proven and stopped. Times are milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSpec {
    /// Its name; the unit is `<app>-<name>.service`.
    pub name: ServiceName,
    /// What runs.
    pub run: Run,
    /// For [`Run::Static`]: the page of the folder that answers where nothing else does, for apps
    /// that route in the browser.
    #[serde(default)]
    pub fallback: Option<String>,
    /// The TCP port that it listens on, exported to it as `PORT`.
    pub port: Option<u16>,
    /// Environment of this service only, on top of the environment's `env`.
    pub env: BTreeMap<String, String>,
    /// How the new release proves that it serves.
    pub health: HealthCheck,
    /// How systemd learns that it has started (systemd.service(5) `Type=`).
    pub start_type: StartType,
    /// How long it may take to stop before it is killed (`TimeoutStopSec=`), ms.
    pub stop_timeout_ms: u64,
}

impl ServiceSpec {
    /// What runs of it on a host: one instance, which is restarted in its place.
    #[must_use]
    pub fn instance(&self) -> Instance {
        Instance::only(&self.name)
    }

    /// Where its only instance listens: on the port of the service.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        Endpoint { port: self.port }
    }

    /// The health question to an instance that listens at `endpoint`. What is asked of the service's
    /// port is asked there; another port that the manifest names stays what it is.
    #[must_use]
    pub fn probe_at(&self, endpoint: Endpoint) -> Option<Probe> {
        let mut probe = self.health.probe.clone()?;
        if let (Probe::Http { port, .. } | Probe::Tcp { port }, Some(own)) =
            (&mut probe, endpoint.port)
            && Some(*port) == self.port
        {
            *port = own;
        }
        Some(probe)
    }
}

impl Probe {
    /// The TCP port that is asked, if one is.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        match self {
            Self::Http { port, .. } | Self::Tcp { port } => Some(*port),
            Self::Command { .. } => None,
        }
    }
}

/// What a service's process is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Run {
    /// A line for `/bin/sh`; `ship` puts `exec` in front of a simple command.
    Shell(String),
    /// Program and arguments, no shell.
    Argv(Vec<String>),
    /// A folder of the release served over HTTP by `ship` itself: nothing needs to be installed.
    Static(String),
}

/// `Type=` of systemd.service(5); `Simple` is written as `exec`, which also catches a program that
/// cannot be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartType {
    /// Started once the program runs.
    #[default]
    Simple,
    /// Started once the program says `READY=1` (sd_notify(3)).
    Notify,
}

/// What proves that a service serves. Times are milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// The question that is asked on the host, if any.
    pub probe: Option<Probe>,
    /// How long the whole proof may take, ms.
    pub timeout_ms: u64,
    /// The pause between two questions, ms.
    pub interval_ms: u64,
    /// How many good answers in a row are needed.
    pub successes: u32,
    /// How long the process must have stayed up, without a restart, counted from its start, ms.
    pub settle_ms: u64,
}

/// One health question, asked on the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    /// `GET http://127.0.0.1:port/path`; redirects are answers, not followed.
    Http {
        /// Absolute path with an optional query.
        path: String,
        /// Where to ask; the service's own port means wherever the instance listens
        /// ([`ServiceSpec::probe_at`]).
        port: u16,
        /// Accepted statuses; empty means any 2xx.
        status: Vec<Status>,
        /// Text that the body must hold.
        body: Option<String>,
        /// Headers to send, such as `Host`.
        headers: BTreeMap<String, String>,
    },
    /// A TCP connection to 127.0.0.1:port is accepted.
    Tcp {
        /// Where to connect, as for [`Probe::Http`].
        port: u16,
    },
    /// A command in the release's folder, with its environment, exits 0.
    Command {
        /// A line for `/bin/sh`.
        run: String,
    },
}

/// A status of HTTP that a health check accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Status {
    /// This code: `200`.
    Code(u16),
    /// All codes of a class: `"4xx"`.
    Class(StatusClass),
}

/// The classes of status codes (RFC 9110, section 15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatusClass {
    /// Not the end of the answer.
    #[serde(rename = "1xx")]
    Informational,
    /// The request was done.
    #[serde(rename = "2xx")]
    Successful,
    /// It is elsewhere.
    #[serde(rename = "3xx")]
    Redirection,
    /// The request was wrong, or is not allowed.
    #[serde(rename = "4xx")]
    ClientError,
    /// The server failed.
    #[serde(rename = "5xx")]
    ServerError,
}

impl StatusClass {
    /// All of them as the manifest writes them, in the order of the variants.
    pub const NAMES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

    /// The class that is written `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        use StatusClass::{ClientError, Informational, Redirection, ServerError, Successful};
        let all = [
            Informational,
            Successful,
            Redirection,
            ClientError,
            ServerError,
        ];
        all.into_iter().find(|class| class.name() == name)
    }

    /// As the manifest writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

impl Status {
    /// Whether `code` is meant.
    #[must_use]
    pub fn has(self, code: u16) -> bool {
        match self {
            Self::Code(one) => code == one,
            Self::Class(class) => usize::from(code / 100) == class as usize + 1,
        }
    }
}

/// What a service does right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceState {
    /// The service manager does not know it: setup is missing.
    #[default]
    Missing,
    /// Not running, on purpose.
    Stopped,
    /// On its way up (`activating`, not yet `READY=1`).
    Starting,
    /// Its main process is up.
    Running,
    /// Down after a crash, waiting for its next start (`auto-restart`).
    Restarting,
    /// On its way down.
    Stopping,
    /// Gave up.
    Failed,
}

impl ServiceState {
    /// The words on the screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "not set up",
            Self::Stopped => "stopped",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Restarting => "restarting",
            Self::Stopping => "stopping",
            Self::Failed => "failed",
        }
    }
}

#[cfg(test)]
impl ServiceSpec {
    /// A service that listens on `port`, and is asked there over TCP.
    pub fn example(port: u16) -> Self {
        Self {
            name: "web".try_into().unwrap(),
            run: Run::Shell("app".to_owned()),
            fallback: None,
            port: Some(port),
            env: BTreeMap::new(),
            health: HealthCheck {
                probe: Some(Probe::Tcp { port }),
                timeout_ms: 1,
                interval_ms: 1,
                successes: 1,
                settle_ms: 0,
            },
            start_type: StartType::Simple,
            stop_timeout_ms: 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_is_asked_where_it_listens() {
        let service = |port, asked| ServiceSpec {
            port,
            ..ServiceSpec::example(asked)
        };
        let elsewhere = Endpoint { port: Some(4001) };
        let asked = |service: ServiceSpec, endpoint| service.probe_at(endpoint)?.port();
        let own = service(Some(3000), 3000);
        assert_eq!(own.probe_at(own.endpoint()), own.health.probe);
        assert_eq!(asked(own, elsewhere), Some(4001));
        assert_eq!(asked(service(Some(3000), 9000), elsewhere), Some(9000));
        assert_eq!(asked(service(None, 9000), elsewhere), Some(9000));
    }
}
