//! `ship setup`.

use clap::Args;

use super::globals::Globals;
use super::session::Session;
use crate::model::event::Event;
use crate::pipeline::History;
use crate::rollout::setup::setup;

/// Makes the hosts of an environment ready; says what it changed, and changes nothing twice
#[derive(Debug, Clone, Args)]
pub struct SetupArgs {
    /// Environment; may be left out when there is one besides `local`, or a default
    #[arg(value_name = "ENV")]
    pub environment: Option<String>,

    /// User to connect as for this, such as root; default: the deploying user, with sudo
    #[arg(long = "as", value_name = "USER")]
    pub user: Option<String>,

    /// Only says what would be changed
    #[arg(long)]
    pub dry_run: bool,
}

/// Runs it; the exit code.
pub fn run(globals: &Globals, args: &SetupArgs) -> u8 {
    let session = match Session::start(globals) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let result = session
        .context(args.environment.as_deref())
        .and_then(|mut context| {
            context.history = History::of(&context.project.source);
            session.say_started("setup", &context, None);
            let changes = session.block_on(setup(&context, args.user.as_deref(), args.dry_run))?;
            for (host, changes) in &changes {
                let text = match (changes.len(), args.dry_run) {
                    (0, _) => format!("{host}: nothing to change, it is ready"),
                    (1, false) => format!("{host}: ready, 1 change"),
                    (count, false) => format!("{host}: ready, {count} changes"),
                    (count, true) => format!("{host}: would make {count} changes"),
                };
                session.sink.emit(Event::Note { text });
            }
            Ok(())
        });
    session.done(result)
}
