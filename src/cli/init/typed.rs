//! A command that a person typed: whether it can work in a release.

use std::path::Path;

use crate::pipeline::git;
use crate::project::detect::Detected;

/// Extensions of files that an interpreter runs.
const SCRIPTS: &[&str] = &[
    "py", "js", "mjs", "cjs", "ts", "rb", "php", "sh", "jar", "pl", "exs", "lua",
];

/// Servers for development: words of a command, and what serves instead.
const FOR_DEVELOPMENT: &[(&[&str], &str)] = &[
    (&["manage.py", "runserver"], "gunicorn"),
    (&["flask", "run"], "gunicorn"),
    (&["fastapi", "dev"], "fastapi run"),
    (&["--reload"], "the same command without --reload"),
    (&["php", "-S"], "php-fpm or FrankenPHP"),
    (&["next", "dev"], "next start"),
    (&["nuxt", "dev"], "node .output/server/index.mjs"),
    (&["astro", "dev"], "a static folder or the node adapter"),
    (&["vite"], "a build, served as a static folder"),
    (&["ng", "serve"], "a build, served as a static folder"),
    (&["webpack", "serve"], "a build, served as a static folder"),
    (&["nodemon"], "node"),
    (&["run", "dev"], "the script that starts it in production"),
];

/// What is wrong with `command` in the folder `dir`. With `is_built`, a file that is not there yet
/// may come from the build.
pub(super) fn check(dir: &Path, command: &str, is_built: bool) -> Result<(), String> {
    let command = command.trim();
    if command.is_empty() {
        return Err("is empty".to_owned());
    }
    if command.chars().any(char::is_control) {
        return Err("is more than a line".to_owned());
    }
    if is_built {
        return Ok(());
    }
    let program = program(command);
    let is_own = |word: &&str| {
        let is_script = word
            .rsplit_once('.')
            .is_some_and(|(_, end)| SCRIPTS.contains(&end));
        !word.starts_with(['/', '-', '~']) && (is_script || *word == program && word.contains('/'))
    };
    let missing = command
        .split_whitespace()
        .filter(is_own)
        .filter(|word| !word.contains(['$', '*', ':', '=', '"', '\'']))
        .find(|word| !dir.join(word).exists());
    match missing {
        Some(word) => Err(format!("names {word}, which is not here")),
        None => Ok(()),
    }
}

/// Makes the release hold the files that `command` names, and notes what a person should know.
pub(super) fn settle(dir: &Path, command: &str, detected: &mut Detected) {
    let words: Vec<&str> = command.split_whitespace().collect();
    let files: Vec<&str> = words
        .iter()
        .map(|word| word.trim_start_matches("./"))
        .filter(|word| !word.starts_with(['/', '-']) && dir.join(word).is_file())
        .collect();
    for file in git::ignored(dir, &files).unwrap_or_default() {
        if !detected.include.contains(&file) {
            detected.include.push(file);
        }
    }
    let program = program(command);
    if !program.contains('/') && !is_installed(program) {
        detected.notes.push(format!(
            "`{program}` is not installed on this machine; the hosts need it"
        ));
    }
    let is_for_development = |(pattern, _): &&(&[&str], &str)| {
        let mut at = words.iter();
        pattern.iter().all(|part| at.any(|word| word == part))
    };
    if let Some((pattern, instead)) = FOR_DEVELOPMENT.iter().find(is_for_development) {
        detected.notes.push(format!(
            "`{}` is for development; what serves is {instead}",
            pattern.join(" ")
        ));
    }
}

/// What to know when a person says that `command` listens on `port`, which nothing shows.
pub(super) fn about_port(command: &str, port: u16) -> Option<String> {
    let shows = command.contains("$PORT")
        || command.contains("${PORT")
        || command.contains(&port.to_string());
    (!shows).then(|| {
        format!("nothing here reads $PORT, so `{command}` has to listen on {port} by itself")
    })
}

/// The program that a command starts.
fn program(command: &str) -> &str {
    let mut words = command.split_whitespace();
    let word = words.find(|word| !word.contains('=') && *word != "exec");
    word.unwrap_or_default()
}

/// Whether sh finds it: on the path, or as its own.
fn is_installed(program: &str) -> bool {
    const OWN: &[&str] = &[
        "cd", "test", "[", "export", "if", "while", "for", "(", "true",
    ];
    let path = std::env::var_os("PATH").unwrap_or_default();
    OWN.contains(&program) || std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{asked, folder};
    use super::*;

    #[test]
    fn files_of_a_command_must_be_there() {
        let dir = folder(&[("serve.py", ""), ("bin/run", "")]);
        let checked = |command| check(dir.path(), command, false);
        for good in [
            "python3 serve.py --port $PORT",
            "A=1 exec ./bin/run",
            "gunicorn app:app",
            "/usr/bin/thing x",
            "python3 -m http.server",
        ] {
            assert_eq!(checked(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            (" ", "is empty"),
            ("a\nb", "is more than a line"),
            ("python3 server.py", "names server.py, which is not here"),
            ("./run", "names ./run, which is not here"),
        ] {
            assert_eq!(checked(bad), Err(why.to_owned()), "{bad}");
        }
        assert_eq!(check(dir.path(), "node dist/main.js", true), Ok(()));
    }

    /// The packages of the project are found, and the file that the command names is released.
    #[test]
    fn a_typed_command_runs_as_the_projects_own_would() {
        let dir = folder(&[("requirements.txt", "some-tool==1\n"), ("fixtures.db", "x")]);
        let report = asked(
            dir.path(),
            &[
                ("name", "shop"),
                (
                    "command",
                    "python3 -m some_tool serve fixtures.db --port $PORT",
                ),
                ("hosts", ""),
            ],
        )
        .unwrap();
        let table: toml::Table = report.manifest.parse().unwrap();
        let web = &table["services"]["web"];
        assert_eq!(web["port"].as_integer(), Some(8080));
        assert_eq!(web["env"]["PYTHONPATH"].as_str(), Some("vendor"));
        let excluded = table["release"]["exclude"].as_array().unwrap();
        let excluded = excluded.iter().filter_map(|text| text.as_str());
        assert!(
            excluded.clone().all(|text| !text.ends_with(".db")),
            "{excluded:?}"
        );
    }

    #[test]
    fn a_person_is_told_what_may_not_work() {
        let dir = folder(&[("x", "")]);
        let report = asked(
            dir.path(),
            &[
                ("name", "shop"),
                ("command", "no-such-program run dev"),
                ("port", "4000"),
                ("hosts", ""),
            ],
        )
        .unwrap();
        assert_eq!(
            report.notes,
            [
                "`no-such-program` is not installed on this machine; the hosts need it",
                "`run dev` is for development; what serves is the script that starts it in production",
                "nothing here reads $PORT, so `no-such-program run dev` has to listen on 4000 by itself",
            ]
        );
    }
}
