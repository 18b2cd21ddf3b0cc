//! Locks, what they answer, what disagrees with them, and how they are made.

mod disagreement;
mod lock;
mod managers;
mod pin;

use std::collections::BTreeMap;
use std::path::Path;

use crate::model::Failure;
use crate::project::Project;

/// A project in `dir` with these `[runtimes]`.
fn project(dir: &Path, runtimes: &str) -> Project {
    let manifest = format!(
        "[app]\nname = \"shop\"\n\n[runtimes]\n{runtimes}\n[services.web]\ncommand = \"run\"\nport = 3000\n"
    );
    std::fs::write(dir.join("ship.toml"), manifest).unwrap();
    Project::load(dir).unwrap_or_else(|problems| panic!("{}", problems[0].render(false)))
}

/// All of a failure.
fn told(failure: &Failure, dir: &Path) -> String {
    let mut text = format!("{:?}: {}\n", failure.kind, failure.message());
    for line in &failure.details {
        text.push_str(&format!("  {line}\n"));
    }
    if let Some(hint) = &failure.hint {
        text.push_str(&format!("hint: {hint}\n"));
    }
    text.replace(&dir.display().to_string(), "DIR")
}

fn no_env() -> BTreeMap<std::ffi::OsString, std::ffi::OsString> {
    BTreeMap::new()
}
