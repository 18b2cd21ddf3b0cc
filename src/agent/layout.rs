//! Where things are on a host: the one place that knows the names below the root folder.

use std::path::{Component, Path, PathBuf};

use crate::model::{Deployment, Instance, ReleaseId, ServiceName};

/// Where the launchers are in a release.
pub const LAUNCHERS: &str = ".ship/run";

/// The folders of one app on this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
}

/// Where `app` lies on this machine.
fn local(app: &str, home: &Path, data: &Path) -> PathBuf {
    let in_data = data.join("ship/apps").join(app);
    let hides = |part: Component<'_>| part.as_os_str().as_encoded_bytes().starts_with(b".");
    match data.components().any(hides) && !in_data.join(".ship").exists() {
        true => home.join("ship/apps").join(app),
        false => in_data,
    }
}

impl Layout {
    /// The layout for `deployment`, with `home` as the deploying user's home folder and `data` as
    /// the data directory of this machine's user (XDG Base Directory: `$XDG_DATA_HOME`).
    ///
    /// On this machine an app lies in the data directory, unless that is hidden: servers of files
    /// (Express's `sendFile` with its `dotfiles`) find nothing below a name that begins with a dot.
    /// Then it lies in `~/ship/apps`. One that an earlier ship put into a hidden folder stays there.
    #[must_use]
    pub fn resolve(deployment: &Deployment, home: &Path, data: &Path) -> Self {
        let app = deployment.app.as_str();
        if deployment.root.is_none() && deployment.environment.is_local() {
            return Self::at(local(app, home, data));
        }
        let root = deployment.root_folder();
        Self::at(match root.strip_prefix("~/") {
            Some(rest) => home.join(rest),
            None => PathBuf::from(root),
        })
    }

    /// A layout at `root`.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// `<root>`.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `<root>/current`: a relative link to the live release.
    #[must_use]
    pub fn current(&self) -> PathBuf {
        self.root.join("current")
    }

    /// `<root>/releases`.
    #[must_use]
    pub fn releases(&self) -> PathBuf {
        self.root.join("releases")
    }

    /// `<root>/releases/vN`.
    #[must_use]
    pub fn release(&self, id: ReleaseId) -> PathBuf {
        self.releases().join(id.to_string())
    }

    /// `<root>/shared`: survives releases.
    #[must_use]
    pub fn shared(&self) -> PathBuf {
        self.root.join("shared")
    }

    /// `<root>/runtimes`.
    #[must_use]
    pub fn runtimes(&self) -> PathBuf {
        self.root.join("runtimes")
    }

    /// `<root>/.ship`: the agent's own.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.root.join(".ship")
    }

    /// `<root>/.ship/<name>`.
    #[must_use]
    pub fn state_file(&self, name: &str) -> PathBuf {
        self.state().join(name)
    }

    /// Which app this is, for a recovery that nobody calls.
    #[must_use]
    pub fn deployment(&self) -> PathBuf {
        self.state_file("deployment.json")
    }

    /// The agent that a recovery at boot runs.
    #[must_use]
    pub fn recovery_agent(&self) -> PathBuf {
        self.state_file("bin/recovery")
    }

    /// The launchers of the live release, each called as its service.
    #[must_use]
    pub fn launchers(&self) -> PathBuf {
        self.current().join(LAUNCHERS)
    }

    /// The launcher of `service` in the live release: what a unit's `ExecStart=` names.
    #[must_use]
    pub fn launcher(&self, service: &ServiceName) -> PathBuf {
        self.launchers().join(service.as_str())
    }

    /// The environment of the live release, `0640` in the group of the services' user: its launchers
    /// read it.
    #[must_use]
    pub fn env_file(&self) -> PathBuf {
        self.current().join(".ship/env")
    }

    /// `<root>/.ship/logs`: what services say under the built-in supervisor.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.state().join("logs")
    }

    /// The log of `instance` under the built-in supervisor; older ones have `.1` to `.3` appended.
    #[must_use]
    pub fn log(&self, instance: &Instance) -> PathBuf {
        self.logs().join(format!("{instance}.log"))
    }

    /// `$RUNTIME_DIRECTORY` of `instance` under the built-in supervisor; systemd has its own.
    #[must_use]
    pub fn runtime_directory(&self, instance: &Instance) -> PathBuf {
        self.state().join("runtime").join(instance.to_string())
    }

    /// What the built-in supervisor must remember.
    #[must_use]
    pub fn supervisor_record(&self) -> PathBuf {
        self.state().join("supervisor.json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_on_this_machine_lies_below_no_hidden_folder_unless_it_did_before() {
        let place = tempfile::tempdir().unwrap();
        let home = place.path().join("ada");
        let at = |data: &Path| local("shop", &home, data);
        assert_eq!(at(Path::new("/data")), Path::new("/data/ship/apps/shop"));
        let hidden = home.join(".local/share");
        assert_eq!(at(&hidden), home.join("ship/apps/shop"));
        let before = hidden.join("ship/apps/shop");
        std::fs::create_dir_all(before.join(".ship")).unwrap();
        assert_eq!(at(&hidden), before);
    }
}
