//! What is in a folder, for `ship init`: [`detect`] reads files and asks nobody; [`render`] writes
//! the manifest. One file per stack says what it saw and what follows from it.

mod app_config;
mod base_path;
mod beam;
mod by_hand;
mod choice;
mod commands;
mod constants;
mod container;
mod database;
mod deno;
mod dotnet;
mod explain;
mod files;
mod folder;
mod front_end;
mod generator;
mod go;
mod guess;
mod health;
mod home;
mod hooks;
mod image;
mod include;
mod java;
mod keep_files;
mod kept;
mod leftovers;
mod made;
mod managers;
mod name;
mod native;
mod needed;
mod neighbours;
mod node;
mod node_data;
mod node_frameworks;
mod node_imports;
mod node_made;
mod node_reach;
mod node_scripts;
mod node_serve;
mod node_sites;
mod node_start;
mod node_static;
mod node_tests;
mod node_tool;
mod nx;
mod oneoff;
mod outside;
mod perl;
mod php;
mod place;
mod port;
mod procfile;
mod programs;
mod python;
mod reason;
mod render;
mod ruby;
mod runtime_files;
mod runtimes;
mod rust;
mod shell;
mod static_site;
mod stays;
mod text;
mod toml_text;
mod unapplied;
mod variables;
mod workspace;

#[cfg(test)]
mod tests;

use std::path::Path;

use super::submodules;
use crate::model::AppName;
use choice::best;
pub use choice::projects_below;
pub use explain::{Explained, explain};
use folder::Folder;
use guess::Guess;
pub use guess::{Detected, HealthGuess, HookGuess, RuntimeGuess, ServiceGuess, Stack, Steps};
use home::Home;
use kept::Kept;
pub use leftovers::leftovers;
pub use name::app_name;
pub use needed::Needed;
pub use reason::{About, Reason};
pub use render::{Answers, render};
pub use runtimes::{settle, unsettled};

/// What [`detect`] looks for, for a message when nothing was found.
pub const LOOKED_FOR: &[&str] = &[
    "Node: package.json, server.js · Bun: bun.lock · Deno: deno.json",
    "Python: pyproject.toml, requirements.txt, Pipfile, manage.py, app.py, main.py",
    "Rust: Cargo.toml · Go: go.mod · Java: pom.xml, build.gradle",
    "Ruby: Gemfile, config.ru · PHP: composer.json, index.php · Perl: cpanfile, app.psgi",
    ".NET: *.csproj · Elixir: mix.exs",
    "Gleam, Clojure, Scala, C++, Crystal, Dart, Haskell, Swift, Zig, Nim, D, OCaml: their build files",
    "static files: index.html here or in public/, dist/, site/, build/, www/; hugo.toml, mkdocs.yml",
    "any other: a Procfile with a line `web: command`, or start.sh",
];

/// Looks at the project in `dir`. Reads at most 256 KiB of each file, follows no links to folders
/// and skips dependencies; what cannot be read counts as absent. Never fails: a folder without
/// anything that is known has no `stack`.
#[must_use]
pub fn detect(dir: &Path) -> Detected {
    detect_with(dir, None)
}

/// The same for a project that runs `command`, because somebody says so.
#[must_use]
pub fn detect_running(dir: &Path, command: &str) -> Detected {
    detect_with(dir, Some(command))
}

