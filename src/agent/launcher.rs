//! The launcher of a service: the one thing that a unit starts. It lives in the release, so that
//! command, runtimes and port change with the release and not with the unit.

use std::path::Path;

use super::runtimes::{DEFAULT_PATH, RuntimeEnvironment};
use crate::model::service::Run;
use crate::model::{ReleaseId, ServiceSpec};

/// The text of the launcher of `service` in the release at `release_dir`, which runs on `runtimes`.
///
/// It goes to the release's real folder (so that a process keeps its release when `current`
/// moves), puts the runtimes in front of whatever `PATH` the unit, the manifest or a secret gave
/// (they are named by their own folders, so that a rollback brings the old ones back), tells in `$RUNTIME_DIRECTORY/release` which process runs which release (the proof that
/// the agent reads), and becomes the command, keeping the process id.
#[must_use]
pub fn launcher(
    service: &ServiceSpec,
    id: ReleaseId,
    release_dir: &Path,
    runtimes: &RuntimeEnvironment,
) -> String {
    let dir = release_dir.display().to_string();
    let mut lines = vec![
        "#!/bin/sh".to_owned(),
        format!(
            "# Written by ship: service {} of release {id}.",
            service.name
        ),
        format!("cd -P {} || exit 1", quote(&dir)),
    ];
    // Without it the host's own would run, if it has one: not what was tested.
    lines.extend(runtimes.path.iter().map(|folder| {
        let folder = folder.display().to_string();
        let gone = quote(&format!("ship: {folder} is gone; a deploy brings it back"));
        format!("[ -d {} ] || {{ echo {gone} >&2; exit 1; }}", quote(&folder))
    }));
    let mut export = |key: &str, value: &str| lines.push(format!("export {key}={}", quote(value)));
    for (key, value) in &runtimes.variables {
        export(key, value);
    }
    if let Some(port) = service.port {
        export("PORT", &port.to_string());
    }
    for (key, value) in &service.env {
        export(key, value);
    }
    export("SHIP_RELEASE", &id.to_string());
    if !runtimes.path.is_empty() {
        let folders = quote(&runtimes.path_text());
        lines.push(format!("export PATH={folders}:\"${{PATH:-{DEFAULT_PATH}}}\""));
    }
    lines.push(format!(
        "[ -z \"$RUNTIME_DIRECTORY\" ] || echo \"$$ {id}\" > \"$RUNTIME_DIRECTORY/release\""
    ));
    lines.push(match &service.run {
        Run::Shell(command) => format!("exec {}", execable(command)),
        Run::Argv(argv) => {
            format!(
                "exec {}",
                argv.iter()
                    .map(|word| quote(word))
                    .collect::<Vec<_>>()
                    .join(" ")
            )
        }
        Run::Static(folder) => {
            format!(
                "exec {} agent site {}",
                quote(&format!("{dir}/.ship/ship")),
                quote(folder)
            )
        }
    });
    lines.push(String::new());
    lines.join("\n")
}

/// A command line that `exec` can stand before: a simple command as it is (with `env` before
/// leading assignments), anything with shell syntax through `sh -c`.
fn execable(command: &str) -> String {
    let command = command.trim();
    let first = command.split_whitespace().next().unwrap_or_default();
    if first == "exec" {
        return command["exec".len()..].trim_start().to_owned();
    }
    const SYNTAX: &[char] = &[
        ';', '&', '|', '\n', '(', ')', '{', '}', '`', '<', '>', '#', '!',
    ];
    const WORDS: &[&str] = &[
        "if", "for", "while", "until", "case", "cd", "export", "set", ".", "source", "ulimit",
        "umask", "test", "[", "exit", "trap", "eval",
    ];
    if command.contains(SYNTAX) || WORDS.contains(&first) {
        return format!("/bin/sh -c {}", quote(command));
    }
    match first.split_once('=') {
        Some((name, _)) if is_variable(name) => format!("env {command}"),
        _ => command.to_owned(),
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// `text` as one word of POSIX sh (XCU 2.2.2: everything but a single quote is literal inside
/// single quotes).
#[must_use]
pub fn quote(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-:=@%+,".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_simple_command_is_execed_and_shell_syntax_gets_a_shell() {
        assert_eq!(execable("node dist/server.js"), "node dist/server.js");
        assert_eq!(execable("exec node x"), "node x");
        assert_eq!(execable("NODE_ENV=x node y"), "env NODE_ENV=x node y");
        assert_eq!(execable("a && b"), "/bin/sh -c 'a && b'");
        assert_eq!(
            execable("cd web; node 'x'"),
            "/bin/sh -c 'cd web; node '\\''x'\\'''"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn sh_reads_a_quoted_word_as_it_was(text in "[^\u{0}]{0,40}") {
            let output = Command::new("/bin/sh")
                .args(["-c", &format!("printf %s {}", quote(&text))])
                .output()
                .unwrap();
            prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
        }
    }
}
