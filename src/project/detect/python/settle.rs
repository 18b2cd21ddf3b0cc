//! What can be said once the whole manifest is known.

use super::super::files::ignored;
use super::super::folder::{Folder, Source};
use super::super::guess::Guess;
use super::super::reason::About;
use super::dependencies;

/// Calls that start a server with a debugger in it, when they say `debug=True`.
const STARTS: &[&str] = &[".run(", ".run_server("];

/// Says who can reach a debugger, and makes the folders of `databases` that the build needs.
pub(in crate::project::detect) fn settle(
    folder: &Folder,
    sources: &[&Source],
    databases: &[String],
    guess: &mut Guess,
) {
    database_folders(folder, databases, guess);
    for_old_versions(folder, guess);
    let commands: Vec<&str> = guess
        .services
        .iter()
        .filter_map(|service| service.command.as_deref())
        .collect();
    let starts = |source: &&&Source| {
        let command = format!("python3 {}", source.path);
        commands.iter().any(|given| {
            let rest = given.split(&command).nth(1);
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '.'))
        })
    };
    let debugs = sources
        .iter()
        .find(|source| starts(source) && has_debugger(source));
    if let Some(source) = debugs {
        let file = &source.path;
        guess.note(format!(
            "{file} starts the app with debug=True, so visitors can reach a debugger that runs \
             code on the host: write debug=False there"
        ));
    } else if commands
        .iter()
        .any(|given| given.contains("-m flask") && given.contains(" run"))
    {
        const ON: &[&str] = &["FLASK_DEBUG=1", "FLASK_DEBUG=True", "FLASK_DEBUG=true"];
        let text = folder.read(".flaskenv").unwrap_or_default();
        if text.lines().any(|line| ON.contains(&line.trim())) {
            guess.note(
                ".flaskenv sets FLASK_DEBUG=1, so visitors can reach a debugger that runs code on \
                 the host: remove the line",
            );
        }
    }
}

/// Says commands as the versions know them that the project pins.
fn for_old_versions(folder: &Folder, guess: &mut Guess) {
    let packages = dependencies::read(folder, folder.toml("pyproject.toml").as_ref()).packages;
    let services = guess.services.iter_mut();
    let services = services.filter_map(|service| service.command.as_mut());
    let hooks = guess.hooks.iter_mut().map(|hook| &mut hook.run);
    for command in services.chain(hooks) {
        if packages.is_before("gunicorn", (20, 0)) {
            *command = command.replace("-m gunicorn ", "-m gunicorn.app.wsgiapp ");
        }
        if packages.is_before("flask", (2, 2)) {
            *command = with_flask_app(command);
        }
    }
}

/// A command of Flask that names its app in the environment instead of by `--app`.
fn with_flask_app(command: &str) -> String {
    let start = "python3 -m flask --app ";
    let Some((before, rest)) = command.split_once(start) else {
        return command.to_owned();
    };
    let end = match rest.strip_prefix('\'') {
        Some(quoted) => quoted.find('\'').map(|at| at + 2),
        None => rest.find(' '),
    };
    let (app, rest) = rest.split_at(end.unwrap_or(rest.len()));
    format!("{before}FLASK_APP={app} python3 -m flask{rest}")
}

/// Whether a source starts its server with a debugger.
fn has_debugger(source: &Source) -> bool {
    let code: String = source.lines().flat_map(|line| [line, "\n"]).collect();
    STARTS.iter().any(|start| {
        code.match_indices(start).any(|(at, _)| {
            let call: String = code[at..].chars().take(400).collect();
            let end = call.find("\n\n").unwrap_or(call.len());
            let call = call[..end].replace(' ', "");
            let end = call.find(')').unwrap_or(call.len());
            call[..end].contains("debug=True")
        })
    })
}

/// Steps that load Django's settings may open its database, and a fresh clone lacks a folder that
/// git ignores.
fn database_folders(folder: &Folder, databases: &[String], guess: &mut Guess) {
    let has_django = |step: &String| step.contains("manage.py");
    let is_django = guess.hooks.iter().any(|hook| has_django(&hook.run));
    let tests = is_django && !guess.test.run.is_empty();
    if !tests && !guess.build.run.iter().any(has_django) {
        return;
    }
    let mut dirs: Vec<&str> = Vec::new();
    for file in databases {
        let Some((dir, _)) = file.rsplit_once('/') else {
            continue;
        };
        let ignored = ignored(folder);
        let lacks = folder.names_in(dir).is_empty()
            || ignored.contains(dir)
            || ignored.contains(dir.split('/').next().unwrap_or(dir));
        if lacks && !dirs.contains(&dir) {
            dirs.push(dir);
        }
    }
    if !dirs.is_empty() {
        let says = "git does not have it, and the database lies in it";
        guess.because_quietly(About::Build, format!("{}/", dirs[0]), says);
        guess
            .build
            .run
            .insert(0, format!("mkdir -p {}", dirs.join(" ")));
    }
}
