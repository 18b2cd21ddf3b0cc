//! One release, three hosts.

use crate::shop::{HELD_PYTHON, Shop, WEB, answer, current, history, releases, row, serves};
use crate::support::{Fleet, Host, Process, Running, eventually, require_hosts};

/// When the service of the shop was started, µs of the clock that all hosts share.
pub fn started(host: &Host) -> u64 {
    let shown = host.sh("systemctl show --value -p ExecMainStartTimestampMonotonic shop-web");
    shown.parse().expect("a time")
}

#[test]
fn a_release_reaches_all_hosts_at_once_or_one_by_one() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(3);
    let mut shop = Shop::on(&*fleet);

    let all = shop.deploy();
    all.ok()
        .stderr_has("shop v1 is live on production (3 hosts)");
    for host in &*fleet {
        serves(host, "v1", "v1");
        assert_eq!(history(host), ["deploy v1: good"]);
    }

    // One by one: nobody starts before the one before has settled for a second.
    shop.environment = "rollout = { strategy = \"rolling\", batch = 1 }".into();
    shop.write_manifest();
    shop.deploy_version("v2").ok();
    let starts: Vec<u64> = fleet.iter().map(started).collect();
    for pair in starts.windows(2) {
        assert!(pair[0] + 1_000_000 < pair[1], "one by one: {starts:?}");
    }
    for host in &*fleet {
        serves(host, "v2", "v2");
        assert_eq!(history(host), ["deploy v2: good", "deploy v1: good"]);
    }

    // A rollback goes everywhere at once: the others do not wait for the first.
    fleet[0].write("/usr/local/bin/python3", HELD_PYTHON);
    fleet[0].sh("chmod 755 /usr/local/bin/python3; touch /etc/hold");
    let rollback = Running::start(shop.command(env!("CARGO_BIN_EXE_ship")).arg("rollback"));
    for host in &fleet[1..] {
        eventually("the others to be back", || answer(host, "/") == "v1");
    }
    fleet[0].sh("rm /etc/hold");
    rollback
        .wait()
        .ok()
        .stderr_has("shop v1 is live again on production (3 hosts)");
    for host in &*fleet {
        serves(host, "v1", "v1");
    }
}

#[test]
fn where_one_host_fails_all_go_back() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(3);
    let mut shop = Shop::on(&*fleet);
    shop.deploy().ok();

    fleet[1].write("/etc/shop-refuses", "v2");
    let failed = shop.deploy_version("v2");
    failed.code(7).stderr_has("v2 does not run on this machine");
    for (host, why) in fleet
        .iter()
        .zip(["v2 failed on", "web: the process ended", "v2 failed on"])
    {
        serves(host, "v1", "v1");
        let row = row(&failed.stderr, host.name());
        assert_eq!(row[1..4], ["v1", "v1", "healthy"], "{failed}");
        // How long the service did not answer stands before the reason: `512 ms`, `1.2s`.
        assert!(row[4..].join(" ").contains(why), "{failed}");
        assert_eq!(history(host), ["deploy v2: reverted", "deploy v1: good"]);
    }

    // The same, one by one: the third host is never touched.
    shop.environment = "rollout = { strategy = \"rolling\", batch = 1 }".into();
    shop.write_manifest();
    fleet[1].write("/etc/shop-refuses", "v3");
    let untouched = started(&fleet[2]);
    let failed = shop.deploy_version("v3");
    failed.code(7);
    for host in &*fleet {
        serves(host, "v1", "v1");
    }
    assert_eq!(started(&fleet[2]), untouched);
    assert_eq!(row(&failed.stderr, "web3")[1..3], ["v1", "v1"], "{failed}");
    assert!(
        row(&failed.stderr, "web3")
            .join(" ")
            .ends_with("not touched"),
        "{failed}"
    );
    assert!(!releases(&fleet[2]).contains(&"v3".to_owned()));

    // The fault was the host's: when it is mended, a deploy of the same goes through.
    fleet[1].sh("rm /etc/shop-refuses");
    shop.deploy().ok();
    for host in &*fleet {
        serves(host, releases(host).last().expect("a release"), "v3");
    }
}

#[test]
fn with_on_failure_stop_the_hosts_that_are_done_stay() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(3);
    let mut shop = Shop::on(&*fleet);
    shop.environment =
        "rollout = { strategy = \"rolling\", batch = 1, on-failure = \"stop\" }".into();
    shop.write_manifest();
    shop.deploy().ok();

    fleet[1].write("/etc/shop-refuses", "v2");
    let stopped = shop.deploy_version("v2");
    stopped
        .code(9)
        .stderr_has("the hosts that were done stay on it, as the policy says");
    serves(&fleet[0], "v2", "v2");
    serves(&fleet[1], "v1", "v1");
    serves(&fleet[2], "v1", "v1");
    assert_eq!(
        row(&stopped.stderr, "web1")[1..4],
        ["v1", "v2", "healthy"],
        "{stopped}"
    );
    assert_eq!(
        row(&stopped.stderr, "web2")[1..4],
        ["v1", "v1", "healthy"],
        "{stopped}"
    );
    assert!(
        row(&stopped.stderr, "web3")
            .join(" ")
            .ends_with("not touched"),
        "{stopped}"
    );
    let status = shop.ship(&["status"]);
    assert_eq!(row(&status.ok().stdout, "web1")[1], "v2");
    assert_eq!(row(&status.stdout, "web3")[1], "v1");

    // The next good release brings all of them together again, under a number that none has seen.
    shop.deploy_version("v3").ok();
    for host in &*fleet {
        assert_eq!(answer(host, "/"), "v3");
        serves(host, "v3", "v3");
    }
    // And the way back is the release that was good everywhere.
    shop.ship(&["rollback"]).ok();
    for host in &*fleet {
        serves(host, "v1", "v1");
    }
}

