//! Python: its packages, its framework, its entry. A new framework is an entry in `framework.rs`, a
//! new server in `server.rs`, a program that serves a file in `tool.rs`, a package manager in
//! `manager.rs`.

mod app;
mod command;
mod dependencies;
mod django;
mod flask;
mod framework;
mod manager;
mod packages;
mod paste;
mod plugins;
mod production;
mod program;
mod server;
mod settings;
mod settle;
mod testing;
mod tool;

use std::collections::BTreeMap;

use super::commands;
use super::folder::{Folder, Source};
use super::guess::{Guess, HealthGuess, HookGuess, Include, Stack, Strength};
use super::reason::{About, Reason};
use app::Found;
use dependencies::Dependencies;
use django::Django;
pub(super) use framework::imports;
use server::{Callable, Interface, Server};
pub(super) use settle::settle;

const TYPES: &[&str] = &["py"];

/// Files that make a folder a Python project.
const MARKERS: &[&str] = &[
    "manage.py",
    "requirements.txt",
    "pyproject.toml",
    "Pipfile",
    "setup.py",
    "setup.cfg",
    "requirements.in",
];

/// Looks for a Python project.
pub(super) fn detect(folder: &Folder) -> Option<Guess> {
    project(folder, Strength::Runs)
}

/// Looks for a package with a file that only its name makes the app: for a folder that holds nothing
/// else.
pub(super) fn package(folder: &Folder) -> Option<Guess> {
    let mut guess = project(folder, Strength::Present)?;
    guess.strength = Strength::Present;
    Some(guess)
}

/// A project; `least` is how sure a package must be its app where no other file shows one.
fn project(folder: &Folder, least: Strength) -> Option<Guess> {
    let marker = folder.first(MARKERS);
    let entry = program::entry(folder);
    let sources = folder.sources(TYPES);
    let known = marker.or(entry);
    let packaged = match known {
        Some(_) => None,
        None => program::in_package(folder, &sources).filter(|(_, sure)| *sure >= least),
    };
    let marker = known.or(packaged.as_ref().map(|(file, _)| file.as_str()))?;
    let mut guess = Guess::new(Stack::Python, TYPES);
    guess.needs("python");
    guess.because(About::App, marker, "is there");
    let pyproject = folder.toml("pyproject.toml");
    if pyproject.is_none() && folder.is_file("pyproject.toml") {
        guess.note("pyproject.toml is not valid TOML, so it was not used");
    }
    guess.named("pyproject.toml", name(pyproject.as_ref()));
    // Python writes these whenever it runs, each time with other times in them.
    guess.exclude.push("__pycache__".to_owned());
    guess.include = Include::Sources {
        add: vec![],
        drop: vec![],
    };

    let mut dependencies = dependencies::read(folder, pyproject.as_ref());
    let django = django::read(folder, &dependencies);
    if dependencies.manager.is_none() {
        name_packages(&sources, django.as_ref(), &mut dependencies);
    }
    let vendor = dependencies::vendor_dir(folder);
    install(&dependencies, vendor, &mut guess);
    let started = match &django {
        Some(django) => {
            django.tell(folder, &dependencies, &mut guess);
            None
        }
        None => start(folder, &sources, &dependencies, entry, &mut guess),
    };
    if let Some(note) = program::note(folder, &sources) {
        guess.note(note);
    }
    let vendor = dependencies.manager.map(|_| vendor);
    let path = python_path(folder, vendor, started.as_deref(), &sources);
    guess
        .service_env
        .extend(tool::environment(&dependencies.packages));
    environment(&path, &mut guess);
    let project = testing::Project {
        folder,
        pyproject: pyproject.as_ref(),
        dependencies: &dependencies,
        path: &path,
        vendor: vendor.unwrap_or("vendor"),
        django: django.as_ref(),
    };
    testing::steps(&project, &mut guess);
    if let Some(django) = &django {
        placeholders(django, &mut guess);
    }
    Some(guess)
}

/// What the project calls itself.
fn name(pyproject: Option<&toml::Table>) -> Option<String> {
    let text = |table: &toml::Value| Some(table.get("name")?.as_str()?.to_owned());
    let project = pyproject?;
    let own = project.get("project").and_then(text);
    own.or_else(|| text(project.get("tool")?.get("poetry")?))
}

