//! What each local party of a host may do: another user, the app's user, the deploying user.

use crate::shop::{Shop, answer, serves};
use crate::support::{Host, eventually, require_hosts};

/// A secret that the release has in its environment.
const KEY: &str = "the-key-of-the-door";

/// The shop with a secret, a shared folder and a file that is closed on the developer's machine.
fn shop_on(host: &Host) -> Shop {
    let mut shop = Shop::planned_on([host]);
    shop.release = "shared = [\"uploads\"]\n".into();
    shop.environment = "secrets = [\"API_KEY\"]\n".into();
    shop.set_env("API_KEY", KEY);
    shop.write("app/master.key", "closed to others\n");
    shop.write_manifest();
    shop.setup();
    shop.deploy().ok();
    shop
}

/// The lines that a shell command prints as this user; its failures are silent.
fn as_user(host: &Host, user: &str, command: &str) -> Vec<String> {
    let said = host.sh_as(user, &format!("{command} 2>/dev/null || true"));
    said.lines().map(str::to_owned).collect()
}

#[test]
fn other_users_reach_nothing_and_the_apps_user_only_what_it_runs() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = shop_on(&host);
    host.sh("useradd --system --create-home --shell /bin/sh neighbour");
    let other_users = ["nobody", "www-data", "neighbour"];

    // While a deploy runs there is more to reach: its socket, its staging folder, its hooks.
    host.write("/etc/shop-sours", "v2");
    shop.version("v2");
    let deploy = shop.start_deploy(&[]);
    eventually("the transaction's socket", || {
        host.exists("/srv/shop/.ship/transaction.sock")
    });
    for user in other_users {
        let readable = as_user(&host, user, "find /srv/shop -type f -readable");
        let of_ship: Vec<_> = readable
            .iter()
            .filter(|path| !path.starts_with("/srv/shop/runtimes/"))
            .collect();
        assert!(of_ship.is_empty(), "{user} reads {of_ship:?}");
        let entered = as_user(&host, user, "ls /srv/shop/.ship /srv/shop/releases");
        assert!(entered.is_empty(), "{user} lists {entered:?}");
    }
    for user in ["nobody", "www-data", "neighbour", "shop"] {
        let writable = as_user(
            &host,
            user,
            "find /srv/shop -path /srv/shop/shared -prune -o ! -type l -writable -print",
        );
        assert!(writable.is_empty(), "{user} writes {writable:?}");
        // A lock needs an open file.
        let locks = as_user(
            &host,
            user,
            "for file in lock tidy.lock freeze.lock; do \
             flock -n /srv/shop/.ship/$file true && echo $file; done",
        );
        assert!(locks.is_empty(), "{user} locks {locks:?}");
        let heard = as_user(
            &host,
            user,
            "python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); \
             s.connect(\"/srv/shop/.ship/transaction.sock\"); print(\"connected\")'",
        );
        assert!(heard.is_empty(), "{user} reaches the transaction");
        let environments = as_user(
            &host,
            user,
            // The brackets keep the search from finding itself.
            &format!(
                "grep -laz '[{}]{}' /proc/[0-9]*/environ /proc/[0-9]*/cmdline",
                &KEY[..1],
                &KEY[1..]
            ),
        );
        if user != "shop" {
            assert!(environments.is_empty(), "{user} reads {environments:?}");
        }
    }
    // What the app's user reads is the release that it runs.
    let readable = as_user(&host, "shop", "find /srv/shop/.ship -type f -readable");
    let strange: Vec<_> = readable
        .iter()
        .filter(|path| {
            !["/staging/", "/spare", "/bin/"]
                .iter()
                .any(|part| path.contains(part))
        })
        .collect();
    assert!(strange.is_empty(), "shop reads {strange:?}");
    deploy.wait();
}

#[test]
fn the_deploying_user_cannot_reach_what_is_roots() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = shop_on(&host);

    // Its rights are exact lines, and none of them lets it run anything as root but systemctl.
    let rights = host.sh_as("deploy", "sudo -n -l");
    for line in rights.lines().filter(|line| line.contains("NOPASSWD")) {
        let exact = line.contains("(root) NOPASSWD: /usr/bin/systemctl ")
            && line.trim_end().ends_with("shop-web.service");
        assert!(exact || line.contains("(shop) NOPASSWD:"), "{line}");
        assert!(!line.contains('*'), "{line}");
    }

    // What it puts in the place of the agents is not run when somebody connects as root.
    host.sh_as(
        "deploy",
        "cd /srv/shop/.ship/bin; for file in $(ls); do rm -f $file; \
         printf '#!/bin/sh\\nid -u >> /home/deploy/ran\\nexit 1\\n' > $file; chmod 755 $file; done",
    );
    let manifest = std::fs::read_to_string(shop.project().join("ship.toml")).expect("a manifest");
    shop.write("ship.toml", manifest.replace("deploy@", "root@"));
    shop.ship(&["status"]).ok();
    shop.ship(&["logs", "production"]).ok();
    shop.ship(&["setup", "production", "--as", "root", "--dry-run"]);
    let ran = host.sh("cat /home/deploy/ran 2>/dev/null || true");
    assert!(!ran.contains('0'), "root ran what deploy wrote: {ran}");

    // Neither the service manager nor setup reads a file of root's for it.
    host.write("/root/secret.env", "ROOT_SECRET=of-root\n");
    host.sh("chmod 600 /root/secret.env");
    shop.write("ship.toml", manifest);
    host.sh_as(
        "deploy",
        "cd /srv/shop/current/.ship && chmod u+w . && ln -sf /root/secret.env env",
    );
    host.sh_as(
        "deploy",
        "sudo -n systemctl restart shop-web.service || true",
    );
    eventually("the unit to have started or failed", || {
        host.sh("systemctl show -P ActiveState shop-web") != "activating"
            || host.sh("systemctl show -P NRestarts shop-web") != "0"
    });
    let read = host.sh("cat /proc/$(systemctl show -P MainPID shop-web)/environ 2>/dev/null | tr '\\0' '\\n'; journalctl -u shop-web --no-pager");
    assert!(!read.contains("of-root"), "{read}");
    shop.ship(&["setup", "production", "--as", "root"]);
    assert_eq!(host.sh("stat -c '%U %a' /root/secret.env"), "root 600");

    // The next deploy mends what it broke.
    shop.version("v9");
    shop.deploy().ok();
    serves(&host, "v2", "v9");
    assert_eq!(answer(&host, "/key"), KEY);
}

