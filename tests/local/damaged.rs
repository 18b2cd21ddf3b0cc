//! Files of the app's state folder that are truncated, garbled, replaced or closed, and notes that are
//! removed while a deploy goes on: every command works or names the file, and a rollback works.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::shop::{PATIENT, Shop, Words};
use crate::support::{Run, within};

/// Takes away what is at `path`, whatever it is.
fn remove(path: &Path) {
    if fs::symlink_metadata(path).is_ok_and(|found| found.is_dir()) {
        fs::remove_dir_all(path).expect("a folder that can be removed");
    } else if fs::symlink_metadata(path).is_ok() {
        fs::remove_file(path).expect("a file that can be removed");
    }
}

fn empty(path: &Path) {
    remove(path);
    fs::write(path, "").expect("write into the state folder");
}

fn garbage(path: &Path) {
    remove(path);
    fs::write(path, b"\xff\xfe\0{\"a\n\x80").expect("write into the state folder");
}

fn folder(path: &Path) {
    remove(path);
    fs::create_dir(path).expect("write into the state folder");
    fs::write(path.join("x"), "").expect("write into the state folder");
}

fn fifo(path: &Path) {
    // What tidies after a command may make its file anew in between.
    let is_made = (0..20).any(|_| {
        remove(path);
        let made = Command::new("mkfifo").arg(path).output();
        made.expect("mkfifo").status.success()
    });
    assert!(is_made, "{}", path.display());
}

fn closed(path: &Path) {
    let mode = fs::Permissions::from_mode(0o000);
    fs::set_permissions(path, mode).expect("a file of ours");
}

/// The files and sockets of the state folder, and those of the live release.
fn files(shop: &Shop) -> Vec<PathBuf> {
    let state = shop.root().join(".ship");
    let live = shop.current().expect("a live release");
    let mut found: Vec<PathBuf> = fs::read_dir(&state)
        .expect("a state folder")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let found = fs::symlink_metadata(path);
            found.is_ok_and(|found| found.is_file() || found.file_type().is_socket())
        })
        .collect();
    found.push(state.join("states").join(&live));
    found.push(state.join("indexes").join(&live));
    found.sort();
    assert!(found.len() > 10, "{found:?}");
    found
}

/// It worked, or named the file; it neither hung nor broke down.
#[track_caller]
fn works_or_names(path: &Path, run: &Run) {
    let name = path.file_name().expect("a name").to_string_lossy();
    let said = format!("{}{}", run.stdout, run.stderr);
    let is_named = said.contains(&*name);
    let code = run.status.code().unwrap_or(-1);
    assert!(code == 0 || is_named, "{}\n{run}", path.display());
    assert!(!said.contains("panicked"), "{}\n{run}", path.display());
    assert!(
        run.duration < Duration::from_secs(60),
        "{}\n{run}",
        path.display()
    );
}

/// Damages each file in turn. The release before is good all the while, so that a rollback must work.
fn each_file(damage: fn(&Path)) {
    let shop = Shop::deployed();
    shop.version("two");
    shop.deploy(&[]).ok();
    for (number, path) in files(&shop).into_iter().enumerate() {
        let before = fs::read(&path).ok();
        let hurt = || {
            // A file that only lives while something is done.
            if fs::symlink_metadata(&path).is_ok() || before.is_some() {
                if fs::symlink_metadata(&path).is_err() {
                    empty(&path);
                }
                damage(&path);
            }
        };
        hurt();
        works_or_names(&path, &shop.controller.ship(&["status", "local"]));
        hurt();
        let rollback = shop
            .controller
            .ship(&["rollback", "local", "--wait", "30s"]);
        let why = path.display();
        assert!(rollback.status.success(), "{why}\n{rollback}");
        hurt();
        shop.version(&format!("after {number}"));
        let deploy = shop.deploy(&["--wait", "30s"]);
        works_or_names(&path, &deploy);
        let found = fs::symlink_metadata(&path);
        let is_socket = found.is_ok_and(|found| found.file_type().is_socket());
        if let (Some(before), false) = (before, is_socket) {
            remove(&path);
            fs::write(&path, before).expect("write into the state folder");
        }
        shop.version(&format!("healed {number}"));
        shop.deploy(&["--wait", "30s"]).ok();
        assert_eq!(shop.apps().len(), 1, "{why}: {:?}", shop.apps());
    }
}

#[test]
fn each_file_that_is_empty() {
    each_file(empty);
}

#[test]
fn each_file_of_garbage() {
    each_file(garbage);
}

#[test]
fn each_file_that_is_a_folder() {
    each_file(folder);
}

#[test]
fn each_file_that_is_a_fifo() {
    each_file(fifo);
}

/// Where the tests run as root, no file is closed to them; elsewhere this is a fault as any.
#[test]
fn each_file_that_is_closed() {
    each_file(closed);
}

