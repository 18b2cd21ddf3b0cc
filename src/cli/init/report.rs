//! What `ship init` did, and what to do next.

use std::path::{Path, PathBuf};

use super::gitignore;
use crate::model::version::Grammar;
use crate::pipeline::git::in_repository;
use crate::project::detect::{self, Answers, Detected, Explained};

/// What `ship init` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitReport {
    /// The manifest's file.
    pub path: PathBuf,
    /// Whether it was written.
    pub outcome: Outcome,
    /// Its text.
    pub manifest: String,
    /// What kind of project it is: `Node`, `static files`…; `None` when only a person knew.
    pub stack: Option<&'static str>,
    /// Lines that were added to `.gitignore`: what the build writes.
    pub ignored: Vec<String>,
    /// The manifest line by line with its reasons, if `--explain` asks for it.
    pub explained: Vec<Explained>,
    /// What was seen and why it matters, one sentence each.
    pub saw: Vec<String>,
    /// What a person should know or check, one sentence each.
    pub notes: Vec<String>,
    /// What to do next, one sentence each.
    pub next: Vec<String>,
}

/// What became of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There was none.
    Wrote,
    /// `--force` replaced one.
    Replaced,
    /// One is there, and `--explain` only shows what would be written.
    Kept,
}

impl InitReport {
    /// The report on `manifest`, written (or not) for `answers`.
    pub(super) fn new(
        path: PathBuf,
        outcome: Outcome,
        manifest: String,
        answers: Answers,
        ignored: Vec<String>,
        pin: bool,
        explain: bool,
    ) -> Self {
        let next = match outcome {
            Outcome::Kept => {
                vec!["ship init --force: writes this over the one that is there".to_owned()]
            }
            Outcome::Wrote | Outcome::Replaced => next(&path, &answers, &ignored, pin),
        };
        let detected = answers.detected;
        let explained = match explain {
            true => detect::explain(&manifest, &detected),
            false => Vec::new(),
        };
        Self {
            path,
            outcome,
            ignored,
            explained,
            manifest,
            stack: detected.stack.map(detect::Stack::as_str),
            saw: detected.saw(),
            notes: detected.notes,
            next,
        }
    }
}

/// Commands, each with what it does behind it, in the order in which they are typed.
fn next(path: &Path, answers: &Answers, ignored: &[String], pin: bool) -> Vec<String> {
    let environment = &answers.environment;
    let detected = &answers.detected;
    let brings = !brought(detected).is_empty();
    let mut next = vec!["ship check: says whether the manifest is right".to_owned()];
    if !pin && brings {
        next.push(
            "ship pin: writes the exact runtimes and their checksums to ship.lock".to_owned(),
        );
    }
    let values = settings(detected);
    // This machine may do with the project's examples.
    let has_examples = detected
        .settings
        .values()
        .all(|example| !example.is_empty());
    next.extend(values.clone().filter(|_| !has_examples));
    if !detected.required.is_empty() {
        let values = detected.required.iter().map(|name| format!("{name}=…"));
        let values: Vec<String> = values.collect();
        let (it, its) = match values.len() {
            1 => ("it", "its value"),
            _ => ("them", "their values"),
        };
        next.push(format!(
            "export {}: the app needs {it}, and `ship deploy` reads {its} there",
            values.join(" ")
        ));
    }
    next.push("ship deploy local: builds, tests and runs it on this machine".to_owned());
    if answers.hosts.is_empty() {
        next.push(format!(
            "in ship.toml, remove the `# ` in front of [environments.{environment}] and of the lines \
             below it, and write your host into `hosts`"
        ));
    }
    next.extend(values.filter(|_| has_examples));
    if in_repository(path.parent().unwrap_or(path)) {
        let source = detected.source.iter();
        let ignore = source.map(String::as_str).chain([gitignore::FILE]);
        let ignore = ignore.collect::<Vec<_>>().join("/");
        let files = [
            Some("ship.toml"),
            brings.then_some("ship.lock"),
            (!ignored.is_empty()).then_some(ignore.as_str()),
        ];
        let files: Vec<&str> = files.into_iter().flatten().collect();
        next.push(format!(
            "git add {} && git commit -m \"Deploy with ship\": without it, a deploy to hosts is refused",
            files.join(" ")
        ));
    }
    let host = match &answers.hosts[..] {
        [only] => only.as_str(),
        _ => "HOST",
    };
    next.push(format!(
        "ship host trust {host}: pins the host's key, unless your ssh knows it already"
    ));
    next.push(format!(
        "ship setup {environment}: prepares the hosts, once, as root or with sudo"
    ));
    let serves = match detected.services.iter().any(|it| it.port.is_some()) {
        true => "serves",
        false => "keeps running",
    };
    next.push(format!(
        "ship deploy {environment}: puts it there, and proves that it {serves}"
    ));
    next
}

/// What to do about the settings that only a person can choose.
fn settings(detected: &Detected) -> Option<String> {
    let names: Vec<&str> = detected.settings.keys().map(String::as_str).collect();
    let it = match names.len() {
        0 => return None,
        1 => "it",
        _ => "them",
    };
    let listed = names.join(", ");
    Some(format!(
        "in ship.toml, give {listed} a value: the app needs {it}"
    ))
}

/// The runtimes that ship would bring, as written: `node 20`.
pub(super) fn brought(detected: &Detected) -> Vec<String> {
    let runtimes = detected.runtimes.iter();
    runtimes
        .filter(|runtime| Grammar::of(&runtime.name) != Grammar::Other)
        .filter(|runtime| runtime.obstacle.is_none())
        .filter_map(|runtime| Some(format!("{} {}", runtime.name, runtime.version.as_ref()?)))
        .collect()
}
