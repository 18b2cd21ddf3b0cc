//! `ship exec` on this machine: input, output, signals, exit codes, and a terminal.

use std::fs::{self, File};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::shop::{Shop, Words};
use crate::support::{Run, Running, Terminal, noise, within};

/// `web` and `worker` of one release, and a script that is not executable.
fn shop() -> Shop {
    let shop = Shop::with(&Words {
        service: "settle = \"0s\"\nenv = { PYTHONPATH = \"vendor\", ROLE = \"web\" }".to_owned(),
        tables: "[services.worker]\ncommand = \"sleep 1000\"\nsettle = \"0s\"\n\
                 env = { ROLE = \"worker\" }\n"
            .to_owned(),
    });
    shop.controller
        .write("vendor/greet.py", "HELLO = 'from the vendor folder'\n");
    shop.controller.write("tool.sh", "echo hello\n");
    shop.controller.write("tools/run", "#!/opt/none/bin/ruby\n");
    shop.deploy(&[]).ok();
    shop
}

fn exec(shop: &Shop, options: &[&str], words: &[&str]) -> Command {
    let mut command = shop.controller.command(env!("CARGO_BIN_EXE_ship"));
    command
        .args(["exec", "local"])
        .args(options)
        .arg("--")
        .args(words);
    command
}

fn run(shop: &Shop, options: &[&str], words: &[&str]) -> Run {
    Running::start(&mut exec(shop, options, words)).wait()
}

/// What `command` makes of `input`: its exit code and standard output.
fn piped(mut command: Command, input: &[u8]) -> (Option<i32>, Vec<u8>) {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::null()).spawn().expect("start ship");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("run ship");
    writer.join().expect("the input");
    (output.status.code(), output.stdout)
}

#[test]
fn a_command_runs_as_a_service_would() {
    let shop = shop();
    // A module that only the service's own environment leads to.
    let import = ["python3", "-c", "import greet; print(greet.HELLO)"];
    assert_eq!(
        run(&shop, &[], &import).ok().stdout,
        "from the vendor folder\n"
    );

    let show = [
        "sh",
        "-c",
        "echo $ROLE $PORT. $RUNTIME_DIRECTORY $SHIP_RELEASE; pwd",
    ];
    let root = shop.root();
    let (root, port) = (root.display(), shop.port);
    let seen = |role: &str, port: &str| {
        format!("{role} {port}. {root}/.ship/runtime/{role} v1\n{root}/releases/v1\n")
    };
    assert_eq!(
        run(&shop, &[], &show).ok().stdout,
        seen("web", &port.to_string())
    );
    let worker = run(&shop, &["--service", "worker"], &show);
    assert_eq!(worker.ok().stdout, seen("worker", ""));
    run(&shop, &["--service", "mailer"], &["true"])
        .code(5)
        .stderr_has("v1 has no service `mailer` on this host")
        .stderr_has("web, worker");
    // The program only: arguments may hold secrets.
    let history = shop.history();
    assert!(history.contains("exec"), "{history}");
    assert!(
        history.contains("python3") && !history.contains("import greet"),
        "{history}"
    );
}

#[test]
fn input_and_output_pass_without_a_change() {
    let shop = shop();
    let bytes = noise(7, 10_000_000);
    let path = shop.controller.project().join("dump.bin");
    assert!(piped(exec(&shop, &["--raw"], &["cat"]), &bytes) == (Some(0), bytes.clone()));
    // To a file, nothing has to be asked for.
    fs::write(shop.controller.project().join("in.bin"), &bytes).expect("write");
    let input = File::open(shop.controller.project().join("in.bin")).expect("open");
    let mut to_file = exec(&shop, &[], &["cat"]);
    to_file
        .stdin(input)
        .stdout(File::create(&path).expect("create"));
    assert!(to_file.status().expect("run ship").success());
    assert!(fs::read(&path).expect("read") == bytes);

    let script = b"echo one\necho two\nexit 4\n";
    assert_eq!(
        piped(exec(&shop, &[], &["sh"]), script),
        (Some(4), b"one\ntwo\n".to_vec())
    );
    // A command that reads nothing does not wait for its input, nor one that closes it.
    let endless = noise(8, 4_000_000);
    assert_eq!(piped(exec(&shop, &[], &["true"]), &endless).0, Some(0));
    let closes = exec(&shop, &[], &["sh", "-c", "exec <&-; echo closed"]);
    assert_eq!(piped(closes, &endless), (Some(0), b"closed\n".to_vec()));
}

