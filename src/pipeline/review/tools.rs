//! Programs that the build and test steps start and this machine does not have.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{Look, Remark};
use crate::project::Step;

/// What a shell knows itself (XCU 2.9, 2.14, and the utilities that every shell has built in), and
/// words that begin a command of several parts.
const SHELL: &[&str] = &[
    "!", ".", ":", "[", "alias", "bg", "break", "case", "cd", "command", "continue", "do", "done",
    "echo", "elif", "else", "esac", "eval", "exec", "exit", "export", "false", "fg", "fi", "for",
    "function", "if", "local", "printf", "pwd", "read", "readonly", "return", "set", "shift",
    "source", "test", "then", "time", "times", "trap", "true", "type", "ulimit", "umask", "unset",
    "until", "wait", "while", "{", "}", "(", ")",
];

/// A warning that names programs which the steps start by name, and which neither `PATH` nor a runtime
/// of the manifest has. An earlier step may install one: where it is named there, nothing is said.
pub(super) fn remark(look: &Look<'_>, path: Option<&std::ffi::OsStr>) -> Option<Remark> {
    let project = look.project;
    let steps = project.build.steps.iter().chain(&project.test.steps);
    let mut before = String::new();
    let mut missing = BTreeSet::new();
    for Step { run, .. } in steps {
        for program in started(run) {
            let is_there = || {
                let folders = path.map(std::env::split_paths).into_iter().flatten();
                folders
                    .map(|folder| folder.join(program))
                    .any(|file| is_program(&file))
            };
            if !before.contains(program) && !is_there() {
                missing.insert(program);
            }
        }
        before.push_str(run);
        before.push('\n');
    }
    // A pinned runtime brings programs of other names as well.
    if !project.runtimes.is_empty() {
        missing.retain(|program| !comes_with_a_runtime(program));
    }
    let names: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
    let (names, verb) = match names.as_slice() {
        [] => return None,
        [one] => (one.clone(), "is"),
        _ => (names.join(", "), "are"),
    };
    Some(Remark {
        text: format!("{names} {verb} not on this machine, and a build or test step starts it"),
        hint: Some(
            "install it here and in CI, or name it in [runtimes] if ship brings it".to_owned(),
        ),
    })
}

fn is_program(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Whether a runtime or package manager that ship brings has this program.
fn comes_with_a_runtime(program: &str) -> bool {
    const PROGRAMS: &[&str] = &[
        "node", "npm", "npx", "corepack", "pnpm", "pnpx", "yarn", "bun", "bunx", "deno", "python",
        "python3", "pip", "pip3", "uv", "uvx", "poetry", "pdm", "pipenv", "ruby", "gem", "bundle",
        "bundler", "rake", "php", "composer", "go", "gofmt", "java", "javac", "jar",
    ];
    PROGRAMS.contains(&program)
}

/// The programs that a line for `/bin/sh` starts by a plain name. What only a shell can tell is left
/// out.
fn started(line: &str) -> impl Iterator<Item = &str> {
    // A here-document or a quoted text over several lines is no list of commands.
    let is_plain = !line.contains("<<") && !line.contains(['\'', '"', '`', '$', '#', '(', '\\']);
    let commands = line.split(['\n', ';', '&', '|']).filter(move |_| is_plain);
    commands
        .filter_map(|command| {
            let is_assignment = |word: &&str| word.contains('=');
            command.split_whitespace().find(|word| !is_assignment(word))
        })
        .filter(|word| {
            !SHELL.contains(word)
                && word.starts_with(|c: char| c.is_ascii_alphabetic())
                && word
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "._-+".contains(c))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_the_first_words_of_commands() {
        let all = |line| started(line).collect::<Vec<_>>();
        assert_eq!(all("hugo --minify"), ["hugo"]);
        assert_eq!(all("cd web && A=1 npm ci | tee log; ./run"), ["npm", "tee"]);
        assert_eq!(all("if true; then make; fi"), Vec::<&str>::new());
        assert_eq!(all("sh -c 'a; b'"), Vec::<&str>::new());
        assert_eq!(all("cat <<E\nhello there\nE"), Vec::<&str>::new());
    }
}
