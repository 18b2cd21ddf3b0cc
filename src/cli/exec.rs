//! `ship exec`.

use clap::Args;

use super::globals::Globals;
use super::session::Session;
use crate::rollout::query;

/// Runs a command in the live release's folder on a host, with its environment
#[derive(Debug, Clone, Args)]
pub struct ExecArgs {
    /// Environment
    #[arg(value_name = "ENV")]
    pub environment: String,

    /// Host to run it on; default: the first one
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,

    /// Program and arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<String>,
}

/// Runs it; the command's own exit code.
pub fn run(globals: &Globals, args: &ExecArgs) -> u8 {
    use std::io::Write;
    let session = match Session::start(globals) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let result = session
        .context(Some(&args.environment))
        .and_then(|context| {
            let host = query::one_host(&context, args.host.as_deref())?;
            session.block_on(query::exec(
                &context,
                &host,
                &args.command,
                &mut |stderr, bytes| {
                    if stderr {
                        let _ = std::io::stderr().write_all(bytes);
                    } else {
                        super::print(bytes);
                    }
                },
            ))
        });
    match result {
        Ok(code) => session.end(u8::try_from(code).unwrap_or(1)),
        Err(failure) => session.finish(Err(failure)),
    }
}
