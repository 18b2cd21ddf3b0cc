//! The packages that a project asks for, by name.

use std::collections::BTreeMap;

use super::super::folder::Folder;

/// Packages that always come with another one; an extra stands in brackets.
const BRINGS: &[(&str, &str)] = &[
    ("chainlit", "uvicorn"),
    ("channels[daphne]", "daphne"),
    ("connexion[uvicorn]", "uvicorn"),
    ("dash", "flask"),
    ("datasette", "uvicorn"),
    ("fastapi[all]", "uvicorn"),
    ("fastapi[standard]", "uvicorn"),
    ("flask-admin", "flask"),
    ("flask-restx", "flask"),
    ("gradio", "fastapi"),
    ("gradio", "uvicorn"),
    ("litestar[standard]", "uvicorn"),
    ("mlflow", "gunicorn"),
    ("nicegui", "fastapi"),
    ("nicegui", "uvicorn"),
    ("python-fasthtml", "uvicorn"),
    ("pyuwsgi", "uwsgi"),
    ("quart", "hypercorn"),
    ("wagtail", "django"),
    ("whitenoise[brotli]", "whitenoise"),
];

/// How deep `-r other.txt` is followed.
const MAX_DEPTH: usize = 4;

/// Names of packages, each with its extras, as they are written in requirements.
#[derive(Debug, Default, Clone)]
pub(super) struct Packages {
    extras: BTreeMap<String, Vec<String>>,
    /// Major and minor version of those that are pinned.
    pins: BTreeMap<String, (u32, u32)>,
}

impl Packages {
    /// Whether the project asks for `package`, or for one that brings it.
    pub fn has(&self, package: &str) -> bool {
        self.extras.contains_key(package)
            || BRINGS.iter().any(|(of, brought)| {
                let (name, extra) = match of.trim_end_matches(']').split_once('[') {
                    Some((name, extra)) => (name, Some(extra)),
                    None => (*of, None),
                };
                let asked = || {
                    let extras = self.extras.get(name)?;
                    extra
                        .is_none_or(|extra| extras.iter().any(|have| have == extra))
                        .then_some(())
                };
                *brought == package && asked().is_some()
            })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.extras.is_empty()
    }

    /// Whether `package` is pinned to a version before this one.
    pub fn is_before(&self, package: &str, version: (u32, u32)) -> bool {
        self.pins.get(package).is_some_and(|pin| *pin < version)
    }

    /// Takes a requirement: `Flask-Login>=0.6`, `uvicorn[standard]`, `x @ https://…` (PEP 508).
    pub fn add(&mut self, requirement: &str) {
        let text = requirement.trim();
        let end = text
            .find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
            .unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return;
        }
        let extras = rest
            .trim_start()
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
            .map(|(extras, _)| extras.split(',').map(normal).collect());
        self.insert(name, extras.unwrap_or_default());
        let pin = ["==", "~="].iter().find_map(|sign| rest.split_once(sign));
        self.pin(name, pin.map_or("", |(_, version)| version));
    }

    fn pin(&mut self, name: &str, version: &str) {
        let mut parts = version.trim().split('.').map(|part| {
            let end = part.find(|c: char| !c.is_ascii_digit());
            part[..end.unwrap_or(part.len())].parse().ok()
        });
        if let Some(major) = parts.next().flatten() {
            let minor = parts.next().flatten().unwrap_or(0);
            self.pins.insert(normal(name), (major, minor));
        }
    }

    /// Takes a table whose keys are names: of Poetry, of a Pipfile.
    pub fn add_table(&mut self, table: Option<&toml::Value>) {
        for (name, value) in table.and_then(toml::Value::as_table).into_iter().flatten() {
            if name != "python" {
                self.insert(name, strings(value.get("extras")).map(normal).collect());
                let version = value
                    .as_str()
                    .or(value.get("version").and_then(|it| it.as_str()));
                self.pin(
                    name,
                    version.unwrap_or_default().trim_start_matches(['=', '~']),
                );
            }
        }
    }

    /// Takes a list of requirements.
    pub fn add_list(&mut self, list: Option<&toml::Value>) {
        strings(list).for_each(|requirement| self.add(requirement));
    }

    /// Takes a file of requirements and those that it names with `-r`.
    pub fn add_file(&mut self, folder: &Folder, file: &str) {
        self.add_nested(folder, file, MAX_DEPTH);
    }

    fn add_nested(&mut self, folder: &Folder, file: &str, depth: usize) {
        let dir = file.rsplit_once('/').map_or("", |(dir, _)| dir);
        for line in folder.read(file).unwrap_or_default().lines() {
            let line = line.trim();
            let other = ["-r ", "--requirement ", "-r"]
                .iter()
                .find_map(|flag| line.strip_prefix(flag));
            match other.map(str::trim) {
                Some(other) if depth > 0 && !other.contains("..") && !other.starts_with('/') => {
                    let path = format!("{dir}/{other}");
                    self.add_nested(folder, path.trim_start_matches('/'), depth - 1);
                }
                Some(_) => {}
                None => match line.split_once("#egg=") {
                    Some((_, egg)) => self.add(egg),
                    None => self.add(line),
                },
            }
        }
    }

    fn insert(&mut self, name: &str, extras: Vec<String>) {
        self.extras.entry(normal(name)).or_default().extend(extras);
    }
}

/// The strings of a list.
pub(super) fn strings(list: Option<&toml::Value>) -> impl Iterator<Item = &str> {
    let list = list.and_then(toml::Value::as_array);
    list.into_iter().flatten().filter_map(toml::Value::as_str)
}

/// A name as the package index compares it (PEP 503): `Flask_Login` → `flask-login`.
fn normal(name: &str) -> String {
    let mut out = String::new();
    for c in name.trim().chars() {
        match c {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            c => out.push(c.to_ascii_lowercase()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_read_as_pip_reads_them() {
        let mut packages = Packages::default();
        for line in [
            "Flask_Login==0.6",
            "fastapi[standard]>=0.1 ; python_version > '3.8'",
            "# gunicorn",
            "--hash=sha256:00",
            "whitenoise @ https://example.com/x.whl",
            "",
        ] {
            packages.add(line);
        }
        for (name, there) in [
            ("flask-login", true),
            ("flask", false),
            ("fastapi", true),
            ("uvicorn", true),
            ("gunicorn", false),
            ("whitenoise", true),
        ] {
            assert_eq!(packages.has(name), there, "{name}");
        }
        assert_eq!(packages.extras.len(), 3);
    }

    #[test]
    fn an_extra_brings_what_the_bare_package_does_not() {
        let mut packages = Packages::default();
        packages.add("fastapi");
        assert!(!packages.has("uvicorn"));
    }
}
