//! `ship deploy`.

use std::collections::BTreeMap;

use clap::Args;

use super::globals::Globals;
use super::pin;
use super::session::Session;
use super::uncommitted;
use crate::model::event::{Event, Outcome};
use crate::model::redact::SHORTEST;
use crate::model::{Failure, FailureKind, Secret};
use crate::pipeline::{Committed, History, Provenance, Seeds};
use crate::project::Project;
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

    /// Deploys uncommitted changes of the release too
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

    /// Waits this long for another deploy to end, such as 10m; without a value: 30m
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
    let was_clean = options.origin.dirty == Some(false);
    let outcome = session.block_on(deploy(&context, &options))?;
    let project = &context.project;
    if was_clean && !(project.build.steps.is_empty() && project.test.steps.is_empty()) {
        say_changed(session, project);
    }
    Ok(outcome)
}

/// Warns when the steps changed files that are committed: the next deploy to hosts would be refused.
fn say_changed(session: &Session, project: &Project) {
    if let Committed::No(changes) = session.provenance(project, false).committed {
        session.sink.emit(uncommitted::by_steps(&changes));
    }
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
    if environment.name.is_local() {
        pin::write_where_missing(session, &project)?;
    }
    let mut context = session.context_for(project, environment)?;
    context.wait_ms = wait_ms(args.wait.as_deref())?;
    context.history = History::of(&context.project.source);
    context.seeds = Seeds::of(&context.project);
    let Provenance { origin, committed } = session.provenance(&context.project, args.skip_tests);
    let is_guarded = !args.allow_dirty && !context.environment.name.is_local();
    match &committed {
        Committed::No(changes) if is_guarded => return Err(uncommitted::refusal(changes)),
        Committed::Unknown(why) => {
            let warning = uncommitted::unknown(why, origin.commit.as_deref());
            session.sink.emit(warning);
        }
        Committed::Yes | Committed::No(_) => {}
    }
    let commit = origin.commit.as_ref().map(|commit| {
        let short: String = commit.chars().take(9).collect();
        match origin.dirty {
            Some(true) => format!("{short}-dirty"),
            Some(false) | None => short,
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
    if let Some(text) = unmasked(&options.secrets) {
        session.sink.emit(Event::Warning {
            text,
            hint: Some(format!(
                "a secret of {SHORTEST} characters or more is masked"
            )),
        });
    }
    Ok((context, options))
}

/// Warns about secrets without a value here: a deploy from here would be refused.
pub fn say_missing(session: &Session, names: &[String]) {
    if let Err(failure) = secrets(names) {
        session.sink.emit(Event::Warning {
            text: format!("a deploy would be refused: {}", failure.message()),
            hint: failure.hint,
        });
    }
}

/// Reads `--wait`.
///
/// # Errors
/// Usage, when it is not a duration.
pub fn wait_ms(text: Option<&str>) -> Result<u64, Failure> {
    text.map_or(Ok(0), |text| {
        crate::project::duration_ms(text).map_err(|why| {
            Failure::new(FailureKind::Usage, format!("--wait {text}: {why}"))
                .hint("put the environment before it: ship deploy production --wait")
        })
    })
}

/// Names the secrets that are too short to be masked in what services and hooks say.
fn unmasked(secrets: &BTreeMap<String, Secret>) -> Option<String> {
    let short = |secret: &Secret| (1..SHORTEST).contains(&secret.reveal().len());
    let short = secrets.iter().filter(|(_, secret)| short(secret));
    let names: Vec<&str> = short.map(|(name, _)| name.as_str()).collect();
    match names.as_slice() {
        [] => None,
        [only] => Some(format!(
            "{only} is too short to be masked in logs and output"
        )),
        _ => Some(format!(
            "{} are too short to be masked in logs and output",
            names.join(", ")
        )),
    }
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
    let (word, it) = match missing.len() {
        1 => ("secret", "its value"),
        _ => ("secrets", "their values"),
    };
    let values: Vec<String> = missing.iter().map(|name| format!("{name}=…")).collect();
    Err(
        Failure::refused(format!("no value for the {word} {}", missing.join(", "))).hint(format!(
            "export {}: this command reads {it} from its own environment variables",
            values.join(" ")
        )),
    )
}
