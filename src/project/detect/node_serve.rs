//! Node projects that run a server or a worker: what starts it, and what a release of it holds.

use super::files::names_path;
use super::folder::{Folder, Source};
use super::guess::{Guess, Include, Strength};
use super::node::{Package, TYPES};
use super::node_frameworks::{self, Framework};
use super::node_imports;
use super::node_made;
use super::node_scripts;
use super::node_start::Start;
use super::node_static::{NEXT_CONFIG, sets};
use super::node_tool::PackageManager;
use super::reason::{About, Reason};
use super::text::has_word;
use super::variables;

/// Files that `npm start` or a habit would run.
const ENTRIES: &[&str] = &[
    "server.js",
    "server.mjs",
    "index.js",
    "index.mjs",
    "app.js",
    "app.mjs",
    "main.js",
    "src/server.js",
    "src/index.js",
    "src/app.js",
    "src/main.js",
];

/// The same in TypeScript, for runtimes that take it.
const TYPED_ENTRIES: &[&str] = &[
    "index.ts",
    "server.ts",
    "app.ts",
    "main.ts",
    "src/index.ts",
    "src/server.ts",
    "src/app.ts",
    "src/main.ts",
    "index.tsx",
    "src/index.tsx",
];

/// A server that is a package's own, and keeps its data in what its command names.
struct Keeper {
    program: &'static str,
    name: &'static str,
    port: u16,
    /// Where in a folder that the command names; `None` where it names the file itself.
    below: Option<&'static str>,
}

const KEEPERS: &[Keeper] = &[
    Keeper {
        program: "json-server",
        name: "json-server",
        port: 3000,
        below: None,
    },
    Keeper {
        program: "tiddlywiki",
        name: "TiddlyWiki",
        port: 8080,
        below: Some("tiddlers"),
    },
];

/// Says in `guess` what such a server in `command` keeps, and where it listens.
fn keeper(folder: &Folder, command: &str, guess: &mut Guess) {
    let mut words = command.split_whitespace();
    let found = words.find_map(|word| {
        let name = word.rsplit('/').next()?;
        KEEPERS.iter().find(|keeper| keeper.program == name)
    });
    let Some(keeper) = found else {
        return;
    };
    if guess.framework.is_none() {
        guess.framework = Some((keeper.name.to_owned(), keeper.port));
    }
    let given = words.find(|word| !word.starts_with('-'));
    let given = given.map(|word| word.trim_start_matches("./").trim_end_matches('/'));
    let Some(given) = given.filter(|path| !path.starts_with(['/', '.'])) else {
        return;
    };
    let path = match keeper.below {
        Some(below) if folder.is_dir(given) => format!("{given}/{below}"),
        None if folder.is_file(given) => given.to_owned(),
        _ => return,
    };
    let says = format!("keeps data in {path}: it survives releases");
    guess.because(About::Shared, keeper.name, says);
    guess.shared.push(path);
}

