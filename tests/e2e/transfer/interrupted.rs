//! A transfer that ends half way: what served serves, and the next one goes on.

use super::{deploy_until, is_the_project, is_tidy, staged};
use crate::shop::{Shop, releases, serves};
use crate::support::{Host, eventually, noise, require_hosts};

const MB: u64 = 1_000_000;

/// Nobody holds the lock any more.
#[track_caller]
fn is_over(host: &Host) {
    eventually("the lock to be free", || {
        let lock = host.exec("flock -n /srv/shop/.ship/lock true");
        lock.status.success()
    });
}

/// One large file and, behind it in the stream, many small ones, in bytes each.
fn fill(shop: &Shop, seed: u64, large: usize, small: usize) {
    shop.write("app/large", noise(seed, large));
    let each = 50_000;
    for number in 0..small / each {
        let content = noise(seed * 1_000_000 + number as u64 + 1, each);
        shop.write(&format!("app/small/{}/{number}.part", number % 7), content);
    }
}

#[test]
fn two_hundred_megabytes_are_cut_twice() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = Shop::on([&host]);
    shop.deploy().ok();
    fill(&shop, 1, 100_000_000, 100_000_000);
    shop.version("v2");
    host.limit_rate(Some(200));
    // The deploy does not end by that: it goes on where it was.
    let deploy = deploy_until(&shop, 60 * MB);
    for _ in 0..2 {
        eventually("a connection to cut", || {
            let killed = host.exec("pkill -KILL -f '[s]shd: deploy'");
            killed.status.success()
        });
        std::thread::sleep(std::time::Duration::from_secs(2));
    }
    let run = deploy.wait();
    host.limit_rate(None);
    run.ok().stdout_has("\"reconnecting\"");
    let sent = super::events(&run.stdout)
        .iter()
        .find_map(|event| (event["what"] == "staged").then(|| event["sent"].as_u64()))
        .flatten()
        .expect("it was staged");
    // What was on its way at each cut is sent again.
    assert!(sent < (200 + 70) * MB, "{sent}");
    serves(&host, "v2", "v2");
    is_the_project(&host, &shop);
    is_tidy(&host);
}

#[test]
fn two_hundred_megabytes_are_given_up_twice() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = Shop::on([&host]);
    shop.deploy().ok();
    fill(&shop, 1, 100_000_000, 100_000_000);
    shop.version("v2");
    host.limit_rate(Some(200));
    // In the middle of the large file, then among the small ones.
    for so_far in [60, 70] {
        let deploy = deploy_until(&shop, so_far * MB);
        deploy.signal("KILL");
        deploy.wait().killed_by(9);
        is_over(&host);
        serves(&host, "v1", "v1");
        assert_eq!(releases(&host), ["v1"]);
    }
    host.limit_rate(None);
    let rest = staged(&shop);
    assert!(rest.sent < (200 - 60 - 70 + 20) * MB, "{rest:?}");
    serves(&host, "v2", "v2");
    is_the_project(&host, &shop);
    is_tidy(&host);
    shop.ship(&["check", "production", "--deep"]).ok();
}

/// How a transfer ends.
type Cut = fn(&Host, &Shop, crate::support::Running);

const CUTS: [(&str, Cut); 4] = [
    ("the controller is killed", |_, _, deploy| {
        deploy.signal("KILL");
        deploy.wait().killed_by(9);
    }),
    ("it is interrupted", |_, _, deploy| {
        deploy.signal("INT");
        deploy.wait().code(130);
    }),
    ("the transaction is killed", |host, _, deploy| {
        host.sh("pkill -KILL -f '[a]gent transaction'");
        deploy.wait().code(7);
    }),
    ("the network is silent", |host, shop, deploy| {
        host.link_down();
        // For longer than the lease.
        std::thread::sleep(std::time::Duration::from_secs(40));
        host.link_up();
        host.wait_for_ssh();
        deploy.wait().code(6).stdout_has("did not wait");
        // What holds the lock is ended by its lease, and nobody has to wait for it by hand.
        shop.ship(&["status", "production"]).ok();
    }),
];

#[test]
fn whoever_dies_the_next_one_goes_on() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = Shop::on([&host]);
    shop.deploy().ok();
    for ((how, cut), number) in CUTS.into_iter().zip(2..) {
        let (before, now) = (format!("v{}", number - 1), format!("v{number}"));
        fill(&shop, number, 20_000_000, 20_000_000);
        shop.version(&now);
        host.limit_rate(Some(100));
        let deploy = deploy_until(&shop, 14 * MB);
        cut(&host, &shop, deploy);
        serves(&host, &before, &before);
        host.limit_rate(None);
        let waiting = shop.ship(&["deploy", "production", "--json", "--wait", "2m"]);
        let rest = super::events(&waiting.ok().stdout)
            .iter()
            .find_map(|event| (event["what"] == "staged").then(|| event["sent"].as_u64()))
            .flatten()
            .expect("it was staged");
        assert!(rest < (40 - 14 + 13) * MB, "{how}: {rest}\n{waiting}");
        serves(&host, &now, &now);
        is_the_project(&host, &shop);
        is_tidy(&host);
    }
    shop.ship(&["check", "production", "--deep"]).ok();
}

/// A large file that was there before as another one goes on where it was cut, too, however many
/// releases hold the old one.
#[test]
fn a_new_content_of_an_old_file_goes_on() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = Shop::on([&host]);
    shop.write("app/large", noise(1, 30_000_000));
    shop.deploy().ok();
    shop.deploy_version("v2").ok();
    shop.deploy_version("v3").ok();

    shop.write("app/large", noise(2, 30_000_000));
    shop.version("v4");
    host.limit_rate(Some(100));
    let deploy = deploy_until(&shop, 15 * MB);
    deploy.signal("KILL");
    deploy.wait().killed_by(9);
    is_over(&host);
    serves(&host, "v3", "v3");
    host.limit_rate(None);
    let rest = staged(&shop);
    assert!(rest.sent < 23 * MB, "{rest:?}");
    serves(&host, "v4", "v4");
    is_the_project(&host, &shop);
    is_tidy(&host);
}
