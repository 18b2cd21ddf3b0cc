//! What went wrong, as a value: a kind that decides the exit code, a sentence, facts and a hint.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::HostName;

/// The kind of a failure; `cli::exit` maps each to one exit code, in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// Nobody expected this.
    Unexpected,
    /// The command line was wrong.
    Usage,
    /// The manifest or the project is invalid.
    Project,
    /// A build or test step failed; no host was touched.
    Build,
    /// Refused before anything changed: lock, freeze, preflight, plan drift, nothing to do it on.
    Refused,
    /// A host, or where a runtime comes from, cannot be reached or will not authenticate; nothing
    /// changed.
    Unreachable,
    /// The new release failed, and the previous one is serving everywhere.
    Reverted,
    /// Failed, and at least one host needs a person.
    NeedsPerson,
    /// Partly done, as the policy allows, or because it was final on a host already.
    Partial,
    /// What is live does not serve as it should, or nothing is live: the answer of a probe, which
    /// changes nothing.
    Unhealthy,
    /// Interrupted; the hosts are on the release they were on.
    Interrupted,
}

/// What stands in the way of a connection, for code that decides by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The host, or a machine on the way to it, shows a key that is not known or not the known one.
    /// Such a host is not down: somebody may be listening in.
    HostKey,
    /// The host, or a machine on the way to it, lets nobody in with the keys at hand.
    Login,
    /// There is no connection.
    Connection,
}

/// A failure that a person can act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Decides the exit code.
    pub kind: FailureKind,
    /// One lower-case sentence: what happened, naming the thing. It begins with `host` where that is
    /// known.
    pub message: String,
    /// What was found and expected, a line each.
    pub details: Vec<String>,
    /// What to do next, usually a command.
    pub hint: Option<String>,
    /// What stands in the way of a connection to a host: `host-key`, `login` or `connection`.
    #[serde(default)]
    pub cause: Option<Cause>,
    /// The host that it happened on, which the message begins with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
}

impl Failure {
    /// A failure of `kind` that says `message`.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            details: Vec::new(),
            hint: None,
            cause: None,
            host: None,
        }
    }

    /// Says on which host it happened, unless that is said already.
    #[must_use]
    pub fn on(mut self, host: &HostName) -> Self {
        if self.host.is_none() {
            self.message = format!("{host}: {}", self.message);
            self.host = Some(host.clone());
        }
        self
    }

    /// What happened, without the host.
    #[must_use]
    pub fn without_host(&self) -> &str {
        let host = self.host.as_ref().map_or("", HostName::as_str);
        let rest = self.message.strip_prefix(host);
        let rest = rest.and_then(|rest| rest.strip_prefix(": "));
        rest.unwrap_or(&self.message)
    }

    /// Says what stands in the way of a connection.
    #[must_use]
    pub fn because(mut self, cause: Cause) -> Self {
        self.cause = Some(cause);
        self
    }

    /// Shorthand for [`FailureKind::Refused`].
    #[must_use]
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Refused, message)
    }

    /// Shorthand for [`FailureKind::Unexpected`].
    #[must_use]
    pub fn unexpected(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Unexpected, message)
    }

    /// Adds a line of facts.
    #[must_use]
    pub fn detail(mut self, line: impl Into<String>) -> Self {
        self.details.push(line.into());
        self
    }

    /// Adds lines of facts.
    #[must_use]
    pub fn details(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.details.extend(lines);
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::unexpected(error.to_string())
    }
}
