//! The floor: the bytes that changed, through `ssh cat`, and nothing else.

use std::path::PathBuf;
use std::process::Command;

use crate::app::{App, finish};
use crate::contender::{Action, Contender, Site, ssh_each};

/// One `ssh cat` per host, side by side.
pub struct Cat;

impl Contender for Cat {
    fn name(&self) -> &'static str {
        "ssh cat"
    }

    fn set_up(&self, site: &Site) -> Result<(), String> {
        for host in site.hosts {
            host.sh("rm -rf /srv/cat && install -d -o deploy -g deploy /srv/cat");
        }
        Ok(())
    }

    /// Packs the whole project for a first deploy.
    fn prepare(&self, site: &Site, action: Action) -> Result<(), String> {
        if action != Action::First {
            return Ok(());
        }
        let mut tar = Command::new("tar");
        tar.arg("-cf")
            .arg(bytes(site, action))
            .arg("-C")
            .arg(&site.app.folder);
        finish(tar.args(site.app.files))
    }

    fn command(&self, site: &Site, action: Action) -> Command {
        ssh_each(site, "cat > /srv/cat/bytes", &bytes(site, action))
    }

    fn port(&self, _: &App) -> Option<u16> {
        None
    }
}

fn bytes(site: &Site, action: Action) -> PathBuf {
    match action {
        Action::First => site
            .lab
            .folder("cat")
            .join(format!("{}.tar", site.app.name)),
        _ => site.app.changed.clone(),
    }
}
