//! `ship try`.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use clap::Args;

use super::globals::Globals;
use super::{deploy, history, service, status};
use crate::agent::health::{CommandContext, Prober};
use crate::model::{Failure, Probe};

/// Shows it all on this machine: a deploy, a broken one, the automatic way back
///
/// Deploys a small web app to this machine with the built-in supervisor, in a folder of its own
/// that is removed at the end. The same code path as any deploy; nothing needs to be installed.
#[derive(Debug, Clone, Args)]
pub struct TryArgs {
    /// Keeps the folder and the running app for a look around, and says how to end it
    #[arg(long)]
    pub keep: bool,
}

/// Runs it; the exit code: 0 when everything went as it should.
pub fn run(globals: &Globals, args: &TryArgs) -> u8 {
    let folder = match tempfile::Builder::new().prefix("ship-try-").tempdir() {
        Ok(folder) => folder,
        Err(error) => {
            say(&format!("error: no temporary folder: {error}"));
            return 1;
        }
    };
    let demo = Demo {
        dir: folder.path().to_owned(),
        globals: globals.clone(),
    };
    let shown = demo.show();
    if args.keep && shown.is_ok() {
        let path = folder.keep();
        say(&format!(
            "kept in {0}; end it with: ship stop local -C {0} && rm -r {0}",
            path.display()
        ));
        return 0;
    }
    demo.clean_up();
    match shown {
        Ok(()) => {
            say("everything is stopped and removed; nothing of the demo is left on this machine");
            say("next: `ship init` in your own project");
            0
        }
        Err(failure) => {
            say(&format!(
                "error: the demo did not go as it should: {failure}"
            ));
            1
        }
    }
}

/// Narration goes where talk goes.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

struct Demo {
    dir: PathBuf,
    globals: Globals,
}

impl Demo {
    fn show(&self) -> Result<(), Failure> {
        let port = free_port()?;
        self.write_project(port)?;
        let globals = Globals {
            project: Some(self.dir.clone()),
            ..self.globals.clone()
        };

        say("\n# 1. a small web app goes live on this machine");
        self.write("app.txt", "version 1\n")?;
        self.deploy(&globals, 0)?;
        expect(port, "version 1")?;

        say("\n# 2. a new version replaces it");
        self.write("app.txt", "version 2\n")?;
        self.deploy(&globals, 0)?;
        expect(port, "version 2")?;

        say("\n# 3. a broken version: its health check fails, and version 2 comes back");
        self.write("app.txt", "version 3\n")?;
        self.write("broken", "")?;
        let visitors = Visitors::start(port);
        self.deploy(&globals, 7)?;
        let (answers, misses) = visitors.finish();
        expect(port, "version 2")?;
        say(&format!(
            "a visitor asked {} times during that deploy; {answers} answers, {misses} while a service restarted",
            answers + misses
        ));

        say("\n$ ship status local");
        status::run(
            &globals,
            &status::StatusArgs {
                exit_code: false,
                environment: Some("local".to_owned()),
            },
        );
        say("\n$ ship history local");
        history::run(
            &globals,
            &history::HistoryArgs {
                environment: Some("local".to_owned()),
                limit: 20,
            },
        );
        say("");
        Ok(())
    }

    fn write_project(&self, port: u16) -> Result<(), Failure> {
        let program = std::env::current_exe()?;
        let quote =
            |path: &Path| serde_json::to_string(&path.display().to_string()).unwrap_or_default();
        let manifest = format!(
            "[app]\nname = \"ship-demo\"\n\n\
             [test]\nsteps = [\"test -s app.txt\"]\n\n\
             [release]\ninclude = [\".\"]\nexclude = [\"/host\", \"/ship.toml\"]\n\n\
             [services.web]\ncommand = [{}, \"agent\", \"demo\"]\nport = {port}\n\
             health = {{ path = \"/healthz\", timeout = \"3s\" }}\nsettle = \"1s\"\n\n\
             [environments.local]\nroot = {}\n",
            quote(&program),
            quote(&self.dir.join("host")),
        );
        self.write("ship.toml", &manifest)?;
        self.write("broken", "")?;
        fs::remove_file(self.dir.join("broken"))?;
        Ok(())
    }

    fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        Ok(fs::write(self.dir.join(name), text)?)
    }

    /// Deploys as a person would; anything but `expected` as the exit code is a failed demo.
    fn deploy(&self, globals: &Globals, expected: u8) -> Result<(), Failure> {
        say("$ ship deploy local");
        let args = deploy::DeployArgs {
            environment: Some("local".to_owned()),
            skip_tests: false,
            allow_dirty: false,
            force: false,
            skip_unreachable: false,
            resume: false,
            wait: None,
        };
        let code = deploy::run(globals, &args);
        say(&format!("(exit code {code})"));
        if code == expected {
            return Ok(());
        }
        Err(Failure::unexpected(format!(
            "the deploy ended with exit code {code}, not {expected}"
        )))
    }

    fn clean_up(&self) {
        if self.dir.join("host/current").symlink_metadata().is_ok() {
            let globals = Globals {
                project: Some(self.dir.clone()),
                quiet: true,
                ..Globals::default()
            };
            service::stop_all(&globals, "local");
        }
        // The host side may be tidying up there still.
        for _ in 0..50 {
            if crate::artifact::remove_tree(&self.dir).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Asks the app as a visitor would, and says what it answered.
fn expect(port: u16, text: &str) -> Result<(), Failure> {
    if !asks(port, Some(text)) {
        return Err(Failure::unexpected(format!(
            "http://127.0.0.1:{port}/ does not answer with {text:?}"
        )));
    }
    say(&format!(
        "http://127.0.0.1:{port}/ answers: hello from {text}"
    ));
    Ok(())
}

fn asks(port: u16, body: Option<&str>) -> bool {
    let Ok(prober) = Prober::new() else {
        return false;
    };
    let probe = Probe::Http {
        path: "/".to_owned(),
        port,
        status: Vec::new(),
        body: body.map(str::to_owned),
        headers: std::collections::BTreeMap::new(),
    };
    let none = || Ok(std::collections::BTreeMap::new());
    let context = CommandContext {
        commands: &crate::agent::as_app::Commands::here(),
        dir: Path::new("/"),
        env: &none,
    };
    prober.ask(&probe, Duration::from_secs(2), context).ok
}

/// Somebody who keeps asking during a deploy.
struct Visitors {
    stop: Arc<AtomicBool>,
    answers: Arc<AtomicU64>,
    misses: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Visitors {
    fn start(port: u16) -> Self {
        let (stop, answers, misses) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
            Arc::new(AtomicU64::new(0)),
        );
        let (end, good, bad) = (Arc::clone(&stop), Arc::clone(&answers), Arc::clone(&misses));
        let thread = std::thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                let count = if asks(port, None) { &good } else { &bad };
                count.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        Self {
            stop,
            answers,
            misses,
            thread,
        }
    }

    /// Good answers and missing ones.
    fn finish(self) -> (u64, u64) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.join();
        (
            self.answers.load(Ordering::Relaxed),
            self.misses.load(Ordering::Relaxed),
        )
    }
}
