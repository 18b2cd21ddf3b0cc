//! `ship remove`.

use std::io::IsTerminal;

use clap::Args;

use super::globals::Globals;
use super::session::Session;
use crate::model::Failure;
use crate::model::event::Event;
use crate::rollout::Context;
use crate::rollout::remove::{hosts, remove};

/// Takes the app off the hosts of an environment, or off one that has left it
///
/// Stops and removes its services, rights, releases, runtimes and its user: what `ship setup` and
/// deploys made. The shared files stay, unless --purge is given.
#[derive(Debug, Clone, Args)]
pub struct RemoveArgs {
    /// Environment
    #[arg(value_name = "ENV")]
    pub environment: String,

    /// Only this host; it may have left the manifest
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,

    /// Removes the shared files as well: uploads, databases
    #[arg(long)]
    pub purge: bool,

    /// User to connect as for this, such as root; default: the deploying user, with sudo
    #[arg(long = "as", value_name = "USER")]
    pub user: Option<String>,

    /// Does not ask
    #[arg(long)]
    pub yes: bool,

    /// Only says what would be removed
    #[arg(long)]
    pub dry_run: bool,
}

/// Runs it; the exit code.
pub fn run(globals: &Globals, args: &RemoveArgs) -> u8 {
    let session = match Session::start(globals) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let result = session
        .context(Some(&args.environment))
        .and_then(|context| {
            let hosts = hosts(&context, args.host.as_deref())?;
            if !args.yes && !args.dry_run {
                let names: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
                confirm(&session, &context, args, &names.join(", "))?;
            }
            session.say_started("remove", &context, None);
            let user = args.user.as_deref();
            let removing = remove(&context, &hosts, user, args.purge, args.dry_run);
            for (host, changes) in session.block_on(removing)? {
                let text = match (changes.len(), args.dry_run) {
                    (0, _) => format!("{host}: nothing to remove"),
                    (_, false) => format!("{host}: {} is removed", context.environment.app),
                    (1, true) => format!("{host}: would make 1 change"),
                    (count, true) => format!("{host}: would make {count} changes"),
                };
                session.sink.emit(Event::Note { text });
            }
            Ok(())
        });
    session.finish(result)
}

/// Asks for the app's name: a word that nobody types by habit.
fn confirm(
    session: &Session,
    context: &Context,
    args: &RemoveArgs,
    hosts: &str,
) -> Result<(), Failure> {
    let app = &context.environment.app;
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Failure::refused(format!(
            "nobody is here to confirm that {app} is removed from {hosts}"
        ))
        .hint(format!("ship remove {} --yes", args.environment)));
    }
    let also = match args.purge {
        true => ", with its shared files",
        false => "",
    };
    let prompt = format!("this removes {app} from {hosts}{also}; type {app} to go on");
    let typed = session.reporter.suspend(|| {
        dialoguer::Input::<String>::new()
            .with_prompt(prompt)
            .allow_empty(true)
            .interact_text()
    });
    match typed {
        Ok(typed) if typed.trim() == app.as_str() => Ok(()),
        _ => Err(Failure::interrupted(
            "not confirmed; nothing was changed on any host",
        )),
    }
}