/// The packages of a project that lists none: the framework that its sources import.
fn name_packages(sources: &[&Source], django: Option<&Django>, dependencies: &mut Dependencies) {
    if let Some(django) = django {
        let version = django.version();
        let requirement = version.map_or("Django".to_owned(), |v| format!("Django=={v}.*"));
        let saw = Reason::new(About::Build, "manage.py", "needs Django");
        dependencies.name(&requirement, saw);
    } else if let Some((source, framework)) = app::imported(sources) {
        let says = format!("imports {}", framework.package);
        let saw = Reason::new(About::Build, &source.path, says);
        dependencies.name(framework.distribution(), saw);
    }
}

/// The steps that put the packages beside the app.
fn install(dependencies: &Dependencies, vendor: &str, guess: &mut Guess) {
    let Some(manager) = dependencies.manager else {
        return;
    };
    guess.reasons.extend(dependencies.saw.clone());
    if let Some(needs) = manager.needs {
        guess.needs(needs);
    }
    guess.build.run = dependencies.install(vendor);
    guess.build.env.extend(manager.environment());
    guess
        .build
        .why
        .push("into a folder, not a venv: a venv's paths would break on a host".to_owned());
    guess.add(vendor);
    if let Some(note) = &dependencies.note {
        guess.note(note.clone());
    }
}

/// What runs: an app that a server imports, a tool that serves a file, or a file by custom. Gives
/// the file that is started.
fn start(
    folder: &Folder,
    sources: &[&Source],
    dependencies: &Dependencies,
    entry: Option<&str>,
    guess: &mut Guess,
) -> Option<String> {
    if let Some((tool, command, file)) = tool::find(folder, sources, &dependencies.packages) {
        guess.because(About::Service, &file, format!("is served by {}", tool.name));
        guess.runs(Strength::Certain, command);
        guess.framework = Some((tool.name.to_owned(), tool.port));
        if let (Some(path), Some(service)) = (tool.health, guess.services.first_mut()) {
            service.health = Some(HealthGuess::path(path));
            guess.because(About::Health, tool.name, format!("answers {path}"));
        }
        return Some(file);
    }
    if paste::start(folder, dependencies, guess) {
        return None;
    }
    if let Some(found) = app::find(sources, &dependencies.packages) {
        serve(folder, sources, &found, dependencies, guess)?;
        migrations(folder, &found, dependencies, guess);
        return Some(found.source.path.clone());
    }
    if let Some(entry) = entry {
        guess.because(About::Service, entry, "is there");
        guess.runs(Strength::Runs, program::command(folder, entry, sources));
        return Some(entry.to_owned());
    }
    let below = || {
        let mut paths = sources.iter().map(|source| &source.path);
        paths.find(|path| path.ends_with("/__main__.py")).cloned()
    };
    let file = program::in_package(folder, sources)
        .map(|(file, _)| file)
        .or_else(below)?;
    guess.because(About::Service, &file, "is there");
    guess.runs(Strength::Runs, program::command(folder, &file, sources));
    Some(file)
}

