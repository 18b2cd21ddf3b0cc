//! Hosts of different speed.

use std::time::Duration;

use super::{events, is_the_project};
use crate::shop::{Shop, serves};
use crate::support::{Fleet, noise, require_hosts, within};

#[test]
fn a_slow_host_holds_up_nobody() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(3);
    let shop = Shop::on(&*fleet);
    shop.deploy().ok();
    shop.write("app/large", noise(1, 30_000_000));
    shop.version("v2");
    // At this rate it would take minutes.
    fleet[1].limit_rate(Some(2));
    let deploy = shop.start_deploy(&["--json"]);
    within(Duration::from_secs(120), "the fast hosts", || {
        let so_far = events(&deploy.output().0);
        let staged: Vec<_> = so_far
            .iter()
            .filter(|event| event["what"] == "staged")
            .collect();
        assert!(staged.iter().all(|event| event["host"] != "deploy@web2"));
        (staged.len() == 2).then_some(())
    });
    fleet[1].limit_rate(None);
    let run = deploy.wait();
    let events = events(&run.ok().stdout);
    let of = |host: usize, what: &str| {
        let name = format!("deploy@web{}", host + 1);
        let all = events.iter().enumerate();
        all.filter(|(_, event)| event["host"] == *name && event["what"] == *what)
            .map(|(at, _)| at)
            .collect::<Vec<_>>()
    };
    let staged = |host| of(host, "staged")[0];
    assert!(staged(0).max(staged(2)) < staged(1), "{run}");
    // Nothing is switched before all have it.
    for host in 0..3 {
        assert!(of(host, "flipped")[0] > staged(1), "{run}");
    }
    for host in &*fleet {
        serves(host, "v2", "v2");
        is_the_project(host, &shop);
    }
}
