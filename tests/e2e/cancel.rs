//! Somebody else's deploy, cancelled.

use crate::shop::{Shop, serves};
use crate::support::{Fleet, require_hosts};

#[test]
fn where_nothing_goes_on_nothing_is_cancelled() {
    let Some(()) = require_hosts() else { return };
    let mut fleet = Fleet::boot(2);
    let shop = Shop::on(&*fleet);
    shop.ship(&["cancel", "production"])
        .ok()
        .stderr_has("nothing is going on with shop on production");
    shop.deploy().ok();
    shop.ship(&["cancel", "production"]).ok();
    serves(&fleet[0], "v1", "v1");
    fleet[1].power_cut();
    shop.ship(&["cancel", "production"]).code(6);
}
