//! The hosts themselves, before anything is said about `ship` on them.

use crate::support::{
    Controller, Disk, Fleet, Host, HostOptions, Relay, Running, eventually, require_hosts, sweep,
    within,
};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

/// A web server on port 8000 that answers with the content of a file.
const WEB: &str = "cd /srv && echo ready > index.html && \
    systemd-run --quiet --unit=web --working-directory=/srv python3 -m http.server 8000";

#[test]
fn a_host_runs_systemd_and_serves_and_takes_ssh() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let controller = Controller::knowing([&host]);

    assert_eq!(
        host.sh("hostname; systemctl is-system-running"),
        "web1\nrunning"
    );
    assert!(host.exec("exit 3").status.code() == Some(3));

    host.sh(WEB);
    eventually("the web server", || host.http_get(8000, "/").is_ok());
    let answer = host.http_get(8000, "/index.html").expect("an answer");
    assert_eq!((answer.status, &*answer.body), (200, "ready\n"));
    assert_eq!(host.http_get(8000, "/none").expect("an answer").status, 404);
    assert!(host.http_get(8001, "/").is_err());

    let by_name = controller.ssh("root@web1", "id -un");
    assert_eq!(by_name.ok().stdout, "root\n");
    let by_address = controller.ssh(&format!("deploy@{}", host.addr()), "id -un; id -Gn");
    assert_eq!(by_address.ok().stdout, "deploy\ndeploy\n");
    controller.ssh("deploy@web1", "sudo -n true").code(1);

    host.write("/srv/new/file", "text");
    assert_eq!(host.read("/srv/new/file"), "text");
    assert!(host.exists("/srv/new") && !host.exists("/srv/old"));
}

#[test]
fn a_user_has_services_of_its_own() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let controller = Controller::knowing([&host]);

    host.sh("loginctl enable-linger deploy");
    let start = "systemd-run --user --quiet --unit=worker sleep 1000";
    controller.ssh("deploy@web1", start).ok();
    let state = controller.ssh("deploy@web1", "systemctl --user is-active worker");
    assert_eq!(state.ok().stdout, "active\n");
    // The session is over, the service is not.
    let state = host.sh_as("deploy", "systemctl --user is-active worker");
    assert_eq!(state, "active");

    host.set_shell("deploy", "/usr/bin/fish");
    let shell = controller.ssh("deploy@web1", "echo (status fish-path)");
    assert_eq!(shell.ok().stdout, "/usr/bin/fish\n");
}

#[test]
fn a_fleet_boots_and_its_hosts_do_not_share_services() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(3);
    let names: Vec<_> = fleet.iter().map(Host::name).collect();
    assert_eq!(names, ["web1", "web2", "web3"]);
    for host in fleet.iter() {
        host.sh(WEB);
    }
    fleet[0].sh("systemctl stop web");
    for host in &fleet[1..] {
        eventually("the other web servers", || host.http_get(8000, "/").is_ok());
    }
    assert!(fleet[0].http_get(8000, "/").is_err());
    // A host can reach another.
    let other = format!("curl -sf http://{}:8000/index.html", fleet[2].addr());
    assert_eq!(fleet[1].sh(&other), "ready");

    // The bridge keeps its address when a host ends: NET_ADDR_SET in linux/netdevice.h.
    let assigned = std::fs::read_to_string("/sys/class/net/shipbr0/addr_assign_type");
    assert_eq!(assigned.expect("the bridge").trim(), "3");
}

#[test]
fn a_host_reboots_and_survives_a_power_cut() {
    let Some(()) = require_hosts() else { return };
    let mut host = Host::boot("web1");
    let boot_id = |host: &Host| host.read("/proc/sys/kernel/random/boot_id");
    let first = boot_id(&host);
    host.write("/srv/kept", "kept");

    host.reboot();
    let second = boot_id(&host);
    assert_ne!(first, second);
    assert_eq!(host.read("/srv/kept"), "kept");

    let controller = Controller::knowing([&host]);
    let mut ssh = controller.command("ssh");
    ssh.arg("-F").arg(controller.ssh_config());
    ssh.args(["-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=2"]);
    ssh.args(["root@web1", "echo begun; sleep 1000"]);
    let session = Running::start(&mut ssh);
    session.wait_for("begun");
    host.power_cut();
    assert!(host.http_get(22, "/").is_err());
    assert_eq!(host.read("/srv/kept"), "kept");
    // Nobody told the client: it finds out by its own heartbeat.
    session.wait().code(255).stderr_has("not responding");

    host.boot_again();
    assert_ne!(second, boot_id(&host));
    controller.ssh("deploy@web1", "true").ok();
}

