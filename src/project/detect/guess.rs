//! What detection says: values only.

use std::collections::{BTreeMap, BTreeSet};

use super::reason::{About, Reason};
use super::variables::needs;
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
    /// `cpanfile`, `app.psgi`, a program of Mojolicious.
    Perl,
    /// `pom.xml`, `build.gradle`.
    Java,
    /// `deno.json`.
    Deno,
    /// `*.csproj`, `*.fsproj`.
    Dotnet,
    /// `mix.exs`.
    Elixir,
    /// `gleam.toml`.
    Gleam,
    /// `project.clj`, `deps.edn`.
    Clojure,
    /// `build.sbt`.
    Scala,
    /// A language whose build makes a native program, and its tool.
    Native(&'static str),
    /// `start.sh`, `run.sh`.
    Shell,
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
            Self::Perl => "Perl",
            Self::Java => "Java",
            Self::Deno => "Deno",
            Self::Dotnet => ".NET",
            Self::Elixir => "Elixir",
            Self::Gleam => "Gleam",
            Self::Clojure => "Clojure",
            Self::Scala => "Scala",
            Self::Native(language) => language,
            Self::Shell => "shell",
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
    /// What was seen, and the part of the manifest that each fact explains.
    pub reasons: Vec<Reason>,
    /// What a person should know or check, one sentence each.
    pub notes: Vec<String>,
    /// What the project runs on and is built with, by name.
    pub runtimes: Vec<RuntimeGuess>,
    /// `[app] source`, when it is not the folder of the manifest.
    pub source: Option<String>,
    /// `[build]`.
    pub build: Steps,
    /// `[test]`.
    pub test: Steps,
    /// `[release] include`.
    pub include: Vec<String>,
    /// `[release] exclude`.
    pub exclude: Vec<String>,
    /// `[release] gitignore`.
    pub gitignore: bool,
    /// `[release] shared`.
    pub shared: Vec<String>,
    /// `[services]`.
    pub services: Vec<ServiceGuess>,
    /// `[hooks] before-activate`, in order.
    pub hooks: Vec<HookGuess>,
    /// `env` of the environment.
    pub env: BTreeMap<String, String>,
    /// Names of the secrets without which the app does not start.
    pub required: Vec<String>,
    /// Settings that the app needs and that are no secret, each with an example or nothing.
    pub settings: BTreeMap<String, String>,
    /// A tool of the build that Node runs only with OpenSSL's legacy provider, from version 17 on.
    pub legacy_builder: Option<&'static str>,
    /// `env` of this machine alone.
    pub local_env: BTreeMap<String, String>,
    /// Whether nothing runs because the project lacks a server, which one of the notes says.
    pub lacks_a_server: bool,
    /// Names (never values) that `.env` or its example sets.
    pub secrets: Vec<String>,
}

impl Detected {
    /// What was seen, one sentence each, without what only `--explain` tells.
    #[must_use]
    pub fn saw(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for reason in self.reasons.iter().filter(|reason| !reason.quiet) {
            let line = reason.to_string();
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines
    }
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

    /// Leaves out what an earlier step has done already.
    pub(super) fn once(&mut self) {
        let mut seen = BTreeSet::new();
        self.run.retain(|step| seen.insert(step.clone()));
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
    /// The page of that folder that answers where no file does.
    pub fallback: Option<String>,
    /// The port that it listens on.
    pub port: Option<u16>,
    /// Whether it listens where `$PORT` says, as far as can be seen.
    pub takes_port: bool,
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
    /// The path that is asked.
    pub path: String,
    /// Whether it may answer anything but a server error (5xx): it is a page, and no route for
    /// health. Otherwise it answers 2xx.
    pub is_page: bool,
    /// Whether 400 is how the framework refuses everybody, also on a page.
    pub refuses_with_400: bool,
    /// Headers without which it would not.
    pub headers: BTreeMap<String, String>,
}

impl HealthGuess {
    /// `path`, without headers.
    pub(super) fn path(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            is_page: false,
            refuses_with_400: false,
            headers: BTreeMap::new(),
        }
    }
}

/// A runtime or a package manager that the project needs, and which version of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuntimeGuess {
    /// As in `[runtimes]`: `node`, `pnpm`.
    pub name: String,
    /// The request to write; `None` while nobody has chosen one.
    pub version: Option<String>,
    /// What the project allows, when it leaves the choice open: `>=20`.
    pub allows: Option<String>,
    /// The file that says so, if one does.
    pub file: Option<String>,
    /// Why this version was chosen, where the project leaves it open.
    pub why: Option<String>,
    /// Why the request cannot be written as more than a comment.
    pub obstacle: Option<String>,
}

