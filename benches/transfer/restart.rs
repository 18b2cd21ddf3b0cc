//! The floor: a connection, a restart of the service and the first good answer, which no deploy of a
//! new version does without; and no new version.

use std::process::Command;

use crate::app::App;
use crate::contender::{Action, Contender, Site};
use crate::rsync::serve;

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
            let live = format!("/srv/script-{}/current", site.app.name);
            host.sh(&format!("ln -s {live} /srv/{service}/current"));
        }
        Ok(())
    }

    fn prepare(&self, _: &Site, _: Action) -> Result<(), String> {
        Ok(())
    }

    fn command(&self, site: &Site, _: Action) -> Command {
        let remote = format!(
            "sudo -n systemctl restart {} && until curl -fsS -o /dev/null --max-time 5 {} \
             2>/dev/null; do sleep 0.05; done",
            Self::service(site.app),
            Self::url(site.app)
        );
        let script = r#"config=$1 remote=$2; shift 2; for host; do
            ssh -F "$config" "$host" "$remote" & jobs="$jobs $!"
        done; for job in $jobs; do wait "$job" || exit; done"#;
        let mut command = site.person().command("sh");
        command.args(["-c", script, "sh"]);
        command.arg(site.person().ssh_config()).arg(remote);
        command.args(site.destinations());
        command
    }

    fn port(&self, _: &App) -> Option<u16> {
        None
    }
}
