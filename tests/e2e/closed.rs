//! A release is for the user that deploys it, the user that runs it and root: nobody else on the host
//! reads it, and nobody changes it.

use crate::shop::{Shop, answer, serves};
use crate::support::{Host, require_hosts};

/// Whether `user` can do this in the live release.
fn can(host: &Host, user: &str, command: &str) -> bool {
    let line = format!("cd / && runuser -u {user} -- sh -c '{command}' >/dev/null 2>&1");
    host.exec(&line).status.success()
}

const FILES: &str = "cat /srv/shop/current/app/shop.py";

#[test]
fn nobody_else_reads_or_changes_a_release() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("closed");
    let mut shop = Shop::planned_on([&host]);
    shop.environment = "secrets = [\"API_KEY\"]".to_owned();
    shop.write_manifest();
    shop.set_env("API_KEY", "it's $HOME \"quoted\"\nin two lines");
    shop.write("app/config/master.key", "0123456789abcdef\n");
    shop.setup();
    shop.deploy().ok();
    serves(&host, "v1", "v1");
    let key = host.http_get(crate::shop::PORT, "/key").expect("an answer");
    assert_eq!(key.body, "it's $HOME \"quoted\"\nin two lines\n");

    for path in [
        "/srv/shop/current/app/config/master.key",
        "/srv/shop/current/.ship/release.json",
        "/srv/shop/releases",
        "/srv/shop/.ship/history.jsonl",
        "/srv/shop/.ship/spare",
        "/srv/shop/.ship/indexes/v1",
    ] {
        let read = format!("cat {path} || ls {path}/");
        assert!(!can(&host, "nobody", &read), "nobody reads {path}");
        assert!(!can(&host, "www-data", &read), "www-data reads {path}");
    }
    // The app reads its files, and no more; it holds up no deploy.
    assert!(can(&host, "shop", FILES));
    for path in ["lock", "tidy.lock", "freeze.lock"] {
        let lock = format!("flock --nonblock /srv/shop/.ship/{path} true");
        for user in ["shop", "nobody"] {
            assert!(!can(&host, user, &lock), "{user} locks {path}");
        }
    }
    // Who deploys cannot change what was deployed, either.
    for file in ["new", "app/new", ".ship/new", ".ship/run/new"] {
        for user in ["shop", "deploy"] {
            let touch = format!("touch /srv/shop/current/{file}");
            assert!(!can(&host, user, &touch), "{user} makes {file}");
        }
    }
    let changed = shop.ship(&["exec", "production", "--", "touch", "new"]);
    assert_ne!(changed.status.code(), Some(0), "{changed}");

    // A web server that the manifest names, from the next setup until it is taken out.
    shop.release = "readable-by = [\"www-data\"]".to_owned();
    shop.write_manifest();
    shop.ship(&["check", "production"])
        .ok()
        .stdout_has("is not open to exactly the users that the manifest names");
    let setup = shop.ship(&["setup", "production", "--as", "root"]);
    setup
        .ok()
        .stderr_has("closed /srv/shop/releases to all users but deploy, shop and www-data");
    assert!(can(&host, "www-data", FILES) && !can(&host, "nobody", FILES));
    assert!(!can(&host, "www-data", "cat /srv/shop/current/.ship/env"));
    assert!(!can(&host, "www-data", "ls /srv/shop/.ship"));
    shop.deploy_version("v2").ok();
    serves(&host, "v2", "v2");
    assert!(can(&host, "www-data", FILES));
    set_up(&shop).ok().stderr_has("nothing to change");
    shop.release = "readable-by = [\"no-such-user\"]".to_owned();
    shop.write_manifest();
    set_up(&shop)
        .code(5)
        .stderr_has("this host has no such user");
    shop.release.clear();
    shop.write_manifest();
    set_up(&shop).ok();
    assert!(!can(&host, "www-data", FILES) && can(&host, "shop", FILES));

    // What systemd reads as root was a name that the deploying user could give to any file. The
    // launcher fails, before systemctl says that the service was started or afterwards.
    host.sh(
        "chmod 755 /srv/shop/current/.ship && cd /srv/shop/current/.ship && rm env && \
         printf 'ROOTS=\"own\"\\n' > /root/secret && chmod 600 /root/secret && ln -s /root/secret env && \
         systemctl restart shop-web || true",
    );
    let log = host.sh("sleep 1; journalctl -u shop-web -n 20 --no-pager -o cat");
    assert!(
        log.contains("cannot read /srv/shop/releases/v2/.ship/env"),
        "{log}"
    );
    assert!(
        !host
            .sh("systemctl show shop-web -p Environment -p EnvironmentFiles")
            .contains("ship/env")
    );
}

