//! The way to a host, and those who meet on it.

use crate::shop::{Shop, WEB, current, releases, serves};
use crate::support::{Controller, Fleet, Host, eventually, require_hosts};

/// How many connections were let in so far.
pub fn logins(host: &Host) -> usize {
    let count = host.sh("journalctl --sync; journalctl -q --no-pager -t sshd | grep -c 'Accepted publickey' || true");
    count.parse().expect("a number")
}

#[test]
fn a_warm_deploy_is_one_connection_and_a_few_round_trips() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = Shop::on([&host]);
    shop.deploy().ok();
    let before = logins(&host);
    shop.version("v2");
    let warm = shop.ship(&["deploy", "production", "--verbose"]);
    serves(&host, "v2", "v2");
    let trips = warm
        .ok()
        .stderr
        .lines()
        .filter(|line| line.contains("round trip "))
        .count();
    // Lock and offer go together; then content, and the activation.
    assert!((1..=4).contains(&trips), "{trips} round trips\n{warm}");
    assert!(!warm.stderr.contains("the agent was sent"), "{warm}");
    shop.ship(&["status"]).ok();
    assert_eq!(
        logins(&host),
        before + 2,
        "one for the deploy, one for the status"
    );
}

#[test]
fn a_host_key_is_known_or_nothing_happens() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    Shop::on([&host]).deploy().ok();
    let address = format!("deploy@{}", host.addr());
    let newcomer = Shop::with(Controller::new(), &[&address]);
    newcomer.version("v2");

    let unknown = newcomer.deploy();
    let hint = format!(
        "hint: compare its fingerprint and pin it: ship host trust {}",
        host.addr()
    );
    unknown
        .code(6)
        .stderr_has("its host key is not known")
        .stderr_has(&hint);

    // Pinned in the project, once the fingerprint is right.
    let trust = |fingerprint: &str| {
        newcomer.ship(&["host", "trust", &address, "--fingerprint", fingerprint])
    };
    trust("SHA256:somebodyelse").code(5);
    newcomer.deploy().code(6);
    serves(&host, "v1", "v1");
    let listed = host.sh("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub");
    trust(listed.split_whitespace().nth(1).expect("a fingerprint")).ok();
    newcomer.deploy().ok();
    serves(&host, "v2", "v2");

    // Another key under the same address.
    host.break_host_key();
    let changed = newcomer.deploy_version("v3");
    changed
        .code(6)
        .stderr_has("its host key is not the one that is known");
    changed.stderr_has(&format!("ship host trust {}", host.addr()));
    newcomer.ship(&["status"]).code(6);
    serves(&host, "v2", "v2");
}

#[test]
fn a_host_that_lets_nobody_in_or_is_away_stops_a_deploy_before_it_begins() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(2);
    let mut shop = Shop::on(&*fleet);
    shop.deploy().ok();
    shop.version("v2");
    let nothing_happened = || {
        assert_eq!(
            (current(&fleet[0]), releases(&fleet[0])),
            ("releases/v1".into(), vec!["v1".into()])
        );
        serves(&fleet[0], "v1", "v1");
    };

    fleet[1].sh("mv /home/deploy/.ssh/authorized_keys /root/keys");
    let refused = shop.deploy();
    refused
        .code(6)
        .stderr_has("deploy@web2: the host refuses every key that ssh offers");
    refused.stderr_has("~/.ssh/authorized_keys on the host");
    nothing_happened();
    fleet[1].sh("mv /root/keys /home/deploy/.ssh/authorized_keys");

    // The build is not waited for: it would take minutes.
    fleet[1].link_down();
    shop.tables = format!("{WEB}\n[build]\nsteps = [\"sleep 600\"]\n");
    shop.write_manifest();
    let away = shop.deploy();
    away.code(6).stderr_has("deploy@web2");
    nothing_happened();
    let status = shop.ship(&["status"]);
    status.code(6).stdout_has("v1").stdout_has("unreachable");

    fleet[1].link_up();
    fleet[1].wait_for_ssh();
    shop.tables = WEB.to_owned();
    shop.write_manifest();
    shop.deploy().ok();
    for host in &*fleet {
        serves(host, "v2", "v2");
    }
}

