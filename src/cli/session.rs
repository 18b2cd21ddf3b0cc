//! What a command stands on: the reporter, the project, the environment, signals, a runtime.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;

use super::exit;
use super::globals::Globals;
use super::signals;
use crate::model::event::{Event, Outcome, Sink};
use crate::model::{Failure, FailureKind, HostName};
use crate::pipeline::{self, History, Provenance, Seeds, StepEnvironment};
use crate::project::{Diagnostic, Environment, Project};
use crate::report::{self, Mode, Reporter};
use crate::rollout::Context;
use crate::rollout::cache::Cache;
use crate::rollout::conclude::Ended;
use crate::rollout::stop::Stop;
use crate::runtime::{self, Lock, Wish};
use crate::transport::{Options, SshKey};

/// How long a connection may take, s.
const CONNECT_S: u64 = 15;

/// How long an idle connection outlives its command, s.
const PERSIST_S: usize = 60;

/// A running command.
pub struct Session {
    /// Where events go.
    pub sink: Sink,
    /// Who tells them.
    pub reporter: Reporter,
    /// How it is told.
    pub mode: Mode,
    /// Turns `true` at the first Ctrl-C, SIGTERM or SIGHUP.
    pub cancel: watch::Receiver<bool>,
    stop: Stop,
    runtime: tokio::runtime::Runtime,
    globals: Globals,
}

impl Session {
    /// Starts a command.
    ///
    /// # Errors
    /// The exit code, when not even a runtime can be had; that was said then.
    pub fn start(globals: &Globals) -> Result<Self, u8> {
        let session = Self::without_signals(globals)?;
        session.spawn(signals::watch(session.stop(), session.sink.clone()));
        Ok(session)
    }

