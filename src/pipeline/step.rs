//! Runs the steps of `[build]` and `[test]`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::future::pending;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::process::Command;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::environment::StepEnvironment;
use super::group::Group;
use super::log::{self, StepLog};
use crate::model::event::{Event, Phase, Sink};
use crate::model::lines::MaskedLines;
use crate::model::{Failure, FailureKind};
use crate::project::model::{Pipeline, Step};

/// How long output is waited for after the shell has ended, when a child that it left behind still
/// holds the pipe.
const DRAIN: Duration = Duration::from_secs(1);

/// Output that may be the beginning of a secret is held back for so long at most.
const PAUSE: Duration = Duration::from_millis(100);

/// Runs the steps of `pipeline` one after the other in the folder `source`, each by `/bin/sh -c` in a process
/// group of its own, with no input and the environment that `environment` makes. Both outputs go
/// line by line, in the order they come and with secrets masked, to `sink` and into
/// `.ship/logs/<phase>-<number>-<name>.log` of `project`, the folder of the manifest. A step that takes longer than its timeout is ended
/// with all its children (SIGTERM, 5 s later SIGKILL), and so is the running one when `cancel`
/// becomes true. Children that a step leaves behind in the background live on.
///
/// # Errors
/// [`FailureKind::Build`] at the first step that fails, [`FailureKind::Interrupted`] when
/// cancelled, [`FailureKind::Unexpected`] when the log cannot be made.
pub async fn run_steps(
    phase: Phase,
    pipeline: &Pipeline,
    environment: &StepEnvironment,
    project: &Path,
    source: &Path,
    sink: &Sink,
    mut cancel: watch::Receiver<bool>,
) -> Result<(), Failure> {
    if pipeline.steps.is_empty() {
        return Ok(());
    }
    log::clear(project, phase).map_err(|error| no_log(project, &error))?;
    let env = environment.of(pipeline);
    for (at, step) in pipeline.steps.iter().enumerate() {
        let log = StepLog::create(project, phase, at + 1, &step.name, &step.run)
            .map_err(|error| no_log(project, &error))?;
        let mut running = Running {
            lines: MaskedLines::new(&environment.redactor),
            phase,
            step,
            sink,
            log: Some(log),
        };
        running.run(&env, source, &mut cancel).await?;
    }
    Ok(())
}

fn no_log(project: &Path, error: &io::Error) -> Failure {
    Failure::unexpected(format!(
        "cannot write the logs of the steps: {error} ({})",
        project.join(".ship/logs").display()
    ))
}

/// How a step ended.
enum End {
    Exit(ExitStatus),
    NotStarted(io::Error),
    TimedOut,
    Cancelled,
}

struct Running<'a> {
    phase: Phase,
    step: &'a Step,
    sink: &'a Sink,
    log: Option<StepLog>,
    lines: MaskedLines,
}