fn detect_with(dir: &Path, command: Option<&str>) -> Detected {
    let dir = &std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let mut notes = Vec::new();
    let folder = match Home::find(dir, &mut notes) {
        Some(home) => Folder::of_member(home),
        None => rust::member(dir).unwrap_or_else(|| Folder::open(dir)),
    };
    let mut guess = best(&folder);
    let asked = guess
        .as_ref()
        .and_then(|guess| guess.name.as_deref())
        .and_then(name::of_manifest);
    let is_known = guess.is_some();
    let processes = match command {
        Some(_) => None,
        // That of the root is about the whole workspace.
        None => procfile::read(&folder).filter(|_| folder.focus().is_none()),
    };
    if let Some(command) = command {
        let guess = guess.get_or_insert_with(|| Guess::new(Stack::Procfile, &[]));
        procfile::apply_typed(&folder, guess, command);
    }
    if let Some(processes) = &processes {
        let guess = guess.get_or_insert_with(|| {
            let mut guess = Guess::new(Stack::Procfile, &[]);
            guess.because_quietly(About::App, "Procfile", "is there");
            guess
        });
        procfile::apply(&folder, guess, processes);
    }
    if let Some(guess) = &mut guess {
        guess.notes.append(&mut notes);
        home::narrow(&folder, guess);
        guess.notes.extend(node_made::note(&folder, guess));
    }
    let from_folder = asked.is_none();
    let name = asked
        .or_else(|| folder_name(dir))
        .or_else(|| app_name("app"));
    let needs = guess.as_ref().map(|guess| guess.needs.clone());
    let guess = guess.map(|guess| finish(&folder, guess));
    let mut detected = guess.unwrap_or_else(|| blank(fallback_name()));
    if command.is_some() {
        detected.stack = detected.stack.filter(|_| is_known);
    }
    if let Some(name) = name {
        if from_folder {
            let is_named =
                |it: &Reason| it.about == About::App && it.says.starts_with("has the name");
            detected.reasons.retain(|reason| !is_named(reason));
            let says = format!("has the name {name}");
            let reason = Reason::new(About::App, "the folder", says).quiet();
            detected.reasons.push(reason);
        }
        detected.name = name;
    }
    if let Some(member) = folder.focus() {
        detected.source = Some(vec![".."; member.split('/').count()].join("/"));
        let says = format!("makes {member} a member of its workspace");
        let reason = Reason::new(About::Build, "Cargo.toml", says);
        detected.reasons.push(reason);
    }
    if detected.services.is_empty() {
        detected.notes.extend(container::hints(&folder));
    }
    let missing = submodules::missing(folder.dir());
    if let Some(says) = submodules::sentence(&missing) {
        detected
            .notes
            .push(format!("{says}: {}", submodules::FETCH));
    }
    detected.runtimes = runtimes::find(&folder, &needs.unwrap_or_default());
    let reasons = detected.runtimes.iter().filter_map(runtimes::reason);
    detected.reasons.extend(reasons);
    detected
}

fn fallback_name() -> AppName {
    app_name("app").unwrap_or_else(|| unreachable!("`app` is a valid name"))
}

/// The folder's own name, also of `.`.
fn folder_name(dir: &Path) -> Option<AppName> {
    let dir = dir.canonicalize().ok()?;
    app_name(&dir.file_name()?.to_string_lossy())
}

