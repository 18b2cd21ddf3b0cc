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
use crate::model::release::Origin;
use crate::model::{Failure, FailureKind};
use crate::pipeline::{self, StepEnvironment};
use crate::project::{Diagnostic, Environment, Project};
use crate::report::{self, Mode, Reporter};
use crate::rollout::Context;
use crate::rollout::cache::Cache;
use crate::rollout::conclude::Ended;
use crate::rollout::stop::Stop;
use crate::runtime::{self, Wish};
use crate::transport::Options;

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
        let terminal = std::io::stderr().is_terminal();
        let env = |name: &str| std::env::var(name).ok();
        let mode = Mode::choose(globals.json, globals.plain, terminal, env);
        let options = report::Options {
            verbosity: globals.verbosity(),
            colour: mode != Mode::Json && report::colour(terminal, env),
            width: None,
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
        runtime.spawn(signals::watch(stop.clone(), sink.clone()));
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

    /// Runs a future to its end.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// The folder of the project: `--project`, else the nearest above with a `ship.toml`, else
    /// this one.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        match &self.globals.project {
            Some(dir) => here.join(dir),
            None => crate::project::find(&here).unwrap_or(here),
        }
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
        Ok(StepEnvironment::on(caller, provided))
    }

    fn accept(&self, checked: crate::project::Checked) -> Result<Project, Failure> {
        let diagnostics = checked.diagnostics;
        match checked.project {
            Some(project) => {
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
        let options = connect_options(project.dir.clone())?;
        let caller: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
        let (who, ci) = pipeline::who(&caller);
        Ok(Context {
            options,
            project,
            environment,
            sink: self.sink.clone(),
            cancel: self.cancel.clone(),
            stop: self.stop.clone(),
            who,
            ci,
            wait_ms: 0,
            cache: Cache::at(cache_folder()),
            caller,
        })
    }

    /// Where the project's content comes from, and a warning when git does not tell.
    #[must_use]
    pub fn origin(&self, project: &Project, tests_skipped: bool) -> (Origin, Option<String>) {
        let env: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
        pipeline::origin(&project.dir, &env, tests_skipped)
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

    /// Ends a command that has no outcome.
    pub fn finish(self, result: Result<(), Failure>) -> u8 {
        match result {
            Ok(()) => self.end(0),
            Err(failure) => {
                let code = fail(&self.sink, failure.into());
                self.end(code)
            }
        }
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
fn connect_options(project: PathBuf) -> Result<Options, Failure> {
    let var = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let in_ci = || pipeline::ci::detect(&std::env::vars_os().collect()).is_some();
    Ok(Options {
        project,
        ssh_config: var("SHIP_SSH_CONFIG").map(PathBuf::from),
        ssh_key: var("SHIP_SSH_KEY"),
        persist_s: persist_s(var("SHIP_SSH_PERSIST").as_deref(), in_ci)?,
        cache: cache_folder(),
        timeout: Duration::from_secs(CONNECT_S),
    })
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

/// Where the controller remembers things: `$XDG_CACHE_HOME/ship`, else `~/.cache/ship` (XDG Base
/// Directory Specification; a relative path is not valid there).
fn cache_folder() -> Option<PathBuf> {
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
