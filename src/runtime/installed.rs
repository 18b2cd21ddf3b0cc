//! A runtime with `source = "host"`: what this machine has of it must be what the manifest asks
//! for, as on the hosts.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::process::{Output, Stdio};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::process::Command;

use crate::model::installed::{VersionCommand, version_in};
use crate::model::version::{Grammar, Request, Version};
use crate::model::{Failure, FailureKind, HostRuntime};

/// How long a runtime may take to tell its version.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks the runtime on the `PATH` of `env` for its version, which must answer what `runtime` has as
/// its version.
///
/// # Errors
/// [`FailureKind::Project`] when there is none, it does not tell, or it is another version; both
/// are shown.
pub async fn installed(
    runtime: &HostRuntime,
    env: &BTreeMap<OsString, OsString>,
) -> Result<String, Failure> {
    let HostRuntime { name, version, .. } = runtime;
    let asked = VersionCommand::of(name);
    let refuse = |found: String| {
        Failure::new(
            FailureKind::Project,
            format!("{name} {version} is required, but it is not on this machine"),
        )
        .detail(format!(
            "ship.toml: {name} = \"{version}\", brought by each machine"
        ))
        .detail(format!("this machine: {found}"))
        .hint(format!(
            "install {name} {version} here, or ask for what is here and on the hosts"
        ))
    };
    let output = match ask(&asked, env).await {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(refuse(format!("no `{}` on PATH", asked.program)));
        }
        Err(error) => return Err(refuse(format!("`{}`: {error}", asked.line()))),
    };
    let printed = [output.stdout, b"\n".to_vec(), output.stderr].concat();
    match version_in(&String::from_utf8_lossy(&printed)) {
        Some(found) if output.status.success() && answers(name, &found, version) => Ok(found),
        Some(found) if output.status.success() => Err(refuse(format!("{name} {found}"))),
        _ => Err(refuse(format!(
            "`{}` does not print a version",
            asked.line()
        ))),
    }
}

/// How long a program may take to tell its version when nothing depends on it.
const BRIEFLY: Duration = Duration::from_secs(3);

/// The versions that this machine has of the programs in `names`, by name; one that is not there or
/// does not tell is left out. They are asked outside of any project, so that a project's files do not
/// choose what runs.
pub async fn versions_here(
    names: impl IntoIterator<Item = &str>,
    env: &BTreeMap<OsString, OsString>,
) -> BTreeMap<String, Version> {
    let mut env = env.clone();
    // A shim of Corepack would download the program to ask it.
    env.insert("COREPACK_ENABLE_NETWORK".into(), "0".into());
    let env = &env;
    let asked = names.into_iter().map(|name| async move {
        let output = tokio::time::timeout(BRIEFLY, ask(&VersionCommand::of(name), env)).await;
        let output = output.ok()?.ok().filter(|output| output.status.success())?;
        let printed = [output.stdout, b"\n".to_vec(), output.stderr].concat();
        let version = version_in(&String::from_utf8_lossy(&printed))?;
        Some((name.to_owned(), Version::parse(&version)?))
    });
    join_all(asked).await.into_iter().flatten().collect()
}

fn answers(name: &str, found: &str, request: &str) -> bool {
    let request = Request::parse(Grammar::of(name), request);
    let found = Version::parse(found);
    request.is_ok_and(|request| found.is_some_and(|found| request.matches(&found)))
}

async fn ask(asked: &VersionCommand, env: &BTreeMap<OsString, OsString>) -> io::Result<Output> {
    let running = Command::new(&asked.program)
        .args(asked.args)
        .env_clear()
        .envs(env)
        .current_dir("/")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PATIENCE, running).await;
    output.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::start::write_program;
    use crate::model::runtime::RuntimeSource;

    async fn php(version: &str, printed: Option<&str>) -> Result<String, Failure> {
        let folder = tempfile::tempdir().unwrap();
        if let Some(printed) = printed {
            let program = folder.path().join("php");
            let text = format!("#!/bin/sh\ntest \"$1\" = -v && echo '{printed}'\n");
            write_program(&program, &text);
        }
        let runtime = HostRuntime {
            name: "php".to_owned(),
            version: version.to_owned(),
            source: RuntimeSource::Host,
        };
        let env = [("PATH".into(), folder.path().into())].into();
        installed(&runtime, &env).await
    }

    #[tokio::test]
    async fn what_is_here_must_be_what_is_asked_for() {
        let printed = Some("PHP 8.3.6 (cli) (built: Apr 15 2024 19:21:47) (NTS)");
        assert_eq!(php("8.3", printed).await.as_deref(), Ok("8.3.6"));
        let other = php("8.2", printed).await.unwrap_err();
        assert_eq!(other.kind, FailureKind::Project);
        assert_eq!(other.details[1], "this machine: php 8.3.6");
        let silent = php("8.3", Some("hello")).await.unwrap_err();
        assert_eq!(
            silent.details[1],
            "this machine: `php -v` does not print a version"
        );
        let missing = php("8.3", None).await.unwrap_err();
        assert_eq!(missing.details[1], "this machine: no `php` on PATH");
    }
}
