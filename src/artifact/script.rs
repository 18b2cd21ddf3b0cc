//! Which programs a command starts, and what a script needs to run (execve(2), "Interpreter
//! scripts").

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::model::service::Run;

/// How much of a script the kernel reads to find its interpreter, bytes (`BINPRM_BUF_SIZE`).
const HEAD: u64 = 256;

/// The first line of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shebang {
    /// The program that runs it, as written: `/usr/bin/env`.
    pub interpreter: String,
    /// Whether the line ends as on Windows: the kernel then looks for a program with a carriage
    /// return in its name.
    pub has_carriage_return: bool,
}

impl Shebang {
    /// Reads the first line of the file at `path`, after its links; `None` when it is not a
    /// regular file that begins with `#!`, or cannot be read.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let file = File::options()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(path)
            .ok()?;
        if !file.metadata().ok()?.is_file() {
            return None;
        }
        let mut head = Vec::new();
        file.take(HEAD).read_to_end(&mut head).ok()?;
        Self::parse(&head)
    }

    fn parse(head: &[u8]) -> Option<Self> {
        let line = head.strip_prefix(b"#!")?.split(|&b| b == b'\n').next()?;
        let text = String::from_utf8_lossy(line);
        let interpreter = text.split_whitespace().next()?.to_owned();
        Some(Self {
            interpreter,
            has_carriage_return: line.ends_with(b"\r"),
        })
    }
}

/// The programs that `run` starts by a relative path: `bin/start` of `FOO=1 exec ./bin/start --fast`.
/// A name without a `/` is looked up in `PATH`, and is not among them.
#[must_use]
pub fn programs(run: &Run) -> Vec<&str> {
    match run {
        Run::Shell(line) => programs_of_line(line),
        Run::Argv(words) => words
            .first()
            .and_then(|word| local(word))
            .into_iter()
            .collect(),
        Run::Static(_) => Vec::new(),
    }
}

/// The same for a line for `/bin/sh`. What only a shell can tell (quotes, variables, substitutions)
/// is left out.
#[must_use]
pub fn programs_of_line(line: &str) -> Vec<&str> {
    let commands = line.split(['\n', ';', '&', '|']);
    commands
        .filter_map(|command| {
            let is_before = |word: &&str| *word == "exec" || is_assignment(word);
            local(command.split_whitespace().find(|word| !is_before(word))?)
        })
        .collect()
}

/// The programs that `run` has looked up in `PATH`: `node` of `NODE_ENV=production node server.js`.
#[must_use]
pub fn found_on_path(run: &Run) -> Vec<&str> {
    match run {
        Run::Shell(line) => found_on_path_of_line(line),
        Run::Argv(words) => words
            .first()
            .and_then(|word| plain(word))
            .into_iter()
            .collect(),
        Run::Static(_) => Vec::new(),
    }
}

/// The same for a line for `/bin/sh`, without what the shell does itself.
#[must_use]
pub fn found_on_path_of_line(line: &str) -> Vec<&str> {
    let commands = line.split(['\n', ';', '&', '|', '(', ')', '{', '}']);
    commands
        .filter_map(|command| {
            let is_before = |word: &&str| BEFORE.contains(word) || is_assignment(word);
            let word = command.split_whitespace().find(|word| !is_before(word))?;
            plain(word).filter(|word| !OF_SHELL.contains(word))
        })
        .collect()
}

/// Words that a command may stand behind.
const BEFORE: &[&str] = &[
    "!", "do", "else", "elif", "env", "exec", "if", "nohup", "then", "time", "until", "while",
];

/// Words that dash(1) does not look up.
const OF_SHELL: &[&str] = &[
    ".", ":", "[", "alias", "bg", "break", "case", "cd", "command", "continue", "done", "echo",
    "esac", "eval", "exit", "export", "false", "fg", "fi", "for", "getopts", "hash", "jobs",
    "kill", "local", "printf", "pwd", "read", "readonly", "return", "set", "shift", "test",
    "times", "trap", "true", "type", "ulimit", "umask", "unalias", "unset", "wait",
];

fn plain(word: &str) -> Option<&str> {
    let known = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
    (!word.is_empty() && !word.starts_with('-') && word.chars().all(known)).then_some(word)
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

fn local(word: &str) -> Option<&str> {
    let plain = |c: char| c.is_alphanumeric() || "/._-+@".contains(c);
    let path = word.strip_prefix("./").unwrap_or(word);
    let is_local = word.contains('/') && !word.starts_with('/') && !path.is_empty();
    (is_local && word.chars().all(plain) && !path.split('/').any(|part| part == ".."))
        .then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_those_with_a_path_of_their_own() {
        for (line, found) in [
            ("node app.js", &[][..]),
            ("./run.sh", &["run.sh"]),
            (
                "FOO=1 exec .venv/bin/gunicorn app:app --port $PORT",
                &[".venv/bin/gunicorn"],
            ),
            (
                "bin/migrate && exec bin/serve",
                &["bin/migrate", "bin/serve"],
            ),
            ("/usr/bin/env node x", &[]),
            ("\"$HOME\"/x/y; ../up/x; $X/y", &[]),
            ("", &[]),
        ] {
            assert_eq!(programs_of_line(line), found, "{line}");
        }
        let argv = |words: &[&str]| Run::Argv(words.iter().map(|w| (*w).to_owned()).collect());
        assert_eq!(programs(&argv(&["bin/x", "bin/y"])), ["bin/x"]);
        assert!(programs(&argv(&["node", "bin/y"])).is_empty());
        assert!(programs(&Run::Static("a/b".to_owned())).is_empty());
    }

    #[test]
    fn programs_on_path_are_those_without_a_path() {
        for (line, found) in [
            ("node app.js", &["node"][..]),
            ("./run.sh", &[]),
            ("NODE_ENV=production exec pnpm start", &["pnpm"]),
            (
                "cd web && if test -f x; then bundle exec rake; fi; echo done | tee log",
                &["bundle", "tee"],
            ),
            ("\"$HOME\"/x; $RUNNER y; (cd a; php -v)", &["php"]),
            ("mkdir -p storage/logs", &["mkdir"]),
            ("", &[]),
        ] {
            assert_eq!(found_on_path_of_line(line), found, "{line}");
        }
        assert_eq!(
            found_on_path(&Run::Argv(vec!["node".to_owned(), "x".to_owned()])),
            ["node"]
        );
        assert!(found_on_path(&Run::Static("public".to_owned())).is_empty());
    }

    #[test]
    fn the_first_line_names_the_interpreter() {
        let parse = |head: &str| {
            Shebang::parse(head.as_bytes())
                .map(|found| (found.interpreter, found.has_carriage_return))
        };
        let some = |name: &str, carriage_return| Some((name.to_owned(), carriage_return));
        assert_eq!(parse("#!/bin/sh\necho"), some("/bin/sh", false));
        assert_eq!(
            parse("#! /usr/bin/env -S node x"),
            some("/usr/bin/env", false)
        );
        assert_eq!(parse("#!/bin/bash\r\necho"), some("/bin/bash", true));
        assert_eq!(parse("\u{7f}ELF"), None);
        assert_eq!(parse("#!\n"), None);
    }
}
