//! Commands that ask every host a question and print a table: one answer per host, whoever fails.

use jiff::Timestamp;

use super::globals::Globals;
use super::session::Session;
use crate::model::{Failure, HostName, Texts};
use crate::report::Table;
use crate::report::wrap::wrapped;
use crate::rollout::Context;
use crate::rollout::query::PerHost;

/// A host and what it answered.
pub type Answer<T> = (HostName, Result<T, Failure>);

/// From where a table is looked at.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// When.
    pub now: Timestamp,
    /// How many columns there are; `None`: as many as it takes.
    pub columns: Option<usize>,
}

impl View {
    /// The lines of a table, then notes, each broken between words where it is too wide.
    pub fn page(self, table: &Table, notes: &[String]) -> String {
        let mut lines = match table.is_empty() {
            true => Vec::new(),
            false => table.lines(self.columns),
        };
        if !lines.is_empty() && !notes.is_empty() {
            lines.push(String::new());
        }
        let notes = notes.iter().flat_map(|note| note.split('\n'));
        lines.extend(notes.flat_map(|note| wrapped(note, self.columns, 2)));
        format!("{}\n", lines.join("\n"))
    }
}

/// Asks the hosts of `environment` and prints what they answer, as `text` or as JSON; the exit
/// code, which is the first host's that failed.
pub fn show<T: serde::Serialize + Texts>(
    globals: &Globals,
    environment: Option<&str>,
    ask: impl AsyncFnOnce(&Context) -> PerHost<T>,
    text: impl FnOnce(&[Answer<T>], View) -> String,
) -> u8 {
    show_and_judge(globals, environment, ask, text, |_, _| Ok(()))
}

/// As [`show`]; a failure that `judge` finds in the answers decides the exit code before a host
/// that did not answer.
pub fn show_and_judge<T: serde::Serialize + Texts>(
    globals: &Globals,
    environment: Option<&str>,
    ask: impl AsyncFnOnce(&Context) -> PerHost<T>,
    text: impl FnOnce(&[Answer<T>], View) -> String,
    judge: impl FnOnce(&Context, &[Answer<T>]) -> Result<(), Failure>,
) -> u8 {
    let session = match Session::start(globals) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let result = session.context(environment).and_then(|context| {
        let mut answers = session.block_on(ask(&context));
        for (_, answer) in &mut answers {
            match answer {
                Ok(answer) => session.reporter.prepare(answer),
                Err(failure) => session.reporter.prepare(failure),
            }
        }
        if globals.json {
            lines_of_json(&session, &answers);
        } else {
            let view = View {
                now: Timestamp::now(),
                columns: session.reporter.columns(),
            };
            session.reporter.data(&text(&answers, view));
        }
        judge(&context, &answers)?;
        first_failure(answers)
    });
    session.finish(result)
}

fn first_failure<T>(answers: PerHost<T>) -> Result<(), Failure> {
    answers
        .into_iter()
        .find_map(|(_, answer)| answer.err())
        .map_or(Ok(()), Err)
}

/// One JSON object per host and line.
fn lines_of_json<T: serde::Serialize>(session: &Session, answers: &[Answer<T>]) {
    for (host, answer) in answers {
        session.reporter.json(&match answer {
            Ok(value) => serde_json::json!({ "host": host, "answer": value }),
            Err(failure) => serde_json::json!({ "host": host, "failure": failure }),
        });
    }
}

/// Exact runtimes as a table shows them.
pub fn runtimes(runtimes: &std::collections::BTreeMap<String, String>) -> String {
    let each: Vec<String> = runtimes
        .iter()
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    each.join(", ")
}

/// A commit as a table shows it: its first nine digits.
pub fn commit(commit: Option<&str>) -> String {
    commit.unwrap_or_default().chars().take(9).collect()
}