#[test]
fn logins_that_talk_and_odd_shells_do_no_harm() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = Shop::on([&host]);
    let bashrc = host.read("/home/deploy/.bashrc");
    let noise = "timeout 0.1 cat > /tmp/swallowed; echo \"welcome $USER\"; echo 'disk is 97% full' >&2; printf 'no newline'\n";
    host.write("/home/deploy/.bashrc", format!("{noise}{bashrc}"));
    host.write("/etc/banner", "Authorised persons only!\n");
    host.write("/etc/ssh/sshd_config.d/banner.conf", "Banner /etc/banner\n");
    host.restart_ssh();
    let left = host.sh("stat -c '%U %a' /srv/shop/.ship/bin/ship-*");
    assert_eq!(left, "deploy 755", "the agent that set the host up");
    let noisy = shop.deploy();
    assert!(!noisy.ok().stderr.contains("the agent was sent"), "{noisy}");
    assert!(!host.exists("/home/deploy/.cache/ship"));
    serves(&host, "v1", "v1");
    let exec = shop.ship(&["exec", "production", "--", "echo", "clean"]);
    assert_eq!(exec.ok().stdout, "clean\n");

    host.set_shell("deploy", "/usr/bin/fish");
    host.write(
        "/home/deploy/.config/fish/config.fish",
        "echo 'glub'; set -x GLUB 1\n",
    );
    host.sh("rm -rf /srv/shop/.ship/bin/* /home/deploy/.cache/ship");
    shop.deploy_version("v2")
        .ok()
        .stderr_has("the agent was sent first");
    serves(&host, "v2", "v2");

    host.set_shell("deploy", "/usr/sbin/nologin");
    let closed = shop.deploy_version("v3");
    closed
        .code(6)
        .stderr_has("This account is currently not available");
    serves(&host, "v2", "v2");
}

/// As a power cut leaves what was not synced, a failing disk, or somebody.
#[test]
fn an_agent_that_does_not_start_is_replaced() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = Shop::on([&host]);
    shop.deploy().ok();
    let damages = [
        "head -c 1000000 $f",
        "head -c 100000 $f",
        "head -c 5000000 /dev/zero",
        "true",
    ];
    for damage in damages {
        host.sh(&format!(
            "cd /srv/shop/.ship/bin && f=$(ls ship-*) && {damage} > new && chmod 755 new && mv new $f"
        ));
        shop.ship(&["status"]).ok().stdout_has("healthy");
        host.sh("cd /srv/shop/.ship/bin && cmp ship-* recovery");
    }
}

/// A hook that lets a deploy wait, with the lock held, until `/tmp/go` is there.
const PATIENT: &str = "\n[hooks]\nbefore-activate = [\"touch /tmp/waits; while ! test -e /tmp/go; \
                       do sleep 0.05; done\"]\n";

/// Two people with the same shop, which deploys patiently.
fn two_people(host: &Host) -> [Shop; 2] {
    let mut dev = Shop::on([host]);
    dev.deploy().ok();
    let mut ann = Shop::with(Controller::knowing([host]), &["deploy@web1"]);
    ann.set_env("USER", "ann");
    ann.version("ann's");
    dev.version("dev's");
    for shop in [&mut dev, &mut ann] {
        shop.tables = format!("{WEB}{PATIENT}");
        shop.environment = "rollout = { lease = \"5s\" }".into();
        shop.write_manifest();
    }
    [dev, ann]
}

