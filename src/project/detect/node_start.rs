//! What a script of `package.json` comes down to in production.

use super::guess::{Guess, HookGuess};
use super::node::Package;
use super::node_frameworks;
use super::node_tool::PackageManager;
use super::oneoff;

/// What a script starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Start {
    /// This command.
    Command(String),
    /// A server for development: the tool and its verb.
    Development(String),
    /// Nothing that is known.
    Unknown,
}

impl Start {
    /// The command, if there is one to run in production.
    pub fn command(self) -> Option<String> {
        match self {
            Self::Command(command) => Some(command),
            Self::Development(_) | Self::Unknown => None,
        }
    }
}

/// Servers for development: the tool, and the verbs that start one; `""` for none.
const DEVELOPMENT: &[(&str, &[&str])] = &[
    ("analog", &["serve", "dev"]),
    ("astro", &["", "dev", "preview", "start"]),
    ("docusaurus", &["start", "serve"]),
    ("eleventy", &["--serve"]),
    ("expo", &["start"]),
    ("gatsby", &["develop", "serve"]),
    ("keystone", &["dev"]),
    ("live-server", &[""]),
    ("nest", &["start"]),
    ("next", &["", "dev"]),
    ("ng", &["serve", "s"]),
    ("nuxi", &["dev", "preview"]),
    ("nuxt", &["", "dev", "preview", "start"]),
    ("parcel", &["", "serve", "watch"]),
    ("react-router", &["dev"]),
    ("react-scripts", &["start"]),
    ("remix", &["dev", "vite:dev", "watch"]),
    ("rsbuild", &["dev", "preview"]),
    ("strapi", &["develop", "dev"]),
    ("storybook", &["dev"]),
    ("vinxi", &["dev"]),
    ("vite", &["", "dev", "serve", "preview"]),
    ("vue-cli-service", &["serve"]),
    ("webpack", &["serve"]),
    ("webpack-dev-server", &[""]),
    ("wrangler", &["dev"]),
];

/// Programs that start another one anew at each change, and what runs a file without them.
const WATCHERS: &[(&str, &str)] = &[
    ("node-dev", "node"),
    ("nodemon", "node"),
    ("pm2-runtime", "node"),
    ("supervisor", "node"),
    ("ts-node-dev", "ts-node"),
    ("tsnd", "ts-node"),
];

impl PackageManager {
    /// What `script` comes down to, without the package manager in between: signals reach the app
    /// itself, and the host needs no npm. Environment that the script sets moves to the service,
    /// and migrations before the app become a hook.
    pub fn production(&self, package: &Package, script: &str, guess: &mut Guess) -> Start {
        let oneoff::Line { hooks, command, .. } = oneoff::split(script);
        for hook in hooks {
            if let Start::Command(command) = self.resolve(package, &hook, guess, 0) {
                let command = node_frameworks::placed(package, command);
                guess.hooks.push(HookGuess::once(command));
            }
        }
        match self.resolve(package, &command, guess, 0) {
            Start::Command(command) => Start::Command(node_frameworks::placed(package, command)),
            other => other,
        }
    }

    /// Whether `script` starts something anew at each change, and nothing else.
    pub fn watches(&self, script: &str) -> bool {
        let words: Vec<&str> = script.split_whitespace().collect();
        let is_watcher = |word: &&str| WATCHERS.iter().any(|(name, _)| name == word);
        !script.contains(['&', '|', ';'])
            && (words.first().is_some_and(is_watcher)
                || words
                    .iter()
                    .any(|word| ["--watch", "--hot", "watch"].contains(word))
                    && words
                        .first()
                        .is_some_and(|word| ["node", "tsx", "bun"].contains(word)))
    }

