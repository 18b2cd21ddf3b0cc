//! `ship init`: says what [`super::init`] saw and wrote.

use std::io::IsTerminal;

use super::globals::Globals;
use super::init::{self, InitArgs, InitReport, Network, Outcome};
use super::session::Session;
use crate::project::detect::Explained;
use crate::report::wrap::wrapped;

/// Runs it; the exit code.
pub fn run(globals: &Globals, args: &InitArgs) -> u8 {
    let session = match Session::start(globals) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let interactive =
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal() && !globals.json;
    let here = std::env::current_dir().unwrap_or_default();
    let folder = globals
        .project
        .as_ref()
        .map_or(here.clone(), |dir| here.join(dir));
    let result = session
        .reporter
        .suspend(|| init::run(args, &folder, interactive, &Network { session: &session }))
        .map(|report| {
            if globals.json {
                let mut line = serde_json::json!({
                    "path": report.path, "replaced": report.outcome == Outcome::Replaced,
                    "stack": report.stack, "gitignore": report.ignored,
                    "saw": report.saw, "notes": report.notes, "next": report.next,
                });
                if args.explain {
                    line["explained"] = report.explained.iter().map(explained_json).collect();
                }
                session.reporter.json(&line);
            } else {
                let columns = session.reporter.columns();
                session
                    .reporter
                    .data(&text(&report, globals.quiet, columns));
            }
        });
    session.done(result)
}

/// What was seen and written, what to check, and what to do next; with `-q` what was written.
fn text(report: &InitReport, quiet: bool, columns: Option<usize>) -> String {
    let path = report.path.display();
    let written = match report.outcome {
        Outcome::Wrote => format!("wrote {path}"),
        Outcome::Replaced => format!("replaced {path}"),
        Outcome::Kept => format!("{path} is unchanged; this is what init would write"),
    };
    let written = match report.ignored.as_slice() {
        [] => written,
        lines => format!("{written}\nadded to .gitignore: {}", lines.join(" ")),
    };
    if !report.explained.is_empty() {
        return explained_text(report, &written, columns);
    }
    if quiet {
        return format!("{written}\n");
    }
    let notes = report.notes.iter().map(|note| format!("note: {note}"));
    let next = report.next.iter().map(|next| format!("next: {next}"));
    let saw = report.saw.iter().cloned();
    let written = written.lines().map(str::to_owned);
    let lines = saw.chain(written).chain(notes).chain(next);
    let lines: Vec<String> = lines.flat_map(|line| wrapped(&line, columns, 2)).collect();
    format!("{}\n", lines.join("\n"))
}

/// Each line of the manifest with its reasons below it.
fn explained_text(report: &InitReport, written: &str, columns: Option<usize>) -> String {
    let mut lines: Vec<String> = written
        .lines()
        .flat_map(|line| wrapped(line, columns, 2))
        .collect();
    lines.push(String::new());
    for explained in &report.explained {
        lines.extend(explained.lines.iter().cloned());
        for reason in &explained.because {
            let indent = |line: String| format!("    {line}");
            let columns = columns.map(|columns| columns.saturating_sub(4));
            let reason = wrapped(&format!("because {reason}"), columns, 2);
            lines.extend(reason.into_iter().map(indent));
        }
    }
    lines.push(String::new());
    let notes = report.notes.iter().map(|note| format!("note: {note}"));
    let next = report.next.iter().map(|next| format!("next: {next}"));
    lines.extend(
        notes
            .chain(next)
            .flat_map(|line| wrapped(&line, columns, 2)),
    );
    format!("{}\n", lines.join("\n"))
}

fn explained_json(explained: &Explained) -> serde_json::Value {
    serde_json::json!({ "lines": explained.lines, "because": explained.because })
}
