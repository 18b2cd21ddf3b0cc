//! What a person reads: the whole output and the exit status of the commands that need no host.
//! `INSTA_UPDATE=always cargo test --test cli` writes the snapshots anew.

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;

use support::{Controller, Run, Running};

/// Everything that a run said and how it ended, with what differs between two runs replaced.
fn whole(controller: &Controller, run: &Run) -> String {
    let status = run
        .status
        .code()
        .map_or("a signal".to_owned(), |code| code.to_string());
    let mut text = format!("exit {status}\n");
    for (name, said) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
        if !said.is_empty() {
            text.push_str(&format!("--- {name}\n{said}"));
        }
    }
    let folders = [
        (controller.project(), "<project>"),
        (controller.home(), "<home>"),
    ];
    for (folder, placeholder) in folders {
        text = text.replace(&folder.display().to_string(), placeholder);
    }
    text = text.replace(
        &format!("ship {}", env!("CARGO_PKG_VERSION")),
        "ship <version>",
    );
    let lines: Vec<String> = text.lines().map(steady).collect();
    text = lines.join("\n");
    // Trailing blanks do not survive editors.
    text.lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n")
}

/// `connected in <n> ms`: how long a thing took differs each time, and on a slow day it is seconds.
fn steady(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let is_time = |at: usize| {
        words
            .get(at + 1)
            .is_some_and(|unit| unit.trim_end_matches([';', ':', ',']) == "ms")
            && words[at].bytes().all(|byte| byte.is_ascii_digit())
    };
    let steady = words.iter().enumerate().map(|(at, word)| {
        let mark = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        match mark.strip_prefix('s') {
            _ if is_time(at) => "<n>".to_owned(),
            Some(end) if word.contains('.') && end.trim_matches([';', ':', ',']).is_empty() => {
                format!("<n> ms{end}")
            }
            _ => (*word).to_owned(),
        }
    });
    steady.collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn says(name: &str, controller: &Controller, args: &[&str]) {
    let run = controller.ship(args);
    let line = format!("$ ship {}", args.join(" "));
    let text = format!("{}\n{}", line.trim_end(), whole(controller, &run));
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, text);
    });
}

/// A project that is valid, with one environment besides `local`.
fn shop() -> Controller {
    let controller = Controller::new();
    controller.write("ship.toml", SHOP);
    controller.write("run.sh", "#!/bin/sh\nsleep 60\n");
    controller
}

const SHOP: &str = "\
[app]
name = \"shop\"

[services.web]
command = \"./run.sh\"

