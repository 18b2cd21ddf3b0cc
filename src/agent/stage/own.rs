//! What makes a tree a release: links to shared folders, and `.ship` with metadata, environment and
//! launchers.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::room::refused;
use crate::agent::host::Host;
use crate::agent::launcher::launcher;
use crate::agent::runtimes::RuntimeEnvironment;
use crate::agent::service::env_file;
use crate::agent::setup::{Entry, entries};
use crate::agent::{disk, releases};
use crate::artifact::{Staging, TreePath};
use crate::model::service::Run;
use crate::model::{Failure, ReleaseId, Secret, ServiceManagerKind};
use crate::wire::Publish;

/// Makes each shared path of the release a relative link to its place in `shared/`.
pub(super) fn link_shared(
    host: &Host,
    staging: &mut Staging,
    shared: &[String],
) -> Result<(), Failure> {
    for entry in shared {
        let relative = entry.trim_end_matches('/');
        let place = host.layout.shared().join(relative);
        if !place.exists() {
            if host.deployment.manager == ServiceManagerKind::Systemd {
                return Err(
                    Failure::refused(format!("{} is not there", place.display()))
                        .hint(format!("ship setup {}", host.deployment.environment)),
                );
            }
            make_shared(&host.layout.shared(), entry)?;
        }
        let path =
            TreePath::try_from(relative).map_err(|error| Failure::unexpected(error.to_string()))?;
        // releases/vN/a/b → ../../../shared/a/b
        let mut target = PathBuf::new();
        (0..=path.components().count()).for_each(|_| target.push(".."));
        target.push("shared");
        target.push(relative);
        staging.link(&path, &target).map_err(refused)?;
    }
    Ok(())
}

/// Makes a shared entry, a folder or an empty file, with the folders above it.
fn make_shared(shared: &Path, entry: &str) -> Result<(), Failure> {
    for entry in entries(&[entry.to_owned()]) {
        let place = shared.join(entry.path());
        let made = match &entry {
            _ if place.exists() => Ok(()),
            Entry::Folder(_) => fs::create_dir(&place),
            Entry::File(_) => fs::File::create_new(&place).map(|_| ()),
        };
        made.map_err(|error| disk::named(error, &place))?;
    }
    Ok(())
}

/// Writes `.ship/` of the release: metadata, environment, launchers.
pub(in crate::agent) fn write_own_files(
    host: &Host,
    staging: &Path,
    publish: &Publish,
) -> Result<(), Failure> {
    let release = &publish.release;
    let own = staging.join(".ship");
    let run = own.join("run");
    fs::create_dir_all(&run).map_err(|error| disk::named(error, &run))?;
    let metadata = serde_json::to_vec_pretty(release)
        .map_err(|error| Failure::unexpected(format!("release.json: {error}")))?;
    write_new(&own.join("release.json"), &metadata, 0o444)?;
    write_new(
        &own.join("identity"),
        publish.identity.to_string().as_bytes(),
        0o600,
    )?;
    write_new(&own.join("env"), env_text(&publish.env)?.as_bytes(), 0o600)?;
    let final_dir = host.layout.release(release.id);
    let runtimes = RuntimeEnvironment::of(&host.layout, &release.runtimes);
    let runtimes = runtimes.without(publish.env.keys());
    for service in &release.services {
        let text = launcher(service, release.id, &final_dir, &runtimes);
        write_new(&run.join(service.name.as_str()), text.as_bytes(), 0o555)?;
    }
    if release
        .services
        .iter()
        .any(|s| matches!(s.run, Run::Static(_)))
    {
        bring_self(&own.join("ship"))?;
    }
    for folder in [&run, &own] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

/// What [`write_own_files`] wrote into the tree at `staging`: files, and the folders that hold them.
pub(in crate::agent) fn own_files(staging: &Path) -> io::Result<Vec<PathBuf>> {
    let own = staging.join(".ship");
    let run = own.join("run");
    let mut files = Vec::new();
    for folder in [own, run] {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                files.push(entry.path());
            }
        }
        files.push(folder);
    }
    Ok(files)
}

/// What is written outside of the tree of release `id`, and the folders that hold it.
pub(super) fn records(host: &Host, id: ReleaseId) -> Vec<PathBuf> {
    let layout = &host.layout;
    vec![
        releases::index_path(layout, id),
        layout.state_file("indexes"),
        layout.state_file("states").join(id.to_string()),
        layout.state_file("states"),
        layout.state_file("sequence"),
        layout.state(),
    ]
}

/// This program, in the release: a static site is served by the build that deployed it.
fn bring_self(target: &Path) -> Result<(), Failure> {
    let exe = std::env::current_exe()?;
    if fs::hard_link(&exe, target).is_err() {
        fs::copy(&exe, target).map_err(|error| disk::named(error, target))?;
        fs::set_permissions(target, fs::Permissions::from_mode(0o555))?;
    }
    Ok(())
}

fn env_text(env: &BTreeMap<String, Secret>) -> Result<String, Failure> {
    env_file::write(
        env.iter()
            .map(|(key, value)| (key.as_str(), value.reveal())),
    )
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Failure> {
    use std::io::Write;
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            // The umask took bits from the mode of open(2).
            file.set_permissions(fs::Permissions::from_mode(mode))
        });
    written.map_err(|error| disk::named(error, path).into())
}