/// `v1` serves; a deploy of `v2` waits in a hook before its switch until there is `go` in the home.
fn held() -> (Shop, crate::support::Running) {
    let shop = Shop::deployed();
    shop.version("two");
    let home = shop.controller.home();
    let (held, go) = (home.join("held"), home.join("go"));
    shop.manifest(&Words {
        service: "settle = \"0s\"".to_owned(),
        tables: format!(
            "[hooks]\nbefore-activate = [\"touch {}; while [ ! -e {} ]; do sleep 0.05; done\"]\n",
            held.display(),
            go.display()
        ),
    });
    let deploy = shop.start(&[]);
    within(Duration::from_secs(30), "the hook", || {
        held.exists().then_some(())
    });
    (shop, deploy)
}

fn goes_on(shop: &Shop) {
    fs::write(shop.controller.home().join("go"), "").expect("write into the home");
}

#[test]
fn a_cancel_without_the_holders_note_cancels() {
    let (shop, deploy) = held();
    fs::remove_file(shop.root().join(".ship/holder.json")).expect("a holder");
    let cancel = shop.controller.ship(&["cancel", "local"]);
    cancel.ok().stderr_has("holder.json is not there");
    deploy.wait().code(130);
    shop.serves("one", "v1");
}

/// It has answered already, so it is not called cancelled.
#[test]
fn a_deploy_that_only_tidies_up_is_not_cancelled() {
    let (shop, deploy) = held();
    let note = shop.root().join(".ship/holder.json");
    let text = fs::read_to_string(&note).expect("a holder");
    let mut holder: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    holder["is_tidying"] = true.into();
    fs::write(&note, holder.to_string()).expect("a holder");
    let cancel = shop.controller.ship(&["cancel", "local"]);
    cancel
        .ok()
        .stderr_has("nothing is going on with shop on local");
    goes_on(&shop);
    deploy.wait().ok();
    shop.serves("two", "v2");
}

/// Nobody can ask it to stop, so it is not called cancelled: it goes on to its end.
#[test]
fn a_deploy_that_cannot_be_asked_to_stop_is_not_called_cancelled() {
    let (shop, deploy) = held();
    for name in ["holder.json", "transaction.sock"] {
        fs::remove_file(shop.root().join(".ship").join(name)).expect("a file of the deploy");
    }
    let cancel = shop.controller.spawn(&["cancel", "local"]);
    cancel.wait_for("asking the command by somebody");
    goes_on(&shop);
    deploy.wait().ok();
    let cancel = cancel.wait();
    cancel.code(5).stderr_has("v2 was final already");
    shop.serves("two", "v2");
}

#[test]
fn a_transaction_that_is_killed_before_its_switch_is_said_to_have_died() {
    let (shop, deploy) = held();
    shop.transaction().signal("KILL");
    let run = deploy.wait();
    assert!(!run.status.success(), "{run}");
    run.stderr_has("has died (killed by signal 9")
        .stderr_has("nothing had been switched");
    for untrue in ["v2 failed", "gave up waiting"] {
        assert!(!run.stderr.contains(untrue), "{run}");
    }
    shop.serves("one", "v1");
    goes_on(&shop);
}

/// Somebody removes or turns `current` after the proof and before the release is final.
#[test]
fn a_current_that_is_changed_after_the_proof_is_seen() {
    let shop = Shop::deployed();
    let current = shop.root().join("current");
    let words = Words {
        service: "settle = \"0s\"".to_owned(),
        tables: "[environments.local]\nwatch = \"3s\"\n".to_owned(),
    };
    let turn = |target: &str| {
        let next = shop.root().join("turned");
        std::os::unix::fs::symlink(target, &next).expect("a link");
        fs::rename(&next, &current).expect("a link in the place of another");
    };
    let cases: [(&str, &dyn Fn(), &str, i32); 3] = [
        (
            "two",
            &|| fs::remove_file(&current).expect("a current"),
            "current is gone: somebody removed it after v2 was proven",
            7,
        ),
        (
            "three",
            &|| turn("releases/v2"),
            "current points to v2, not to v3: somebody changed it after the proof",
            7,
        ),
        (
            "four",
            &|| turn("/tmp"),
            "points to /tmp, which is not a folder of",
            8,
        ),
    ];
    for (version, change, why, code) in cases {
        shop.version(version);
        shop.manifest(&words);
        shop.patience("40m", PATIENT);
        let deploy = shop.start(&[]);
        deploy.wait_for("is watched for 3 s");
        change();
        let run = deploy.wait();
        run.code(code).stderr_has(why);
        if code == 7 {
            shop.serves("one", "v1");
        }
    }
    fs::remove_file(&current).expect("a link");
    turn("releases/v1");
    shop.version("five");
    shop.deploy(&["--wait", "30s"]).ok();
}