/// A project that runs a server (or a worker).
pub(super) fn serve(
    folder: &Folder,
    package: &Package,
    manager: &PackageManager,
    builds: bool,
    guess: &mut Guess,
) {
    let framework = node_frameworks::of(package);
    if let Some(Framework {
        name, port, origin, ..
    }) = framework
    {
        guess.because(About::Service, "package.json", format!("depends on {name}"));
        guess.framework = Some(((*name).to_owned(), *port));
        guess.origin = *origin;
        if let Some(variable) = origin {
            guess.note(format!(
                "{name} takes HTTPS for granted: where browsers reach the app without it, forms are \
                 refused until {variable} in `env` is the app's address"
            ));
        }
    }
    let standalone = standalone(folder, framework, guess);
    let found = match standalone {
        true => Some((
            "node .next/standalone/server.js".to_owned(),
            Reason::new(About::Service, "next.config", "asks for a standalone build"),
        )),
        false => start(folder, package, manager, framework, guess),
    };
    let whole = match framework {
        _ if standalone => Some(vec![".next/standalone".to_owned()]),
        Some(row) if row.is_whole => Some(row.outputs.iter().map(|it| (*it).to_owned()).collect()),
        _ => None,
    };
    let command = match found {
        Some((command, why)) => {
            guess.reasons.push(why);
            let strength = match framework {
                Some(_) => Strength::Certain,
                None => Strength::Runs,
            };
            guess.runs(strength, command.clone());
            command
        }
        None => {
            // What a start script of development lacks was said where it was read.
            if node_scripts::starts(package).next().is_none() {
                let says = "has no start script, and no server.js was seen";
                guess.because(About::Service, "package.json", says);
            }
            String::new()
        }
    };
    keeper(folder, &command, guess);
    let service = guess.services.first_mut();
    if let (Some(service), Some(framework)) = (service, framework) {
        let env = framework.env.iter();
        service
            .env
            .extend(env.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    }
    guess.include = match whole {
        Some(whole) => Include::Only(whole),
        None => {
            let files = files(folder, package, manager, framework, &command, builds);
            if files.names("node_modules") {
                guess.exclude.extend(manager.left_out(builds));
                let links = folder.home().map(|home| manager.foreign_links(home));
                guess.exclude.extend(links.into_iter().flatten());
            }
            files
        }
    };
    if let Some(framework) = framework.filter(|row| !row.is_whole && !standalone) {
        for path in framework.writes {
            guess.shared.push((*path).to_owned());
            // What is there on this machine is a cache, or data of this machine.
            guess.exclude.push((*path).to_owned());
            let says = format!("writes to {path} while it runs");
            guess.because(About::Shared, framework.name, says);
        }
        for secret in framework.secrets {
            let example = variables::published(folder, secret).map(|(_, file)| file);
            let names = |source: &&&Source| has_word(&source.text, secret);
            let sources = folder.sources(TYPES);
            let source = sources
                .iter()
                .find(names)
                .map(|source| source.path.as_str());
            if let Some(file) = example.or(source) {
                guess.secret(*secret, file);
            }
        }
        if framework.dependency == "next" {
            // How long the build took: another text each time, that nothing reads.
            let notes = [".next/trace", ".next/diagnostics"];
            guess.exclude.extend(notes.map(str::to_owned));
        }
    }
}

/// Whether Next.js makes a server of its own; the steps that complete it.
fn standalone(folder: &Folder, framework: Option<&Framework>, guess: &mut Guess) -> bool {
    let file = folder.first(NEXT_CONFIG).and_then(|file| folder.read(file));
    let asks = file.is_some_and(|text| sets(&text, "output", "standalone"));
    if !asks || framework.is_none_or(|row| row.dependency != "next") {
        return false;
    }
    guess
        .build
        .push("cp -R .next/static .next/standalone/.next/");
    if folder.is_dir("public") {
        guess.build.push("cp -R public .next/standalone/");
    }
    true
}

/// The command that starts the project in production, and why that one.
fn start(
    folder: &Folder,
    package: &Package,
    manager: &PackageManager,
    framework: Option<&'static Framework>,
    guess: &mut Guess,
) -> Option<(String, Reason)> {
    let reason = |subject: &str, says: String| Reason::new(About::Service, subject, says);
    let own = || {
        let row = framework?;
        let start = row.start?;
        Some((
            node_frameworks::placed(package, manager.program(start)),
            reason(row.name, "starts what its build makes".to_owned()),
        ))
    };
    if framework.is_some_and(|row| row.is_whole) {
        return own();
    }
    let mut server = None;
    for (name, script) in node_scripts::starts(package) {
        match manager.production(package, script, guess) {
            Start::Command(command) => {
                return Some((command, reason("package.json", package.says(name))));
            }
            Start::Development(tool) => server = server.or(Some(tool)),
            Start::Unknown => {}
        }
    }
    let found = own()
        .or_else(|| watched(package, manager, guess))
        .or_else(|| entry(folder, package, manager, framework));
    if let Some(tool) = server {
        guess.note(match &found {
            Some((command, _)) => format!(
                "the start script runs `{tool}`, which is for development; in production it is `{command}`"
            ),
            None => format!(
                "the start script runs `{tool}`, which is for development: add a script \
                 `start:prod` to package.json that serves the build"
            ),
        });
    }
    found
}

/// What the `dev` script watches and restarts, run once.
fn watched(
    package: &Package,
    manager: &PackageManager,
    guess: &mut Guess,
) -> Option<(String, Reason)> {
    let script = package.script("dev")?;
    if !manager.watches(script) {
        return None;
    }
    let Start::Command(command) = manager.production(package, script, guess) else {
        return None;
    };
    let says = format!("has a dev script: {script}");
    Some((command, Reason::new(About::Service, "package.json", says)))
}

/// The file that a habit would run.
fn entry(
    folder: &Folder,
    package: &Package,
    manager: &PackageManager,
    framework: Option<&Framework>,
) -> Option<(String, Reason)> {
    let is_bun = manager.name() == "bun";
    let named = ["main", "module"]
        .iter()
        .filter_map(|key| package.text(key));
    let mut named = named.map(|file| file.trim_start_matches("./"));
    let named = named.find(|file| folder.is_file(file) && (framework.is_some() || is_bun));
    let typed = |file: &&str| !file.ends_with("ts") && !file.ends_with("tsx");
    let runner = match is_bun {
        true => Some("bun".to_owned()),
        false => manager.typescript(package),
    };
    let named = named
        .filter(|file| runner.is_some() || typed(file))
        .map(str::to_owned);
    let typed_entry = || folder.first(TYPED_ENTRIES).filter(|_| runner.is_some());
    let file = named.or_else(|| {
        folder
            .first(ENTRIES)
            .or_else(typed_entry)
            .map(str::to_owned)
    })?;
    let runner = runner.filter(|_| is_bun || !typed(&file.as_str()));
    let runner = runner.unwrap_or_else(|| "node".to_owned());
    let reason = Reason::new(About::Service, file.as_str(), "is there");
    Some((format!("{runner} {file}"), reason))
}

/// What a release of a server holds.
fn files(
    folder: &Folder,
    package: &Package,
    manager: &PackageManager,
    framework: Option<&Framework>,
    command: &str,
    builds: bool,
) -> Include {
    let outputs = framework.map_or(&[][..], |row| row.outputs);
    let outputs = outputs.iter().filter(|_| builds);
    let mut add: Vec<String> = outputs.map(|dir| (*dir).to_owned()).collect();
    let built = builds.then(|| node_made::dir(folder, package, command));
    let built = built.flatten();
    add.extend(built.clone().filter(|dir| !add.contains(dir)));
    let sources = folder.sources(TYPES);
    let output =
        |dir: &&&str| builds && built.as_deref() != Some(**dir) && names_path(&sources, dir);
    let named = ["dist", "build"]
        .iter()
        .filter(output)
        .map(|dir| (*dir).to_owned());
    for dir in named.collect::<Vec<_>>() {
        if !add.contains(&dir) {
            add.push(dir);
        }
    }
    if builds && add.is_empty() {
        add.extend(node_made::ignored_output(folder));
    }
    let lists = ["dependencies", "devDependencies", "optionalDependencies"];
    if lists.iter().any(|list| package.any(list)) || manager.has_members() {
        add.extend(manager.shipped().iter().map(|path| (*path).to_owned()));
        add.extend(package.workspaces());
    }
    // Once built, the sources of the sources stay at home.
    let drop: &[&str] = match add.iter().any(|path| path == ".next") || built.is_some() {
        true => &["src", "app", "pages", "routes", "components"],
        false => &[],
    };
    let drop: Vec<String> = drop.iter().map(|dir| (*dir).to_owned()).collect();
    let reads = framework.map_or(&[][..], |row| row.reads).iter();
    let reads = reads.filter(|file| folder.is_file(file));
    add.extend(reads.map(|file| (*file).to_owned()));
    if framework.is_some_and(|row| row.dependency == "next") {
        // Next.js reads its settings again when it starts.
        let settings = folder.first(NEXT_CONFIG).into_iter();
        for imports in settings.map(|file| node_imports::of(folder, file)) {
            add.extend(imports.has_alias.then(|| "tsconfig.json".to_owned()));
            add.extend(imports.files);
        }
    }
    Include::Sources { add, drop }
}
