//! The connection breaks in the middle of a deploy, or the controller does: what is done on the
//! hosts goes on, or goes back, by itself.

use crate::shop::{HELD_PYTHON, Shop, WEB, answer, current, row, serves};
use crate::support::{Fleet, Host, eventually, require_hosts};
use std::thread::sleep;
use std::time::Duration;

/// A shop with `v1` live, whose next release takes so long to settle.
fn settling(hosts: &[Host], settle: &str, lease: &str) -> Shop {
    let mut shop = Shop::on(hosts);
    shop.deploy().ok();
    let settle = format!("\"{settle}\"");
    shop.tables = WEB.replace("\"1s\"", &settle).replace("\"20s\"", "\"20m\"");
    shop.environment = format!("rollout = {{ lease = \"{lease}\" }}");
    shop.write_manifest();
    shop.version("v2");
    shop
}

fn switched(hosts: &[Host], release: &str) {
    for host in hosts {
        let target = format!("releases/{release}");
        eventually("the switch", || current(host) == target);
    }
}

fn unlocked(host: &Host) {
    eventually("the lock to be free", || {
        let flock = host.exec("flock -n /srv/shop/.ship/lock true");
        flock.status.success()
    });
}

/// Kills the ssh processes of this person.
pub fn kill_ssh(shop: &Shop) {
    // ssh(1) has its control socket's path in its title.
    let home = shop.home();
    let theirs = home.parent().expect("a folder of this person");
    let theirs = format!("^ssh.*{}", theirs.display());
    let killed = std::process::Command::new("pkill")
        .args(["-KILL", "-f", &theirs])
        .status();
    assert!(killed.expect("pkill").success(), "there is none");
}

#[test]
fn ten_seconds_without_a_network_are_one_line() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(2);
    let shop = settling(&fleet, "15s", "30s");
    let deploy = shop.start_deploy(&[]);
    switched(&fleet, "v2");
    fleet[1].link_down();
    sleep(Duration::from_secs(10));
    fleet[1].link_up();
    let run = deploy.wait();
    run.ok();
    assert_eq!(run.stderr.matches("reconnecting").count(), 1, "{run}");
    for host in &*fleet {
        serves(host, "v2", "v2");
    }
}

#[test]
fn a_connection_that_is_killed_is_made_anew() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = settling(std::slice::from_ref(&host), "5s", "30s");
    let deploy = shop.start_deploy(&[]);
    switched(std::slice::from_ref(&host), "v2");
    kill_ssh(&shop);
    deploy.wait().ok().stderr_has("was lost, reconnecting");
    serves(&host, "v2", "v2");

    // While content travels: what came is not sent again.
    let noise: Vec<u8> = blake(40 << 20);
    shop.write("app/noise", &noise);
    shop.version("v3");
    host.limit_rate(Some(60));
    let deploy = shop.start_deploy(&["--json"]);
    deploy.wait_for("transferring");
    sleep(Duration::from_secs(2));
    kill_ssh(&shop);
    let run = deploy.wait();
    host.limit_rate(None);
    run.ok().stdout_has("reconnecting");
    serves(&host, "v3", "v3");
    let sent = run
        .stdout
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find(|event| event["event"] == "finished")
        .and_then(|event| event["outcome"]["sent"].as_u64())
        .expect("bytes that were sent");
    let whole = noise.len() as u64;
    assert!((whole..whole + whole / 2).contains(&sent), "{sent}: {run}");
}

/// Bytes that do not compress.
fn blake(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new()
        .update(b"noise")
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

#[test]
fn a_minute_without_a_network_ends_on_the_old_release_and_says_so() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(2);
    let shop = settling(&fleet, "8s", "5s");
    let deploy = shop.start_deploy(&[]);
    switched(&fleet, "v2");
    fleet[1].link_down();
    sleep(Duration::from_secs(60));
    fleet[1].link_up();
    let run = deploy.wait();
    run.code(7).stderr_has("was not heard of");
    for host in &*fleet {
        serves(host, "v1", "v1");
    }
    shop.deploy().ok();
    for host in &*fleet {
        assert_eq!(crate::shop::answer(host, "/"), "v2");
    }
}

