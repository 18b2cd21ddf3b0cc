//! What a recovery at boot needs, which nobody calls: an agent at a place that does not change, and
//! word of which app this is.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::host::Host;
use super::service::Scope;
use super::{careful, disk};

/// Keeps both as this transaction's are. Where they are already, that costs two looks. Call it
/// under the lock.
///
/// # Errors
/// When one cannot be written: then a power cut is repaired by the next contact.
pub fn keep(host: &Host) -> io::Result<()> {
    let path = host.layout.deployment();
    let text = serde_json::to_vec(&host.deployment)?;
    if careful::read(&path, careful::METADATA).ok().as_ref() != Some(&text) {
        disk::write_atomic(&path, &text, 0o600)?;
    }
    // Without units, nothing starts it.
    match Scope::of(host.deployment.manager) {
        Some(_) => keep_agent(&std::env::current_exe()?, &host.layout.recovery_agent()),
        None => Ok(()),
    }
}

/// Gives `program` a second name, or copies it where that is on another file system. (It may be in
/// a cache folder, which is cleaned now and then.)
fn keep_agent(program: &Path, at: &Path) -> io::Result<()> {
    let new = fs::metadata(program)?;
    let is_same = |old: &fs::Metadata| {
        (old.dev(), old.ino()) == (new.dev(), new.ino())
            || (old.len(), old.mtime(), old.mtime_nsec())
                == (new.len(), new.mtime(), new.mtime_nsec())
    };
    if fs::metadata(at).is_ok_and(|old| is_same(&old)) {
        return Ok(());
    }
    let folder = at
        .parent()
        .ok_or_else(|| io::Error::other("no parent folder"))?;
    let temporary = folder.join(format!(".recovery.{}", disk::unique()));
    let made = fs::hard_link(program, &temporary)
        .or_else(|_| copy(program, &new, &temporary))
        .and_then(|()| File::open(&temporary)?.sync_all())
        .and_then(|()| fs::rename(&temporary, at));
    if made.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    made.map_err(|error| disk::named(error, at))?;
    disk::sync_folder(folder)
}

/// A copy that is recognised by its time.
fn copy(program: &Path, found: &fs::Metadata, to: &Path) -> io::Result<()> {
    fs::copy(program, to)?;
    File::options()
        .write(true)
        .open(to)?
        .set_modified(found.modified()?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn an_agent_is_linked_or_copied_once() {
        let folder = tempfile::tempdir().unwrap();
        let [program, at] = ["ship-abc", "recovery"].map(|name| folder.path().join(name));
        let write = |text: &str| {
            fs::remove_file(&program).ok();
            fs::write(&program, text).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        };
        let inode = || fs::metadata(&at).unwrap().ino();
        write("one");
        keep_agent(&program, &at).unwrap();
        assert_eq!(inode(), fs::metadata(&program).unwrap().ino());
        fs::remove_file(&at).unwrap();
        copy(&program, &fs::metadata(&program).unwrap(), &at).unwrap();
        let copied = inode();
        keep_agent(&program, &at).unwrap();
        assert_eq!(inode(), copied, "the copy is as good");
        write("another");
        keep_agent(&program, &at).unwrap();
        assert_eq!(fs::read_to_string(&at).unwrap(), "another");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