/// A need of a project, as a detector states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Need {
    /// As in `[runtimes]`: `node`, `pnpm`, `poetry`.
    pub name: String,
    /// A request and the file that makes it, when that is a file that
    /// [`declared`](crate::project::declared) does not read.
    pub asks: Option<(String, String)>,
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
    pub reasons: Vec<Reason>,
    pub notes: Vec<String>,
    /// Steps in the root of the workspace, before those of the member.
    pub root_steps: Vec<String>,
    /// Hooks that run in the release's folder, and not in that of the member.
    pub root_hooks: Vec<HookGuess>,
    pub build: Steps,
    pub test: Steps,
    pub include: Include,
    pub exclude: Vec<String>,
    pub shared: Vec<String>,
    pub services: Vec<ServiceGuess>,
    pub hooks: Vec<HookGuess>,
    pub env: BTreeMap<String, String>,
    /// Environment of every service that runs a command, also of one that a Procfile names.
    pub service_env: BTreeMap<String, String>,
    /// The runtimes and package managers that it runs on or is built with.
    pub needs: Vec<Need>,
    /// The folder that relative URLs of databases start from, if it is not the app's own.
    pub database_urls_in: Option<&'static str>,
    /// A framework that listens, and the port that it takes by itself.
    pub framework: Option<(String, u16)>,
    /// Its sources.
    pub types: &'static [&'static str],
    /// Sources that no service runs: files, and folders with a slash at the end.
    pub aside: Vec<String>,
    /// A route that the framework answers.
    pub health: Option<HealthGuess>,
    /// A folder that the build fills with a copy of the app, where it runs from one.
    pub copy: Option<String>,
    /// Headers that a health route of this framework wants.
    pub health_headers: BTreeMap<String, String>,
    /// Whether it refuses, with 400, every name of a host that a health check could ask for.
    pub knows_no_host: bool,
    /// Why a health route that is seen cannot be asked, if so.
    pub no_health: Option<String>,
    /// Whether its pages fail until a person has run a command on the host, in the live release.
    pub is_prepared_by_hand: bool,
    /// Names of the secrets without which the app does not start.
    pub secrets: Vec<String>,
    /// Settings that the app needs and that are no secret, each with an example or nothing.
    pub settings: BTreeMap<String, String>,
    /// The variable that says the address by which browsers reach the app, where forms are refused
    /// without it.
    pub origin: Option<&'static str>,
    /// A tool of the build that Node runs only with OpenSSL's legacy provider, from version 17 on.
    pub legacy_builder: Option<&'static str>,
    /// Whether nothing runs because the project lacks a server, which one of the notes says.
    pub lacks_a_server: bool,
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

impl Include {
    /// Whether it names `path`.
    pub fn names(&self, path: &str) -> bool {
        let (Self::Built(list) | Self::Only(list) | Self::Sources { add: list, .. }) = self;
        list.iter().any(|own| own == path)
    }
}

impl Guess {
    pub fn new(stack: Stack, types: &'static [&'static str]) -> Self {
        Self {
            stack,
            strength: Strength::Present,
            name: None,
            reasons: Vec::new(),
            notes: Vec::new(),
            root_steps: Vec::new(),
            root_hooks: Vec::new(),
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
            service_env: BTreeMap::new(),
            needs: Vec::new(),
            database_urls_in: None,
            framework: None,
            types,
            aside: Vec::new(),
            health: None,
            copy: None,
            health_headers: BTreeMap::new(),
            knows_no_host: false,
            no_health: None,
            is_prepared_by_hand: false,
            secrets: Vec::new(),
            settings: BTreeMap::new(),
            origin: None,
            legacy_builder: None,
            lacks_a_server: false,
        }
    }

    /// `file` gives the project this name, if it gives one.
    pub fn named(&mut self, file: &str, name: Option<String>) {
        if let Some(name) = &name {
            self.because_quietly(About::App, file, format!("has the name {name}"));
        }
        self.name = name;
    }

    /// Adds a file or folder to what is shipped.
    pub fn add(&mut self, path: impl Into<String>) {
        match &mut self.include {
            Include::Built(list) | Include::Only(list) | Include::Sources { add: list, .. } => {
                list.push(path.into());
            }
        }
    }

    /// The paths that the release names, without the project's own folder.
    pub fn released(&self) -> Vec<String> {
        let (Include::Built(list) | Include::Only(list) | Include::Sources { add: list, .. }) =
            &self.include;
        list.iter().filter(|path| *path != ".").cloned().collect()
    }

    /// The app needs this secret, as `file` shows.
    pub fn secret(&mut self, name: impl Into<String>, file: &str) {
        let name = name.into();
        if !self.secrets.contains(&name) {
            self.because(About::Secrets, file, needs(&name));
            self.secrets.push(name);
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

    /// The project needs `name`: a runtime, or a package manager that a step starts. Its version
    /// comes from the files that name versions, else from this machine (see
    /// [`runtimes`](super::runtimes)).
    pub fn needs(&mut self, name: &str) {
        if !self.needs.iter().any(|need| need.name == name) {
            self.needs.push(Need {
                name: name.to_owned(),
                asks: None,
            });
        }
    }

    /// Like [`needs`](Self::needs), and `file` asks for `request`.
    pub fn needs_version(&mut self, name: &str, request: &str, file: &str) {
        self.needs(name);
        let need = self.needs.iter_mut().find(|need| need.name == name);
        if let Some(need) = need {
            need.asks
                .get_or_insert_with(|| (request.to_owned(), file.to_owned()));
        }
    }

    /// `subject` (a file, or a framework) is why `about` says what it says.
    pub fn because(&mut self, about: About, subject: impl Into<String>, says: impl Into<String>) {
        self.reasons.push(Reason::new(about, subject, says));
    }

    /// Like [`Guess::because`], but told only with `--explain`.
    pub fn because_quietly(
        &mut self,
        about: About,
        subject: impl Into<String>,
        says: impl Into<String>,
    ) {
        self.reasons.push(Reason::new(about, subject, says).quiet());
    }

    /// Something to know; said once.
    pub fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }
}
