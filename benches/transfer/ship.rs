//! The contender that this project is, and an older build of it.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::app::App;
use crate::contender::{Action, Contender, Site};
use crate::support::Running;

/// `ship`, with its connection closed after each command or left open.
pub struct Ship {
    pub stays_connected: bool,
    pub build: Build,
}

/// Which build of `ship` runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// The one that is measured.
    This,
    /// An older one to compare with: `$SHIP_BENCH_BEFORE`. On the hosts it deploys an app of its
    /// own, so the two builds never share a root folder.
    Before,
}

impl Ship {
    fn program<'a>(&self, site: &'a Site) -> &'a Path {
        match (self.build, &site.lab.before) {
            (Build::Before, Some(before)) => before,
            _ => &site.lab.ship,
        }
    }

    /// The name of the app on the hosts.
    fn app_name(&self, app: &App) -> String {
        match self.build {
            Build::This => app.name.to_owned(),
            Build::Before => format!("before-{}", app.name),
        }
    }

    /// `ship` in the project's folder.
    fn ship(&self, site: &Site) -> Command {
        let mut command = site.person().command(self.program(site));
        command.current_dir(&site.app.folder);
        command
    }

    /// One good answer is the proof, as for the others; it is looked for as often as by the others.
    fn write_manifest(&self, site: &Site) -> Result<(), String> {
        let App {
            files,
            command,
            folder,
            ..
        } = site.app;
        let text = format!(
            "[app]\nname = \"{}\"\n\n[release]\ninclude = {files:?}\n\n\
             [services.web]\ncommand = \"{command}\"\nport = {}\n\
             health = {{ path = \"/healthz\", successes = 1, interval = \"50ms\" }}\nsettle = \"0s\"\n\n\
             [environments.production]\nhosts = {:?}\n",
            self.app_name(site.app),
            self.port(site.app).unwrap_or_default(),
            site.destinations()
        );
        fs::write(folder.join("ship.toml"), text).map_err(|error| error.to_string())
    }
}

impl Contender for Ship {
    fn name(&self) -> &'static str {
        match self.build {
            Build::This => "ship",
            Build::Before => "before",
        }
    }

    fn set_up(&self, site: &Site) -> Result<(), String> {
        let name = self.app_name(site.app);
        // What is still being tidied up would come back.
        site.lab.rest(site.hosts);
        for host in site.hosts {
            host.sh(&format!(
                "systemctl stop {name}-web 2>/dev/null || true; rm -rf /srv/{name} /home/deploy/.cache/ship"
            ));
        }
        let _ = fs::remove_dir_all(site.person().home().join(".cache"));
        self.write_manifest(site)?;
        let mut setup = self.ship(site);
        let run = Running::start(setup.args(["setup", "production", "--as", "root"])).wait();
        if run.status.success() {
            Ok(())
        } else {
            Err(run.to_string())
        }
    }

    fn prepare(&self, site: &Site, _: Action) -> Result<(), String> {
        self.write_manifest(site)
    }

    fn command(&self, site: &Site, action: Action) -> Command {
        let mut command = self.ship(site);
        let persist = if self.stays_connected { "60" } else { "0" };
        command.env("SHIP_SSH_PERSIST", persist);
        match action {
            Action::First | Action::Deploy => {
                command.args(["deploy", "production", "--skip-tests"])
            }
            Action::Force => command.args(["deploy", "production", "--skip-tests", "--force"]),
            Action::Rollback => command.args(["rollback", "production"]),
        };
        command
    }

    fn port(&self, app: &App) -> Option<u16> {
        match self.build {
            Build::This => Some(app.port),
            Build::Before => Some(app.port + 6),
        }
    }
}
