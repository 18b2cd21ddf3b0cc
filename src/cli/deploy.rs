//! `ship deploy`.

use std::collections::BTreeMap;

use clap::Args;

use super::globals::Globals;
use super::session::Session;
use crate::model::event::{Event, Outcome};
use crate::model::{Failure, FailureKind, Secret};
use crate::rollout::conclude::Ended;
use crate::rollout::deploy::{DeployOptions, deploy};
use crate::rollout::resume::resume;

/// Builds, tests, ships and switches to a new release; puts the old one back if it does not serve
#[derive(Debug, Clone, Args)]
pub struct DeployArgs {
    /// Environment; may be left out when there is one besides `local`, or a default
    #[arg(value_name = "ENV")]
    pub environment: Option<String>,

    /// Leaves the test steps out; the history says so
    #[arg(long)]
    pub skip_tests: bool,

    /// Deploys uncommitted changes too
    #[arg(long)]
    pub allow_dirty: bool,

    /// Makes a new release even when nothing has changed
    #[arg(long)]
    pub force: bool,

    /// Goes on without hosts that cannot be reached; they are named, and the exit code is 9
    #[arg(long)]
    pub skip_unreachable: bool,

    /// Brings hosts that are behind to the release that the others have; builds nothing
    #[arg(long, conflicts_with_all = ["force", "skip_tests"])]
    pub resume: bool,

    /// Waits so long for another deploy to end, such as 10m; without a value: 30m
    #[arg(long, value_name = "DURATION", num_args = 0..=1, default_missing_value = "30m")]
    pub wait: Option<String>,
}

/// Runs it; the exit code.
pub fn run(globals: &Globals, args: &DeployArgs) -> u8 {
    let session = match Session::start(globals) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let result = match args.resume {
        true => resumed(&session, args),
        false => deployed(&session, args),
    };
    session.conclude(result)
}

fn deployed(session: &Session, args: &DeployArgs) -> Result<Outcome, Ended> {
    let (context, options) = prepared(session, args)?;
    session.block_on(deploy(&context, &options))
}

/// Needs the manifest, and nothing else of the project.
fn resumed(session: &Session, args: &DeployArgs) -> Result<Outcome, Ended> {
    let mut context = session.context(args.environment.as_deref())?;
    context.wait_ms = wait_ms(args.wait.as_deref())?;
    session.say_started("deploy", &context, None);
    session.block_on(resume(&context, args.skip_unreachable))
}

fn prepared(
    session: &Session,
    args: &DeployArgs,
) -> Result<(crate::rollout::Context, DeployOptions), Failure> {
    let project = session.project()?;
    let environment = Session::environment(&project, args.environment.as_deref())?;
    let mut context = session.context_for(project, environment)?;
    context.wait_ms = wait_ms(args.wait.as_deref())?;
    let (origin, warning) = session.origin(&context.project, args.skip_tests);
    if let Some(text) = warning {
        session.sink.emit(Event::Warning { text, hint: None });
    }
    if origin.dirty && !args.allow_dirty && !context.environment.name.is_local() {
        return Err(Failure::refused("there are uncommitted changes")
            .detail("what runs in production should be a commit that others have too")
            .hint("commit them, or deploy them as they are with --allow-dirty"));
    }
    let commit = origin.commit.as_ref().map(|commit| {
        let short: String = commit.chars().take(9).collect();
        if origin.dirty {
            format!("{short}-dirty")
        } else {
            short
        }
    });
    session.say_started("deploy", &context, commit);
    let options = DeployOptions {
        skip_tests: args.skip_tests,
        force: args.force,
        skip_unreachable: args.skip_unreachable,
        origin,
        secrets: secrets(&context.environment.secrets)?,
    };
    Ok((context, options))
}

/// Reads `--wait`.
///
/// # Errors
/// Usage, when it is not a duration.
pub fn wait_ms(text: Option<&str>) -> Result<u64, Failure> {
    text.map_or(Ok(0), |text| {
        crate::project::duration_ms(text).map_err(|why| {
            Failure::new(FailureKind::Usage, format!("--wait {text}: {why}"))
                .hint("an environment comes before it: ship deploy production --wait")
        })
    })
}

/// The values of the secrets that the environment names, from the caller's environment variables.
fn secrets(names: &[String]) -> Result<BTreeMap<String, Secret>, Failure> {
    let mut values = BTreeMap::new();
    let mut missing = Vec::new();
    for name in names {
        match std::env::var(name) {
            Ok(value) => {
                values.insert(name.clone(), Secret::new(value));
            }
            Err(_) => missing.push(name.as_str()),
        }
    }
    if missing.is_empty() {
        return Ok(values);
    }
    Err(
        Failure::refused(format!("no value for the secret {}", missing.join(", ")))
            .hint("set it as an environment variable of this command"),
    )
}
