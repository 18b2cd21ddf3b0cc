//! Fills places in `shared/` that are bare with what the project has for them: as the app's user, whose
//! they are, and never over something.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::as_app;
use super::command::{Program, What, describe};
use super::host::Host;
use super::{Layout, careful, disk};
use crate::model::Failure;
use crate::wire::Seed;

/// The place that is being filled. One that was interrupted goes on with the next deploy.
const UNDER_WAY: &str = "seeding";

/// Those of `places` with nothing in them, or that were being filled when something ended that.
#[must_use]
pub fn bare(layout: &Layout, places: &[String]) -> Vec<String> {
    let interrupted = careful::text(&layout.state_file(UNDER_WAY), careful::SMALL);
    let interrupted = interrupted.unwrap_or_default();
    let is_bare = |place: &&String| {
        let at = layout.shared().join(place);
        **place == interrupted || is_empty(&at).unwrap_or(false)
    };
    places.iter().filter(is_bare).cloned().collect()
}

/// Whether there is nothing at `path`: no file, an empty one, or an empty folder.
fn is_empty(path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
        Ok(found) if found.is_dir() => Ok(fs::read_dir(path)?.next().is_none()),
        Ok(found) => Ok(found.is_file() && found.len() == 0),
    }
}

/// Puts `seed` where it belongs. What is there stays.
///
/// # Errors
/// When the app's user may not write there, or the disk is full.
pub fn bring(host: &Host, seed: &Seed) -> Result<(), Failure> {
    let layout = &host.layout;
    let note = layout.state_file(UNDER_WAY);
    disk::write_atomic(&note, seed.place.as_bytes(), 0o600)
        .map_err(|error| disk::named(error, &note))?;
    let target = layout.shared().join(&seed.path);
    write_as_app(host, seed, &target).map_err(|why| {
        Failure::unexpected(format!("{} could not be filled: {why}", target.display()))
    })?;
    if seed.is_last {
        fs::remove_file(&note).map_err(|error| disk::named(error, &note))?;
    }
    Ok(())
}

fn write_as_app(host: &Host, seed: &Seed, target: &Path) -> Result<(), String> {
    let ship = as_app::program(&host.layout).map_err(|error| error.to_string())?;
    let argv = [
        ship.display().to_string(),
        "agent".to_owned(),
        "seed".to_owned(),
        target.display().to_string(),
        format!("{:o}", seed.mode),
    ];
    let program = Program {
        dir: host.layout.root().to_owned(),
        what: What::Argv(argv.to_vec()),
        env: std::collections::BTreeMap::new(),
        terminal: None,
    };
    let started = host.commands.start(&program).map_err(|why| why.why)?;
    let (mut input, content) = (started.input, seed.content.clone());
    let writing = std::thread::spawn(move || input.write_all(&content));
    let said = std::thread::spawn(move || {
        let mut said = String::new();
        let errors = started.errors.map(|errors| errors.take(4 << 10));
        let _ = errors.map(|mut errors| errors.read_to_string(&mut said));
        said
    });
    drop(started.output);
    let status = started.running.wait().map_err(|error| error.to_string())?;
    let said = said.join().unwrap_or_default();
    // One that found something there does not read.
    let _ = writing.join();
    match (status.success(), said.trim()) {
        (true, _) => Ok(()),
        (false, "") => Err(describe(status)),
        (false, said) => Err(said.trim_start_matches("ship: ").to_owned()),
    }
}

/// Puts the standard input into a file at `path` with the permissions `mode`, octal; the folders above
/// are made. What is there stays, unless it is an empty file.
///
/// # Errors
/// When the file system refuses.
pub fn run(path: &Path, mode: &str) -> io::Result<()> {
    let mode = u32::from_str_radix(mode, 8).map_err(io::Error::other)?;
    put(path, mode, &mut io::stdin().lock())
}

fn put(path: &Path, mode: u32, content: &mut impl Read) -> io::Result<()> {
    if !is_empty(path)? || path.is_dir() {
        return Ok(());
    }
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_owned);
    fs::create_dir_all(&folder).map_err(|error| disk::named(error, &folder))?;
    let mut written = || {
        let mut file = tempfile::NamedTempFile::new_in(&folder)?;
        io::copy(content, &mut file)?;
        // The app goes on writing there.
        let permissions = fs::Permissions::from_mode(mode & 0o777 | 0o200);
        file.as_file().set_permissions(permissions)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        disk::sync_folder(&folder)
    };
    written().map_err(|error: io::Error| disk::named(error, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_bare_until_something_is_there() {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout::at(root.path());
        let places = ["todo.db", "media", "full", "absent"].map(str::to_owned);
        for folder in ["media", "full"] {
            fs::create_dir_all(layout.shared().join(folder)).unwrap();
        }
        fs::create_dir_all(layout.state()).unwrap();
        fs::write(layout.shared().join("todo.db"), "").unwrap();
        fs::write(layout.shared().join("full/a"), "").unwrap();
        assert_eq!(bare(&layout, &places), ["todo.db", "media", "absent"]);
        fs::write(layout.shared().join("todo.db"), "data").unwrap();
        assert_eq!(bare(&layout, &places), ["media", "absent"]);
        // One that was cut short goes on.
        fs::write(layout.state_file(UNDER_WAY), "full").unwrap();
        assert_eq!(bare(&layout, &places), ["media", "full", "absent"]);
    }

    #[test]
    fn what_is_there_stays() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        let put = |name: &str, text: &str| put(&at(name), 0o444, &mut text.as_bytes()).unwrap();
        fs::write(at("empty"), "").unwrap();
        fs::write(at("full"), "mine").unwrap();
        fs::create_dir(at("folder")).unwrap();
        for name in ["empty", "full", "folder", "new/deep"] {
            put(name, "seed");
        }
        let read = |name: &str| fs::read_to_string(at(name)).unwrap();
        assert_eq!(
            [read("empty"), read("full"), read("new/deep")],
            ["seed", "mine", "seed"]
        );
        assert!(at("folder").is_dir());
        let mode = fs::metadata(at("empty")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
    }
}
