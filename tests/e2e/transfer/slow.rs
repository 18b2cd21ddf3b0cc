//! Hosts of different speed.

use super::{deploy_json, events, is_the_project};
use crate::shop::{Shop, serves};
use crate::support::{Fleet, noise, require_hosts};

#[test]
fn a_slow_host_holds_up_nobody() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(3);
    let shop = Shop::on(&*fleet);
    shop.deploy().ok();
    shop.write("app/large", noise(1, 30_000_000));
    shop.version("v2");
    fleet[1].limit_rate(Some(30));
    let run = deploy_json(&shop);
    fleet[1].limit_rate(None);
    let events = events(&run.ok().stdout);
    let of = |host: usize, what: &str| {
        let name = format!("deploy@web{}", host + 1);
        let all = events.iter().enumerate();
        all.filter(|(_, event)| event["host"] == *name && event["what"] == *what)
            .map(|(at, _)| at)
            .collect::<Vec<_>>()
    };
    let staged = |host| of(host, "staged")[0];
    let fast = staged(0).max(staged(2));
    assert!(fast < staged(1), "{run}");
    // Not just a little later: most of the slow one's transfer was still to come.
    let tells = of(1, "transferring");
    let later = tells.iter().filter(|at| **at > fast).count();
    assert!(later > tells.len() / 2, "{later} of {}\n{run}", tells.len());
    // Nothing is switched before all have it.
    for host in 0..3 {
        assert!(of(host, "flipped")[0] > staged(1), "{run}");
    }
    for host in &*fleet {
        serves(host, "v2", "v2");
        is_the_project(host, &shop);
    }
}