const HOOK: &str = r#"
[hooks]
before-activate = [{ run = "id -un; umask; echo port $PORT; echo writes to ${RUNTIME_DIRECTORY:-nothing yet}; mkdir -p storage/logs; python3 migrate.py", on = "each-host" }]
"#;

const MIGRATE: &str = r#"
import os, sqlite3
sqlite3.connect("storage/db.sqlite3").execute("create table if not exists t (x)")
print("home", os.environ["HOME"], "user", os.environ["USER"], "key", os.environ["API_KEY"], flush=True)
"#;

#[test]
fn hooks_and_health_commands_run_as_the_services_user_and_end_with_the_deploy() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("asapp");
    let mut shop = Shop::planned_on([&host]);
    shop.environment = "secrets = [\"API_KEY\"]".to_owned();
    shop.set_env("API_KEY", "hunter2-very-secret");
    shop.release = "shared = [\"storage\"]".to_owned();
    shop.write("app/migrate.py", MIGRATE);
    let web = crate::shop::WEB.replace(
        "health = { path = \"/healthz\", timeout = \"20s\" }",
        "health = { command = \"id -un > $RUNTIME_DIRECTORY/asked-by; test -e storage/db.sqlite3\" }",
    );
    shop.tables = format!("{web}{}", HOOK.replace("migrate.py", "app/migrate.py"));
    shop.write_manifest();
    shop.setup();
    let check = shop.ship(&["check", "production"]);
    check
        .ok()
        .stdout_has("hooks, health commands and `ship exec` run as shop");
    let deployed = shop.ship(&["deploy", "production", "-v"]);
    deployed.ok();
    let said = format!("{}{}", deployed.stdout, deployed.stderr);
    for line in [
        "shop",
        "0022",
        "port 3000",
        "writes to nothing yet",
        "home /srv/shop/shared user shop",
    ] {
        assert!(said.contains(line), "{line:?} is missing\n{deployed}");
    }
    let owners = "stat -c %U /srv/shop/shared/storage/logs /srv/shop/shared/storage/db.sqlite3 \
        /run/shop-web/asked-by";
    assert_eq!(host.sh(owners), "shop\nshop\nshop");
    assert_eq!(host.read("/run/shop-web/asked-by"), "shop\n");
    assert!(!deployed.stderr.contains("may not run"), "{deployed}");

    // A health command that fails is told with what it said.
    let good = shop.tables.clone();
    shop.tables = good.replace("test -e storage/db.sqlite3", "echo no database >&2; false");
    shop.write_manifest();
    shop.version("v2");
    let failed = shop.ship(&["deploy", "production", "-v"]);
    failed
        .code(7)
        .stderr_has("writes to /run/shop-web")
        .stderr_has("the health command said: no database");

    // The hook ends with the transaction that is killed, in whatever session it runs.
    shop.tables = good.replace("id -un; umask", "setsid sleep 4321 & sleep 4322; umask");
    shop.write_manifest();
    shop.version("v3");
    let deploying = shop.start_deploy(&[]);
    let sleepers = || host.sh("pgrep -u shop -f '^sleep 432' | wc -l");
    crate::support::eventually("the hook to run", || sleepers() == "2");
    host.sh("pkill -KILL -f '[a]gent transaction'");
    crate::support::eventually("the hook to end", || sleepers() == "0");
    deploying.wait();

    // Without the right, as after a setup of an older ship, they run as before, and it is said.
    shop.tables = good
        .replace("id -un; umask;", "id -un > /tmp/ran-as; true;")
        .replace("mkdir -p storage/logs; python3 app/migrate.py", "true");
    shop.tables = shop
        .tables
        .replace("id -un > $RUNTIME_DIRECTORY/asked-by; ", "");
    shop.write_manifest();
    host.sh("sed -i '/(shop) NOPASSWD/d' /etc/sudoers.d/ship-shop");
    let direct = shop.deploy_version("v4");
    direct
        .ok()
        .stderr_has("deploy may not run commands as shop")
        .stderr_has("ship setup production --as root");
    assert_eq!(host.read("/tmp/ran-as"), "deploy\n");

    // Not where the services' user is more than that.
    host.sh("rm /tmp/ran-as && groupadd -f docker && usermod -aG docker shop");
    let setup = set_up(&shop);
    setup
        .ok()
        .stderr_has("hooks and health commands run as deploy: shop is in the group docker");
    let barred = shop.deploy_version("v5");
    barred.ok();
    assert!(!barred.stderr.contains("may not run"), "{barred}");
    assert_eq!(host.read("/tmp/ran-as"), "deploy\n");
}

