//! Real processes, with pipes and on terminals.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::*;
use crate::wire::Size;

const LONG: Duration = Duration::from_secs(60);

fn program(words: &[&str]) -> Program {
    Program {
        dir: "/".into(),
        what: What::Argv(words.iter().map(|word| (*word).to_owned()).collect()),
        env: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
        terminal: None,
    }
}

fn shell(line: &str) -> Program {
    Program {
        what: What::Shell(line.to_owned()),
        ..program(&[])
    }
}

fn on_terminal(line: &str) -> Program {
    let size = Size {
        rows: 30,
        columns: 77,
    };
    Program {
        terminal: Some(size),
        ..shell(line)
    }
}

/// A command whose end is waited for, as its users do.
fn begin(program: &Program) -> Started {
    let started = start(program).unwrap();
    let running = Arc::clone(&started.running);
    std::thread::spawn(move || running.wait());
    started
}

/// What comes until `mark` has come.
fn read_until(output: &mut Output, mark: &str) -> String {
    let mut all = String::new();
    let mut bytes = [0u8; 4096];
    while !all.contains(mark) {
        let n = output.read(&mut bytes).unwrap();
        assert!(n > 0, "ended after {all:?}");
        all.push_str(&String::from_utf8_lossy(&bytes[..n]));
    }
    all
}

fn ended(started: &Started) -> i32 {
    exit_code(started.running.wait_for(LONG).expect("it ends"))
}

fn is_gone(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.is_empty() || stat.contains(") Z ")
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !is_so() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn input_goes_in_and_both_outputs_come_out_apart() {
    let mut started = begin(&shell("cat; echo wrong >&2; exit 5"));
    let given: Vec<u8> = (0..3_000_000u32)
        .map(|n| (n.wrapping_mul(n) >> 3) as u8)
        .collect();
    let mut input = started.input.try_clone().unwrap();
    let sent = given.clone();
    std::thread::spawn(move || input.write_all(&sent));
    drop(std::mem::replace(
        &mut started.input,
        std::fs::File::open("/dev/null").unwrap(),
    ));
    let mut came = Vec::new();
    started.output.read_to_end(&mut came).unwrap();
    assert!(came == given, "{} bytes came", came.len());
    let mut errors = String::new();
    started
        .errors
        .take()
        .unwrap()
        .read_to_string(&mut errors)
        .unwrap();
    assert_eq!(errors, "wrong\n");
    assert_eq!(ended(&started), 5);
}

#[test]
fn only_the_given_environment_is_seen() {
    let mut program = program(&["env"]);
    program.env.insert("MARK".to_owned(), "x y".to_owned());
    let mut started = begin(&program);
    let mut seen = String::new();
    started.output.read_to_string(&mut seen).unwrap();
    assert_eq!(seen, "MARK=x y\nPATH=/usr/bin:/bin\n");
}

#[test]
fn a_signal_is_an_exit_code_of_its_own() {
    let started = begin(&shell("kill -TERM $$"));
    assert_eq!(ended(&started), 128 + 15);
    let mut started = begin(&shell(
        "trap 'exit 3' INT; echo ready; while :; do sleep 0.01; done",
    ));
    read_until(&mut started.output, "ready");
    started.running.signal(Signal::INT);
    assert_eq!(ended(&started), 3);
}

#[test]
fn what_cannot_be_started_says_why_with_the_code_of_a_shell() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str, mode: u32| {
        use std::os::unix::fs::PermissionsExt;
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    put("plain", "", 0o644);
    put("tool", "#!/bin/sh\n", 0o755);
    put("script", "#!/opt/none/ruby -w\n", 0o755);
    std::fs::create_dir(folder.path().join("lib")).unwrap();
    let try_it = |words: &[&str]| {
        let mut program = program(words);
        program.dir = folder.path().to_owned();
        let why = start(&program).unwrap_err();
        (why.code, why.why, why.hint)
    };
    let by_path = "name it by its path within the release, or run it through sh -c";
    assert_eq!(
        try_it(&["no-such-program"]),
        (
            127,
            "no-such-program: command not found".to_owned(),
            Some(by_path.to_owned())
        )
    );
    let (code, _, hint) = try_it(&["tool"]);
    assert_eq!(
        (code, hint.unwrap().as_str()),
        (127, "it is in the release, not on PATH: name it ./tool")
    );
    let (code, _, hint) = try_it(&["rake db:migrate"]);
    assert!(code == 127 && hint.unwrap().contains("separate words"));
    let (code, why, _) = try_it(&["./plain"]);
    assert_eq!(
        (code, why.as_str()),
        (126, "./plain: cannot be executed: permission denied")
    );
    let (code, why, _) = try_it(&["./lib"]);
    assert_eq!(
        (code, why.as_str()),
        (126, "./lib: is a folder, not a program")
    );
    let (code, why, _) = try_it(&["./script"]);
    assert_eq!(
        (code, why.as_str()),
        (
            126,
            "./script: its interpreter is not on this host: /opt/none/ruby -w"
        )
    );
    let mut gone = program(&["true"]);
    gone.dir = Path::new("/no/such/folder").into();
    assert_eq!(start(&gone).unwrap_err().code, 125);
}

#[test]
fn a_terminal_has_a_size_that_changes_and_a_kind() {
    let mut program = on_terminal(
        "trap 'stty size; exit 4' WINCH; stty size; test -t 0 && test -t 2 && echo $TERM; \
         while :; do sleep 0.01; done",
    );
    program.env.insert("TERM".to_owned(), "xterm".to_owned());
    let mut started = begin(&program);
    let seen = read_until(&mut started.output, "xterm");
    assert!(seen.contains("30 77"), "{seen:?}");
    started.running.resize(Size {
        rows: 41,
        columns: 99,
    });
    read_until(&mut started.output, "41 99");
    assert_eq!(ended(&started), 4);
}

#[test]
fn an_interrupt_at_a_terminal_reaches_the_program_and_not_the_shell() {
    let mut program = on_terminal("");
    program.what = What::Argv(vec!["sh".to_owned(), "-i".to_owned()]);
    program.env.insert("PS1".to_owned(), "ready> ".to_owned());
    let mut started = begin(&program);
    read_until(&mut started.output, "ready> ");
    started
        .input
        .write_all(b"echo sle''eping; sleep 1000\n")
        .unwrap();
    read_until(&mut started.output, "sleeping\r\n");
    // An interrupt that comes before the sleep is in the foreground is lost.
    let (input, output) = (&mut started.input, &mut started.output);
    let prompted = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !prompted.load(Ordering::Relaxed) {
                input.write_all(b"\x03").unwrap();
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        read_until(output, "ready> ");
        prompted.store(true, Ordering::Relaxed);
    });
    started.input.write_all(b"exit 9\n").unwrap();
    assert_eq!(ended(&started), 9);
}

