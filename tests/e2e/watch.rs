//! A release that is proven and turns bad afterwards: in the bake of a canary, and in the watch
//! after the deploy.

use std::time::Duration;

use crate::fleet::started;
use crate::lost_connections::kill_ssh;
use crate::shop::{Shop, history, releases, row, rows, serves};
use crate::support::{Fleet, Host, require_hosts};

/// Why the newest entry of a host's history did not end well.
pub fn why(host: &Host) -> String {
    let lines = host.read("/srv/shop/.ship/history.jsonl");
    let newest = lines.lines().last().expect("a line");
    let entry: serde_json::Value = serde_json::from_str(newest).expect("a line of JSON");
    entry["why"].as_str().unwrap_or_default().to_owned()
}

/// The state of a release on the hosts, as `ship releases` has it.
fn state(shop: &Shop, release: &str) -> String {
    let listed = shop.ship(&["releases", "production"]);
    let rows = rows(&listed.ok().stdout);
    let row = rows.into_iter().find(|row| row.first() == Some(&release));
    let mut words = row.expect("a row of the release").into_iter().skip(1);
    words
        .find(|word| *word != "live")
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_canary_that_turns_bad_in_the_bake_leaves_the_others_untouched() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(3);
    let mut shop = Shop::on(&*fleet);
    shop.deploy().ok();
    shop.environment = "rollout = { strategy = \"canary\", batch = 1, bake = \"20m\" }".into();
    shop.write_manifest();
    let untouched = [started(&fleet[1]), started(&fleet[2])];

    for (file, version, said) in [
        (
            "sours",
            "v2",
            "3 health checks in a row failed, the last one: answered 500",
        ),
        ("dies", "v3", "the process ended: exit code 9"),
    ] {
        fleet[0].write(&format!("/etc/shop-{file}"), version);
        let failed = shop.deploy_version(version);
        failed
            .code(7)
            .stderr_has("the first host is watched for 1200 s before the others follow")
            .stderr_has(said)
            .stderr_has(&format!(
                "{version} failed on deploy@web1; the previous release is serving"
            ));
        for host in &*fleet {
            serves(host, "v1", "v1");
        }
        assert_eq!(
            row(&failed.stderr, "web1")[1..4],
            ["v1", "v1", "healthy"],
            "{failed}"
        );
        for (host, before) in fleet[1..].iter().zip(untouched) {
            assert_eq!(started(host), before, "{} was restarted", host.name());
            assert_eq!(releases(host), ["v1"], "on {}", host.name());
            assert_eq!(history(host), ["deploy v1: good"]);
            let row = row(&failed.stderr, host.name()).join(" ");
            assert!(row.ends_with("not touched"), "{failed}");
        }
        let why = why(&fleet[0]);
        assert!(
            why.starts_with("turned bad ") && why.contains(said),
            "{why}"
        );
        assert_eq!(state(&shop, version), "bad");
    }

    // A canary that stays healthy: the others follow after the bake, and not before.
    shop.environment = "rollout = { strategy = \"canary\", batch = 1, bake = \"4s\" }".into();
    shop.write_manifest();
    let good = shop.deploy_version("v4");
    good.ok().stderr_has("web1: v4 stayed healthy");
    for host in &*fleet {
        serves(host, "v4", "v4");
    }
    let starts: Vec<u64> = fleet.iter().map(started).collect();
    assert!(
        starts[0] + 4_000_000 < starts[1].min(starts[2]),
        "{starts:?}"
    );
}

#[test]
fn a_release_that_turns_bad_after_the_deploy_goes_back_everywhere() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(2);
    let mut shop = Shop::on(&*fleet);
    shop.deploy().ok();
    let watch = |shop: &mut Shop, watch: &str, rules: &str| {
        shop.environment = format!("watch = \"{watch}\"\nrollout = {{ {rules} }}");
        shop.write_manifest();
    };

    // It turns bad on the second host: the first goes back as well, and is not watched to the end.
    watch(&mut shop, "20m", "");
    fleet[1].write("/etc/shop-sours", "v2");
    let failed = shop.deploy_version("v2");
    failed
        .code(7)
        .stderr_has("v2 is watched for 1200 s before it counts as good")
        .stderr_has("v2 failed on deploy@web2; the previous release is serving");
    for host in &*fleet {
        serves(host, "v1", "v1");
        assert_eq!(history(host), ["deploy v2: reverted", "deploy v1: good"]);
    }
    assert_eq!(why(&fleet[0]), "v2 failed on deploy@web2");
    assert!(
        why(&fleet[1]).starts_with("turned bad "),
        "{}",
        why(&fleet[1])
    );
    let status = shop.ship(&["history", "production"]);
    status.ok().stdout_has("turned bad");

    // One that stays healthy is good only at the end.
    watch(&mut shop, "12s", "");
    shop.version("v3");
    let deploy = shop.start_deploy(&[]);
    deploy.wait_for("v3 is watched for 12 s");
    for host in &*fleet {
        serves(host, "v3", "v3");
    }
    assert_eq!(state(&shop, "v3"), "active");
    deploy.wait().ok();
    assert_eq!(state(&shop, "v3"), "good");

    // Ctrl-C while it is watched.
    watch(&mut shop, "60s", "");
    shop.version("v4");
    let deploy = shop.start_deploy(&[]);
    deploy.wait_for("v4 is watched for 60 s");
    deploy.signal("INT");
    deploy.wait().code(130);
    for host in &*fleet {
        serves(host, "v3", "v3");
    }

    // Where the others stay as they are, they are watched to the end.
    watch(&mut shop, "20s", "on-failure = \"stop\"");
    fleet[1].write("/etc/shop-sours", "v5");
    let partly = shop.deploy_version("v5");
    partly.code(9);
    assert!(partly.duration >= Duration::from_secs(20), "{partly}");
    let new = releases(&fleet[0]).last().expect("a release").clone();
    serves(&fleet[0], &new, "v5");
    serves(&fleet[1], "v3", "v3");
    assert_eq!(history(&fleet[0])[0], format!("deploy {new}: good"));

    // A rollback is not watched.
    let back = shop.ship(&["rollback"]);
    back.ok();
    assert!(!back.stderr.contains("watched"), "{back}");
}

#[test]
fn the_others_are_not_watched_to_the_end_on_connections_that_were_made_anew() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(2);
    let mut shop = Shop::on(&*fleet);
    shop.deploy().ok();
    shop.environment = "watch = \"20m\"".to_owned();
    shop.write_manifest();
    fleet[1].write("/etc/shop-sours", "v2");
    shop.version("v2");
    let deploy = shop.start_deploy(&[]);
    deploy.wait_for("v2 is watched for 1200 s");
    kill_ssh(&shop);
    deploy
        .wait()
        .code(7)
        .stderr_has("was lost, reconnecting")
        .stderr_has("v2 failed on deploy@web2; the previous release is serving");
    for host in &*fleet {
        serves(host, "v1", "v1");
    }
}
