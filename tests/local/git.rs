//! What git says of the project before a deploy: named, refused, or not known.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::shop::{Shop, Words};
use crate::support::{Controller, Run};

const MANIFEST: &str = "\
[app]
name = \"shop\"

[release]
include = [\"run.sh\"]

[services.web]
command = \"./run.sh\"

[environments.production]
hosts = [\"ssh://deploy@127.0.0.1:1\"]
";

/// A project whose only host refuses every connection, in a repository of one commit.
fn committed() -> Controller {
    let controller = Controller::new();
    controller.write("ship.toml", MANIFEST);
    controller.write("run.sh", "#!/bin/sh\nsleep 60\n");
    controller.git(&["init", "-q"]);
    controller.git(&["add", "."]);
    controller.git(&["commit", "-q", "-m", "Begin"]);
    controller
}

/// A deploy that is let through to its host, which is not there.
#[track_caller]
fn goes_on(controller: &Controller) -> Run {
    let run = controller.ship(&["deploy", "production"]);
    run.code(6);
    run
}

#[test]
fn the_files_of_a_release_that_are_not_committed_are_named() {
    let controller = committed();
    goes_on(&controller);
    controller.write("notes.md", "not in the release");
    goes_on(&controller);
    controller.write("run.sh", "#!/bin/sh\nsleep 61\n");
    controller
        .ship(&["deploy", "production"])
        .code(5)
        .stderr_has("there are uncommitted changes: run.sh\n")
        .stderr_has("--allow-dirty");
    controller
        .ship(&["check", "production"])
        .code(6)
        .stderr_has("a deploy would be refused: there are uncommitted changes: run.sh\n");
    controller
        .ship(&["deploy", "production", "--allow-dirty"])
        .code(6);
}

#[test]
fn the_first_deploy_is_told_how_to_commit_what_init_wrote() {
    let controller = Controller::new();
    controller.write("run.sh", "#!/bin/sh\nsleep 60\n");
    controller.git(&["init", "-q"]);
    controller.git(&["add", "."]);
    controller.git(&["commit", "-q", "-m", "Begin"]);
    controller.write("ship.toml", MANIFEST);
    let run = controller.ship(&["deploy", "production"]);
    run.code(5)
        .stderr_has("there are uncommitted changes: ship.toml (new)\n")
        .stderr_has("git add ship.toml && git commit -m \"Deploy with ship\"\n");
    controller.git(&["add", "ship.toml"]);
    controller.git(&["commit", "-q", "-m", "Deploy with ship"]);
    goes_on(&controller);
}

#[test]
fn a_repository_of_another_user_is_said_to_be_unknown() {
    if !rustix::process::geteuid().is_root() {
        crate::support::skip("only root can give a repository to another user");
        return;
    }
    let mut controller = committed();
    controller.write("run.sh", "#!/bin/sh\nsleep 61\n");
    let given = Command::new("chown")
        .args(["-R", "12345"])
        .arg(controller.project())
        .status()
        .expect("chown");
    assert!(given.success());
    goes_on(&controller)
        .stderr_has("cannot tell whether everything is committed: fatal: detected dubious")
        .stderr_has("the history will not name a commit")
        .stderr_has("git config --global --add safe.directory");
    // As in the container of a CI job.
    controller.set_env("CI", "true");
    controller.set_env("GITHUB_ACTIONS", "true");
    controller.set_env("GITHUB_SHA", "0123456789abcdef0123456789abcdef01234567");
    let run = goes_on(&controller);
    run.stderr_has("detected dubious ownership");
    assert!(
        !run.stderr.contains("will not name a commit"),
        "{}",
        run.stderr
    );
    controller
        .ship(&["deploy", "production", "--json"])
        .code(6)
        .stdout_has("\"commit\":\"012345678\"");
}

#[test]
fn a_machine_without_git_is_said_to_lack_it() {
    let mut controller = committed();
    let bin = controller.home().join("bin");
    fs::create_dir(&bin).expect("a folder");
    for program in ["ssh", "sh"] {
        symlink(format!("/usr/bin/{program}"), bin.join(program)).expect("a link");
    }
    controller.set_env("PATH", &bin.display().to_string());
    goes_on(&controller)
        .stderr_has("cannot tell whether everything is committed: git is not installed");
}

/// Templates call all their apps the same.
#[test]
fn a_project_does_not_replace_another_one_of_the_same_name() {
    let shop = Shop::new();
    let commit = |subject: &str| {
        let project = shop.controller.project();
        let _ = fs::remove_dir_all(project.join(".git"));
        shop.controller.git(&["init", "-q"]);
        shop.controller.git(&["add", "."]);
        shop.controller.git(&["commit", "-q", "-m", subject]);
    };
    shop.deploy(&[]).ok();
    commit("Begin");
    shop.version("v2");
    shop.deploy(&[]).ok();
    shop.serves("v2", "v2");

    // Another subject, so that it is another commit also within the same second.
    commit("Begin elsewhere");
    let refused = shop.deploy(&[]);
    refused
        .code(5)
        .stderr_has("belongs to another project that calls its app shop")
        .stderr_has("[app] name");
    shop.serves("v2", "v2");
    let note = shop.root().join(".ship/first-commits");
    refused.stderr_has(&format!("remove {} on the host", note.display()));
    fs::remove_file(note).expect("the note");
    shop.version("v3");
    shop.deploy(&[]).ok();
    shop.serves("v3", "v3");
}

#[test]
fn what_the_steps_change_in_the_project_is_named() {
    let shop = Shop::new();
    let manifest = |tables: &str| {
        shop.manifest(&Words {
            service: "settle = \"0s\"".to_owned(),
            tables: tables.to_owned(),
        });
    };
    manifest("[build]\nsteps = [\"echo made >> app.css\"]\n");
    let controller = &shop.controller;
    controller.write(".gitignore", ".ship\n");
    controller.write("app.css", "");
    controller.git(&["init", "-q"]);
    controller.git(&["add", "."]);
    controller.git(&["commit", "-q", "-m", "Begin"]);
    let says = "the steps left changes in the project: app.css\n";
    shop.deploy(&[]).ok().stderr_has(says);

    controller.git(&["commit", "-q", "-a", "-m", "Take what the steps made"]);
    manifest("[build]\nsteps = [\"true\"]\n");
    controller.git(&["commit", "-q", "-a", "-m", "Leave it as it is"]);
    let run = shop.deploy(&[]);
    run.ok();
    assert!(!run.stderr.contains("the steps left"), "{}", run.stderr);
}

#[test]
fn a_check_of_an_environment_names_the_secrets_without_a_value() {
    let shop = Shop::with(&Words {
        service: "settle = \"0s\"".to_owned(),
        tables: "[environments.local]\nsecrets = [\"APP_KEY\"]\n".to_owned(),
    });
    let says = "a deploy would be refused: no value for the secret APP_KEY";
    shop.controller
        .ship(&["check", "local"])
        .ok()
        .stderr_has(says);
    shop.deploy(&[])
        .code(5)
        .stderr_has("no value for the secret APP_KEY");
}
