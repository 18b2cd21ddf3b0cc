//! `ship pin` with real runtimes, from a mirror on loopback: what it writes, what it says, and that
//! what it wrote runs.

use std::fs;

use ship::runtime::Lock;

use crate::shop::{Shop, Words};
use crate::support::runtimes::{
    BUN_1, DENO_2, GO_1, JAVA_21, NODE_18, NODE_20, NODE_22, PYTHON_312, Real, sha256,
};
use crate::support::{Controller, Fault, Mirror, Run};

/// A project that asks for these runtimes, and a mirror that has some.
fn project(mirror: &Mirror, runtimes: &str) -> Controller {
    let mut controller = Controller::new();
    controller.set_env("PATH", "/usr/local/bin:/usr/bin:/bin");
    for name in ["node", "python", "go", "deno", "bun", "java"] {
        let variable = format!("SHIP_{}_MIRROR", name.to_uppercase());
        controller.set_env(&variable, &mirror.address(name));
    }
    ask(&controller, runtimes);
    controller
}

fn ask(controller: &Controller, runtimes: &str) {
    let manifest = format!(
        "[app]\nname = \"shop\"\n\n[runtimes]\n{runtimes}\n\
         [build]\nsteps = [\"node --version\"]\n\n[services.web]\ncommand = \"node server.js\"\n"
    );
    controller.write("ship.toml", manifest);
}

fn lock(controller: &Controller) -> String {
    fs::read_to_string(controller.project().join("ship.lock")).expect("a lock")
}

/// A run as a person reads it; what differs each time is replaced.
fn told(controller: &Controller, mirror: &Mirror, args: &[&str]) -> String {
    let Run {
        status,
        stdout,
        stderr,
        ..
    } = controller.ship(args);
    let code = status.code().expect("an exit code");
    let address = mirror.address("");
    // How long it waited.
    let steady = |line: &str| match line.split_once("\"ms\":") {
        Some((before, _)) => format!("{before}\"ms\":<n>}}\n"),
        None => format!("{line}\n"),
    };
    let said: String = format!("{stdout}{stderr}").lines().map(steady).collect();
    format!("$ ship {} → {code}\n{said}\n", args.join(" "))
        .replace(address.trim_end_matches('/'), "<mirror>")
        .replace(&controller.project().display().to_string(), "<project>")
}

macro_rules! snapshot {
    ($name:literal, $text:expr) => {
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!($name, $text);
        });
    };
}

#[test]
fn the_story_of_a_pin() {
    let Some(mirror) = Mirror::of(&[NODE_18, NODE_20, NODE_22]) else {
        return;
    };
    let controller = project(&mirror, "node = \"20\"\n");
    let mut story = String::new();
    let mut tell = |args: &[&str]| story.push_str(&told(&controller, &mirror, args));
    tell(&["pin", "--check"]);
    tell(&["pin"]);
    let first = lock(&controller);
    tell(&["pin"]);
    assert_eq!(
        lock(&controller),
        first,
        "pinning twice gives the same bytes"
    );
    tell(&["pin", "--check"]);
    ask(&controller, "node = \">=18\"\n");
    tell(&["pin", "--check"]);
    tell(&["pin"]);
    tell(&["pin", "--upgrade", "node"]);
    ask(&controller, "node = \"lts/iron\"\n");
    tell(&["pin", "--json"]);
    assert!(lock(&controller).contains("version = \"20.11.1\""));
    ask(&controller, "node = \"20.99\"\n");
    tell(&["pin"]);
    ask(&controller, "");
    tell(&["pin"]);
    snapshot!("pin_story", story);
}

/// For the app that serves, not only for the build.
#[test]
fn a_first_deploy_on_this_machine_pins_by_itself() {
    let Some(mirror) = Mirror::of(&[NODE_20]) else {
        return;
    };
    let mut shop = Shop::with(&Words {
        service: "settle = \"0s\"".to_owned(),
        tables: "[runtimes]\nnode = \"20\"\n".to_owned(),
    });
    shop.controller
        .set_env("SHIP_NODE_MIRROR", &mirror.address("node"));
    let lock = || fs::read_to_string(shop.controller.project().join("ship.lock"));
    shop.deploy(&[])
        .ok()
        .stderr_has("wrote ship.lock: node 20.11.1; commit it");
    let path = shop.ask("/env/PATH").expect("an answer");
    assert!(path.contains("/node-20.11.1"), "{path}");
    let first = lock().expect("a lock");
    assert!(first.contains("version = \"20.11.1\""), "{first}");
    shop.version("two");
    let second = shop.deploy(&[]);
    second.ok();
    assert!(!second.stderr.contains("wrote ship.lock"), "{second}");
    assert_eq!(lock().expect("a lock"), first);
}

