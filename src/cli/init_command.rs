//! `ship init`: says what [`super::init`] saw and wrote.

use std::io::IsTerminal;

use super::globals::Globals;
use super::init::{self, InitArgs};
use super::session::Session;

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
        .suspend(|| init::run(args, &folder, interactive))
        .map(|report| {
            if globals.json {
                let line = serde_json::json!({
                    "path": report.path, "replaced": report.replaced, "stack": report.stack,
                    "saw": report.saw, "notes": report.notes, "next": report.next,
                });
                session.reporter.data(&format!("{line}\n"));
                return;
            }
            let mut lines = report.saw;
            let verb = if report.replaced { "replaced" } else { "wrote" };
            lines.push(format!("{verb} {}", report.path.display()));
            lines.extend(report.notes.into_iter().map(|note| format!("note: {note}")));
            lines.extend(report.next.into_iter().map(|next| format!("next: {next}")));
            session.reporter.data(&format!("{}\n", lines.join("\n")));
        });
    session.finish(result)
}