    /// The same for a command that hears signals itself.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn without_signals(globals: &Globals) -> Result<Self, u8> {
        let terminal = std::io::stderr().is_terminal();
        let env = |name: &str| std::env::var(name).ok();
        let mode = Mode::choose(globals.json, globals.plain, terminal, env);
        let options = report::Options {
            verbosity: globals.verbosity(),
            colour: mode != Mode::Json && report::colour(terminal, env),
            width: None,
            columns: env("COLUMNS")
                .and_then(|columns| columns.trim().parse().ok())
                .filter(|columns| *columns > 0),
        };
        let (sink, reporter) = Reporter::new(mode, options);
        let built = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        let runtime = match built {
            Ok(runtime) => runtime,
            Err(error) => {
                let failure = Failure::unexpected(format!("no runtime: {error}"));
                return Err(fail(&sink, failure.into()));
            }
        };
        let stop = Stop::default();
        Ok(Self {
            sink,
            reporter,
            mode,
            cancel: stop.asked(),
            stop,
            runtime,
            globals: globals.clone(),
        })
    }

    /// Runs a future beside what [`block_on`](Self::block_on) waits for.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(future);
    }

    /// Asks this command to stop.
    #[must_use]
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Runs a future to its end.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// The folder of the project: `--project`, else the nearest above with a `ship.toml`, else
    /// this one.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        folder_of(self.globals.project.clone())
    }

    /// The project.
    ///
    /// # Errors
    /// The failure, with the rendered diagnostics as details.
    pub fn project(&self) -> Result<Project, Failure> {
        self.accept(Project::check(&self.folder()))
    }

    /// The project without a look at its files: for commands that only speak to hosts.
    ///
    /// # Errors
    /// As [`project`](Self::project).
    pub fn manifest(&self) -> Result<Project, Failure> {
        self.accept(Project::check_text(&self.folder()))
    }

    /// What build steps see: the project's environment, on its pinned runtimes. Those that are not
    /// here yet are fetched.
    ///
    /// # Errors
    /// As [`runtime::provide`].
    pub fn step_environment(&self, project: &Project) -> Result<StepEnvironment, Failure> {
        let caller = std::env::vars_os().collect();
        let cache = cache_folder();
        let provided = self.block_on(runtime::provide(&Wish {
            project,
            cache: cache.as_deref(),
            caller: &caller,
            sink: &self.sink,
            cancel: self.cancel.clone(),
        }))?;
        let redactor = project.redactor(&caller);
        Ok(StepEnvironment::on(project, caller, provided, redactor))
    }

    /// The project of a manifest that was read; its warnings are said.
    ///
    /// # Errors
    /// As [`project`](Self::project).
    pub(super) fn accept(&self, checked: crate::project::Checked) -> Result<Project, Failure> {
        let diagnostics = checked.diagnostics;
        match checked.project {
            Some(project) => {
                let caller = std::env::vars_os().collect();
                self.reporter.know(project.redactor(&caller));
                for warning in &diagnostics {
                    self.sink.emit(Event::Warning {
                        text: warning.message.clone(),
                        hint: None,
                    });
                }
                Ok(project)
            }
            None => Err(invalid_manifest(&diagnostics, self.colour())),
        }
    }

    /// Whether output is coloured.
    #[must_use]
    pub fn colour(&self) -> bool {
        self.mode != Mode::Json
            && report::colour(std::io::stderr().is_terminal(), |name| {
                std::env::var(name).ok()
            })
    }

    /// The environment called `name`; without a name the default one.
    ///
    /// # Errors
    /// Usage, when there is none of that name, or several to choose from.
    pub fn environment(project: &Project, name: Option<&str>) -> Result<Environment, Failure> {
        let there = || {
            let names: Vec<&str> = project
                .environments
                .keys()
                .map(|name| name.as_str())
                .collect();
            format!("its environments are: {}", names.join(", "))
        };
        fn only<'a>(mut all: impl Iterator<Item = &'a Environment>) -> Option<&'a Environment> {
            all.next().filter(|_| all.next().is_none())
        }
        let usage = |message: String| Failure::new(FailureKind::Usage, message).hint(there());
        match name {
            Some(name) => project
                .environments
                .values()
                .find(|environment| environment.name.as_str() == name)
                .cloned()
                .ok_or_else(|| usage(format!("{} has no environment `{name}`", project.app))),
            None => project
                .default_environment
                .as_ref()
                .and_then(|name| project.environments.get(name))
                .or_else(|| only(project.environments.values()))
                .cloned()
                .ok_or_else(|| usage("which environment? name one".to_owned())),
        }
    }

    /// Everything that a command against the environment `name` needs.
    ///
    /// # Errors
    /// As [`project`](Self::project) and [`environment`](Self::environment).
    pub fn context(&self, name: Option<&str>) -> Result<Context, Failure> {
        let project = self.manifest()?;
        let environment = Self::environment(&project, name)?;
        self.context_for(project, environment)
    }

    /// The same for a project and an environment at hand.
    ///
    /// # Errors
    /// When the environment has no hosts, or a variable of our own is not what it should be.
    pub fn context_for(
        &self,
        project: Project,
        environment: Environment,
    ) -> Result<Context, Failure> {
        if environment.hosts.is_empty() {
            return Err(Failure::new(
                FailureKind::Project,
                format!("environment {} has no hosts", environment.name),
            )
            .hint(format!(
                "[environments.{}] hosts = [\"deploy@web1.example.com\"]",
                environment.name
            )));
        }
        let is_remote = |host: &crate::project::Host| host.name != HostName::local();
        let has_remote = environment.hosts.iter().any(is_remote);
        let options = connect_options(project.dir.clone(), has_remote)?;
        let caller: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
        let (who, ci) = pipeline::who(&caller);
        Ok(Context {
            fleet: environment.hosts.iter().map(|it| it.name.clone()).collect(),
            options,
            project,
            environment,
            sink: self.sink.clone(),
            cancel: self.cancel.clone(),
            stop: self.stop.clone(),
            who,
            ci,
            wait_ms: 0,
            history: History::default(),
            seeds: Seeds::default(),
            cache: Cache::at(cache_folder()),
            asks_only: false,
            caller,
        })
    }

    /// Where the project's content comes from, and whether it is committed.
    #[must_use]
    pub fn provenance(&self, project: &Project, tests_skipped: bool) -> Provenance {
        let env: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
        pipeline::origin(project, &env, tests_skipped)
    }

    /// Names the versions in other tools' files that could not be compared with `lock`.
    pub fn say_not_compared(&self, project: &Project, lock: &Lock) {
        for text in runtime::not_compared(project, lock) {
            let hint =
                Some("a version or a code name there is compared: `22` or `lts/jod`".to_owned());
            self.sink.emit(Event::Warning { text, hint });
        }
    }

    /// Says that `command` began on the environment of `context`; `commit` is a short commit id.
    pub fn say_started(&self, command: &str, context: &Context, commit: Option<String>) {
        let environment = &context.environment;
        self.sink.emit(Event::Started {
            command: command.to_owned(),
            app: environment.app.clone(),
            environment: environment.name.clone(),
            hosts: environment
                .hosts
                .iter()
                .map(|host| host.name.clone())
                .collect(),
            commit,
        });
    }

    /// Ends the command with what is true: the exit code.
    pub fn conclude(self, result: Result<Outcome, Ended>) -> u8 {
        match result {
            Ok(outcome) => {
                self.sink.emit(Event::Finished { outcome });
                self.end(0)
            }
            Err(ended) => {
                let code = fail(&self.sink, ended);
                self.end(code)
            }
        }
    }

    /// Ends a command that did something, and has no outcome on hosts to tell.
    pub fn done(self, result: Result<(), Failure>) -> u8 {
        if result.is_ok() {
            self.sink.emit(Event::Done);
        }
        self.finish(result)
    }

    /// Ends a command that was asked a question.
    pub fn finish(self, result: Result<(), Failure>) -> u8 {
        match result {
            Ok(()) => self.end(0),
            Err(failure) => {
                let code = fail(&self.sink, failure.into());
                self.end(code)
            }
        }
    }

    /// Ends a command with a failure that has an exit code of its own.
    pub fn finish_with(self, failure: Failure, exit: u8) -> u8 {
        self.sink.emit(Event::Failed {
            failure,
            outcome: None,
            exit,
        });
        self.end(exit)
    }

    /// Ends with `code`.
    pub fn end(self, code: u8) -> u8 {
        self.reporter.finish();
        // Blocking threads that still read a tree must not hold the exit back.
        self.runtime.shutdown_background();
        code
    }
}

