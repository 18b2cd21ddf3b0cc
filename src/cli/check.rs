//! `ship check`.

use clap::Args;

use super::deploy;
use super::globals::Globals;
use super::session::Session;
use super::uncommitted;
use crate::artifact::{SelectError, Survey};
use crate::model::event::Event;
use crate::model::{EnvironmentName, Failure, FailureKind, HostName};
use crate::pipeline::{Committed, History, Provenance, Remark, Seeds, When, files, review};
use crate::project::{Diagnostic, Project};
use crate::report::humanize::count;
use crate::report::wrap::{padded, width, wrapped};
use crate::rollout::{programs, query};
use crate::runtime::{self, LOCK, Lock};
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
    let result = read(&session, globals).and_then(|project| {
        if args.print {
            match globals.json {
                true => {
                    let object = serde_json::json!({ "manifest": project.print() });
                    session.reporter.json(&object);
                }
                false => session.reporter.data(&project.print()),
            }
            return Ok(());
        }
        let lock = if runtime::is_unpinned(&project)? {
            session.sink.emit(Event::Warning {
                text: format!(
                    "{LOCK} is missing: build, test and deploy take the runtimes from it"
                ),
                hint: Some("ship pin".to_owned()),
            });
            Lock::default()
        } else {
            runtime::check(&project)?
        };
        session.say_not_compared(&project, &lock);
        let is_local = args.environment.as_deref() == Some(EnvironmentName::LOCAL);
        look_at_files(&session, &project, !is_local)?;
        let Some(name) = &args.environment else {
            let services = count(project.services.len() as u64, "service");
            let valid = format!("ship.toml is valid: {} with {services}", project.app);
            match globals.json {
                true => session.reporter.json(&Found::valid(&valid)),
                false => session.reporter.data(&format!("{valid}\n")),
            }
            return Ok(());
        };
        let environment = Session::environment(&project, Some(name))?;
        if !environment.name.is_local() {
            say_uncommitted(&session, &project);
        }
        deploy::say_missing(&session, &environment.secrets);
        let mut context = session.context_for(project, environment)?;
        let unfit = programs::unfit_here(&context.project, &context.caller);
        for Remark { text, hint } in session.block_on(unfit) {
            session.sink.emit(Event::Warning { text, hint });
        }
        context.history = History::of(&context.project.source);
        context.seeds = Seeds::of(&context.project);
        let mut findings = session.block_on(query::preflight(&context, args.deep));
        for (_, findings) in &mut findings {
            session.reporter.prepare(findings);
        }
        if globals.json {
            for (host, findings) in &findings {
                for finding in findings {
                    session.reporter.json(&Found::on(host, finding));
                }
            }
        } else {
            let columns = session.reporter.columns();
            session.reporter.data(&text(&findings, columns));
        }
        verdict(&findings)
    });
    session.finish(result)
}

/// Warns about the files of the release as a deploy would, with `on_hosts` as one to other machines.
///
/// # Errors
/// As a deploy's, where no build step can make it right before.
fn look_at_files(session: &Session, project: &Project, on_hosts: bool) -> Result<(), Failure> {
    let Survey {
        selection,
        absent,
        mut problems,
    } = files::survey(project)?;
    if project.build.steps.is_empty() {
        problems.extend(absent);
        if !problems.is_empty() {
            return Err(SelectError { problems }.into());
        }
    }
    let problems = problems.into_iter().map(|text| Remark { text, hint: None });
    let remarks = review(project, &selection, When::BeforeBuild, on_hosts);
    for Remark { text, hint } in problems.chain(remarks) {
        session.sink.emit(Event::Warning { text, hint });
    }
    Ok(())
}

/// Says what the guard of a deploy would say.
fn say_uncommitted(session: &Session, project: &Project) {
    let Provenance { origin, committed } = session.provenance(project, false);
    session.sink.emit(match &committed {
        Committed::Yes => return,
        Committed::No(changes) => uncommitted::warning(changes),
        Committed::Unknown(why) => uncommitted::unknown(why, origin.commit.as_deref()),
    });
}

/// Reads the manifest. With `--json` each finding in it is an object; a warning is not an event
/// as well.
fn read(session: &Session, globals: &Globals) -> Result<Project, Failure> {
    let mut checked = Project::check(&session.folder());
    if globals.json {
        let found = checked.diagnostics.iter().map(Found::of);
        found.for_each(|found| session.reporter.json(&found));
        if checked.project.is_some() {
            checked.diagnostics.clear();
        }
    }
    session.accept(checked)
}

/// A finding as `--json` prints it; `docs/events.md` has its fields.
#[derive(Debug, Default, serde::Serialize)]
struct Found<'a> {
    host: Option<&'a HostName>,
    level: Option<Level>,
    subject: &'a str,
    text: &'a str,
    hint: Option<String>,
    file: Option<&'a str>,
    line: Option<usize>,
    column: Option<usize>,
}

impl<'a> Found<'a> {
    fn on(host: &'a HostName, finding: &'a Finding) -> Self {
        Self {
            host: Some(host),
            level: Some(finding.level),
            subject: &finding.subject,
            text: &finding.text,
            hint: finding.hint.clone(),
            ..Self::default()
        }
    }

    fn valid(text: &'a str) -> Self {
        Self {
            level: Some(Level::Ok),
            subject: "manifest",
            text,
            ..Self::default()
        }
    }

    fn of(found: &'a Diagnostic) -> Self {
        let (line, column) = found.position().unzip();
        Self {
            level: Some(match found.is_error() {
                true => Level::Failure,
                false => Level::Warning,
            }),
            subject: "manifest",
            text: &found.message,
            hint: (!found.help.is_empty()).then(|| found.help.join("; ")),
            file: found.source.as_ref().map(|source| source.name.as_str()),
            line,
            column,
            ..Self::default()
        }
    }
}

/// The fewest columns beside a subject in which a finding's text is readable.
const BESIDE: usize = 24;

fn text(findings: &[(HostName, Vec<Finding>)], columns: Option<usize>) -> String {
    let mut text = String::new();
    for (host, findings) in findings {
        text.push_str(&format!("{host}\n"));
        let widest = findings
            .iter()
            .map(|found| width(&found.subject))
            .max()
            .unwrap_or(0);
        for found in findings {
            let word = match found.level {
                Level::Ok => "ok     ",
                Level::Warning => "warning",
                Level::Failure => "failure",
            };
            let head = format!("  {word}  {}", padded(&found.subject, widest));
            let longest = found.text.split(' ').map(width).max().unwrap_or(0);
            let needs = width(&head) + 2 + longest.max(BESIDE);
            let beside = columns.is_none_or(|columns| columns >= needs);
            let (mut line, hang) = match beside {
                true => (format!("{head}  "), width(&head) + 2),
                false => (format!("{}\n", head.trim_end()), 6),
            };
            let below = " ".repeat(hang);
            if !beside {
                line.push_str(&below);
            }
            let hint = found.hint.iter().map(|hint| format!("→ {hint}"));
            let each = std::iter::once(found.text.clone()).chain(hint);
            let room = columns.map(|columns| columns.saturating_sub(hang));
            let lines: Vec<String> = each.flat_map(|text| wrapped(&text, room, 0)).collect();
            line.push_str(&lines.join(&format!("\n{below}")));
            text.push_str(&format!("{line}\n"));
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
