//! Hosts that a command goes on without, and how they are brought up later.

use crate::shop::{Shop, answer, current, history, releases, row, serves};
use crate::support::{Fleet, Host, Run, eventually, require_hosts};

/// A migration, and something that each host does.
const HOOKS: &str = r#"
[hooks]
before-activate = [
    { name = "migrate", run = "echo x >> ~/once", on = "one-host" },
    { name = "warm", run = "echo x >> ~/each", on = "each-host" },
]
"#;

/// How often the hook ran there, as the app's user, whose home is the shared folder.
fn ran(host: &Host, hook: &str) -> usize {
    let ran = host.sh(&format!("cat /srv/shop/shared/{hook} 2>/dev/null || true"));
    ran.lines().count()
}

/// Says of `host` that it was left out.
#[track_caller]
fn left_out(run: &Run, host: &str) {
    let row = row(&run.stderr, host);
    assert_eq!(row[1..3], ["-", "-"], "{run}");
    assert!(row.join(" ").contains("not reached: "), "{run}");
    run.stderr_has("ship deploy production --resume");
}

/// What is the same of a release on all hosts.
fn release(host: &Host, id: &str) -> String {
    host.sh(&format!(
        "cd /srv/shop/releases/{id} && cat .ship/release.json .ship/identity .ship/env && \
         find . -path ./.ship -prune -o -type f -print0 | sort -z | xargs -0 sha256sum"
    ))
}

const RELEASE: &str = "/srv/shop/releases/v2/.ship/release.json";

/// Changes v2 there with a script for sed(1), past ship.
fn by_hand(host: &Host, script: &str) {
    host.sh(&format!(
        "cp -a {RELEASE} /root/kept && sed -i '{script}' {RELEASE} && ! cmp -s {RELEASE} /root/kept"
    ));
}

/// Undoes [`by_hand`].
fn put_back(host: &Host) {
    host.sh(&format!("cat /root/kept > {RELEASE}"));
}

#[test]
fn a_host_that_is_down_is_left_out_and_brought_up_later() {
    let Some(()) = require_hosts() else { return };
    let mut fleet = Fleet::boot(3);
    let mut shop = Shop::on(&*fleet);
    shop.tables.push_str(HOOKS);
    shop.environment = "secrets = [\"API_KEY\"]".into();
    shop.write_manifest();
    shop.set_env("API_KEY", "open-sesame");
    shop.deploy().ok();

    fleet[2].power_cut();
    let failed = shop.deploy_version("v2");
    failed
        .code(6)
        .stderr_has("web3")
        .stderr_has("--skip-unreachable");
    for host in &fleet[..2] {
        serves(host, "v1", "v1");
        assert_eq!(releases(host), ["v1"]);
    }
    assert_eq!(ran(&fleet[0], "once"), 1);

    let partly = shop.ship(&["deploy", "production", "--skip-unreachable"]);
    partly
        .code(9)
        .stderr_has("v2 is live on 2 of 3 hosts; web3 was not reached");
    left_out(&partly, "web3");
    for host in &fleet[..2] {
        serves(host, "v2", "v2");
    }
    // Still away: there is nobody to bring up, and that is not all hosts.
    let nobody = shop.ship(&["deploy", "production", "--resume", "--skip-unreachable"]);
    left_out(nobody.code(9), "web3");

    fleet[2].boot_again();
    fleet[2].wait_for_ssh();
    // Neither the project as it was, nor the secret, is needed.
    shop.version("v9");
    shop.unset_env("API_KEY");
    // One host is not believed against another one.
    for (change, what) in [
        ("s/shop.py/evil.py/", "the command of service web"),
        ("s/\\b3000\\b/3001/", "the settings of service web"),
    ] {
        for host in &fleet[..2] {
            by_hand(host, change);
            let refused = shop.ship(&["deploy", "production", "--resume"]);
            put_back(host);
            refused
                .code(5)
                .stderr_has(&format!("v2 on web1 differs from v2 on web2: {what}"))
                .stderr_has("a new deploy brings all hosts to one release");
            serves(&fleet[2], "v1", "v1");
            assert_eq!(releases(&fleet[2]), ["v1"]);
        }
    }
    let resumed = shop.ship(&["deploy", "production", "--resume"]);
    resumed
        .ok()
        .stderr_has("bringing web3 to v2")
        .stderr_has("shop v2 is live on production (3 hosts)");
    for unsaid in ["open-sesame", "no other host has it"] {
        assert!(!format!("{resumed}").contains(unsaid), "{resumed}");
    }
    for host in &*fleet {
        serves(host, "v2", "v2");
        assert_eq!(answer(host, "/key"), "open-sesame");
        assert_eq!(release(host, "v2"), release(&fleet[0], "v2"));
    }
    assert_eq!(history(&fleet[0]), ["deploy v2: good", "deploy v1: good"]);
    assert_eq!(history(&fleet[2]), ["resume v2: good", "deploy v1: good"]);
    assert_eq!(ran(&fleet[0], "once"), 2);
    assert_eq!(
        ran(&fleet[2], "once"),
        0,
        "the migration ran once per fleet"
    );
    assert_eq!(ran(&fleet[0], "each"), 2);
    assert_eq!(ran(&fleet[2], "each"), 2);

    let again = shop.ship(&["deploy", "production", "--resume"]);
    again.ok().stderr_has("no host is behind");
    assert_eq!(history(&fleet[2]).len(), 2);
    shop.ship(&["rollback", "production"]).ok();
    for host in &*fleet {
        serves(host, "v1", "v1");
    }
}

