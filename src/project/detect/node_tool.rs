//! npm, pnpm, yarn and bun: how each installs, runs a script, and what a script comes down to.

use super::folder::Folder;
use super::guess::Guess;
use super::node::Package;

/// Which one, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PackageManager {
    kind: Kind,
    /// The lock file, if there is one.
    pub lock: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Npm,
    Pnpm,
    Yarn,
    /// Yarn 2 and later.
    YarnBerry,
    Bun,
}

impl PackageManager {
    /// By the lock file, else by the `packageManager` field (of Corepack), else npm.
    pub fn of(folder: &Folder, package: &Package) -> Self {
        let field = package.text("packageManager").unwrap_or_default();
        let berry = folder.is_file(".yarnrc.yml")
            || (field.starts_with("yarn@") && !field.starts_with("yarn@1"));
        let yarn = if berry { Kind::YarnBerry } else { Kind::Yarn };
        let locks = [
            ("pnpm-lock.yaml", Kind::Pnpm),
            ("bun.lock", Kind::Bun),
            ("bun.lockb", Kind::Bun),
            ("yarn.lock", yarn),
            ("package-lock.json", Kind::Npm),
            ("npm-shrinkwrap.json", Kind::Npm),
        ];
        let asked = match field.split('@').next() {
            Some("pnpm") => Some(Kind::Pnpm),
            Some("yarn") => Some(yarn),
            Some("bun") => Some(Kind::Bun),
            Some("npm") => Some(Kind::Npm),
            _ => None,
        };
        // A field beats a lock file left over from another one.
        let found = locks
            .into_iter()
            .find(|(file, kind)| folder.is_file(file) && asked.is_none_or(|asked| asked == *kind));
        Self {
            kind: found.map(|(_, kind)| kind).or(asked).unwrap_or(Kind::Npm),
            lock: found.map(|(file, _)| file),
        }
    }

    /// The command that installs exactly what is locked; `lean` leaves out what is for
    /// development.
    pub fn install(&self, folder: &Folder, lean: bool) -> String {
        let locked = self.lock.is_some();
        let (command, flag) = match (self.kind, locked) {
            (Kind::Npm, true) => ("npm ci", " --omit=dev"),
            (Kind::Npm, false) => ("npm install", " --omit=dev"),
            (Kind::Pnpm, true) => ("pnpm install --frozen-lockfile", " --prod"),
            (Kind::Pnpm, false) => ("pnpm install", " --prod"),
            (Kind::Yarn, true) => ("yarn install --frozen-lockfile", " --production"),
            (Kind::Yarn, false) => ("yarn install", " --production"),
            (Kind::YarnBerry, true) => ("yarn install --immutable", ""),
            (Kind::YarnBerry, false) => ("yarn install", ""),
            (Kind::Bun, true) => ("bun install --frozen-lockfile", " --production"),
            (Kind::Bun, false) => ("bun install", " --production"),
        };
        // A postinstall of the project itself may need what is for development.
        let scripts = folder
            .json("package.json")
            .and_then(|p| p.get("scripts").cloned());
        let hooks = scripts.is_some_and(|s| {
            ["prepare", "postinstall"]
                .iter()
                .any(|n| s.get(n).is_some())
        });
        let flag = if lean && !hooks { flag } else { "" };
        format!("{command}{flag}")
    }

    /// The command that runs a script of `package.json`.
    pub fn run(&self, script: &str) -> String {
        match (self.kind, script) {
            (Kind::Npm, "test") => "npm test".to_owned(),
            (Kind::Npm, _) => format!("npm run {script}"),
            (Kind::Pnpm, "test") => "pnpm test".to_owned(),
            (Kind::Pnpm, _) => format!("pnpm run {script}"),
            (Kind::Yarn | Kind::YarnBerry, _) => format!("yarn {script}"),
            (Kind::Bun, _) => format!("bun run {script}"),
        }
    }

