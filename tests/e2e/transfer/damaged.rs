//! Files of a release that somebody, or a disk, changed on the host.

use super::{is_the_project, is_tidy, staged};
use crate::shop::{Shop, serves};
use crate::support::{Host, noise, require_hosts};

/// Writes over some bytes of a file in place, as root. With `quietly` the file keeps its time, as
/// with a failing disk.
fn damage(host: &Host, file: &str, at: usize, quietly: bool) {
    let keep = if quietly {
        "touch -r $f /tmp/time"
    } else {
        ":"
    };
    let back = if quietly {
        "touch -r /tmp/time $f"
    } else {
        ":"
    };
    host.sh(&format!(
        "f=/srv/shop/current/{file}; {keep}; \
         printf DAMAGE | dd of=$f bs=1 seek={at} conv=notrunc status=none; {back}"
    ));
}

#[test]
fn a_damaged_file_is_named_and_not_carried_on() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = Shop::on([&host]);
    shop.write("app/data", noise(1, 3_000));
    shop.write("app/other", noise(2, 3_000));
    shop.deploy().ok();
    shop.ship(&["check", "production", "--deep"]).ok();

    damage(&host, "app/data", 100, false);
    let check = shop.ship(&["check", "production", "--deep"]);
    check.code(5);
    let said = format!("{}{}", check.stdout, check.stderr);
    assert!(said.contains("app/data has other content"), "{check}");
    assert!(!said.contains("app/other"), "{check}");

    shop.version("v2");
    let staged = staged(&shop);
    assert_eq!(staged.files_sent, 2, "the version and what was damaged");
    serves(&host, "v2", "v2");
    is_the_project(&host, &shop);
    let live = host.sh("cd /srv/shop && stat -c %i releases/v1/app/data releases/v2/app/data");
    let inodes: Vec<_> = live.lines().collect();
    assert_ne!(inodes[0], inodes[1], "the damaged file itself");

    // And from there on all is as it should be, the old release aside.
    shop.deploy_version("v3").ok();
    is_the_project(&host, &shop);
    let check = shop.ship(&["check", "production", "--deep"]);
    let said = format!("{}{}", check.code(5).stdout, check.stderr);
    let naming = said.lines().filter(|line| line.contains("app/data"));
    let naming: Vec<_> = naming.collect();
    assert!(
        !naming.is_empty() && naming.iter().all(|line| line.contains("v1")),
        "{check}"
    );
}

/// A disk that fails changes no times, so that a deploy takes such a file for what it was. The deep
/// check finds it out, and what it says helps.
#[test]
fn damage_that_leaves_no_trace_is_gone_after_the_check() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = Shop::on([&host]);
    shop.write("app/data", noise(1, 3_000));
    shop.write("app/a", noise(2, 3_000));
    shop.deploy().ok();
    shop.deploy_version("v2").ok();
    is_tidy(&host);
    damage(&host, "app/data", 100, true);
    // One that cannot be read keeps nobody from looking at the others.
    host.sh("chown root: /srv/shop/current/app/a && chmod 000 /srv/shop/current/app/a");
    let check = shop.ship(&["check", "production", "--deep"]);
    let said = format!("{}{}", check.code(5).stdout, check.stderr);
    assert!(said.contains("app/a cannot be read"), "{check}");
    assert!(said.contains("app/data has other content"), "{check}");
    assert!(said.contains("ship deploy --force"), "{check}");

    shop.ship(&["deploy", "production", "--force"]).ok();
    serves(&host, "v3", "v2");
    is_the_project(&host, &shop);
}

/// A change of a large file that is a difference, or chunks, of what is not what it was.
#[test]
fn a_damaged_base_is_found_out() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let mut shop = Shop::on([&host]);
    let size = 6_000_000;
    let mut content = noise(3, size);
    shop.write("app/large", &content);
    shop.deploy().ok();

    let cases = [(false, false), (false, true), (true, false), (true, true)];
    for ((fresh, quietly), number) in cases.into_iter().zip(2..) {
        damage(&host, "app/large", 2_000_000, quietly);
        if fresh {
            let cache = shop.home().join(format!("cache{number}"));
            shop.set_env("XDG_CACHE_HOME", &cache.to_string_lossy());
        }
        content[5_000_000 + number] ^= 1;
        shop.write("app/large", &content);
        let version = format!("v{number}");
        shop.version(&version);
        let case = format!("fresh {fresh}, quietly {quietly}");
        let staged = staged(&shop);
        assert!(staged.sent < 2 * size as u64, "{case}: {staged:?}");
        serves(&host, &version, &version);
        is_the_project(&host, &shop);
        let check = shop.ship(&["check", "production", "--deep"]).stdout;
        let is_good = check
            .lines()
            .any(|line| line.contains(&version) && line.contains("is as it was deployed"));
        assert!(is_good, "{case}\n{check}");
    }
}
