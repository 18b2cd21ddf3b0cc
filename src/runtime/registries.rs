//! The registries of packages. ship has the address of none: it asks the tools on this machine, which
//! know the one that their user set up, such as a company's own.
//!
//! In tables and in `ship.lock` an address begins with the registry's name, so that it is the same
//! for everybody:
//!
//! ```text
//! npm:pnpm                                what the registry tells of a package
//! npm:pnpm/-/pnpm-9.15.0.tgz              an archive of it
//! pypi:simple/uv/                         what the index tells of a package (PEP 691)
//! pypi:packages/uv/uv-0.9.9-….whl         a file that it tells of
//! ```

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use reqwest::Url;
use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::model::{Failure, FailureKind};

/// How long a tool may take to say which registry it uses.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the index of Python packages is, as pip has it built in.
const BUILT_IN: &str = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)";

/// The registries that this machine uses for a project.
#[derive(Debug, Default)]
pub struct Registries {
    env: BTreeMap<OsString, OsString>,
    folders: Vec<PathBuf>,
    npm: OnceCell<String>,
    pypi: OnceCell<String>,
}

/// An address, as far as it is known without reading anything.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Located {
    /// This is it.
    At(String),
    /// The file `file` that the index at `index` tells of.
    In { index: String, file: String },
}

impl Registries {
    /// Those that tools use in the environment `env`, for a project with its files in `folders`.
    #[must_use]
    pub fn of(env: &BTreeMap<OsString, OsString>, folders: &[&Path]) -> Self {
        Self {
            env: env.clone(),
            folders: folders.iter().map(|folder| folder.to_path_buf()).collect(),
            ..Self::default()
        }
    }

    /// Where `address` is; one that is not of a registry is where it says.
    ///
    /// # Errors
    /// [`FailureKind::Project`] when nothing here tells the registry's address.
    pub(super) async fn locate(&self, address: &str) -> Result<Located, Failure> {
        if let Some(rest) = address.strip_prefix("npm:") {
            let base = self.npm.get_or_try_init(|| self.find_npm()).await?;
            return Ok(Located::At(format!("{base}/{rest}")));
        }
        let Some(rest) = address.strip_prefix("pypi:") else {
            return Ok(Located::At(address.to_owned()));
        };
        let base = self.pypi.get_or_try_init(|| self.find_pypi()).await?;
        Ok(match rest.split_once('/') {
            Some(("packages", rest)) => {
                let (package, file) = rest.split_once('/').unwrap_or((rest, ""));
                Located::In {
                    index: format!("{base}/{package}/"),
                    file: file.to_owned(),
                }
            }
            Some((_, rest)) => Located::At(format!("{base}/{rest}")),
            None => Located::At(format!("{base}/{rest}")),
        })
    }

    /// The address of the index of Python packages, without a slash at its end.
    ///
    /// # Errors
    /// As [`locate`](Self::locate).
    pub(super) async fn python(&self) -> Result<String, Failure> {
        let base = self.pypi.get_or_try_init(|| self.find_pypi()).await?;
        Ok(base.clone())
    }

    /// npm's own order: the environment, the project's `.npmrc`, the user's, what is built in
    /// (npm-config(7)).
    async fn find_npm(&self) -> Result<String, Failure> {
        let set = self.variable(&["npm_config_registry", "NPM_CONFIG_REGISTRY"]);
        if let Some(base) = set {
            return Ok(base);
        }
        for folder in &self.folders {
            if let Some(base) = self
                .says("npm", &["config", "get", "registry"], folder)
                .await
            {
                return Ok(base);
            }
        }
        let home = self.env.get(OsStr::new("HOME")).map(PathBuf::from);
        let folders = self.folders.iter().cloned().chain(home);
        let mut files = folders.map(|folder| folder.join(".npmrc"));
        let base = files.find_map(|file| of_npmrc(&fs::read_to_string(file).ok()?));
        base.ok_or_else(|| unknown("npm packages", "install npm, or set npm_config_registry"))
    }

    async fn find_pypi(&self) -> Result<String, Failure> {
        let set = self.variable(&["PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"]);
        if let Some(base) = set {
            return Ok(base);
        }
        // Not in the project: Python would run a `pip.py` of it.
        let root = Path::new("/");
        let set = ["-m", "pip", "config", "get", "global.index-url"];
        if let Some(base) = self.says("python3", &set, root).await {
            return Ok(base);
        }
        if let Some(base) = self.folders.iter().find_map(|folder| of_locks(folder)) {
            return Ok(base);
        }
        let built_in = self.says("python3", &["-c", BUILT_IN], root).await;
        built_in.ok_or_else(|| unknown("Python packages", "install pip, or set PIP_INDEX_URL"))
    }

    fn variable(&self, names: &[&str]) -> Option<String> {
        let mut values = names
            .iter()
            .filter_map(|name| self.env.get(OsStr::new(name)));
        values.find_map(|value| base(value.to_str()?))
    }

