//! Which sources of a Node project its services load: what a front end, a script or a tool of the
//! project needs is nothing that the app needs. Where modules are loaded by names that the code makes
//! up, nobody knows, and all sources count.

use std::collections::BTreeSet;

use super::folder::{Folder, Source};
use super::guess::{Guess, Stack};
use super::node_imports::{inside, is_there};
use super::text::spans;

/// Packages that load the modules of a folder, by their names or a part of them.
#[rustfmt::skip]
const LOADERS: &[&str] = &[
    "@adonisjs/core", "@keystone-6/", "@loopback/boot", "@strapi/", "autoload", "consign", "egg",
    "include-all", "jiti", "midway", "moleculer", "require-all", "require-dir", "sails",
];

/// The sources that none of the services of `guess` loads; none where that cannot be told.
pub(super) fn aside(folder: &Folder, guess: &Guess) -> Vec<String> {
    if guess.stack != Stack::Node || folder.home().is_some() {
        return Vec::new();
    }
    let packages = packages(folder);
    let is_loader = |name: &String| LOADERS.iter().any(|loader| name.contains(loader));
    let sources = folder.sources(guess.types);
    let reached = match packages.iter().any(is_loader) {
        true => None,
        false => reached(folder, guess, &sources, &packages),
    };
    let Some(reached) = reached else {
        return Vec::new();
    };
    let paths = sources.iter().map(|source| &source.path);
    paths
        .filter(|path| !reached.contains(*path))
        .cloned()
        .collect()
}

/// How the template of a file that each makes for himself is called, after the file's own name.
const TEMPLATES: &[&str] = &["default", "dist", "example", "sample", "template"];

/// What to know where a source loads a module that is not there, and its template is: a file that each
/// makes for himself is in no clone.
pub(super) fn template(folder: &Folder, guess: &Guess) -> Option<String> {
    if guess.stack != Stack::Node {
        return None;
    }
    let sources = folder.sources(guess.types);
    sources.iter().find_map(|source| {
        let code: String = source.lines().flat_map(|line| [line, "\n"]).collect();
        let dir = source.path.rsplit_once('/').map_or("", |(dir, _)| dir);
        names(&code)?.into_iter().find_map(|(text, is_module)| {
            let is_near = is_module && text.starts_with('.');
            let place = inside(&format!("{dir}/{text}")).filter(|_| is_near)?;
            if is_there(folder, &place).is_some() || folder.is_dir(&place) {
                return None;
            }
            let (parent, name) = place.rsplit_once('/').unwrap_or(("", &place));
            let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
            let files = folder.names_in(parent);
            let template = files.iter().find(|file| {
                let rest = file.strip_prefix(stem).unwrap_or_default();
                let mut words = rest.split(['.', '-', '_']);
                words.next() == Some("") && words.any(|word| TEMPLATES.contains(&word))
            })?;
            Some(format!(
                "{} loads {text}, which is not there: copy {template} beside it, and commit the copy",
                source.path
            ))
        })
    })
}

/// The packages that the project depends on in any way.
fn packages(folder: &Folder) -> BTreeSet<String> {
    const LISTS: &[&str] = &[
        "dependencies",
        "devDependencies",
        "optionalDependencies",
        "peerDependencies",
    ];
    let json = folder.json("package.json").unwrap_or_default();
    let lists = LISTS.iter().filter_map(|list| json.get(list)?.as_object());
    lists.flat_map(|list| list.keys().cloned()).collect()
}

/// The sources that the services load, directly and in turn; `None` where that cannot be told.
fn reached(
    folder: &Folder,
    guess: &Guess,
    sources: &[&Source],
    packages: &BTreeSet<String>,
) -> Option<BTreeSet<String>> {
    let mut queue: Vec<String> = Vec::new();
    for service in &guess.services {
        queue.push(started(folder, service.command.as_deref()?)?);
    }
    let mut found = BTreeSet::new();
    while let Some(path) = queue.pop() {
        if !found.insert(path.clone()) {
            continue;
        }
        let text = match sources.iter().find(|source| source.path == path) {
            Some(source) => source.lines().flat_map(|line| [line, "\n"]).collect(),
            // `bin/www` has no ending.
            None => folder.read(&path)?,
        };
        let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
        for (text, is_module) in names(&text)? {
            let near = text
                .starts_with('.')
                .then(|| inside(&format!("{dir}/{text}")));
            let module = near.flatten().and_then(|place| is_there(folder, &place));
            match module {
                Some(module) => queue.push(module),
                // A short name for a folder of the project, or a file that is still to be made.
                None if is_module && !is_package(packages, text) => return None,
                // A worker, or what another process runs, by its path or its name alone.
                None => queue.extend(named(sources, text)),
            }
        }
    }
    Some(found)
}

/// The file that a command starts.
fn started(folder: &Folder, command: &str) -> Option<String> {
    let mut words = command.split_whitespace();
    let runs = words.any(|word| {
        let name = word.rsplit('/').next();
        name.is_some_and(|name| ["node", "tsx", "ts-node", "bun"].contains(&name))
    });
    let file = words.find(|word| !word.starts_with('-')).filter(|_| runs)?;
    is_there(folder, &inside(file)?)
}

