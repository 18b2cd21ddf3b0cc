//! Hooks: lines for a shell that run in a release before it is switched to.

use std::io::Read;
use std::process::ExitStatus;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::{Program, What, describe};
use crate::agent::health::secs;
use crate::agent::host::{Host, LoadedRelease};
use crate::model::Redactor;
use crate::model::lines::MaskedLines;

/// Output that may be the beginning of a secret is held back for so long at most.
const PAUSE: Duration = Duration::from_millis(100);

/// How often a hook is asked whether it has to stop.
const LOOK: Duration = Duration::from_millis(20);

/// Why a hook did not do what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// A lower-case sentence.
    pub why: String,
    /// Whether somebody stopped it: it did not fail by itself.
    pub is_stopped: bool,
}

impl From<String> for Undone {
    fn from(why: String) -> Self {
        Self {
            why,
            is_stopped: false,
        }
    }
}

/// Runs `run` through `/bin/sh` as the services' user, in the release's folder, with the environment of
/// its first service; `line` is called with each line of its output, masked by `redactor`; `stop`
/// ends it early.
///
/// # Errors
/// When it could not be started, failed, was stopped, or took longer than `timeout`.
pub fn run_hook(
    host: &Host,
    release: &LoadedRelease,
    redactor: &Redactor,
    run: &str,
    timeout: Duration,
    stop: &dyn Fn() -> bool,
    line: &mut dyn FnMut(String),
) -> Result<(), Undone> {
    let present = release.runtimes.present();
    present.map_err(|failure| failure.message())?;
    let program = Program {
        dir: release.dir.clone(),
        what: What::Shell(run.to_owned()),
        env: host
            .hook_env(release)
            .map_err(|failure| failure.message())?,
        terminal: None,
    };
    let started = host
        .commands
        .start(&program)
        .map_err(|why| format!("cannot be started: {why}"))?;
    drop(started.input);
    let (sender, said) = mpsc::channel();
    let errors = started
        .errors
        .map(|errors| forward(1, errors, sender.clone()));
    let output = forward(0, started.output, sender.clone());
    let running = std::sync::Arc::clone(&started.running);
    std::thread::spawn(move || {
        let status = running.wait().map_err(|error| error.to_string());
        let readers = std::iter::once(output).chain(errors);
        readers.for_each(|reader| drop(reader.join()));
        let _ = sender.send(Said::Ended(status));
    });
    let deadline = Instant::now() + timeout;
    let mut streams = [MaskedLines::new(redactor), MaskedLines::new(redactor)];
    let mut heard = Instant::now();
    loop {
        match said.recv_timeout(LOOK) {
            Ok(Said::Bytes(stream, bytes)) => {
                streams[stream].push(&bytes, line);
                heard = Instant::now();
            }
            Ok(Said::Ended(status)) => {
                streams
                    .iter_mut()
                    .for_each(|stream| drop(stream.finish(line)));
                return Ok(judge(status?)?);
            }
            Err(_) if heard.elapsed() >= PAUSE => {
                streams
                    .iter_mut()
                    .for_each(|stream| drop(stream.pause(line)));
            }
            Err(_) => {}
        }
        let stopped = stop();
        if stopped || Instant::now() >= deadline {
            started.running.kill();
            streams
                .iter_mut()
                .for_each(|stream| drop(stream.finish(line)));
            return Err(Undone {
                why: match stopped {
                    true => "cancelled".to_owned(),
                    false => format!("still ran after {}", secs(timeout)),
                },
                is_stopped: stopped,
            });
        }
    }
}

/// What comes of a hook.
enum Said {
    /// Bytes of its output (0) or its errors (1).
    Bytes(usize, Vec<u8>),
    /// It has ended, and its output has been read.
    Ended(Result<ExitStatus, String>),
}

fn judge(status: ExitStatus) -> Result<(), String> {
    match status.success() {
        true => Ok(()),
        false => Err(describe(status)),
    }
}

fn forward(
    number: usize,
    mut stream: impl Read + Send + 'static,
    sender: mpsc::Sender<Said>,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut bytes = vec![0; 64 << 10];
        while let Ok(length @ 1..) = stream.read(&mut bytes) {
            let piece = bytes[..length].to_vec();
            if sender.send(Said::Bytes(number, piece)).is_err() {
                return;
            }
        }
    })
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
        let host = Host::example(folder.path());
        let used = || {
            let time = clock_gettime(ClockId::ThreadCPUTime);
            time.tv_sec * 1_000_000_000 + time.tv_nsec
        };
        let before = used();
        let run = "echo said; exec >&- 2>&-; sleep 1; exit 3";
        let mut said = Vec::new();
        let ended = run_hook(
            &host,
            &release,
            &Redactor::default(),
            run,
            Duration::from_secs(60),
            &|| false,
            &mut |line| said.push(line),
        );
        assert_eq!(ended, Err("exit code 3".to_owned().into()));
        assert_eq!(said, ["said"]);
        let ms = (used() - before) / 1_000_000;
        assert!(ms < 100, "{ms} ms of a processor");
    }
}