[environments.production]
hosts = [\"deploy@web1.example.com\"]
";

const COMMANDS: [&[&str]; 26] = [
    &["init"],
    &["check"],
    &["pin"],
    &["build"],
    &["test"],
    &["run"],
    &["setup"],
    &["remove"],
    &["deploy"],
    &["rollback"],
    &["cancel"],
    &["freeze"],
    &["thaw"],
    &["status"],
    &["releases"],
    &["history"],
    &["logs"],
    &["exec"],
    &["restart"],
    &["stop"],
    &["start"],
    &["host"],
    &["host", "trust"],
    &["try"],
    &["completions"],
    &["man"],
];

#[test]
fn help() {
    let controller = Controller::new();
    says("help", &controller, &["--help"]);
    says("help_short", &controller, &["-h"]);
    says("version", &controller, &["--version"]);
    says("no_command", &controller, &[]);
}

#[test]
fn help_of_each_command() {
    let controller = Controller::new();
    for command in COMMANDS {
        let args: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        says(&format!("help_{}", command.join("_")), &controller, &args);
    }
}

/// A line that is too long breaks inside a word at the terminal's edge.
#[test]
fn help_fits_a_terminal_of_60_columns() {
    let mut controller = Controller::new();
    controller.set_env("COLUMNS", "60");
    let wide = Controller::new();
    let words =
        |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
    let top: &[&str] = &[];
    for command in COMMANDS.iter().copied().chain([top]) {
        for flag in ["--help", "-h"] {
            let args: Vec<&str> = command.iter().copied().chain([flag]).collect();
            let narrow = controller.ship(&args);
            let long: Vec<&str> = narrow
                .ok()
                .stdout
                .lines()
                .filter(|line| line.chars().count() > 60)
                .collect();
            assert!(long.is_empty(), "{args:?}: {long:#?}");
            assert_eq!(
                words(&narrow.stdout),
                words(&wide.ship(&args).ok().stdout),
                "{args:?}: the same words as at any width"
            );
        }
    }
}

/// A command that is added without a snapshot of its help is found here.
#[test]
fn no_command_is_without_a_snapshot() {
    let help = Controller::new().ship(&["--help"]).stdout;
    let listed = help
        .split("Commands:\n")
        .nth(1)
        .expect("a list of commands");
    let listed = listed.split("\n\n").next().expect("its end");
    let names = listed
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    for name in names.filter_map(|line| line.split_whitespace().next()) {
        assert!(
            name == "help" || COMMANDS.iter().any(|command| command == &[name]),
            "`{name}` is not in COMMANDS"
        );
    }
}

#[test]
fn wrong_command_lines() {
    let controller = shop();
    says("usage_unknown_flag", &controller, &["deploy", "--forse"]);
    says("usage_unknown_command", &controller, &["deplyo"]);
    says("usage_missing_argument", &controller, &["exec"]);
    says(
        "usage_two_environments",
        &controller,
        &["deploy", "local", "production"],
    );
    says(
        "usage_quiet_and_verbose",
        &controller,
        &["check", "-q", "-v"],
    );
    says("usage_not_a_shell", &controller, &["completions", "tcsh"]);
    says(
        "usage_not_a_duration",
        &controller,
        &["deploy", "--wait", "local"],
    );
    says(
        "usage_resume_and_force",
        &controller,
        &["deploy", "--resume", "--force"],
    );
    says(
        "usage_resume_and_skip_tests",
        &controller,
        &["deploy", "--resume", "--skip-tests"],
    );
    let freeze = |name, reason, until| {
        let args = ["freeze", "local", "--reason", reason, "--until", until];
        says(name, &controller, &args);
    };
    freeze("usage_freeze_not_a_time", "holidays", "tomorrow");
    freeze("usage_freeze_past", "holidays", "2020-12-24");
    freeze("usage_freeze_too_long", "holidays", "400d");
    freeze("usage_freeze_without_a_reason", " ", "2h");
    says(
        "usage_freeze_without_an_end",
        &controller,
        &["freeze", "local", "--reason", "holidays"],
    );
    says(
        "usage_not_a_release",
        &controller,
        &["rollback", "local", "--to", "banana"],
    );
    says(
        "usage_no_such_environment",
        &controller,
        &["deploy", "prod"],
    );
    says(
        "usage_neither_environment_nor_service",
        &controller,
        &["logs", "wbe"],
    );
    says(
        "usage_no_such_environment_json",
        &controller,
        &["deploy", "prod", "--json"],
    );
}

#[test]
fn several_environments_and_none_named() {
    let controller = shop();
    let more = format!("{SHOP}\n[environments.staging]\nhosts = [\"deploy@web2.example.com\"]\n");
    controller.write("ship.toml", more);
    says("usage_which_environment", &controller, &["deploy"]);
}

#[test]
fn wrong_manifests() {
    let controller = Controller::new();
    says("manifest_missing", &controller, &["check"]);
    says("manifest_missing_deploy", &controller, &["deploy", "local"]);
    says(
        "manifest_no_such_folder",
        &controller,
        &["-C", "nowhere", "check"],
    );

    controller.write("ship.toml", SHOP.replace("command", "comand"));
    says("manifest_unknown_key", &controller, &["check"]);

    let several = SHOP
        .replace("\"shop\"", "\"My Shop\"")
        .replace("hosts", "hots")
        + "\n[build]\nsteps = [{ run = \"make\", timeout = \"soon\" }]\n";
    controller.write("ship.toml", several);
    says("manifest_several_mistakes", &controller, &["check"]);
    says(
        "manifest_several_mistakes_deploy",
        &controller,
        &["deploy", "local"],
    );
    says(
        "manifest_several_mistakes_json",
        &controller,
        &["check", "--json"],
    );

    controller.write("ship.toml", "[app\nname = \"shop\"\n");
    says("manifest_not_toml", &controller, &["check"]);
    controller.write("ship.toml", b"[app]\nname = \"sh\xff\"\n");
    says("manifest_not_utf8", &controller, &["check"]);
    controller.write("ship.toml", "");
    says("manifest_empty", &controller, &["check"]);

    fs::remove_file(controller.project().join("ship.toml")).expect("it is there");
    fs::create_dir(controller.project().join("ship.toml")).expect("its name is free");
    says("manifest_a_folder", &controller, &["check"]);
}

#[test]
fn right_manifests() {
    let controller = shop();
    says("check", &controller, &["check"]);
    says("check_print", &controller, &["check", "--print"]);
    let below = controller.project().join("deep/er");
    fs::create_dir_all(&below).expect("a folder");
    let mut command = controller.command(env!("CARGO_BIN_EXE_ship"));
    let run = Running::start(command.arg("check").current_dir(below)).wait();
    run.ok().stdout_has("ship.toml is valid");
}

#[test]
fn nothing_is_deployed() {
    let controller = shop();
    says("nothing_rollback", &controller, &["rollback", "local"]);
    says(
        "nothing_rollback_to",
        &controller,
        &["rollback", "local", "--to", "v3"],
    );
    says("nothing_logs", &controller, &["logs", "local"]);
    says(
        "nothing_exec",
        &controller,
        &["exec", "local", "--", "true"],
    );
    says("nothing_status", &controller, &["status", "local"]);
    says("nothing_releases", &controller, &["releases", "local"]);
    says("nothing_history", &controller, &["history", "local"]);
    says("nothing_restart", &controller, &["restart", "local"]);
    says("nothing_stop", &controller, &["stop", "local"]);
}

#[test]
fn build_test_and_run() {
    let controller = shop();
    says("build_without_steps", &controller, &["build"]);
    let steps = "\n[build]\nsteps = [\"echo building; echo carefully >&2\"]\n\
                 [test]\nsteps = [\"echo tested\", { name = \"lint\", run = \"./lint.sh\" }]\n";
    controller.write("lint.sh", "#!/bin/sh\necho line 3: bad\nexit 3\n");
    controller.write("ship.toml", format!("{SHOP}{steps}"));
    says("build", &controller, &["build"]);
    says("build_quiet", &controller, &["build", "-q"]);
    says("test_that_fails", &controller, &["test"]);
    says(
        "run",
        &controller,
        &["run", "--", "sh", "-c", "echo hello; exit 7"],
    );
    says(
        "run_no_such_program",
        &controller,
        &["run", "--", "no-such-program"],
    );
}

#[test]
fn runtimes_that_are_not_pinned() {
    let controller = shop();
    says("pin_nothing", &controller, &["pin"]);
    says("pin_nothing_check", &controller, &["pin", "--check"]);
    controller.write("ship.toml", format!("{SHOP}\n[runtimes]\nnode = \"20\"\n"));
    says("pin_missing_check", &controller, &["pin", "--check"]);
    says("pin_missing_build", &controller, &["build"]);
    says("pin_missing_manifest", &controller, &["check"]);
    says(
        "pin_upgrade_unknown",
        &controller,
        &["pin", "--upgrade", "bun"],
    );
    says(
        "pin_check_and_upgrade",
        &controller,
        &["pin", "--check", "--upgrade"],
    );
    controller.write(
        "ship.lock",
        "version = 1\n\n[runtimes.node]\nrequest = \"18\"\n",
    );
    says("pin_damaged", &controller, &["pin"]);
}

#[test]
fn init_without_questions() {
    let controller = Controller::new();
    says("init_nothing_there", &controller, &["init", "--yes"]);
    controller.write(
        "package.json",
        "{\"name\":\"shop\",\"scripts\":{\"start\":\"node server.js\"}}",
    );
    controller.write(
        "server.js",
        "require('http').createServer().listen(process.env.PORT)\n",
    );
    controller.write(".node-version", "20.11\n");
    says(
        "init",
        &controller,
        &[
            "init",
            "--yes",
            "--no-pin",
            "--host",
            "deploy@web1.example.com",
        ],
    );
    says("init_then_check", &controller, &["check"]);
    says("init_again", &controller, &["init", "--yes"]);
    says(
        "init_bad_host",
        &controller,
        &["init", "--yes", "--force", "--host=-oProxyCommand=x"],
    );
    says(
        "init_bad_name",
        &controller,
        &["init", "--yes", "--force", "--name", "My Shop"],
    );
    let written = fs::read_to_string(controller.project().join("ship.toml")).expect("a manifest");
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("init_manifest", written);
    });
}

