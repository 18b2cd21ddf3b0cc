//! Why the manifest says what it says: facts, each with the part of the manifest that it explains.

use std::fmt;

/// A part of the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum About {
    /// What kind of project it is, and its name.
    App,
    /// A line of `[runtimes]`.
    Runtime,
    /// `[build]`.
    Build,
    /// `[test]`.
    Test,
    /// `include` and `exclude` of `[release]`.
    Release,
    /// `shared` of `[release]`.
    Shared,
    /// `command` or `static` of a service.
    Service,
    /// `port` of a service.
    Port,
    /// `health` or `settle` of a service.
    Health,
    /// `[hooks]`.
    Hook,
    /// `env` of a service or an environment.
    Env,
    /// `secrets` of an environment.
    Secrets,
    /// `hosts` of an environment.
    Hosts,
}

/// A fact that was seen, and the part of the manifest that follows from it. As text it is one
/// sentence: `package.json has a start script: node server.js`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The part that it explains.
    pub about: About,
    /// Which one, where there may be several: the name of the service or the runtime. `None`: all.
    pub part: Option<String>,
    /// The subject of the sentence: a file of the project, or a framework.
    pub subject: String,
    /// The rest of the sentence: `has a start script: node server.js`.
    pub says: String,
    /// Whether only `--explain` tells it.
    pub quiet: bool,
}

impl Reason {
    /// A fact that `ship init` always tells.
    pub fn new(about: About, subject: impl Into<String>, says: impl Into<String>) -> Self {
        Self {
            about,
            part: None,
            subject: subject.into(),
            says: says.into(),
            quiet: false,
        }
    }

    /// Tells it only with `--explain`.
    #[must_use]
    pub fn quiet(self) -> Self {
        Self {
            quiet: true,
            ..self
        }
    }

    /// Explains this service or runtime alone.
    #[must_use]
    pub fn of(self, part: impl Into<String>) -> Self {
        Self {
            part: Some(part.into()),
            ..self
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.subject, self.says)
    }
}
