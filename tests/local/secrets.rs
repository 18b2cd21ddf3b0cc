//! Secrets of odd shapes: a build step, a hook, the app and its health check say all of them in many
//! spellings, and nothing that a person, a program or another user can read holds one.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::shop::{PATIENT, Shop, Words};
use crate::support::secrets::{Judge, tables};

#[test]
fn no_secret_is_seen_in_any_output_file_or_argument() {
    let mut shop = Shop::with(&Words {
        service: "settle = \"0s\"".to_owned(),
        tables: tables("local"),
    });
    let judge = Judge::of(&mut shop.controller);
    judge.story(&shop.controller, "local", PATIENT);
    judge.files(&shop.root());
    judge.files(&shop.controller.project().join(".ship"));
    judge.files(&shop.controller.home());
    judge.found_nothing();
}

/// Nobody else reads what ship writes, whatever the umask.
#[test]
fn files_of_ship_are_its_users_alone() {
    let shop = Shop::deployed();
    shop.version("two");
    shop.deploy(&[]).ok();
    shop.controller
        .ship(&["freeze", "local", "--reason", "x", "--until", "1h"])
        .ok();
    let state = shop.root().join(".ship");
    let mut open = Vec::new();
    for entry in fs::read_dir(&state).expect("the state").flatten() {
        let meta = fs::symlink_metadata(entry.path()).expect("an entry");
        if meta.is_file() && meta.permissions().mode() & 0o077 != 0 {
            open.push(format!(
                "{} {:o}",
                entry.file_name().display(),
                meta.permissions().mode()
            ));
        }
    }
    shop.controller.ship(&["thaw", "local"]).ok();
    let operations = state.join("operations");
    let mode = fs::metadata(&operations)
        .expect("a folder")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    assert_eq!(fs::read_dir(&operations).expect("the folder").count(), 2);
    assert_eq!(open, [""; 0]);
}

#[test]
fn a_secret_that_is_too_short_is_named() {
    let mut shop = Shop::with(&Words {
        service: "settle = \"0s\"".to_owned(),
        tables: "[environments.local]\nsecrets = [\"PIN\", \"TOKEN\"]\n".to_owned(),
    });
    shop.controller.set_env("PIN", "12345");
    shop.controller.set_env("TOKEN", "long-enough");
    shop.deploy(&[])
        .ok()
        .stderr_has("PIN is too short to be masked");
}
