//! `ship history`.

use clap::Args;

use super::globals::Globals;
use super::listing::{self, Answer, View, show};
use crate::model::{Operation, OperationKind};
use crate::report::{humanize, table};
use crate::rollout::query;

/// Shows who deployed what, when, from which commit, with what outcome
#[derive(Debug, Clone, Args)]
pub struct HistoryArgs {
    /// Environment; may be left out when there is one besides `local`, or a default
    #[arg(value_name = "ENV")]
    pub environment: Option<String>,

    /// How many entries, the newest first
    #[arg(long, short = 'n', default_value_t = 20)]
    pub limit: usize,
}

/// Runs it; the exit code.
pub fn run(globals: &Globals, args: &HistoryArgs) -> u8 {
    let limit = args.limit;
    show(
        globals,
        args.environment.as_deref(),
        async |context| query::history(context, limit).await,
        |answers, view| text(answers, limit, view),
    )
}

fn text(answers: &[Answer<Vec<Operation>>], limit: usize, view: View) -> String {
    let mut rows: Vec<(&Operation, Vec<&str>)> = Vec::new();
    for (host, answer) in answers {
        for entry in answer.iter().flatten() {
            let same = rows
                .iter_mut()
                .find(|(other, hosts)| other.is_same(entry) && !hosts.contains(&host.short()));
            match same {
                Some((_, hosts)) => hosts.push(host.short()),
                None => rows.push((entry, vec![host.short()])),
            }
        }
    }
    if rows.is_empty() {
        return "nothing was ever deployed here\n".to_owned();
    }
    rows.sort_by(|a, b| b.0.time.cmp(&a.0.time));
    let mut table = table([
        "WHEN", "WHAT", "RELEASE", "FROM", "OUTCOME", "BY", "COMMIT", "NOTES", "HOSTS",
    ])
    .first_to_leave([7, 6, 8, 5, 3]);
    for (entry, hosts) in rows.into_iter().take(limit) {
        let mut notes = Vec::new();
        if entry.tests_skipped && entry.what == OperationKind::Deploy {
            notes.push("tests skipped".to_owned());
        }
        notes.extend(entry.why.clone());
        notes.extend(entry.ci.clone());
        table.row([
            humanize::ago(&entry.time, view.now),
            entry.what.to_string(),
            entry.release.map(|id| id.to_string()).unwrap_or_default(),
            entry.from.map(|id| id.to_string()).unwrap_or_default(),
            entry.outcome.to_string(),
            entry.who.clone(),
            listing::commit(entry.commit.as_deref()),
            notes.join("; "),
            if answers.len() > 1 {
                hosts.join(", ")
            } else {
                String::new()
            },
        ]);
    }
    view.page(&table, &[])
}
