//! Rust: `Cargo.toml`, its binaries, those of a workspace.

mod loco;

use std::collections::BTreeSet;
use std::path::Path;

use super::folder::{Folder, Source};
use super::guess::{Guess, Stack};
use super::programs::{self, Program};
use super::reason::About;
use super::runtime_files;
use super::workspace::{Workspace, WorkspaceKind};

const TYPES: &[&str] = &["rs"];

/// Frameworks, and the port that they take by themselves.
const FRAMEWORKS: &[(&str, &str, Option<u16>)] = &[
    ("rocket", "Rocket", Some(8000)),
    // Its projects list axum beside it.
    ("loco-rs", "Loco", Some(5150)),
    ("axum", "axum", None),
    ("actix-web", "Actix Web", None),
    ("warp", "warp", None),
    ("poem", "Poem", None),
    ("tide", "Tide", None),
    ("salvo", "Salvo", None),
    ("hyper", "hyper", None),
    ("tiny_http", "tiny_http", None),
];

/// Frameworks whose build needs more than Cargo: the crate, and the command that builds it.
const OWN_BUILDS: &[(&str, &str)] = &[
    ("leptos", "cargo leptos build --release"),
    ("dioxus", "dx bundle --platform web"),
    ("yew", "trunk build --release"),
];

/// A crate: its folder (empty, or ending in `/`) and its `Cargo.toml`.
struct Crate {
    dir: String,
    manifest: toml::Table,
}

/// The root of the workspace that `dir`, an absolute path, is a member of: Cargo builds there.
pub(super) fn member(dir: &Path) -> Option<Folder> {
    let is_cargo = |kind| kind == WorkspaceKind::Cargo;
    let (workspace, member) = Workspace::around(dir, is_cargo)?;
    Some(Folder::of_crate(&workspace.root, &member.dir))
}

/// Looks for a Rust program.
pub(super) fn detect(folder: &Folder) -> Option<Guess> {
    if !folder.is_file("Cargo.toml") {
        return None;
    }
    let mut guess = Guess::new(Stack::Rust, TYPES);
    let Some(manifest) = folder.toml("Cargo.toml") else {
        guess.note("Cargo.toml is not valid TOML, so it was not used");
        return Some(guess);
    };
    guess.because(About::App, "Cargo.toml", "is there");
    let mut crates = vec![Crate {
        dir: String::new(),
        manifest: manifest.clone(),
    }];
    crates.extend(members(folder, &manifest));
    let several = crates.len() > 1;
    if let Some(dir) = folder.focus() {
        crates.retain(|one| one.dir.trim_end_matches('/') == dir);
    }
    // What the project says of itself: the one crate, or the one at the root.
    let own = crates.first().map_or(manifest, |one| one.manifest.clone());
    let locked = if folder.is_file("Cargo.lock") {
        guess.because(About::Build, "Cargo.lock", "locks the dependencies");
        " --locked"
    } else {
        ""
    };
    if has_tests(folder, &crates) {
        guess.because(About::Test, "the sources", "hold tests");
        let only = folder.focus().and_then(|_| package(&own, "name"));
        let only = only.map_or(String::new(), |name| format!(" -p {name}"));
        guess.test.push(format!("cargo test{locked}{only}"));
    }
    let package = |key: &str| package(&own, key).map(str::to_owned);
    guess.name = package("name");
    if let Some((_, framework, port)) = FRAMEWORKS
        .iter()
        .find(|(dependency, ..)| crates.iter().any(|one| one.depends_on(dependency)))
    {
        guess.because(About::Port, "Cargo.toml", format!("depends on {framework}"));
        guess.framework = port.map(|port| ((*framework).to_owned(), port));
    }
    if let Some((framework, command)) = OWN_BUILDS
        .iter()
        .find(|(dependency, _)| crates.iter().any(|one| one.depends_on(dependency)))
    {
        guess.note(format!(
            "{framework} also builds for the browser: if the app needs that, make `{command}` its build step, and add the folder that it writes to include"
        ));
    }
    if folder.is_dir(".sqlx") {
        guess.because(
            About::Build,
            ".sqlx/",
            "holds what sqlx would ask a database",
        );
        guess
            .build
            .env
            .insert("SQLX_OFFLINE".to_owned(), "true".to_owned());
    }
    let sources = folder.sources(TYPES);
    let mut programs: Vec<Program> = crates
        .iter()
        .flat_map(|one| one.programs(folder, &sources))
        .collect();
    for program in &mut programs {
        // In a workspace only what the hosts need is built.
        let build = "cargo build --release";
        program.build = match (several, program.build.as_str()) {
            (false, _) | (_, "") => format!("{build}{locked}"),
            (_, package) => format!("{build}{locked} -p {package}"),
        };
    }
    let mut seen = BTreeSet::new();
    programs.retain(|program| seen.insert(program.name.clone()));
    let (default, name) = (package("default-run"), guess.name.clone());
    let preferred: Vec<&str> = default
        .as_deref()
        .into_iter()
        .chain(name.as_deref())
        .collect();
    if default.is_some()
        && programs
            .iter()
            .any(|one| Some(&one.name) == default.as_ref())
    {
        // The project has said it, whatever else listens.
        for program in &mut programs {
            program.serves = Some(&program.name) == default.as_ref();
        }
    }
    let Some(main) = programs::run(&mut guess, programs, &preferred) else {
        guess.because(About::Service, "Cargo.toml", "has no binary");
        return Some(guess);
    };
    guess.because(
        About::Service,
        "Cargo.toml",
        format!("makes the binary {}", main.name),
    );
    guess.name = guess.name.or(Some(main.name));
    match guess.framework.as_ref().map(|(name, _)| name.as_str()) {
        Some("Rocket") => rocket(folder, &mut guess),
        Some("Loco") => loco::apply(folder, &mut guess),
        _ => {}
    }
    guess.aside = aside(folder, &crates, &guess);
    compiled_path(&sources, &mut guess);
    runtime_files::add(folder, &mut guess, "", &sources);
    if !main.home.is_empty() {
        runtime_files::add(folder, &mut guess, &format!("{}/", main.home), &sources);
    }
    Some(guess)
}

