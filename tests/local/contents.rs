//! What is worth a word about the files of a release: `ship check` and a deploy say the same.

use std::os::unix::fs::symlink;

use crate::shop::{Shop, Words};
use crate::support::{Run, require_root};

/// A shop whose files give a reason for every remark.
fn odd() -> Shop {
    let shop = Shop::with(&Words {
        service: "settle = \"0s\"".to_owned(),
        tables: "[release]\nexclude = [\"/store\"]\nshared = [\"uploads\"]\n".to_owned(),
    });
    let controller = &shop.controller;
    controller.write(".gitignore", "*.key\n.ship\n");
    controller.write("config/master.key", "0123456789abcdef0123456789abcdef");
    controller.write("uploads/seed.png", "a picture");
    controller.write("store/ms/index.js", "");
    controller.write("packages/app/readme", "");
    let link = controller.project().join("packages/app/ms");
    symlink("../../store/ms", link).expect("a link");
    controller.git(&["init", "-q"]);
    controller.git(&["add", "."]);
    controller.git(&["commit", "-q", "-m", "Begin"]);
    shop
}

#[test]
fn a_check_and_a_deploy_name_keys_hidden_files_and_broken_links() {
    let shop = odd();
    // What git does not know is not brought to the shared folder, either.
    shop.controller.write("uploads/new.png", "a picture");
    let says_all = |run: &Run| {
        run.ok()
            .stderr_has("the release holds files that look secret: config/master.key (not in git)")
            .stderr_has("exclude = [\"/config/master.key\"]")
            .stderr_has("uploads/new.png is not released: `shared` puts the host's own files there")
            .stderr_has("links lead to what is not in the release: packages/app/ms -> store/ms");
    };
    says_all(&shop.controller.ship(&["check"]));
    says_all(&shop.deploy(&[]));
    shop.serves("one", "v1");
}

#[test]
fn what_cannot_be_released_is_found_by_a_check() {
    let shop = Shop::new();
    let project = shop.controller.project();
    shop.controller
        .write(".venv/pyvenv.cfg", "home = /usr/bin\n");
    shop.controller.write(".venv/bin/activate", "");
    for (link, target) in [("python3", "/usr/bin/python3"), ("python", "python3")] {
        symlink(target, project.join(".venv/bin").join(link)).expect("a link");
    }
    let says = ".venv is a Python virtual environment, which works only on the machine that made \
                it: the link .venv/bin/python leads to the absolute path `/usr/bin/python3`";
    shop.controller.ship(&["check"]).code(3).stderr_has(says);
    shop.deploy(&[]).code(3).stderr_has(says);
}

/// sh(1) says "not found" of the script, which is there.
#[test]
fn a_script_whose_interpreter_is_missing_is_said_to_be_one() {
    let shop = Shop::new();
    shop.controller
        .write("serve", "#!/nowhere/.venv/bin/python\n");
    let path = shop.controller.project().join("ship.toml");
    let text = std::fs::read_to_string(&path).expect("the manifest");
    std::fs::write(&path, text.replace("python3 app.py", "./serve")).expect("the manifest");
    shop.controller
        .ship(&["check"])
        .ok()
        .stderr_has("the command of web starts serve, a script for /nowhere/.venv/bin/python");
    shop.deploy(&[])
        .stderr_has("serve is there, but it is a script for /nowhere/.venv/bin/python, which this host does not have");
}

#[test]
fn what_the_app_wrote_into_its_release_is_named_and_kept_once_it_is_shared() {
    let Some(()) = require_root("only root can write into a release") else {
        return;
    };
    let shop = Shop::deployed();
    shop.ask("/write").expect("an answer");
    shop.version("two");
    let lines = shop.deploy(&[]).ok().stderr.clone();
    let root = shop.root();
    let root = root.display();
    let said = format!(
        "the app wrote notes.db, uploads into v1, and v2 begins without them; what it wrote stays in \
         {root}/releases/v1 for as long as that release is kept. `[release] shared = \
         [\"notes.db\", \"uploads\"]` keeps such files across releases"
    );
    assert!(lines.contains(&said), "{lines}");

    shop.manifest(&Words {
        service: "settle = \"0s\"".to_owned(),
        tables: "[release]\nshared = [\"notes.db\", \"uploads\"]\n".to_owned(),
    });
    shop.version("three");
    shop.deploy(&[]).ok();
    shop.ask("/write").expect("an answer");
    shop.version("four");
    let run = shop.deploy(&[]);
    run.ok();
    assert!(!run.stderr.contains("the app wrote"), "{}", run.stderr);
    let kept = std::fs::read_to_string(shop.root().join("current/notes.db"));
    assert_eq!(kept.expect("the file is there"), "kept");
}

/// A database and default pictures that are committed.
#[test]
fn what_is_committed_at_a_shared_path_is_copied_once() {
    let shop = Shop::with(&Words {
        service: "settle = \"0s\"".to_owned(),
        tables: "[release]\nshared = [\"todo.db\", \"media\", \"config.yml\", \"www/media\"]\n"
            .to_owned(),
    });
    let controller = &shop.controller;
    // `www` is a copy that a build makes.
    controller.write(".gitignore", "media/mine.png\nwww\n.ship\n");
    controller.write("www/media/b.png", "of this machine");
    for name in [
        "todo.db",
        "media/a/default.png",
        "media/b.png",
        "config.yml",
    ] {
        controller.write(name, "committed");
    }
    controller.write("media/mine.png", "of this machine");
    controller.git(&["init", "-q"]);
    controller.git(&["add", "."]);
    controller.git(&["commit", "-q", "-m", "Begin"]);
    let first = shop.deploy(&[]);
    first
        .ok()
        .stderr_has("copied todo.db to shared/, where nothing was")
        .stderr_has("copied media to shared/, where nothing was");
    assert!(!first.stderr.contains("no content"), "{first}");
    let live = |path: &str| std::fs::read_to_string(shop.root().join("current").join(path)).ok();
    for path in [
        "todo.db",
        "media/a/default.png",
        "media/b.png",
        "config.yml",
        "www/media/a/default.png",
        "www/media/b.png",
    ] {
        assert_eq!(live(path).as_deref(), Some("committed"), "{path}");
    }
    assert_eq!(live("media/mine.png"), None);

    // From then on it is the app's.
    std::fs::write(shop.root().join("shared/todo.db"), "written by the app").expect("a file");
    std::fs::remove_file(shop.root().join("shared/media/b.png")).expect("a file");
    controller.write("todo.db", "another one");
    shop.version("two");
    let second = shop.deploy(&[]);
    second.ok();
    assert!(!second.stderr.contains("copied"), "{second}");
    assert_eq!(live("todo.db").as_deref(), Some("written by the app"));
    assert_eq!(live("media/b.png"), None);
}
