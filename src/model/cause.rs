//! Why something failed, as a value. Code decides by it; the kind of a failure and its sentence are
//! made of it, both here.

use std::error::Error;
use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

use super::FailureKind;

/// `ENOSPC` and `EDQUOT` (errno(3)), as Linux numbers them where ship runs.
const FULL: [i32; 2] = [28, 122];

/// Why something failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Cause {
    /// The system refused an operation.
    Io {
        /// What was to be done: `cannot write`.
        doing: Option<String>,
        /// The path that it was to be done to.
        path: Option<String>,
        /// The number of the error (errno(3)), where the system gave one.
        errno: Option<i32>,
        /// The error in words.
        why: String,
    },
    /// A file system has less room than is needed.
    NoRoom {
        /// The folder that something was to be put into.
        place: String,
        /// How much is needed, with its unit.
        needed: String,
        /// How much is free, with its unit.
        free: String,
    },
    /// The disk, or the quota of the user, was full while something was written.
    Full {
        /// What could not be written.
        why: String,
    },
    /// A program is not there.
    NoProgram {
        /// The program, and what that means.
        why: String,
    },
    /// The user lacks a right.
    NoRight {
        /// Who may not do what.
        why: String,
    },
    /// What `ship setup` makes is not there.
    NotSetUp {
        /// What is missing.
        why: String,
    },
    /// Another command holds the lock.
    Locked(Running),
    /// A host, or a machine on the way to it, shows a key that is not known. Such a host is not
    /// down: somebody may be listening in.
    HostKeyUnknown {
        /// Whose key.
        why: String,
    },
    /// A host, or a machine on the way to it, shows another key than the known one.
    HostKeyChanged {
        /// Whose key.
        why: String,
    },
    /// A host, or a machine on the way to it, lets nobody in with the keys at hand.
    Login {
        /// Who refuses.
        why: String,
    },
    /// There is no connection to a host.
    Connection {
        /// What stands in the way.
        why: String,
    },
    /// Somebody interrupted the command.
    Interrupted {
        /// What it was doing.
        why: String,
    },
    /// Something that no code decides by.
    #[serde(skip)]
    Other {
        /// What it means for the command.
        kind: FailureKind,
        /// What happened.
        why: String,
    },
}

impl Cause {
    /// The cause of `error`, which came up while `path` was being dealt with.
    #[must_use]
    pub fn io(doing: Option<&str>, path: Option<&str>, error: &(dyn Error + 'static)) -> Self {
        Self::Io {
            doing: doing.map(str::to_owned),
            path: path.map(str::to_owned),
            errno: errno(error),
            why: error.to_string(),
        }
    }

    /// What a failure with this cause means for the command, where nothing else is known.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Io { .. } => FailureKind::Unexpected,
            Self::NoRoom { .. }
            | Self::Full { .. }
            | Self::NoProgram { .. }
            | Self::NoRight { .. }
            | Self::NotSetUp { .. }
            | Self::Locked(_) => FailureKind::Refused,
            Self::HostKeyUnknown { .. }
            | Self::HostKeyChanged { .. }
            | Self::Login { .. }
            | Self::Connection { .. } => FailureKind::Unreachable,
            Self::Interrupted { .. } => FailureKind::Interrupted,
            Self::Other { kind, .. } => *kind,
        }
    }

    /// Its name in events; `None` for what no code decides by.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        Some(match self {
            Self::Io { .. } => "io",
            Self::NoRoom { .. } => "no-room",
            Self::Full { .. } => "full",
            Self::NoProgram { .. } => "no-program",
            Self::NoRight { .. } => "no-right",
            Self::NotSetUp { .. } => "not-set-up",
            Self::Locked(_) => "locked",
            Self::HostKeyUnknown { .. } | Self::HostKeyChanged { .. } => "host-key",
            Self::Login { .. } => "login",
            Self::Connection { .. } => "connection",
            Self::Interrupted { .. } => "interrupted",
            Self::Other { .. } => return None,
        })
    }

    /// Whether a disk or a quota was full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::Io { errno, .. } => errno.is_some_and(|number| FULL.contains(&number)),
            Self::NoRoom { .. } | Self::Full { .. } => true,
            _ => false,
        }
    }

    /// Whether a key is not the known one, or not known.
    #[must_use]
    pub fn is_about_host_key(&self) -> bool {
        matches!(
            self,
            Self::HostKeyUnknown { .. } | Self::HostKeyChanged { .. }
        )
    }
}

