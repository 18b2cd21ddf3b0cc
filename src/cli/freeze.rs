//! `ship freeze` and `ship thaw`.

use clap::Args;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};

use super::globals::Globals;
use super::session::Session;
use super::until;
use crate::model::event::{Event, Outcome};
use crate::model::{Failure, FailureKind, Freeze};
use crate::rollout::conclude::Ended;
use crate::rollout::freeze::{local, set};

/// The longest reason, characters.
const LONGEST: usize = 300;

/// Refuses every deploy until a time that you give; a rollback is allowed
#[derive(Debug, Clone, Args)]
#[command(override_usage = "ship freeze --until <TIME> --reason <TEXT> [ENV]")]
pub struct FreezeArgs {
    /// Environment; may be left out when there is one besides `local`, or a default
    #[arg(value_name = "ENV")]
    pub environment: Option<String>,

    /// Why, for whoever is refused
    #[arg(long, value_name = "TEXT")]
    pub reason: String,

    /// Until when: 2h, 3d, 2026-12-24 (to the end of that day), 2026-12-24T18:00 (this machine's
    /// time zone) or 2026-12-24T18:00:00Z; at most a year
    #[arg(long, value_name = "TIME")]
    pub until: String,
}

/// Ends a freeze: deploys are allowed again
#[derive(Debug, Clone, Args)]
pub struct ThawArgs {
    /// Environment; may be left out when there is one besides `local`, or a default
    #[arg(value_name = "ENV")]
    pub environment: Option<String>,
}

/// Runs `ship freeze`; the exit code.
pub fn freeze(globals: &Globals, args: &FreezeArgs) -> u8 {
    run(globals, |session| {
        let now = Timestamp::now();
        let until = until::parse(&args.until, now, &TimeZone::system())
            .map_err(|why| usage(format!("--until {}: {why}", args.until)))?;
        let reason = reason(&args.reason)?;
        let context = session.context(args.environment.as_deref())?;
        let freeze = Freeze {
            reason,
            who: context.who.clone(),
            since: now.round(Unit::Second).unwrap_or(now).to_string(),
            until: until.to_string(),
        };
        session.say_started("freeze", &context, None);
        let text = format!(
            "no deploys until {}: {}",
            local(&freeze.until),
            freeze.reason
        );
        session.sink.emit(Event::Note { text });
        session.block_on(set(&context, Some(&freeze)))
    })
}

/// Runs `ship thaw`; the exit code.
pub fn thaw(globals: &Globals, args: &ThawArgs) -> u8 {
    run(globals, |session| {
        let context = session.context(args.environment.as_deref())?;
        session.say_started("thaw", &context, None);
        session.block_on(set(&context, None))
    })
}

fn run(globals: &Globals, act: impl FnOnce(&Session) -> Result<Outcome, Ended>) -> u8 {
    let session = match Session::start(globals) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let result = act(&session);
    session.conclude(result)
}

fn usage(message: String) -> Failure {
    Failure::new(FailureKind::Usage, message)
}

/// A reason is one line that a terminal can show.
fn reason(text: &str) -> Result<String, Failure> {
    let text = text.trim();
    if text.is_empty() {
        return Err(usage("--reason is empty".to_owned()));
    }
    if text.chars().any(char::is_control) {
        return Err(usage("--reason is more than one line of text".to_owned()));
    }
    if text.chars().count() > LONGEST {
        let why = format!("--reason is longer than {LONGEST} characters");
        return Err(usage(why));
    }
    Ok(text.to_owned())
}
