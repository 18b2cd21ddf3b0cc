//! Little changes make little traffic.

use super::{Staged, is_the_project, staged};
use crate::shop::{Shop, serves};
use crate::support::{Host, noise, require_hosts};

/// From here on the person has an empty cache, as a fresh CI runner.
fn forget(shop: &mut Shop, name: &str) {
    let cache = shop.home().join(name);
    shop.set_env("XDG_CACHE_HOME", &cache.to_string_lossy());
}

#[test]
fn one_byte_of_a_large_file() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let mut shop = Shop::on([&host]);
    let mut content = noise(2, 60_000_000);
    shop.write("app/large", &content);
    // A link that is remembered as no faster than this leaves time to work differences out.
    host.limit_rate(Some(100));
    assert!(staged(&shop).sent > 60_000_000);
    host.limit_rate(None);

    content[41_000_000] ^= 1;
    shop.write("app/large", &content);
    let cached = staged(&shop);
    assert!(cached.sent < 40_000, "{cached:?}");
    assert_eq!(cached.files_sent, 1);
    is_the_project(&host, &shop);

    forget(&mut shop, "fresh");
    content[7_000_000] ^= 1;
    shop.write("app/large", &content);
    let fresh = staged(&shop);
    assert!(fresh.sent < 400_000, "{fresh:?}");
    is_the_project(&host, &shop);

    // Bytes that come and go move all that follows.
    forget(&mut shop, "fresher");
    content.splice(30_000_000..30_000_000, *b"a line\n");
    content.drain(100..200);
    shop.write("app/large", &content);
    let moved = staged(&shop);
    assert!(moved.sent < 800_000, "{moved:?}");
    is_the_project(&host, &shop);
    serves(&host, "v4", "v1");
}

#[test]
fn a_renamed_folder() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let mut shop = Shop::on([&host]);
    for number in 0..1000 {
        let content = noise(number, 5_000);
        shop.write(&format!("app/old/{}/{number}", number % 10), content);
    }
    assert!(staged(&shop).sent > 5_000_000);

    let rename = |shop: &Shop, from: &str, to: &str| {
        let app = shop.project().join("app");
        std::fs::rename(app.join(from), app.join(to)).expect("rename");
    };
    let nearly_nothing = |staged: &Staged| {
        assert!(staged.sent < 200_000, "{staged:?}");
        assert_eq!(staged.files_sent, 0);
        assert!(staged.reused >= 5_000_000, "{staged:?}");
    };
    rename(&shop, "old", "new");
    nearly_nothing(&staged(&shop));
    is_the_project(&host, &shop);

    forget(&mut shop, "fresh");
    rename(&shop, "new", "-third name");
    nearly_nothing(&staged(&shop));
    is_the_project(&host, &shop);
    serves(&host, "v3", "v1");
    shop.ship(&["check", "production", "--deep"]).ok();
}
