//! Where an app keeps its data unless a variable says otherwise. A folder outside its own is made for
//! a container: on a host the app's user may write nowhere there.

use super::database;
use super::folder::Source;
use super::text::spans;

/// How code reads a variable.
const READS: &[&str] = &["env", "Env", "ENV"];

/// The ends of names of variables that say a folder.
const ENDS: &[&str] = &["DIR", "DIRECTORY", "FOLDER", "LOCATION", "PATH", "ROOT"];

/// Where containers have their volumes.
const VOLUMES: &[&str] = &["/app/", "/data", "/srv/", "/storage", "/uploads", "/var/"];

/// Folders below those that hold no data.
const NO_DATA: &[&str] = &["/var/log", "/var/run", "/var/tmp", "/var/www"];

/// A volume of a container: the path that a variable has by default.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Volume {
    pub variable: String,
    /// Absolute.
    pub path: String,
    /// Whether it is the file of a database; else a folder.
    pub is_file: bool,
}

impl Volume {
    /// The folder that stands for it in the app's own folder.
    pub fn folder(&self) -> &str {
        match self.is_file {
            true => "data",
            false => self
                .path
                .trim_end_matches('/')
                .rsplit('/')
                .next()
                .unwrap_or("data"),
        }
    }

    /// The value for the variable.
    pub fn value(&self) -> String {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        match self.is_file {
            true => format!("{}/{name}", self.folder()),
            false => self.folder().to_owned(),
        }
    }
}

/// The variables that `source` reads with such a default.
pub(super) fn in_source(source: &Source) -> Vec<Volume> {
    let lines = source
        .lines()
        .filter(|line| READS.iter().any(|word| line.contains(word)));
    lines.filter_map(on_line).collect()
}

fn on_line(line: &str) -> Option<Volume> {
    spans(line).into_iter().find_map(|(at, path)| {
        let variable = last_variable(&line[..at])?;
        let below = path.strip_prefix('/').filter(|below| !below.is_empty())?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
        let is_file = database::path(below).is_some_and(|found| found == below);
        let is_folder = ENDS.iter().any(|end| variable.ends_with(end))
            && VOLUMES.iter().any(|start| path.starts_with(start))
            && !NO_DATA.iter().any(|start| path.starts_with(start))
            && !path
                .rsplit('/')
                .next()
                .is_some_and(|name| name.contains('.'));
        (path.chars().all(plain) && (is_file || is_folder)).then(|| Volume {
            variable: variable.to_owned(),
            path: path.to_owned(),
            is_file,
        })
    })
}

/// Words in names of variables that say a folder of data.
const DATA: &[&str] = &["DATA", "MEDIA", "STORAGE", "STORE", "UPLOAD", "UPLOADS"];

/// The folders in the app's own that variables which `source` reads have by default, each with its
/// variable.
pub(super) fn folders_inside(source: &Source) -> Vec<(String, String)> {
    let is_read = |line: &&str| READS.iter().any(|word| line.contains(word));
    let lines = source.lines().filter(is_read);
    lines.filter_map(folder_on_line).collect()
}

fn folder_on_line(line: &str) -> Option<(String, String)> {
    spans(line).into_iter().find_map(|(at, path)| {
        let variable = last_variable(&line[..at])?;
        let (before, end) = variable.rsplit_once('_')?;
        let path = path
            .strip_prefix("./")
            .unwrap_or(path)
            .trim_end_matches('/');
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-/".contains(c);
        let is_folder = !path.is_empty() && path.chars().all(plain) && !path.starts_with('/');
        let is_data = ENDS.contains(&end) && before.split('_').any(|word| DATA.contains(&word));
        (is_folder && is_data && path != variable).then(|| (variable.to_owned(), path.to_owned()))
    })
}

/// The last name in `text` that is written as those of variables are.
fn last_variable(text: &str) -> Option<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut words = text.rsplit(|c| !is_part(c));
    words.find(|word| {
        let is_upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        word.len() > 2
            && word.starts_with(|c: char| c.is_ascii_uppercase())
            && word.chars().all(is_upper)
            && !READS.contains(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_data_in_the_apps_own_is_known() {
        for (line, found) in [
            (
                "#[clap(long, env = \"BIN_DATA_DIR\", default_value = \"bin_data\")]",
                Some(("BIN_DATA_DIR", "bin_data")),
            ),
            (
                "const dir = process.env.UPLOAD_DIR ?? './files/';",
                Some(("UPLOAD_DIR", "files")),
            ),
            (
                "os.environ.get('APP_STORAGE_PATH', 'var/storage')",
                Some(("APP_STORAGE_PATH", "var/storage")),
            ),
            ("process.env.VIEWS_DIR || 'views'", None),
            ("process.env.DATA_DIR || path.join(home, '.x')", None),
            ("env.get(\"DATA_DIR\")", None),
            ("const UPLOAD_DIR = 'files'", None),
        ] {
            let source = Source {
                path: "a.js".to_owned(),
                text: line.replace("#[", "["),
            };
            let seen = folders_inside(&source);
            let seen: Vec<_> = seen.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            let found: Vec<_> = found.into_iter().collect();
            assert_eq!(seen, found, "{line}");
        }
    }

    #[test]
    fn a_default_that_is_made_for_a_container_is_known() {
        for (line, found) in [
            (
                "const location = process.env.SQLITE_DB_LOCATION || '/etc/todos/todo.db';",
                Some(("SQLITE_DB_LOCATION", "data/todo.db", "data")),
            ),
            (
                "DB = os.environ.get(\"DB_FILE\", \"/data/shop.sqlite3\")",
                Some(("DB_FILE", "data/shop.sqlite3", "data")),
            ),
            (
                "dir := getEnv(\"UPLOAD_DIR\", \"/var/lib/shop/uploads\")",
                Some(("UPLOAD_DIR", "uploads", "uploads")),
            ),
            (
                "ENV.fetch('DATA_PATH', '/data')",
                Some(("DATA_PATH", "data", "data")),
            ),
            ("process.env.LOG_DIR || '/var/log/shop'", None),
            ("process.env.BASE_PATH || '/'", None),
            ("process.env.PUBLIC_PATH || '/assets'", None),
            ("process.env.DB || './shop.db'", None),
            ("open('/etc/todos/todo.db')", None),
        ] {
            let volume = on_line(line).filter(|_| READS.iter().any(|word| line.contains(word)));
            let seen = volume
                .as_ref()
                .map(|it| (it.variable.as_str(), it.value(), it.folder()));
            let found = found.map(|(variable, value, folder)| (variable, value.to_owned(), folder));
            assert_eq!(seen, found, "{line}");
        }
    }
}