    fn resolve(&self, package: &Package, script: &str, guess: &mut Guess, depth: u8) -> Start {
        // What runs last is what stays; a build before it is a step of the build.
        let last = script.rsplit("&&").next().unwrap_or_default();
        let rest = without_environment(last.trim(), script, guess);
        let (word, after) = split(rest);
        let named = |name: &str| package.script(name).filter(|_| depth < 5);
        let command = |text: String| Start::Command(text.trim().to_owned());
        match word {
            "" => Start::Unknown,
            "npm" | "pnpm" | "yarn" | "bun" => {
                let (verb, tail) = split(after);
                let (name, more) = if verb == "run" {
                    split(tail)
                } else {
                    (verb, tail)
                };
                let more = more.strip_prefix("-- ").unwrap_or(more);
                match named(name) {
                    Some(script) => {
                        let script = format!("{script} {more}");
                        self.resolve(package, script.trim(), guess, depth + 1)
                    }
                    None if word == "bun" => command(without_flags(rest, &["--watch", "--hot"])),
                    None if verb == "exec" || verb == "dlx" => {
                        self.resolve(package, tail, guess, depth + 1)
                    }
                    None => command(rest.to_owned()),
                }
            }
            "npx" | "bunx" => self.resolve(package, after, guess, depth + 1),
            "node" => {
                if after.contains("--env-file") {
                    guess.note(
                        "the start script reads an env file; ship gives the environment instead",
                    );
                }
                command(without_flags(rest, &["--env-file", "--watch", "--inspect"]))
            }
            "tsx" => {
                let after = after.strip_prefix("watch ").unwrap_or(after);
                command(self.tool(&without_flags(
                    &format!("tsx {after}"),
                    &["--env-file", "--watch"],
                )))
            }
            "deno" | "sh" | "bash" => command(rest.to_owned()),
            path if path.contains('/') => command(rest.to_owned()),
            tool => match WATCHERS.iter().find(|(name, _)| *name == tool) {
                Some((_, runner)) => self.unwatched(package, tool, runner, after, guess),
                None => self.by_tool(tool, after),
            },
        }
    }

    /// The file that a watcher would run, without it.
    fn unwatched(
        &self,
        package: &Package,
        tool: &str,
        runner: &str,
        after: &str,
        guess: &mut Guess,
    ) -> Start {
        let is_file = |word: &&str| word.contains('.') && !word.starts_with('-');
        let Some(file) = after.split_whitespace().find(is_file) else {
            return Start::Unknown;
        };
        guess.note(format!(
            "the project starts with {tool}; in production it is {runner}, and ship restarts it"
        ));
        let typed = file.ends_with("ts") || runner != "node";
        let runner = match self.typescript(package).filter(|_| typed) {
            Some(typescript) => typescript,
            None if runner == "node" => runner.to_owned(),
            None => self.tool(runner),
        };
        Start::Command(format!("{runner} {file}"))
    }

    /// A tool of the project's packages.
    fn by_tool(&self, tool: &str, after: &str) -> Start {
        let verb = after.split_whitespace().next().unwrap_or_default();
        let verbs = DEVELOPMENT.iter().find(|(name, _)| *name == tool);
        let is_flag = verb.starts_with('-') && verb != "--serve";
        let verb = if is_flag { "" } else { verb };
        if verbs.is_some_and(|(_, verbs)| verbs.contains(&verb)) {
            return Start::Development(format!("{tool} {verb}").trim().to_owned());
        }
        Start::Command(self.tool(format!("{tool} {after}").trim()))
    }
}

/// `rest` without the variables that it sets and the programs that only read some. The variables
/// become the environment of the service.
fn without_environment<'a>(mut rest: &'a str, script: &str, guess: &mut Guess) -> &'a str {
    loop {
        let (word, after) = split(rest);
        match word.split_once('=') {
            Some((name, value)) if is_variable(name) => {
                let value = value.trim_matches(['"', '\'']);
                if name == "PORT" {
                    // The port goes where ports go; see `port`.
                    let port = value.parse().ok();
                    let found = port.map(|port| (format!("the script `{script}`"), port));
                    guess.framework = found.or(guess.framework.take());
                } else if !value.contains('$') {
                    guess.env.insert(name.to_owned(), value.to_owned());
                }
                rest = after;
            }
            _ if word == "cross-env" || word == "exec" => rest = after,
            _ if word == "dotenv" || word == "dotenvx" || word == "env-cmd" => {
                rest = after
                    .split_once("-- ")
                    .map_or(after, |(_, command)| command);
            }
            _ => return rest,
        }
    }
}

/// `command` without the words that begin with one of `flags`.
fn without_flags(command: &str, flags: &[&str]) -> String {
    let words = command.split_whitespace();
    let words = words.filter(|word| !flags.iter().any(|flag| word.starts_with(flag)));
    words.collect::<Vec<_>>().join(" ")
}

/// The first word, and the rest.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    text.split_once(char::is_whitespace)
        .map_or((text, ""), |(word, rest)| (word, rest.trim()))
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
