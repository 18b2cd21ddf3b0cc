//! A verified archive becomes a runtime: unpacked beside, started once, brought to the disk, renamed
//! to its place.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{NEW, archive, folder, title};
use crate::agent::{Layout, disk};
use crate::artifact::archive::{Limits, unpack};
use crate::artifact::{remove_tree, starts, sync_all};
use crate::model::{Failure, HostRuntime};

/// Unpacks the archive at `from`, which is gone then, whatever comes of it.
///
/// # Errors
/// `Refused` when what is in it is not accepted, or does not start here; what the file system says. Nothing half-unpacked
/// is at the runtime's place, ever.
pub(super) fn install(layout: &Layout, runtime: &HostRuntime, from: &Path) -> Result<(), Failure> {
    let temporary = layout.runtimes().join(format!("{NEW}{}", disk::unique()));
    let installed = install_through(layout, runtime, from, &temporary);
    if installed.is_err() {
        let _ = remove_tree(&temporary);
    }
    let _ = fs::remove_file(from);
    installed
}

fn install_through(
    layout: &Layout,
    runtime: &HostRuntime,
    from: &Path,
    temporary: &Path,
) -> Result<(), Failure> {
    let (Some(place), Some(archive)) = (folder(layout, runtime), archive(runtime)) else {
        return Ok(());
    };
    let unpacked = unpack(
        from,
        archive.format,
        archive.strip,
        temporary,
        Limits::default(),
    );
    unpacked.map_err(|error| match error.io_kind() {
        Some(_) => Failure::from(error),
        None => Failure::refused(format!(
            "the archive of {} cannot be unpacked: {error}",
            title(runtime)
        ))
        .hint("ship.lock may name an archive that is not the publisher's: ship pin --upgrade"),
    })?;
    starts(&title(runtime), &runtime.name, archive, temporary)?;
    // The service's user goes through it, whatever the umask of this process is.
    fs::set_permissions(temporary, fs::Permissions::from_mode(0o755))
        .map_err(|error| disk::named(error, temporary))?;
    sync_all(temporary)?;
    match fs::rename(temporary, &place) {
        // It is there already, whole: it got its name in the same way.
        Err(_) if place.is_dir() => remove_tree(temporary)?,
        renamed => renamed.map_err(|error| disk::named(error, &place))?,
    }
    disk::sync_folder(&layout.runtimes())?;
    Ok(())
}
