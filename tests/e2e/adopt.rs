//! Hosts that another tool deployed to before: what it left live is adopted, and can be gone back
//! to.

use crate::shop::{Shop, answer, current, history, releases, rows, serves};
use crate::support::{Fleet, Host, Running, eventually, require_hosts, skip};

/// What Capistrano made last.
const CAP: &str = "/srv/shop/releases/20240101120000";

/// Makes the layout of Capistrano 3 as `cap production deploy` leaves it, twice deployed: `current`
/// is an absolute link, folders of `shared/` are linked by absolute links, and the commit is in a
/// file. The live release tells the version `cap`.
fn capistrano(host: &Host, shop: &Shop) {
    host.sh(&format!(
        "cd /srv && mkdir -p shop/repo shop/shared/log shop/releases/20231201120000 {CAP}/app
         cd shop
         printf 'Branch main (at {commit}) deployed as release 20231201120000 by ann\n\
         Branch main (at {commit}) deployed as release 20240101120000 by ann\n' > revisions.log
         echo {commit} > {CAP}/REVISION
         echo cap > {CAP}/app/VERSION
         ln -s /srv/shop/shared/log {CAP}/log
         ln -s {CAP} current",
        commit = "3f2a91c5d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f"
    ));
    let app = std::fs::read(shop.project().join("app/shop.py")).expect("the app");
    host.write(&format!("{CAP}/app/shop.py"), app);
    host.sh("chown -hR deploy: /srv/shop");
}

/// Everything below the root folder that is not of ship, with what links lead to and files hold.
fn others(host: &Host) -> String {
    host.sh(
        "cd /srv/shop && find repo revisions.log releases/2* -name .ship -prune -o -type f -print0 \
         -o -type l -print0 | sort -z | xargs -0 sh -c 'for f; do ls -ld --time-style=+ \"$f\"; \
         cat \"$f\" 2> /dev/null; done' sh",
    )
}

/// What `current` leads to in the end.
fn resolved(host: &Host) -> String {
    host.sh("realpath /srv/shop/current")
}

#[test]
fn what_capistrano_left_is_adopted_and_gone_back_to() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let mut shop = Shop::planned_on([&host]);
    capistrano(&host, &shop);
    let made_by_cap = others(&host);
    host.sh(
        "systemd-run --quiet --unit=old-shop --uid=deploy --setenv=PORT=3000 \
         --working-directory=/srv/shop/current python3 app/shop.py",
    );
    eventually("the old service", || answer(&host, "/") == "cap");

    shop.setup();
    let status = shop.ship(&["status"]);
    status
        .ok()
        .stdout_has("releases/20240101120000 is live, not made by ship; the next deploy adopts it");
    let check = shop.ship(&["check", "production"]);
    assert!(
        check.stdout.contains("shared/log does not belong to shop"),
        "{check}"
    );
    shop.ship(&["rollback"])
        .code(5)
        .stderr_has("nothing is deployed");
    shop.ship(&["restart", "production"]).code(5);

    // The service of the other tool has the port still: nothing is changed, and it is named.
    let taken = shop.deploy();
    taken
        .code(5)
        .stderr_has("port 3000 of service web is taken by another process")
        .stderr_has("(python3) of old-shop.service")
        .stderr_has("systemctl disable --now old-shop.service");
    assert_eq!(current(&host), CAP);
    assert_eq!(answer(&host, "/"), "cap");
    assert_eq!(releases(&host), ["20231201120000", "20240101120000"]);
    assert_eq!(others(&host), made_by_cap);

    host.sh("systemctl stop old-shop");
    shop.deploy()
        .ok()
        .stderr_has("adopted releases/20240101120000 as v0; a rollback can return to it")
        .stderr_has("switched from v0 to v1")
        .stderr_has("shop v1 is live on production (web1)");
    serves(&host, "v1", "v1");
    assert_eq!(history(&host), ["deploy v1: good", "deploy v0: adopted"]);
    let listed = shop.ship(&["releases", "production"]);
    let listed = rows(&listed.ok().stdout);
    assert_eq!(listed[1][..3], ["v1", "live", "good"]);
    assert_eq!(listed[2][..2], ["v0", "good"]);
    assert!(listed[2].contains(&"3f2a91c5d"), "{listed:?}");
    shop.ship(&["check", "production", "--deep"])
        .ok()
        .stdout_has("was adopted: there is nothing to compare it with");
    assert_eq!(host.sh(&format!("stat -c %a {CAP}/.ship/env")), "640");

    // Back to what Capistrano had put there, and forth again.
    shop.ship(&["rollback"])
        .ok()
        .stderr_has("shop v0 is live again on production (web1)");
    assert_eq!(resolved(&host), CAP);
    serves(&host, "v0", "cap");
    assert_eq!(others(&host), made_by_cap);
    shop.ship(&["rollback"])
        .code(5)
        .stderr_has("there is no good release before v0");
    shop.ship(&["restart", "production"]).ok();
    assert_eq!(answer(&host, "/"), "cap");
    shop.ship(&["rollback", "--to", "v1"]).ok();
    serves(&host, "v1", "v1");
    shop.ship(&["rollback", "--to", "v0"]).ok();
    serves(&host, "v0", "cap");
    shop.deploy_version("v2")
        .ok()
        .stderr_has("switched from v0 to v2");

    // It is pruned as any other: what the other tool made stays.
    shop.release = "keep = 2".into();
    shop.write_manifest();
    shop.deploy_version("v3").ok();
    shop.deploy_version("v4").ok();
    serves(&host, "v4", "v4");
    eventually("old releases to go", || {
        releases(&host) == ["20231201120000", "20240101120000", "v3", "v4"]
    });
    assert_eq!(others(&host), made_by_cap);
    assert!(!host.exists(&format!("{CAP}/.ship")));
}