/// The server for an app; without one, the framework's own with a word about it.
fn serve(
    folder: &Folder,
    sources: &[&Source],
    found: &Found<'_>,
    dependencies: &Dependencies,
    guess: &mut Guess,
) -> Option<()> {
    let (source, framework, app) = (found.source, found.framework, &found.app);
    let says = match &app.callable {
        Callable::Object(_) => format!("makes a {} app", framework.name),
        Callable::Factory(name) => format!("makes a {} app in {name}()", framework.name),
        Callable::Routes => format!("has routes of {}", framework.name),
    };
    let sockets = app::script(source) == Some(app::Script::Sockets);
    // What Flask-SocketIO starts by itself is Werkzeug's server for development, else, and that
    // refuses to serve without a terminal.
    let has_server = ["eventlet", "gevent"]
        .iter()
        .any(|it| dependencies.packages.has(it))
        || source.text.contains("allow_unsafe_werkzeug=True");
    let script = match app::script(source) {
        Some(app::Script::Sockets) if !has_server => Some(app::Script::Plain),
        script => script,
    };
    let own = match script {
        // Only then the sockets work.
        Some(app::Script::Sockets) => Some("the sockets need their own server"),
        _ => None,
    };
    let server = Server::of(app, &dependencies.packages).filter(|_| own.is_none());
    let recommended = Server::recommended(app.interface);
    let vendor = dependencies::vendor_dir(folder);
    let by_server = |server: &Server| {
        let (command, port) = server.command(app, folder, vendor);
        (command, port, server.package)
    };
    let (command, port, name) = match (server, script, framework.development) {
        (Some(server), ..) => by_server(server),
        (None, Some(app::Script::Sockets | app::Script::More), _)
        | (None, Some(app::Script::Plain), None) => (
            program::command(folder, &source.path, sources),
            framework.port,
            framework.name,
        ),
        (None, _, Some(development)) => (app.fill(development), framework.port, framework.name),
        (None, None, None) if app.is_attribute() => (
            program::command(folder, &source.path, sources),
            framework.port,
            framework.name,
        ),
        (None, None, None) if dependencies.manager.is_some() && !framework.name.is_empty() => {
            by_server(recommended)
        }
        (None, None, None) => return None,
    };
    guess.because(About::Service, &source.path, says);
    let adapter = server::adapter(app, &dependencies.packages);
    let command = match adapter {
        Some(name) => format!("{command} --server {name}"),
        // Each visitor holds a thread (Flask-SocketIO's manual, "Gunicorn Web Server").
        None if sockets && name == "gunicorn" => format!("{command} --threads 100"),
        None => command,
    };
    let is_dev = server.is_none()
        && adapter.is_none()
        && app.interface == Interface::Wsgi
        && own.is_none()
        && !command.contains(recommended.package);
    copy_scripts(dependencies, &command, vendor, guess);
    guess.runs(Strength::Certain, command);
    guess.framework = Some((name.to_owned(), port));
    // Gunicorn finds no attribute.
    let served = app.fill("write server = {name} into ") + &source.path;
    let has_server = dependencies.packages.has(recommended.package);
    let add = match (dependencies.add(recommended.package), app.is_attribute()) {
        (add, false) => add,
        (_, true) if has_server => served,
        (add, true) => format!("{add}, {served}"),
    };
    if is_dev {
        if let Some(service) = guess.services.first_mut() {
            service
                .why
                .push(format!("This is {}'s development server.", framework.name));
        }
        guess.note(format!(
            "{} has no server for production: {add}, then `ship init --force`",
            framework.name
        ));
    } else if server.is_none() && script.is_none() {
        guess.note(format!(
            "{} needs a server, and none is among the packages: {add}, then `ship init --force`",
            framework.name
        ));
    }
    if framework.package == "flask" {
        flask::tell(sources, app, &dependencies.packages, guess);
    }
    Some(())
}

/// Migrations of the database, before a release is switched to.
fn migrations(folder: &Folder, found: &Found<'_>, dependencies: &Dependencies, guess: &mut Guess) {
    let has = |package: &str| dependencies.packages.has(package);
    if has("flask-migrate") && folder.is_file("migrations/env.py") {
        let app = found.app.fill("{module}:{name}");
        guess.because(About::Hook, "migrations/", "is of Flask-Migrate");
        guess.hooks.push(HookGuess::once(format!(
            "python3 -m flask --app {app} db upgrade"
        )));
    } else if has("alembic") && folder.is_file("alembic.ini") {
        guess.because(About::Hook, "alembic.ini", "is there");
        guess
            .hooks
            .push(HookGuess::once("python3 -m alembic upgrade head"));
        guess.add("alembic.ini");
    }
}

/// `PYTHONPATH`: relative, because the service starts in its release. `started` is the file that
/// runs: what it imports from beside itself must be found.
fn python_path(
    folder: &Folder,
    vendor: Option<&str>,
    started: Option<&str>,
    sources: &[&Source],
) -> Vec<String> {
    let mut parts: Vec<String> = vendor.map(str::to_owned).into_iter().collect();
    let nested = |name: &String| folder.is_file(&format!("src/{name}/__init__.py"));
    if folder.names_in("src").iter().any(nested) {
        parts.push("src".to_owned());
    }
    let dir = started
        .and_then(|file| file.rsplit_once('/'))
        .map(|(dir, _)| dir);
    if let Some(dir) = dir.filter(|dir| !parts.iter().any(|part| part == dir)) {
        let source = sources
            .iter()
            .find(|source| Some(source.path.as_str()) == started);
        // Modules of a package that name it find each other from above: beside them, `types.py`
        // would take the place of Python's own.
        let top = dir.split('/').next().unwrap_or(dir);
        let is_package = source.is_some_and(|source| {
            let mut lines = source.lines().map(str::trim_start);
            folder.is_file(&format!("{top}/__init__.py"))
                && (framework::imports(&source.text).any(|name| name == top)
                    || lines.any(|line| line.starts_with("from .")))
        });
        let beside = source.filter(|_| !is_package).is_some_and(|source| {
            framework::imports(&source.text).any(|name| {
                let at = |base: &str| {
                    folder.is_file(&format!("{base}{name}.py"))
                        || folder.is_dir(&format!("{base}{name}"))
                };
                at(&format!("{dir}/")) && !at("")
            })
        });
        if beside {
            parts.push(dir.to_owned());
        }
    }
    parts
}

