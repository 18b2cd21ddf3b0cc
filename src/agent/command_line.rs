//! A service's command line as the last line of its launcher: whatever `/bin/sh` takes works, and
//! the app itself becomes the main process where that can be had.

use super::launcher::quote;

/// Words that the shell itself carries out and for which there is no program, or none that does the
/// same (POSIX, "Reserved Words", "Special Built-In Utilities", "Regular Built-In Utilities"; the
/// same of bash(1)).
const OF_THE_SHELL: &[&str] = &[
    "!", "{", "}", "[", "[[", ".", ":", "alias", "bg", "break", "builtin", "case", "cd", "command",
    "continue", "coproc", "declare", "do", "done", "elif", "else", "esac", "eval", "exit",
    "export", "fc", "fg", "fi", "for", "function", "getopts", "hash", "if", "in", "jobs", "let",
    "local", "popd", "pushd", "read", "readonly", "return", "select", "set", "shift", "shopt",
    "source", "test", "then", "time", "times", "trap", "type", "typeset", "ulimit", "umask",
    "unalias", "unset", "until", "wait", "while",
];

/// The last line of a launcher that runs `command`, a line for `/bin/sh`.
///
/// A simple command gets `exec` before its first word that is not an assignment, so that the app has
/// the process id of the launcher. Anything else is run by a shell of its own, which is the main
/// process then unless the line ends in an `exec` itself.
#[must_use]
pub fn last_line(command: &str) -> String {
    let command = command.trim();
    match simple(command) {
        Some(at) if word_at(command, at) == "exec" => command.to_owned(),
        Some(at) => format!("{}exec {}", &command[..at], &command[at..]),
        None => format!("exec /bin/sh -c {}", quote(command)),
    }
}

/// Where the first word of a simple command begins that is not an assignment; `None` when `command`
/// is anything more than a simple command whose name is plain to see.
fn simple(command: &str) -> Option<usize> {
    let mut name = None;
    let mut at = 0;
    while at < command.len() {
        let rest = &command[at..];
        let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        if blank > 0 {
            at += blank;
            continue;
        }
        if name.is_some() && rest.starts_with('#') {
            // A comment, to the end of the only line.
            return name.filter(|_| !rest.contains('\n'));
        }
        let end = at + word_length(rest)?;
        if name.is_none() && !is_assignment(&command[at..end]) {
            name = Some(at).filter(|_| is_program(&command[at..end]));
            name?;
        }
        at = end;
    }
    name
}

/// The length of the word, or of the redirection, that `text` begins with; `None` at what ends or
/// joins commands, and at a quote that is not closed.
fn word_length(text: &str) -> Option<usize> {
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            ' ' | '\t' => return Some(at),
            ';' | '&' | '|' | '(' | ')' | '`' | '\n' => return None,
            '\\' => drop(chars.next()?),
            '\'' => drop(chars.find(|(_, c)| *c == '\'')?),
            '"' => loop {
                match chars.next()?.1 {
                    '"' => break,
                    '\\' => drop(chars.next()?),
                    _ => {}
                }
            },
            // A here-document needs the lines that follow.
            '<' if text[at..].starts_with("<<") => return None,
            '<' | '>' if text[at + 1..].starts_with('&') => drop(chars.next()),
            _ => {}
        }
    }
    Some(text.len())
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=')
        .is_some_and(|(name, _)| super::service::env_file::is_name(name))
}

/// Whether `word` names a program by itself: nothing in it is expanded, quoted or redirected.
fn is_program(word: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+:@%,".contains(&b);
    word.bytes().all(is_plain) && !OF_THE_SHELL.contains(&word)
}