#[test]
fn the_whole_session_ends_with_a_command_that_is_given_up() {
    // A job of an interactive shell has a group of its own, and both ignore what asks.
    for terminal in [true, false] {
        let line =
            "trap '' HUP TERM; set -m; sleep 1000 & echo job $!; echo self $$; echo rea''dy; wait";
        let mut program = on_terminal(line);
        program.terminal = program.terminal.filter(|_| terminal);
        let mut started = begin(&program);
        let seen = read_until(&mut started.output, "ready");
        let pid = |name: &str| {
            let rest = seen.split(name).nth(1).unwrap();
            rest.split_whitespace().next().unwrap().to_owned()
        };
        let (job, own) = (pid("job "), pid("self "));
        assert!(!is_gone(&job) && !is_gone(&own), "{seen:?}");
        started.running.end(Duration::from_millis(50));
        wait_until("the job ends", || is_gone(&job));
        wait_until("the shell ends", || is_gone(&own));
        assert_eq!(ended(&started), 128 + 9);
    }
}

#[test]
fn a_command_that_is_dropped_is_killed() {
    let mut started = start(&shell("echo $$; sleep 1000")).unwrap();
    let pid = read_until(&mut started.output, "\n");
    assert!(!is_gone(&pid));
    drop(started);
    assert!(is_gone(&pid));
}

/// ssh waits for such a child, for ever.
#[test]
fn output_ends_with_the_command_also_when_a_child_holds_it_open() {
    let mut started = begin(&shell("sleep 1000 & echo $!"));
    let mut seen = String::new();
    started.output.read_to_string(&mut seen).unwrap();
    assert_eq!(ended(&started), 0);
    // It was left behind on purpose.
    started.running.kill();
    assert!(!is_gone(&seen));
    let pid = rustix::process::Pid::from_raw(seen.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, Signal::KILL).unwrap();
}
