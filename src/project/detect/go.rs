//! Go: `go.mod`, its commands.

use super::folder::Folder;
use super::guess::{Guess, Include, ServiceGuess, Stack, Strength};

const TYPES: &[&str] = &["go"];

/// Modules that need a C compiler and the host's libc.
const CGO: &[&str] = &[
    "mattn/go-sqlite3",
    "confluent-kafka-go",
    "h2non/bimg",
    "gopkg.in/gographics/imagick",
];

/// Looks for a Go program.
pub(super) fn detect(folder: &Folder) -> Option<Guess> {
    let module_file = folder.read("go.mod")?;
    let mut guess = Guess::new(Stack::Go, TYPES);
    guess.saw("go.mod is there");
    let module = module_file
        .lines()
        .find_map(|line| line.strip_prefix("module "));
    let module = module.unwrap_or_default().trim().trim_matches('"');
    let name = module
        .rsplit('/')
        .find(|part| !is_version(part))
        .unwrap_or("app");
    let name = if name.is_empty() { "app" } else { name };
    guess.name = Some(name.to_owned());
    for (dependency, framework) in [
        ("gin-gonic/gin", "Gin"),
        ("gofiber/fiber", "Fiber"),
        ("labstack/echo", "Echo"),
        ("go-chi/chi", "chi"),
    ] {
        if module_file.contains(dependency) {
            guess.saw(format!("go.mod requires {framework}"));
            guess.framework = (framework == "Gin").then(|| (framework.to_owned(), 8080));
        }
    }
    if CGO.iter().any(|module| module_file.contains(module)) {
        guess.note("the program links C: build it on a system no newer than the hosts'");
    } else {
        guess
            .build
            .why
            .push("without C, the binary runs on any Linux of this architecture".to_owned());
        guess
            .build
            .env
            .insert("CGO_ENABLED".to_owned(), "0".to_owned());
    }
    if folder.is_dir("vendor") {
        guess.saw("vendor/ holds the dependencies");
    }
    let sources = folder.sources(TYPES);
    let main_in = |dir: &str| {
        sources.iter().any(|source| {
            let (at, _) = source.path.rsplit_once('/').unwrap_or(("", ""));
            at == dir && source.lines().any(|line| line.trim() == "package main")
        })
    };
    let commands: Vec<String> = folder
        .names_in("cmd")
        .into_iter()
        .filter(|command| main_in(&format!("cmd/{command}")))
        .collect();
    let favourites = [name, "server", "web", "api", "app"];
    let chosen = favourites
        .iter()
        .find(|f| commands.iter().any(|c| c == *f))
        .map(|f| (*f).to_owned());
    let tests = has_tests(folder, "", 0);
    if main_in("") {
        guess.saw("the main package is in the project's folder");
        guess.build.push(format!("go build -o bin/{name} ."));
        guess.runs(Strength::Certain, format!("./bin/{name}"));
        guess.include = Include::Built(vec![format!("bin/{name}")]);
    } else if let Some(main) = chosen.or_else(|| commands.first().cloned()) {
        guess.saw(format!("cmd/{main} is a main package"));
        guess
            .build
            .push(format!("go build -o bin/{main} ./cmd/{main}"));
        guess.runs(Strength::Certain, format!("./bin/{main}"));
        let mut include = vec![format!("bin/{main}")];
        for other in commands.iter().filter(|command| **command != main) {
            if ["worker", "scheduler", "jobs"].contains(&other.as_str()) {
                guess
                    .build
                    .push(format!("go build -o bin/{other} ./cmd/{other}"));
                include.push(format!("bin/{other}"));
                guess.services.push(ServiceGuess {
                    name: other.clone(),
                    command: Some(format!("./bin/{other}")),
                    ..ServiceGuess::default()
                });
            } else {
                guess.note(format!("cmd/{other} is not built; add a step and include bin/{other} if a host needs it"));
            }
        }
        guess.include = Include::Built(include);
    } else {
        guess.saw("no main package was seen in . or cmd/*");
    }
    if tests {
        guess.saw("there are tests");
        guess.test.push("go test ./...");
    }
    Some(guess)
}

/// `v2` of a module path.
fn is_version(part: &str) -> bool {
    part.strip_prefix('v')
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

fn has_tests(folder: &Folder, dir: &str, depth: u8) -> bool {
    let names = if dir.is_empty() {
        folder.names().map(str::to_owned).collect()
    } else {
        folder.names_in(dir)
    };
    names.iter().any(|name| name.ends_with("_test.go"))
        || depth < 4
            && names
                .iter()
                .filter(|n| {
                    !n.starts_with('.') && !["vendor", "node_modules"].contains(&n.as_str())
                })
                .any(|name| {
                    let path = if dir.is_empty() {
                        name.clone()
                    } else {
                        format!("{dir}/{name}")
                    };
                    folder.is_dir(&path) && has_tests(folder, &path, depth + 1)
                })
}