    /// The address that a tool prints, if it is there.
    async fn says(&self, program: &str, args: &[&str], folder: &Path) -> Option<String> {
        let running = Command::new(program)
            .args(args)
            .env_clear()
            .envs(&self.env)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(PATIENCE, running).await.ok()?.ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        base(text.lines().last()?).filter(|_| output.status.success())
    }
}

/// `text` as the beginning of addresses, without a slash at its end.
fn base(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('/');
    let url = Url::parse(text).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
    is_web.then(|| text.to_owned())
}

/// The `registry` of an `.npmrc` (npmrc(5)).
fn of_npmrc(text: &str) -> Option<String> {
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    let mut values = pairs.filter(|(name, _)| name.trim() == "registry");
    values.find_map(|(_, value)| base(value.trim().trim_matches('"')))
}

/// The index that the project's own lock names: that of uv, that of Pipenv.
fn of_locks(folder: &Path) -> Option<String> {
    let uv = || {
        let text = fs::read_to_string(folder.join("uv.lock")).ok()?;
        let (_, rest) = text.split_once("source = { registry = \"")?;
        base(rest.split('"').next()?)
    };
    let pipenv = || {
        let text = fs::read_to_string(folder.join("Pipfile.lock")).ok()?;
        let lock: serde_json::Value = serde_json::from_str(&text).ok()?;
        base(lock.pointer("/_meta/sources/0/url")?.as_str()?)
    };
    uv().or_else(pipenv)
}

fn unknown(what: &str, hint: &str) -> Failure {
    let message = format!("nothing on this machine says where {what} come from");
    Failure::new(FailureKind::Project, message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::start::write_program;

    fn env(pairs: &[(&str, &Path)]) -> BTreeMap<OsString, OsString> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect()
    }

    async fn npm(env: &BTreeMap<OsString, OsString>, folder: &Path) -> Result<String, Failure> {
        let registries = Registries::of(env, &[folder]);
        match registries.locate("npm:pnpm/-/pnpm-9.15.0.tgz").await? {
            Located::At(address) => Ok(address),
            located => panic!("{located:?}"),
        }
    }

    #[tokio::test]
    async fn the_registry_is_the_one_that_npm_uses_here() {
        let folder = tempfile::tempdir().unwrap();
        let (bin, project) = (folder.path().join("bin"), folder.path().join("project"));
        fs::create_dir_all(&bin).unwrap();
        fs::create_dir_all(&project).unwrap();
        let none = env(&[("PATH", &bin), ("HOME", folder.path())]);
        let unknown = npm(&none, &project).await.unwrap_err();
        assert_eq!(unknown.kind, FailureKind::Project);
        assert!(unknown.hint.unwrap().contains("npm_config_registry"));

        fs::write(
            folder.path().join(".npmrc"),
            "fund=false\nregistry = https://home.test/npm/\n",
        )
        .unwrap();
        let there = npm(&none, &project).await.unwrap();
        assert_eq!(there, "https://home.test/npm/pnpm/-/pnpm-9.15.0.tgz");

        let text = "#!/bin/sh\necho \"npm warn\" >&2; echo \"https://${PWD##*/}.test/\"\n";
        write_program(&bin.join("npm"), text);
        let told = npm(&none, &project).await.unwrap();
        assert_eq!(told, "https://project.test/pnpm/-/pnpm-9.15.0.tgz");

        let mut set = none.clone();
        set.insert("npm_config_registry".into(), "http://localhost:4873".into());
        let there = npm(&set, &project).await.unwrap();
        assert_eq!(there, "http://localhost:4873/pnpm/-/pnpm-9.15.0.tgz");
    }

    #[tokio::test]
    async fn a_file_of_the_index_is_looked_up_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let lock = "version = 1\n[[package]]\nname = \"anyio\"\nsource = { registry = \"https://index.test/simple\" }\n";
        fs::write(folder.path().join("uv.lock"), lock).unwrap();
        let registries = Registries::of(&env(&[("PATH", folder.path())]), &[folder.path()]);
        let at = |address: &str| Located::At(address.to_owned());
        let index = registries.locate("pypi:simple/uv/").await.unwrap();
        assert_eq!(index, at("https://index.test/simple/uv/"));
        let file = registries.locate("pypi:packages/uv/uv-0.9.9.whl").await;
        let expected = Located::In {
            index: "https://index.test/simple/uv/".to_owned(),
            file: "uv-0.9.9.whl".to_owned(),
        };
        assert_eq!(file.unwrap(), expected);
        let other = registries.locate("https://elsewhere.test/x").await.unwrap();
        assert_eq!(other, at("https://elsewhere.test/x"));
    }

    #[test]
    fn what_is_no_address_is_no_registry() {
        for text in ["", "undefined", "null", "file:///x", "registry", "https://"] {
            assert_eq!(base(text), None, "{text}");
        }
        assert_eq!(of_npmrc("@own:registry=https://own.test\n"), None);
        assert_eq!(of_npmrc("registry=${REGISTRY}\n"), None);
    }
}
