//! The script that a careful engineer would write.

use std::path::Path;
use std::process::Command;

use crate::app::App;
use crate::contender::{Action, Contender, Site};
use crate::packages;

/// `rsync-deploy.sh` and its settings.
pub struct Script {
    /// `rsync -z`.
    pub compresses: bool,
    /// Whether the connection of one run serves the next.
    pub stays_connected: bool,
}

impl Script {
    /// Of the unit, and of the folder in `/srv`.
    pub fn service(&self, app: &App) -> String {
        let suffix = if self.compresses { "-z" } else { "" };
        let suffix = if self.stays_connected {
            "-open"
        } else {
            suffix
        };
        format!("script{suffix}-{}", app.name)
    }

    fn health(&self, app: &App) -> String {
        format!(
            "http://127.0.0.1:{}/healthz",
            self.port(app).unwrap_or_default()
        )
    }
}

impl Contender for Script {
    fn name(&self) -> &'static str {
        match (self.compresses, self.stays_connected) {
            (false, false) => "script",
            (true, _) => "script -z",
            (false, true) => "script, connection open",
        }
    }

    fn missing(&self) -> Option<String> {
        let there = packages::have_here("rsync", &["rsync"]);
        (!there).then(|| "rsync".to_owned())
    }

    fn set_up(&self, site: &Site) -> Result<(), String> {
        let service = self.service(site.app);
        let port = self.port(site.app).unwrap_or_default();
        for host in site.hosts {
            packages::install(host, &["rsync"])?;
            serve(host, &service, site.app, port);
            host.sh(&format!(
                "install -d -o deploy -g deploy /srv/{service}/releases"
            ));
        }
        Ok(())
    }

    fn prepare(&self, _: &Site, _: Action) -> Result<(), String> {
        Ok(())
    }

    fn command(&self, site: &Site, action: Action) -> Command {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/transfer/rsync-deploy.sh");
        let service = self.service(site.app);
        let mut command = site.person().command(script);
        command
            .current_dir(&site.app.folder)
            .env("SSH_CONFIG", site.person().ssh_config())
            .env("HOSTS", site.destinations().join(" "))
            .env("ROOT", format!("/srv/{service}"))
            .env("HEALTH", self.health(site.app))
            .env("SERVICE", service);
        if self.compresses {
            command.env("COMPRESS", "1");
        }
        match action {
            Action::Rollback => command.arg("rollback"),
            _ => command.arg("deploy").args(site.app.files),
        };
        command
    }

    fn hang_up(&self, site: &Site) {
        if self.stays_connected {
            return;
        }
        for destination in site.destinations() {
            let mut exit = site.person().command("sh");
            exit.args([
                "-c",
                r#"ssh -F "$1" -o "ControlPath=$XDG_RUNTIME_DIR/%C" -O exit "$2""#,
                "sh",
            ]);
            let _ = exit
                .arg(site.person().ssh_config())
                .arg(destination)
                .output();
        }
    }

    fn port(&self, app: &App) -> Option<u16> {
        Some(app.port + 1 + u16::from(self.compresses) + 2 * u16::from(self.stays_connected))
    }
}

/// A systemd unit that runs the app from `/srv/SERVICE/current`, which `deploy` may restart; and
/// nothing in that folder.
pub fn serve(host: &crate::support::Host, service: &str, app: &App, port: u16) {
    let command = app.command;
    host.sh(&format!(
        "systemctl stop {service} 2>/dev/null || true; rm -rf /srv/{service}"
    ));
    host.write(
        &format!("/etc/systemd/system/{service}.service"),
        format!(
            "[Unit]\nStartLimitIntervalSec=0\n\n[Service]\nUser=www-data\nWorkingDirectory=/srv/{service}/current\n\
             Environment=PORT={port}\nExecStart=/bin/sh -c 'exec {command}'\nRestart=always\n\n\
             [Install]\nWantedBy=multi-user.target\n"
        ),
    );
    host.write(
        &format!("/etc/sudoers.d/{service}"),
        format!("deploy ALL=(root) NOPASSWD: /usr/bin/systemctl restart {service}\n"),
    );
    host.sh(&format!(
        "install -d -o deploy -g deploy /srv/{service} && systemctl daemon-reload && systemctl -q enable {service}"
    ));
}
