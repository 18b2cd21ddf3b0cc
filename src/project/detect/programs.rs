//! Which of the programs that a project builds is the app, which run beside it, and which stay
//! at home. The same rule for every language that builds programs.

use super::guess::{Guess, Include, ServiceGuess, Strength};

/// Names that a server has.
const SERVERS: &[&str] = &[
    "server", "web", "api", "app", "http", "backend", "site", "main",
];

/// Names of programs that run all the time beside the server.
const WORKERS: &[&str] = &["worker", "scheduler", "jobs", "consumer", "queue"];

/// Names of programs that no visitor asks, also of some that listen.
const ASIDE: &[&str] = &[
    "bench",
    "benchmark",
    "cli",
    "client",
    "ctl",
    "demo",
    "example",
    "gen",
    "generate",
    "loadtest",
    "migrate",
    "mock",
    "seed",
    "storybook",
    "test",
];

/// Code that listens for connections.
const LISTENS: &[&str] = &[
    // Go
    "ListenAndServe",
    "http.Serve(",
    "net.Listen(",
    "gin.Default(",
    "gin.New(",
    "echo.New(",
    "fiber.New(",
    // Rust
    "axum::serve",
    "HttpServer::new",
    "#[launch]",
    "rocket::build",
    "warp::serve",
    "TcpListener::bind",
    "Server::bind",
    "Server::new(",
    "tide::new",
    // C and C++
    "listen(",
    // Crystal, Dart, Haskell, Swift, Zig, Nim, D
    "HTTP::Server",
    "Kemal.run",
    "HttpServer.bind",
    "shelf_io.serve",
    "scotty ",
    "Warp",
    "Application.make(",
    ".listen(",
    "runForever",
    "listenHTTP",
];

/// A program that the build makes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Program {
    /// What it is called.
    pub name: String,
    /// Where the build puts it, relative to the project.
    pub path: String,
    /// The step that builds this program alone; empty when one step builds them all.
    pub build: String,
    /// The folder that it reads its files from; empty for the project's own.
    pub home: String,
    /// Whether its code listens for connections.
    pub serves: bool,
}

/// Whether code listens for connections.
pub(super) fn listens(text: &str) -> bool {
    LISTENS.iter().any(|word| text.contains(word))
}

/// Makes the best of `programs` the service, and its workers services beside it. `preferred` are
/// names that the project itself prefers, best first. Says which one it took.
pub(super) fn run(
    guess: &mut Guess,
    mut programs: Vec<Program>,
    preferred: &[&str],
) -> Option<Program> {
    programs.retain(|program| is_plain(&program.path) && is_plain(&program.home));
    let main = programs[best(&programs, preferred)?].clone();
    let workers: Vec<&Program> = programs
        .iter()
        .filter(|program| **program != main && worker(&program.name).is_some())
        .collect();
    for program in std::iter::once(&main).chain(workers.iter().copied()) {
        if !program.build.is_empty() && !guess.build.run.contains(&program.build) {
            guess.build.push(program.build.clone());
        }
    }
    guess.runs(Strength::Certain, main.command());
    let mut include = vec![main.path.clone()];
    for program in &programs {
        if *program == main {
            continue;
        }
        let Some(name) = worker(&program.name) else {
            guess.note(format!(
                "the program {} is not released; if a host needs it, build it and add {} to include",
                program.name, program.path
            ));
            continue;
        };
        include.push(program.path.clone());
        guess.services.push(ServiceGuess {
            name: name.to_owned(),
            command: Some(program.command()),
            ..ServiceGuess::default()
        });
    }
    guess.include = Include::Built(include);
    Some(main)
}

impl Program {
    /// The line that starts it, from the folder that it reads its files from.
    fn command(&self) -> String {
        if self.home.is_empty() {
            return format!("./{}", self.path);
        }
        let up = "../".repeat(self.home.split('/').count());
        format!("cd {} && exec {up}{}", self.home, self.path)
    }
}

/// Whether a path needs no quotes in a line for the shell.
pub(super) fn is_plain(path: &str) -> bool {
    path.chars()
        .all(|c| c.is_alphanumeric() || "._/-+@".contains(c))
        && !path.starts_with('-')
}

/// The index of the program that is the app.
fn best(programs: &[Program], preferred: &[&str]) -> Option<usize> {
    let rank = |program: &Program| {
        let name = program.name.as_str();
        let by_name = |names: &[&str]| {
            names
                .iter()
                .position(|n| name == *n || name.strip_suffix(n).is_some_and(ends_word))
        };
        // The `d` of a daemon: `shopd` serves what `shop` asks.
        let daemon = name.strip_suffix('d').unwrap_or_default();
        (
            worker(name).is_some(),
            by_name(ASIDE).is_some(),
            !program.serves,
            !preferred.contains(&daemon),
            preferred
                .iter()
                .position(|n| name == *n)
                .unwrap_or(usize::MAX),
            by_name(SERVERS).unwrap_or(usize::MAX),
        )
    };
    (0..programs.len()).min_by_key(|at| rank(&programs[*at]))
}

/// The word for a worker in a program's name: `jobs` of `shop-jobs`.
fn worker(name: &str) -> Option<&'static str> {
    WORKERS
        .iter()
        .find(|word| name == **word || name.strip_suffix(**word).is_some_and(ends_word))
        .copied()
}

fn ends_word(stem: &str) -> bool {
    stem.ends_with(['-', '_'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs(names: &[(&str, bool)]) -> Vec<Program> {
        names
            .iter()
            .map(|(name, serves)| Program {
                name: (*name).to_owned(),
                path: format!("bin/{name}"),
                serves: *serves,
                ..Program::default()
            })
            .collect()
    }

    #[test]
    fn the_app_is_the_one_that_listens() {
        for (names, preferred, main) in [
            (
                &[("cli", false), ("daemon", true)][..],
                &["cli"][..],
                "daemon",
            ),
            (&[("cli", false), ("shop", false)], &["shop"], "shop"),
            (
                &[("shop-worker", true), ("shop-api", true)],
                &[],
                "shop-api",
            ),
            (&[("worker", true)], &[], "worker"),
            (&[("a", true), ("b", true)], &["b"], "b"),
            (
                &[("shop", true), ("shop-storybook", true), ("shopd", true)],
                &["shop"],
                "shopd",
            ),
        ] {
            let programs = programs(names);
            let at = best(&programs, preferred).unwrap();
            assert_eq!(programs[at].name, main, "{names:?}");
        }
        assert_eq!(best(&[], &[]), None);
    }

    #[test]
    fn a_program_starts_where_its_files_are() {
        let program = Program {
            path: "target/release/web".to_owned(),
            home: "crates/web".to_owned(),
            ..Program::default()
        };
        assert_eq!(
            program.command(),
            "cd crates/web && exec ../../target/release/web"
        );
    }
}
