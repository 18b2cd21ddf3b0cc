//! Programs of the project that its commands start, and what those need on a host.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{Look, Remark, When};
use crate::artifact::{SelectedKind, Shebang, TreePath, programs, programs_of_line};
use crate::model::Probe;

/// Where distributions and their administrators put interpreters; anything else is a place of one
/// machine.
const STANDARD: [&str; 8] = [
    "/bin",
    "/sbin",
    "/usr/bin",
    "/usr/sbin",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/libexec",
    "/opt",
];

/// Warnings about programs that a command names by a path in the project and that no host can
/// start.
pub(super) fn remarks(look: &Look<'_>, when: When) -> Vec<Remark> {
    let project = look.project;
    let mut uses: Vec<(String, &str)> = Vec::new();
    for service in &project.services {
        let name = format!("the command of {}", service.name);
        uses.extend(
            programs(&service.run)
                .into_iter()
                .map(|path| (name.clone(), path)),
        );
        if let Some(Probe::Command { run }) = &service.health.probe {
            let name = format!("the health check of {}", service.name);
            uses.extend(
                programs_of_line(run)
                    .into_iter()
                    .map(|path| (name.clone(), path)),
            );
        }
    }
    for hook in project
        .before_activate
        .iter()
        .chain(&project.after_activate)
    {
        let name = format!("the hook `{}`", hook.name);
        uses.extend(
            programs_of_line(&hook.run)
                .into_iter()
                .map(|path| (name.clone(), path)),
        );
    }
    let remarks = uses
        .into_iter()
        .filter_map(|(name, path)| remark(look, when, &name, path));
    remarks.collect()
}

fn remark(look: &Look<'_>, when: When, who: &str, path: &str) -> Option<Remark> {
    let tree_path = TreePath::try_from(path).ok()?;
    if look.is_shared(&tree_path) {
        return None;
    }
    let file = look.project.source.join(path);
    let Ok(found) = file.metadata() else {
        let is_late = when == When::BeforeBuild && !look.project.build.steps.is_empty();
        return (!is_late).then(|| Remark {
            text: format!("{who} starts {path}, which does not exist"),
            hint: None,
        });
    };
    if !found.is_file() {
        return None;
    }
    if !is_chosen(look, &tree_path) {
        return Some(Remark {
            text: format!("{who} starts {path}, which is not in the release"),
            hint: Some(format!("add \"{path}\" to `include` of [release]")),
        });
    }
    if found.permissions().mode() & 0o111 == 0 {
        return Some(Remark {
            text: format!("{who} starts {path}, which is not executable"),
            hint: Some(format!("chmod +x {path}")),
        });
    }
    let Shebang {
        interpreter,
        has_carriage_return,
    } = Shebang::of(&file)?;
    if has_carriage_return {
        return Some(Remark {
            text: format!(
                "{who} starts {path}, whose first line ends as on Windows: its interpreter will not be found"
            ),
            hint: Some("save it with Unix line ends".to_owned()),
        });
    }
    let is_standard = |folder: &str| Path::new(&interpreter).starts_with(folder);
    if !interpreter.starts_with('/') || STANDARD.iter().any(|folder| is_standard(folder)) {
        return None;
    }
    let program = interpreter.rsplit('/').next().unwrap_or(&interpreter);
    Some(Remark {
        text: format!(
            "{who} starts {path}, a script for {interpreter}: that interpreter is on this machine only"
        ),
        hint: Some(format!(
            "name an interpreter that the hosts have in the command: {program} {path}"
        )),
    })
}

/// Whether the file, or a link on the way to it, is in the release.
fn is_chosen(look: &Look<'_>, path: &TreePath) -> bool {
    let entries = look.selection.entries();
    let kind = |path: &TreePath| {
        let at = entries
            .binary_search_by(|entry| entry.path.cmp(path))
            .ok()?;
        Some(&entries[at].kind)
    };
    kind(path).is_some()
        || std::iter::successors(path.parent(), TreePath::parent)
            .any(|folder| matches!(kind(&folder), Some(SelectedKind::Symlink(_))))
}
