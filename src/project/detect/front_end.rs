//! A front end in a folder below, with a `package.json` of its own, whose build the app hands out. No
//! workspace joins the two.

use super::files::no_lock;
use super::folder::{Folder, Source};
use super::guess::{Guess, Stack};
use super::neighbours;
use super::node::Package;
use super::node_frameworks;
use super::node_scripts::{self, BUILDS};
use super::node_static::{self, Build, Site};
use super::node_tool::PackageManager;
use super::reason::About;
use super::runtime_files::embeds;
use super::text::literals;
use super::workspace::Workspace;

/// How deep they are looked for: `frontend`, `apps/web`.
const MAX_DEPTH: usize = 2;

/// Folders of pages about the app, and of others' code.
const ASIDE: &[&str] = &[
    "bower_components",
    "doc",
    "docs",
    "documentation",
    "e2e",
    "example",
    "examples",
    "node_modules",
    "site",
    "target",
    "test",
    "tests",
    "vendor",
    "website",
];

/// What its own sources end in.
const TYPES: &[&str] = &["js", "mjs", "cjs", "ts", "mts", "cts", "jsx", "tsx"];

/// A front end.
#[derive(Debug)]
pub(super) struct FrontEnd {
    /// Its folder, relative to the project.
    dir: String,
    /// What builds it.
    tool: &'static str,
    /// Where its build lands, relative to the project.
    output: String,
    /// Whether that is among the app's own files.
    is_beside: bool,
}

impl FrontEnd {
    /// Whether `path` is one of its sources.
    pub fn holds(&self, path: &str) -> bool {
        let rest = path.strip_prefix(&self.dir);
        let ext = path.rsplit_once('.').map(|(_, ext)| ext);
        rest.is_some_and(|rest| rest.starts_with('/')) && ext.is_some_and(|it| TYPES.contains(&it))
    }
}

/// The front ends below `folder` that no workspace has as a member.
pub(super) fn find(folder: &Folder) -> Vec<FrontEnd> {
    let workspaces = Workspace::at(folder.dir());
    let mut found = Vec::new();
    let mut level = vec![String::new()];
    for _ in 0..MAX_DEPTH {
        let mut next = Vec::new();
        for at in level {
            for name in folder.names_in(&at) {
                let dir = join(&at, &name);
                let is_aside = name.starts_with('.') || ASIDE.contains(&name.as_str());
                let is_member = |it: &Workspace| it.member_at(&dir).is_some();
                if is_aside || !folder.is_dir(&dir) || workspaces.iter().any(is_member) {
                    continue;
                }
                match front_end(folder, &dir) {
                    Some(front_end) => found.push(front_end),
                    None => next.push(dir),
                }
            }
        }
        level = next;
    }
    found
}

fn front_end(folder: &Folder, dir: &str) -> Option<FrontEnd> {
    let own = Folder::open(&folder.dir().join(dir));
    let site = node_static::detect(&own, &Package::read(&own)?)?;
    let beside = site
        .beside
        .as_deref()
        .and_then(|path| node_static::joined(dir, path));
    Some(FrontEnd {
        dir: dir.to_owned(),
        tool: site.tool,
        is_beside: beside.is_some(),
        output: beside.unwrap_or_else(|| join(dir, &site.dir)),
    })
}

/// Builds the front ends that the app hands out, and releases what that makes.
pub(super) fn apply(folder: &Folder, guess: &mut Guess) {
    if folder.home().is_some() || guess.services.is_empty() || guess.stack == Stack::Static {
        return;
    }
    let package = Package::read(folder);
    let mut steps = Vec::new();
    for front_end in folder.front_ends() {
        let FrontEnd { dir, output, .. } = front_end;
        let Some(by) = named_by(folder, guess, front_end) else {
            guess.note(format!(
                "{dir}/ is a front end of its own ({}), and nothing here names {output}, which it \
                 builds: `ship init` in {dir}/ makes an app of it",
                front_end.tool
            ));
            continue;
        };
        let sources = folder.sources(guess.types);
        let last = output.rsplit('/').next().unwrap_or_default();
        match embeds(&sources, last) {
            Some(source) => {
                let says = format!("builds {output}/ into the program");
                guess.because(About::Build, source, says);
            }
            None => {
                guess.because(About::Release, by, format!("names {output}"));
                guess.add(output.clone());
            }
        }
        let is_built = |package: &Package| {
            let mut builds = BUILDS.iter();
            builds.any(|name| node_scripts::says(package, name, dir))
        };
        if !package.as_ref().is_some_and(is_built) {
            steps.extend(built(folder, dir, guess));
        }
    }
    // Node finds the packages of the folder above, too.
    let at = usize::from(guess.stack == Stack::Node && !guess.build.run.is_empty());
    guess.build.run.splice(at..at, steps);
}

