//! Folders that builds write to, that git ignores, and that the release leaves out.

use super::{Look, Remark, named, toml_list};
use crate::artifact::TreePath;
use crate::pipeline::git;

/// What tools call them.
const OUTPUTS: [&str; 5] = ["dist", "build", "out", ".output", "output"];

/// A warning that names them, once the build is done: an app that starts from one cannot start. Where
/// the release holds a part of one, somebody has chosen.
pub(super) fn remark(look: &Look<'_>) -> Option<Remark> {
    if look.project.build.steps.is_empty() {
        return None;
    }
    let is_left = |name: &&str| {
        let folder = TreePath::try_from(*name);
        let holds = |folder: TreePath| {
            let mut chosen = look.selection.entries().iter();
            chosen.any(|entry| entry.path.is_within(&folder))
        };
        let Ok(folder) = folder else { return false };
        // What is excluded was left out on purpose.
        look.project.source.join(name).is_dir() && look.chooser.takes(&folder) && !holds(folder)
    };
    let left: Vec<&str> = OUTPUTS.into_iter().filter(is_left).collect();
    let ignored = git::ignored(&look.project.source, &left)?;
    let names = ignored
        .iter()
        .map(|path| path.trim_end_matches('/').to_owned());
    let names: Vec<String> = names.collect();
    (!names.is_empty()).then(|| Remark {
        text: format!(
            "the build made {}, which git ignores, so the release leaves that out",
            named(&names)
        ),
        hint: Some(format!(
            "add {} to `include` if the app needs it",
            toml_list(names).trim_matches(['[', ']'])
        )),
    })
}
