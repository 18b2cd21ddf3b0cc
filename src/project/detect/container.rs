//! Files for containers, as a hint: they say what runs, and not how it is built without one.

use super::folder::Folder;
use super::guess::{Guess, Stack};
use super::reason::About;

/// What the files for containers say about a project that nothing else explains, one sentence each.
pub(super) fn hints(folder: &Folder) -> Vec<String> {
    let mut found = Vec::new();
    let files = [
        "compose.yaml",
        "compose.yml",
        "docker-compose.yaml",
        "docker-compose.yml",
    ];
    if let Some(file) = folder.first(&files) {
        let built = built(&folder.read(file).unwrap_or_default());
        let named: Vec<String> = built
            .iter()
            .filter(|(_, dir)| folder.is_dir(dir) && dir != ".")
            .map(|(name, dir)| format!("{name} (ship init {dir})"))
            .collect();
        if !named.is_empty() {
            found.push(format!("{file} builds {}", named.join(", ")));
        }
    }
    let dockerfile = folder.read("Dockerfile").unwrap_or_default();
    if let Some(command) = starts(&dockerfile) {
        let port = dockerfile
            .lines()
            .find_map(|line| line.trim().strip_prefix("EXPOSE "))
            .map_or(String::new(), |port| format!(" on port {}", port.trim()));
        found.push(format!(
            "Dockerfile starts `{command}`{port}: a Procfile with `web: {command}` tells ship the same"
        ));
    }
    found
}

/// The last `CMD` or `ENTRYPOINT`, as a line for the shell.
pub(super) fn starts(dockerfile: &str) -> Option<String> {
    let of = |word: &str| {
        let line = dockerfile
            .lines()
            .rev()
            .find_map(|line| line.trim().strip_prefix(word))?;
        let line = line.trim();
        let words: Option<Vec<String>> = serde_json::from_str(line).ok();
        let line = words.map_or_else(|| line.to_owned(), |words| words.join(" "));
        (!line.is_empty() && !line.ends_with('\\') && !line.chars().any(char::is_control))
            .then_some(line)
    };
    match (of("ENTRYPOINT "), of("CMD ")) {
        (Some(entry), Some(arguments)) => Some(format!("{entry} {arguments}")),
        (one, other) => one.or(other),
    }
}

/// Words that have a program of several parts serve.
const SERVE: &[&str] = &["daemon", "http", "run", "serve", "server", "start", "web"];

/// Completes the command of a compiled program that is started by its name alone, where the Dockerfile
/// (of this folder, or of the repository above it) has it serve by a word behind the name.
pub(super) fn complete(folder: &Folder, guess: &mut Guess) {
    let [service] = guess.services.as_mut_slice() else {
        return;
    };
    let is_compiled = matches!(guess.stack, Stack::Go | Stack::Rust);
    let is_bare = |command: &&mut String| !command.contains(char::is_whitespace);
    let Some(command) = service
        .command
        .as_mut()
        .filter(is_bare)
        .filter(|_| is_compiled)
    else {
        return;
    };
    let above = || {
        let root = folder
            .dir()
            .parent()
            .filter(|root| root.join(".git").exists())?;
        Folder::open(root).read("Dockerfile")
    };
    let dockerfile = folder.read("Dockerfile").or_else(above).unwrap_or_default();
    let starts = starts(&dockerfile).unwrap_or_default();
    let word = starts.split_whitespace().nth(1);
    if let Some(word) = word.filter(|word| SERVE.contains(word)) {
        command.push_str(&format!(" {word}"));
        let says = format!("starts the program with `{word}`");
        guess.because(About::Service, "Dockerfile", says);
    }
}

/// The services of a Compose file that are built, each with its folder.
fn built(text: &str) -> Vec<(String, String)> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut found: Vec<(String, String)> = Vec::new();
    let (mut inside, mut depth, mut service, mut build) = (false, 0, String::new(), None);
    let lines = text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    for line in lines {
        let at = indent(line);
        if at == 0 {
            inside = line.trim_end() == "services:";
            (depth, build) = (0, None);
            continue;
        }
        if !inside {
            continue;
        }
        if depth == 0 {
            depth = at;
        }
        let line = line.trim();
        if at == depth {
            service = line.trim_end_matches(':').to_owned();
            build = None;
            continue;
        }
        if build.is_some_and(|build| at <= build) {
            build = None;
        }
        let dir = match line.strip_prefix("build:") {
            Some("") => {
                build = Some(at);
                continue;
            }
            Some(dir) => Some(dir),
            None => line.strip_prefix("context:").filter(|_| build.is_some()),
        };
        if let Some(dir) = dir {
            let dir = dir.trim().trim_matches(['"', '\'']);
            let dir = dir.trim_start_matches("./").trim_end_matches('/');
            let dir = if dir.is_empty() { "." } else { dir };
            found.push((service.clone(), dir.to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_that_are_built() {
        let text = "version: '3'\nservices:\n  db:\n    image: postgres\n  api:\n    build: ./api\n  web:\n    build:\n      context: \"./web/\"\n      args: {}\n    environment:\n      context: no\nvolumes:\n  build: x\n";
        assert_eq!(
            built(text),
            [
                ("api".to_owned(), "api".to_owned()),
                ("web".to_owned(), "web".to_owned())
            ]
        );
    }

    #[test]
    fn what_a_dockerfile_starts() {
        for (text, command) in [
            ("FROM x\nCMD [\"node\", \"a.js\"]\n", Some("node a.js")),
            ("CMD npm start", Some("npm start")),
            (
                "ENTRYPOINT [\"./run\"]\nCMD [\"--port\", \"80\"]",
                Some("./run --port 80"),
            ),
            ("FROM x", None),
        ] {
            assert_eq!(starts(text).as_deref(), command, "{text}");
        }
    }
}