#[test]
fn a_first_deploy_that_fails_goes_back_to_it_on_every_host() {
    let Some(()) = require_hosts() else { return };
    let fleet = Fleet::boot(2);
    let shop = Shop::planned_on(&*fleet);
    for host in &*fleet {
        capistrano(host, &shop);
    }
    shop.setup();

    // A hook fails: nothing was switched, and `current` is what it was.
    let mut shop = shop;
    let web = shop.tables.clone();
    shop.tables = format!("{web}\n[hooks]\nbefore-activate = [\"exit 3\"]\n");
    shop.write_manifest();
    shop.deploy().code(7);
    for host in &*fleet {
        assert_eq!(current(host), CAP);
        assert_eq!(releases(host), ["20231201120000", "20240101120000"]);
    }
    shop.tables = web;
    shop.write_manifest();

    // The release fails on one host: both go back to what was there, which serves.
    fleet[1].write("/etc/shop-refuses", "v2");
    let failed = shop.deploy_version("v2");
    failed.code(7).stderr_has("v2 does not run on this machine");
    for host in &*fleet {
        assert_eq!(resolved(host), CAP);
        serves(host, "v0", "cap");
    }

    shop.deploy_version("v3").ok();
    shop.ship(&["rollback"]).ok();
    for host in &*fleet {
        assert_eq!(resolved(host), CAP);
        serves(host, "v0", "cap");
    }

    // Somebody uses the other tool once more: the next deploy adopts that.
    let host = &fleet[0];
    host.sh_as(
        "deploy",
        "cd /srv/shop && cp -r releases/20240101120000 releases/20250101120000 && \
         rm -r releases/20250101120000/.ship && echo again > releases/20250101120000/app/VERSION && \
         ln -s /srv/shop/releases/20250101120000 .new && mv -T .new current",
    );
    shop.deploy_version("v4")
        .ok()
        .stderr_has("adopted releases/20250101120000 as v0");
    assert!(!host.exists(&format!("{CAP}/.ship")));
    shop.ship(&["rollback"]).ok();
    assert_eq!(resolved(host), "/srv/shop/releases/20250101120000");
    serves(host, "v0", "again");
    serves(&fleet[1], "v0", "cap");
}

#[test]
fn what_cannot_be_adopted_is_refused_before_anything_changes() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = Shop::planned_on([&host]);
    capistrano(&host, &shop);
    shop.setup();
    let untouched = |target: &str| {
        assert_eq!(current(&host), target);
        let there = releases(&host);
        assert!(there.iter().all(|name| !name.starts_with('v')), "{there:?}");
    };

    // It is somebody else's.
    host.sh(&format!("chown root: {CAP} && chmod 755 {CAP}"));
    shop.deploy()
        .code(5)
        .stderr_has("was made by another tool and belongs to root: deploy cannot make it a release")
        .stderr_has(&format!("as root on the host: chown deploy {CAP}"));
    untouched(CAP);
    let check = shop.ship(&["check", "production"]);
    check.code(5).stdout_has(&format!("chown deploy {CAP}"));
    host.sh(&format!("chown deploy {CAP}"));

    // The services could not read it.
    host.sh(&format!("chmod 750 {CAP}"));
    shop.deploy()
        .code(5)
        .stderr_has(&format!(
            "shop, whom the services run as, cannot enter {CAP}"
        ))
        .stderr_has(&format!("chmod o+rx {CAP}"));
    untouched(CAP);
    host.sh(&format!("chmod 755 {CAP}"));

    // It has a `.ship` that is not ours.
    host.sh_as("deploy", &format!("mkdir {CAP}/.ship"));
    shop.deploy()
        .code(5)
        .stderr_has(".ship is there, and ship did not make it");
    untouched(CAP);
    host.sh(&format!("rmdir {CAP}/.ship"));

    // It leads nowhere, or elsewhere.
    for (target, said) in [
        ("/srv/shop/releases/20200101120000", "which does not exist"),
        ("/var/www", "which is not a folder of /srv/shop/releases"),
    ] {
        host.sh(&format!(
            "mkdir -p /var/www; ln -sfn {target} /srv/shop/current"
        ));
        shop.deploy().code(5).stderr_has(said);
        shop.ship(&["status"]).code(5).stdout_has(said);
        untouched(target);
    }

    // Put right, it goes.
    host.sh(&format!("ln -sfn {CAP} /srv/shop/current"));
    shop.deploy().ok();
    serves(&host, "v1", "v1");
    shop.ship(&["rollback"]).ok();
    assert_eq!(resolved(&host), CAP);
}

