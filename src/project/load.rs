//! Finding and reading the manifest of a folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::diagnostic::{Diagnostic, Source};
use super::manifest::{self, Checked, Files};
use super::model::Project;

/// What the manifest is called.
pub const MANIFEST: &str = "ship.toml";

/// The nearest folder that holds a manifest: `start` or one above it.
///
/// # Errors
/// A diagnostic that says where was looked, when there is none.
pub fn find(start: &Path) -> Result<PathBuf, Diagnostic> {
    let start = std::path::absolute(start).unwrap_or_else(|_| start.to_owned());
    let found = start
        .ancestors()
        .find(|folder| folder.join(MANIFEST).is_file());
    found.map(Path::to_owned).ok_or_else(|| {
        let mut problem = Diagnostic::error(format!(
            "there is no {MANIFEST} in {} or a folder above it",
            start.display()
        ));
        problem.help("`ship init` writes one");
        problem
    })
}

impl Project {
    /// Reads and validates the manifest of `dir`; warnings alone are dropped.
    ///
    /// # Errors
    /// Everything that is wrong with it, warnings as well, in the order of the file.
    pub fn load(dir: &Path) -> Result<Self, Vec<Diagnostic>> {
        let checked = Self::check(dir);
        checked.project.ok_or(checked.diagnostics)
    }

    /// Reads and validates the manifest of `dir`; gives warnings as well.
    #[must_use]
    pub fn check(dir: &Path) -> Checked {
        Self::read(dir, true)
    }

    /// The same without a look at the files that the manifest names: a rollback must not need
    /// what a build makes.
    #[must_use]
    pub fn check_text(dir: &Path) -> Checked {
        Self::read(dir, false)
    }

    fn read(dir: &Path, look_at_files: bool) -> Checked {
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        let path = dir.join(MANIFEST);
        let problem = match std::fs::read(&path) {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => {
                    let files = if look_at_files {
                        Files::In(&dir)
                    } else {
                        Files::Ignored
                    };
                    return manifest::parse(&text, MANIFEST, &dir, files);
                }
                Err(error) => not_text(&error),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let place = dir.display();
                let mut problem = Diagnostic::error(format!("there is no {MANIFEST} in {place}"));
                problem.help("`ship init` writes one");
                problem
            }
            Err(error) => Diagnostic::error(format!("cannot read {}: {error}", path.display())),
        };
        Checked {
            project: None,
            diagnostics: vec![problem],
        }
    }
}

/// Points to the first byte that is not UTF-8.
fn not_text(error: &std::string::FromUtf8Error) -> Diagnostic {
    let at = error.utf8_error().valid_up_to();
    let source = Arc::new(Source {
        name: MANIFEST.to_owned(),
        text: String::from_utf8_lossy(error.as_bytes()).into_owned(),
    });
    let mut problem = Diagnostic::error("the manifest is not text").with_source(&source);
    problem.label(at..at + 1, "not UTF-8");
    problem
}