/// How hosts are reached, by the environment variables that CI sets.
/// Those for ssh(1) are read where `uses_ssh`.
pub fn connect_options(project: PathBuf, uses_ssh: bool) -> Result<Options, Failure> {
    let var = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let in_ci = || pipeline::ci::detect(&std::env::vars_os().collect()).is_some();
    Ok(Options {
        project,
        ssh_config: var("SHIP_SSH_CONFIG").map(PathBuf::from),
        ssh_key: match uses_ssh {
            true => ssh_key()?,
            false => None,
        },
        persist_s: persist_s(var("SHIP_SSH_PERSIST").as_deref(), in_ci)?,
        cache: cache_folder(),
        timeout: Duration::from_secs(CONNECT_S),
    })
}

/// The key that `SHIP_SSH_KEY` gives. A variable that is set and empty is one of CI's whose secret
/// is missing: ssh's own keys would be refused, for no reason that anybody could see.
fn ssh_key() -> Result<Option<SshKey>, Failure> {
    let Some(value) = std::env::var_os("SHIP_SSH_KEY") else {
        return Ok(None);
    };
    let has_agent = std::env::var_os("SSH_AUTH_SOCK").is_some_and(|path| !path.is_empty());
    SshKey::of_variable(&value.to_string_lossy(), has_agent).map(Some)
}

/// How long an idle connection outlives its command, s: what `SHIP_SSH_PERSIST` says; else not at
/// all in CI, whose next job is another machine, and a minute elsewhere.
fn persist_s(
    variable: Option<&str>,
    in_ci: impl Fn() -> bool,
) -> Result<Option<NonZeroUsize>, Failure> {
    let seconds = match variable {
        // ssh(1) counts in ints; a day is more than anybody means.
        Some(text) => text.trim().parse().ok().filter(|s| *s <= 86_400),
        None if in_ci() => Some(0),
        None => Some(PERSIST_S),
    };
    let wrong = || {
        let found = variable.unwrap_or_default();
        Failure::new(
            FailureKind::Usage,
            format!("SHIP_SSH_PERSIST is `{found}`, not a number of seconds up to a day"),
        )
        .hint("0: connections end with their command")
    };
    seconds.map(NonZeroUsize::new).ok_or_else(wrong)
}

fn fail(sink: &Sink, ended: Ended) -> u8 {
    let exit = exit::code(ended.failure.kind);
    sink.emit(Event::Failed {
        failure: ended.failure,
        outcome: ended.outcome.map(|outcome| *outcome),
        exit,
    });
    exit
}

fn invalid_manifest(diagnostics: &[Diagnostic], colour: bool) -> Failure {
    let errors: Vec<&Diagnostic> = diagnostics
        .iter()
        .filter(|found| found.is_error())
        .collect();
    // Not a mistake in the file: there is none, or it cannot be read.
    if let [only] = diagnostics
        && only.source.is_none()
    {
        let failure = Failure::new(FailureKind::Project, only.message.clone());
        return match only.help.first() {
            Some(help) => failure.hint(help.clone()),
            None => failure,
        };
    }
    let count = errors.len();
    let message = match count {
        1 => "ship.toml has a mistake".to_owned(),
        _ => format!("ship.toml has {count} mistakes"),
    };
    let rendered = diagnostics.iter().flat_map(|found| {
        found
            .render(colour)
            .lines()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    Failure::new(FailureKind::Project, message).details(rendered)
}

/// The folder of a project that `--project` names; without it the nearest above this one with a
/// manifest, else this one.
pub(super) fn folder_of(named: Option<PathBuf>) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    match named {
        Some(dir) => here.join(dir),
        None => crate::project::find(&here).unwrap_or(here),
    }
}

/// Where the controller remembers things: `$XDG_CACHE_HOME/ship`, else `~/.cache/ship` (XDG Base
/// Directory Specification; a relative path is not valid there).
pub(super) fn cache_folder() -> Option<PathBuf> {
    let folder = |name| {
        let path = PathBuf::from(std::env::var_os(name)?);
        path.is_absolute().then_some(path)
    };
    let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
    Some(cache.join("ship"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_kept_for_a_minute_or_as_the_variable_says() {
        let kept = |variable, ci| {
            let seconds = persist_s(variable, || ci).map_err(|failure| failure.kind);
            seconds.map(|seconds| seconds.map_or(0, NonZeroUsize::get))
        };
        assert_eq!(kept(None, false), Ok(60));
        assert_eq!(kept(None, true), Ok(0));
        assert_eq!(kept(Some("0"), false), Ok(0));
        assert_eq!(kept(Some(" 5 "), true), Ok(5));
        for wrong in ["yes", "-1", "1.5", "86401"] {
            assert_eq!(kept(Some(wrong), false), Err(FailureKind::Usage), "{wrong}");
        }
    }
}