/// The folders of the members of a workspace that no service needs.
fn aside(folder: &Folder, crates: &[Crate], guess: &Guess) -> Vec<String> {
    let mut all = Workspace::at(folder.dir()).into_iter();
    let Some(workspace) = all.find(|found| found.kind == WorkspaceKind::Cargo) else {
        return Vec::new();
    };
    let runs = |name: &String| {
        let mut commands = guess.services.iter().filter_map(|it| it.command.as_deref());
        commands.any(|command| command.ends_with(&format!("/{name}")))
    };
    let running = crates
        .iter()
        .filter(|one| one.binaries(folder).iter().any(runs));
    let mut needed = BTreeSet::new();
    for one in running {
        // The package at the root is no member.
        let Some(member) = workspace.member_at(one.dir.trim_end_matches('/')) else {
            return Vec::new();
        };
        needed.extend(
            workspace
                .closure(member)
                .iter()
                .map(|it| format!("{}/", it.dir)),
        );
    }
    let dirs = crates.iter().map(|one| one.dir.clone());
    dirs.filter(|dir| !dir.is_empty() && !needed.contains(dir))
        .collect()
}

/// Says which source puts the path of the project's folder into the program: there is no such folder
/// on a host.
fn compiled_path(sources: &[&Source], guess: &mut Guess) {
    const MACROS: [&str; 2] = ["env!(\"CARGO_MANIFEST_DIR\")", "relative!("];
    let has_path = |source: &&&Source| {
        source.path != "build.rs"
            && source
                .lines()
                .any(|line| MACROS.iter().any(|it| line.contains(it)))
    };
    if let Some(Source { path, .. }) = sources.iter().find(has_path) {
        guess.note(format!(
            "{path} puts the path of this folder into the program, and no host has that folder: \
             make it a path relative to where the program runs"
        ));
    }
}

/// Rocket has variables of its own, and without them and its Rocket.toml listens on this machine
/// alone.
fn rocket(folder: &Folder, guess: &mut Guess) {
    let settings = folder.toml("Rocket.toml").unwrap_or_default();
    let profiles = ["release", "global", "default"];
    let value = |key: &str| profiles.iter().find_map(|it| settings.get(*it)?.get(key));
    if let Some(service) = guess.services.first_mut() {
        let command = service.command.take().unwrap_or_default();
        service.command = Some(match command.split_once(" && exec ") {
            Some((home, program)) => format!("{home} && ROCKET_PORT=$PORT exec {program}"),
            None => format!("ROCKET_PORT=$PORT {command}"),
        });
        if value("address").is_none() {
            let address = ("ROCKET_ADDRESS".to_owned(), "0.0.0.0".to_owned());
            service.env.extend([address]);
        }
    }
    let port = value("port").and_then(|port| u16::try_from(port.as_integer()?).ok());
    if let Some(port) = port {
        guess.framework = Some(("Rocket.toml".to_owned(), port));
    }
    if folder.is_file("Rocket.toml") {
        guess.because(
            About::Release,
            "Rocket.toml",
            "is read when the program starts",
        );
        guess.add("Rocket.toml");
    }
}

fn package<'a>(manifest: &'a toml::Table, key: &str) -> Option<&'a str> {
    manifest.get("package")?.get(key)?.as_str()
}