/// Its transaction is killed while the next host proves the release.
#[test]
fn with_on_failure_stop_a_host_that_goes_back_later_ends_the_rollout_too() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(3);
    let mut shop = Shop::on(&*fleet);
    shop.deploy().ok();
    shop.tables = WEB.replace("settle = \"1s\"", "settle = \"6s\"");
    shop.environment =
        "rollout = { strategy = \"rolling\", batch = 1, on-failure = \"stop\" }".into();
    shop.write_manifest();
    shop.version("v2");
    let deploy = shop.start_deploy(&[]);
    eventually("the second switch", || current(&fleet[1]) == "releases/v2");
    let processes = fleet[0].processes();
    let transactions = |p: &&Process| p.title.contains(" agent transaction");
    processes
        .iter()
        .filter(transactions)
        .for_each(Process::kill);
    let stopped = deploy.wait();
    stopped.code(9);
    serves(&fleet[0], "v1", "v1");
    serves(&fleet[1], "v2", "v2");
    serves(&fleet[2], "v1", "v1");
    let row = row(&stopped.stderr, "web3").join(" ");
    assert!(row.ends_with("not touched"), "{stopped}");
    assert_eq!(history(&fleet[2]), ["deploy v1: good"]);
}

/// The first host is being proven, the second has the release and waits for its turn.
#[test]
fn a_transaction_that_is_killed_on_a_host_that_waits_its_turn() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(2);
    let mut shop = Shop::on(&*fleet);
    shop.deploy().ok();
    shop.tables = WEB.replace("settle = \"1s\"", "settle = \"6s\"");
    shop.environment = "rollout = { strategy = \"rolling\", batch = 1 }".into();
    shop.write_manifest();
    shop.version("v2");
    let deploy = shop.start_deploy(&[]);
    eventually("the first switch", || current(&fleet[0]) == "releases/v2");
    let processes = fleet[1].processes();
    let transactions: Vec<_> = processes
        .iter()
        .filter(|process| process.title.contains(" agent transaction"))
        .collect();
    assert_eq!(transactions.len(), 1);
    transactions.into_iter().for_each(Process::kill);
    let failed = deploy.wait();
    failed
        .code(7)
        .stderr_has("v2 was not activated on web2; going back on every host")
        .stderr_has("v2 was not activated on deploy@web2; the previous release is serving")
        .stderr_has("has died (killed by signal 9");
    for untrue in ["v2 failed", "gave up waiting"] {
        assert!(!failed.stderr.contains(untrue), "{failed}");
    }
    for host in &*fleet {
        serves(host, "v1", "v1");
    }

    // Somebody removes `current` on the first host while the second one's turn has come.
    shop.version("v3");
    let deploy = shop.start_deploy(&[]);
    eventually("the second switch", || current(&fleet[1]) == "releases/v3");
    fleet[0].sh("rm /srv/shop/current");
    let failed = deploy.wait();
    failed
        .code(7)
        .stderr_has("/srv/shop/current is gone: somebody removed it after v3 was proven");
    for host in &*fleet {
        serves(host, "v1", "v1");
    }
}

#[test]
fn where_the_policy_goes_on_without_a_canary_nobody_is_said_to_be_watched() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(2);
    let mut shop = Shop::on(&*fleet);
    shop.deploy().ok();
    shop.environment =
        "rollout = { strategy = \"canary\", bake = \"20m\", on-failure = \"continue\" }".into();
    shop.write_manifest();
    fleet[0].write("/etc/shop-refuses", "v2");
    let partly = shop.deploy_version("v2");
    partly.code(9);
    assert!(!partly.stderr.contains("watched"), "{partly}");
    serves(&fleet[0], "v1", "v1");
    serves(&fleet[1], "v2", "v2");
}

#[test]
fn a_hook_that_fails_when_all_hosts_are_done_leaves_nobody_to_bring_up() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(2);
    let mut shop = Shop::on(&*fleet);
    shop.tables
        .push_str("[hooks]\nafter-activate = [\"exit 3\"]\n");
    shop.environment = "rollout = { on-failure = \"stop\" }".into();
    shop.write_manifest();
    let partly = shop.deploy();
    partly
        .code(9)
        .stderr_has("the hosts that were done stay on it");
    assert!(!partly.stderr.contains("--resume"), "{partly}");
    for host in &*fleet {
        serves(host, "v1", "v1");
    }
}
