//! `Procfile`: one process per line, `name: command`.

use super::folder::Folder;

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Process {
    pub name: String,
    pub command: String,
}

/// Reads the lines; `None` without a Procfile, or with nothing in it.
pub(super) fn read(folder: &Folder) -> Option<Vec<Process>> {
    let text = folder.read("Procfile")?;
    let lines: Vec<Process> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let (name, command) = line.split_once(':')?;
            let valid = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            let (name, command) = (name.trim(), command.trim());
            (!name.is_empty() && name.chars().all(valid) && !command.is_empty()).then(|| Process {
                name: name.to_owned(),
                command: command.to_owned(),
            })
        })
        .collect();
    (!lines.is_empty()).then_some(lines)
}