#[test]
fn what_version_files_say_is_not_ignored() {
    let Some(mirror) = Mirror::of(&[NODE_20]) else {
        return;
    };
    let controller = project(&mirror, "node = \"20\"\n");
    let mut story = String::new();
    let mut tell = |args: &[&str]| story.push_str(&told(&controller, &mirror, args));
    controller.write(".nvmrc", "18\n");
    tell(&["pin"]);
    assert!(!controller.project().join("ship.lock").exists());
    controller.write(".nvmrc", "20\n");
    controller.ship(&["pin"]).ok();
    controller.write(
        "package.json",
        "{\n  \"engines\": { \"node\": \">=22\" }\n}\n",
    );
    tell(&["check"]);
    tell(&["build"]);
    controller.write(
        "package.json",
        "{\n  \"engines\": { \"node\": \">=18\" }\n}\n",
    );
    controller.ship(&["check"]).ok();
    controller
        .ship(&["run", "--", "node", "--version"])
        .ok()
        .stdout_has("v20.11.1");
    snapshot!("pin_disagreement", story);
}

/// Each runtime is pinned by what its publisher serves, the same through http and from a folder,
/// and is what runs then.
#[test]
fn every_runtime_is_pinned_and_runs() {
    for (real, asked, command) in [
        (NODE_22, "lts", &["node", "--version"][..]),
        (PYTHON_312, ">=3.12,<3.13", &["python3", "--version"]),
        (GO_1, "1.23", &["go", "version"]),
        (DENO_2, "^2", &["deno", "--version"]),
        (BUN_1, "1.x", &["bun", "--version"]),
        (JAVA_21, "temurin-21", &["java", "-version"]),
    ] {
        let Real { name, version, .. } = real;
        let Some(mirror) = Mirror::of(std::slice::from_ref(&real)) else {
            continue;
        };
        let controller = project(&mirror, &format!("{name} = \"{asked}\"\n"));
        controller.ship(&["pin"]).ok();
        let pinned = Lock::read(&controller.project())
            .expect("a good lock")
            .expect("a lock");
        let pin = &pinned.runtimes[name];
        assert_eq!(
            (pin.request.as_str(), pin.version.as_str()),
            (asked, version)
        );
        let platforms: Vec<String> = pin.platforms.keys().map(ToString::to_string).collect();
        assert_eq!(platforms, ["x86_64-linux"], "{name}");
        for archive in pin.platforms.values() {
            let file = mirror.file(&real);
            assert!(archive.url.starts_with("https://"), "{}", archive.url);
            assert_eq!(archive.sha256.to_string(), sha256(&file));
            assert_eq!(archive.size, fs::metadata(file).expect("the archive").len());
        }
        let first = lock(&controller);
        fs::remove_file(controller.project().join("ship.lock")).expect("remove the lock");
        let folder = mirror.folder(name);
        let asked = format!("{name} = {{ version = \"{asked}\", mirror = \"{folder}\" }}\n");
        ask(&controller, &asked);
        controller.ship(&["pin"]).ok();
        assert_eq!(lock(&controller), first, "{name}: a mirror leaves no trace");
        let run = controller.ship(&[&["run", "--"], command].concat());
        run.ok();
        let said = format!("{}{}", run.stdout, run.stderr);
        let number = version.split('+').next().expect("a version");
        assert!(said.contains(number), "{name}: {said}");
    }
}

#[test]
fn a_mirror_that_is_none_pins_nothing() {
    let Some(mirror) = Mirror::of(&[NODE_20]) else {
        return;
    };
    let controller = project(&mirror, "node = \"20\"\n");
    let mut story = String::new();
    for (end, fault) in [
        ("index.json", Fault::Html),
        ("index.json", Fault::Status(404)),
        ("index.json", Fault::SaysLonger),
        (
            "index.json",
            Fault::Redirect("https://127.0.0.1:9/index.json".to_owned()),
        ),
        ("SHASUMS256.txt", Fault::Html),
        ("SHASUMS256.txt", Fault::Status(404)),
        ("linux-x64.tar.gz", Fault::Status(404)),
        ("linux-x64.tar.gz", Fault::Html),
    ] {
        story.push_str(&format!("{end}: {fault:?}\n"));
        mirror.fault(end, fault);
        let run = told(&controller, &mirror, &["pin"]);
        assert!(!controller.project().join("ship.lock").exists(), "{run}");
        story.push_str(&run);
        mirror.heal();
    }
    snapshot!("pin_bad_mirror", story);
}

/// Not every server that has files knows HEAD; and people write addresses with a slash behind.
#[test]
fn a_plain_server_of_files_is_a_mirror() {
    let Some(mirror) = Mirror::of(&[NODE_20]) else {
        return;
    };
    let mut controller = project(&mirror, "node = \"20\"\n");
    controller.ship(&["pin"]).ok();
    let first = lock(&controller);
    mirror.fault("linux-x64.tar.gz", Fault::NoHead);
    controller.set_env("SHIP_NODE_MIRROR", &format!("{}/", mirror.address("node")));
    fs::remove_file(controller.project().join("ship.lock")).expect("remove the lock");
    controller.ship(&["pin"]).ok();
    assert_eq!(lock(&controller), first);
}
