//! The power goes in the middle of an activation: the host boots into the release that was good,
//! before anybody calls it. All that a host writes is on a disk that forgets what was not synced.

use std::time::Duration;

use crate::shop::{Shop, answer};
use crate::support::{Disk, Host, HostOptions, Running, eventually, require_hosts, within};

/// The service of the shop, whose old process takes its time to stop.
const SLOW_TO_STOP: &str = r#"
[services.web]
command = "trap 'sleep 6' TERM; python3 app/shop.py & wait"
port = 3000
health = { path = "/healthz", timeout = "60s" }
settle = "1s"
"#;

/// A release that answers and is not proven for a while.
const SLOW_TO_PROVE: &str = r#"
[services.web]
command = "python3 app/shop.py"
port = 3000
health = { path = "/healthz", timeout = "60s" }
settle = "9s"
"#;

struct Place {
    host: Host,
    shop: Shop,
    root: &'static str,
}

impl Place {
    /// A host that serves v1, with a service that is slow to stop.
    fn of(manager: &str, root: &'static str) -> Self {
        let disk = Some(Disk::at("/", 600));
        let host = Host::boot_with("web1", &HostOptions { disk });
        let mut shop = Shop::planned_on([&host]);
        shop.environment = format!("manager = \"{manager}\"\nrollout = {{ lease = \"60s\" }}");
        shop.tables = SLOW_TO_STOP.to_owned();
        shop.write_manifest();
        shop.setup();
        if manager == "systemd-user" {
            shop.ship(&["setup", "production"]).ok();
        }
        shop.deploy().ok();
        Self { host, shop, root }
    }

    fn current(&self) -> String {
        self.host.sh(&format!("readlink {}/current", self.root))
    }

    fn file(&self, name: &str) -> String {
        let path = format!("{}/.ship/{name}", self.root);
        match self.host.exists(&path) {
            true => self.host.read(&path),
            false => String::new(),
        }
    }

    /// Begins a deploy of the version, and waits until the journal's last word is `step`.
    fn deploy_until(&self, version: &str, step: &str) -> Running {
        self.shop.version(version);
        let deploy = self.shop.start_deploy(&[]);
        within(Duration::from_secs(60), step, || {
            let journal = self.file("journal.jsonl");
            let last = journal.lines().rfind(|line| !line.trim().is_empty());
            let said = format!("\"step\":\"{step}\"");
            last.is_some_and(|line| line.contains(&said)).then_some(())
        });
        deploy
    }

    /// The power goes, and comes back. Whoever deploys hears nothing of it.
    fn cut(&mut self, deploy: Running) {
        self.host.power_cut();
        deploy.signal("KILL");
        deploy.wait();
        self.host.boot_again();
    }

    /// The release serves after the boot, and before anybody came the history said why.
    #[track_caller]
    fn serves_again(&self, version: &str, why: &str) {
        eventually("an answer", || answer(&self.host, "/") == version);
        assert_eq!(self.current(), format!("releases/{version}"));
        let history = self.file("history.jsonl");
        let last = history.lines().last().unwrap_or_default();
        assert!(last.contains(why), "{history}");
        let left = self.host.sh(&format!("ls -A {}", self.root));
        assert!(!left.contains(".current."), "{left}");
        let status = self.shop.ship(&["status", "production"]);
        status.ok().stdout_has(version);
    }
}

const LOST: &str = "the host lost power or restarted during the activation of";

fn every_step(mut place: Place) {
    // The old process is on its way down.
    let deploy = place.deploy_until("v2", "restarting");
    assert_eq!(place.current(), "releases/v2");
    place.cut(deploy);
    place.serves_again("v1", LOST);

    // The new one answers, and does not pass its health check.
    place.shop.tables = SLOW_TO_PROVE.to_owned();
    place.shop.write_manifest();
    place.shop.sick(Some("the power is low"));
    let deploy = place.deploy_until("v3", "restarting");
    eventually("the new release", || answer(&place.host, "/") == "v3");
    place.cut(deploy);
    place.serves_again("v1", LOST);
    place.shop.sick(None);

    // Proven, and whoever decides about it is silent.
    let deploy = place.deploy_until("v4", "restarting");
    deploy.signal("STOP");
    within(Duration::from_secs(30), "the proof", || {
        place.file("journal.jsonl").contains("proven").then_some(())
    });
    place.cut(deploy);
    place.serves_again("v1", LOST);
    let history = place.shop.ship(&["history", "production"]);
    history.ok().stdout_has(LOST);

    // Committed: the moment the command ends.
    place.shop.version("v5");
    place.shop.deploy().ok();
    place.host.power_cut();
    place.host.boot_again();
    place.serves_again("v5", "\"outcome\":\"good\"");
}

#[test]
fn of_a_host_with_system_services() {
    let Some(()) = require_hosts() else { return };
    every_step(Place::of("systemd", "/srv/shop"));
}

#[test]
fn of_a_host_with_services_of_a_user() {
    let Some(()) = require_hosts() else { return };
    every_step(Place::of("systemd-user", "/home/deploy/apps/shop"));
}

/// Between the flip and the next note, and on a first deploy; then with a recovery that fails: the
/// services start all the same, and the next contact repairs.
#[test]
fn at_the_flip_and_without_a_recovery() {
    let Some(()) = require_hosts() else { return };
    let mut place = Place::of("systemd", "/srv/shop");
    place.shop.tables = SLOW_TO_PROVE.to_owned();
    place.shop.write_manifest();
    place.shop.version("v2");
    let deploy = place.shop.start_deploy(&[]);
    // The old release's last link may be younger than its last proof.
    loop {
        let said = answer(&place.host, "/");
        if place.current() == "releases/v2" {
            break;
        }
        assert_eq!(said, "v1");
    }
    place.cut(deploy);
    place.serves_again("v1", LOST);

    let check = place.shop.ship(&["check", "production"]);
    check.ok();
    let deploy = place.deploy_until("v3", "restarting");
    let recovery = "/srv/shop/.ship/bin/recovery";
    place.host.sh(&format!(
        "rm {recovery}; cp /bin/false {recovery}; sync -f {recovery}"
    ));
    place.cut(deploy);
    eventually("the services", || answer(&place.host, "/") == "v3");
    assert!(!place.file("history.jsonl").contains("activation of v3"));
    place.shop.ship(&["status", "production"]).ok();
    place.serves_again("v1", LOST);

    place
        .host
        .sh("rm /etc/systemd/system/shop.recovery.service");
    let check = place.shop.ship(&["check", "production"]);
    check.ok().stdout_has("there is no shop.recovery.service");
    place.shop.deploy().ok();
}
