//! Commands that ask every host a question and print a table: one answer per host, whoever fails.

use jiff::Timestamp;

use super::globals::Globals;
use super::session::Session;
use crate::model::{Failure, HostName};
use crate::rollout::Context;
use crate::rollout::query::PerHost;

/// A host and what it answered.
pub type Answer<T> = (HostName, Result<T, Failure>);

/// Asks the hosts of `environment` and prints what they answer, as `text` or as JSON; the exit
/// code, which is the first host's that failed.
pub fn show<T: serde::Serialize>(
    globals: &Globals,
    environment: Option<&str>,
    ask: impl AsyncFnOnce(&Context) -> PerHost<T>,
    text: impl FnOnce(&[Answer<T>], Timestamp) -> String,
) -> u8 {
    let session = match Session::start(globals) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let result = session.context(environment).and_then(|context| {
        let answers = session.block_on(ask(&context));
        session.reporter.data(&if globals.json {
            json(&answers)
        } else {
            text(&answers, Timestamp::now())
        });
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
fn json<T: serde::Serialize>(answers: &[Answer<T>]) -> String {
    answers
        .iter()
        .map(|(host, answer)| {
            let line = match answer {
                Ok(value) => serde_json::json!({ "host": host, "answer": value }),
                Err(failure) => serde_json::json!({ "host": host, "failure": failure }),
            };
            format!("{line}\n")
        })
        .collect()
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
