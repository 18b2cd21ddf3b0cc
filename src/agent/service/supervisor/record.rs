//! What a supervisor leaves behind for the next one: which services should run, and as which
//! processes they do.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::agent::careful;
use crate::model::Instance;

/// `<root>/.ship/supervisor.json`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Record {
    /// The services that should run, or still do.
    pub services: BTreeMap<Instance, Entry>,
}

/// One service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Entry {
    /// Whether it should run.
    pub wanted: bool,
    /// Its process, while it has one.
    pub process: Option<Process>,
}

/// The main process of a service; it leads a process group of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its process id, and that of its group.
    pub pid: u32,
    /// When it was born: with the id, it names one process for good.
    pub born: String,
    /// Its `$INVOCATION_ID`.
    pub invocation: String,
    /// How long it may take to stop, ms.
    pub stop_timeout_ms: u64,
}

impl Record {
    /// Reads the record; an absent or unreadable one is empty.
    #[must_use]
    pub fn load(path: &Path) -> Self {
        careful::json(path, careful::METADATA).unwrap_or_default()
    }

    /// Publishes the record atomically.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.as_file().sync_data()?;
        file.persist(path)?;
        Ok(())
    }

    /// Changes what is known of a service; nothing is kept of one that neither runs nor should.
    pub fn update(&mut self, instance: &Instance, change: impl FnOnce(&mut Entry)) {
        let mut entry = self.services.remove(instance).unwrap_or_default();
        change(&mut entry);
        if entry != Entry::default() {
            self.services.insert(instance.clone(), entry);
        }
    }
}
