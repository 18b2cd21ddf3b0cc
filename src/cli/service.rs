//! `ship restart`, `ship stop` and `ship start`.

use clap::Args;

use super::deploy::wait_ms;
use super::globals::Globals;
use super::session::Session;
use crate::model::{Failure, FailureKind, ServiceName};
use crate::rollout::Context;
use crate::rollout::conclude::Ended;
use crate::rollout::service::act;
use crate::wire::ServiceAction;

/// Restarts services of the live release and proves that they serve
#[derive(Debug, Clone, Args)]
pub struct RestartArgs {
    #[command(flatten)]
    target: TargetArgs,
}

/// Stops services
#[derive(Debug, Clone, Args)]
pub struct StopArgs {
    #[command(flatten)]
    target: TargetArgs,
}

/// Starts services of the live release and proves that they serve
#[derive(Debug, Clone, Args)]
pub struct StartArgs {
    #[command(flatten)]
    target: TargetArgs,
}

#[derive(Debug, Clone, Args)]
struct TargetArgs {
    /// Environment, then services; default: all services
    #[arg(value_name = "ENV | SERVICE")]
    target: Vec<String>,

    /// Waits this long for another deploy to end, such as 10m; without a value: 30m
    #[arg(long, value_name = "DURATION", num_args = 0..=1, default_missing_value = "30m")]
    wait: Option<String>,
}

/// Runs `ship restart`; the exit code.
pub fn restart(globals: &Globals, args: &RestartArgs) -> u8 {
    run(globals, &args.target, ServiceAction::Restart)
}

/// Runs `ship stop`; the exit code.
pub fn stop(globals: &Globals, args: &StopArgs) -> u8 {
    run(globals, &args.target, ServiceAction::Stop)
}

/// Runs `ship start`; the exit code.
pub fn start(globals: &Globals, args: &StartArgs) -> u8 {
    run(globals, &args.target, ServiceAction::Start)
}

/// Stops everything of `environment`; the exit code.
pub fn stop_all(globals: &Globals, environment: &str) -> u8 {
    let target = TargetArgs {
        target: vec![environment.to_owned()],
        wait: None,
    };
    run(globals, &target, ServiceAction::Stop)
}

fn run(globals: &Globals, args: &TargetArgs, action: ServiceAction) -> u8 {
    let session = match Session::start(globals) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let prepared = split_target(&session, &args.target).and_then(|(mut context, services)| {
        context.wait_ms = wait_ms(args.wait.as_deref())?;
        session.say_started(action.as_str(), &context, None);
        Ok((context, services))
    });
    let result = match prepared {
        Ok((context, services)) => session.block_on(act(&context, action, &services)),
        Err(failure) => Err(Ended::from(failure)),
    };
    session.conclude(result)
}

/// Reads `[ENV] [SERVICE]...`: a first word that is an environment is one, the rest are services.
///
/// # Errors
/// Usage, for a word that is neither.
pub fn split_target(
    session: &Session,
    words: &[String],
) -> Result<(Context, Vec<ServiceName>), Failure> {
    let project = session.manifest()?;
    let is_environment = |word: &String| {
        project
            .environments
            .keys()
            .any(|name| name.as_str() == word.as_str())
    };
    let is_service = |word: &String| {
        project
            .services
            .iter()
            .any(|s| s.name.as_str() == word.as_str())
    };
    let (environment, services) = match words.split_first() {
        Some((first, rest)) if is_environment(first) => (Some(first.as_str()), rest),
        _ => (None, words),
    };
    if let Some(unknown) = services.iter().find(|word| !is_service(word)) {
        let there = |names: Vec<&str>| names.join(", ");
        return Err(Failure::new(
            FailureKind::Usage,
            format!("`{unknown}` is neither an environment nor a service"),
        )
        .hint(format!(
            "environments: {}; services: {}",
            there(
                project
                    .environments
                    .keys()
                    .map(|name| name.as_str())
                    .collect()
            ),
            there(
                project
                    .services
                    .iter()
                    .map(|service| service.name.as_str())
                    .collect()
            ),
        )));
    }
    let services: Vec<ServiceName> = project
        .services
        .iter()
        .map(|service| service.name.clone())
        .filter(|name| services.iter().any(|word| word == name.as_str()))
        .collect();
    let environment = Session::environment(&project, environment)?;
    Ok((session.context_for(project, environment)?, services))
}