/// What all stacks have in common: ports, health, files, environment.
fn finish(folder: &Folder, mut guess: Guess) -> Detected {
    container::complete(folder, &mut guess);
    guess.aside.extend(node_reach::aside(folder, &guess));
    guess.notes.extend(node_reach::template(folder, &guess));
    variables::apply(folder, &mut guess);
    by_hand::apply(folder, &mut guess);
    unapplied::apply(folder, &mut guess);
    let sources = folder.sources(guess.types);
    let framework = guess.framework.clone();
    let many = guess.services.len() > 1;
    for service in &mut guess.services {
        if service.command.is_some() {
            for (name, value) in &guess.service_env {
                service
                    .env
                    .entry(name.clone())
                    .or_insert_with(|| value.clone());
            }
        }
        if service.static_dir.is_some() {
            service.port = Some(8080);
            service.health = Some(HealthGuess::path("/"));
            let says = "serves static files on any port, and answers /";
            for about in [About::Port, About::Health] {
                let reason = Reason::new(about, "ship", says).of(&service.name).quiet();
                guess.reasons.push(reason);
            }
            continue;
        }
        if many && service.name != "web" {
            continue;
        }
        let command = service.command.clone().unwrap_or_default();
        // A server in front of PHP listens, and no file of the project says where.
        let listening = match guess.stack {
            Stack::Php => &[],
            _ => sources.as_slice(),
        };
        match port::find(folder, &command, listening, framework.as_ref()) {
            Some(found) => {
                let says = format!("{} ({})", found.number, found.from);
                guess
                    .reasons
                    .push(Reason::new(About::Port, "port", says).of(&service.name));
                service.port = Some(found.number);
                // A server that takes $PORT, or whose command has the address, is told where.
                let is_told = ["$PORT", "0.0.0.0"].iter().any(|it| command.contains(it));
                if !is_told && let Some(source) = port::only_local(&sources) {
                    guess.notes.push(format!(
                        "{source} listens on localhost only: visitors reach the app through a proxy on its host, or make it 0.0.0.0"
                    ));
                }
                service.takes_port = found.is_usual || port::is_read(&command, &sources);
            }
            // A bot, a consumer of a queue: nothing listens.
            None if service.name == "web" && !many => {
                for reason in &mut guess.reasons {
                    if reason.part.as_deref() == Some("web") {
                        reason.part = Some("worker".to_owned());
                    }
                }
                service.name = "worker".to_owned();
                guess.notes.push(
                    "no port was found: the service counts as good once it stays up".to_owned(),
                );
            }
            None => {}
        }
        if service.port.is_none() || service.health.is_some() {
            continue;
        }
        if guess.health.is_some() {
            service.health.clone_from(&guess.health);
            continue;
        }
        let route = health::find(folder, &sources);
        if let (Some(_), Some(why)) = (&route, &guess.no_health) {
            guess.notes.push(why.clone());
        }
        let (path, reason) = match route.filter(|_| guess.no_health.is_none()) {
            Some((path, from)) => {
                let says = format!("answers {path}");
                (path, Reason::new(About::Health, from, says))
            }
            None if health::is_http(&sources) && !guess.is_prepared_by_hand => {
                let says =
                    "no route for health was found; a page must not answer with a server error";
                ("/", Reason::new(About::Health, "sources", says).quiet())
            }
            None => continue,
        };
        service.health = Some(HealthGuess {
            path: path.to_owned(),
            is_page: path == "/",
            refuses_with_400: framework.as_ref().is_some_and(|(name, _)| name == "Django")
                && !guess.knows_no_host,
            headers: guess.health_headers.clone(),
        });
        guess.reasons.push(reason.of(&service.name));
    }
    if guess.services.iter().any(|it| it.static_dir.is_some()) {
        guess.notes.extend(base_path::note(folder));
    }
    let mut shared = guess.shared.clone();
    if guess.stack != Stack::Static {
        let kept = Kept::find(folder, &sources, &guess);
        if guess.stack == Stack::Python {
            python::settle(folder, &sources, &kept.databases, &mut guess);
        }
        guess.notes.extend(kept.notes());
        for (name, value) in &kept.env {
            guess
                .env
                .entry(name.clone())
                .or_insert_with(|| value.clone());
        }
        if let (Some(_), Some(file)) = (&guess.copy, kept.databases.first()) {
            guess.notes.push(format!(
                "{file} lies among the pages, so visitors can load all of it: move it out of the folder that they see"
            ));
        }
        guess.notes.extend(neighbours::note(folder, &sources));
        for (path, reason) in kept.shared {
            if !shared.contains(&path) {
                guess.reasons.push(reason);
                shared.push(path);
            }
        }
    }
    if let Some(copy) = &guess.copy {
        for path in &mut shared {
            *path = format!("{copy}/{path}");
        }
    }
    // What lies in a folder that is shared is shared already.
    let all = shared.clone();
    shared.retain(|path| {
        let holds = |other: &String| {
            path.strip_prefix(other.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
        };
        !all.iter().any(holds)
    });
    guess.build.once();
    let include = include::list(folder, &mut guess, &shared);
    let hooks = hooks::of(&guess);
    // The hooks make its tables there: what is in it here is of this machine.
    if !hooks.is_empty() {
        let is_made = |path: &&String| {
            database::seems(path) && database::is_migrated(&folder.dir().join(path))
        };
        let made: Vec<&String> = shared.iter().filter(is_made).collect();
        guess
            .exclude
            .extend(made.into_iter().map(|path| format!("/{path}")));
    }
    let mut secrets = if guess.stack == Stack::Static {
        vec![]
    } else {
        files::dotenv_names(folder)
    };
    secrets.retain(|name| !guess.secrets.contains(name) && !guess.env.contains_key(name));
    let port = guess.services.iter().find_map(|service| service.port);
    let mut detected = Detected {
        stack: Some(guess.stack),
        reasons: guess.reasons,
        notes: guess.notes,
        build: guess.build,
        test: guess.test,
        gitignore: include.iter().any(|path| path == "."),
        include,
        exclude: guess.exclude,
        shared,
        services: guess.services,
        hooks,
        env: guess.env,
        required: guess.secrets,
        settings: guess.settings,
        local_env: guess
            .origin
            .zip(port)
            .map(local_origin)
            .into_iter()
            .collect(),
        lacks_a_server: guess.lacks_a_server,
        legacy_builder: guess.legacy_builder,
        secrets,
        ..blank(fallback_name())
    };
    let is_lifted = |home: &&Home| home.is_lifted() || !guess.root_steps.is_empty();
    if let Some(home) = folder.home().filter(is_lifted) {
        home.lift(&mut detected, guess.root_steps, guess.root_hooks);
    }
    detected
}

/// The address of the app on this machine, in the variable that is to say it.
fn local_origin((variable, port): (&str, u16)) -> (String, String) {
    (variable.to_owned(), format!("http://localhost:{port}"))
}

/// Nothing seen yet.
fn blank(name: AppName) -> Detected {
    Detected {
        name,
        stack: None,
        reasons: vec![],
        notes: vec![],
        runtimes: Default::default(),
        source: None,
        build: Steps::default(),
        test: Steps::default(),
        include: vec![],
        exclude: vec![],
        gitignore: false,
        shared: vec![],
        services: vec![],
        hooks: vec![],
        env: Default::default(),
        required: vec![],
        settings: Default::default(),
        local_env: Default::default(),
        lacks_a_server: false,
        legacy_builder: None,
        secrets: vec![],
    }
}
