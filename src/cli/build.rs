//! `ship build` and `ship test`.

use clap::Args;

use super::globals::Globals;
use super::session::Session;
use crate::model::event::Phase;
use crate::pipeline;

/// Runs the build steps, as a deploy would
#[derive(Debug, Clone, Args)]
pub struct BuildArgs {}

/// Runs the test steps, as a deploy would
#[derive(Debug, Clone, Args)]
pub struct TestArgs {}

/// Runs `ship build`; the exit code.
pub fn run_build(globals: &Globals, _args: &BuildArgs) -> u8 {
    run(globals, Phase::Build)
}

/// Runs `ship test`; the exit code.
pub fn run_test(globals: &Globals, _args: &TestArgs) -> u8 {
    run(globals, Phase::Test)
}

fn run(globals: &Globals, phase: Phase) -> u8 {
    let session = match Session::start(globals) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let result = session.project().and_then(|project| {
        let steps = if phase == Phase::Test {
            &project.test
        } else {
            &project.build
        };
        let environment = session.step_environment(&project)?;
        session.block_on(pipeline::run_steps(
            phase,
            steps,
            &environment,
            &project.dir,
            &project.source,
            &session.sink,
            session.cancel.clone(),
        ))
    });
    session.done(result)
}
