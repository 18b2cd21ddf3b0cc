//! `ship logs`.

use std::sync::Mutex;

use clap::Args;

use super::globals::Globals;
use super::service::split_target;
use super::session::Session;
use crate::rollout::query;

/// Shows the logs of the services on all hosts together
#[derive(Debug, Clone, Args)]
pub struct LogsArgs {
    /// Environment, then services; default: all services
    #[arg(value_name = "ENV | SERVICE")]
    pub target: Vec<String>,

    /// Goes on with what comes, until Ctrl-C
    #[arg(long, short)]
    pub follow: bool,

    /// How many old lines per service and host
    #[arg(long, short = 'n', default_value_t = 100)]
    pub lines: usize,
}

/// Runs it; the exit code.
pub fn run(globals: &Globals, args: &LogsArgs) -> u8 {
    let session = match Session::start(globals) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let result = split_target(&session, &args.target).and_then(|(context, services)| {
        let several_hosts = context.environment.hosts.len() > 1;
        let one = Mutex::new(());
        let line = |host: &crate::model::HostName, time: &str, service: &crate::model::ServiceName, text: &str| {
            let _in_turn = one.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let whole = if globals.json {
                let object = serde_json::json!({ "host": host, "time": time, "service": service, "text": text });
                format!("{object}\n")
            } else if several_hosts {
                format!("{:<12} {time} {service}  {text}\n", host.short())
            } else {
                format!("{time} {service}  {text}\n")
            };
            session.reporter.data(&whole);
        };
        session.block_on(query::logs(&context, &services, args.lines, args.follow, &line))
    });
    session.finish(result)
}