/// The texts in a source, each with whether it is the name of a module; `None` where a name of a
/// module is no plain text.
fn names(code: &str) -> Option<Vec<(&str, bool)>> {
    let mut found = Vec::new();
    let mut begin = 0;
    for line in code.split_inclusive('\n') {
        for (at, text) in spans(line) {
            let before = code[..begin + at - 1].trim_end();
            let is_module = ["require(", "import(", "from", "import", "require.resolve("]
                .iter()
                .any(|word| before.ends_with(word));
            found.push((text, is_module && !text.contains("${")));
        }
        begin += line.len();
    }
    for call in ["require(", "import("] {
        for (at, _) in code.match_indices(call) {
            let is_word = |c: char| c.is_alphanumeric() || "_$.".contains(c);
            let argument = code[at + call.len()..].trim_start();
            let is_plain = argument.starts_with(['"', '\'', ')'])
                || argument.starts_with('`') && !argument[1..].split('`').next()?.contains("${");
            if !code[..at].ends_with(is_word) && !is_plain {
                return None;
            }
        }
    }
    Some(found)
}

/// Whether a module is one of Node's own, or of a package.
fn is_package(packages: &BTreeSet<String>, name: &str) -> bool {
    const OWN: &[&str] = &[
        "assert",
        "async_hooks",
        "buffer",
        "child_process",
        "cluster",
        "console",
        "constants",
        "crypto",
        "dgram",
        "diagnostics_channel",
        "dns",
        "domain",
        "events",
        "fs",
        "http",
        "http2",
        "https",
        "inspector",
        "module",
        "net",
        "os",
        "path",
        "perf_hooks",
        "process",
        "punycode",
        "querystring",
        "readline",
        "repl",
        "stream",
        "string_decoder",
        "timers",
        "tls",
        "tty",
        "url",
        "util",
        "v8",
        "vm",
        "wasi",
        "worker_threads",
        "zlib",
    ];
    let mut parts = name.split('/');
    let first = parts.next().unwrap_or_default();
    let whole = match first.starts_with('@') {
        true => format!("{first}/{}", parts.next().unwrap_or_default()),
        false => first.to_owned(),
    };
    let is_known = name.starts_with("node:") || name.starts_with("bun:") || OWN.contains(&first);
    is_known || packages.contains(&whole)
}

/// The sources that a text names: by the whole path, or by its last part.
fn named(sources: &[&Source], text: &str) -> Vec<String> {
    let path = text.trim_start_matches("../").trim_start_matches("./");
    let is_it = |source: &&&Source| {
        let rest = source.path.strip_suffix(path);
        path.contains('.') && rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
    };
    sources
        .iter()
        .filter(is_it)
        .map(|source| source.path.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::seen;

    const PACKAGE: &str =
        r#"{"scripts": {"start": "node server/main.js"}, "dependencies": {"express": "5"}}"#;

    /// What is asked for where `main` is the server, and a script beside it reads a variable.
    fn asked(package: &str, main: &str) -> Vec<String> {
        let needs = |name: &str| {
            format!("if (!process.env.{name}) {{ throw new Error('{name} is required') }}")
        };
        let detected = seen(&[
            ("package.json", package),
            ("server/main.js", main),
            ("server/db.js", &needs("DB_TOKEN")),
            ("server/worker.js", &needs("WORKER_TOKEN")),
            ("release/publish.js", &needs("RELEASE_TOKEN")),
        ]);
        let mut required = detected.required;
        required.sort();
        required
    }

    #[test]
    fn only_what_a_server_loads_counts() {
        for main in [
            "const db = require('./db')\nnew Worker('./worker.js')\napp.listen(3000)",
            "import express from 'express'\nimport { db } from './db.js'\nfork(path.join(__dirname, 'worker.js'))\napp.listen(3000)",
            "import fs from 'node:fs'\nawait import(`./db.js`)\nexport * from './worker.js'\napp.listen(3000)",
        ] {
            assert_eq!(asked(PACKAGE, main), ["DB_TOKEN", "WORKER_TOKEN"], "{main}");
        }
    }

    #[test]
    fn a_template_of_a_module_that_is_missing_is_named() {
        let note = |files: &[(&str, &str)]| {
            let mut all = vec![
                ("package.json", PACKAGE),
                (
                    "server/main.js",
                    "const config = require('./config')\napp.listen(3000)",
                ),
            ];
            all.extend(files);
            let notes = seen(&all).notes.into_iter();
            notes
                .filter(|note| note.contains("which is not there"))
                .collect::<Vec<_>>()
        };
        for file in [
            "config.template.js",
            "config-example.js",
            "config.js.sample",
        ] {
            let path = format!("server/{file}");
            assert_eq!(
                note(&[(&path, "")]),
                [format!(
                    "server/main.js loads ./config, which is not there: copy {file} beside it, and \
                     commit the copy"
                )]
            );
            assert_eq!(note(&[(&path, ""), ("server/config.js", "")]), [""; 0]);
        }
        assert_eq!(note(&[("server/other.template.js", "")]), [""; 0]);
    }

    #[test]
    fn where_nobody_can_tell_all_sources_count() {
        let all = ["DB_TOKEN", "RELEASE_TOKEN", "WORKER_TOKEN"];
        for main in [
            "for (const file of fs.readdirSync('.')) require(file)\napp.listen(3000)",
            "await import(`./${name}.js`)\napp.listen(3000)",
            "import { db } from '@server/db'\napp.listen(3000)",
            "import db from '#db'\napp.listen(3000)",
            "import db from './made.js'\napp.listen(3000)",
        ] {
            assert_eq!(asked(PACKAGE, main), all, "{main}");
        }
        let loader = PACKAGE.replace("express", "@fastify/autoload");
        assert_eq!(asked(&loader, "app.listen(3000)"), all);
        let built = PACKAGE.replace("server/main.js", "dist/main.js");
        assert_eq!(asked(&built, "app.listen(3000)"), all);
    }
}