fn set_up(shop: &Shop) -> crate::support::Run {
    shop.ship(&["setup", "production", "--as", "root"])
}

/// What the build of before left: folders that everyone may read, units that have systemd read the
/// environment, launchers that do not.
fn make_old(host: &Host) {
    host.sh(
        "cd /srv/shop && chgrp deploy releases .ship .ship/staging && \
         chmod 755 releases .ship .ship/staging releases/* && chmod g-s releases .ship .ship/staging && \
         for own in releases/*/.ship; do \
             chmod 755 $own $own/run && chgrp deploy $own/env && chmod 600 $own/env && \
             sed -i '/SHIP_ENV/d' $own/env && \
             for file in $own/run/*; do sed -i '/SHIP_ENV/d; /^if \\[ -r/d' $file; done; done && \
         sed -i 's,^ExecStart=/srv,EnvironmentFile=-/srv/shop/current/.ship/env\\n&,' \
             /etc/systemd/system/shop-web.service && \
         systemctl daemon-reload && systemctl restart shop-web",
    );
}

#[test]
fn a_host_of_an_older_ship_works_and_one_setup_closes_it() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("older");
    let mut shop = Shop::planned_on([&host]);
    shop.environment = "secrets = [\"API_KEY\"]".to_owned();
    shop.write_manifest();
    shop.set_env("API_KEY", "one two");
    shop.setup();
    shop.deploy().ok();
    shop.deploy_version("v2").ok();
    make_old(&host);
    crate::support::eventually("the old release to serve", || {
        answer(&host, "/key") == "one two"
    });
    assert!(can(&host, "nobody", FILES));

    shop.ship(&["status"]).ok();
    shop.ship(&["logs", "production", "web"]).ok();
    shop.ship(&["rollback"]).ok();
    serves(&host, "v1", "v1");
    assert_eq!(answer(&host, "/key"), "one two");
    let deployed = shop.deploy_version("v3");
    deployed
        .ok()
        .stderr_has("every user of this host can read /srv/shop/releases")
        .stderr_has("ship setup production --as root");
    assert_eq!(answer(&host, "/key"), "one two");

    let setup = set_up(&shop);
    setup
        .ok()
        .stderr_has("closed /srv/shop/releases to all users but deploy and shop")
        .stderr_has("had the launchers of v1 read its environment");
    assert!(!can(&host, "nobody", FILES) && can(&host, "shop", FILES));
    host.sh("systemctl restart shop-web");
    crate::support::eventually("v3 to serve", || answer(&host, "/key") == "one two");
    // A release that the build of before staged.
    shop.ship(&["rollback"]).ok();
    serves(&host, "v1", "v1");
    assert_eq!(answer(&host, "/key"), "one two");
    set_up(&shop).ok().stderr_has("nothing to change");
    let quiet = shop.deploy_version("v4");
    quiet.ok();
    assert!(!quiet.stderr.contains("ship setup"), "{quiet}");
}

#[test]
fn what_is_committed_at_a_shared_path_becomes_the_apps() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("seeded");
    let mut shop = Shop::planned_on([&host]);
    shop.release = "shared = [\"storage\", \"config/app.yml\"]".to_owned();
    shop.write_manifest();
    for path in ["storage/a/first", "storage/second", "config/app.yml"] {
        shop.write(path, "committed");
    }
    shop.git(&["init", "-q"]);
    shop.git(&["add", "."]);
    shop.git(&["commit", "-qm", "Begin"]);
    shop.setup();
    let deployed = shop.ship(&["deploy", "production"]);
    deployed
        .ok()
        .stderr_has("copied config/app.yml to shared/, where nothing was")
        .stderr_has("copied storage to shared/, where nothing was");
    let found = host.sh(
        "cd /srv/shop/current && stat -Lc '%U %n' storage/a storage/a/first config/app.yml && \
         cat storage/a/first storage/second config/app.yml",
    );
    assert_eq!(
        found,
        "shop storage/a\nshop storage/a/first\nshop config/app.yml\ncommittedcommittedcommitted"
    );
}
