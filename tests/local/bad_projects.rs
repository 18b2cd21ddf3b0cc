//! Projects that cannot be built or released: nothing on the machine changes.

use std::os::unix::fs::symlink;

use crate::shop::{Shop, Words};

fn words(tables: &str) -> Words {
    Words {
        service: "settle = \"0s\"".to_owned(),
        tables: tables.to_owned(),
    }
}

/// A shop whose first release serves, with more in its manifest from now on.
fn then(tables: &str) -> Shop {
    let shop = Shop::deployed();
    shop.version("two");
    shop.manifest(&words(tables));
    shop
}

#[track_caller]
fn untouched(shop: &Shop) {
    shop.serves("one", "v1");
    assert_eq!(shop.releases().len(), 1, "{:?}", shop.releases());
}

#[test]
fn a_step_that_fails() {
    for (table, what) in [("build", "the build step"), ("test", "the test step")] {
        let step = "echo first line; echo fine >&2; sed -n 's/one/tw\\\\o/p' ship.toml; exit 3";
        let shop = then(&format!("[{table}]\nsteps = [\"{step}\"]\n"));
        let run = shop.deploy(&[]);
        run.code(4).stderr_has(what).stderr_has("exit code 3");
        let all = format!("{}{}", run.stdout, run.stderr);
        let lines = all
            .lines()
            .filter(|line| line.trim_start_matches(['|', ' ']) == "first line");
        assert_eq!(lines.count(), 1, "its output, once\n{run}");
        untouched(&shop);
    }
}

#[test]
fn a_step_that_takes_too_long_is_ended_with_its_children() {
    let run = "(sleep 901 & sleep 902) & sleep 903";
    let shop = then(&format!(
        "[build]\nsteps = [{{ run = \"{run}\", timeout = \"1s\" }}]\n"
    ));
    let run = shop.deploy(&[]);
    run.code(4).stderr_has("1s");
    let sleeping: Vec<_> = shop
        .processes()
        .into_iter()
        .filter(|process| process.command.starts_with("sleep"))
        .collect();
    assert_eq!(sleeping, []);
    untouched(&shop);
}

#[test]
fn an_include_that_is_not_there() {
    let shop = then("[release]\ninclude = [\"app.py\", \"dist\"]\n");
    shop.deploy(&[]).code(3).stderr_has("dist");
    untouched(&shop);
}

#[test]
fn nothing_selected() {
    let shop = then("[release]\ninclude = [\"app.py\"]\nexclude = [\"*.py\"]\n");
    shop.deploy(&[]).code(3);
    untouched(&shop);
}

#[test]
fn paths_out_of_the_project() {
    for path in ["../home", "/etc/passwd", "a/../../home", "./.."] {
        let shop = then(&format!("[release]\ninclude = [\"{path}\"]\n"));
        shop.deploy(&[]).code(3).stderr_has(path);
        untouched(&shop);
    }
}

#[test]
fn links_out_of_the_project() {
    for target in ["/etc/passwd", "../home", "sub/../../home"] {
        let shop = then("");
        symlink(target, shop.controller.project().join("link")).expect("a link");
        shop.deploy(&[]).code(3).stderr_has("link");
        untouched(&shop);
    }
}

#[test]
fn a_secret_that_nobody_gave() {
    let shop = then("[environments.local]\nsecrets = [\"DATABASE_URL\"]\n");
    shop.deploy(&[]).code(5).stderr_has("DATABASE_URL");
    untouched(&shop);
}

#[test]
fn a_secret_that_was_given_is_said_nowhere() {
    let mut shop = then("[environments.local]\nsecrets = [\"TOKEN\"]\n");
    shop.controller.set_env("TOKEN", "hunter2hunter2");
    shop.mode("exit");
    for more in [&["-v"][..], &["--json"]] {
        let run = shop.deploy(more);
        run.code(7);
        assert!(!format!("{run}").contains("hunter2"), "{run}");
    }
    shop.mode("good");
    shop.deploy(&[]).ok();
    assert_eq!(shop.ask("/env/TOKEN").as_deref(), Some("hunter2hunter2"));
}