/// Nothing of the above may have been written outside of the project and the caller's folders.
#[test]
fn the_project_stays_as_it_was() {
    let controller = shop();
    for args in [
        &["check"][..],
        &["status", "local"],
        &["deploy", "nowhere"],
        &["check", "--print"],
    ] {
        controller.ship(args);
    }
    let mut names: Vec<_> = fs::read_dir(controller.project())
        .expect("the project")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["run.sh", "ship.toml"]);
    assert!(
        !Path::new(&controller.home())
            .join("ship/apps/shop/current")
            .exists()
    );
}

/// `check` of a valid manifest, and steps of which there are none, printed nothing.
#[test]
fn every_command_with_json_prints_objects_and_nothing_else() {
    let controller = shop();
    let commands: [&[&str]; 17] = [
        &["check"],
        &["check", "--print"],
        &["check", "local"],
        &["build"],
        &["test"],
        &["pin"],
        &["pin", "--check"],
        &["setup", "local"],
        &["status", "local"],
        &["status", "local", "--exit-code"],
        &["releases", "local"],
        &["history", "local"],
        &["logs", "local"],
        &["restart", "local"],
        &["rollback", "local"],
        &["cancel", "local"],
        &["init"],
    ];
    for command in commands {
        let run = controller.ship(&[command, &["--json"]].concat());
        assert!(!run.stdout.is_empty(), "{command:?} printed nothing\n{run}");
        for line in run.stdout.lines() {
            let object: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
            assert!(object.is_object(), "{command:?}: {line}");
        }
        let failed = run.stdout.contains("\"event\":\"failed\"");
        assert_eq!(failed, !run.status.success(), "{command:?}\n{run}");
    }
    let fresh = Controller::new();
    fresh.write("index.html", "<h1>hello</h1>\n");
    let run = fresh.ship(&["init", "--json"]);
    let lines: Vec<&str> = run.ok().stdout.lines().collect();
    assert_eq!(lines[1..], ["{\"event\":\"done\"}"], "{run}");
}

