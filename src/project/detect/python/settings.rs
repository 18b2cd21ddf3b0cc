//! The settings of a Django project, read as text.

use super::super::folder::Folder;
use super::super::text::literals;

/// What django-environ reads where nobody names a variable.
pub(super) const DATABASE: &str = "DATABASE_URL";

/// How many files of settings are followed by `from .base import *`.
const MAX_FILES: usize = 6;

/// Settings, with those that they import.
pub(super) struct Settings {
    /// `shop.settings`.
    pub module: String,
    /// Their file, for messages.
    pub file: String,
    /// What they import comes first.
    pub text: String,
}

impl Settings {
    /// Reads `module`.
    pub fn read(folder: &Folder, module: String) -> Self {
        let (file, text) = text(folder, &module);
        Self { module, file, text }
    }

    /// Names without a default that the settings read from the environment, for steps that load
    /// the settings where nobody has set them.
    pub fn required(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for line in code(&self.text) {
            if line.contains("env.db()") && !names.iter().any(|name| name == DATABASE) {
                names.push(DATABASE.to_owned());
            }
            let reads = [
                "os.environ[",
                "environ[",
                "getenv(",
                "env(",
                "env.str(",
                "env.bool(",
                "env.cache(",
                "env.db(",
                "env.int(",
                "env.list(",
                "env.url(",
                "config(",
            ];
            for read in reads {
                let Some((before, rest)) = line.split_once(read) else {
                    continue;
                };
                let name = literals(rest).first().copied().unwrap_or_default();
                let upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
                let whole = before.ends_with(|c: char| !(c.is_alphanumeric() || c == '_'));
                // `getenv` has a default anyway.
                let needed = read.ends_with('[') || read != "getenv(" && !has_default(rest);
                if !name.is_empty()
                    && name.chars().all(upper)
                    && (whole || before.is_empty())
                    && needed
                    && !names.iter().any(|have| have == name)
                {
                    names.push(name.to_owned());
                }
            }
        }
        // Django does not start without one.
        let key = self.value("SECRET_KEY").unwrap_or_default();
        if let (true, [name]) = (reads_softly(&key), literals(&key).as_slice())
            && !names.iter().any(|have| have == name)
        {
            names.push((*name).to_owned());
        }
        names
    }

    /// The variable that is read somewhere for the setting `name`, and is called after it.
    pub fn read_for(&self, name: &str) -> Option<String> {
        const READS: &[&str] = &["getenv(", "environ.get(", "environ[", "env.list("];
        let mut lines = code(&self.text);
        lines.find_map(|line| {
            let rest = READS
                .iter()
                .find_map(|read| Some(line.split_once(read)?.1))?;
            let variable = *literals(rest).first()?;
            variable.ends_with(name).then(|| variable.to_owned())
        })
    }

    /// The last value of a setting, to the end of its statement.
    pub fn value(&self, name: &str) -> Option<String> {
        let lines: Vec<&str> = code(&self.text).collect();
        let at = lines.iter().rposition(|line| {
            let rest = line.trim_start().strip_prefix(name);
            rest.is_some_and(|rest| {
                let rest = rest.trim_start();
                rest.starts_with(['=', ':']) && !rest.starts_with("==")
            })
        })?;
        let (_, first) = lines[at].split_once('=')?;
        let mut value = first.to_owned();
        let open = |text: &str| {
            let count = |set: [char; 3]| text.matches(set).count();
            count(['(', '[', '{']) > count([')', ']', '}'])
        };
        for line in lines[at + 1..].iter().take(40) {
            if !open(&value) {
                break;
            }
            value.push_str(line);
        }
        Some(value.trim().to_owned())
    }
}

/// Whether a value is a variable, or nothing where that is not set.
fn reads_softly(value: &str) -> bool {
    ["os.environ.get(", "os.getenv(", "environ.get(", "getenv("]
        .iter()
        .any(|read| value.starts_with(read))
}

/// Whether a function has a default among its arguments, `"NAME", …)`: any other than a type.
fn has_default(arguments: &str) -> bool {
    let arguments = arguments.split(')').next().unwrap_or_default();
    let mut others = arguments.split(',').skip(1).map(str::trim);
    others.any(|other| !other.starts_with("cast"))
}

/// Lines that are not comments.
pub(super) fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
}

/// The module that a file gives to `DJANGO_SETTINGS_MODULE`.
pub(super) fn module(text: &str) -> Option<String> {
    code(text)
        .skip_while(|line| !line.contains("DJANGO_SETTINGS_MODULE"))
        .take(2)
        .flat_map(literals)
        .find(|text| text.contains('.') && !text.contains([' ', '/']))
        .map(str::to_owned)
}

/// `BASE_DIR / "var" / "static"`, `os.path.join(BASE_DIR, "static")` → the folder in the project.
pub(super) fn folder_in(value: &str) -> Option<String> {
    let parts = literals(value);
    let path = parts.join("/");
    let path = path.trim_matches('/').to_owned();
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let inside = !path.is_empty()
        && path.chars().all(plain)
        && !path.split('/').any(|part| part == ".." || part.is_empty())
        && !parts.first().is_some_and(|part| part.starts_with('/'))
        && !value.contains("environ")
        && !value.contains("env(");
    inside.then_some(path)
}

/// The file of a module, and its text behind that of the settings that it imports with `*`.
fn text(folder: &Folder, module: &str) -> (String, String) {
    let path = module.replace('.', "/");
    let file = [format!("{path}.py"), format!("{path}/__init__.py")]
        .into_iter()
        .find(|file| folder.is_file(file))
        .unwrap_or_else(|| format!("{path}.py"));
    let mut files = vec![file.clone()];
    let mut at = 0;
    while at < files.len() && files.len() < MAX_FILES {
        let dir = files[at]
            .rsplit_once('/')
            .map_or("", |(dir, _)| dir)
            .to_owned();
        for line in folder.read(&files[at]).unwrap_or_default().lines() {
            let star = line.trim().strip_prefix("from ");
            let Some((from, _)) = star.and_then(|rest| rest.split_once(" import *")) else {
                continue;
            };
            let base = match from.trim().strip_prefix('.') {
                Some(near) => format!("{dir}/{}", near.replace('.', "/")),
                None => from.trim().replace('.', "/"),
            };
            let next = format!("{}.py", base.trim_start_matches('/'));
            if folder.is_file(&next) && !files.contains(&next) && files.len() < MAX_FILES {
                files.push(next);
            }
        }
        at += 1;
    }
    let texts = files.iter().rev().filter_map(|file| folder.read(file));
    (file, texts.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_the_project_is_known_in_any_spelling() {
        for (value, folder) in [
            ("BASE_DIR / 'staticfiles'", Some("staticfiles")),
            ("str(BASE_DIR / \"var\" / \"static\")", Some("var/static")),
            ("os.path.join(BASE_DIR, 'static/')", Some("static")),
            ("'staticfiles'", Some("staticfiles")),
            ("'/var/www/static'", None),
            ("os.environ['STATIC_ROOT']", None),
            ("BASE_DIR.parent / '../x'", None),
            ("None", None),
        ] {
            assert_eq!(folder_in(value).as_deref(), folder, "{value}");
        }
    }
}
