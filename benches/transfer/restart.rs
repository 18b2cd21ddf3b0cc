//! The floor: a connection, a restart of the service and the first good answer, which no deploy of a
//! new version does without; and no new version.

use std::path::Path;
use std::process::Command;

use crate::app::App;
use crate::contender::{Action, Contender, Site, ssh_each};
use crate::rsync::{Script, serve};

/// Whose release it serves.
const SCRIPT: Script = Script {
    compresses: false,
    stays_connected: false,
};

/// One connection per host, side by side. It serves what the script released.
pub struct Restart;

impl Restart {
    fn service(app: &App) -> String {
        format!("restart-{}", app.name)
    }

    fn url(app: &App) -> String {
        format!("http://127.0.0.1:{}/healthz", app.port + 5)
    }
}

impl Contender for Restart {
    fn name(&self) -> &'static str {
        "restart alone"
    }

    fn set_up(&self, site: &Site) -> Result<(), String> {
        let service = Self::service(site.app);
        for host in site.hosts {
            serve(host, &service, site.app, site.app.port + 5);
            let script = SCRIPT.service(site.app);
            host.sh(&format!(
                "ln -s /srv/{script}/current /srv/{service}/current"
            ));
        }
        Ok(())
    }

    fn prepare(&self, _: &Site, _: Action) -> Result<(), String> {
        Ok(())
    }

    fn command(&self, site: &Site, _: Action) -> Command {
        let remote = format!(
            "sudo -n systemctl restart {} && tries=600 && until curl -fsS -o /dev/null --max-time 5 {} \
             2>/dev/null; do tries=$((tries - 1)); [ $tries -gt 0 ] || exit 1; sleep 0.05; done",
            Self::service(site.app),
            Self::url(site.app)
        );
        ssh_each(site, &remote, Path::new("/dev/null"))
    }

    fn port(&self, _: &App) -> Option<u16> {
        None
    }
}