#[test]
fn a_finding_is_an_object_with_its_place() {
    let controller = shop();
    let run = controller.ship(&["check", "--json"]);
    assert_eq!(
        run.ok().stdout,
        "{\"host\":null,\"level\":\"ok\",\"subject\":\"manifest\",\
         \"text\":\"ship.toml is valid: shop with 1 service\",\"hint\":null,\
         \"file\":null,\"line\":null,\"column\":null}\n"
    );
    let run = controller.ship(&["check", "local", "--json"]);
    for line in run.stdout.lines() {
        let found: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        assert_eq!(found["host"], "local", "{line}");
        assert!(["ok", "warning", "failure"].contains(&found["level"].as_str().unwrap_or("")));
    }
}

#[test]
fn a_quiet_init_says_what_it_wrote_and_no_more() {
    let controller = Controller::new();
    controller.write("index.html", "<h1>hello</h1>\n");
    let run = controller.ship(&["-q", "init"]);
    let manifest = controller.project().join("ship.toml");
    assert_eq!(run.ok().stdout, format!("wrote {}\n", manifest.display()));
    assert_eq!(run.stderr, "");
}

/// A probe that looks at the exit code saw 0 with every service stopped.
#[test]
fn a_probe_of_what_was_never_deployed_fails() {
    let controller = shop();
    controller.ship(&["status", "local"]).ok();
    let probe = controller.ship(&["status", "local", "--exit-code"]);
    probe.code(10).stderr_has("local: nothing is deployed");
}
