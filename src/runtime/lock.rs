//! `ship.lock`: the exact runtimes of a project, with a checksum for each platform. Written by
//! `ship pin`, sorted and stable, meant to be committed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use crate::model::runtime::{Platform, Sha256};
use crate::model::{Failure, FailureKind};
use crate::project::diagnostic::Diagnostic;

/// What the lock is called; it lies beside the manifest.
pub const LOCK: &str = "ship.lock";

/// The layout of the file that this build reads and writes.
pub(super) const FORMAT: i64 = 1;

/// The exact runtimes of a project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lock {
    /// By name; those with `source = "host"` are not among them.
    pub runtimes: BTreeMap<String, Pin>,
}

/// A runtime, pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// What the manifest asked for.
    pub request: String,
    /// What answers it, exact.
    pub version: String,
    /// Its archives; a platform that the publisher has no build for is missing.
    pub platforms: BTreeMap<Platform, Archive>,
    /// Of a tool that is a Python package: it and all that it depends on, each as a line of a
    /// requirements file with its checksums. Its archives are those of uv, which installs them.
    pub packages: Vec<String>,
}

/// An archive of a pinned runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// The publisher's address, whatever mirror it was pinned from.
    pub url: String,
    /// Of the archive, as the publisher's checksum list says.
    pub sha256: Sha256,
    /// Of the archive, bytes.
    pub size: u64,
}

/// What a section of an archive is called that is the same on every platform.
pub(super) const ANY: &str = "any";

impl Pin {
    /// The archives under the names of their sections.
    fn sections(&self) -> Vec<(&'static str, &Archive)> {
        let mut archives = self.platforms.values();
        let first = archives.next();
        let is_one = self.platforms.len() == Platform::ALL.len()
            && archives.all(|archive| Some(archive) == first);
        match first.filter(|_| is_one) {
            Some(archive) => vec![(ANY, archive)],
            None => {
                let each = self.platforms.iter();
                each.map(|(platform, archive)| (platform.as_str(), archive))
                    .collect()
            }
        }
    }
}

impl Lock {
    /// Reads the lock of the project in `dir`; `None` when there is none.
    ///
    /// # Errors
    /// `Project`, with each place, when it is not as `ship pin` writes it: no TOML, an unknown or a
    /// missing key, a version that is none, an address that is not that of its version.
    pub fn read(dir: &Path) -> Result<Option<Self>, Failure> {
        let path = dir.join(LOCK);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                let message = format!("{} cannot be read: {error}", path.display());
                return Err(Failure::new(FailureKind::Project, message));
            }
        };
        let text = String::from_utf8(bytes).map_err(|_| {
            Failure::new(FailureKind::Project, format!("{LOCK} is not text"))
                .hint("take it from version control again, or delete it and run ship pin")
        })?;
        Self::parse(&text).map(Some).map_err(|problems| {
            let count = problems.len();
            let mistakes = if count == 1 { "a mistake" } else { "mistakes" };
            Failure::new(FailureKind::Project, format!("{LOCK} has {mistakes}"))
                .details(problems.iter().flat_map(rendered))
                .hint("take it from version control again, or delete it and run ship pin")
        })
    }

    /// Reads the text of a lock.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the file.
    pub fn parse(text: &str) -> Result<Self, Vec<Diagnostic>> {
        super::lock_text::parse(text)
    }

    /// The text of the file: the same for the same lock, whoever writes it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "# The exact runtimes of this project, written by `ship pin`. Commit it; edit ship.toml.\n\
             version = {FORMAT}\n"
        );
        for (name, pin) in &self.runtimes {
            let (request, version) = (quoted(&pin.request), quoted(&pin.version));
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                "\n[runtimes.{name}]\nrequest = {request}\nversion = {version}\n"
            );
            if !pin.packages.is_empty() {
                let lines = pin
                    .packages
                    .iter()
                    .map(|line| format!("    {},\n", quoted(line)));
                let _ = write!(text, "packages = [\n{}]\n", lines.collect::<String>());
            }
            for (platform, archive) in pin.sections() {
                let Archive { url, sha256, size } = archive;
                let url = quoted(url);
                let _ = write!(
                    text,
                    "\n[runtimes.{name}.{platform}]\nurl = {url}\nsha256 = \"{sha256}\"\nsize = {size}\n"
                );
            }
        }
        text
    }

    /// Writes it into `dir`, whole or not at all; a file that says the same already is left alone.
    ///
    /// # Errors
    /// `Project` when it cannot be written.
    pub fn write(&self, dir: &Path) -> Result<(), Failure> {
        let path = dir.join(LOCK);
        let text = self.to_text();
        if std::fs::read(&path).is_ok_and(|found| found == text.as_bytes()) {
            return Ok(());
        }
        let written = || -> std::io::Result<()> {
            use std::os::unix::fs::PermissionsExt;
            let mut file = tempfile::Builder::new()
                .prefix(".ship.lock.")
                .permissions(std::fs::Permissions::from_mode(0o666))
                .tempfile_in(dir)?;
            file.write_all(text.as_bytes())?;
            file.persist(&path)?;
            Ok(())
        };
        written().map_err(|error| {
            let message = format!("{} cannot be written: {error}", path.display());
            Failure::new(FailureKind::Project, message)
        })
    }
}

/// The lines of a diagnostic, for the details of a failure.
pub(super) fn rendered(problem: &Diagnostic) -> Vec<String> {
    problem.render(false).lines().map(str::to_owned).collect()
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
