//! Taking an app off this machine, and questions that leave no trace.

use crate::shop::{Shop, names};
use crate::support::eventually;

#[test]
fn an_app_is_taken_off_with_its_supervisor_and_its_shared_files_stay() {
    let shop = Shop::deployed();
    let ship = |args: &[&str]| shop.controller.ship(args);
    std::fs::write(shop.root().join("shared/kept"), "kept").expect("a shared folder");
    ship(&["remove", "local"])
        .code(5)
        .stderr_has("nobody is here to confirm that shop is removed from local");
    let dry = ship(&["remove", "local", "--dry-run"]);
    dry.ok().stderr_has("would make");
    shop.serves("one", "v1");

    ship(&["remove", "local", "--yes"])
        .ok()
        .stderr_has("stopped the services and the supervisor")
        .stderr_has("releases/v1")
        .stderr_has("--purge removes it");
    shop.serves_nothing();
    eventually("the supervisor to end", || shop.processes().is_empty());
    assert_eq!(names(&shop.root()), ["shared".to_owned()].into());
    ship(&["remove", "local", "--yes"])
        .ok()
        .stderr_has("nothing to remove");

    shop.deploy(&[]).ok();
    shop.serves("one", "v1");
    assert!(shop.root().join("shared/kept").is_file());
    ship(&["remove", "local", "--yes", "--purge"]).ok();
    assert!(!shop.root().exists());
}

#[test]
fn a_question_makes_no_folder() {
    let shop = Shop::new();
    for command in ["status", "releases", "history", "check"] {
        shop.controller.ship(&[command, "local"]);
        assert!(!shop.root().exists(), "ship {command} made the root folder");
    }
}
