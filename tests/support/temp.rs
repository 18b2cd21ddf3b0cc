//! Temporary directories that the next test run removes when this one is killed.

use super::owner::Owner;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

const PREFIX: &str = "ship-test.";

/// A directory of its own, mode 0700, removed on drop. The path is short: sockets
/// of an ssh ControlMaster fit below it.
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("{PREFIX}{}.{number}", Owner::me()));
        fs::create_dir(&path).expect("create a temporary directory");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("chmod");
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Removes the directories of processes that are gone.
pub fn sweep() {
    for entry in fs::read_dir(std::env::temp_dir())
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = entry.file_name();
        let owner = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX))
            .and_then(|rest| rest.split('.').next())
            .and_then(|owner| owner.parse::<Owner>().ok());
        if owner.is_some_and(|owner| !owner.lives()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
