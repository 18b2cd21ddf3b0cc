//! Apps that work: what a good deploy leaves, and what an app is given.

use crate::shop::{Shop, Words};

#[test]
fn a_deploy_serves_and_the_next_one_replaces_it() {
    let shop = Shop::deployed();
    let first = shop.apps();
    assert_eq!(first.len(), 1, "{first:?}");

    shop.version("two");
    shop.deploy(&[]).ok();
    shop.serves("two", "v2");
    let second = shop.apps();
    assert_eq!(second.len(), 1, "{second:?}");
    assert_ne!(first, second);

    // Nothing has changed: no new release.
    shop.deploy(&[]).ok();
    shop.serves("two", "v2");
    assert_eq!(shop.apps(), second);

    shop.controller.ship(&["rollback", "local"]).ok();
    shop.serves("one", "v1");
    shop.controller.ship(&["stop", "local"]).ok();
    assert_eq!(shop.ask("/"), None);
    shop.controller.ship(&["start", "local"]).ok();
    shop.serves("one", "v1");
}

#[test]
fn values_of_the_environment_arrive_as_they_are() {
    let values = [
        ("QUOTES", r#"she said "no", it's 'fine' `id`"#),
        ("LINES", "one\ntwo\n\nfour"),
        ("DOLLAR", "$HOME ${PATH} $(id) $$ %h %%"),
        ("HASH", "# not a comment; a=b"),
        ("BACKSLASH", r"C:\new\table \\ \"),
        ("SPACES", "  both ends  "),
        ("EMPTY", ""),
        ("UNICODE", "grüße ✓"),
    ];
    let toml = |text: &str| {
        format!(
            "\"{}\"",
            text.replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n")
        )
    };
    let table = |name: &str| {
        let lines = values.map(|(key, value)| format!("{name}{key} = {}\n", toml(value)));
        lines.concat()
    };
    // Both ways that a value reaches the app: the release's env file, and the launcher.
    let shop = Shop::with(&Words {
        service: "settle = \"0s\"".to_owned(),
        tables: format!(
            "[services.web.env]\n{}\n[environments.local.env]\n{}",
            table("SERVICE_"),
            table("ALL_")
        ),
    });
    shop.deploy(&[]).ok();
    for (key, value) in values {
        for prefix in ["SERVICE_", "ALL_"] {
            let name = format!("{prefix}{key}");
            assert_eq!(
                shop.ask(&format!("/env/{name}")).as_deref(),
                Some(value),
                "{name}"
            );
        }
    }
}

/// What only the person's shell has is not passed on to the app.
#[test]
fn the_app_does_not_see_the_callers_environment() {
    let mut shop = Shop::new();
    shop.controller.set_env("AWS_SECRET_ACCESS_KEY", "hunter2");
    shop.deploy(&[]).ok();
    assert_eq!(
        shop.ask("/env/AWS_SECRET_ACCESS_KEY").as_deref(),
        Some("<unset>")
    );
    assert_eq!(shop.ask("/env/SHIP_RELEASE").as_deref(), Some("v1"));
}

/// The switch stops the service of the old name: its process, which has the port, is not
/// somebody else's.
#[test]
fn a_service_may_be_renamed() {
    let shop = Shop::deployed();
    let path = shop.controller.project().join("ship.toml");
    let manifest = std::fs::read_to_string(&path).expect("a manifest");
    let renamed = manifest.replace("[services.web]", "[services.app]");
    std::fs::write(&path, renamed).expect("write the manifest");
    shop.version("two");
    shop.deploy(&[]).ok();
    shop.serves("two", "v2");
    assert_eq!(shop.apps().len(), 1);
    shop.controller.ship(&["rollback", "local"]).ok();
    shop.serves("one", "v1");
    assert_eq!(shop.apps().len(), 1);
}

/// A hook after the switch sees the new release live; one that fails puts the old one back.
#[test]
fn hooks_run_after_the_switch_too() {
    let shop = Shop::deployed();
    let hook = |run: &str| {
        shop.manifest(&Words {
            service: "settle = \"0s\"".to_owned(),
            tables: format!("[hooks]\nafter-activate = [\"{run}\"]"),
        });
    };
    hook("readlink ../../current");
    shop.version("two");
    shop.deploy(&["-v"]).ok().stderr_has("releases/v2");
    shop.serves("two", "v2");

    hook("echo the cache is cold; exit 4");
    shop.version("three");
    shop.deploy(&[])
        .code(7)
        .stderr_has("the cache is cold")
        .stderr_has("exit code 4");
    shop.serves("two", "v2");
}

/// Nothing was live before, so nothing is said to be live still.
#[test]
fn a_hook_that_fails_before_the_first_release_leaves_nothing_live() {
    let shop = Shop::with(&Words {
        service: "settle = \"0s\"".to_owned(),
        tables: "[hooks]\nbefore-activate = [\"echo no table; exit 4\"]".to_owned(),
    });
    let run = shop.deploy(&[]);
    run.code(7).stderr_has("no table");
    run.stderr_has("nothing was switched; nothing was live before\n");
    shop.serves_nothing();
}

/// A server that nobody asks for its health is told of, once it is the only one.
#[test]
fn a_port_that_the_manifest_does_not_name_is_told() {
    let shop = Shop::new();
    let port = shop.port;
    let manifest = |more: &str| {
        shop.controller.write(
            "ship.toml",
            format!(
                "[app]\nname = \"shop\"\n\n[services.web]\nsettle = \"2s\"\n\
                 command = \"python3 -m http.server {port} --bind 127.0.0.1\"\n{more}\n"
            ),
        );
    };
    let told = format!(
        "web listens on 127.0.0.1:{port}, and the manifest names no port: with `port = {port}` in \
         [services.web], a deploy asks it whether it is healthy"
    );
    manifest("");
    shop.deploy(&[]).ok().stderr_has(&told);
    manifest(&format!("port = {port}"));
    let run = shop.deploy(&[]);
    assert!(!run.ok().stderr.contains("names no port"), "{run}");
}
