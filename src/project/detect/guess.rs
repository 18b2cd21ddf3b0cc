//! What detection says: values only.

use std::collections::BTreeMap;

use crate::model::AppName;

/// What kind of project it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stack {
    /// A Procfile and nothing else that is known.
    Procfile,
    /// `package.json`.
    Node,
    /// `requirements.txt`, `pyproject.toml`, `manage.py`, `app.py`…
    Python,
    /// `Cargo.toml`.
    Rust,
    /// `go.mod`.
    Go,
    /// `Gemfile`, `config.ru`.
    Ruby,
    /// `composer.json`, `index.php`.
    Php,
    /// `pom.xml`, `build.gradle`.
    Java,
    /// `index.html`.
    Static,
}

impl Stack {
    /// What a person calls it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Procfile => "Procfile",
            Self::Node => "Node",
            Self::Python => "Python",
            Self::Rust => "Rust",
            Self::Go => "Go",
            Self::Ruby => "Ruby",
            Self::Php => "PHP",
            Self::Java => "Java",
            Self::Static => "static files",
        }
    }
}

/// Everything that `ship init` saw in a folder, and what it concludes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// The app's name, valid as such.
    pub name: AppName,
    /// The kind of project; `None` when nothing was recognised.
    pub stack: Option<Stack>,
    /// What was seen and why it matters, one sentence each: `package.json has a start script`.
    pub saw: Vec<String>,
    /// What a person should know or check, one sentence each.
    pub notes: Vec<String>,
    /// Versions that the project asks for, by runtime: `node` → `20.11.1`.
    pub runtimes: BTreeMap<String, String>,
    /// `[build]`.
    pub build: Steps,
    /// `[test]`.
    pub test: Steps,
    /// `[release] include`.
    pub include: Vec<String>,
    /// `[release] exclude`.
    pub exclude: Vec<String>,
    /// `[release] shared`.
    pub shared: Vec<String>,
    /// `[services]`.
    pub services: Vec<ServiceGuess>,
    /// `[hooks] before-activate`, in order.
    pub hooks: Vec<HookGuess>,
    /// `env` of the environment.
    pub env: BTreeMap<String, String>,
    /// Names (never values) that `.env` or its example sets.
    pub secrets: Vec<String>,
}

/// Steps of `[build]` or `[test]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Steps {
    /// Lines for `/bin/sh`, in order.
    pub run: Vec<String>,
    /// Their environment.
    pub env: BTreeMap<String, String>,
    /// What the manifest says above them.
    pub why: Vec<String>,
}

impl Steps {
    /// Adds a step.
    pub(super) fn push(&mut self, step: impl Into<String>) {
        self.run.push(step.into());
    }
}

/// One hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookGuess {
    /// A line for `/bin/sh`.
    pub run: String,
    /// On every host, instead of once per fleet.
    pub each_host: bool,
}

impl HookGuess {
    /// Once per fleet: migrations.
    pub(super) fn once(run: impl Into<String>) -> Self {
        Self {
            run: run.into(),
            each_host: false,
        }
    }

    /// On every host: folders that the app expects.
    pub(super) fn each(run: impl Into<String>) -> Self {
        Self {
            run: run.into(),
            each_host: true,
        }
    }
}

/// One service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceGuess {
    /// `web`, `worker`, or the Procfile's word; not yet checked as a name.
    pub name: String,
    /// A line for `/bin/sh`; `None` when unknown or static.
    pub command: Option<String>,
    /// A folder that `ship` serves itself.
    pub static_dir: Option<String>,
    /// The port that it listens on.
    pub port: Option<u16>,
    /// Where the port was seen: `server.js`, `the default of Next.js`.
    pub port_from: Option<String>,
    /// What proves that it serves, over an open port.
    pub health: Option<HealthGuess>,
    /// Its environment.
    pub env: BTreeMap<String, String>,
    /// What the manifest says above the command.
    pub why: Vec<String>,
}

/// `health` of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthGuess {
    /// A path that answers 2xx.
    pub path: String,
    /// Headers without which it would not.
    pub headers: BTreeMap<String, String>,
}

impl HealthGuess {
    /// `path`, without headers.
    pub(super) fn path(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            headers: BTreeMap::new(),
        }
    }
}

/// How sure a stack is that the project is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// Its files are there, but nothing to run.
    Present,
    /// There is something to run.
    Runs,
    /// A framework or a binary that is the app without doubt.
    Certain,
}

/// What one stack concludes.
#[derive(Debug)]
pub(super) struct Guess {
    pub stack: Stack,
    pub strength: Strength,
    /// What the project calls itself.
    pub name: Option<String>,
    pub saw: Vec<String>,
    pub notes: Vec<String>,
    pub build: Steps,
    pub test: Steps,
    pub include: Include,
    pub exclude: Vec<String>,
    pub shared: Vec<String>,
    pub services: Vec<ServiceGuess>,
    pub hooks: Vec<HookGuess>,
    pub env: BTreeMap<String, String>,
    /// A framework that listens, and the port that it takes by itself.
    pub framework: Option<(String, u16)>,
    /// Its sources.
    pub types: &'static [&'static str],
    /// Headers that a health route of this framework wants.
    pub health_headers: BTreeMap<String, String>,
    /// Why a health route that is seen cannot be asked, if so.
    pub no_health: Option<String>,
}

/// Which files a release holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Include {
    /// These, and what the sources name at run time.
    Built(Vec<String>),
    /// Exactly these.
    Only(Vec<String>),
    /// The app's own files, without those in `drop`, and these.
    Sources { add: Vec<String>, drop: Vec<String> },
}

impl Guess {
    pub fn new(stack: Stack, types: &'static [&'static str]) -> Self {
        Self {
            stack,
            strength: Strength::Present,
            name: None,
            saw: Vec::new(),
            notes: Vec::new(),
            build: Steps::default(),
            test: Steps::default(),
            include: Include::Sources {
                add: Vec::new(),
                drop: Vec::new(),
            },
            exclude: Vec::new(),
            shared: Vec::new(),
            services: Vec::new(),
            hooks: Vec::new(),
            env: BTreeMap::new(),
            framework: None,
            types,
            health_headers: BTreeMap::new(),
            no_health: None,
        }
    }

    /// Adds a file or folder to what is shipped.
    pub fn add(&mut self, path: impl Into<String>) {
        match &mut self.include {
            Include::Built(list) | Include::Only(list) | Include::Sources { add: list, .. } => {
                list.push(path.into());
            }
        }
    }

    /// The one main service runs `command`.
    pub fn runs(&mut self, strength: Strength, command: impl Into<String>) {
        self.strength = strength;
        self.services = vec![ServiceGuess {
            name: "web".to_owned(),
            command: Some(command.into()),
            ..ServiceGuess::default()
        }];
    }

    /// `ship` serves `dir`.
    pub fn serves(&mut self, strength: Strength, dir: impl Into<String>) {
        self.strength = strength;
        self.services = vec![ServiceGuess {
            name: "web".to_owned(),
            static_dir: Some(dir.into()),
            ..ServiceGuess::default()
        }];
    }

    pub fn saw(&mut self, text: impl Into<String>) {
        self.saw.push(text.into());
    }

    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }
}
