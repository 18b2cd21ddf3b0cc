//! What the manifest says is on the host, or said: before a deploy builds anything.

use crate::shop::{JOBS, Shop, WEB, answer, current, serves, state};
use crate::support::{Fleet, Host, eventually, require_hosts};

/// A build step that leaves a trace when it ends: soon, or when a person would long have given up.
const BUILD: &str = "[build]\nsteps = [\"test -e quick || sleep 60; touch built\"]\n";

/// A deploy is refused before the build comes to its end, for this reason.
#[track_caller]
fn refused_unbuilt(shop: &Shop, why: &[&str]) {
    let [quick, built] = ["quick", "built"].map(|name| shop.project().join(name));
    std::fs::remove_file(&quick).expect("a quick build");
    let _ = std::fs::remove_file(&built);
    let run = shop.deploy();
    run.code(5);
    for why in why {
        run.stderr_has(why);
    }
    assert!(!built.exists(), "it was built\n{run}");
    shop.write("quick", "");
}

/// Every file below the folders that setup writes to, with owner, mode and content.
fn snapshot(host: &Host) -> String {
    host.sh(
        "find /srv /etc /home /var/lib/systemd/linger -xdev -not -path '*/.cache*' \
           -printf '%p %u:%g %m %y %l\n' | sort; \
         find /etc /srv -xdev -type f -exec md5sum {} + | sort",
    )
}

/// What setup makes, besides accounts.
fn made(host: &Host) -> String {
    host.sh("find /srv /etc/systemd /etc/sudoers.d -xdev -printf '%p %u:%g %m %y %l\\n' | sort")
}

#[test]
fn what_takes_effect_by_setup_only_is_refused_before_the_build_with_the_command() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let mut shop = Shop::planned_on([&host]);
    shop.tables = format!("{BUILD}{WEB}{JOBS}");
    shop.release = "shared = [\"uploads\"]".into();
    shop.write_manifest();
    shop.setup();
    shop.write("quick", "");
    shop.deploy().ok();
    serves(&host, "v1", "v1");
    let command = "ship setup production --as root";

    // Also where the release would be the one that is live.
    shop.tables = format!("{BUILD}{WEB}stop-timeout = \"77s\"\n{JOBS}");
    shop.write_manifest();
    let why = "web: the unit says TimeoutStopSec=30s, the manifest 77s";
    refused_unbuilt(&shop, &[why, command]);
    shop.ship(&["check", "production"]).code(5).stdout_has(why);
    shop.ship(&["rollback"]).code(5);
    shop.ship(&["status", "production"]).ok();

    shop.tables = format!("{BUILD}{}{JOBS}", WEB.replace("port = 3000", "port = 82"));
    shop.write_manifest();
    let capability = "web: the unit lacks AmbientCapabilities=CAP_NET_BIND_SERVICE";
    refused_unbuilt(&shop, &[capability, command]);

    // A shared folder, like a busy port.
    shop.tables = format!("{BUILD}{WEB}{JOBS}");
    shop.release = "shared = [\"uploads\", \"plugins\", \"database.yml\"]".into();
    shop.write_manifest();
    let plugins = "/srv/shop/shared/plugins is not there";
    refused_unbuilt(&shop, &[plugins, command]);
    let check = shop.ship(&["check", "production"]);
    check.code(5).stdout_has(plugins);
    shop.release = "shared = [\"uploads\"]".into();
    shop.tables = format!("{BUILD}{}{JOBS}", WEB.replace("3000", "8071"));
    shop.write_manifest();
    host.sh("systemd-run --quiet --unit=other --uid=nobody python3 -m http.server 8071");
    eventually("the other server", || host.http_get(8071, "/").is_ok());
    let taken = "port 8071 of service web is taken by another process";
    refused_unbuilt(&shop, &[taken]);
    host.sh("systemctl stop other");

    // A unit of another version of ship is a warning.
    shop.tables = format!("{BUILD}{WEB}{JOBS}");
    shop.write_manifest();
    host.sh("sed -i 's/^Restart=/# older\\nRestart=/' /etc/systemd/system/shop-web.service");
    let warned = shop.deploy_version("v2");
    warned
        .ok()
        .stderr_has("shop-web.service was written by another version of ship")
        .stderr_has(command);
    serves(&host, "v2", "v2");

    // A service that leaves is said, and its unit goes when no release needs it.
    shop.tables = format!("{BUILD}{WEB}");
    shop.release += "\nkeep = 1";
    shop.write_manifest();
    let leaves = shop.deploy_version("v3");
    leaves
        .ok()
        .stderr_has("the service worker is not in the manifest any more");
    let setup = shop.ship(&["setup", "production", "--as", "root"]);
    setup.ok().stderr_has("shop-worker.service stays: v2");
    assert_eq!(state(&host, "shop-worker"), "inactive");
    shop.deploy_version("v4").ok();
    let again = shop.deploy_version("v5");
    again.ok().stderr_has("no release needs it");
    let setup = shop.ship(&["setup", "production", "--as", "root"]);
    setup
        .ok()
        .stderr_has("removed /etc/systemd/system/shop-worker.service");
    assert!(!host.exists("/etc/systemd/system/shop-worker.service"));

    // Another user gets what the app has, and the live release serves on as it.
    host.sh("mkdir -p /srv/shop/shared/uploads/deep && touch /srv/shop/shared/uploads/deep/his \
             && chown -R shop:shop /srv/shop/shared/uploads && touch /srv/shop/shared/uploads/roots");
    shop.environment = "user = \"www-data\"".into();
    shop.write_manifest();
    let user = "web: the unit says User=shop, the manifest www-data";
    refused_unbuilt(&shop, &[user, command]);
    let setup = shop.ship(&["setup", "production", "--as", "root"]);
    setup
        .ok()
        .stderr_has("files and folders of shop in /srv/shop/shared")
        .stderr_has("restarted shop-web.service, which runs as www-data now");
    serves(&host, "v5", "v5");
    let owner = |path: &str| host.sh(&format!("stat -c %U /srv/shop/shared/{path}"));
    assert_eq!(owner("uploads/deep/his"), "www-data");
    assert_eq!(owner("uploads/roots"), "root");
    let pid = host.sh("systemctl show -p MainPID --value shop-web");
    assert_eq!(host.sh(&format!("stat -c %U /proc/{pid}")), "www-data");
    // Back from a release that fails.
    shop.version("v6");
    shop.sick(Some("on purpose"));
    shop.deploy().code(7);
    serves(&host, "v5", "v5");
    shop.sick(None);

    // A live app is not set up a second time elsewhere.
    shop.environment = "user = \"www-data\"\nroot = \"/srv/elsewhere\"".into();
    shop.write_manifest();
    let place = [
        "v5 of shop is live in /srv/shop",
        "port 3000 is held by its web",
    ];
    refused_unbuilt(&shop, &place);
    let before = snapshot(&host);
    let setup = shop.ship(&["setup", "production", "--as", "root"]);
    setup.code(5).stderr_has(place[0]).stderr_has(place[1]);
    shop.environment = "manager = \"supervisor\"".into();
    shop.write_manifest();
    refused_unbuilt(&shop, &place);
    assert_eq!(snapshot(&host), before);
    serves(&host, "v5", "v5");
}

