//! Links whose target is not in the release.

use super::{Look, Remark, is_dependency, named, toml_list};
use crate::artifact::{Dangling, TreePath};

/// Warnings about links that lead to something outside of the selection, and to nothing at all.
/// One to a shared path is fine: the host has that. One that is broken in a folder of dependencies
/// is broken for everybody.
pub(super) fn remarks(look: &Look<'_>) -> Vec<Remark> {
    let links = look.selection.dangling().iter();
    let (there, gone): (Vec<&Dangling>, Vec<&Dangling>) = links
        .filter(|found| !look.is_shared(&found.target))
        .partition(|found| found.target.below(&look.project.source).exists());
    let gone: Vec<&Dangling> = gone
        .into_iter()
        .filter(|found| !is_dependency(&found.link))
        .collect();
    let mut remarks = Vec::new();
    if !there.is_empty() {
        remarks.push(Remark {
            text: format!(
                "links lead to what is not in the release: {}",
                named(&arrows(&there))
            ),
            hint: Some(advice(look, &there)),
        });
    }
    if !gone.is_empty() {
        remarks.push(Remark {
            text: format!("links lead to nothing: {}", named(&arrows(&gone))),
            hint: None,
        });
    }
    remarks
}

fn arrows(links: &[&Dangling]) -> Vec<String> {
    links
        .iter()
        .map(|found| format!("{} -> {}", found.link, found.target))
        .collect()
}

/// What to include; a folder of dependencies as a whole, as one of its packages needs the others.
fn advice(look: &Look<'_>, links: &[&Dangling]) -> String {
    let mut add: Vec<String> = Vec::new();
    for found in links {
        let whole = up_to_dependencies(&found.target);
        let is_left_out = !look.chooser.may_take(&found.target);
        if is_left_out {
            return format!("`exclude` leaves {} out", found.target);
        }
        if !add.contains(&whole) {
            add.push(whole);
        }
    }
    format!("add to `include`: {}", toml_list(add))
}

fn up_to_dependencies(path: &TreePath) -> String {
    let text = path.to_string();
    match text.find("node_modules/") {
        Some(at) => text[..at + "node_modules".len()].to_owned(),
        None => text,
    }
}
