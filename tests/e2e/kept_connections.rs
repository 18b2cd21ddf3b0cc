//! The connection outlives its command for a while, and nothing goes wrong because of it.

use crate::connections::logins;
use crate::shop::{Shop, WEB, current, releases, serves};
use crate::support::{Host, Run, Running, eventually, require_hosts};
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// A host with v1 of the shop on it, and a person who keeps connections for a minute.
fn kept() -> (Host, Shop) {
    let host = Host::boot("web1");
    let mut shop = Shop::on([&host]);
    shop.set_env("SHIP_SSH_PERSIST", "60");
    shop.deploy().ok();
    (host, shop)
}

/// How many logins it takes to ask for the status.
#[track_caller]
fn logins_of_a_status(host: &Host, shop: &Shop) -> usize {
    let before = logins(host);
    shop.ship(&["status"]).ok().stdout_has("healthy");
    logins(host) - before
}

fn mode(path: &Path) -> u32 {
    let found = fs::symlink_metadata(path).expect("a file");
    found.mode() & 0o7777
}

#[test]
fn what_follows_a_deploy_makes_no_login() {
    let Some(()) = require_hosts() else { return };
    let (host, shop) = kept();
    let before = logins(&host);
    shop.deploy_version("v2").ok();
    shop.ship(&["rollback"]).ok();
    serves(&host, "v1", "v1");
    shop.ship(&["logs", "--lines", "1"]).ok();
    let exec = shop.ship(&["exec", "production", "--", "cat", "app/VERSION"]);
    assert_eq!(exec.ok().stdout, "v1\n");
    assert_eq!(logins_of_a_status(&host, &shop), 0);
    assert_eq!(logins(&host), before);

    // Nobody else gets at it.
    let masters = shop.masters();
    assert_eq!(mode(masters.folder()), 0o700);
    assert_eq!(masters.folders().len(), 1);
    assert_eq!(mode(&masters.folders()[0]), 0o700);
    let sockets = masters.sockets();
    assert_eq!(sockets.len(), 1);
    let kind = fs::symlink_metadata(&sockets[0]).expect("a socket");
    assert!(kind.file_type().is_socket());
    assert_eq!(mode(&sockets[0]), 0o600);
}

#[test]
fn it_is_off_where_it_must_be_and_new_where_anything_is_different() {
    let Some(()) = require_hosts() else { return };
    let (host, mut shop) = kept();
    assert_eq!(logins_of_a_status(&host, &shop), 0);
    shop.set_env("SHIP_SSH_PERSIST", "0");
    assert_eq!(logins_of_a_status(&host, &shop), 1, "turned off");
    shop.unset_env("SHIP_SSH_PERSIST");
    shop.set_env("CI", "true");
    assert_eq!(logins_of_a_status(&host, &shop), 1, "in CI");
    shop.unset_env("CI");
    assert_eq!(logins_of_a_status(&host, &shop), 0, "the default");

    let key = fs::read_to_string(shop.home().join(".ssh/id_ed25519")).expect("a key");
    shop.set_env("SHIP_SSH_KEY", &key);
    assert_eq!(logins_of_a_status(&host, &shop), 1, "a key's content");
    let run = shop.home().with_file_name("run");
    let keys = shop
        .command("grep")
        .args(["-rl", "PRIVATE KEY"])
        .arg(run)
        .output();
    assert_eq!(keys.expect("grep").stdout, b"", "keys left on the disk");
    let path = shop.home().join(".ssh/another");
    fs::copy(shop.home().join(".ssh/id_ed25519"), &path).expect("a copy");
    shop.set_env("SHIP_SSH_KEY", &path.to_string_lossy());
    assert_eq!(logins_of_a_status(&host, &shop), 1, "another key");
    assert_eq!(logins_of_a_status(&host, &shop), 0, "the same key");
    shop.unset_env("SHIP_SSH_KEY");

    let config = fs::read_to_string(shop.ssh_config()).expect("a config");
    fs::write(shop.ssh_config(), format!("{config}  Compression yes\n")).expect("write");
    assert_eq!(logins_of_a_status(&host, &shop), 1, "another configuration");
    let pin = format!("{} {}\n", host.addr(), host.host_key());
    shop.write(".ship/known_hosts", pin);
    assert_eq!(logins_of_a_status(&host, &shop), 1, "another pinned key");
    assert_eq!(logins_of_a_status(&host, &shop), 0, "the same pinned key");
    fs::write(shop.home().join(".ssh/known_hosts"), "").expect("write");
    shop.write(".ship/known_hosts", "");
    shop.ship(&["status"]).code(6);

    // A folder that others could have made is not used.
    let folder = shop.masters().folder().to_owned();
    shop.masters().kill();
    fs::remove_dir_all(&folder).expect("remove");
    std::os::unix::fs::symlink(shop.home(), &folder).expect("a link");
    shop.write(
        ".ship/known_hosts",
        format!("{} {}\n", host.addr(), host.host_key()),
    );
    assert_eq!(logins_of_a_status(&host, &shop), 1);
    assert_eq!(logins_of_a_status(&host, &shop), 1);
    shop.set_env("SHIP_SSH_PERSIST", "soon");
    shop.ship(&["status"])
        .code(2)
        .stderr_has("SHIP_SSH_PERSIST is `soon`");
}

