//! Deno: `deno.json`, its tasks, or a file that serves.

use serde_json::Value;

use super::folder::{Folder, Source};
use super::guess::{Guess, Include, Stack, Strength};
use super::reason::About;
use super::text::has_word;

const TYPES: &[&str] = &["ts", "tsx", "js", "jsx", "mts", "mjs"];

/// Tasks that run the app in production, best first.
const TASKS: &[&str] = &["start", "serve", "prod", "preview", "dev"];

/// Files that serve by habit.
const ENTRIES: &[&str] = &[
    "main.ts",
    "server.ts",
    "main.tsx",
    "mod.ts",
    "app.ts",
    "index.ts",
    "src/main.ts",
    "src/server.ts",
    "main.js",
    "server.js",
];

/// The folder in the release that holds what `deno install` brought.
const CACHE: &str = ".deno";

/// Looks for a project of Deno.
pub(super) fn detect(folder: &Folder) -> Option<Guess> {
    let file = folder.first(&["deno.json", "deno.jsonc"])?;
    let json = folder
        .read(file)
        .and_then(|text| serde_json::from_str(&plain(&text)).ok());
    let json: Value = json.unwrap_or_default();
    let mut guess = Guess::new(Stack::Deno, TYPES);
    guess.needs("deno");
    guess.because(About::App, file, "is there");
    let name = json.get("name").and_then(Value::as_str);
    guess.named(file, name.map(str::to_owned));
    let task = |name: &str| {
        let task = json.get("tasks")?.get(name)?;
        task.get("command")
            .unwrap_or(task)
            .as_str()
            .map(str::to_owned)
    };
    if task("build").is_some() {
        guess.because(About::Build, file, "has a build task");
        guess.build.push("deno task build");
    }
    let found = TASKS.iter().find_map(|name| {
        let text = task(name)?;
        let command = text.rsplit("&&").next()?.trim();
        command
            .starts_with("deno ")
            .then(|| (format!("has a task {name}: {text}"), command.to_owned()))
    });
    let sources = folder.sources(TYPES);
    let (says, command) = found.or_else(|| {
        let entry = folder.first(ENTRIES)?;
        let source = sources.iter().find(|source| source.path == entry)?;
        let exports = source.text.contains("export default") && source.text.contains("fetch");
        let verb = if exports {
            "serve"
        } else {
            "run --allow-net --allow-env"
        };
        Some((
            format!("has no task that starts it, but {entry} is there"),
            format!("deno {verb} --allow-read {entry}"),
        ))
    })?;
    guess.because(About::Service, file, says);
    let listens = command.contains("deno serve")
        || sources
            .iter()
            .any(|source| source.text.contains("Deno.serve(") || source.text.contains(".listen("));
    if listens {
        guess.framework = Some(("Deno".to_owned(), 8000));
    }
    let brings = folder.is_file("deno.lock")
        || json.get("imports").is_some()
        || sources.iter().any(|source| {
            ["\"npm:", "\"jsr:", "\"https://"]
                .iter()
                .any(|start| source.text.contains(start))
        });
    let strength = match folder.is_file("package.json") {
        true => Strength::Runs,
        false => Strength::Certain,
    };
    let mut command_line = started(&command, brings);
    // It reads no `$PORT` by itself (Deno's manual, "Environment variables").
    let says_port = |source: &&Source| {
        source
            .lines()
            .any(|line| line.to_lowercase().contains("port:") || has_word(line, "PORT"))
    };
    if sources
        .iter()
        .any(|source| source.text.contains("Deno.serve("))
        && !sources.iter().any(says_port)
    {
        command_line = format!("DENO_SERVE_ADDRESS=tcp:0.0.0.0:$PORT {command_line}");
    }
    if brings && !folder.is_file("deno.lock") {
        command_line = command_line.replacen("--cached-only", "--cached-only --no-lock", 1);
    }
    guess.runs(strength, command_line);
    let mut add = Vec::new();
    if brings {
        let entry = command.split_whitespace().rev().find(|word| {
            TYPES.iter().any(|ext| word.ends_with(&format!(".{ext}"))) && folder.is_file(word)
        });
        // A lock that the build wrote would be a change that nobody committed.
        let lock = if folder.is_file("deno.lock") {
            " --frozen"
        } else {
            " --no-lock"
        };
        let entry = entry
            .map(|file| format!(" --entrypoint {file}"))
            .unwrap_or_default();
        guess
            .build
            .run
            .insert(0, format!("deno install{lock}{entry}"));
        let cache = || [("DENO_DIR".to_owned(), CACHE.to_owned())];
        guess.build.env.extend(cache());
        for service in &mut guess.services {
            service.env.extend(cache());
        }
        guess.because(
            About::Release,
            "deno install",
            format!("brings the packages into {CACHE}"),
        );
        add.push(CACHE.to_owned());
        // What depends on the machine and the moment.
        guess
            .exclude
            .extend([format!("{CACHE}/gen"), format!("{CACHE}/*_cache_v*")]);
    }
    let modules = json.get("nodeModulesDir").and_then(Value::as_str);
    if modules.is_some_and(|mode| mode != "none") || folder.is_file("package.json") && brings {
        add.push("node_modules".to_owned());
    }
    if task("build").is_some() {
        let outputs = ["_fresh", "dist", "build"].iter();
        add.extend(
            outputs
                .filter(|dir| command.contains(*dir))
                .map(|dir| (*dir).to_owned()),
        );
    }
    for config in ["deno.json", "deno.jsonc", "deno.lock"] {
        if folder.is_file(config) {
            add.push(config.to_owned());
        }
    }
    guess.include = Include::Sources { add, drop: vec![] };
    if task("test").is_some() {
        guess.because(About::Test, file, "has a test task");
        guess.test.push("deno task test");
        guess.test.env.clone_from(&guess.build.env);
    }
    Some(guess)
}

/// The command of a task as a service: it watches nothing, fetches nothing and takes the port of
/// the service.
fn started(command: &str, is_cached: bool) -> String {
    let mut words: Vec<&str> = command
        .split_whitespace()
        .filter(|word| !word.starts_with("--watch") && !word.starts_with("--inspect"))
        .collect();
    let subcommand = words.get(1).copied().unwrap_or_default();
    if subcommand == "serve" && !words.iter().any(|word| word.starts_with("--port")) {
        words.insert(2, "--port=$PORT");
    }
    if is_cached && ["serve", "run"].contains(&subcommand) {
        words.insert(2, "--cached-only");
    }
    words.join(" ")
}

/// JSON without the comments and the last commas that `deno.jsonc` may have.
fn plain(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let rest = text[at + c.len_utf8()..].trim_start();
        if c != ',' || !rest.starts_with(['}', ']']) {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_becomes_a_service() {
        for (task, command) in [
            (
                "deno run -A --watch main.ts",
                "deno run --cached-only -A main.ts",
            ),
            (
                "deno serve -R main.ts",
                "deno serve --cached-only --port=$PORT -R main.ts",
            ),
            (
                "deno serve --port 80 main.ts",
                "deno serve --cached-only --port 80 main.ts",
            ),
            ("deno task x", "deno task x"),
        ] {
            assert_eq!(started(task, true), command);
        }
        assert_eq!(started("deno run main.ts", false), "deno run main.ts");
    }

    #[test]
    fn comments_and_last_commas_are_passed_over() {
        assert_eq!(
            plain("{\n  // x\n  \"a\": [1,\n ],\n}"),
            "{\n  \"a\": [1\n ]\n}"
        );
    }
}