#[test]
fn a_controller_that_is_killed_is_not_waited_for_longer_than_the_lease() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(2);
    // Only the lease can end this proof; `benches/chaos --figures` measures how soon.
    let mut shop = settling(&fleet, "10m", "5s");
    let deploy = shop.start_deploy(&[]);
    switched(&fleet, "v2");
    deploy.signal("KILL");
    deploy.wait().killed_by(9);
    for host in &*fleet {
        eventually("the old release", || crate::shop::answer(host, "/") == "v1");
    }
    // Its proof is still to come to its end.
    for host in &*fleet {
        unlocked(host);
        serves(host, "v1", "v1");
    }
    let history = shop.ship(&["history"]);
    history
        .ok()
        .stdout_has("reverted")
        .stdout_has("the length of the lease");
    shop.ship(&["status"]).ok().stdout_has("healthy");
    shop.tables = shop.tables.replace("\"10m\"", "\"1s\"");
    shop.write_manifest();
    shop.deploy().ok();
}

/// Where nobody can come back (there was no inode for the door), the rest of the lease is waited for
/// in peace.
#[test]
fn a_wait_for_a_controller_that_is_killed_takes_no_processor() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = settling(std::slice::from_ref(&host), "2s", "20s");
    host.sh("rm -f /srv/shop/.ship/transaction.sock && mkdir /srv/shop/.ship/transaction.sock");
    let deploy = shop.start_deploy(&[]);
    switched(std::slice::from_ref(&host), "v2");
    deploy.signal("KILL");
    deploy.wait().killed_by(9);
    eventually("the proof", || {
        host.read("/srv/shop/.ship/journal.jsonl")
            .contains("proven")
    });
    let ticks = || -> u64 {
        let used = "awk '{ print $14 + $15 }' /proc/$(pgrep -f '[a]gent transaction')/stat";
        host.sh(used).parse().expect("a number")
    };
    let before = ticks();
    sleep(Duration::from_secs(2));
    let used = ticks() - before;
    assert!(used < 50, "{used} hundredths of a second in two seconds");
    eventually("the way back", || current(&host) == "releases/v1");
}

/// A laptop that sleeps for longer than the lease.
#[test]
fn a_controller_that_sleeps_learns_what_was_done_meanwhile() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = settling(std::slice::from_ref(&host), "12s", "5s");
    let deploy = shop.start_deploy(&[]);
    switched(std::slice::from_ref(&host), "v2");
    deploy.signal("STOP");
    eventually("the way back", || current(&host) == "releases/v1");
    sleep(Duration::from_secs(3));
    deploy.signal("CONT");
    deploy.wait().code(7).stderr_has("the length of the lease");
    serves(&host, "v1", "v1");
}

/// The same where the first host was done before it went back by itself.
#[test]
fn a_controller_that_sleeps_learns_what_became_of_a_host_that_was_done() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(2);
    let mut shop = settling(&fleet, "3s", "5s");
    let rules = "strategy = \"rolling\", batch = 1, on-failure = \"stop\"";
    shop.environment = format!("rollout = {{ lease = \"5s\", {rules} }}");
    shop.write_manifest();
    let deploy = shop.start_deploy(&[]);
    switched(&fleet, "v2");
    deploy.signal("STOP");
    switched(&fleet, "v1");
    deploy.signal("CONT");
    let run = deploy.wait();
    run.code(7).stderr_has("was not heard of");
    for host in &*fleet {
        serves(host, "v1", "v1");
        let row = crate::shop::row(&run.stderr, host.name());
        assert_eq!(row[1..4], ["v1", "v1", "healthy"], "{run}");
    }
}

