//! What a deploy and `ship check` say about changes that are not committed.

use crate::model::Failure;
use crate::model::event::Event;
use crate::pipeline::git::{Change, ChangeKind, Unknown};
use crate::project::MANIFEST;
use crate::runtime::LOCK;

/// How many files are named.
const NAMED: usize = 6;

/// Why a deploy of `changes`, at least one, is refused.
pub fn refusal(changes: &[Change]) -> Failure {
    Failure::refused(sentence(changes))
        .detail("production should run a commit that others have too")
        .hint(hint(changes))
}

/// What `ship check` says about `changes`, at least one.
pub fn warning(changes: &[Change]) -> Event {
    Event::Warning {
        text: format!("a deploy would be refused: {}", sentence(changes)),
        hint: Some(hint(changes)),
    }
}

/// What is said after a deploy whose steps left `changes`, at least one.
pub fn by_steps(changes: &[Change]) -> Event {
    Event::Warning {
        text: format!("the steps left changes in the project: {}", names(changes)),
        hint: Some(
            "commit them, or have git ignore them: the next deploy to hosts is refused otherwise"
                .to_owned(),
        ),
    }
}

/// What is said when git could not tell; `commit` is the one that the history will name.
pub fn unknown(unknown: &Unknown, commit: Option<&str>) -> Event {
    let mut text = format!(
        "cannot tell whether everything is committed: {}",
        unknown.why
    );
    if commit.is_none() {
        text.push_str("; the history will not name a commit");
    }
    Event::Warning {
        text,
        hint: unknown.advice.clone(),
    }
}

fn sentence(changes: &[Change]) -> String {
    format!("there are uncommitted changes: {}", names(changes))
}

fn names(changes: &[Change]) -> String {
    let names: Vec<String> = changes.iter().take(NAMED).map(Change::to_string).collect();
    let rest = match changes.len() - names.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{rest}", names.join(", "))
}

/// The commands for a first deploy, when only the files that `ship init` and `ship pin` wrote are
/// new.
fn hint(changes: &[Change]) -> String {
    let is_ours = |change: &Change| {
        change.kind == ChangeKind::New && [MANIFEST, LOCK].contains(&name(change))
    };
    if changes.iter().all(is_ours) {
        let mut names: Vec<&str> = changes.iter().map(name).collect();
        names.sort_unstable_by(|a, b| b.cmp(a));
        return format!(
            "git add {} && git commit -m \"Deploy with ship\"",
            names.join(" ")
        );
    }
    "commit them, or deploy them as they are with --allow-dirty".to_owned()
}

/// The name of a changed file, without its folder.
fn name(change: &Change) -> &str {
    change.path.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(kind: ChangeKind, paths: &[&str]) -> Vec<Change> {
        let paths = paths.iter();
        let change = |path: &&str| Change {
            path: (*path).to_owned(),
            kind,
        };
        paths.map(change).collect()
    }

    #[test]
    fn a_few_files_are_named_and_the_rest_is_counted() {
        let many = ["a", "b", "c", "d", "e", "f", "g", "h"];
        assert_eq!(
            refusal(&changes(ChangeKind::Deleted, &many)).message(),
            "there are uncommitted changes: a (deleted), b (deleted), c (deleted), d (deleted), \
             e (deleted), f (deleted) and 2 more"
        );
    }

    #[test]
    fn the_hint_of_a_first_deploy_is_exact() {
        let hint = |kind, paths: &[&str]| refusal(&changes(kind, paths)).hint.unwrap();
        assert_eq!(
            hint(ChangeKind::New, &["ship.lock", "ship.toml"]),
            "git add ship.toml ship.lock && git commit -m \"Deploy with ship\""
        );
        for other in [
            hint(ChangeKind::Modified, &["ship.toml"]),
            hint(ChangeKind::New, &["ship.toml", "app.js"]),
        ] {
            assert!(other.contains("--allow-dirty"), "{other}");
        }
    }
}