    /// Where the installed packages are.
    pub fn shipped(&self, folder: &Folder) -> &'static [&'static str] {
        if self.plug_and_play(folder) {
            &[".pnp.cjs", ".pnp.loader.mjs", ".yarn"]
        } else {
            &["node_modules"]
        }
    }

    fn plug_and_play(&self, folder: &Folder) -> bool {
        let linker = folder.read(".yarnrc.yml").unwrap_or_default();
        self.kind == Kind::YarnBerry
            && (folder.is_file(".pnp.cjs") || !linker.contains("nodeLinker"))
    }

    /// What a start script comes down to, without the package manager in between: signals reach
    /// the app itself, and the host needs no npm. Environment that the script sets moves to the
    /// service.
    pub fn production(&self, package: &Package, script: &str, guess: &mut Guess) -> Option<String> {
        self.resolve(package, script, guess, 0)
    }

    fn resolve(
        &self,
        package: &Package,
        script: &str,
        guess: &mut Guess,
        depth: u8,
    ) -> Option<String> {
        // What runs last is what stays; a build before it is a step of the build.
        let mut rest = script.rsplit("&&").next()?.trim();
        loop {
            let (word, after) = split(rest);
            match word.split_once('=') {
                Some((name, value)) if is_variable(name) => {
                    if name != "PORT" && !value.contains('$') {
                        guess
                            .env
                            .insert(name.to_owned(), value.trim_matches(['"', '\'']).to_owned());
                    } else if name == "PORT" {
                        // The port goes where ports go; see `port`.
                        guess.framework = value
                            .parse()
                            .ok()
                            .map(|p| (format!("the script `{script}`"), p))
                            .or(guess.framework.take());
                    }
                    rest = after;
                }
                _ if word == "cross-env" || word == "exec" => rest = after,
                _ if word == "dotenv" || word == "dotenvx" || word == "env-cmd" => {
                    rest = after
                        .split_once("-- ")
                        .map_or(after, |(_, command)| command);
                }
                _ => break,
            }
        }
        let (word, after) = split(rest);
        let named = |name: &str| package.script(name).filter(|_| depth < 5);
        match word {
            "" => None,
            "npm" | "pnpm" | "yarn" | "bun" => {
                let (verb, tail) = split(after);
                let name = if verb == "run" { split(tail).0 } else { verb };
                match named(name) {
                    Some(script) => self.resolve(package, script, guess, depth + 1),
                    None if word == "bun" => Some(rest.to_owned()),
                    None if verb == "exec" || verb == "dlx" => {
                        self.resolve(package, tail, guess, depth + 1)
                    }
                    None => Some(rest.to_owned()),
                }
            }
            "npx" | "bunx" => self.resolve(package, after, guess, depth + 1),
            "nodemon" | "node-dev" | "pm2-runtime" => {
                let file = after
                    .split_whitespace()
                    .find(|w| w.contains('.') && !w.starts_with('-'))?;
                guess.note(format!(
                    "the start script uses {word}; in production it is node, and ship restarts it"
                ));
                let typescript = file.ends_with("ts") && package.has("tsx");
                Some(if typescript {
                    format!("./node_modules/.bin/tsx {file}")
                } else {
                    format!("node {file}")
                })
            }
            "node" => {
                let drop = ["--env-file", "--watch", "--inspect"];
                let words: Vec<&str> = after
                    .split_whitespace()
                    .filter(|word| !drop.iter().any(|flag| word.starts_with(flag)))
                    .collect();
                if after.contains("--env-file") {
                    guess.note(
                        "the start script reads an env file; ship gives the environment instead",
                    );
                }
                Some(format!("node {}", words.join(" ")))
            }
            "deno" | "sh" | "bash" => Some(rest.to_owned()),
            path if path.contains('/') => Some(rest.to_owned()),
            tool if self.kind == Kind::YarnBerry => {
                Some(format!("yarn {tool} {after}").trim().to_owned())
            }
            tool => Some(
                format!("./node_modules/.bin/{tool} {after}")
                    .trim()
                    .to_owned(),
            ),
        }
    }
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