#[test]
fn what_a_command_writes_to_a_pipe_commands_nothing() {
    let shop = shop();
    let mean = "printf 'a\\033]0;title\\007b\\n::error::c\\n'; printf 'no end'";
    assert_eq!(
        run(&shop, &[], &["sh", "-c", mean]).ok().stdout,
        "ab\n::error::c\nno end"
    );
    let raw = run(&shop, &["--raw"], &["sh", "-c", mean]);
    assert_eq!(raw.ok().stdout, "a\u{1b}]0;title\u{7}b\n::error::c\nno end");
    let mut in_ci = exec(&shop, &[], &["sh", "-c", mean]);
    let in_ci = Running::start(in_ci.env("GITHUB_ACTIONS", "true")).wait();
    assert_eq!(in_ci.ok().stdout, "ab\n: :error::c\nno end");
    run(&shop, &[], &["printf", "\\200\\201"])
        .ok()
        .stderr_has("output that is not text was changed")
        .stderr_has("--raw");
}

#[test]
fn the_exit_code_is_the_commands_own() {
    let shop = shop();
    run(&shop, &[], &["sh", "-c", "exit 77"]).code(77);
    run(&shop, &[], &["sh", "-c", "kill -9 $$"]).code(137);
    run(&shop, &[], &["no-such-program"])
        .code(127)
        .stderr_has("no-such-program: command not found");
    run(&shop, &[], &["./tool.sh"])
        .code(126)
        .stderr_has("permission denied");
    run(&shop, &[], &["./tools/run"])
        .code(126)
        .stderr_has("its interpreter is not on this host: /opt/none/bin/ruby");
    run(&shop, &[], &["tool.sh"])
        .code(127)
        .stderr_has("name it ./tool.sh");
    run(&shop, &[], &["sh -c true"])
        .code(127)
        .stderr_has("separate words");
}

#[test]
fn signals_go_to_the_command() {
    let shop = shop();
    for (signal, code) in [("INT", 42), ("TERM", 43), ("HUP", 44), ("USR1", 45)] {
        let line = "trap 'exit 42' INT; trap 'exit 43' TERM; trap 'exit 44' HUP; trap 'exit 45' USR1; \
                    echo ready; while :; do sleep 0.02; done";
        let running = Running::start(&mut exec(&shop, &[], &["sh", "-c", line]));
        running.wait_for("ready");
        running.signal(signal);
        running.wait().code(code);
    }
    let running = Running::start(&mut exec(
        &shop,
        &[],
        &["sh", "-c", "echo ready; sleep 981"],
    ));
    running.wait_for("ready");
    shop.wait_for_command("sleep 981");
    running.signal("INT");
    running.wait().code(130);
    let sleeps = |seconds: &str| {
        let found = shop.processes().into_iter();
        let found = found.filter(|process| process.command.ends_with(seconds));
        found.count()
    };
    assert_eq!(sleeps("sleep 981"), 0);

    // One whose controller is killed ends too, with what it started, whatever it ignores.
    let line = "trap '' TERM INT HUP; echo ready; sleep 982 & sleep 982";
    let running = Running::start(&mut exec(&shop, &[], &["sh", "-c", line]));
    running.wait_for("ready");
    running.signal("KILL");
    within(Duration::from_secs(30), "the command to end", || {
        (sleeps("sleep 982") == 0).then_some(())
    });
}

/// A script's job in the background ignores SIGINT; what it has run on a host is not such a job.
#[test]
fn a_command_hears_signals_that_ship_was_told_to_ignore() {
    let shop = shop();
    let script = "trap '' INT QUIT HUP; \"$SHIP\" exec local -- grep SigIgn /proc/self/status";
    let mut command = shop.controller.command("/bin/sh");
    command
        .args(["-c", script])
        .env("SHIP", env!("CARGO_BIN_EXE_ship"));
    let run = Running::start(&mut command).wait();
    let mask = run
        .ok()
        .stdout
        .trim()
        .rsplit('\t')
        .next()
        .unwrap_or_default();
    let mask = u64::from_str_radix(mask, 16).expect("a mask");
    assert_eq!(mask & 0b111, 0, "{run}");
}

