//! Each runtime that ship brings, and one that the machine brings.

use super::Site;
use crate::support::Controller;
use crate::support::runtimes::{BUN_1, DENO_2, GO_1, JAVA_21, PYTHON_312};

/// It finds its own library, not the one that it was built in.
#[test]
fn python_from_another_place() {
    let Some(site) = Site::on(&[PYTHON_312]) else {
        return;
    };
    let text = "import sys, json, http.server; print(sys.version.split()[0], sys.prefix)";
    let run = site.run(&["python3", "-c", text]);
    run.ok()
        .stdout_has("3.12.1 ")
        .stdout_has("/ship/runtimes/python-3.12.1-");
    // All projects share it: nothing is installed into it.
    let pip = site.run(&["python3", "-m", "pip", "install", "flask"]);
    pip.code(1)
        .stderr_has("externally-managed-environment")
        .stderr_has("ship.lock pins this Python");
}

#[test]
fn bun_runs() {
    let Some(site) = Site::on(&[BUN_1]) else {
        return;
    };
    let run = site.run(&["bun", "-e", "console.log(Bun.version)"]);
    assert_eq!(run.ok().stdout, "1.1.38\n");
}

#[test]
fn deno_runs() {
    let Some(site) = Site::on(&[DENO_2]) else {
        return;
    };
    let run = site.run(&["deno", "eval", "console.log(Deno.version.deno)"]);
    assert_eq!(run.ok().stdout, "2.4.4\n");
}

#[test]
fn go_builds() {
    let Some(mut site) = Site::on(&[GO_1]) else {
        return;
    };
    // What a developer has of another Go must not get in.
    site.controller.set_env("GOROOT", "/usr/lib/go-of-long-ago");
    site.controller.write(
        "main.go",
        "package main\n\nfunc main() { println(\"built\") }\n",
    );
    site.run(&["go", "version"]).ok().stdout_has("go1.23.9");
    site.run(&["go", "run", "main.go"]).ok().stderr_has("built");
    // It does not fetch another Go by itself.
    site.controller.set_env("GOTOOLCHAIN", "auto");
    site.controller
        .write("newer/go.mod", "module newer\n\ngo 1.99.0\n");
    let newer = site.run(&["sh", "-c", "cd newer && go list -m"]);
    newer
        .code(1)
        .stderr_has("running go 1.23.9; GOTOOLCHAIN=local");
}

#[test]
fn java_runs() {
    let Some(site) = Site::on(&[JAVA_21]) else {
        return;
    };
    let run = site.run(&["sh", "-c", "java -version; echo $JAVA_HOME"]);
    run.ok().stdout_has("/ship/runtimes/java-21.0.4+7-");
}

#[test]
fn a_runtime_that_each_machine_brings() {
    let controller = Controller::new();
    let manifest = |version: &str| {
        controller.write(
            "ship.toml",
            format!(
                "[app]\nname = \"shop\"\n\n[runtimes]\nperl = {{ version = \"{version}\", \
                 source = \"host\" }}\n\n[services.web]\ncommand = \"perl x\"\n"
            ),
        );
    };
    manifest("5");
    let run = controller.ship(&["run", "--", "perl", "-e", "print $^V"]);
    let version = run.ok().stdout.trim_start_matches('v').to_owned();
    manifest("4.1");
    let run = controller.ship(&["run", "--", "perl", "-e", "1"]);
    run.code(3)
        .stderr_has("ship.toml: perl = \"4.1\"")
        .stderr_has(&format!("this machine: perl {version}"));
}
