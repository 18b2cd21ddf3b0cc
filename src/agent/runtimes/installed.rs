//! Runtimes that the host brings (`source = "host"`): are they there, and are they what the machine
//! that deploys has.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Problem;
use super::environment::DEFAULT_PATH;
use crate::agent::host::home;
use crate::agent::service::child;
use crate::model::installed::{VersionCommand, version_in};
use crate::model::runtime::RuntimeSource;
use crate::model::{HostRuntime, ServiceManagerKind};

/// How long a runtime may take to tell its version: a JVM on a busy host is slow.
const DEADLINE: Duration = Duration::from_secs(20);

/// What differs of those of `runtimes` that the host brings, for services that `manager` starts.
pub(super) fn problems(runtimes: &[HostRuntime], manager: ServiceManagerKind) -> Vec<Problem> {
    let path = search_path(manager);
    let theirs = runtimes
        .iter()
        .filter(|runtime| runtime.source == RuntimeSource::Host);
    theirs
        .filter_map(|runtime| problem(runtime, &path))
        .collect()
}

/// Where the services' programs are looked for. A login's `PATH` is not theirs.
pub(super) fn search_path(manager: ServiceManagerKind) -> OsString {
    let own = std::env::var_os("PATH").filter(|path| !path.is_empty());
    match (manager, own) {
        (ServiceManagerKind::Supervisor, Some(own)) => own,
        _ => DEFAULT_PATH.into(),
    }
}

fn problem(runtime: &HostRuntime, path: &OsString) -> Option<Problem> {
    let HostRuntime { name, version, .. } = runtime;
    let command = VersionCommand::of(name);
    let Some(program) = find(&command.program, path) else {
        return Some(Problem {
            text: format!(
                "{name} {version} is not on this host: there is no {} in {}",
                command.program,
                path.to_string_lossy()
            ),
            hint: format!(
                "install {name} {version} on the host: the manifest says `source = \"host\"`"
            ),
        });
    };
    let shown = program.display();
    let found = match version_of(name, &program, path) {
        Ok(found) => found,
        Err(why) => {
            return Some(Problem {
                text: format!("{name} on this host does not report its version: {shown}: {why}"),
                hint: format!("run `{}` on the host", command.line()),
            });
        }
    };
    match found {
        Some(found) if found == *version => None,
        Some(found) => Some(Problem {
            text: format!(
                "{name} is {found} on this host ({shown}) and {version} on the machine that deploys"
            ),
            hint: format!("install the same {name} on both"),
        }),
        None => Some(Problem {
            text: format!("{name} on this host does not report its version: {shown}"),
            hint: format!("run `{}` on the host", command.line()),
        }),
    }
}

/// The version that the runtime `name`, which is at `program`, tells; `None` when it tells none.
pub(super) fn version_of(
    name: &str,
    program: &Path,
    path: &OsString,
) -> Result<Option<String>, child::NoOutput> {
    let mut asked = child::command(&program.to_string_lossy());
    let arguments = VersionCommand::of(name).args;
    // As a service finds it: a variable of whoever deploys may choose another version.
    asked.env_clear().env("PATH", path).env("HOME", home());
    let said = child::run(asked.args(arguments), DEADLINE)?;
    Ok(version_in(&format!("{}\n{}", said.stdout, said.stderr)))
}

/// The program, as `command -v` of sh(1) would find it.
pub(super) fn find(program: &str, path: &OsString) -> Option<PathBuf> {
    let is_program = |file: &PathBuf| {
        file.is_file() && rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok()
    };
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder: PathBuf| folder.join(Path::new(program)))
        .find(is_program)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::start::write_program;

    fn on_host(name: &str, version: &str) -> HostRuntime {
        HostRuntime {
            name: name.to_owned(),
            version: version.to_owned(),
            source: RuntimeSource::Host,
        }
    }

    #[test]
    fn a_difference_is_told_with_both_versions() {
        let folder = tempfile::tempdir().unwrap();
        let php = folder.path().join("php");
        let text = "#!/bin/sh\necho 'PHP 8.2.7 (cli)'; echo Zend 4.2.7\n";
        std::fs::write(&php, text).unwrap();
        let path = folder.path().as_os_str().to_owned();
        // Not executable: it is not there.
        let missing = problem(&on_host("php", "8.2.7"), &path).unwrap();
        assert!(missing.text.contains("there is no php"), "{missing:?}");
        std::fs::remove_file(&php).unwrap();
        write_program(&php, text);
        let with_sh = std::env::join_paths([folder.path(), Path::new("/bin")]).unwrap();
        assert_eq!(problem(&on_host("php", "8.2.7"), &with_sh), None);
        let differs = problem(&on_host("php", "8.3.6"), &with_sh).unwrap();
        assert_eq!(
            differs.text,
            format!(
                "php is 8.2.7 on this host ({}) and 8.3.6 on the machine that deploys",
                php.display()
            )
        );
    }
}
