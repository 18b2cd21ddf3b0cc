//! What a person types: one file per command; the only place that reads env, tty and prints.

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

mod agent;
mod build;
mod cancel;
mod check;
mod complete;
mod completions;
mod deploy;
mod dial;
mod exec;
pub mod exit;
mod freeze;
mod globals;
mod history;
mod host;
pub mod init;
mod init_command;
mod listing;
mod logs;
mod man;
#[cfg(test)]
mod mentions;
mod pin;
mod releases;
mod remove;
mod rollback;
mod run;
mod service;
mod session;
mod setup;
mod signals;
mod status;
mod try_it;
mod uncommitted;
mod until;

use globals::Globals;

/// Takes a project from your machine to production, proves that it serves, and puts the old
/// release back when it does not
#[derive(Debug, Parser)]
#[command(
    name = "ship",
    version,
    propagate_version = false,
    max_term_width = 100
)]
#[command(
    after_help = "Start with `ship init` in your project, or see it all happen on this machine with `ship try`."
)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::InitArgs),
    Check(check::CheckArgs),
    Pin(pin::PinArgs),
    Build(build::BuildArgs),
    Test(build::TestArgs),
    Run(run::RunArgs),
    Setup(setup::SetupArgs),
    Remove(remove::RemoveArgs),
    Deploy(deploy::DeployArgs),
    Rollback(rollback::RollbackArgs),
    Cancel(cancel::CancelArgs),
    Freeze(freeze::FreezeArgs),
    Thaw(freeze::ThawArgs),
    Status(status::StatusArgs),
    Releases(releases::ReleasesArgs),
    History(history::HistoryArgs),
    Logs(logs::LogsArgs),
    Exec(exec::ExecArgs),
    Restart(service::RestartArgs),
    Stop(service::StopArgs),
    Start(service::StartArgs),
    #[command(subcommand)]
    Host(host::HostCommand),
    Try(try_it::TryArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
    #[command(hide = true, subcommand)]
    Agent(agent::AgentCommand),
    #[command(hide = true)]
    Complete(complete::CompleteArgs),
    #[command(hide = true)]
    Dial(dial::DialArgs),
    #[command(hide = true)]
    Acknowledge,
}

/// Reads the command line, runs the command, and decides the exit code: here and nowhere else.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to stdout with 0, mistakes to stderr with 2. A closed stdout is
            // ordinary.
            let _ = error.print();
            let code = if error.use_stderr() {
                exit::code(crate::model::FailureKind::Usage)
            } else {
                0
            };
            return ExitCode::from(code);
        }
    };
    let globals = cli.globals;
    ExitCode::from(match cli.command {
        Command::Init(args) => init_command::run(&globals, &args),
        Command::Check(args) => check::run(&globals, &args),
        Command::Pin(args) => pin::run(&globals, &args),
        Command::Build(args) => build::run_build(&globals, &args),
        Command::Test(args) => build::run_test(&globals, &args),
        Command::Run(args) => run::run(&globals, &args),
        Command::Setup(args) => setup::run(&globals, &args),
        Command::Deploy(args) => deploy::run(&globals, &args),
        Command::Rollback(args) => rollback::run(&globals, &args),
        Command::Cancel(args) => cancel::run(&globals, &args),
        Command::Freeze(args) => freeze::freeze(&globals, &args),
        Command::Thaw(args) => freeze::thaw(&globals, &args),
        Command::Status(args) => status::run(&globals, &args),
        Command::Remove(args) => remove::run(&globals, &args),
        Command::Releases(args) => releases::run(&globals, &args),
        Command::History(args) => history::run(&globals, &args),
        Command::Logs(args) => logs::run(&globals, &args),
        Command::Exec(args) => exec::run(&globals, &args),
        Command::Restart(args) => service::restart(&globals, &args),
        Command::Stop(args) => service::stop(&globals, &args),
        Command::Start(args) => service::start(&globals, &args),
        Command::Host(command) => host::run(&globals, &command),
        Command::Try(args) => try_it::run(&globals, &args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&globals, &args),
        Command::Complete(args) => complete::run(&args),
        Command::Agent(command) => agent::run(&command),
        Command::Dial(args) => dial::run(&args),
        Command::Acknowledge => dial::acknowledge(),
    })
}

/// The command line's definition, for completions and the manual.
#[must_use]
pub fn definition() -> clap::Command {
    Cli::command()
}

/// Writes data to stdout; a closed stdout is ordinary.
fn print(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}