/// A hook that tells as whom it runs, and one that lets a deploy wait.
const TELLS: &str = "\n[hooks]\nbefore-activate = [\"id -un >> /tmp/ran\"]\n";
const WAITS: &str = "\n[hooks]\nbefore-activate = [\"touch /tmp/waits; sleep 1000\"]\n";

#[test]
fn the_apps_user_gains_nothing_from_the_process_that_runs_its_commands() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let mut shop = shop_on(&host);
    let tables = shop.tables.clone();

    // It can keep that process from beginning, as by using up its processes: then the hook does not
    // run at all, rather than as the deploying user.
    shop.tables = tables.clone() + TELLS;
    shop.write_manifest();
    host.write("/etc/security/limits.d/shop.conf", "shop hard nproc 1\n");
    shop.version("v2");
    let refused = shop.deploy();
    assert!(!refused.status.success(), "the hook ran somehow");
    assert!(
        !host.exists("/tmp/ran"),
        "it ran as {}",
        host.read("/tmp/ran")
    );
    serves(&host, "v1", "v1");
    host.sh("rm /etc/security/limits.d/shop.conf");
    shop.deploy().ok();
    assert_eq!(host.read("/tmp/ran").trim(), "shop");

    // Its other processes cannot speak for that process, nor look into it.
    shop.tables = tables.clone() + WAITS;
    shop.write_manifest();
    shop.version("v3");
    let deploy = shop.start_deploy(&[]);
    eventually("the hook", || host.exists("/tmp/waits"));
    let pid = host.sh("pgrep -u shop -f 'agent as-app'");
    for door in ["fd/0", "fd/1", "mem", "environ"] {
        let opened = as_user(
            &host,
            "shop",
            &format!(
                "( : < /proc/{pid}/{door} ) && echo read; ( : > /proc/{pid}/{door} ) && echo write"
            ),
        );
        assert!(opened.is_empty(), "shop opens {door}: {opened:?}");
    }

    // When it stops that process, so that it does not see the end of its transaction, the next deploy
    // goes on all the same.
    host.sh_as("shop", &format!("kill -STOP {pid}"));
    host.sh("pkill -9 -f '[a]gent transaction'");
    deploy.wait();
    shop.tables = tables;
    shop.write_manifest();
    shop.version("v4");
    shop.deploy().ok();
    assert_eq!(answer(&host, "/"), "v4");
    assert_eq!(host.sh("pgrep -u shop -f 'agent as-app' || true"), "");
}

#[test]
fn the_deploying_user_leads_setup_as_root_nowhere() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let mut shop = shop_on(&host);
    let victim = || host.sh("stat -c '%U %a' /etc/victim; ls -A /etc/victim");
    host.sh("mkdir -m 700 /etc/victim; chmod 755 /home/deploy");
    let before = victim();

    // Special files where root looks: it neither waits nor reads without an end.
    host.sh_as(
        "deploy",
        "mkdir -p .config/systemd/user && cd .config/systemd/user && \
         mkfifo shop-web.service && ln -s /dev/zero shop-x.service && \
         cd /srv/shop/.ship && for file in host-id fleet.json history.jsonl sequence states/v1; do \
         mv $file $file.kept || true; mkfifo $file; done",
    );
    // Its end is what is asked for: a wait would be the end of this test.
    shop.ship(&["setup", "production", "--as", "root"]);
    host.sh_as(
        "deploy",
        "cd /srv/shop/.ship && for file in host-id fleet.json history.jsonl sequence states/v1; do \
         rm -f $file; mv $file.kept $file || true; done",
    );
    shop.setup();

    // Links in the place of folders below the root folder.
    host.sh_as(
        "deploy",
        "cd /srv/shop && mv .ship/staging .ship/kept || true; ln -s /etc/victim .ship/staging; \
         mv runtimes kept; ln -s /etc/victim runtimes",
    );
    shop.ship(&["setup", "production", "--as", "root"]);
    assert_eq!(victim(), before);
    host.sh_as(
        "deploy",
        "cd /srv/shop && rm .ship/staging runtimes; mv .ship/kept .ship/staging || true; \
         mv kept runtimes",
    );

    // A root folder in its home: the folder itself, and one on the way to it, as links.
    shop.environment += "name = \"shop2\"\nroot = \"/home/deploy/way/shop2\"\n";
    shop.write_manifest();
    for plant in [
        "ln -s /etc way && mkdir -p unused",
        "rm way; mkdir way; ln -s /etc/victim way/shop2",
    ] {
        host.sh_as("deploy", plant);
        shop.ship(&["setup", "production", "--as", "root"])
            .code(5)
            .stderr_has("is a link in a folder that other users than root can change");
        shop.ship(&["remove", "production", "--as", "root", "--yes"]);
        assert_eq!(victim(), before, "{plant}");
        assert!(!host.exists("/etc/shop2"), "{plant}");
    }
}
