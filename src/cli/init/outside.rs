//! What `ship init` asks of the world around the project.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::cli::pin;
use crate::cli::session::Session;
use crate::model::version::Version;
use crate::model::{Failure, FailureKind};
use crate::project::Project;
use crate::runtime;

/// How long a publisher may take to answer.
const PATIENCE: Duration = Duration::from_secs(8);

/// The programs of this machine, and the publishers of runtimes.
pub trait Outside {
    /// The versions that this machine has, by name.
    fn versions(&self, names: &[String]) -> BTreeMap<String, Version>;

    /// Pins what the manifest in `dir` asks for, and writes its lock; what could not be pinned is
    /// returned by name, with a sentence.
    ///
    /// # Errors
    /// `Interrupted`; the manifest stays.
    fn pin(&self, dir: &Path) -> Result<BTreeMap<String, String>, Failure>;
}

/// The real one.
pub struct Network<'a> {
    /// The command that runs.
    pub session: &'a Session,
}

impl Outside for Network<'_> {
    fn versions(&self, names: &[String]) -> BTreeMap<String, Version> {
        if names.is_empty() {
            return BTreeMap::new();
        }
        let caller = std::env::vars_os().collect();
        let names = names.iter().map(String::as_str);
        self.session
            .block_on(runtime::versions_here(names, &caller))
    }

    fn pin(&self, dir: &Path) -> Result<BTreeMap<String, String>, Failure> {
        let Some(project) = Project::check_text(dir).project else {
            return Ok(BTreeMap::new());
        };
        let reporter = &self.session.reporter;
        let (report, failures) =
            reporter.drawing(|| pin::write_what_can_be(self.session, &project, PATIENCE))?;
        let lines: Vec<String> = report
            .runtimes
            .iter()
            .map(|pinned| format!("{} {}", pinned.runtime, pinned.version))
            .collect();
        if report.is_written {
            let text = format!("pinned {} in {}", lines.join(", "), runtime::LOCK);
            self.session
                .sink
                .emit(crate::model::event::Event::Note { text });
        }
        let said = failures.into_iter().map(|(name, failure)| {
            let said = match failure.kind {
                FailureKind::Unreachable => "its publisher cannot be reached from here".to_owned(),
                _ => failure.message(),
            };
            (name, said)
        });
        Ok(said.collect())
    }
}
