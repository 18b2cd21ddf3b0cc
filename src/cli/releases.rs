//! `ship releases`.

use clap::Args;

use super::globals::Globals;
use super::listing::{self, Answer, View, show};
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
    show(
        globals,
        args.environment.as_deref(),
        async |context| query::releases(context).await,
        text,
    )
}

/// A line per release; hosts that have the same are told together.
fn text(answers: &[Answer<Vec<ReleaseSummary>>], view: View) -> String {
    let mut table = table([
        "RELEASE", "", "STATE", "CREATED", "BY", "COMMIT", "SUBJECT", "RUNTIMES", "HOSTS",
    ])
    .first_to_leave([6, 7, 8, 5, 4]);
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
        let runtimes = listing::runtimes(&release.runtimes);
        table.row([
            release.id.to_string(),
            if release.current {
                "live".to_owned()
            } else {
                String::new()
            },
            release.state.as_str().to_owned(),
            humanize::ago(&release.created, view.now),
            release.who.clone(),
            listing::commit(release.commit.as_deref()),
            release.subject.clone().unwrap_or_default(),
            runtimes,
            if answers.len() > 1 {
                hosts.join(", ")
            } else {
                String::new()
            },
        ]);
    }
    view.page(&table, &[])
}