#[test]
fn a_host_that_a_rollback_did_not_reach_follows_it() {
    let Some(()) = require_hosts() else { return };
    let mut fleet = Fleet::boot(2);
    let shop = Shop::on(&*fleet);
    shop.deploy().ok();
    shop.deploy_version("v2").ok();

    // The first host is away: the second one is the arbiter.
    fleet[0].power_cut();
    shop.ship(&["rollback", "production"]).code(6);
    serves(&fleet[1], "v2", "v2");
    let partly = shop.ship(&["rollback", "production", "--skip-unreachable"]);
    left_out(partly.code(9), "web1");
    serves(&fleet[1], "v1", "v1");

    fleet[0].boot_again();
    fleet[0].wait_for_ssh();
    eventually("the service after the boot", || {
        answer(&fleet[0], "/") == "v2"
    });
    serves(&fleet[0], "v2", "v2");
    shop.ship(&["deploy", "production", "--resume"])
        .ok()
        .stderr_has("bringing web1 to v1");
    serves(&fleet[0], "v1", "v1");
    assert_eq!(releases(&fleet[0]), ["v1", "v2"]);
}

#[test]
fn what_a_policy_left_behind_is_brought_up() {
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
        .stderr_has("ship deploy production --resume");

    // Not mended yet: the same rules, and nothing is worse than before.
    shop.ship(&["deploy", "production", "--resume"]).code(7);
    serves(&fleet[0], "v2", "v2");
    serves(&fleet[1], "v1", "v1");
    serves(&fleet[2], "v1", "v1");

    fleet[1].sh("rm /etc/shop-refuses");
    shop.ship(&["deploy", "production", "--resume"])
        .ok()
        .stderr_has("bringing web2, web3 to v2");
    for host in &*fleet {
        serves(host, "v2", "v2");
    }
}

#[test]
fn a_new_host_gets_what_the_others_have() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(2);
    let mut shop = Shop::on(&*fleet);
    shop.move_to(&fleet[..1]);
    shop.ship(&["deploy", "production", "--resume"])
        .code(5)
        .stderr_has("no good release is live on any host");
    shop.deploy().ok();
    shop.deploy_version("v2").ok();

    // No other host has it: the machine that deployed it knows what it was.
    shop.move_to(&*fleet);
    by_hand(&fleet[0], "s/shop.py/other.py/");
    shop.ship(&["deploy", "production", "--resume"])
        .code(5)
        .stderr_has("v2 on web1 is not what this machine deployed there");
    put_back(&fleet[0]);
    let resumed = shop.ship(&["deploy", "production", "--resume"]);
    resumed.ok();
    assert!(!resumed.stderr.contains("as it is there"), "{resumed}");
    // Another machine does not.
    fleet[1].sh("systemctl stop shop-web && rm -rf /srv/shop/releases/v2 /srv/shop/current");
    std::fs::remove_dir_all(shop.home().join(".cache/ship")).expect("a cache");
    shop.ship(&["deploy", "production", "--resume"])
        .ok()
        .stderr_has(
            "v2 is taken from web1 as it is there: no other host has it to compare it with",
        );
    for host in &*fleet {
        serves(host, "v2", "v2");
    }
    assert_eq!(releases(&fleet[1]), ["v2"]);
    // Its number is nobody's any more.
    shop.deploy_version("v3").ok();
    serves(&fleet[1], "v3", "v3");
}

#[test]
fn a_host_with_another_key_is_not_left_out() {
    let Some(()) = require_hosts() else { return };
    let mut fleet = Fleet::boot(2);
    let shop = Shop::on(&*fleet);
    shop.deploy().ok();
    fleet[1].break_host_key();
    let failed = shop.ship(&["deploy", "production", "--skip-unreachable", "--force"]);
    failed
        .code(6)
        .stderr_has("its host key is not the one that is known");
    assert_eq!(current(&fleet[0]), "releases/v1");

    // And nobody at all is not enough.
    fleet[0].power_cut();
    shop.ship(&["deploy", "production", "--skip-unreachable"])
        .code(6);
    fleet[1].power_cut();
    shop.ship(&["deploy", "production", "--skip-unreachable"])
        .code(6)
        .stderr_has("web1");
}
