//! Whether a runtime that was just unpacked starts on this machine, and why not. Asked at both ends,
//! before anything relies on it.

use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::model::Failure;
use crate::model::installed::{VersionCommand, tells, version_in};
use crate::model::runtime::RuntimeArchive;
use crate::model::version::Version;

/// Starts the program of the runtime `name`, unpacked at `root`, once.
///
/// # Errors
/// [`FailureKind::Refused`](crate::model::FailureKind::Refused) when it does not start; what it
/// lacks is named, with the package that has it.
pub fn starts(
    what: &str,
    name: &str,
    archive: &RuntimeArchive,
    root: &Path,
) -> Result<(), Failure> {
    // A launcher has another runtime run it, which need not be on this PATH yet.
    if !archive.launchers.is_empty() {
        return Ok(());
    }
    let asked = VersionCommand::of(name);
    let places = archive.bin.iter().map(|bin| root.join(bin));
    let Some(program) = places
        .map(|bin| bin.join(&asked.program))
        .find(|program| program.is_file())
    else {
        let message = format!("the archive of {what} has no program `{}`", asked.program);
        return Err(Failure::refused(message));
    };
    let mut command = Command::new(&program);
    command.args(asked.args).stdin(Stdio::null());
    for (variable, below) in &archive.env {
        command.env(variable, root.join(below));
    }
    command.envs(&archive.settings);
    let refuse =
        |why: String| Failure::refused(format!("{what} does not start on this machine: {why}"));
    let said = match start(&mut command) {
        Ok(output) if output.status.success() => {
            let said = [output.stdout, output.stderr].concat();
            return is_the_one(what, name, &String::from_utf8_lossy(&said));
        }
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        // The program is there; what is not is its interpreter (execve(2), ENOENT).
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(refuse("there is no glibc here".to_owned())
                .hint("it is built for systems with glibc, such as Debian; musl cannot run it"));
        }
        Err(error) => return Err(refuse(error.to_string())),
    };
    Err(explain(&said, archive, refuse))
}

/// Whether a runtime that says this of itself is `what`, `node 20.11.1`: a lock may hold the
/// checksum of another version.
fn is_the_one(what: &str, name: &str, said: &str) -> Result<(), Failure> {
    let version = what.split(' ').nth(1).and_then(Version::parse);
    match version {
        Some(version) if !tells(said, &version) => {
            let found = version_in(said).unwrap_or_default();
            let message = format!("the archive of {what} holds another version: {found}");
            Err(Failure::refused(message).hint(format!(
                "an edited ship.lock; `ship pin --upgrade {name}` asks the publisher again"
            )))
        }
        _ => Ok(()),
    }
}

/// Runs `command`, whose program was just written. While another thread starts a program of its own,
/// that one holds what was open here: the file counts as being written until then (execve(2),
/// `ETXTBSY`).
fn start(command: &mut Command) -> io::Result<Output> {
    for _ in 0..50 {
        match command.output() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(Duration::from_millis(10));
            }
            ended => return ended,
        }
    }
    command.output()
}

/// Writes a program that can be run at once: this process has it never open, so that no child that
/// another test is starting does (`ETXTBSY`).
#[cfg(test)]
pub(crate) fn write_program(path: &std::path::Path, text: &str) {
    let mut sh = Command::new("/bin/sh");
    let sh = sh.args(["-c", "printf %s \"$1\" > \"$0\" && chmod 755 \"$0\""]);
    assert!(sh.arg(path).arg(text).status().unwrap().success());
}

/// What the dynamic linker (ld.so(8)) said, in words.
fn explain(
    said: &str,
    archive: &RuntimeArchive,
    refuse: impl FnOnce(String) -> Failure,
) -> Failure {
    if let Some(library) = between(said, "error while loading shared libraries: ", ":") {
        let failure = refuse(format!("{library} is missing"));
        return match archive.needs.libraries.get(library) {
            Some(package) => failure.hint(format!("apt-get install {package}")),
            None => failure.hint(format!("install the package that has {library}")),
        };
    }
    if let Some(version) = between(said, "version `", "' not found") {
        let failure = refuse(format!("{version} is missing"));
        return match archive.needs.glibc {
            Some((major, minor)) => failure
                .detail(format!("it needs glibc {major}.{minor} or later"))
                .hint("a newer system, or an older version of the runtime"),
            None => failure.hint("a newer system, or an older version of the runtime"),
        };
    }
    let lines = said.lines().filter(|line| !line.trim().is_empty());
    let lines: Vec<String> = lines.take(5).map(str::to_owned).collect();
    refuse("asked for its version, it fails".to_owned()).details(lines)
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let rest = text.split_once(before)?.1;
    Some(rest.split_once(after)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Sha256;
    use crate::model::runtime::{ArchiveFormat, RuntimeNeeds};

    fn archive() -> RuntimeArchive {
        RuntimeArchive {
            sha256: Sha256::new([0; 32]),
            size: 0,
            format: ArchiveFormat::TarGz,
            strip: 1,
            bin: vec!["bin".to_owned()],
            env: [("NODE_HOME".to_owned(), String::new())].into(),
            settings: [("NODE_ONLY".to_owned(), "this".to_owned())].into(),
            launchers: std::collections::BTreeMap::new(),
            needs: RuntimeNeeds {
                glibc: Some((2, 28)),
                libraries: [("libstdc++.so.6".to_owned(), "libstdc++6".to_owned())].into(),
            },
        }
    }

    /// What `node` of this text says.
    fn node(text: &str) -> Result<(), Failure> {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let program = root.path().join("bin/node");
        std::fs::create_dir(root.path().join("bin")).unwrap();
        std::fs::write(&program, text).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        starts("node 20.11.1", "node", &archive(), root.path())
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(
            node(
                "#!/bin/sh\ntest \"$1\" = --version && test -d \"$NODE_HOME\" && echo \"$NODE_ONLY\"\n"
            ),
            Ok(())
        );
        assert_eq!(node("#!/bin/sh\necho v20.11.1\n"), Ok(()));
        let another = node("#!/bin/sh\necho v18.20.8\n").unwrap_err();
        assert_eq!(
            another.message(),
            "the archive of node 20.11.1 holds another version: 18.20.8"
        );
        let library = node(
            "#!/bin/sh\necho 'node: error while loading shared libraries: libstdc++.so.6: \
             cannot open shared object file: No such file or directory' >&2; exit 127\n",
        )
        .unwrap_err();
        assert_eq!(
            library.message(),
            "node 20.11.1 does not start on this machine: libstdc++.so.6 is missing"
        );
        assert_eq!(library.hint.as_deref(), Some("apt-get install libstdc++6"));
        let glibc = node(
            "#!/bin/sh\necho \"node: /lib/x86_64-linux-gnu/libc.so.6: version \\`GLIBC_2.28' not \
             found (required by node)\" >&2; exit 1\n",
        )
        .unwrap_err();
        assert_eq!(
            glibc.message(),
            "node 20.11.1 does not start on this machine: GLIBC_2.28 is missing"
        );
        assert_eq!(glibc.details, ["it needs glibc 2.28 or later"]);
        let interpreter = node("#!/lib64/no-such-loader\n").unwrap_err();
        assert!(
            interpreter.message().ends_with("there is no glibc here"),
            "{interpreter}"
        );
        let other = node("#!/bin/sh\necho no idea >&2; exit 1\n").unwrap_err();
        assert_eq!(other.details, ["no idea"]);
    }
}