/// The host hangs up while the list of the files is still on its way to it.
#[test]
fn a_refusal_is_heard_by_who_still_offers() {
    let Some(()) = require_hosts() else { return };
    let host = Host::boot("web1");
    let shop = Shop::planned_on([&host]);
    capistrano(&host, &shop);
    shop.setup();
    host.sh(&format!("chown root: {CAP} && chmod 755 {CAP}"));
    // Some 4 MB of names that no compressor makes smaller.
    let many = shop.project().join("app/many");
    std::fs::create_dir(&many).expect("a folder");
    for at in 0..16_000_u32 {
        let mut noise = blake3::Hasher::new()
            .update(&at.to_le_bytes())
            .finalize_xof();
        let mut name = [0; 240];
        noise.fill(&mut name);
        for byte in &mut name {
            *byte = b'@' + (*byte & 63);
        }
        let name = String::from_utf8_lossy(&name).replace(['\\', '[', ']'], "-");
        std::fs::write(many.join(name), "").expect("an empty file");
    }
    shop.deploy().code(5).stderr_has(
        "was made by another tool and belongs to root: deploy cannot make it a release",
    );
}

const CAPFILE: &str = r#"require "capistrano/setup"
require "capistrano/deploy"
require "capistrano/scm/plugin"

# What is released is on the host already: a repository would need git there.
class There < Capistrano::SCM::Plugin
  def register_hooks
    after "deploy:new_release_path", "there:create_release"
    before "deploy:set_current_revision", "there:set_current_revision"
  end

  def define_tasks
    namespace :there do
      task :create_release do
        on release_roles(:all) do
          execute :mkdir, "-p", release_path
          execute :cp, "-r", "/opt/shop/app", release_path
        end
      end
      task :set_current_revision do
        set :current_revision, "3f2a91c5d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f"
      end
    end
  end
end
install_plugin There
"#;

const RECIPE: &str = r#"lock "~> 3.17"
set :application, "shop"
set :deploy_to, "/srv/shop"
append :linked_dirs, "log"
set :ssh_options, { config: ENV.fetch("SHIP_SSH_CONFIG"),
                    keys: [File.join(Dir.home, ".ssh/id_ed25519")], forward_agent: false }
"#;

/// `cap production deploy`, of a version that tells this.
fn cap_deploy(host: &Host, shop: &Shop, version: &str) -> String {
    let app = std::fs::read(shop.project().join("app/shop.py")).expect("the app");
    host.write("/opt/shop/app/shop.py", app);
    host.write("/opt/shop/app/VERSION", version);
    let mut cap = shop.command("cap");
    cap.current_dir(shop.project().join("cap"))
        .args(["production", "deploy"]);
    Running::start(&mut cap).wait().ok();
    resolved(host)
}

#[test]
fn the_real_capistrano_and_ship_take_turns() {
    let Some(()) = require_hosts() else { return };
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|folder| folder.join("cap").is_file()) {
        return skip("capistrano is not installed");
    }
    let host = Host::boot("web1");
    let shop = Shop::planned_on([&host]);
    shop.write("cap/Capfile", CAPFILE);
    shop.write("cap/config/deploy.rb", RECIPE);
    let server = format!(
        "server \"{}\", user: \"deploy\", roles: %w[web]\n",
        host.name()
    );
    shop.write("cap/config/deploy/production.rb", server);
    host.sh("install -d -o deploy -g deploy /srv/shop");

    let first = cap_deploy(&host, &shop, "cap one");
    shop.setup();
    let name = first.rsplit('/').next().expect("a name");
    shop.deploy()
        .ok()
        .stderr_has(&format!("adopted releases/{name} as v0"));
    serves(&host, "v1", "v1");
    shop.ship(&["rollback"]).ok();
    assert_eq!(resolved(&host), first);
    serves(&host, "v0", "cap one");

    // What it deploys after ship did is adopted in its turn.
    shop.ship(&["rollback", "--to", "v1"]).ok();
    let second = cap_deploy(&host, &shop, "cap two");
    assert_ne!(second, first);
    shop.deploy_version("v2").ok();
    serves(&host, "v2", "v2");
    shop.ship(&["rollback"]).ok();
    assert_eq!(resolved(&host), second);
    serves(&host, "v0", "cap two");
}
