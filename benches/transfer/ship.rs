//! The contender that this project is.

use std::fs;
use std::process::Command;

use crate::app::App;
use crate::contender::{Action, Contender, Site};
use crate::support::Running;

/// `ship`, with its connection closed after each command or left open.
pub struct Ship {
    pub stays_connected: bool,
}

impl Contender for Ship {
    fn name(&self) -> &'static str {
        "ship"
    }

    fn set_up(&self, site: &Site) -> Result<(), String> {
        let name = site.app.name;
        // What is still being tidied up would come back.
        site.lab.rest(site.hosts);
        for host in site.hosts {
            host.sh(&format!(
                "systemctl stop {name}-web 2>/dev/null || true; rm -rf /srv/{name} /home/deploy/.cache/ship"
            ));
        }
        let _ = fs::remove_dir_all(site.person().home().join(".cache"));
        write_manifest(site)?;
        let mut setup = ship(site);
        let run = Running::start(setup.args(["setup", "production", "--as", "root"])).wait();
        if run.status.success() {
            Ok(())
        } else {
            Err(run.to_string())
        }
    }

    fn prepare(&self, site: &Site, _: Action) -> Result<(), String> {
        write_manifest(site)
    }

    fn command(&self, site: &Site, action: Action) -> Command {
        let mut command = ship(site);
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
        Some(app.port)
    }
}

/// `ship` in the project's folder.
pub fn ship(site: &Site) -> Command {
    let mut command = site.person().command(&site.lab.ship);
    command.current_dir(&site.app.folder);
    command
}

/// One good answer is the proof, as for the others; it is looked for as often as by the others.
pub fn write_manifest(site: &Site) -> Result<(), String> {
    let App {
        name,
        files,
        command,
        port,
        folder,
        ..
    } = site.app;
    let text = format!(
        "[app]\nname = \"{name}\"\n\n[release]\ninclude = {files:?}\n\n\
         [services.web]\ncommand = \"{command}\"\nport = {port}\n\
         health = {{ path = \"/healthz\", successes = 1, interval = \"50ms\" }}\nsettle = \"0s\"\n\n\
         [environments.production]\nhosts = {:?}\n",
        site.destinations()
    );
    fs::write(folder.join("ship.toml"), text).map_err(|error| error.to_string())
}