impl Running<'_> {
    async fn run(
        &mut self,
        env: &BTreeMap<OsString, OsString>,
        source: &Path,
        cancel: &mut watch::Receiver<bool>,
    ) -> Result<(), Failure> {
        let (phase, name) = (self.phase, self.step.name.clone());
        self.sink.emit(Event::StepStarted {
            phase,
            name: name.clone(),
        });
        let start = Instant::now();
        let log = self.log.as_ref().map(|log| log.name.clone());
        let end = match self.spawn(env, source) {
            Ok((group, output)) => self.attend(group, output, start, cancel).await,
            Err(error) => End::NotStarted(error),
        };
        self.log(StepLog::flush);
        let why = why(&end, self.step.timeout_ms);
        self.sink.emit(Event::StepFinished {
            phase,
            name,
            ok: why.is_none(),
            why: why.clone(),
            is_stopped: matches!(end, End::Cancelled),
            ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
            log: log.clone(),
        });
        match why {
            None => Ok(()),
            Some(why) => Err(self.failure(&end, why, log)),
        }
    }

    /// Starts the shell with both outputs on one pipe, so that their order is kept.
    fn spawn(
        &self,
        env: &BTreeMap<OsString, OsString>,
        source: &Path,
    ) -> io::Result<(Group, pipe::Receiver)> {
        let (reader, writer) = io::pipe()?;
        let mut command = Command::new("/bin/sh");
        command
            .arg("-c")
            .arg(&self.step.run)
            .current_dir(source)
            .env_clear()
            .envs(env)
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer);
        // The command goes, and with it this process's own ends of the pipe for writing.
        let group = Group::spawn(command)?;
        Ok((group, pipe::Receiver::from_owned_fd(reader.into())?))
    }

    /// Reads and waits until the step has ended, one way or another.
    async fn attend(
        &mut self,
        mut group: Group,
        mut output: pipe::Receiver,
        start: Instant,
        cancel: &mut watch::Receiver<bool>,
    ) -> End {
        let mut buffer = vec![0; 64 * 1024];
        let timeout = start + Duration::from_millis(self.step.timeout_ms);
        let mut exit: Option<io::Result<ExitStatus>> = None;
        let mut drained = timeout;
        let mut open = true;
        let end = loop {
            if !open && let Some(exit) = exit.take() {
                break exit.map_or_else(End::NotStarted, End::Exit);
            }
            tokio::select! {
                // In this order, so that a flood of output holds up neither of the others.
                biased;
                () = cancelled(cancel) => break End::Cancelled,
                () = sleep_until(timeout), if exit.is_none() => break End::TimedOut,
                () = sleep_until(drained), if exit.is_some() => open = false,
                status = group.wait(), if exit.is_none() => {
                    exit = Some(status);
                    drained = Instant::now() + DRAIN;
                }
                read = output.read(&mut buffer), if open => match read {
                    Ok(0) | Err(_) => open = false,
                    Ok(length) => self.output(&buffer[..length]),
                },
                () = sleep(PAUSE), if self.lines.waits() => self.says(MaskedLines::pause),
            }
        };
        if matches!(end, End::Exit(_)) {
            group.release();
        } else {
            // Read on, lest somebody who wants to say goodbye is stuck in a full pipe.
            let mut ended = std::pin::pin!(group.end());
            let mut deadline = None;
            while open {
                tokio::select! {
                    () = &mut ended, if deadline.is_none() => {
                        deadline = Some(Instant::now() + DRAIN);
                    }
                    () = sleep_until(deadline.unwrap_or(start)), if deadline.is_some() => break,
                    read = output.read(&mut buffer) => match read {
                        Ok(0) | Err(_) => open = false,
                        Ok(length) => self.output(&buffer[..length]),
                    },
                }
            }
            if deadline.is_none() {
                ended.await;
            }
        }
        self.says(MaskedLines::finish);
        end
    }

    fn output(&mut self, bytes: &[u8]) {
        self.says(|lines, emit| lines.push(bytes, emit));
    }

    /// Has the step say what comes of `lines`, which goes into the log too.
    fn says(&mut self, lines: impl FnOnce(&mut MaskedLines, &mut dyn FnMut(String)) -> Vec<u8>) {
        let emit = &mut |line| {
            self.sink.emit(Event::StepOutput {
                phase: self.phase,
                name: self.step.name.clone(),
                line,
            });
        };
        let shown = lines(&mut self.lines, emit);
        self.log(|log| log.write(&shown));
    }

    /// Does something to the log. One that cannot be written is not worth a failed build.
    fn log(&mut self, act: impl FnOnce(&mut StepLog) -> io::Result<()>) {
        if let Some(log) = &mut self.log
            && let Err(error) = act(log)
        {
            self.sink.emit(Event::Warning {
                text: format!("{} is incomplete: {error}", log.name),
                hint: None,
            });
            self.log = None;
        }
    }

    fn failure(&self, end: &End, why: String, log: Option<String>) -> Failure {
        let (phase, name) = (self.phase.as_str(), &self.step.name);
        if matches!(end, End::Cancelled) {
            let message = format!("interrupted during the {phase} step `{name}`");
            return Failure::interrupted(message);
        }
        let mut failure = Failure::new(
            FailureKind::Build,
            format!("the {phase} step `{name}` failed: {why}"),
        );
        if *name != self.step.run {
            failure = failure.detail(format!("command: {}", self.step.run));
        }
        if let Some(log) = log {
            failure = failure.detail(format!("whole output: {log}"));
        }
        match end {
            End::TimedOut => failure.hint("give the step a longer `timeout` in ship.toml"),
            End::Exit(status) if status.code() == Some(127) => failure
                .hint("a command was not found: install it, or pin its runtime under [runtimes]"),
            End::Exit(status) if status.code() == Some(137) || status.signal() == Some(9) => {
                failure.hint("SIGKILL usually means that this machine ran out of memory")
            }
            _ => failure,
        }
    }
}

/// Comes back when `cancel` is true; never when it cannot become true any more.
async fn cancelled(cancel: &mut watch::Receiver<bool>) {
    if cancel.wait_for(|cancelled| *cancelled).await.is_err() {
        pending().await
    }
}

/// What is wrong with how a step ended, in a few words.
fn why(end: &End, timeout_ms: u64) -> Option<String> {
    match end {
        End::Exit(status) if status.success() => None,
        End::Exit(status) => Some(match (status.code(), status.signal()) {
            (Some(code), _) => format!("exit code {code}"),
            (None, Some(number)) => format!("killed by signal {number}{}", signal_name(number)),
            (None, None) => status.to_string(),
        }),
        End::NotStarted(error) => Some(format!("cannot be run: {error}")),
        End::TimedOut => Some(format!("timed out after {}", duration(timeout_ms))),
        End::Cancelled => Some("interrupted".to_owned()),
    }
}

fn signal_name(number: i32) -> &'static str {
    match number {
        libc::SIGHUP => " (SIGHUP)",
        libc::SIGINT => " (SIGINT)",
        libc::SIGQUIT => " (SIGQUIT)",
        libc::SIGILL => " (SIGILL)",
        libc::SIGABRT => " (SIGABRT)",
        libc::SIGBUS => " (SIGBUS)",
        libc::SIGFPE => " (SIGFPE)",
        libc::SIGKILL => " (SIGKILL)",
        libc::SIGSEGV => " (SIGSEGV)",
        libc::SIGPIPE => " (SIGPIPE)",
        libc::SIGTERM => " (SIGTERM)",
        _ => "",
    }
}

/// `10m`, `1m 30s`, `500ms`: as in the manifest.
fn duration(ms: u64) -> String {
    let parts = [
        (ms / 3_600_000, "h"),
        (ms / 60_000 % 60, "m"),
        (ms / 1000 % 60, "s"),
        (ms % 1000, "ms"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect();
    if parts.is_empty() {
        "0ms".to_owned()
    } else {
        parts.join(" ")
    }
}
