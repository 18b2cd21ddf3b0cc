//! `ship cancel`.

use clap::Args;

use super::globals::Globals;
use super::session::Session;
use crate::model::event::Outcome;
use crate::rollout::cancel::cancel;
use crate::rollout::conclude::Ended;

/// Asks a running deploy to put the old release back and stop, whoever runs it
#[derive(Debug, Clone, Args)]
pub struct CancelArgs {
    /// Environment; may be left out when there is one besides `local`, or a default
    #[arg(value_name = "ENV")]
    pub environment: Option<String>,
}

/// Runs it; the exit code.
pub fn run(globals: &Globals, args: &CancelArgs) -> u8 {
    let session = match Session::start(globals) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let result = cancelled(&session, args);
    session.conclude(result)
}

fn cancelled(session: &Session, args: &CancelArgs) -> Result<Outcome, Ended> {
    let context = session.context(args.environment.as_deref())?;
    session.say_started("cancel", &context, None);
    session.block_on(cancel(&context))
}
