//! What takes long to make and does not change: made once, kept below `target/`.

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of this name in the cache; `make` fills it when it is not there yet, under another
/// name, so that a folder under its own name is complete.
///
/// # Errors
/// What `make` says, or why the folders cannot be written.
pub fn folder(
    name: &str,
    make: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    let cache = cache();
    let folder = cache.join(name);
    if folder.is_dir() {
        return Ok(folder);
    }
    let making = cache.join(format!("{name}.making"));
    let _ = fs::remove_dir_all(&making);
    fs::create_dir_all(&making).map_err(|error| format!("{}: {error}", making.display()))?;
    make(&making)?;
    fs::rename(&making, &folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

/// Beside the folders of cargo's profiles: `target/bench-cache`.
fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("the target folder")
        .join("bench-cache")
}
