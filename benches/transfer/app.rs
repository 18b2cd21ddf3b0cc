//! The projects that are deployed.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use crate::lab::Lab;
use crate::{native, node};

/// Two changes are further apart than this.
const SECOND: Duration = Duration::from_millis(1050);

/// Which project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A Node app of a few files.
    Small,
    /// The same with a real `node_modules`.
    Modules,
    /// One large executable.
    Binary,
    /// The small app with this many small files beside it.
    Files(usize),
    /// The small app with 300 MB of data.
    Heavy,
}

/// What is different in the next release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A line of the source; in an executable, one that shifts every address.
    Line,
    /// A few bytes in their place.
    Bytes,
}

/// A project folder, in a git repository, with the version in one of its files.
pub struct App {
    /// Of the app on the hosts.
    pub name: &'static str,
    /// For a person.
    pub title: String,
    /// The project's folder.
    pub folder: PathBuf,
    /// What is released: paths in the folder.
    pub files: &'static [&'static str],
    /// What runs, in the release's folder.
    pub command: &'static str,
    /// The file that changes.
    pub changed: PathBuf,
    /// Contenders listen on this port and the next ones.
    pub port: u16,
    source: Box<dyn Source>,
    number: Cell<u32>,
    written: Cell<Instant>,
}

/// What writes the file that changes.
pub trait Source {
    /// Writes the next version: its text, and what else is different.
    ///
    /// # Errors
    /// What the compiler says.
    fn write(&self, version: &str, change: Change) -> Result<(), String>;
}

/// What a kind of app fills in.
pub struct Recipe {
    pub name: &'static str,
    pub files: &'static [&'static str],
    pub command: &'static str,
    pub changed: &'static str,
    pub port: u16,
    pub source: Box<dyn Source>,
}

impl App {
    fn make(kind: Kind, lab: &Lab) -> Result<Self, String> {
        let folder = lab.folder(&format!("{kind:?}").replace(['(', ')'], "-"));
        let recipe = match kind {
            Kind::Small => node::small(&folder),
            Kind::Modules => node::modules(&folder),
            Kind::Files(count) => node::with_files(&folder, count),
            Kind::Heavy => node::heavy(&folder),
            Kind::Binary => native::binary(&folder),
        }?;
        recipe.source.write(&version(1), Change::Line)?;
        let (files, bytes) = size(&folder, recipe.files);
        let app = Self {
            name: recipe.name,
            title: title(files, bytes),
            changed: folder.join(recipe.changed),
            files: recipe.files,
            command: recipe.command,
            port: recipe.port,
            source: recipe.source,
            number: Cell::new(1),
            written: Cell::new(Instant::now()),
            folder,
        };
        fs::write(
            app.folder.join(".gitignore"),
            "node_modules/\nbin/\ndata/\nship.toml\n",
        )
        .map_err(|error| error.to_string())?;
        app.git(lab, &["init", "-q"])?;
        app.git(lab, &["add", "-A"])?;
        app.git(lab, &["commit", "-q", "-m", "the app"])?;
        Ok(app)
    }

    /// What `/` answers once the project as it is now serves.
    pub fn version(&self) -> String {
        version(self.number.get())
    }

    /// Makes the next version, and commits it as a person would.
    ///
    /// # Errors
    /// What git or the compiler says.
    pub fn change(&self, change: Change, lab: &Lab) -> Result<(), String> {
        // To rsync, a file of the same size and the same second is the same file.
        thread::sleep(SECOND.saturating_sub(self.written.get().elapsed()));
        self.number.set(self.number.get() + 1);
        self.source.write(&self.version(), change)?;
        self.written.set(Instant::now());
        self.git(
            lab,
            &["commit", "-qa", "--allow-empty", "-m", &self.version()],
        )
    }

    fn git(&self, lab: &Lab, args: &[&str]) -> Result<(), String> {
        let mut git = lab.near().command("git");
        finish(git.current_dir(&self.folder).args(args))
    }
}

/// The projects that were made so far.
pub struct Apps<'a> {
    lab: &'a Lab,
    made: BTreeMap<Kind, Rc<App>>,
}

impl<'a> Apps<'a> {
    pub fn new(lab: &'a Lab) -> Self {
        let made = BTreeMap::new();
        Self { lab, made }
    }

    /// The project of this kind; made when it is asked for first.
    ///
    /// # Errors
    /// What could not be made.
    pub fn get(&mut self, kind: Kind) -> Result<Rc<App>, String> {
        if let Some(app) = self.made.get(&kind) {
            return Ok(app.clone());
        }
        let app = Rc::new(App::make(kind, self.lab)?);
        self.made.insert(kind, app.clone());
        Ok(app)
    }
}

/// All of the same length, so that another version is a change in place.
fn version(number: u32) -> String {
    format!("v{number:05}")
}

/// Runs a command; what it said when it fails.
///
/// # Errors
/// Its output.
pub fn finish(command: &mut Command) -> Result<(), String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?} failed: {}\n{said}", output.status))
}

/// Files and bytes below these paths.
fn size(folder: &Path, paths: &[&str]) -> (u64, u64) {
    let mut sum = (0, 0);
    let mut left: Vec<PathBuf> = paths.iter().map(|path| folder.join(path)).collect();
    while let Some(path) = left.pop() {
        let Ok(meta) = fs::symlink_metadata(&path) else {
            continue;
        };
        if meta.is_dir() {
            let entries = fs::read_dir(&path).into_iter().flatten().flatten();
            left.extend(entries.map(|entry| entry.path()));
        } else if meta.is_file() {
            sum = (sum.0 + 1, sum.1 + meta.len());
        }
    }
    sum
}

fn title(files: u64, bytes: u64) -> String {
    let digits = usize::from(bytes < 10_000_000);
    let (files, megabytes) = (grouped(files), bytes as f64 / 1e6);
    match &*files {
        "1" => format!("1 file / {megabytes:.digits$} MB"),
        _ => format!("{files} files / {megabytes:.digits$} MB"),
    }
}

/// A number with a comma between thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