#[test]
fn setup_takes_no_account_unit_or_folder_that_it_did_not_make() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let mut shop = Shop::planned_on([&host]);
    let setup = ["setup", "production", "--as", "root"];
    let dry = ["setup", "production", "--as", "root", "--dry-run"];
    for name in ["backup", "www-data", "root", "deploy"] {
        shop.environment = format!("name = \"{name}\"");
        shop.write_manifest();
        shop.ship(&setup).code(5).stderr_has(name);
    }
    host.sh("groupadd media");
    shop.environment = "name = \"media\"".into();
    shop.write_manifest();
    shop.ship(&setup)
        .code(5)
        .stderr_has("there is a group media on this host");
    host.sh("groupdel media");
    let before = snapshot(&host);

    // A unit of somebody else, in any of systemd's folders, also as a name or settings only.
    shop.environment = "name = \"redis\"".into();
    shop.tables = WEB.replace("services.web", "services.server");
    shop.write_manifest();
    for unit in [
        "/usr/lib/systemd/system/redis-server.service",
        "/run/systemd/system/redis-server.service",
        "/etc/systemd/system/redis-server.service.d/override.conf",
        "/etc/init.d/redis-server",
    ] {
        host.write(unit, "[Unit]\nDescription=theirs\n");
        let refused = shop.ship(&setup);
        let named = unit.trim_end_matches("/override.conf");
        refused
            .code(5)
            .stderr_has(named)
            .stderr_has("not written for this app");
        host.sh(&format!("rm {unit}; rmdir {named} 2>/dev/null; true"));
    }
    assert_eq!(snapshot(&host), before);

    // A folder that root made, and what root's hand put into it.
    shop.environment = String::new();
    shop.tables = WEB.to_owned();
    shop.release = "shared = [\"database.yml\", \"db.sqlite3\"]".into();
    shop.write_manifest();
    host.sh("mkdir -p /srv/shop/.ship/states /srv/shop/releases");
    let before = snapshot(&host);
    shop.ship(&dry).ok().stderr_has("gave /srv/shop");
    assert_eq!(snapshot(&host), before, "a dry run wrote something");
    shop.ship(&setup)
        .ok()
        .stderr_has("gave /srv/shop/ to deploy")
        .stderr_has("of root in /srv/shop/.ship");

    // An empty file that the app needs stops the first deploy, and what fills it is said.
    let refused = shop.deploy();
    refused
        .code(5)
        .stderr_has("the shared file /srv/shop/shared/database.yml has no content")
        .stderr_has("cat > /srv/shop/shared/database.yml");
    assert!(!refused.stderr.contains("db.sqlite3"), "{refused}");
    host.sh("echo a: 1 > /srv/shop/shared/database.yml");
    shop.deploy().ok();
    serves(&host, "v1", "v1");

    // An account of somebody else's is taken when the manifest says so.
    shop.ship(&["remove", "production", "--as", "root", "--yes", "--purge"])
        .ok();
    shop.environment = "user = \"backup\"".into();
    shop.write_manifest();
    shop.ship(&setup).ok();
    host.sh("echo a: 1 > /srv/shop/shared/database.yml");
    shop.deploy().ok();
    let pid = host.sh("systemctl show -p MainPID --value shop-web");
    assert_eq!(host.sh(&format!("stat -c %U /proc/{pid}")), "backup");
    shop.ship(&["remove", "production", "--as", "root", "--yes", "--purge"])
        .ok();
    host.sh("getent passwd backup");
}

