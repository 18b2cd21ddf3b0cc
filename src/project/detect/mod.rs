//! What is in a folder, for `ship init`: [`detect`] reads files and asks nobody; [`render`] writes
//! the manifest. One file per stack says what it saw and what follows from it.

mod files;
mod folder;
mod go;
mod guess;
mod health;
mod java;
mod name;
mod node;
mod node_static;
mod node_tool;
mod php;
mod port;
mod procfile;
mod python;
mod python_deps;
mod python_web;
mod render;
mod ruby;
mod runtimes;
mod rust;
mod static_site;
mod text;
mod toml_text;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::Path;

use crate::model::AppName;
use folder::Folder;
pub use guess::{Detected, HealthGuess, HookGuess, ServiceGuess, Stack, Steps};
use guess::{Guess, Include, Strength};
pub use name::app_name;
pub use render::{Answers, render};

/// What [`detect`] looks for, for a message when nothing was found.
pub const LOOKED_FOR: &[&str] = &[
    "Node: package.json, server.js",
    "Python: pyproject.toml, requirements.txt, Pipfile, manage.py, app.py, main.py",
    "Rust: Cargo.toml · Go: go.mod · Java: pom.xml, build.gradle",
    "Ruby: Gemfile, config.ru · PHP: composer.json, index.php",
    "static files: index.html here or in public/, dist/, site/, build/, www/",
    "any other: a Procfile with a line `web: command`",
];

/// Looks at the project in `dir`. Reads at most 256 KiB of each file, follows no links to folders
/// and skips dependencies; what cannot be read counts as absent. Never fails: a folder without
/// anything that is known has no `stack`.
#[must_use]
pub fn detect(dir: &Path) -> Detected {
    let folder = Folder::open(dir);
    let mut guess = best(&folder);
    let asked = guess
        .as_ref()
        .and_then(|guess| guess.name.as_deref())
        .and_then(app_name);
    let processes = procfile::read(&folder);
    if let Some(processes) = &processes {
        let guess = guess.get_or_insert_with(|| Guess::new(Stack::Procfile, &[]));
        apply_procfile(&folder, guess, processes);
    }
    let name = asked
        .or_else(|| folder_name(dir))
        .or_else(|| app_name("app"));
    let guess = guess.map(|guess| finish(&folder, guess));
    let mut detected = guess.unwrap_or_else(|| blank(fallback_name()));
    if let Some(name) = name {
        detected.name = name;
    }
    detected.runtimes = runtimes::find(&folder);
    detected
}

/// The folders right below `dir` that hold a project of their own, for a hint.
#[must_use]
pub fn projects_below(dir: &Path) -> Vec<String> {
    let folder = Folder::open(dir);
    folder
        .names()
        .filter(|name| !name.starts_with('.') && folder.is_dir(name))
        .filter(|name| !["node_modules", "vendor", "target"].contains(name))
        .take(50)
        .filter(|name| best(&Folder::open(&dir.join(name))).is_some_and(|g| !g.services.is_empty()))
        .map(str::to_owned)
        .collect()
}

fn fallback_name() -> AppName {
    app_name("app").unwrap_or_else(|| unreachable!("`app` is a valid name"))
}

/// The folder's own name, also of `.`.
fn folder_name(dir: &Path) -> Option<AppName> {
    let dir = dir.canonicalize().ok()?;
    app_name(&dir.file_name()?.to_string_lossy())
}