/// The environment of the services, and of build steps that load the app.
fn environment(path: &[String], guess: &mut Guess) {
    let set = |name: &str, value: String, env: &mut BTreeMap<String, String>| {
        env.insert(name.to_owned(), value);
    };
    set("PYTHONUNBUFFERED", "1".to_owned(), &mut guess.service_env);
    if path.is_empty() {
        return;
    }
    let path = path.join(":");
    if guess
        .build
        .run
        .iter()
        .any(|step| step.contains("manage.py"))
    {
        set("PYTHONPATH", path.clone(), &mut guess.build.env);
    }
    set("PYTHONPATH", path, &mut guess.service_env);
}

/// Steps that load the settings run where nobody has set the app's secrets.
fn placeholders(django: &Django, guess: &mut Guess) {
    let settings = guess.service_env.get("DJANGO_SETTINGS_MODULE").cloned();
    for steps in [&mut guess.build, &mut guess.test] {
        if !steps.run.iter().any(|step| step.contains("manage.py")) {
            continue;
        }
        for name in django.settings.required() {
            let value = match name == settings::DATABASE {
                // One that can be taken apart as an address.
                true => "sqlite://:memory:",
                false => "only-for-this-step",
            };
            steps.env.entry(name).or_insert_with(|| value.to_owned());
        }
        if let Some(settings) = &settings {
            let name = "DJANGO_SETTINGS_MODULE".to_owned();
            steps.env.entry(name).or_insert_with(|| settings.clone());
        }
    }
}

/// A line that somebody typed or wrote into a Procfile, as it runs in a release.
pub(super) fn adapt(folder: &Folder, line: &str, guess: &mut Guess) -> String {
    let pyproject = folder.toml("pyproject.toml");
    let dependencies = dependencies::read(folder, pyproject.as_ref());
    let vendor = dependencies::vendor_dir(folder);
    let line = commands::each(line, |command| {
        command::adapt(command, folder, &dependencies, vendor)
    });
    copy_scripts(&dependencies, &line, vendor, guess);
    line
}

/// The steps that copy the scripts of packages that `line` starts, where they are left behind.
fn copy_scripts(dependencies: &Dependencies, line: &str, vendor: &str, guess: &mut Guess) {
    let Some(scripts) = dependencies.manager.and_then(|manager| manager.scripts) else {
        return;
    };
    for name in command::scripts(line, vendor) {
        let step = scripts.replace("{dir}", vendor).replace("{name}", name);
        if !guess.build.run.contains(&step) {
            guess.build.push(step);
        }
    }
}

/// A step that runs the project's own code, as it runs in the build. Says in `guess` what it needs
/// and what it makes.
pub(super) fn step(folder: &Folder, step: String, guess: &mut Guess) -> String {
    for name in ["PYTHONPATH", "DJANGO_SETTINGS_MODULE"] {
        if let Some(value) = guess.service_env.get(name) {
            let env = &mut guess.build.env;
            env.entry(name.to_owned()).or_insert_with(|| value.clone());
        }
    }
    let compiles = ["compilemessages", "translate compile", "babel compile"];
    if compiles.iter().any(|word| step.contains(word)) {
        // Git ignores what is compiled, as a rule, so the folders are named.
        translations(folder).for_each(|dir| guess.add(dir));
    }
    let starts = ["os.system(", "subprocess."];
    let is_starter = |source: &&Source| starts.iter().any(|word| source.text.contains(word));
    let vendor = dependencies::vendor_dir(folder);
    match folder.sources(TYPES).iter().any(is_starter) {
        // `os.system("pybabel compile")`
        true => format!("PATH=\"{vendor}/bin:$PATH\" {step}"),
        false => step,
    }
}

/// The folders of translations.
fn translations(folder: &Folder) -> impl Iterator<Item = String> {
    let is_text = |dir: &String| {
        let languages = folder.names_in(dir).into_iter();
        let mut messages = languages.map(|language| format!("{dir}/{language}/LC_MESSAGES"));
        messages.any(|messages| folder.is_dir(&messages))
    };
    let above = folder.names().map(|name| format!("{name}/"));
    std::iter::once(String::new())
        .chain(above)
        .flat_map(|above| ["translations", "locale"].map(|dir| format!("{above}{dir}")))
        .filter(is_text)
}
