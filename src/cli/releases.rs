//! `ship releases`.

use clap::Args;
use jiff::Timestamp;

use super::globals::Globals;
use super::session::Session;
use super::status::{first_failure, json};
use crate::model::{Failure, HostName};
use crate::report::{humanize, table};
use crate::rollout::query;
use crate::wire::ReleaseSummary;

/// Lists the releases on the hosts: which are good, which is live
#[derive(Debug, Clone, Args)]
pub struct ReleasesArgs {
    /// Environment; may be left out when there is one besides `local`, or a default
    #[arg(value_name = "ENV")]
    pub environment: Option<String>,
}

/// Runs it; the exit code.
pub fn run(globals: &Globals, args: &ReleasesArgs) -> u8 {
    let session = match Session::start(globals) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let result = session
        .context(args.environment.as_deref())
        .and_then(|context| {
            let answers = session.block_on(query::releases(&context));
            if globals.json {
                session.reporter.data(&json(&answers));
            } else {
                session.reporter.data(&text(&answers, Timestamp::now()));
            }
            first_failure(answers)
        });
    session.finish(result)
}

/// A line per release; hosts that have the same are told together.
fn text(answers: &[(HostName, Result<Vec<ReleaseSummary>, Failure>)], now: Timestamp) -> String {
    let mut table = table([
        "RELEASE", "", "STATE", "CREATED", "BY", "COMMIT", "SUBJECT", "RUNTIMES", "HOSTS",
    ]);
    let mut rows: Vec<(&ReleaseSummary, Vec<&str>)> = Vec::new();
    for (host, answer) in answers {
        for release in answer.iter().flatten() {
            let same = rows.iter_mut().find(|(other, _)| {
                (other.id, other.state, other.current)
                    == (release.id, release.state, release.current)
            });
            match same {
                Some((_, hosts)) => hosts.push(host.short()),
                None => rows.push((release, vec![host.short()])),
            }
        }
    }
    if rows.is_empty() {
        return "no releases\n".to_owned();
    }
    rows.sort_by_key(|(release, _)| std::cmp::Reverse(release.id));
    for (release, hosts) in rows {
        let runtimes: Vec<String> = release
            .runtimes
            .iter()
            .map(|(name, version)| format!("{name} {version}"))
            .collect();
        table.row([
            release.id.to_string(),
            if release.current {
                "live".to_owned()
            } else {
                String::new()
            },
            release.state.as_str().to_owned(),
            humanize::ago(&release.created, now),
            release.who.clone(),
            release
                .commit
                .as_deref()
                .map(|commit| commit.chars().take(9).collect())
                .unwrap_or_default(),
            release.subject.clone().unwrap_or_default(),
            runtimes.join(", "),
            if answers.len() > 1 {
                hosts.join(", ")
            } else {
                String::new()
            },
        ]);
    }
    format!("{}\n", table.lines().join("\n"))
}
