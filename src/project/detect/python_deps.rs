//! What a Python project depends on, and how it is put beside the app.

use super::folder::Folder;

/// Where the requirements are written by tools that lock them in their own format.
const EXPORT: &str = ".ship/requirements.txt";

/// The dependencies of a project.
pub(super) struct Dependencies {
    /// Everything that names them, for a look by word.
    pub text: String,
    /// What was seen.
    pub saw: String,
    /// What to know.
    pub note: Option<String>,
    how: How,
}

enum How {
    None,
    /// A file that pip reads.
    File(&'static str),
    /// The project itself, by pip.
    Project,
    /// A command that writes [`EXPORT`].
    Export(&'static str),
    /// The same, and uv installs.
    Uv,
}

impl Dependencies {
    /// Whether there are any.
    pub fn any(&self) -> bool {
        !matches!(self.how, How::None)
    }

    /// The steps that put them into `dir`.
    pub fn install(&self, dir: &str) -> Vec<String> {
        let pip = format!("python3 -m pip install --upgrade --target {dir}");
        match self.how {
            How::None => vec![],
            How::File(file) => vec![format!("{pip} -r {file}")],
            How::Project => vec![format!("{pip} .")],
            How::Export(command) => vec![
                "mkdir -p .ship".to_owned(),
                format!("{command} {EXPORT}"),
                format!("{pip} -r {EXPORT}"),
            ],
            How::Uv => vec![
                "mkdir -p .ship".to_owned(),
                format!("uv export --quiet --frozen --no-dev --no-emit-project -o {EXPORT}"),
                format!("uv pip install --upgrade --target {dir} -r {EXPORT}"),
            ],
        }
    }
}

/// Reads them: a lock file wins over what it was made from.
pub(super) fn read(folder: &Folder, project: Option<&toml::Table>) -> Dependencies {
    let listed = project.is_some_and(|project| {
        let full = |v: &toml::Value| v.as_array().is_some_and(|list| !list.is_empty());
        let pep621 = project
            .get("project")
            .and_then(|p| p.get("dependencies"))
            .is_some_and(full);
        let poetry = project
            .get("tool")
            .and_then(|t| t.get("poetry"))
            .and_then(|p| p.get("dependencies"));
        pep621
            || poetry
                .and_then(|d| d.as_table())
                .is_some_and(|d| d.keys().any(|name| name != "python"))
    });
    let requirements = folder.read("requirements.txt").filter(|text| {
        text.lines()
            .any(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
    });
    let (how, saw, note) = if listed && folder.is_file("uv.lock") {
        (How::Uv, "uv.lock locks the dependencies", None)
    } else if listed && folder.is_file("poetry.lock") {
        let note = "`poetry export` needs the plugin poetry-plugin-export";
        (
            How::Export("poetry export --only main -f requirements.txt -o"),
            "poetry.lock locks the dependencies",
            Some(note),
        )
    } else if listed && folder.is_file("pdm.lock") {
        (
            How::Export("pdm export --prod -f requirements -o"),
            "pdm.lock locks the dependencies",
            None,
        )
    } else if folder.is_file("Pipfile.lock") {
        (
            How::Export("pipenv requirements >"),
            "Pipfile.lock locks the dependencies",
            None,
        )
    } else if let Some(text) = &requirements {
        let pinned = text.contains("==");
        let note = "requirements.txt pins no versions: two builds may differ";
        (
            How::File("requirements.txt"),
            "requirements.txt lists dependencies",
            (!pinned).then_some(note),
        )
    } else if listed {
        let note = "there is no lock file: two builds may differ; commit one";
        (
            How::Project,
            "pyproject.toml lists dependencies",
            Some(note),
        )
    } else {
        (How::None, "", None)
    };
    let mut text = requirements.unwrap_or_default();
    for file in ["pyproject.toml", "Pipfile"] {
        text.push('\n');
        text.push_str(&folder.read(file).unwrap_or_default());
    }
    Dependencies {
        text,
        saw: saw.to_owned(),
        note: note.map(str::to_owned),
        how,
    }
}

/// `vendor`, unless the project has such a folder with something of its own in it.
pub(super) fn vendor_dir(folder: &Folder) -> &'static str {
    let names = folder.names_in("vendor");
    if names.is_empty() || names.iter().any(|name| name.ends_with(".dist-info")) {
        "vendor"
    } else {
        "python-packages"
    }
}
