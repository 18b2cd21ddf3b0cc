//! What went wrong, as a value: a kind that decides the exit code, a cause that makes the sentence,
//! facts and a hint.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Cause, HostName};

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

/// A failure that a person can act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Failure {
    /// Decides the exit code. It is the kind of the cause, unless more is known of what the failure
    /// means: an error before anything was changed is a refusal.
    pub kind: FailureKind,
    /// Why it failed, which the sentence is made of.
    pub cause: Box<Cause>,
    /// What was found and expected, a line each.
    pub details: Vec<String>,
    /// What to do next, usually a command.
    pub hint: Option<String>,
    /// The host that it happened on.
    pub host: Option<HostName>,
}

/// A failure as it is written into messages and events.
#[derive(Serialize, Deserialize)]
struct Written {
    /// Decides the exit code.
    kind: FailureKind,
    /// One lower-case sentence: what happened, naming the thing. It begins with `host` where that is
    /// known.
    message: String,
    /// What was found and expected, a line each.
    details: Vec<String>,
    /// What to do next, usually a command.
    hint: Option<String>,
    /// Why it failed, where code may decide by it: `connection`, `login`, `host-key` (it is not known,
    /// or not the known one), `locked`, `interrupted`, `io`, `no-room`, `full`, `no-program`,
    /// `no-right` or `not-set-up`.
    cause: Option<String>,
    /// The same with all that is known of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    because: Option<Cause>,
    /// The host that it happened on, which the message begins with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    host: Option<HostName>,
}

impl From<Failure> for Written {
    fn from(failure: Failure) -> Self {
        let message = failure.message();
        Self {
            kind: failure.kind,
            message,
            details: failure.details,
            hint: failure.hint,
            cause: failure.cause.name().map(str::to_owned),
            because: failure.cause.name().is_some().then_some(*failure.cause),
            host: failure.host,
        }
    }
}

impl From<Written> for Failure {
    fn from(written: Written) -> Self {
        let Written { kind, message, .. } = written;
        let why = || {
            let host = written.host.as_ref().map_or("", HostName::as_str);
            let rest = message.strip_prefix(host);
            let rest = rest.and_then(|rest| rest.strip_prefix(": "));
            rest.unwrap_or(&message).to_owned()
        };
        let cause = written.because.clone();
        Self {
            kind,
            cause: Box::new(cause.unwrap_or_else(|| Cause::Other { kind, why: why() })),
            details: written.details,
            hint: written.hint,
            host: written.host,
        }
    }
}

impl Failure {
    /// A failure of `kind` that says `why`, which no code decides by.
    #[must_use]
    pub fn new(kind: FailureKind, why: impl Into<String>) -> Self {
        let why = why.into();
        Self::from(Cause::Other { kind, why })
    }

    /// The system's `error` when something was to be done to `path`: `doing` is `cannot write`.
    #[must_use]
    pub fn io(doing: &str, path: &Path, error: &std::io::Error) -> Self {
        let path = path.display().to_string();
        Cause::io(Some(doing), Some(&path), error).into()
    }

    /// Says on which host it happened, unless that is said already.
    #[must_use]
    pub fn on(mut self, host: &HostName) -> Self {
        self.host.get_or_insert_with(|| host.clone());
        self
    }

    /// One lower-case sentence: what happened, naming the thing. It begins with the host where that
    /// is known.
    #[must_use]
    pub fn message(&self) -> String {
        match &self.host {
            Some(host) => format!("{host}: {}", self.cause),
            None => self.cause.to_string(),
        }
    }

    /// The same failure, which means more or less than its cause tells.
    #[must_use]
    pub fn as_kind(self, kind: FailureKind) -> Self {
        Self { kind, ..self }
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

    /// Shorthand for [`Cause::Interrupted`].
    #[must_use]
    pub fn interrupted(why: impl Into<String>) -> Self {
        Cause::Interrupted { why: why.into() }.into()
    }

    /// Shorthand for [`Cause::Connection`].
    #[must_use]
    pub fn connection(why: impl Into<String>) -> Self {
        Cause::Connection { why: why.into() }.into()
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
        f.write_str(&self.message())
    }
}

impl std::error::Error for Failure {}

impl From<Cause> for Failure {
    fn from(cause: Cause) -> Self {
        Self {
            kind: cause.kind(),
            cause: Box::new(cause),
            details: Vec::new(),
            hint: None,
            host: None,
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Cause::from(error).into()
    }
}
