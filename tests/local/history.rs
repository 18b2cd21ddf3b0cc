//! What the history keeps of an operation, for those who count later.

use serde_json::Value;

use crate::shop::{Shop, Words};

/// The newest operation.
fn newest(shop: &Shop) -> Value {
    let told = shop.controller.ship(&["history", "local", "--json"]);
    let told: Value = serde_json::from_str(&told.ok().stdout).expect("JSON");
    told["answer"][0].clone()
}

/// The time in the field `name` of an operation.
fn time(operation: &Value, name: &str) -> jiff::Timestamp {
    let text = operation[name].as_str();
    let time = text.and_then(|text| text.parse().ok());
    time.unwrap_or_else(|| panic!("{name} of {operation}"))
}

#[test]
fn a_deploy_says_how_long_it_took_and_what_it_brought() {
    let shop = Shop::with(&Words {
        service: "settle = \"0s\"".to_owned(),
        tables:
            "[build]\nsteps = [\"sleep 0.3\"]\n\n[test]\nsteps = [\"sleep 0.2\", \"sleep 0.2\"]\n"
                .to_owned(),
    });
    let git = |args: &[&str]| shop.controller.git(args);
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "Begin"]);
    shop.deploy(&[]).ok();
    let first = newest(&shop);
    assert_eq!(first["made"]["commits"], Value::Null, "nothing was live");
    for version in ["two", "three"] {
        shop.version(version);
        git(&["add", "."]);
        git(&["commit", "-q", "-m", version]);
    }
    shop.deploy(&[]).ok();

    let second = newest(&shop);
    let made = &second["made"];
    let ms = |name: &str| made[name].as_u64().expect("a time");
    assert!((300..5_000).contains(&ms("build_ms")), "{made}");
    assert!((400..5_000).contains(&ms("test_ms")), "{made}");
    let commits = made["commits"].as_array().expect("commits");
    assert_eq!(commits.len(), 2, "{made}");
    assert_eq!(commits[0]["id"], second["commit"]);
    assert_eq!(
        commits[1]["committed"].as_i64().map(|at| at > 0),
        Some(true)
    );
    assert!(second["sent"].as_u64().is_some_and(|bytes| bytes > 0));
    assert!(second["unanswered_ms"].is_u64(), "{second}");
    let times = ["started", "flipped", "time"].map(|name| time(&second, name));
    assert!(times.is_sorted(), "{second}");
    assert_ne!(first["id"], second["id"]);

    // A rollback makes nothing, and brings nothing.
    shop.controller.ship(&["rollback", "local"]).ok();
    let back = newest(&shop);
    assert_eq!((&back["made"], &back["sent"]), (&Value::Null, &Value::Null));
    time(&back, "flipped");
}

#[test]
fn a_release_that_failed_says_how_long_nobody_answered() {
    let shop = Shop::deployed();
    shop.mode("exit");
    shop.version("two");
    shop.deploy(&[]).code(7);
    let failed = newest(&shop);
    assert_eq!(failed["outcome"], "reverted", "{failed}");
    assert!(
        failed["unanswered_ms"].as_u64().is_some_and(|ms| ms > 0),
        "{failed}"
    );
    time(&failed, "flipped");
}

#[test]
fn what_takes_no_lock_has_a_name_too() {
    let shop = Shop::deployed();
    let freeze = ["freeze", "local", "--reason", "x", "--until", "1h"];
    for (args, what) in [
        (&freeze[..], "freeze"),
        (&["thaw", "local"], "thaw"),
        (&["exec", "local", "--", "true"], "exec"),
        (&["restart", "local"], "restart"),
    ] {
        shop.controller.ship(args).ok();
        let operation = newest(&shop);
        assert_eq!(operation["what"], what);
        let id = operation["id"].as_str().unwrap_or_default();
        assert_eq!(id.len(), 32, "{operation}");
    }
}
