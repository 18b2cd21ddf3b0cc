//! Programs of the host that hang, and files of ship's that are damaged: every command ends within
//! its limit and says what it waited for, and neither a status nor a rollback needs the files.

use std::time::{Duration, Instant};

use crate::shop::{Shop, serves};
use crate::support::{Host, HostOptions, require_hosts};

/// Puts a program in the place of the one at `path` that never ends.
fn hang(host: &Host, path: &str) {
    host.sh(&format!(
        "mv {path} {path}.real && printf '#!/bin/sh\\nexec sleep 1000\\n' > {path} && chmod 755 {path}"
    ));
}

fn unhang(host: &Host, path: &str) {
    host.sh(&format!("mv {path}.real {path}"));
}

#[test]
fn nothing_that_hangs_or_is_damaged_keeps_a_command_for_ever() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot_with("web1", &HostOptions::default());
    let shop = Shop::on([&host]);
    shop.deploy().ok();
    shop.version("v2");
    shop.deploy().ok();

    let began = Instant::now();
    hang(&host, "/usr/bin/systemctl");
    let status = shop.ship(&["status", "production"]);
    unhang(&host, "/usr/bin/systemctl");
    assert!(began.elapsed() < Duration::from_secs(60), "{status}");
    assert!(
        status.stderr.contains("did not answer within 10s"),
        "{status}"
    );

    let began = Instant::now();
    hang(&host, "/usr/bin/sudo");
    shop.version("v3");
    let deploy = shop.deploy();
    unhang(&host, "/usr/bin/sudo");
    assert!(began.elapsed() < Duration::from_secs(90), "{deploy}");
    deploy
        .code(5)
        .stderr_has("`sudo -n -l` did not answer within 10s");
    assert!(!deploy.stderr.contains("not installed"), "{deploy}");

    for (damage, what) in [
        (": > sequence; : > owner", "is damaged"),
        (
            "printf '\\377\\376' > sequence; printf '\\377' > owner",
            "is not UTF-8 text",
        ),
        ("rm sequence owner; mkfifo sequence owner", "is a FIFO"),
        (
            "rm sequence owner; ln -s /dev/zero sequence; ln -s /dev/zero owner",
            "is a link",
        ),
    ] {
        host.sh(&format!(
            "cd /srv/shop/.ship && {damage}; chown -h deploy: sequence owner"
        ));
        shop.ship(&["status", "production"]).ok();
        let rollback = shop.ship(&["rollback", "production"]);
        rollback.ok().stderr_has(what).stderr_has(".ship/sequence");
        serves(&host, "v1", "v1");
        shop.ship(&["rollback", "production", "--to", "v2"]).ok();
        assert_eq!(host.read("/srv/shop/.ship/sequence"), "2");
    }
    host.sh("cd /srv/shop/.ship && rm -f holder.json journal.jsonl && mkfifo history.jsonl.x && mv history.jsonl.x history.jsonl && chown deploy: history.jsonl");
    let began = Instant::now();
    let history = shop.ship(&["history", "production"]);
    assert!(began.elapsed() < Duration::from_secs(60), "{history}");
    assert!(
        history.stderr.contains("history.jsonl is a FIFO"),
        "{history}"
    );
    shop.ship(&["status", "production"]).ok();
}
