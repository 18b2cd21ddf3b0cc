//! `ship exec`.

use std::io::IsTerminal;
use std::os::fd::AsFd;
use std::sync::Arc;

use clap::Args;
use futures_util::future::join_all;
use tokio::sync::mpsc;

use self::local::LocalTerminal;
use self::output::Shown;
use super::globals::Globals;
use super::session::Session;
use crate::model::event::Event;
use crate::model::{Failure, FailureKind, HostName, ServiceName};
use crate::rollout::Context;
use crate::rollout::exec::{self, ExecEnd, Input, Window};
use crate::wire::Exec;

mod input;
mod local;
mod output;
mod signals;

/// How many pieces of input, and of output, wait to be passed on.
const QUEUE: usize = 8;

/// Runs a command of the live release on a host, as one of its services would run
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "At a terminal the command has a terminal; else it reads the standard input of `ship exec`. Its exit code is passed on: 127 when there is no such program, 126 when it cannot be executed."
)]
pub struct ExecArgs {
    /// Environment; may be left out when there is one besides `local`, or a default
    #[arg(value_name = "ENV")]
    pub environment: Option<String>,

    /// Service whose environment the command gets; default: the first one
    #[arg(long, value_name = "SERVICE")]
    pub service: Option<String>,

    /// Host to run it on; default: the first one that has the service
    #[arg(long, value_name = "HOST", conflicts_with = "all")]
    pub host: Option<String>,

    /// Runs it on every host at once, without input; each line says which host wrote it
    #[arg(long, conflicts_with = "raw")]
    pub all: bool,

    /// Passes output on exactly as it is written, also to a pipe: control characters, secrets and
    /// all
    #[arg(long)]
    pub raw: bool,

    /// Program and arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<String>,
}

/// Runs it; the command's own exit code.
pub fn run(globals: &Globals, args: &ExecArgs) -> u8 {
    let session = match Session::without_signals(globals) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let context = session.context(args.environment.as_deref());
    let ended = context.and_then(|context| {
        let service = service(args)?;
        let plan = Plan {
            hosts: hosts(&context, args, service.as_ref())?,
            service,
            context: &context,
            globals,
            args,
        };
        plan.carry_out(&session)
    });
    match ended {
        Ok(Ended::Code(code)) => session.end(u8::try_from(code).unwrap_or(1)),
        Ok(Ended::NotStarted(code, failure)) => session.finish_with(failure, code),
        Err(failure) => session.finish(Err(failure)),
    }
}

/// How it all ended.
enum Ended {
    /// With this exit code.
    Code(i32),
    /// The command could not be started: the exit code that a shell would give, and why.
    NotStarted(u8, Failure),
}

/// What is to be run where.
struct Plan<'a> {
    context: &'a Context,
    globals: &'a Globals,
    args: &'a ExecArgs,
    service: Option<ServiceName>,
    hosts: Vec<HostName>,
}

impl Plan<'_> {
    fn carry_out(&self, session: &Session) -> Result<Ended, Failure> {
        let is_one = !self.args.all && !self.globals.json;
        let terminal = LocalTerminal::find().filter(|_| is_one);
        let wanted = terminal.as_ref().map(LocalTerminal::wanted);
        let is_raw = |stream: &dyn AsFd| {
            is_one && (self.args.raw || wanted.is_some() || output::is_file(stream))
        };
        let exec = Exec {
            argv: self.args.command.clone(),
            service: self.service.clone(),
            raw_stdout: is_raw(&std::io::stdout()),
            raw_stderr: is_raw(&std::io::stderr()),
            terminal: wanted,
            who: self.context.who.clone(),
            operation: self.context.new_operation(),
        };
        let shown = Shown {
            hosts: self.args.all.then(|| self.hosts.clone()),
            mode: session.mode,
            raw: [exec.raw_stdout, exec.raw_stderr],
        };
        let (inputs, receivers): (Vec<_>, Vec<_>) =
            self.hosts.iter().map(|_| mpsc::channel(QUEUE)).unzip();
        let (pieces, written) = mpsc::channel(QUEUE);
        let writer = output::write(shown, written, inputs.clone());
        session.spawn(signals::pass_on(
            session.stop(),
            inputs.clone(),
            terminal.clone(),
        ));
        let (window, closed) = Window::new()?;
        let raw_mode = terminal.map(|it| it.enter_raw_mode()).transpose()?;
        let reads = raw_mode.is_some() || (is_one && !std::io::stdin().is_terminal());
        match inputs.first().filter(|_| reads) {
            Some(input) => input::pass_on(Arc::clone(&window), closed, input.clone()),
            None => inputs.iter().for_each(|input| {
                let _ = input.try_send(Input::End);
            }),
        }
        drop(inputs);
        let runs = self.hosts.iter().zip(receivers).map(|(host, input)| {
            let (exec, window) = (exec.clone(), Arc::clone(&window));
            exec::exec(self.context, host, exec, input, window, pieces.clone())
        });
        let ends = session.block_on(join_all(runs));
        drop(pieces);
        let is_binary = writer.join().unwrap_or_default();
        drop(raw_mode);
        if is_binary {
            session.sink.emit(Event::Warning {
                text: "output that is not text was changed on its way".to_owned(),
                hint: Some("--raw passes it on exactly as it is written".to_owned()),
            });
        }
        self.conclude(session, ends)
    }

    /// What becomes of how the command ended on each host: the worst.
    fn conclude(
        &self,
        session: &Session,
        ends: Vec<Result<ExecEnd, Failure>>,
    ) -> Result<Ended, Failure> {
        let mut worst = Ended::Code(0);
        let mut failures = Vec::new();
        for (host, end) in self.hosts.iter().zip(ends) {
            match end {
                Ok(ExecEnd::Exited(code)) => {
                    if self.args.all && code != 0 {
                        let text = format!("{}: exit code {code}", host.short());
                        session.sink.emit(Event::Note { text });
                    }
                    if matches!(worst, Ended::Code(before) if code > before) {
                        worst = Ended::Code(code);
                    }
                }
                Ok(ExecEnd::NotStarted(code, failure)) => {
                    let code = u8::try_from(code).unwrap_or(1);
                    worst = Ended::NotStarted(code, failure);
                }
                Err(failure) => failures.push(failure),
            }
        }
        let mut failures = failures.into_iter();
        match failures.next() {
            Some(first) => Err(first.details(failures.map(|other| other.message()))),
            None => Ok(worst),
        }
    }
}

fn service(args: &ExecArgs) -> Result<Option<ServiceName>, Failure> {
    let Some(name) = &args.service else {
        return Ok(None);
    };
    let service = ServiceName::try_from(name.clone());
    let service = service.map_err(|why| Failure::new(FailureKind::Usage, why.to_string()))?;
    Ok(Some(service))
}

fn hosts(
    context: &Context,
    args: &ExecArgs,
    service: Option<&ServiceName>,
) -> Result<Vec<HostName>, Failure> {
    if !args.all {
        return Ok(vec![exec::one_host(
            context,
            args.host.as_deref(),
            service,
        )?]);
    }
    let hosts = exec::hosts_of(context, service);
    match hosts.is_empty() {
        true => Err(exec::runs_nowhere(context, service)),
        false => Ok(hosts),
    }
}
