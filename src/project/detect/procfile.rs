//! `Procfile`: one process per line, `name: command`. It says what runs; the stack still says how
//! that is built and shipped.

use super::folder::Folder;
use super::guess::{Guess, HookGuess, Include, ServiceGuess, Stack, Strength};
use super::reason::{About, Reason};
use super::{app_name, commands, home, node, node_tool, oneoff, php, python, ruby};

/// Processes that run once, before a release goes live.
const ONCE: &[&str] = &["release", "predeploy", "postdeploy"];

/// Processes that a person starts.
const BY_HAND: &[&str] = &["console", "rake", "shell", "test", "dev"];

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Process {
    pub name: String,
    pub command: String,
}

/// Makes the service `web` of a command that somebody typed, as of a line of a Procfile; but nothing
/// says that it takes its port from us.
pub(super) fn apply_typed(folder: &Folder, guess: &mut Guess, command: &str) {
    let process = Process {
        name: "typed".to_owned(),
        command: command.to_owned(),
    };
    apply(folder, guess, &[process]);
    for service in &mut guess.services {
        service.name = "web".to_owned();
    }
    for reason in guess
        .reasons
        .iter_mut()
        .filter(|it| it.subject == "Procfile")
    {
        *reason = Reason::new(reason.about, "you", format!("typed {command}")).quiet();
    }
}

/// Reads the lines; `None` without a Procfile, or with nothing in it.
pub(super) fn read(folder: &Folder) -> Option<Vec<Process>> {
    let text = folder.read("Procfile")?;
    let lines: Vec<Process> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let (name, command) = line.split_once(':')?;
            let valid = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            let (name, command) = (name.trim(), command.trim());
            (!name.is_empty() && name.chars().all(valid) && !command.is_empty()).then(|| Process {
                name: name.to_owned(),
                command: command.to_owned(),
            })
        })
        .collect();
    (!lines.is_empty()).then_some(lines)
}

/// Makes services and hooks of the lines, instead of what the stack has guessed.
pub(super) fn apply(folder: &Folder, guess: &mut Guess, processes: &[Process]) {
    let guessed = guess.services.first().cloned().unwrap_or_default();
    let mut services = Vec::new();
    let mut hooks = Vec::new();
    for process in processes {
        if BY_HAND.contains(&process.name.as_str()) {
            continue;
        }
        let says = format!("has a {} line: {}", process.name, process.command);
        if ONCE.contains(&process.name.as_str()) {
            guess.because(About::Hook, "Procfile", says);
            hooks.push(adapt(folder, guess, &process.command));
            continue;
        }
        let line = oneoff::split(&process.command);
        for hook in line.hooks {
            let says = format!("runs it before {}: {hook}", process.name);
            guess.because(About::Hook, "Procfile", says);
            hooks.push(adapt(folder, guess, &hook));
        }
        for step in line.steps {
            let step = adapt(folder, guess, &step);
            if !built(guess, &step) {
                guess.because(About::Build, "Procfile", format!("needs it: {step}"));
                let step = match guess.stack {
                    Stack::Python => python::step(folder, step, guess),
                    _ => step,
                };
                guess.build.push(step);
            }
        }
        if process.name == "web" {
            // It listens on the port that it is given: that is what a process `web` is.
            let web = || ("a process `web`".to_owned(), 8080);
            guess.framework.get_or_insert_with(web);
        }
        let name = app_name(&process.name).map_or_else(|| process.name.clone(), String::from);
        guess
            .reasons
            .push(Reason::new(About::Service, "Procfile", says).of(&name));
        if let Some(service) = php::on_heroku(folder, guess, &line.command) {
            services.push(ServiceGuess { name, ..service });
            continue;
        }
        services.push(ServiceGuess {
            name,
            command: Some(adapt(folder, guess, &line.command)),
            env: guessed.env.clone(),
            health: guessed.health.clone().filter(|_| process.name == "web"),
            ..ServiceGuess::default()
        });
    }
    if !hooks.is_empty() {
        // They migrate the database, and in the project's own way.
        guess.hooks.retain(|hook| hook.each_host);
        guess.hooks.extend(hooks.into_iter().map(HookGuess::once));
    }
    if !services.is_empty() {
        if let Some(site) = &guessed.static_dir {
            // What was a site is a program now, which needs its sources and packages.
            let mut add = vec![site.clone()];
            add.extend((guess.stack == Stack::Node).then(|| "node_modules".to_owned()));
            guess.include = Include::Sources { add, drop: vec![] };
        }
        guess.services = services;
        guess.strength = Strength::Certain;
    }
}

/// Whether the build does the same already: the same task, however it is started.
fn built(guess: &Guess, step: &str) -> bool {
    let task = |step: &str| {
        [
            "collectstatic",
            "assets:precompile",
            "build",
            "install",
            "npm ci",
        ]
        .iter()
        .position(|task| step.contains(task))
    };
    let done = |run: &String| task(step).is_some() && task(run) == task(step);
    guess.build.run.iter().any(done)
}

/// A command, as it runs in a release.
fn adapt(folder: &Folder, guess: &mut Guess, command: &str) -> String {
    match guess.stack {
        Stack::Python => python::adapt(folder, command, guess),
        Stack::Ruby => commands::each(command, |command| ruby::adapt(folder, command)),
        Stack::Node => home::started(folder, command, guess)
            .or_else(|| {
                let package = node::Package::read(folder)?;
                let manager = node_tool::PackageManager::of(folder, &package);
                manager.production(&package, command, guess).command()
            })
            .unwrap_or_else(|| command.to_owned()),
        _ => command.to_owned(),
    }
}
