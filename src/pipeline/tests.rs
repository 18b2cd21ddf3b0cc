//! Real shells, real processes, real repositories.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::sync::watch;

use super::{StepEnvironment, run_steps};
use crate::model::event::{Event, Phase, Sink};
use crate::model::{Failure, FailureKind};
use crate::project::model::{Pipeline, Step};

struct Ran {
    project: TempDir,
    /// `> name`, `name: line`, `< name: ok`.
    events: Vec<String>,
    result: Result<(), Failure>,
    took: Duration,
}

/// Runs steps of a name, a command and a timeout in ms; `cancel_on` cancels at a line of output.
fn run(steps: &[(&str, &str, u64)], cancel_on: &'static str) -> Ran {
    let project = TempDir::new().unwrap();
    let pipeline = Pipeline {
        steps: steps
            .iter()
            .map(|&(name, run, timeout_ms)| Step {
                name: name.to_owned(),
                run: run.to_owned(),
                timeout_ms,
            })
            .collect(),
        env: [("COLOUR".to_owned(), "blue".to_owned())].into(),
        inherit_env: false,
    };
    let events = Arc::new(Mutex::new(Vec::new()));
    let (cancel, cancelled) = watch::channel(false);
    let log = Arc::clone(&events);
    let sink = Sink::new(move |event| {
        let text = match event.clone() {
            Event::StepStarted { name, .. } => format!("> {name}"),
            Event::StepOutput { name, line, .. } => {
                if line == cancel_on {
                    cancel.send(true).unwrap();
                }
                format!("{name}: {line}")
            }
            Event::StepFinished { name, why, ok, .. } => {
                assert_eq!(ok, why.is_none());
                format!("< {name}: {}", why.unwrap_or_else(|| "ok".to_owned()))
            }
            other => format!("{other:?}"),
        };
        log.lock().unwrap().push(text);
    });
    let environment = StepEnvironment {
        caller: [
            ("PATH".into(), "/usr/bin:/bin".into()),
            ("TERM".into(), "xterm".into()),
        ]
        .into(),
        ..StepEnvironment::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let start = Instant::now();
    let result = runtime.block_on(run_steps(
        Phase::Build,
        &pipeline,
        &environment,
        project.path(),
        project.path(),
        &sink,
        cancelled,
    ));
    let events = events.lock().unwrap().clone();
    Ran {
        project,
        events,
        result,
        took: start.elapsed(),
    }
}

fn is_alive(pid_file: &Path) -> bool {
    let pid: i32 = fs::read_to_string(pid_file)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

#[test]
fn steps_run_in_order_with_both_outputs_on_one_line_of_time() {
    let order = "echo 1; echo 2 >&2; echo 3; printf 'no end'";
    let shown = "pwd; echo \"$COLOUR $TERM\"; read x || echo no input; ps -o pgid= -p $$ | grep -qw $$ && echo own group";
    let ran = run(&[("order", order, 60_000), ("Show It!", shown, 60_000)], "");
    assert_eq!(ran.result, Ok(()));
    let project = ran.project.path().canonicalize().unwrap();
    let expected = format!(
        "> order|order: 1|order: 2|order: 3|order: no end|< order: ok|> Show It!|Show It!: {}|\
         Show It!: blue |Show It!: no input|Show It!: own group|< Show It!: ok",
        project.display()
    );
    assert_eq!(ran.events.join("|"), expected);
    let logs = project.join(".ship/logs");
    let log = fs::read_to_string(logs.join("build-1-order.log")).unwrap();
    assert_eq!(log, format!("$ {order}\n1\n2\n3\nno end"));
    assert!(logs.join("build-2-show-it.log").exists());
    let ignored = fs::read_to_string(project.join(".ship/.gitignore")).unwrap();
    assert!(ignored.ends_with("\n*\n!known_hosts\n"));
}

#[test]
fn the_first_failure_ends_it() {
    let ran = run(
        &[("lint", "exit 3", 60_000), ("never", "echo no", 60_000)],
        "",
    );
    assert_eq!(ran.events, ["> lint", "< lint: exit code 3"]);
    let failure = ran.result.unwrap_err();
    let expected = Failure::new(
        FailureKind::Build,
        "the build step `lint` failed: exit code 3",
    )
    .detail("command: exit 3")
    .detail("whole output: .ship/logs/build-1-lint.log");
    assert_eq!(failure, expected);

    let ran = run(&[("x", "kill -9 $$", 60_000)], "");
    assert_eq!(ran.events[1], "< x: killed by signal 9 (SIGKILL)");
    let ran = run(&[("x", "no-such-command", 60_000)], "");
    let hint = ran.result.unwrap_err().hint.unwrap();
    assert!(hint.contains("[runtimes]"), "{hint}");
}

#[test]
fn a_timeout_ends_the_step_with_all_its_children() {
    let step = "sh -c 'echo $$ > pid; echo up; exec sleep 1000' & wait";
    let ran = run(&[("slow", step, 3_000)], "");
    assert_eq!(
        ran.events,
        ["> slow", "slow: up", "< slow: timed out after 3s"]
    );
    assert!(!is_alive(&ran.project.path().join("pid")));
    assert_eq!(ran.result.unwrap_err().kind, FailureKind::Build);
}

#[test]
fn a_child_that_ignores_sigterm_is_killed() {
    // The shell itself goes at once; what it started does not.
    let step = "(trap '' TERM; exec sh -c 'echo $$ > pid; echo up; sleep 1000; sleep 1000') & wait";
    let ran = run(&[("deaf", step, 3_000)], "");
    assert_eq!(
        ran.events,
        ["> deaf", "deaf: up", "< deaf: timed out after 3s"]
    );
    assert!(!is_alive(&ran.project.path().join("pid")));
    assert!(
        ran.took > Duration::from_secs(8),
        "it had no time to end: {:?}",
        ran.took
    );
}

#[test]
fn cancelling_ends_the_step() {
    // Says more on its way out than a pipe holds.
    let step = "trap 'head -c 200000 /dev/zero; echo; echo bye; exit 1' TERM; echo up; \
                while :; do sleep 0.05; done";
    let ran = run(
        &[("long", step, 60_000), ("never", "echo no", 60_000)],
        "up",
    );
    assert_eq!(ran.events[..2], ["> long", "long: up"]);
    let last = ran.events.len() - 2;
    // Killed, it could not have said so.
    assert_eq!(ran.events[last..], ["long: bye", "< long: interrupted"]);
    let expected = Failure::interrupted("interrupted during the build step `long`");
    assert_eq!(ran.result, Err(expected));
}

#[test]
fn a_child_in_the_background_does_not_hold_up_the_rest() {
    let step = "sleep 1000 & echo $! > pid; echo done";
    let ran = run(
        &[("leave", step, 60_000), ("next", "kill $(cat pid)", 60_000)],
        "",
    );
    assert_eq!(
        ran.events,
        [
            "> leave",
            "leave: done",
            "< leave: ok",
            "> next",
            "< next: ok"
        ]
    );
    assert!(ran.took < Duration::from_secs(1000), "it was waited for");
}

#[test]
fn a_flood_without_line_ends_arrives_in_pieces() {
    let ran = run(
        &[(
            "flood",
            "head -c 1000000 /dev/zero; printf '\\377\\n'",
            60_000,
        )],
        "",
    );
    assert_eq!(ran.result, Ok(()));
    let lines: Vec<&str> = ran
        .events
        .iter()
        .filter_map(|e| e.strip_prefix("flood: "))
        .collect();
    assert_eq!(lines.len(), 1_000_000_usize.div_ceil(64 * 1024));
    assert_eq!(lines.concat(), "\0".repeat(1_000_000) + "\u{fffd}");
    let log = ran.project.path().join(".ship/logs/build-1-flood.log");
    assert!(log.metadata().unwrap().len() > 1_000_000);
}

#[test]
fn logs_of_an_earlier_run_go() {
    let ran = run(&[("one", "true", 60_000)], "");
    let project = ran.project.path();
    let logs = project.join(".ship/logs");
    for name in ["build-9-old.log", "test-1-keep.log", "build-x.log"] {
        fs::write(logs.join(name), "").unwrap();
    }
    super::log::clear(project, Phase::Build).unwrap();
    let mut names: Vec<_> = fs::read_dir(logs)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["build-x.log", "test-1-keep.log"]);
}