/// The steps that build the front end in `dir`.
fn built(folder: &Folder, dir: &str, guess: &mut Guess) -> Vec<String> {
    let own = Folder::open(&folder.dir().join(dir));
    let Some(package) = Package::read(&own) else {
        return Vec::new();
    };
    let manager = PackageManager::of(&own, &package);
    let Some(build) =
        node_static::detect(&own, &package).and_then(|site| build_step(&site, &package, &manager))
    else {
        return Vec::new();
    };
    guess.needs("node");
    guess.needs(manager.name());
    guess.build.env.extend(manager.step_env());
    guess.legacy_builder = guess
        .legacy_builder
        .or(node_frameworks::legacy_builder(&package));
    if manager.lock.is_none() {
        guess.note(format!("{dir}: {}", no_lock(&own, manager.own_lock())));
    }
    let told = neighbours::of_visitors(&own);
    guess
        .notes
        .extend(told.map(|note| format!("{dir}: {note}")));
    let says = "has a build of its own";
    guess.because(About::Build, format!("{dir}/package.json"), says);
    [manager.install(&own, false), build]
        .map(|step| format!("cd {dir} && {step}"))
        .to_vec()
}

fn build_step(site: &Site, package: &Package, manager: &PackageManager) -> Option<String> {
    let usual = || BUILDS.iter().find(|name| package.script(name).is_some());
    match &site.build {
        Some(Build::Script(name)) => Some(manager.run_script(package, name)),
        Some(Build::Command(command)) => Some(format!("{} {command}", manager.runner())),
        None => usual().map(|name| manager.run_script(package, name)),
    }
}

/// The source that names what the front end builds, or the front end's own settings where they put
/// it among the app's files.
fn named_by(folder: &Folder, guess: &Guess, front_end: &FrontEnd) -> Option<String> {
    if front_end.is_beside {
        return Some(format!("{}/", front_end.dir));
    }
    let sources = folder.sources(guess.types);
    let names = |source: &&&Source| {
        let place = source.path.rsplit_once('/').map_or("", |(dir, _)| dir);
        source
            .text
            .lines()
            .any(|line| names(line, place, &front_end.output))
    };
    let by = sources.iter().find(names)?;
    Some(by.path.clone())
}

/// Whether a line of a source in the folder `place` names `output`, whole or in parts.
fn names(line: &str, place: &str, output: &str) -> bool {
    let parts = literals(line);
    let embedded = line.trim_start().strip_prefix("//go:embed ");
    let embedded = embedded
        .into_iter()
        .flat_map(str::split_whitespace)
        .map(|word| join(place, word.trim_start_matches("all:")));
    let whole = parts.iter().map(|part| (*part).to_owned());
    let mut paths = whole.chain([parts.join("/")]).chain(embedded);
    paths.any(|path| {
        let path = format!("/{path}/").replace("//", "/");
        path.contains(&format!("/{output}/"))
    })
}

fn join(dir: &str, name: &str) -> String {
    match dir {
        "" => name.to_owned(),
        dir => format!("{dir}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_what_a_front_end_builds() {
        for (line, place, output, is_named) in [
            ("static('client/build')", "", "client/build", true),
            (
                "p.join(__dirname, '..', 'client', 'build', 'index.html')",
                "api",
                "client/build",
                true,
            ),
            ("static_folder=\"../web/dist\"", "api", "web/dist", true),
            ("BASE_DIR / 'frontend' / 'dist'", "", "frontend/dist", true),
            ("//go:embed all:dist", "web", "web/dist", true),
            ("//go:embed dist/*", "web", "web/dist", true),
            ("//go:embed all:dist", "", "web/dist", false),
            ("require('./client/builder')", "", "client/build", false),
            ("express.static('public')", "", "client/build", false),
        ] {
            assert_eq!(names(line, place, output), is_named, "{line}");
        }
    }
}
