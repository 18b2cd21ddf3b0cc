//! The host side's own commands. They belong to `ship`, not to a person; hidden from help.

use std::path::PathBuf;

use clap::Subcommand;

use crate::agent;

/// What the host side runs.
#[derive(Debug, Clone, Subcommand)]
pub enum AgentCommand {
    /// Serves one connection over standard input and output
    Serve {
        /// The first message of the connection, in hexadecimal digits
        #[arg(long)]
        open: String,
    },
    /// Runs a transaction over the socket that is its standard input
    Transaction,
    /// Runs commands of the app for the process at the other end of its standard input
    AsApp,
    /// Puts its standard input into a file, unless something is there
    Seed {
        /// Where it goes
        path: PathBuf,
        /// Its permissions, octal
        mode: String,
    },
    /// Removes what was pruned and prepares the next deploy
    Tidy {
        /// The app's root folder
        root: PathBuf,
    },
    /// Brings an activation to its end that died with the power, before the services start
    Recover {
        /// The app's root folder
        root: PathBuf,
    },
    /// Keeps the services of one app running
    Supervise {
        /// The app's root folder
        root: PathBuf,
    },
    /// Serves a folder over HTTP on $PORT
    Site {
        /// The folder, relative to this one
        folder: PathBuf,
        /// The page of that folder that answers where no file does
        #[arg(long)]
        fallback: Option<PathBuf>,
    },
    /// The app that `ship try` deploys
    Demo,
}

/// Runs it; the exit code. Nothing is printed: whoever started it listens elsewhere.
pub fn run(command: &AgentCommand) -> u8 {
    let port = || {
        std::env::var("PORT")
            .ok()
            .and_then(|port| port.parse().ok())
            .unwrap_or(8080)
    };
    let result = match command {
        AgentCommand::Serve { open } => agent::serve::run(open),
        AgentCommand::Transaction => agent::transaction::run(),
        AgentCommand::AsApp => agent::as_app::run(),
        AgentCommand::Seed { path, mode } => agent::seeds::run(path, mode),
        AgentCommand::Tidy { root } => agent::tidy::run(root),
        AgentCommand::Recover { root } => agent::recover::at_boot(root),
        AgentCommand::Supervise { root } => {
            // It may be the first after a boot. What it cannot repair, the next contact does.
            let _ = agent::recover::with_supervisor(root);
            agent::service::supervisor::supervise(&agent::Layout::at(root))
                .map_err(std::io::Error::other)
        }
        AgentCommand::Site { folder, fallback } => {
            agent::site::serve(folder, fallback.as_deref(), port())
        }
        AgentCommand::Demo => agent::demo::serve(port()),
    };
    match result {
        Ok(()) => 0,
        Err(error) => {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "ship: {error}");
            1
        }
    }
}
