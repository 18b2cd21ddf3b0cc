//! Files that keep the whole output of steps.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::model::event::Phase;

/// What `.ship/.gitignore` says: nothing in here belongs to the project but the pinned host keys.
const GITIGNORE: &str = "# What ship keeps for itself; the pinned keys of hosts are the project's.\n\
                         *\n!known_hosts\n";

/// The folder `.ship` of the project at `project`, made when it is missing, together with its
/// `.gitignore`.
///
/// # Errors
/// What the system refuses.
pub fn state_folder(project: &Path) -> io::Result<PathBuf> {
    let folder = project.join(".ship");
    fs::create_dir_all(&folder)?;
    match File::create_new(folder.join(".gitignore")) {
        Ok(mut file) => file.write_all(GITIGNORE.as_bytes())?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    Ok(folder)
}

/// Removes the logs of earlier runs of `phase`.
///
/// # Errors
/// What the system refuses.
pub(super) fn clear(project: &Path, phase: Phase) -> io::Result<()> {
    let folder = state_folder(project)?.join("logs");
    fs::create_dir_all(&folder)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_ours = name
            .strip_prefix(phase.as_str())
            .and_then(|rest| rest.strip_prefix('-'))
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if is_ours && name.ends_with(".log") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// The log of one step.
#[derive(Debug)]
pub(super) struct StepLog {
    /// Relative to the project: `.ship/logs/build-1-npm-ci.log`.
    pub(super) name: String,
    file: io::BufWriter<File>,
}

impl StepLog {
    /// Creates the log of step `number` (from 1) and puts its command on top.
    ///
    /// # Errors
    /// What the system refuses.
    pub(super) fn create(
        project: &Path,
        phase: Phase,
        number: usize,
        step: &str,
        command: &str,
    ) -> io::Result<Self> {
        let name = format!(".ship/logs/{}-{number}-{}.log", phase.as_str(), slug(step));
        let mut file = io::BufWriter::new(private(&project.join(&name))?);
        writeln!(file, "$ {command}")?;
        Ok(Self { name, file })
    }

    /// Adds output.
    ///
    /// # Errors
    /// What the system refuses.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Brings everything into the file.
    ///
    /// # Errors
    /// What the system refuses.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A new file that only this user may read: a step may say more than everybody should know.
fn private(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path),
    }
}

/// `npm run build` as part of a file's name: `npm-run-build`; at most 40 bytes, never empty.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        if slug.len() == 40 {
            break;
        }
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "step" } else { slug }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn a_slug_is_a_plain_file_name() {
        assert_eq!(slug("npm run build"), "npm-run-build");
        assert_eq!(slug("../../etc/passwd"), "etc-passwd");
        assert_eq!(slug("\u{fc} !"), "step");
        assert_eq!(slug(&"abc ".repeat(40)).len(), 39, "cut after a dash");
    }
}
