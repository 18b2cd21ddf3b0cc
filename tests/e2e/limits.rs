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

/// A name server that hears every question and answers none.
const SILENT: &str = "import socket, time\n\
    server = socket.socket(type=socket.SOCK_DGRAM)\n\
    server.bind(('127.0.0.1', 53))\n\
    while True: server.recv(512)\n";

#[test]
fn a_name_server_that_is_silent_is_not_taken_for_a_lack_of_sudo() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot_with("web1", &HostOptions::default());
    let shop = Shop::on([&host]);
    shop.deploy().ok();
    host.write("/root/silent.py", SILENT);
    host.sh(
        "systemd-run -q --unit=silent python3 /root/silent.py && cp /etc/hosts /root/ && \
         grep -v web1 /root/hosts > /etc/hosts && \
         printf 'nameserver 127.0.0.1\\noptions timeout:20\\n' > /etc/resolv.conf && \
         until ss -lun | grep -q :53; do sleep 0.05; done",
    );
    shop.version("v2");
    // Root asks what the services' user may do, the deploying user what it may do itself. All at
    // once, as each takes its whole limit.
    let without_agent = shop.spawn(&["setup", "production"]);
    let asked = [
        (
            &["deploy", "production"][..],
            "-l` did not answer within 10s",
        ),
        (&["check", "production"], "-l` did not answer within 10s"),
        (
            &["setup", "production", "--as", "root"],
            "-l -U shop` did not answer within 40s",
        ),
    ];
    let runs = asked.map(|(args, asked)| (shop.spawn(args), asked));
    for (run, asked) in runs {
        let run = run.wait();
        assert!(!run.status.success(), "{run}");
        let said = format!("{}{}", run.stdout, run.stderr);
        for words in [
            &format!("`sudo -n {asked}"),
            "the host's own name, web1, is not in /etc/hosts: sudo asks a name server for it",
            "as root on the host: echo '127.0.1.1 web1' >> /etc/hosts",
        ] {
            assert!(said.contains(words), "{words}\n{run}");
        }
        assert!(!said.contains("not installed"), "{run}");
    }
    // Without an agent nothing more is known than what was asked.
    let run = without_agent.wait();
    run.code(6)
        .stderr_has("connected, but `sudo -n` did not start the agent within 60s")
        .stderr_has("getent hosts $(hostname)");
    serves(&host, "v1", "v1");
    host.sh("cp /root/hosts /etc/hosts");
    shop.deploy().ok();
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