#[test]
fn a_disk_fills_up_and_loses_in_a_power_cut_what_was_not_synced() {
    let Some(()) = require_hosts() else { return };
    for at in ["/srv", "/"] {
        let disk = Some(Disk::at(at, 64).inodes(4000));
        let mut host = Host::boot_with("web1", &HostOptions { disk });
        host.sh("echo old > /srv/file && sync /srv/file /srv");
        host.sh("echo new > /srv/unsynced");

        host.fill_disk("/srv", 16);
        let full = host.exec("head -c 65536 /dev/zero > /srv/more");
        assert!(String::from_utf8_lossy(&full.stderr).contains("No space left"));
        host.free_disk("/srv");
        host.sh("head -c 65536 /dev/zero > /srv/more");

        // Filling the disk synced it once.
        host.sh("echo new > /srv/unsynced2");
        host.power_cut();
        host.boot_again();
        assert_eq!(host.read("/srv/file"), "old\n");
        assert!(!host.exists("/srv/unsynced2"), "a disk at {at}");
    }
}

#[test]
fn a_network_fails_and_is_slow() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    host.sh(WEB);
    eventually("the web server", || host.http_get(8000, "/").is_ok());
    host.link_down();
    assert!(host.http_get(8000, "/").is_err());
    host.link_up();
    eventually("the network", || host.http_get(8000, "/").is_ok());

    // 50 ms there and back: a handshake takes several of them.
    let relay = Relay::start(
        SocketAddr::from((host.addr(), 22)),
        Duration::from_millis(25),
    );
    let mut far = Controller::new();
    far.know_through(&relay, &host);
    let run = far.ssh("deploy@web1", "echo $SSH_CONNECTION");
    run.ok().stdout_has("10.87.");
    assert!(run.duration > Duration::from_millis(200), "{run}");

    // 2 MB at 16 Mbit/s are a second.
    host.sh("head -c 2000000 /dev/zero > /srv/big");
    host.limit_rate(Some(16));
    // A try may stall on a busy machine; one that arrives whole shows the limit by how long it took.
    let (size, took) = within(Duration::from_secs(60), "the big file", || {
        let start = Instant::now();
        let big = host.http_get(8000, "/big").ok()?;
        Some((big.body.len(), start.elapsed()))
    });
    assert_eq!(size, 2_000_000);
    assert!(took > Duration::from_millis(700), "{took:?}");
    host.limit_rate(None);
}

#[test]
fn another_host_key_is_refused() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let controller = Controller::knowing([&host]);
    controller.ssh("root@web1", "true").ok();
    host.break_host_key();
    let refused = controller.ssh("root@web1", "true");
    refused
        .code(255)
        .stderr_has("REMOTE HOST IDENTIFICATION HAS CHANGED");
}

/// The name of the variable that makes the next test the one that is killed.
const VICTIM: &str = "SHIP_TEST_VICTIM";

#[test]
#[expect(clippy::print_stdout, reason = "the victim says where its host is")]
fn what_a_killed_run_leaves_the_next_one_removes() {
    let Some(()) = require_hosts() else { return };
    if std::env::var_os(VICTIM).is_some() {
        let host = Host::boot("web1");
        println!("booted {}", host.addr());
        within(Duration::from_secs(300), "being killed", || None)
    }
    let this = std::env::current_exe().expect("this binary");
    let test = "hosts::what_a_killed_run_leaves_the_next_one_removes";
    let victim = Running::start(
        Command::new(this)
            .args(["--exact", test, "--nocapture"])
            .env(VICTIM, "yes"),
    );
    victim.wait_for("booted ");
    let (stdout, _) = victim.output();
    let addr = stdout
        .split("booted ")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next());
    let sshd = format!("{}:22", addr.expect("an address"));
    let sshd: SocketAddr = sshd.parse().expect("an address");
    let answers = || TcpStream::connect_timeout(&sshd, Duration::from_millis(500)).is_ok();
    assert!(answers());

    victim.signal("KILL");
    victim.wait().killed_by(9);
    sweep();
    assert!(!answers());
}

/// `tests/run` ends with this one, in case that its tests were killed.
#[test]
fn nothing_is_left_behind() {
    let Some(()) = require_hosts() else { return };
    sweep();
}