/// It was told of as one that needs a person: how it ended was said once, to whoever ran the hook.
#[test]
fn a_host_that_went_back_while_its_hook_ran_is_told_of_as_it_is() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(2);
    let mut shop = Shop::on(&*fleet);
    shop.deploy().ok();
    let hook = "{ name = \"warm\", run = \"sleep 1000\" }";
    shop.tables
        .push_str(&format!("[hooks]\nafter-activate = [{hook}]\n"));
    for (policy, version, code) in [("revert-all", "v2", 7), ("stop", "v3", 9)] {
        shop.environment = format!("rollout = {{ lease = \"5s\", on-failure = \"{policy}\" }}");
        shop.write_manifest();
        shop.version(version);
        let deploy = shop.start_deploy(&[]);
        deploy.wait_for("hook `warm`");
        fleet[0].link_down();
        kill_ssh(&shop);
        switched(&fleet[..1], "v1");
        unlocked(&fleet[0]);
        fleet[0].link_up();
        let run = deploy.wait();
        run.code(code);
        let row = row(&run.stderr, "web1");
        assert_eq!(row[1..4], ["v1", "v1", "healthy"], "{run}");
        assert!(row.join(" ").contains("was not heard of"), "{run}");
        serves(&fleet[0], "v1", "v1");
        let other = if code == 7 { "v1" } else { version };
        serves(&fleet[1], other, other);
    }
}

/// Each host that was done ended the attempt to reach the one that waits, and the next began anew:
/// where a login takes longer than a host's turn, none came to its end within the lease.
#[test]
fn a_host_that_waits_for_its_turn_is_reached_again_by_a_slow_login() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(3);
    let mut shop = settling(&fleet, "1500ms", "5s");
    shop.environment = "rollout = { lease = \"5s\", strategy = \"rolling\", batch = 1 }".to_owned();
    shop.write_manifest();
    let deploy = shop.start_deploy(&[]);
    switched(&fleet[..1], "v2");
    // sshd(8) runs this before the command.
    fleet[2].write("/etc/ssh/sshrc", "sleep 2\n");
    fleet[2].sh("pkill -KILL -f '^sshd: deploy'");
    let run = deploy.wait();
    run.ok();
    assert_eq!(run.stderr.matches("reconnecting").count(), 1, "{run}");
    for host in &*fleet {
        serves(host, "v2", "v2");
    }
}

/// One that cannot be heard must not find the others told that the release stays.
#[test]
fn nobody_is_told_that_the_release_stays_while_a_host_is_away() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(2);
    let mut shop = Shop::on(&*fleet);
    shop.deploy().ok();
    let hook = "{ name = \"warm\", run = \"until test -e /tmp/go; do sleep 0.1; done\" }";
    shop.tables
        .push_str(&format!("[hooks]\nafter-activate = [{hook}]\n"));
    shop.environment = "rollout = { lease = \"5s\" }".into();
    shop.write_manifest();
    shop.version("v2");
    let deploy = shop.start_deploy(&[]);
    deploy.wait_for("hook `warm`");
    switched(&fleet, "v2");
    fleet[1].link_down();
    fleet[0].sh("touch /tmp/go");
    sleep(Duration::from_secs(2));
    deploy.signal("KILL");
    eventually("the way back", || current(&fleet[1]) == "releases/v1");
    fleet[1].link_up();
    for host in &*fleet {
        eventually("the way back", || answer(host, "/") == "v1");
        unlocked(host);
    }
}

/// The history told of a cancel, though nobody had asked for one.
#[test]
fn who_comes_back_before_the_way_back_has_ended_learns_why_it_is_gone() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = settling(std::slice::from_ref(&host), "10m", "5s");
    let deploy = shop.start_deploy(&[]);
    eventually("the new release", || answer(&host, "/") == "v2");
    host.write("/usr/local/bin/python3", HELD_PYTHON);
    host.sh("chmod 755 /usr/local/bin/python3; touch /etc/hold");
    deploy.signal("STOP");
    switched(std::slice::from_ref(&host), "v1");
    deploy.signal("CONT");
    // It is heard of again, and nobody can see when.
    sleep(Duration::from_secs(4));
    host.sh("rm /etc/hold");
    let run = deploy.wait();
    run.code(7);
    let row = row(&run.stderr, "web1").join(" ");
    assert!(row.contains("was not heard of"), "{run}");
    shop.ship(&["history"])
        .ok()
        .stdout_has("the length of the lease");
}