#[test]
fn of_two_deploys_one_waits_or_is_told_who_is_at_it() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let [dev, ann] = two_people(&host);
    let first = dev.start_deploy(&[]);
    eventually("the first to hold the lock", || host.exists("/tmp/waits"));

    let refused = ann.deploy();
    refused
        .code(5)
        .stderr_has("another deploy is being done by dev@")
        .stderr_has("--wait");
    ann.ship(&["status"]).ok().stdout_has("deploy by dev@");
    ann.ship(&["rollback"]).code(5);
    ann.ship(&["deploy", "production", "--wait", "1s"])
        .code(5)
        .stderr_has("dev@");

    let second = ann.start_deploy(&["--wait", "2m"]);
    second.wait_for("a deploy is being done by dev@");
    assert_eq!(current(&host), "releases/v1");
    host.sh("touch /tmp/go");
    first.wait().ok().stderr_has("shop v2 is live");
    second.wait().ok().stderr_has("shop v3 is live");
    serves(&host, "v3", "ann's");
    ann.ship(&["rollback"]).ok();
    serves(&host, "v2", "dev's");
}

#[test]
fn a_deploy_that_is_killed_leaves_no_lock() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let [dev, ann] = two_people(&host);
    let killed = dev.start_deploy(&[]);
    eventually("the deploy to hold the lock", || host.exists("/tmp/waits"));
    assert!(
        !host
            .exec("flock -n /srv/shop/.ship/lock true")
            .status
            .success()
    );
    killed.signal("KILL");
    killed.wait().killed_by(9);

    eventually("the lock to be free", || {
        host.exec("flock -n /srv/shop/.ship/lock true")
            .status
            .success()
    });
    serves(&host, "v1", "v1");
    assert_eq!(releases(&host), ["v1"]);
    assert_eq!(
        host.sh("pgrep -c -f '[w]hile ! test' || true"),
        "0",
        "the hook goes on"
    );
    host.sh("touch /tmp/go");
    ann.deploy().ok();
    assert_eq!(current(&host).split('/').next(), Some("releases"));
    serves(&host, &releases(&host)[1], "ann's");
}

/// What lies in the deploying user's folder is that user's to change.
#[test]
fn setup_as_root_runs_nothing_of_the_deploying_user() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = Shop::on([&host]);
    shop.deploy().ok();
    let trap = "#!/bin/sh\nid -un >> /tmp/ran\n";
    host.write("/tmp/trap", trap);
    host.sh("cd /srv/shop/.ship/bin && install -o deploy -m 755 /tmp/trap new && mv new ship-*");
    shop.setup();
    assert!(!host.exists("/tmp/ran"), "{}", host.sh("cat /tmp/ran"));

    // Nor does any other command that logs in as root, who keeps what it runs where it alone writes.
    let root = Shop::with(Controller::knowing([&host]), &["root@web1"]);
    root.ship(&["status"]);
    root.ship(&["exec", "production", "--", "true"]);
    assert!(!host.exists("/tmp/ran"), "{}", host.sh("cat /tmp/ran"));
    let found = host.sh("find /var/lib/ship -name 'ship-*' -user root -perm 755");
    assert_eq!(found.lines().count(), 1, "{found}");
    assert_eq!(host.sh("find /srv/shop -user root"), "");
}

/// What an activation left half done there is the deploying user's to repair: its folders could be
/// links by now.
#[test]
fn setup_as_root_repairs_nothing_of_the_deploying_user() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = Shop::on([&host]);
    shop.deploy().ok();
    shop.deploy_version("v2").ok();
    host.write("/root/precious/file", "precious");
    let left = r#"{"step":"flipping","from":1,"to":2}"#;
    host.sh_as(
        "deploy",
        &format!(
            "cd /srv/shop/.ship && echo '{left}' > journal.jsonl &&
             mv staging was && ln -s /root/precious staging"
        ),
    );
    shop.setup();
    assert_eq!(host.read("/root/precious/file"), "precious");
    assert_eq!(host.sh("find /srv/shop -uid 0"), "");
    serves(&host, "v2", "v2");

    host.sh("cd /srv/shop/.ship && rm staging && mv was staging");
    shop.ship(&["status"]).ok();
    serves(&host, "v1", "v1");
}