fn word_at(command: &str, at: usize) -> &str {
    let rest = &command[at..];
    rest.split([' ', '\t']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Output};

    use proptest::prelude::*;

    use super::*;

    fn sh(script: &str) -> Output {
        Command::new("/bin/sh")
            .args(["-c", script])
            .current_dir("/")
            .env("TWO", "a b")
            .output()
            .unwrap()
    }

    #[track_caller]
    fn does_the_same(command: &str) {
        let [wanted, found] = [command, &last_line(command)].map(sh);
        assert_eq!(found.status.code(), wanted.status.code(), "{command:?}");
        // sh names its builtin in front of a program that it cannot find.
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(": exec: ", ": ");
        assert_eq!(text(&found.stdout), text(&wanted.stdout), "{command:?}");
        assert_eq!(
            found.stderr.is_empty(),
            wanted.stderr.is_empty(),
            "{command:?}"
        );
    }

    /// `FOO=1 exec node app.js` ended with 127, and `A=$TWO node` ran `b`.
    #[test]
    fn every_line_that_sh_takes_does_what_it_does_under_sh() {
        for command in [
            "printenv TWO",
            "A=1 exec printenv A",
            "A=1 B='2 3' exec printenv B",
            "A=1 B=2 printenv A B",
            "A=$TWO printenv A",
            "A=\"x y\" printenv A",
            "A=~/x printenv A",
            "A=1",
            "exec printenv TWO",
            "exec",
            "exec no-such-program",
            "no-such-program",
            "/no/such/program x",
            "\"exec\" printenv TWO",
            "\\printenv TWO",
            "'printenv' TWO",
            "$SHELL_OF_NOBODY printenv TWO",
            "command printenv TWO",
            "type exec >/dev/null && printenv TWO",
            "cd /tmp && pwd",
            "cd /tmp; exec pwd",
            "f() { printenv \"$1\"; }; f TWO",
            "{ printenv TWO; }",
            "( printenv TWO )",
            "! printenv TWO",
            "! false",
            "if true; then exec printenv TWO; fi",
            "for i in 1 2; do echo $i; done",
            "printenv TWO | tr a b",
            "printenv TWO 2>&1",
            "printenv TWO >/dev/null",
            ">/dev/null printenv TWO",
            "printenv TWO # and a comment; with & syntax",
            "# only a comment",
            "printenv TWO #'",
            "echo a#b",
            "echo '#' \"#\" \\#",
            "echo 'a;b' \"c|d\" e\\&f",
            "echo \"$(printenv TWO)\"",
            "echo $(printenv TWO)",
            "echo `printenv TWO`",
            "echo \"it's\" 'say \"hi\"'",
            "echo $TWO \"$TWO\" ${TWO} ${NONE:-x}",
            "echo {a,b} /bi[n]",
            "echo one\necho two",
            "echo one \\\n two",
            "cat <<X\n$TWO\nX",
            "read x </dev/null; echo $?",
            "exit 3",
            "set -e; false; echo never",
            "trap 'echo bye' EXIT; true",
            "umask 077 && umask",
            "wait",
            ":",
            ". /dev/null",
            "test -d /",
            "[ -d / ]",
            "true & wait",
            "echo 'open",
            "if true",
            "echo )",
            "echo $0 >/dev/null; echo $#",
        ] {
            does_the_same(command);
        }
    }

    #[test]
    fn the_app_of_a_simple_command_is_the_main_process() {
        for command in [
            "sh -c 'echo $$'",
            "A=1 sh -c 'echo $$'",
            "A=1 exec sh -c 'echo $$'",
            "exec sh -c 'echo $$'",
            "sh -c 'echo $$' 2>&1",
            "sh -c 'echo $$' # a comment",
            "cd /; exec sh -c 'echo $$'",
        ] {
            let script = format!("echo $$\n{}\n", last_line(command));
            let said = String::from_utf8(sh(&script).stdout).unwrap();
            let pids: Vec<&str> = said.lines().collect();
            assert!(pids.len() == 2 && pids[0] == pids[1], "{command:?}: {said}");
        }
        assert_eq!(last_line("node dist/server.js"), "exec node dist/server.js");
        assert_eq!(last_line(" A=1  node x"), "A=1  exec node x");
        assert_eq!(last_line("a && b"), "exec /bin/sh -c 'a && b'");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn any_mixture_of_words_and_syntax_does_the_same(
            words in proptest::collection::vec(
                proptest::sample::select(vec![
                    "echo", "A=1", "B='2 3'", "C=$TWO", "exec", "printenv", "TWO", "$TWO", "\"$TWO\"",
                    "'x;y'", "#c", "a#b", "2>&1", ">/dev/null", "&&", "||", ";", "|", "!", "{", "}",
                    "cd", "/", "true", "false", "\\", "'", "\"", "(", ")", ":", "command", "=x",
                ]),
                1..6,
            )
        ) {
            does_the_same(&words.join(" "));
        }
    }
}