#[test]
fn a_dead_connection_is_replaced() {
    let Some(()) = require_hosts() else { return };
    let (host, shop) = kept();

    // Its socket stays behind and refuses.
    shop.masters().kill();
    assert_eq!(logins_of_a_status(&host, &shop), 1, "killed");
    assert_eq!(shop.masters().folders().len(), 1, "the dead one is gone");

    // The other end went away.
    host.sh("pkill -f '[s]shd: deploy'");
    assert_eq!(logins_of_a_status(&host, &shop), 1, "closed by the host");

    // The network changed: nothing is heard of the host on the old connection, nor that it ended.
    host.sh("pkill -STOP -f '[s]shd: deploy'");
    let silent = shop.ship(&["status"]);
    silent.ok().stdout_has("healthy");
    host.sh("pkill -CONT -f '[s]shd: deploy'");

    // The master itself hangs.
    shop.masters().signal("STOP");
    let hung = shop.ship(&["status"]);
    hung.ok().stdout_has("healthy");
    assert_eq!(logins_of_a_status(&host, &shop), 0, "the new one is kept");

    // The host's network is really away: said as ever.
    host.link_down();
    let away = shop.ship(&["status"]);
    away.code(6).stdout_has("unreachable");
    host.link_up();
    host.wait_for_ssh();
    shop.ship(&["status"]).ok();
}

/// The shortest time there is: the connection must not end before its own command has used it.
#[test]
fn nothing_is_left_when_it_was_idle_long_enough() {
    let Some(()) = require_hosts() else { return };
    let (host, mut shop) = kept();
    shop.masters().kill();
    shop.set_env("SHIP_SSH_PERSIST", "1");
    for _ in 0..30 {
        shop.ship(&["status"]).ok();
        shop.masters().kill();
    }
    shop.ship(&["status"]).ok();
    eventually("the connection to end", || {
        shop.masters().sockets().is_empty() && host.sh("pgrep -fc '[s]shd: deploy' || true") == "0"
    });
    shop.ship(&["status"]).ok();
    assert_eq!(shop.masters().folders().len(), 1, "left-over folders");
}

#[test]
fn two_commands_at_once_do_not_collide() {
    let Some(()) = require_hosts() else { return };
    let (host, shop) = kept();
    shop.masters().kill();
    let both = [(); 4].map(|()| shop.spawn(&["status"]));
    for run in both.map(Running::wait) {
        run.ok().stdout_has("healthy");
    }
    assert_eq!(logins_of_a_status(&host, &shop), 0);
}

