//! The corpus: projects that others' generators make, taken from `ship init` to a served app.
//! See `README.md` beside this file.

#[path = "../support/mod.rs"]
mod support;

mod ask;
mod made;
mod project;
mod story;
mod table;

mod go;
mod java;
mod node;
mod others;
mod php;
mod python;
mod readme;
mod ruby;
mod rust;
mod static_sites;

use project::Project;
use table::Table;

/// Takes the chosen projects of a table through the story, one after another, so that one that
/// fails does not hide the next.
#[track_caller]
fn all(projects: &[Project]) {
    each(projects, story::told);
}

#[track_caller]
fn each(projects: &[Project], tell: fn(&Project) -> Result<story::Told, String>) {
    let chosen: Vec<&Project> = projects
        .iter()
        .filter(|project| project.is_chosen())
        .collect();
    if chosen.is_empty() {
        return;
    }
    let Some(()) = support::require_hosts() else {
        return;
    };
    let mut table = Table::default();
    for project in chosen {
        table.add(project, tell(project));
    }
    table.publish();
}

#[test]
fn node_projects() {
    all(node::PROJECTS);
}

#[test]
fn python_projects() {
    all(python::PROJECTS);
}

#[test]
fn static_projects() {
    all(static_sites::PROJECTS);
}

#[test]
fn go_projects() {
    all(go::PROJECTS);
}

#[test]
fn java_projects() {
    all(java::PROJECTS);
}

#[test]
fn php_projects() {
    all(php::PROJECTS);
}

#[test]
fn ruby_projects() {
    all(ruby::PROJECTS);
}

#[test]
fn rust_projects() {
    all(rust::PROJECTS);
}

#[test]
fn other_projects() {
    all(others::PROJECTS);
}

#[test]
fn the_five_minutes_of_the_readme() {
    each(readme::PROJECTS, story::followed);
}
