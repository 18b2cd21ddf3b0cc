//! `ship run`.

use std::os::unix::process::CommandExt;
use std::process::Command;

use clap::Args;

use super::globals::Globals;
use super::session::Session;
use crate::model::Failure;

/// Runs a command here as a build step would see it: with the project's environment
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// Program and arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<String>,
}

/// Becomes the command; returns only when that failed.
pub fn run(globals: &Globals, args: &RunArgs) -> u8 {
    let session = match Session::start(globals) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let result = session.project().and_then(|project| {
        let environment = session.step_environment(&project)?;
        let mut command = Command::new(&args.command[0]);
        command
            .args(&args.command[1..])
            .env_clear()
            .envs(environment.of(&project.build));
        // What was drawn must not stand in the way of the command's own output.
        let error = session.reporter.suspend(|| command.exec());
        Ok(Failure::unexpected(format!("{}: {error}", args.command[0])))
    });
    let failure = match result {
        Ok(failure) | Err(failure) => failure,
    };
    session.finish(Err(failure))
}
