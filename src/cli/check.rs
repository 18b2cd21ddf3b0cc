//! `ship check`.

use clap::Args;

use super::globals::Globals;
use super::session::Session;
use crate::model::event::Event;
use crate::model::{Failure, FailureKind, HostName};
use crate::rollout::query;
use crate::runtime::{self, LOCK};
use crate::wire::{Finding, Level};

/// Validates ship.toml; with an environment, also looks at its hosts
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// Environment whose hosts are looked at; default: only the manifest is checked
    #[arg(value_name = "ENV")]
    pub environment: Option<String>,

    /// Reads every release on the hosts and compares it with what was deployed
    #[arg(long, requires = "environment")]
    pub deep: bool,

    /// Prints the manifest with every default filled in
    #[arg(long)]
    pub print: bool,
}

/// Runs it; the exit code.
pub fn run(globals: &Globals, args: &CheckArgs) -> u8 {
    let session = match Session::start(globals) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let result = session.project().and_then(|project| {
        if args.print {
            session.reporter.data(&project.print());
            return Ok(());
        }
        if runtime::is_unpinned(&project)? {
            session.sink.emit(Event::Warning {
                text: format!(
                    "{LOCK} is missing: build, test and deploy take the runtimes from it"
                ),
                hint: Some("ship pin".to_owned()),
            });
        } else {
            runtime::check(&project)?;
        }
        let Some(name) = &args.environment else {
            if !globals.json {
                let count = project.services.len();
                let services = if count == 1 { "service" } else { "services" };
                session.reporter.data(&format!(
                    "ship.toml is valid: {} with {count} {services}\n",
                    project.app
                ));
            }
            return Ok(());
        };
        let environment = Session::environment(&project, Some(name))?;
        let context = session.context_for(project, environment)?;
        let findings = session.block_on(query::preflight(&context, args.deep));
        if globals.json {
            for (host, findings) in &findings {
                let line = serde_json::json!({ "host": host, "findings": findings });
                session.reporter.data(&format!("{line}\n"));
            }
        } else {
            session.reporter.data(&text(&findings));
        }
        verdict(&findings)
    });
    session.finish(result)
}

fn text(findings: &[(HostName, Vec<Finding>)]) -> String {
    let mut text = String::new();
    for (host, findings) in findings {
        text.push_str(&format!("{host}\n"));
        let width = findings
            .iter()
            .map(|found| found.subject.chars().count())
            .max()
            .unwrap_or(0);
        for found in findings {
            let word = match found.level {
                Level::Ok => "ok     ",
                Level::Warning => "warning",
                Level::Failure => "failure",
            };
            text.push_str(&format!(
                "  {word}  {:<width$}  {}\n",
                found.subject, found.text
            ));
            if let Some(hint) = &found.hint {
                text.push_str(&format!("           {:<width$}  → {hint}\n", ""));
            }
        }
    }
    text
}

/// What stands in the way of a deploy decides: an unreachable host before the rest.
fn verdict(findings: &[(HostName, Vec<Finding>)]) -> Result<(), Failure> {
    let failures = || {
        findings.iter().flat_map(|(host, findings)| {
            findings
                .iter()
                .filter(|found| found.level == Level::Failure)
                .map(move |found| (host, found))
        })
    };
    let count = failures().count();
    let Some((host, _)) = failures().next() else {
        return Ok(());
    };
    let unreachable = failures().find(|(_, found)| found.subject == "connection");
    let kind = if unreachable.is_some() {
        FailureKind::Unreachable
    } else {
        FailureKind::Refused
    };
    let host = unreachable.map_or(host, |(host, _)| host);
    let message = match count {
        1 => format!("{host} is not ready for a deploy: 1 failure above"),
        _ => format!("{host} is not ready for a deploy: {count} failures above"),
    };
    Err(Failure::new(kind, message))
}
