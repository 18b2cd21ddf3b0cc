//! What the app writes and what must survive a release: uploads, SQLite databases, and folders that
//! the app makes.

use std::collections::BTreeMap;

use super::app_config;
use super::by_hand;
use super::database;
use super::files::{self, ignored};
use super::folder::{Folder, Source};
use super::guess::{Guess, Include};
use super::keep_files;
use super::made::{self, Made};
use super::outside;
use super::place::{self, Place};
use super::reason::{About, Reason};
use super::text::spans;
use super::variables;

/// Folders that hold what people upload, by custom. `data` may just as well be read-only: only when
/// git leaves it out.
const FOLDERS: &[&str] = &[
    "uploads",
    "public/uploads",
    "static/uploads",
    "media",
    "data",
];

/// Last words of names of folders that hold data.
const DATA: &[&str] = &[
    "attachments",
    "avatars",
    "backups",
    "data",
    "databases",
    "db",
    "files",
    "media",
    "storage",
    "store",
    "upload",
    "uploads",
    "var",
];

/// How many names of databases are looked at, and of each folder.
const MAX_TEXTS: usize = 60;

/// What the sources and the configuration keep.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Paths in the app's folder, with the reason.
    pub shared: Vec<(String, Reason)>,
    /// What it seems to keep in a folder that cannot be told: its name, and the source.
    unknown: Vec<(String, String)>,
    /// Files that it writes where the project's own files lie, each with the source.
    written: Vec<(String, String)>,
    /// The sources that write files under names that they make up, where the project's own lie.
    made_up: Vec<String>,
    /// Folders of the project's own that it writes more files into, each with the source.
    filled: Vec<(String, String)>,
    /// Databases in the app's folder.
    pub databases: Vec<String>,
    /// Variables that lead the app into its own folder.
    pub env: BTreeMap<String, String>,
    has_database: bool,
}

impl Kept {
    /// Looks for it in `sources`, for an app that `guess` starts. A command that somebody runs by
    /// hand names a copy of a database, unless no other source names one.
    pub fn find(folder: &Folder, sources: &[&Source], guess: &Guess) -> Self {
        let mut kept = Self::default();
        let (at_run, by_hand): (Vec<&Source>, Vec<&Source>) = sources
            .iter()
            .partition(|source| variables::runs(source, guess));
        kept.folders(folder, &at_run);
        kept.left_out(folder, &at_run);
        for (path, file) in keep_files::find(folder) {
            let says = format!("leaves out what is in {path}: it survives releases");
            kept.share(path, &file, says);
        }
        if matches!(guess.include, Include::Built(_)) {
            kept.empty(folder, &at_run);
        }
        for sources in [&at_run, &by_hand] {
            if !kept.has_database {
                kept.all_databases(folder, sources, guess.database_urls_in);
            }
        }
        kept.by_default(folder, &at_run);
        kept.made(folder, &at_run, guess);
        if folder.home().is_none() {
            kept.outside(folder, &at_run);
        }
        kept
    }

    fn all_databases(&mut self, folder: &Folder, sources: &[&Source], urls_in: Option<&str>) {
        let mut budget = MAX_TEXTS;
        let configs = app_config::sources(folder);
        for source in sources.iter().copied().chain(&configs) {
            for named in database::in_source(source, sources, urls_in, &mut budget) {
                self.database(folder, source, named);
            }
        }
    }

