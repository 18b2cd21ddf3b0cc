//! The variables that a build of JavaScript reads, and where it leaves them.

use super::super::folder::{Folder, Source};
use super::super::guess::{Guess, Stack};
use super::super::node_imports;
use super::super::reason::About;
use super::known::PUBLIC;
use super::reads::is_name;
use super::schemas;

/// Modules of SvelteKit whose names are filled in by the build.
const STATIC: &[&str] = &["$env/static/private", "$env/static/public"];
/// What stands before a name that the build replaces by its value.
const REPLACED: &[&str] = &["process.env.", "import.meta.env."];
/// How many names a sentence holds.
const MOST: usize = 6;

/// Says in `guess` what the build needs: a switch that puts a check off until the start, or
/// sentences about the variables that it reads.
pub(super) fn apply(folder: &Folder, sources: &[&Source], guess: &mut Guess) {
    if !matches!(guess.stack, Stack::Node | Stack::Deno) || guess.build.run.is_empty() {
        return;
    }
    let is_set = |name: &str| is_committed(folder, name);
    let checks = checks(folder, sources, guess);
    let mut told: Vec<String> = Vec::new();
    let mut filled: Vec<String> = Vec::new();
    let mut filled_in = String::new();
    for source in sources {
        for name in replaced(source)
            .into_iter()
            .chain(schemas::needed(source).client)
        {
            if !filled.contains(&name) && !is_set(&name) {
                if filled.is_empty() {
                    filled_in.clone_from(&source.path);
                }
                filled.push(name);
            }
        }
        for name in imported(source) {
            if !told.contains(&name) && !is_set(&name) {
                told.push(name);
            }
        }
    }
    if !told.is_empty() {
        guess.note(format!(
            "the build stops without {} ($env/static), and steps do not see the variables of your \
             shell: `inherit-env = true` in [build] passes them on, or `env` there holds them",
            listed(&told)
        ));
    }
    if let Some(note) = checks {
        guess.note(note);
    }
    if !filled.is_empty() {
        let values = match filled.len() {
            1 => "its value belongs",
            _ => "their values belong",
        };
        guess.note(format!(
            "the build writes {} into what browsers get ({filled_in}): {values} in `env` of [build] \
             in ship.toml",
            listed(&filled)
        ));
    }
}

/// Frameworks whose build loads the modules of the server.
const LOADING: &[&str] = &["Next.js", "SvelteKit"];

/// What to know where the build loads modules that need secrets.
pub(super) fn loads(guess: &Guess) -> Option<String> {
    let framework = guess.framework.as_ref().map(|(name, _)| name.as_str());
    let is_loaded = framework.is_some_and(|name| LOADING.contains(&name));
    let told = guess
        .notes
        .iter()
        .any(|note| note.starts_with("the build checks"));
    let has_switch = guess.build.env.values().any(|value| value == "1");
    let names = &guess.secrets;
    (is_loaded && !told && !has_switch && !guess.build.run.is_empty() && !names.is_empty()).then(
        || {
            format!(
                "steps do not see the variables of your shell: if the build stops for want of {}, \
             `inherit-env = true` in [build] passes them on",
                listed(names)
            )
        },
    )
}

/// A schema that the settings of the build load: switched off for the build where the schema has a
/// switch for it, else a sentence about it.
fn checks(folder: &Folder, sources: &[&Source], guess: &mut Guess) -> Option<String> {
    let settings = folder.names().filter(|name| {
        let stem = name.split('.').next().unwrap_or_default();
        name.contains(".config.")
            && ["next", "nuxt", "vite", "astro", "svelte", "app"].contains(&stem)
    });
    let loaded: Vec<String> = settings
        .flat_map(|file| node_imports::of(folder, file).files)
        .collect();
    let source = sources
        .iter()
        .find(|source| loaded.contains(&source.path) && !schemas::needed(source).start.is_empty());
    // Pages are rendered by the build, and load what they import.
    let source = source.or_else(|| {
        sources.iter().find(|source| {
            source.text.contains("createEnv(") && !schemas::needed(source).start.is_empty()
        })
    })?;
    let switch = source
        .text
        .split_once("skipValidation:")
        .and_then(|(_, rest)| {
            let value = rest.split([',', '}']).next()?;
            let (_, name) = value.split_once("process.env.")?;
            let name = name
                .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .next()?;
            (is_name(name) && !["CI", "NODE_ENV"].contains(&name)).then_some(name)
        });
    if let Some(name) = switch {
        guess.because(
            About::Build,
            &source.path,
            format!("checks its variables also in a build, unless {name} is set"),
        );
        guess.build.env.insert(name.to_owned(), "1".to_owned());
        return None;
    }
    let names = schemas::needed(source).start;
    Some(format!(
        "the build checks {} as well ({}), and steps do not see the variables of your shell: \
         `inherit-env = true` in [build] passes them on, or `env` there holds them",
        listed(&names),
        source.path
    ))
}

/// The public names that `source` reads and has no other value for.
fn replaced(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for line in source.lines() {
        for before in REPLACED {
            for (at, _) in line.match_indices(before) {
                let rest = &line[at + before.len()..];
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
                let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
                let rest = rest.trim_start();
                let asked = ["??", "||", "&&", "?", "==", "!="];
                let may_lack = asked
                    .iter()
                    .any(|it| rest.starts_with(it) && !rest.starts_with("?? throw"))
                    || line.trim_start().starts_with("if ")
                    || line.contains(".optional(")
                    || line[..at].trim_end().ends_with(['!', '?']);
                let is_public = PUBLIC.iter().any(|start| name.starts_with(start));
                // What a platform sets is not there elsewhere.
                if is_public && !may_lack && is_name(name) && !name.contains("VERCEL_") {
                    found.push(name.to_owned());
                }
            }
        }
    }
    found
}

/// The names that are imported from [`STATIC`].
fn imported(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in source.text.match_indices("$env/static/") {
        let is_known = STATIC
            .iter()
            .any(|module| source.text[at..].starts_with(module));
        let before = &source.text[..at];
        let Some((_, names)) = before.rsplit_once("import").filter(|_| is_known) else {
            continue;
        };
        let names = names
            .split(['{', '}', ','])
            .filter_map(|name| name.split_whitespace().next());
        found.extend(names.filter(|name| is_name(name)).map(str::to_owned));
    }
    found
}

/// Whether a file that a build reads by itself, and that git has, gives `name` a value.
fn is_committed(folder: &Folder, name: &str) -> bool {
    let ignored = folder.read(".gitignore").unwrap_or_default();
    let is_ignored = |file: &str| {
        ignored.lines().map(str::trim).any(|line| {
            let line = line.trim_start_matches('/');
            line == file
                || line
                    .strip_suffix('*')
                    .is_some_and(|start| !start.is_empty() && file.starts_with(start))
        })
    };
    let files = [".env", ".env.production"]
        .into_iter()
        .filter(|file| !is_ignored(file));
    files.filter_map(|file| folder.read(file)).any(|text| {
        text.lines().any(|line| {
            line.split_once('=')
                .is_some_and(|(key, _)| key.trim() == name)
        })
    })
}

fn listed(names: &[String]) -> String {
    match names.len() {
        0..=MOST => names.join(", "),
        more => format!("{} and {} more", names[..MOST].join(", "), more - MOST),
    }
}
