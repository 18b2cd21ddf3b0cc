//! `ship logs`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use regex::Regex;

use super::globals::Globals;
use super::service::split_target;
use super::session::Session;
use super::until::{DayEnd, in_a_log};
use crate::model::event::Event;
use crate::model::{Failure, FailureKind, ServiceName};
use crate::rollout::exec::find_host;
use crate::rollout::query;
use crate::wire::LogsRequest;

/// Shows the logs of the services on all hosts together
#[derive(Debug, Clone, Args)]
pub struct LogsArgs {
    /// Environment, then services; default: all services
    #[arg(value_name = "ENV | SERVICE")]
    pub target: Vec<String>,

    /// Goes on with what comes, until Ctrl-C
    #[arg(long, short)]
    pub follow: bool,

    /// How many old lines per service and host; default: 100, or all of them with --since
    #[arg(long, short = 'n')]
    pub lines: Option<usize>,

    /// Only what was said since then: 10m, 2h, 2026-12-24, "2026-12-24 18:00" (this machine's time
    /// zone) or 2026-12-24T18:00:00Z
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,

    /// Only what was said until then, written as for --since; a date means the end of that day
    #[arg(long, value_name = "TIME", conflicts_with = "follow")]
    pub until: Option<String>,

    /// Only lines that match this regular expression; (?i) in front of it ignores case
    #[arg(long, value_name = "REGEX")]
    pub grep: Option<String>,

    /// Only of this host; default: all
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
}

/// How many old lines there are when nobody says.
const LINES: usize = 100;

impl LogsArgs {
    /// What the hosts are asked, for `services`.
    fn request(&self, services: Vec<ServiceName>) -> Result<LogsRequest, Failure> {
        let usage = |message: String| Failure::new(FailureKind::Usage, message);
        let now = Timestamp::now();
        let zone = TimeZone::system();
        let time = |option: &str, text: Option<&str>, end| {
            let read = |text| {
                let time = in_a_log(text, now, &zone, end);
                time.map_err(|why| usage(format!("{option} {text}: {why}")))
            };
            text.map(read).transpose()
        };
        let since = time("--since", self.since.as_deref(), DayEnd::First)?;
        let until = time("--until", self.until.as_deref(), DayEnd::Last)?;
        if since > until && until.is_some() {
            return Err(usage("--until lies before --since".to_owned()));
        }
        if let Some(pattern) = &self.grep {
            Regex::new(pattern).map_err(|why| {
                usage(format!("--grep {pattern} is not a regular expression"))
                    .details(why.to_string().lines().map(str::to_owned))
                    .hint("a character that means something is itself behind a backslash: \\[ \\( \\.")
            })?;
        }
        Ok(LogsRequest {
            services,
            lines: self.lines.or(self.since.is_none().then_some(LINES)),
            since: since.map(|time| time.to_string()),
            until: until.map(|time| time.to_string()),
            pattern: self.grep.clone(),
            follow: self.follow,
        })
    }
}

/// Runs it; the exit code.
pub fn run(globals: &Globals, args: &LogsArgs) -> u8 {
    let session = match Session::start(globals) {
        Ok(session) => session,
        Err(code) => return code,
    };
    // A mistake in the options is told before any host is asked.
    let prepared = args.request(Vec::new()).and_then(|asked| {
        let (context, services) = split_target(&session, &args.target)?;
        let context = match &args.host {
            Some(wanted) => {
                let wanted = find_host(&context, wanted)?;
                context.only(|host| *host == wanted)
            }
            None => context,
        };
        Ok((context, LogsRequest { services, ..asked }))
    });
    let result = prepared.and_then(|(context, asked)| {
        let several_hosts = context.environment.hosts.len() > 1;
        let one = Mutex::new(());
        let is_empty = AtomicBool::new(true);
        let line = |host: &crate::model::HostName, time: &str, service: &crate::model::ServiceName, text: &str| {
            let _in_turn = one.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            is_empty.store(false, Ordering::Relaxed);
            let text = session.reporter.redactor().mask(text).into_owned();
            if globals.json {
                session.reporter.json(
                    &serde_json::json!({ "host": host, "time": time, "service": service, "text": text }),
                );
                return;
            }
            let before = match several_hosts {
                true => format!("{:<12} {time} {service}  ", host.short()),
                false => format!("{time} {service}  "),
            };
            // None of several lines can pass for a line of another service.
            let lines = text.split('\n').map(|line| format!("{before}{line}\n"));
            session.reporter.data(&lines.collect::<String>());
        };
        let is_filtered = !asked.services.is_empty()
            || asked.since.is_some()
            || asked.until.is_some()
            || asked.pattern.is_some();
        session.block_on(query::logs(&context, asked, &line))?;
        if is_empty.into_inner() && !globals.json {
            let text = match is_filtered {
                true => "no log lines match",
                false => "the services have not written any log lines",
            };
            session.sink.emit(Event::Note {
                text: text.to_owned(),
            });
        }
        Ok(())
    });
    session.finish(result)
}
