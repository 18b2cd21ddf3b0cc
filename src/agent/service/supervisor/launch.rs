//! Starting the launcher of a service, as systemd would.

use std::fs;
use std::io::{self, PipeReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use super::processes;
use super::record::Process;
use crate::agent::service::env_file;
use crate::agent::{Layout, careful};
use crate::model::{Instance, Release};

/// How long a service may take to stop when its release does not say, ms.
const STOP_TIMEOUT_MS: u64 = 10_000;

/// What a service gets from the supervisor's own environment: who and where it is, as systemd
/// gives it (systemd.exec(5), "Environment Variables in Spawned Processes"), and nothing that
/// happened to be set where the supervisor was started.
const PASSED_ON: [&str; 8] = [
    "HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "TMPDIR", "TZ", "USER",
];

/// A service's main process that was just started.
#[derive(Debug)]
pub struct Launched {
    /// To wait for it.
    pub child: Child,
    /// To find it again.
    pub process: Process,
    /// What it and its children write.
    pub output: PipeReader,
}

/// Starts `instance`, of a service of the live release, in a process group of its own.
///
/// # Errors
/// A lower-case sentence: no launcher, an unreadable env file, or what exec(2) said.
pub fn launch(layout: &Layout, instance: &Instance) -> Result<Launched, String> {
    let launcher = layout.launcher(&instance.service);
    if !launcher.exists() {
        return Err(format!("{} does not exist", launcher.display()));
    }
    let runtime = layout.runtime_directory(instance);
    // What an earlier process left there must not pass for this one's.
    let _ = fs::remove_dir_all(&runtime);
    fs::create_dir_all(&runtime)
        .map_err(|error| format!("cannot make {}: {error}", runtime.display()))?;
    let invocation = random_id().map_err(|error| format!("no random numbers: {error}"))?;
    let (output, input) = io::pipe().map_err(|error| format!("cannot make a pipe: {error}"))?;
    let errors = input
        .try_clone()
        .map_err(|error| format!("cannot make a pipe: {error}"))?;

    let mut command = Command::new(&launcher);
    command.env_clear();
    for name in PASSED_ON {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
        .envs(environment(layout)?)
        .env("INVOCATION_ID", &invocation)
        .env("RUNTIME_DIRECTORY", &runtime)
        .current_dir(layout.root())
        .stdin(Stdio::null())
        .stdout(input)
        .stderr(errors)
        .process_group(0);
    let child = command
        .spawn()
        .map_err(|error| format!("{} cannot be started: {error}", launcher.display()))?;
    let process = Process {
        pid: child.id(),
        // One that has ended already is of no use to the next supervisor.
        born: processes::born(child.id()).unwrap_or_default(),
        invocation,
        stop_timeout_ms: stop_timeout_ms(layout, instance),
    };
    Ok(Launched {
        child,
        process,
        output,
    })
}

fn environment(layout: &Layout) -> Result<Vec<(String, String)>, String> {
    let path = layout.env_file();
    let text = match careful::text(&path, careful::METADATA) {
        Ok(text) => text,
        Err(error) if error.is_absent() => return Ok(Vec::new()),
        Err(error) => return Err(error.to_string()),
    };
    env_file::parse(&text).map_err(|why| format!("{}: {why}", path.display()))
}

fn stop_timeout_ms(layout: &Layout, instance: &Instance) -> u64 {
    let read = || {
        let path = layout.current().join(".ship/release.json");
        let release: Release = careful::json(&path, careful::METADATA).ok()?;
        let spec = release
            .services
            .iter()
            .find(|spec| spec.name == instance.service)?;
        Some(spec.stop_timeout_ms)
    };
    read().unwrap_or(STOP_TIMEOUT_MS)
}

/// 128 random bits as systemd writes them: 32 lower-case hexadecimal digits.
fn random_id() -> io::Result<String> {
    use io::Read;
    let mut bytes = [0u8; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