/// The stack that is surest of itself; the earlier one when two are.
fn best(folder: &Folder) -> Option<Guess> {
    let detectors = [
        rust::detect,
        go::detect,
        ruby::detect,
        php::detect,
        java::detect,
        node::detect,
        python::detect,
        static_site::detect,
    ];
    let mut best: Option<Guess> = None;
    for guess in detectors.iter().filter_map(|detect| detect(folder)) {
        if best
            .as_ref()
            .is_none_or(|best| guess.strength > best.strength)
        {
            best = Some(guess);
        }
    }
    let mut best = best?;
    // A folder of static files beside a package.json that starts nothing.
    if best.services.is_empty()
        && let Some(mut site) = static_site::detect(folder)
    {
        site.name = best.name.take();
        site.saw.splice(0..0, best.saw);
        site.build = best.build;
        site.test = best.test;
        best = site;
    }
    if !matches!(best.stack, Stack::Node | Stack::Static) {
        add_assets(folder, &mut best);
    }
    Some(best)
}

/// A `package.json` that only builds the assets of another stack.
fn add_assets(folder: &Folder, guess: &mut Guess) {
    let Some(package) = node::Package::read(folder).filter(|p| p.script("build").is_some()) else {
        return;
    };
    let manager = node_tool::PackageManager::of(folder, &package);
    let (mut assets, _) = node::steps(folder, &package, &manager, guess);
    assets.run.append(&mut guess.build.run);
    guess.build.run = assets.run;
    // Elsewhere they land in a folder of the app that is shipped anyway.
    let sources = folder.sources(guess.types);
    if let Some(site) = node_static::detect(folder, &package)
        && files::names_path(&sources, &site.dir)
    {
        guess.add(site.dir);
    }
}

/// The Procfile says what runs; the stack still says how it is built and shipped.
fn apply_procfile(folder: &Folder, guess: &mut Guess, processes: &[procfile::Process]) {
    let env = guess
        .services
        .first()
        .map(|service| service.env.clone())
        .unwrap_or_default();
    let mut services = Vec::new();
    for process in processes {
        let command = adapt(folder, guess, &process.command);
        if process.name == "release" {
            guess.saw(format!("Procfile has a release line: {}", process.command));
            guess.hooks.retain(|hook| hook.each_host);
            guess.hooks.push(HookGuess::once(command));
            continue;
        }
        guess.saw(format!(
            "Procfile has a {} line: {}",
            process.name, process.command
        ));
        services.push(ServiceGuess {
            name: app_name(&process.name).map_or_else(|| process.name.clone(), String::from),
            command: Some(command),
            env: env.clone(),
            health: guess
                .services
                .first()
                .and_then(|s| s.health.clone())
                .filter(|_| process.name == "web"),
            ..ServiceGuess::default()
        });
    }
    if !services.is_empty() {
        guess.services = services;
        guess.strength = Strength::Certain;
    }
}

/// A Procfile's command, as it runs in a release.
fn adapt(folder: &Folder, guess: &mut Guess, command: &str) -> String {
    match guess.stack {
        Stack::Python => python::adapt(command),
        Stack::Node => node::Package::read(folder)
            .and_then(|package| {
                node_tool::PackageManager::of(folder, &package).production(&package, command, guess)
            })
            .unwrap_or_else(|| command.to_owned()),
        _ => command.to_owned(),
    }
}