/// The processes of the agent on the host.
fn agents(host: &Host) -> String {
    host.sh("pgrep -fc '[a]gent (serve|transaction)' || true")
}

/// The end of a command is heard on the host although the connection goes on.
#[test]
fn what_is_interrupted_or_killed_ends_on_the_host() {
    let Some(()) = require_hosts() else { return };
    let (host, mut shop) = kept();
    for signal in ["INT", "KILL"] {
        let logs = shop.spawn(&["logs", "-f"]);
        logs.wait_for("shop v1 opens");
        logs.signal(signal);
        ended(logs, signal);
        eventually("the logs to end", || agents(&host) == "0");

        let exec = shop.spawn(&["exec", "production", "--", "sh", "-c", "echo on; sleep 987"]);
        exec.wait_for("on");
        exec.signal(signal);
        ended(exec, signal);
        eventually("the command to end", || {
            host.sh("pgrep -fc '[s]leep 987' || true") == "0" && agents(&host) == "0"
        });
    }
    assert_eq!(logins_of_a_status(&host, &shop), 0);

    shop.tables = format!("{WEB}\n[hooks]\nbefore-activate = [\"touch /tmp/waits; sleep 987\"]\n");
    shop.write_manifest();
    shop.version("v2");
    let deploy = shop.start_deploy(&[]);
    eventually("the hook to run", || host.exists("/tmp/waits"));
    deploy.signal("KILL");
    ended(deploy, "KILL");
    eventually("the lock to be free", || {
        let lock = host.exec("flock -n /srv/shop/.ship/lock true");
        lock.status.success() && agents(&host) == "0"
    });
    assert_eq!(
        (current(&host), releases(&host)),
        ("releases/v1".into(), vec!["v1".into()])
    );
    shop.tables = WEB.to_owned();
    shop.write_manifest();
    let before = logins(&host);
    shop.deploy().ok();
    assert_eq!(logins(&host), before);
}

fn ended(running: Running, signal: &str) -> Run {
    let run = running.wait();
    if signal == "KILL" {
        run.killed_by(9);
    }
    run
}

/// Whoever reads the output of a command is not kept waiting by the connection that stays.
#[test]
fn output_ends_with_the_command() {
    let Some(()) = require_hosts() else { return };
    let (host, shop) = kept();
    shop.masters().kill();
    let ship = env!("CARGO_BIN_EXE_ship");
    for script in [
        format!("{ship} status 2>&1 | cat"),
        format!("out=$({ship} status 2>&1); echo \"$out\""),
        format!("exec 9>lock; flock 9; {ship} status; exec 9>&-; flock -n lock true"),
    ] {
        let run = Running::start(shop.command("sh").args(["-c", &script])).wait();
        run.ok().stdout_has("healthy");
        assert_eq!(shop.masters().sockets().len(), 1);
        shop.masters().kill();
    }
    serves(&host, "v1", "v1");
}

/// A login has the groups that its user had when it began, and the log of a service is for members
/// of a group that setup adds the user to.
#[test]
fn a_login_that_lacks_a_group_is_replaced() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let mut shop = Shop::planned_on([&host]);
    shop.set_env("SHIP_SSH_PERSIST", "60");
    shop.deploy().code(5);
    assert_eq!(shop.masters().sockets().len(), 1, "a kept connection");
    shop.setup();
    shop.tables = WEB.replace("python3 app/shop.py", "echo out of cheese; exit 3");
    shop.write_manifest();
    shop.deploy().code(7).stderr_has("out of cheese");

    // The new login is kept in its place; another group, another login.
    let status = || {
        let before = logins(&host);
        shop.ship(&["status"]);
        logins(&host) - before
    };
    assert_eq!(status(), 0);
    host.sh("groupadd cheese && usermod --append --groups cheese deploy");
    assert_eq!((status(), status()), (1, 0));
}
