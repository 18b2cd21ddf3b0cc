//! `ship host trust`.

use std::io::IsTerminal;

use clap::{Args, Subcommand};

use super::globals::Globals;
use super::session::Session;
use crate::model::{Failure, FailureKind, HostName};
use crate::transport::keyscan;

/// Hosts and their keys
#[derive(Debug, Clone, Subcommand)]
pub enum HostCommand {
    Trust(TrustArgs),
}

/// Shows the fingerprints of a host's keys, and pins them in the project
#[derive(Debug, Clone, Args)]
pub struct TrustArgs {
    /// Host, as in the manifest
    #[arg(value_name = "HOST")]
    pub host: String,

    /// Pins without asking: only when the host's key has this fingerprint (SHA256:…)
    #[arg(long, value_name = "FINGERPRINT")]
    pub fingerprint: Option<String>,
}

/// Runs it; the exit code.
pub fn run(globals: &Globals, command: &HostCommand) -> u8 {
    let HostCommand::Trust(args) = command;
    let session = match Session::start(globals) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let result = trust(&session, args);
    session.finish(result)
}

fn trust(session: &Session, args: &TrustArgs) -> Result<(), Failure> {
    let host = HostName::try_from(args.host.as_str())
        .map_err(|why| Failure::new(FailureKind::Usage, format!("host `{}` {why}", args.host)))?;
    let config = std::env::var_os("SHIP_SSH_CONFIG").map(std::path::PathBuf::from);
    let keys = keyscan::scan(&host, config.as_deref())?;
    session
        .reporter
        .data(&format!("{}\n", keys.fingerprints.join("\n")));
    let agreed = match &args.fingerprint {
        Some(wanted) => {
            if !keys
                .fingerprints
                .iter()
                .any(|line| line.split_whitespace().any(|word| word == wanted))
            {
                return Err(Failure::refused(format!(
                    "{host} has no key with the fingerprint {wanted}"
                ))
                .details(keys.fingerprints.iter().cloned()));
            }
            true
        }
        None if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() => {
            let question =
                format!("is this {host}? compare with what its console or provider shows");
            session.reporter.suspend(|| {
                dialoguer::Confirm::new()
                    .with_prompt(question)
                    .default(false)
                    .interact()
                    .unwrap_or(false)
            })
        }
        None => {
            return Err(
                Failure::refused("nobody is here to compare the fingerprints")
                    .hint(format!("ship host trust {host} --fingerprint SHA256:…")),
            );
        }
    };
    if !agreed {
        return Err(Failure::refused(format!(
            "{host} was not trusted; nothing was pinned"
        )));
    }
    let folder = session.folder();
    crate::pipeline::state_folder(&folder)?;
    keyscan::pin(&folder, &keys)?;
    session.reporter.data(&format!(
        "pinned in {}\n",
        folder.join(".ship/known_hosts").display()
    ));
    Ok(())
}