    /// Looks for folders that the app makes, and the build does not; and for files that it writes.
    fn made(&mut self, folder: &Folder, sources: &[&Source], guess: &Guess) {
        let released = guess.released();
        for source in sources {
            if made::makes_up_names(source) && !by_hand::is_alone(source, sources, guess) {
                self.made_up.push(source.path.clone());
            }
            for dir in made::folders_filled(source) {
                if is_its_own(folder, &dir) && !released.contains(&dir) {
                    let says = format!("fills {dir}: it survives releases");
                    self.share(dir, &source.path, says);
                } else if folder.is_dir(&dir) && !by_hand::is_alone(source, sources, guess) {
                    self.filled.push((dir, source.path.clone()));
                }
            }
            for made in made::in_source(source, sources) {
                let is_data = made.is_data();
                let Made {
                    folder: path, file, ..
                } = made;
                let lies_in = |have: &String| {
                    let path = file.as_ref().unwrap_or(&path);
                    let rest = path.strip_prefix(have.as_str());
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                };
                if self.shared.iter().any(|(path, _)| lies_in(path)) {
                    continue;
                }
                let is_own = !path.is_empty() && is_its_own(folder, &path);
                match file {
                    _ if is_own && !released.iter().any(lies_in) => {
                        let says = match &file {
                            Some(file) => format!("writes {file}: it survives releases"),
                            None => format!("makes {path}: it survives releases"),
                        };
                        self.share(path, &source.path, says);
                    }
                    Some(file) if !is_own && !by_hand::is_alone(source, sources, guess) => {
                        match is_data && !released.contains(&file) {
                            true => {
                                let says = format!("writes {file}: it survives releases");
                                self.share(file, &source.path, says);
                            }
                            false => self.written.push((file, source.path.clone())),
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// Looks for folders that the app's configuration names, or that variables have by default.
    fn by_default(&mut self, folder: &Folder, sources: &[&Source]) {
        for (dir, file) in app_config::folders(folder) {
            if !folder.is_dir(&dir) || is_its_own(folder, &dir) {
                let says = format!("keeps data in {dir}: it survives releases");
                self.share(dir, &file, says);
            }
        }
        for source in sources {
            for (variable, dir) in outside::folders_inside(source) {
                if !folder.is_dir(&dir) || is_its_own(folder, &dir) {
                    let says = format!("keeps data in {dir} unless {variable} says otherwise");
                    self.share(dir, &source.path, says);
                }
            }
        }
    }

    /// Leads the app into its own folder, where its defaults lead out of it.
    fn outside(&mut self, folder: &Folder, sources: &[&Source]) {
        for source in sources {
            for volume in outside::in_source(source) {
                let dir = volume.folder().to_owned();
                let is_free = !folder.is_dir(&dir) || is_its_own(folder, &dir);
                if !is_free || self.env.contains_key(&volume.variable) {
                    continue;
                }
                let says = format!(
                    "keeps data in {}: {} leads to {dir}, which survives releases",
                    volume.path, volume.variable
                );
                self.env.insert(volume.variable.clone(), volume.value());
                self.share(dir, &source.path, says);
            }
        }
    }

    /// What a person has to look after, one sentence each.
    pub fn notes(&self) -> impl Iterator<Item = String> {
        let written = self.written.first().map(|(file, source)| {
            format!(
                "{source} writes {file}, and a release is read-only: let it write into a folder \
                 that holds nothing else, and name that in `shared`"
            )
        });
        let made_up = self.made_up.first().map(|source| {
            format!(
                "{source} writes files into the app's own folder, which is read-only, under names that \
                 it makes up: let it write them into a folder, and name that in `shared`"
            )
        });
        let filled = self.filled.first().map(|(dir, source)| {
            format!(
                "{source} writes files into {dir}, where the project's own lie, and a release is \
                 read-only: let it write into a folder of its own, and name that in `shared`"
            )
        });
        let all = [written, made_up, filled].into_iter().flatten();
        all.chain(self.unknown())
    }

    fn unknown(&self) -> Option<String> {
        let is_known = |name: &str| {
            let file = name.rsplit('/').next().unwrap_or(name);
            let mut says = self.shared.iter().map(|(_, reason)| &reason.says);
            says.any(|says| says.contains(file))
        };
        let unknown = self.unknown.iter().filter(|(name, _)| !is_known(name));
        let list: Vec<String> = unknown
            .take(3)
            .map(|(name, source)| format!("{name} ({source})"))
            .collect();
        (!list.is_empty()).then(|| {
            format!(
                "the app seems to keep {}, in a folder that init cannot tell: if it is in the \
                 app's own folder, which is read-only, name it in `shared`",
                list.join(", ")
            )
        })
    }

    fn folders(&mut self, folder: &Folder, sources: &[&Source]) {
        let is_ignored = ignored(folder).contains("data");
        let wanted = FOLDERS.iter().filter(|dir| **dir != "data" || is_ignored);
        for dir in wanted {
            let named = sources.iter().find_map(|source| {
                let place = folder_in(source, sources, dir)?;
                Some((source, place))
            });
            match named {
                Some((source, Place::Inside(path))) => {
                    let says = format!("names {path}: it survives releases");
                    self.share(path, &source.path, says);
                }
                Some((source, Place::Unknown)) if *dir != "media" => {
                    self.unknown.push(((*dir).to_owned(), source.path.clone()));
                }
                None if dir.ends_with("uploads") && folder.is_dir(dir) => {
                    let says = "is there: it survives releases".to_owned();
                    self.share((*dir).to_owned(), &format!("{dir}/"), says);
                }
                _ => {}
            }
        }
    }

    /// Folders that git leaves out by their name, that are called as data is, and that a source names.
    fn left_out(&mut self, folder: &Folder, sources: &[&Source]) {
        let is_data = |name: &&String| {
            let mut words = name.rsplit(['-', '_', '/', '.']);
            words.next().is_some_and(|word| DATA.contains(&word))
                && !name.starts_with("test")
                && !FOLDERS.contains(&name.as_str())
        };
        let ignored = ignored(folder);
        for name in ignored.iter().filter(is_data) {
            let named = sources.iter().find_map(|source| {
                let place = folder_in(source, sources, name)?;
                Some((source, place))
            });
            // Whatever the folder above it is called in the code: git says where it is.
            let (source, path) = match named {
                Some((source, Place::Inside(path))) => (source, path),
                Some((source, Place::Unknown)) => (source, name.clone()),
                _ => continue,
            };
            let says = format!("names {path}, which git leaves out: it survives releases");
            self.share(path, &source.path, says);
        }
    }

    /// Folders that a program names and that hold nothing here: it fills them.
    fn empty(&mut self, folder: &Folder, sources: &[&Source]) {
        for (path, file) in files::named_in_sources(folder, sources) {
            let names = folder.names_in(&path);
            if folder.is_dir(&path) && names.iter().all(|name| name.starts_with('.')) {
                let says = format!("names {path}, which is empty here: it survives releases");
                self.share(path, &file, says);
            }
        }
    }

    fn database(&mut self, folder: &Folder, source: &Source, named: database::Named) {
        self.has_database = true;
        let Place::Inside(file) = named.place else {
            self.unknown.push((named.name, source.path.clone()));
            return;
        };
        self.databases.push(file.clone());
        let dir = file.rsplit_once('/').map(|(dir, _)| dir);
        let path = match dir {
            // Its journal lies beside it, so a folder of its own is shared as a whole.
            Some(dir) if is_its_own(folder, dir) => dir,
            // It came with the sources beside it: a template, or a list that is only read.
            Some(_) if folder.is_file(&file) => {
                self.unknown.push((file, source.path.clone()));
                return;
            }
            _ => &file,
        };
        let says = format!("names a database, {file}: it survives releases");
        self.share(path.to_owned(), &source.path, says);
    }

    fn share(&mut self, path: String, subject: &str, says: String) {
        if !self.shared.iter().any(|(have, _)| *have == path) {
            let reason = Reason::new(About::Shared, subject, says);
            self.shared.push((path, reason));
        }
    }
}

/// Whether a folder holds nothing of the project but databases.
fn is_its_own(folder: &Folder, dir: &str) -> bool {
    let names = folder.names_in(dir);
    let mut names = names.iter();
    let top = dir.split('/').next().unwrap_or(dir);
    names.all(|name| name.starts_with('.') || database::seems(name))
        || ignored(folder).contains(dir)
        || ignored(folder).contains(top)
}

/// Where the folder is that `source` names `dir`; the first place that is known.
fn folder_in(source: &Source, sources: &[&Source], dir: &str) -> Option<Place> {
    let code: String = source.lines().flat_map(|line| [line, "\n"]).collect();
    let mut begin = 0;
    let mut places = Vec::new();
    for line in code.split_inclusive('\n') {
        for (at, text) in spans(line) {
            let own = text.strip_prefix("./").unwrap_or(text);
            let is_it = own.trim_end_matches('/') == dir && places.len() < MAX_TEXTS;
            if is_it && place::is_path(&code, begin + at, text, source) {
                places.push(place::of(&code, begin + at, dir, source, sources));
            }
        }
        begin += line.len();
    }
    let known = places
        .iter()
        .position(|place| matches!(place, Place::Inside(_)));
    (!places.is_empty()).then(|| places.swap_remove(known.unwrap_or(0)))
}
