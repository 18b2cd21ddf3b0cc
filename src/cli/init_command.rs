//! `ship init`: says what [`super::init`] saw and wrote.

use std::io::IsTerminal;
use std::path::Path;

use super::globals::Globals;
use super::init::{self, InitArgs};
use super::pin;
use super::session::Session;
use crate::model::Failure;
use crate::project::Project;
use crate::runtime::pin::Upgrade;

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
        .and_then(|report| {
            if globals.json {
                let line = serde_json::json!({
                    "path": report.path, "replaced": report.replaced, "stack": report.stack,
                    "saw": report.saw, "notes": report.notes, "next": report.next,
                });
                session.reporter.data(&format!("{line}\n"));
                return Ok(());
            }
            let mut lines = report.saw;
            let verb = if report.replaced { "replaced" } else { "wrote" };
            lines.push(format!("{verb} {}", report.path.display()));
            lines.extend(report.notes.into_iter().map(|note| format!("note: {note}")));
            lines.extend(report.next.into_iter().map(|next| format!("next: {next}")));
            session.reporter.data(&format!("{}\n", lines.join("\n")));
            match report.path.parent() {
                Some(dir) if report.pin => pin_now(&session, dir),
                _ => Ok(()),
            }
        });
    session.finish(result)
}

/// Pins the runtimes of the manifest that was just written.
fn pin_now(session: &Session, dir: &Path) -> Result<(), Failure> {
    let Some(project) = Project::check_text(dir).project else {
        return Ok(());
    };
    let report = pin::write(session, &project, &Upgrade::Nothing)?;
    session.reporter.data(&pin::text(&report));
    Ok(())
}