/// The members of a workspace that can be read: plain paths, and `*` for a name.
fn members(folder: &Folder, manifest: &toml::Table) -> Vec<Crate> {
    let list = |key: &str| -> Vec<String> {
        let list = manifest
            .get("workspace")
            .and_then(|w| w.get(key)?.as_array());
        let paths = list.into_iter().flatten().filter_map(|path| path.as_str());
        paths
            .flat_map(
                |path| match path.strip_suffix("/*").or((path == "*").then_some("")) {
                    Some(parent) => folder
                        .names_in(parent)
                        .into_iter()
                        .map(|name| {
                            format!("{parent}/{name}")
                                .trim_start_matches('/')
                                .to_owned()
                        })
                        .collect(),
                    None => vec![
                        path.trim_start_matches("./")
                            .trim_end_matches('/')
                            .to_owned(),
                    ],
                },
            )
            .collect()
    };
    let excluded = list("exclude");
    list("members")
        .into_iter()
        .filter(|dir| !excluded.contains(dir) && !dir.contains("..") && dir != ".")
        .take(100)
        .filter_map(|dir| {
            Some(Crate {
                manifest: folder.toml(&format!("{dir}/Cargo.toml"))?,
                dir: format!("{dir}/"),
            })
        })
        .collect()
}

impl Crate {
    fn depends_on(&self, dependency: &str) -> bool {
        let tables = [self.manifest.get("dependencies")];
        tables
            .into_iter()
            .flatten()
            .any(|table| table.get(dependency).is_some())
    }

    /// The crate's programs, with the name of the crate as their build. The crate's own folder is where a program of a workspace finds files
    /// that are in no folder above.
    fn programs(&self, folder: &Folder, sources: &[&Source]) -> Vec<Program> {
        let binaries = self.binaries(folder);
        let listens = |source: &&&Source| {
            source.path.starts_with(&format!("{}src/", self.dir)) && programs::listens(&source.text)
        };
        // Of several binaries, each says it by itself; the library speaks for a single one.
        let single = binaries.len() == 1;
        let own = |source: &Source, name: &str| {
            let path = &source.path[self.dir.len()..];
            single
                || path == format!("src/bin/{name}.rs")
                || path.starts_with(&format!("src/bin/{name}/"))
                || path == "src/main.rs" && package(&self.manifest, "name") == Some(name)
        };
        let home = self.dir.trim_end_matches('/');
        let at_home = !home.is_empty()
            && !runtime_files::customary(folder, "", sources, TYPES)
            && runtime_files::customary(folder, &self.dir, sources, TYPES);
        binaries
            .into_iter()
            .map(|name| Program {
                path: format!("target/release/{name}"),
                build: package(&self.manifest, "name")
                    .unwrap_or_default()
                    .to_owned(),
                home: if at_home {
                    home.to_owned()
                } else {
                    String::new()
                },
                serves: sources
                    .iter()
                    .filter(listens)
                    .any(|source| own(source, &name)),
                name,
            })
            .collect()
    }

    /// The names of the binaries, as Cargo finds them.
    fn binaries(&self, folder: &Folder) -> Vec<String> {
        let Some(package) = package(&self.manifest, "name") else {
            return Vec::new();
        };
        let dir = &self.dir;
        let declared = self.manifest.get("bin").and_then(|bins| bins.as_array());
        let mut found: Vec<String> = declared
            .into_iter()
            .flatten()
            .filter_map(|bin| Some(bin.get("name")?.as_str()?.to_owned()))
            .collect();
        // What a `[[bin]]` names has its name, and no other.
        let is_claimed = |file: &str| {
            let bins = declared.into_iter().flatten();
            let mut paths = bins.filter_map(|bin| bin.get("path")?.as_str());
            paths.any(|path| path.trim_start_matches("./") == file)
        };
        let has = |file: &str| folder.is_file(&format!("{dir}{file}")) && !is_claimed(file);
        if has("src/main.rs") {
            found.push(package.to_owned());
        }
        for name in folder.names_in(&format!("{dir}src/bin")) {
            match name.strip_suffix(".rs") {
                Some(stem) if has(&format!("src/bin/{name}")) => found.push(stem.to_owned()),
                None if has(&format!("src/bin/{name}/main.rs")) => found.push(name),
                _ => {}
            }
        }
        let mut seen = BTreeSet::new();
        found.retain(|name| seen.insert(name.clone()));
        found
    }
}

fn has_tests(folder: &Folder, crates: &[Crate]) -> bool {
    crates.iter().any(|one| {
        folder
            .names_in(&format!("{}tests", one.dir))
            .iter()
            .any(|n| n.ends_with(".rs"))
    }) || folder
        .sources(TYPES)
        .iter()
        .any(|source| source.text.contains("#[test]") || source.text.contains("::test]"))
}
