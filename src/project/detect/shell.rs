//! A script that starts the app, where nothing else says how.

use super::folder::Folder;
use super::guess::{Guess, Stack, Strength};
use super::reason::About;

/// The customary names, best first.
const SCRIPTS: &[&str] = &[
    "start.sh",
    "run.sh",
    "serve.sh",
    "server.sh",
    "entrypoint.sh",
    "bin/start",
    "bin/server",
    "script/start",
    "script/server",
];

/// Looks for a start script.
pub(super) fn detect(folder: &Folder) -> Option<Guess> {
    let script = folder.first(SCRIPTS)?;
    let mut guess = Guess::new(Stack::Shell, &["sh"]);
    guess.because(About::Service, script, "is there");
    guess.runs(Strength::Present, start(folder, script));
    Some(guess)
}

/// The line that runs a script: by the interpreter that its first line names, so that it need
/// not be executable.
fn start(folder: &Folder, script: &str) -> String {
    let text = folder.read(script).unwrap_or_default();
    let interpreter = text
        .strip_prefix("#!")
        .and_then(|rest| rest.lines().next())
        .and_then(|line| {
            let mut words = line.split_whitespace();
            let program = words.next()?.rsplit('/').next()?.to_owned();
            match program.as_str() {
                "env" => words.find(|word| !word.starts_with('-')).map(str::to_owned),
                _ => Some(program),
            }
        })
        .filter(|name| {
            name.chars()
                .all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
        })
        .unwrap_or_else(|| "sh".to_owned());
    format!("{interpreter} {script}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_runs_by_its_interpreter() {
        for (text, command) in [
            ("#!/bin/bash\necho", "bash start.sh"),
            ("#!/usr/bin/env -S zsh -e\necho", "zsh start.sh"),
            ("echo", "sh start.sh"),
            ("#!\n", "sh start.sh"),
            ("#!/bin/a;b\n", "sh start.sh"),
        ] {
            let temp = tempfile::tempdir().unwrap();
            std::fs::write(temp.path().join("start.sh"), text).unwrap();
            assert_eq!(start(&Folder::open(temp.path()), "start.sh"), command);
        }
    }
}
