//! The launchers of an unpacked archive: small scripts that start what is in it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path};

use super::error::TreeError;
use crate::model::runtime::RuntimeArchive;

/// Writes the launchers of `archive` into the folder `root`, where it is unpacked.
///
/// # Errors
/// A launcher whose path leads out of `root`, and what the file system says.
pub fn write_launchers(root: &Path, archive: &RuntimeArchive) -> Result<(), TreeError> {
    for (below, text) in &archive.launchers {
        let mut parts = Path::new(below).components();
        let path = root.join(below);
        if !parts.all(|part| matches!(part, Component::Normal(_))) {
            return Err(TreeError::says(
                "write",
                &path,
                "it is not below the archive",
            ));
        }
        let failed = |error| TreeError::io("write", &path, error);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
            let folder_mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(folder, folder_mode).map_err(failed)?;
        }
        fs::write(&path, text).map_err(failed)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).map_err(failed)?;
    }
    Ok(())
}