/// What all stacks have in common: ports, health, files, environment.
fn finish(folder: &Folder, mut guess: Guess) -> Detected {
    let sources = folder.sources(guess.types);
    let framework = guess.framework.clone();
    let many = guess.services.len() > 1;
    for service in &mut guess.services {
        if service.static_dir.is_some() {
            service.port = Some(8080);
            service.port_from = Some("free choice: ship serves the files".to_owned());
            service.health = Some(HealthGuess::path("/"));
            continue;
        }
        if many && service.name != "web" {
            continue;
        }
        let command = service.command.clone().unwrap_or_default();
        match port::find(folder, &command, &sources, framework.as_ref()) {
            Some(found) => {
                guess
                    .saw
                    .push(format!("port {} ({})", found.number, found.from));
                service.port = Some(found.number);
                service.port_from = Some(found.from);
            }
            // A bot, a consumer of a queue: nothing listens.
            None if service.name == "web" && !many => {
                service.name = "worker".to_owned();
                guess.notes.push(
                    "no port was seen: the service counts as good once it stays up".to_owned(),
                );
            }
            None => {}
        }
        if service.port.is_none() || service.health.is_some() {
            continue;
        }
        if let Some((path, from)) = health::find(folder, &sources) {
            match &guess.no_health {
                Some(why) => guess.notes.push(why.clone()),
                None => {
                    guess.saw.push(format!("{from} answers {path}"));
                    service.health = Some(HealthGuess {
                        path: path.to_owned(),
                        headers: guess.health_headers.clone(),
                    });
                }
            }
        }
    }
    let mut shared = guess.shared.clone();
    if guess.stack != Stack::Static {
        for (path, why) in files::shared(folder, &sources) {
            if !shared.contains(&path) {
                guess.saw.push(format!("{why}: it survives releases"));
                shared.push(path);
            }
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
    let include = include(folder, &mut guess, &shared);
    let hooks = hooks(&guess);
    let mut seen = BTreeSet::new();
    guess.saw.retain(|line| seen.insert(line.clone()));
    let secrets = if guess.stack == Stack::Static {
        vec![]
    } else {
        files::dotenv_names(folder)
    };
    Detected {
        stack: Some(guess.stack),
        saw: guess.saw,
        notes: guess.notes,
        build: guess.build,
        test: guess.test,
        include,
        exclude: guess.exclude,
        shared,
        services: guess.services,
        hooks,
        env: guess.env,
        secrets,
        ..blank(fallback_name())
    }
}

/// A hook has the environment of the release, not that of a service: what finds the packages is
/// said in its line.
fn hooks(guess: &Guess) -> Vec<HookGuess> {
    let env = guess.services.first().map(|service| &service.env);
    let paths: Vec<String> = env
        .into_iter()
        .flatten()
        .filter(|(name, _)| ["PYTHONPATH", "BUNDLE_PATH"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let with_paths = |hook: &HookGuess| {
        if paths.is_empty() || hook.each_host {
            return hook.clone();
        }
        let paths = paths.join(" ");
        HookGuess::once(if hook.run.contains([';', '&', '|']) {
            format!("export {paths}; {}", hook.run)
        } else {
            format!("{paths} {}", hook.run)
        })
    };
    guess.hooks.iter().map(with_paths).collect()
}

/// The list of `[release] include`, without repetition.
fn include(folder: &Folder, guess: &mut Guess, shared: &[String]) -> Vec<String> {
    let commands: Vec<String> = guess
        .services
        .iter()
        .filter_map(|s| s.command.clone())
        .chain(guess.hooks.iter().map(|hook| hook.run.clone()))
        .collect();
    let mut list = match &guess.include {
        Include::Only(list) => list.clone(),
        Include::Sources { add, drop } => {
            let mut list = files::own(folder, &commands, shared);
            list.retain(|path| !drop.contains(path));
            if guess.stack != Stack::Node {
                list.retain(|path| path != "package.json");
            }
            list.extend(add.clone());
            list
        }
        Include::Built(list) => {
            let mut list = list.clone();
            for (path, by) in files::named_in_sources(folder, &folder.sources(guess.types)) {
                if !shared.contains(&path) {
                    guess.saw.push(format!("{by} names {path}"));
                    list.push(path);
                }
            }
            list
        }
    };
    if list.is_empty() {
        list.push(".".to_owned());
    }
    let mut seen = BTreeSet::new();
    list.retain(|path| seen.insert(path.clone()));
    list
}

/// Nothing seen yet.
fn blank(name: AppName) -> Detected {
    Detected {
        name,
        stack: None,
        saw: vec![],
        notes: vec![],
        runtimes: Default::default(),
        build: Steps::default(),
        test: Steps::default(),
        include: vec![],
        exclude: vec![],
        shared: vec![],
        services: vec![],
        hooks: vec![],
        env: Default::default(),
        secrets: vec![],
    }
}
