//! Commands of a release that run on the host beside its services: hooks and `ship exec`.

use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::health::secs;
use super::host::LoadedRelease;
use crate::model::Failure;

/// The longest line of output that is kept in one piece, bytes.
const MAX_LINE: u64 = 64 << 10;

/// How sh(1) says that there is no such program; its exit code for that is 127.
pub const NOT_FOUND: &str = "command not found";

/// How long output may still come after the command has ended (background children), ms.
const DRAIN_MS: u64 = 500;

/// How often it is looked whether a command has ended.
const LOOK: Duration = Duration::from_millis(20);

/// Runs `run` through `/bin/sh` in the release's folder with its environment; `line` is called
/// with each line of its output, `stop` ends it early.
///
/// # Errors
/// A sentence, when it could not be started, failed, was stopped, or took longer than `timeout`.
pub fn run_hook(
    release: &LoadedRelease,
    run: &str,
    timeout: Duration,
    stop: &dyn Fn() -> bool,
    line: &mut dyn FnMut(String),
) -> Result<(), String> {
    let present = release.runtimes.present();
    present.map_err(|failure| failure.message)?;
    let mut child = Command::new("/bin/sh")
        .args(["-c", run])
        .current_dir(&release.dir)
        .env_clear()
        .envs(release.command_env())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| format!("cannot be started: {error}"))?;
    let (sender, lines) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        forward_lines(stdout, sender.clone());
    }
    if let Some(stderr) = child.stderr.take() {
        forward_lines(stderr, sender.clone());
    }
    drop(sender);
    let deadline = Instant::now() + timeout;
    let mut end = None;
    let ended = loop {
        match lines.recv_timeout(LOOK) {
            Ok(text) => line(text),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) if end.is_some() => break end,
            // It closed its output, and runs on.
            Err(mpsc::RecvTimeoutError::Disconnected) => std::thread::sleep(LOOK),
        }
        if end.is_none() {
            end = child
                .try_wait()
                .map_err(|error| error.to_string())?
                .map(|status| (status, Instant::now()));
        }
        if let Some((_, at)) = end
            && at.elapsed() > Duration::from_millis(DRAIN_MS)
        {
            break end;
        }
        if end.is_none() && (Instant::now() >= deadline || stop()) {
            break None;
        }
    };
    match ended {
        Some((status, _)) if status.success() => Ok(()),
        Some((status, _)) => Err(describe(status)),
        None => {
            kill_group(&mut child);
            Err(if stop() {
                "cancelled".to_owned()
            } else {
                format!("still ran after {}", secs(timeout))
            })
        }
    }
}

fn forward_lines(stream: impl Read + Send + 'static, sender: mpsc::Sender<String>) {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        loop {
            line.clear();
            match (&mut reader).take(MAX_LINE).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            let text = String::from_utf8_lossy(&line);
            if sender
                .send(text.trim_end_matches(['\n', '\r']).to_owned())
                .is_err()
            {
                return;
            }
        }
    });
}

/// Kills a command with all that it started, and reaps it.
pub fn kill_group(child: &mut Child) {
    if let Some(pid) = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
    let _ = child.wait();
}

/// `exit code 3`, `killed by signal 9`.
#[must_use]
pub fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => "ended without a status".to_owned(),
    }
}

/// Starts `argv` in the release's folder with its environment, its output piped.
///
/// # Errors
/// When it cannot be started, or a runtime of the release is gone.
pub fn spawn_exec(release: &LoadedRelease, argv: &[String]) -> Result<Child, Failure> {
    let Some((program, arguments)) = argv.split_first() else {
        return Err(Failure::new(
            crate::model::FailureKind::Usage,
            "no command to run",
        ));
    };
    release.runtimes.present()?;
    Command::new(program)
        .args(arguments)
        .current_dir(&release.dir)
        .env_clear()
        .envs(release.command_env())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Failure::unexpected(format!("{program}: {NOT_FOUND}"))
                .hint("name it by its path within the release, or run it through sh -c"),
            _ => Failure::unexpected(format!("{program}: {error}")),
        })
}

/// The exit code that sh(1) would have passed on: 128 + n for signal n.
#[must_use]
pub fn exit_code(status: ExitStatus) -> i32 {
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use rustix::time::{ClockId, clock_gettime};

    use super::*;

    /// Its end was looked for without a pause: a whole processor for as long as it ran.
    #[test]
    fn a_hook_that_closes_its_output_is_waited_for_quietly() {
        let folder = tempfile::tempdir().unwrap();
        let release = LoadedRelease::bare(folder.path(), Vec::new());
        let used = || {
            let time = clock_gettime(ClockId::ThreadCPUTime);
            time.tv_sec * 1_000_000_000 + time.tv_nsec
        };
        let before = used();
        let run = "echo said; exec >&- 2>&-; sleep 1; exit 3";
        let mut said = Vec::new();
        let ended = run_hook(
            &release,
            run,
            Duration::from_secs(60),
            &|| false,
            &mut |line| said.push(line),
        );
        assert_eq!(ended, Err("exit code 3".to_owned()));
        assert_eq!(said, ["said"]);
        let ms = (used() - before) / 1_000_000;
        assert!(ms < 100, "{ms} ms of a processor");
    }
}