/// A command that is being done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// What it is: `deploy`.
    pub what: String,
    /// Who started it: `user@machine`, or the CI's actor.
    pub who: String,
    /// Since when, RFC 3339, UTC; unknown where its note cannot be read.
    pub since: Option<String>,
    /// The address of the CI run.
    pub ci: Option<String>,
    /// What it is at right now: `activating v42`.
    pub doing: Option<String>,
}

/// `deploy is being done by ann@laptop since …: activating v42`.
impl fmt::Display for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.since.as_deref().unwrap_or("an unknown time");
        write!(
            f,
            "{} is being done by {} since {since}",
            self.what, self.who
        )?;
        if let Some(run) = &self.ci {
            write!(f, " ({run})")?;
        }
        match &self.doing {
            Some(doing) => write!(f, ": {doing}"),
            None => Ok(()),
        }
    }
}

/// One lower-case sentence: what happened, naming the thing.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io {
                doing, path, why, ..
            } => {
                let before = [doing.as_deref(), path.as_deref()];
                let before: Vec<&str> = before.into_iter().flatten().collect();
                match before.as_slice() {
                    [] => f.write_str(why),
                    words => write!(f, "{}: {why}", words.join(" ")),
                }
            }
            Self::NoRoom {
                place,
                needed,
                free,
            } => write!(
                f,
                "{place} has no room for the release: it needs {needed}, {free} free"
            ),
            Self::Full { why } => write!(f, "the disk is full: {why}"),
            Self::Locked(running) => write!(f, "another {running}"),
            Self::NoProgram { why }
            | Self::NoRight { why }
            | Self::NotSetUp { why }
            | Self::HostKeyUnknown { why }
            | Self::HostKeyChanged { why }
            | Self::Login { why }
            | Self::Connection { why }
            | Self::Interrupted { why }
            | Self::Other { why, .. } => f.write_str(why),
        }
    }
}

/// The number of the system's error in `error`, or in one that it came from.
fn errno(error: &(dyn Error + 'static)) -> Option<i32> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(number) = error.downcast_ref::<io::Error>().and_then(own_errno) {
            return Some(number);
        }
        next = error.source();
    }
    None
}

/// An error that was made of a kind alone has lost its number.
fn own_errno(error: &io::Error) -> Option<i32> {
    if let Some(inner) = error.get_ref() {
        return errno(inner).or(match error.kind() {
            io::ErrorKind::StorageFull => Some(FULL[0]),
            io::ErrorKind::QuotaExceeded => Some(FULL[1]),
            _ => None,
        });
    }
    error.raw_os_error()
}

/// An error of the system, with the path that it is about: `/srv/shop: No space left on device`.
#[derive(Debug)]
pub struct OnPath {
    /// The path.
    pub path: String,
    /// The system's error.
    pub error: io::Error,
}

impl fmt::Display for OnPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.error)
    }
}

impl Error for OnPath {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

impl From<io::Error> for Cause {
    fn from(error: io::Error) -> Self {
        let named = error.get_ref().and_then(|inner| inner.downcast_ref());
        match named {
            Some(OnPath { path, error }) => Self::io(None, Some(path), error),
            None => Self::io(None, None, &error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_known_through_every_wrapper() {
        for number in FULL {
            let plain = io::Error::from_raw_os_error(number);
            let error = io::Error::from_raw_os_error(number);
            let path = "/srv/x".to_owned();
            let named = io::Error::new(error.kind(), OnPath { path, error });
            let twice = io::Error::other(io::Error::from_raw_os_error(number));
            let alone = io::Error::new(plain.kind(), "cannot write");
            for error in [plain, named, twice, alone] {
                let text = error.to_string();
                let cause = Cause::from(error);
                assert!(cause.is_full(), "{cause:?}");
                assert_eq!(cause.to_string(), text);
            }
        }
        let other = Cause::from(io::Error::from_raw_os_error(13));
        assert!(!other.is_full());
        // The words of an error tell nothing.
        assert!(!Cause::from(io::Error::other("No space left on device")).is_full());
    }

    #[test]
    fn a_cause_is_the_same_at_the_other_end() {
        let cause = Cause::io(
            Some("cannot write"),
            Some("/srv/x"),
            &io::Error::from_raw_os_error(28),
        );
        assert_eq!(
            cause.to_string(),
            "cannot write /srv/x: No space left on device (os error 28)"
        );
        let text = serde_json::to_string(&cause).unwrap();
        assert_eq!(serde_json::from_str::<Cause>(&text).unwrap(), cause);
    }
}
