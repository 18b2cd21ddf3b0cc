//! Commands on several hosts at once, whose manifests list the hosts in their own order.

use crate::shop::{Shop, releases};
use crate::support::{Controller, Fleet, Run, eventually, require_hosts};

/// What both say when they start at the same moment.
fn at_once(shops: [&Shop; 2], more: &[&str]) -> [Run; 2] {
    shops
        .map(|shop| shop.start_deploy(more))
        .map(crate::support::Running::wait)
}

#[test]
fn of_two_deploys_one_wins_and_a_host_counts_once() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(2);
    let ann = Shop::on(&*fleet);
    ann.deploy().ok();
    let mut ben = Shop::with(
        Controller::knowing(&*fleet),
        &["deploy@web2", "deploy@web1"],
    );
    ben.set_env("USER", "ben");
    for round in 0..3 {
        ann.version(&format!("ann's {round}"));
        ben.version(&format!("ben's {round}"));
        let [first, second] = at_once([&ann, &ben], &[]);
        let codes = [&first, &second].map(|run| run.status.code().unwrap_or(-1));
        assert!(
            [[0, 5], [5, 0], [0, 0]].contains(&codes),
            "{first}\n{second}"
        );
    }
    ann.version("ann's last");
    ben.version("ben's last");
    for run in at_once([&ann, &ben], &["--wait", "100s"]) {
        run.ok();
    }

    // One machine under two names would wait for itself.
    let address = format!("deploy@{}", fleet[0].addr());
    let twice = Shop::with(Controller::knowing(&*fleet), &["deploy@web1", &address]);
    twice.version("twice");
    // The deploy before has answered, and still removes what is more than five.
    eventually("the deploy before to tidy up", || {
        releases(&fleet[0]).len() <= 5
    });
    let before = releases(&fleet[0]);
    let said = format!("deploy@web1 and {address} are one machine");
    for command in ["deploy", "rollback", "restart"] {
        twice
            .ship(&[command, "production"])
            .code(5)
            .stderr_has(&said);
    }
    assert_eq!(releases(&fleet[0]), before);
}