#[test]
fn a_host_that_left_is_named_and_an_app_can_be_taken_off() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(2);
    let mut shop = Shop::planned_on(&*fleet);
    let before = made(&fleet[1]);
    shop.release = "shared = [\"uploads\"]".into();
    shop.write_manifest();
    shop.setup();
    shop.deploy().ok();

    shop.move_to([&fleet[0]]);
    let named = "deploy@web2 is not in `hosts` of production any more";
    shop.deploy_version("v2").ok().stderr_has(named);
    serves(&fleet[1], "v1", "v1");
    let said_once = shop.deploy_version("v3");
    assert!(!said_once.ok().stderr.contains(named), "{said_once}");

    let off = |more: &[&str]| {
        let first = ["remove", "production", "--as", "root"];
        shop.ship(&[&first, more].concat())
    };
    // Nobody is asked where nobody is.
    off(&[]).code(5).stderr_has("--yes");
    serves(&fleet[0], "v3", "v3");
    let host = &fleet[1];
    host.sh("echo kept > /srv/shop/shared/uploads/file; chown shop /srv/shop/shared/uploads/file");
    host.write(
        "/etc/systemd/system/shop-admin-web.service",
        "# managed by ship for shop-admin\n",
    );
    let untouched = snapshot(host);
    let one = ["--host", "deploy@web2", "--yes"];
    let dry = off(&[&one[..], &["--dry-run"]].concat());
    dry.ok().stderr_has("would make");
    assert_eq!(snapshot(host), untouched, "a dry run wrote something");

    let removed = off(&one);
    removed
        .ok()
        .stderr_has("removed /etc/systemd/system/shop-web.service")
        .stderr_has("removed /etc/systemd/system/shop.recovery.service")
        .stderr_has("removed /etc/sudoers.d/ship-shop")
        .stderr_has("removed /srv/shop/releases/v1")
        .stderr_has("removed /srv/shop/.ship")
        .stderr_has("removed the user shop")
        .stderr_has("/srv/shop/shared stays; --purge removes it");
    assert_eq!(answer(host, "/"), "connection refused");
    assert_eq!(host.sh("ls -A /srv/shop"), "shared");
    assert_eq!(host.read("/srv/shop/shared/uploads/file"), "kept\n");
    assert_eq!(host.sh("stat -c %U /srv/shop/shared/uploads/file"), "root");
    host.sh("rm /etc/systemd/system/shop-admin-web.service");
    off(&one).ok().stderr_has("deploy@web2: nothing to remove");
    off(&["--host", "deploy@web2", "--yes", "--purge"]).ok();
    assert_eq!(made(host), before);
    host.sh("! getent passwd shop && ! getent group shop");
    serves(&fleet[0], "v3", "v3");
    assert_eq!(current(&fleet[0]), "releases/v3");

    // Set up again, it finds its shared files.
    off(&["--yes"]).ok();
    shop.setup();
    let owner = fleet[0].sh("stat -c %U /srv/shop/shared/uploads");
    assert_eq!(owner, "shop");
    shop.deploy_version("v4").ok();
    serves(&fleet[0], "v1", "v4");
}
