//! A verified archive becomes a runtime: unpacked beside, started once, brought to the disk, renamed
//! to its place.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{GONE, NEW, archive, folder, is_here, title};
use crate::agent::{Layout, disk};
use crate::artifact::archive::{Limits, unpack};
use crate::artifact::{remove_tree, starts, sync_all, write_launchers};
use crate::model::{Failure, HostRuntime};

/// Unpacks the archive at `from`, which is gone then, whatever comes of it.
///
/// # Errors
/// `Refused` when what is in it is not accepted, or does not start here; what the file system says.
/// Nothing half-unpacked is at the runtime's place, ever.
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
    let unpacked = unpacked.and_then(|()| write_launchers(temporary, archive));
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
    if is_here(layout, runtime) {
        return Ok(remove_tree(temporary)?);
    }
    // What is there is not whole any more: somebody removed a part of it.
    let gone = layout.runtimes().join(format!("{GONE}{}", disk::unique()));
    let _ = fs::rename(&place, gone);
    fs::rename(temporary, &place).map_err(|error| disk::named(error, &place))?;
    disk::sync_folder(&layout.runtimes())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::super::example;
    use super::*;

    #[test]
    fn what_somebody_removed_a_part_of_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path());
        let node = example("node", "20.11.1", None);
        let program = layout.runtimes().join(node.folder().unwrap());
        let program = program.join("bin/node");
        fs::create_dir(layout.runtimes()).unwrap();
        let brought = || {
            let archive = layout.runtimes().join(".partial-ab");
            let file = fs::File::create(&archive).unwrap();
            let mut tar = tar::Builder::new(GzEncoder::new(file, Compression::fast()));
            let text = b"#!/bin/sh\necho v20.11.1\n";
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o755);
            header.set_size(text.len() as u64);
            tar.append_data(&mut header, "node-v20.11.1/bin/node", &text[..])
                .unwrap();
            tar.into_inner().unwrap().finish().unwrap();
            archive
        };
        install(&layout, &node, &brought()).unwrap();
        assert!(is_here(&layout, &node) && program.is_file());
        fs::remove_dir_all(program.parent().unwrap()).unwrap();
        assert!(!is_here(&layout, &node));
        install(&layout, &node, &brought()).unwrap();
        assert!(is_here(&layout, &node) && program.is_file());
        // One that is there is left as it is.
        let before = fs::metadata(&program).unwrap().modified().unwrap();
        install(&layout, &node, &brought()).unwrap();
        assert_eq!(fs::metadata(&program).unwrap().modified().unwrap(), before);
        super::super::remove_gone(&layout);
        assert_eq!(fs::read_dir(layout.runtimes()).unwrap().count(), 1);
    }
}
