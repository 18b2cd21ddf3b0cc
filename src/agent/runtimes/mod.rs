//! Pinned runtimes on this host: `<root>/runtimes/node-20.11.1-<digest>/`, unpacked from the very
//! archive that the build used, received once and kept while a kept release runs on it.
//!
//! ```text
//! runtimes/
//!   node-20.11.1-0123456789ab/   complete and on the disk: it got its name by a rename
//!   .partial-<sha256>            an archive on its way, or what an interrupted transfer left
//!   .new-<unique>/               being unpacked
//!   .gone-<unique>               a folder or an archive, not needed any more; the tidying removes it
//! ```

mod environment;
mod findings;
mod incoming;
mod install;
mod installed;
mod needs;
mod programs;
mod receive;
mod sweep;

use std::path::PathBuf;

use super::Layout;
use crate::model::runtime::{RuntimeArchive, RuntimeSource};
use crate::model::{Failure, HostRuntime};

#[cfg(test)]
pub(in crate::agent) use environment::tests::runtime as example;
pub use environment::{DEFAULT_PATH, RuntimeEnvironment};
pub use findings::findings;
pub use incoming::Incoming;
pub use programs::programs;
pub use sweep::{remove_gone, sweep};

/// Archives on their way.
const PARTIAL: &str = ".partial-";

/// Folders that are being unpacked.
const NEW: &str = ".new-";

/// What the tidying removes.
const GONE: &str = ".gone-";

/// Where `runtime` is unpacked, or will be; `None` when the host brings it.
#[must_use]
pub fn folder(layout: &Layout, runtime: &HostRuntime) -> Option<PathBuf> {
    Some(layout.runtimes().join(runtime.folder()?))
}

/// Whether it is unpacked here, with what the launchers ask for; one that the host brings is not
/// asked for.
fn is_here(layout: &Layout, runtime: &HostRuntime) -> bool {
    let environment = RuntimeEnvironment::of(layout, std::slice::from_ref(runtime));
    folder(layout, runtime).is_none_or(|folder| folder.is_dir()) && environment.present().is_ok()
}

fn archive(runtime: &HostRuntime) -> Option<&RuntimeArchive> {
    match &runtime.source {
        RuntimeSource::Archive(archive) => Some(archive),
        RuntimeSource::Host => None,
    }
}

/// `node 20.11.1`.
fn title(runtime: &HostRuntime) -> String {
    format!("{} {}", runtime.name, runtime.version)
}

/// What stands in the way of a runtime on this host.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Problem {
    /// One lower-case sentence that names the runtime.
    text: String,
    /// What to do.
    hint: String,
}

/// A refusal with all of `problems`; nothing when there are none.
fn refuse(problems: Vec<Problem>) -> Result<(), Failure> {
    let mut problems = problems.into_iter();
    let Some(first) = problems.next() else {
        return Ok(());
    };
    let others = problems.map(|problem| format!("{} ({})", problem.text, problem.hint));
    Err(Failure::refused(first.text)
        .details(others)
        .hint(first.hint))
}
