//! What commands of a release see of its runtimes: folders in front of `PATH`, and variables.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{archive, folder};
use crate::agent::Layout;
use crate::model::{Failure, HostRuntime};

/// Where programs are when nobody says (systemd.exec(5), `$PATH`).
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What the runtimes of a release add to the environment of its commands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuntimeEnvironment {
    /// Folders in front of `PATH`, absolute, the first first.
    pub path: Vec<PathBuf>,
    /// Variables such as `JAVA_HOME`.
    pub variables: BTreeMap<String, String>,
}

impl RuntimeEnvironment {
    /// Of `runtimes`, in their order, as they lie below `layout`.
    #[must_use]
    pub fn of(layout: &Layout, runtimes: &[HostRuntime]) -> Self {
        let mut environment = Self::default();
        for runtime in runtimes {
            let (Some(folder), Some(archive)) = (folder(layout, runtime), archive(runtime)) else {
                continue;
            };
            let below = |name: &str| match name {
                "" => folder.clone(),
                name => folder.join(name),
            };
            environment
                .path
                .extend(archive.bin.iter().map(|bin| below(bin)));
            for (name, place) in &archive.env {
                let value = below(place).display().to_string();
                environment.variables.insert(name.clone(), value);
            }
            let settings = archive.settings.clone();
            environment.variables.extend(settings);
        }
        environment
    }

    /// The same without the variables that the release sets itself: those are somebody's choice.
    #[must_use]
    pub fn without<'a>(mut self, names: impl IntoIterator<Item = &'a String>) -> Self {
        for name in names {
            self.variables.remove(name);
        }
        self
    }

    /// Whether all folders are there: without one of them another runtime of the host would run.
    ///
    /// # Errors
    /// `Refused`, with the first that is gone.
    pub fn present(&self) -> Result<(), Failure> {
        match self.path.iter().find(|folder| !folder.is_dir()) {
            None => Ok(()),
            Some(gone) => Err(Failure::refused(format!("{} is gone", shown(gone)))
                .hint("a deploy that runs on it brings it back")),
        }
    }

    /// The folders as `PATH` has them; empty when there are none.
    #[must_use]
    pub fn path_text(&self) -> String {
        let each: Vec<String> = self.path.iter().map(|folder| shown(folder)).collect();
        each.join(":")
    }

    /// Puts the folders in front of the `PATH` of `env`, and adds the variables that it has not.
    pub fn apply(&self, env: &mut BTreeMap<String, String>) {
        for (name, value) in &self.variables {
            env.entry(name.clone()).or_insert_with(|| value.clone());
        }
        if self.path.is_empty() {
            return;
        }
        let rest = env.get("PATH").filter(|path| !path.is_empty());
        let rest = rest.map_or(DEFAULT_PATH, String::as_str);
        let path = format!("{}:{rest}", self.path_text());
        env.insert("PATH".to_owned(), path);
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
pub(in crate::agent) mod tests {
    use super::*;
    use crate::model::runtime::{ArchiveFormat, RuntimeArchive, RuntimeNeeds, RuntimeSource};

    /// A runtime with a folder `bin`, or with `bin` as its root and a variable.
    pub fn runtime(name: &str, version: &str, home: Option<&str>) -> HostRuntime {
        let bin = home.map_or("bin", |_| "");
        HostRuntime {
            name: name.to_owned(),
            version: version.to_owned(),
            source: RuntimeSource::Archive(RuntimeArchive {
                sha256: "ab".repeat(32).parse().unwrap(),
                size: 10,
                format: ArchiveFormat::TarGz,
                strip: 1,
                bin: vec![bin.to_owned()],
                env: home
                    .map(|home| (home.to_owned(), String::new()))
                    .into_iter()
                    .collect(),
                settings: home
                    .map(|_| ("JAVA_ONLY".to_owned(), "this".to_owned()))
                    .into_iter()
                    .collect(),
                launchers: BTreeMap::new(),
                needs: RuntimeNeeds::default(),
            }),
        }
    }

    #[test]
    fn runtimes_come_before_any_other_path_and_yield_to_chosen_variables() {
        let layout = Layout::at("/srv/shop");
        let runtimes = [
            runtime("java", "21.0.2", Some("JAVA_HOME")),
            runtime("node", "20.11.1", None),
        ];
        let environment = RuntimeEnvironment::of(&layout, &runtimes);
        let java = "/srv/shop/runtimes/java-21.0.2-abababababab";
        let node = "/srv/shop/runtimes/node-20.11.1-abababababab/bin";
        let mut env = BTreeMap::from([("PATH".to_owned(), "/opt/bin".to_owned())]);
        environment.apply(&mut env);
        assert_eq!(env["PATH"], format!("{java}:{node}:/opt/bin"));
        assert_eq!(env["JAVA_HOME"], java);
        assert_eq!(env["JAVA_ONLY"], "this");

        let mut env = BTreeMap::from([("JAVA_HOME".to_owned(), "/opt/java".to_owned())]);
        environment.apply(&mut env);
        assert_eq!(env["PATH"], format!("{java}:{node}:{DEFAULT_PATH}"));
        assert_eq!(env["JAVA_HOME"], "/opt/java");
        let failure = environment.present().unwrap_err();
        assert_eq!(failure.message(), format!("{java} is gone"));
        assert_eq!(RuntimeEnvironment::default().present(), Ok(()));
        let chosen = ["JAVA_HOME".to_owned(), "JAVA_ONLY".to_owned()];
        let without = environment.without(&chosen);
        assert!(without.variables.is_empty());
    }
}