#[test]
fn a_reader_that_goes_away_ends_the_command_quietly() {
    let shop = shop();
    let script = "\"$SHIP\" exec local -- yes | head -n 1; \"$SHIP\" exec local -- sh -c 'yes; echo $? > ../../ended' | head -n 1";
    let mut command = shop.controller.command("/bin/sh");
    command
        .args(["-c", script])
        .env("SHIP", env!("CARGO_BIN_EXE_ship"));
    let run = Running::start(&mut command).wait();
    assert_eq!((&*run.ok().stdout, &*run.stderr), ("y\ny\n", ""));
    // It was told as by any pipe: 128 + SIGPIPE.
    let ended = within(Duration::from_secs(20), "the command to end", || {
        fs::read_to_string(shop.root().join("ended"))
            .ok()
            .filter(|text| !text.is_empty())
    });
    assert_eq!(ended, "141\n");
}

#[test]
fn all_hosts_say_who_they_are() {
    let shop = shop();
    let line = "cat; echo out; printf err >&2; exit 3";
    let all = run(&shop, &["--all"], &["sh", "-c", line]);
    all.code(3);
    assert_eq!(all.stdout, "local  out\n");
    assert_eq!(all.stderr, "local  err\nlocal: exit code 3\n");
    let json = run(&shop, &["--json"], &["sh", "-c", line]);
    json.code(3);
    let lines: Vec<serde_json::Value> = json
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 2, "{json}");
    let has = |stream: &str, text: &str| {
        lines.contains(&serde_json::json!({ "host": "local", "stream": stream, "text": text }))
    };
    assert!(has("stdout", "out") && has("stderr", "err"), "{json}");
}

#[test]
fn a_shell_at_a_terminal_is_a_shell() {
    let shop = shop();
    let mut terminal = Terminal::start(exec(&shop, &[], &["env", "PS1=next> ", "sh"]));
    terminal.shows("next> ");
    assert!(!terminal.is_ordinary(), "the keys go to the host");
    terminal.types("stty size; echo $TERM $ROLE\n");
    terminal.shows("40 100\r\n");
    terminal.shows("xterm-256color web\r\n");
    terminal.resize(50, 123);
    terminal.types("until [ \"$(stty size)\" = '50 123' ]; do sleep 0.02; done; echo resi''zed\n");
    terminal.shows("resized");
    // Ctrl-C ends the command that the shell waits for, and not the shell.
    terminal.types("echo go''es; sleep 983; echo status=$?\n");
    terminal.shows("goes\r\n");
    shop.wait_for_command("sleep 983");
    terminal.types("\x03");
    terminal.shows("next> ");
    terminal.types("exit 12\n");
    assert_eq!(terminal.end().code(), Some(12));
    assert!(terminal.is_ordinary(), "the terminal is as it was");
}

#[test]
fn python_at_a_terminal_is_a_console() {
    let shop = shop();
    let mut terminal = Terminal::start(exec(&shop, &[], &["python3", "-q"]));
    terminal.shows(">>> ");
    terminal.types("import greet; greet.HELLO.upper()\n");
    terminal.shows("'FROM THE VENDOR FOLDER'");
    terminal.shows(">>> ");
    terminal.types("\x04");
    assert_eq!(terminal.end().code(), Some(0));
    assert!(terminal.is_ordinary());
}

#[test]
fn the_terminal_is_as_before_whatever_ends_the_command() {
    let shop = shop();
    for signal in ["TERM", "INT", "HUP"] {
        let mut terminal = Terminal::start(exec(&shop, &[], &["sh", "-c", "echo on; sleep 984"]));
        terminal.shows("on");
        shop.wait_for_command("sleep 984");
        assert!(!terminal.is_ordinary());
        terminal.signal(signal);
        terminal.end();
        assert!(terminal.is_ordinary(), "after SIG{signal}");
    }
    // The agent is gone in the middle of it: the connection is lost.
    let mut terminal = Terminal::start(exec(&shop, &[], &["sh", "-c", "echo on; sleep 985"]));
    terminal.shows("on");
    let agents = shop.processes().into_iter();
    let agents = agents.filter(|process| process.command.contains("agent serve"));
    agents.for_each(|agent| agent.signal("KILL"));
    assert_eq!(terminal.end().code(), Some(6));
    terminal.shows("the connection was lost");
    assert!(terminal.is_ordinary());
    // And one that cannot be started.
    let mut terminal = Terminal::start(exec(&shop, &[], &["no-such-program"]));
    assert_eq!(terminal.end().code(), Some(127));
    terminal.shows("command not found");
    assert!(terminal.is_ordinary());
    // No signal of this test can end the sleep whose agent was killed.
    let sleep = |process: &crate::shop::Process| process.command == "sleep 985";
    let left = shop.processes().into_iter().filter(sleep);
    left.for_each(|process| process.signal("KILL"));
}
