//! Node: `package.json`, its lock file, its scripts.

use std::collections::BTreeMap;

use serde_json::Value;

use super::files::no_lock;
use super::folder::Folder;
use super::guess::{Guess, HookGuess, Include, ServiceGuess, Stack, Steps, Strength};
use super::home::Home;
use super::neighbours;
use super::node_data::Data;
use super::node_frameworks;
use super::node_scripts;
use super::node_serve;
use super::node_static::{self, Build};
use super::node_tests;
use super::node_tool::PackageManager;
use super::nx;
use super::reason::About;

pub(super) const TYPES: &[&str] = &["js", "mjs", "cjs", "ts", "mts", "cts", "jsx", "tsx"];

/// `package.json`, as far as it matters.
pub(super) struct Package {
    json: Value,
    /// What Nx has instead of scripts.
    targets: BTreeMap<&'static str, String>,
}

impl Package {
    pub fn read(folder: &Folder) -> Option<Self> {
        let mut json = folder.json("package.json").filter(Value::is_object)?;
        nx::complete(folder, &mut json);
        let targets = nx::scripts(folder, &json);
        Some(Self { json, targets })
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        self.json.get(key)?.as_str()
    }

    /// The script called `name`, or the target of Nx that stands in for it.
    pub fn script(&self, name: &str) -> Option<&str> {
        let target = || self.targets.get(name).map(String::as_str);
        self.own_script(name).or_else(target)
    }

    /// The script called `name`, if it is a target of Nx and not in `package.json`.
    pub fn target(&self, name: &str) -> Option<&str> {
        match self.own_script(name) {
            Some(_) => None,
            None => self.script(name),
        }
    }

    /// The rest of a sentence about the script `name`: `has a build script: tsc`.
    pub fn says(&self, name: &str) -> String {
        let script = self.script(name).unwrap_or_default();
        match self.target(name) {
            Some(_) if name == "start" => format!("has a build target of Nx that makes `{script}`"),
            Some(_) => format!("has a {name} target of Nx: {script}"),
            None => format!("has a {name} script: {script}"),
        }
    }

    /// Whether Nx runs something of it.
    pub fn uses_nx(&self) -> bool {
        !self.targets.is_empty()
    }

    fn own_script(&self, name: &str) -> Option<&str> {
        let script = self.json.get("scripts")?.get(name)?.as_str()?;
        // A server for development, where the build makes a program.
        let is_replaced = self.targets.contains_key(name) && nx::serves(script);
        (!script.trim().is_empty() && !is_replaced).then_some(script)
    }

    /// Where it says that Prisma's schema is: a file, or a folder of files.
    pub fn prisma_schema(&self) -> Option<&str> {
        let path = self.json.get("prisma")?.get("schema")?.as_str()?;
        Some(path.trim_start_matches("./").trim_end_matches('/'))
    }

    /// Whether it depends on `name`, at run time or for development.
    pub fn has(&self, name: &str) -> bool {
        self.depends(name, "dependencies") || self.depends(name, "devDependencies")
    }

    fn depends(&self, name: &str, list: &str) -> bool {
        self.json
            .get(list)
            .is_some_and(|list| list.get(name).is_some())
    }

    /// The first number in the version of `name` that is asked for: 6 of `^6.6.0`.
    pub fn major(&self, name: &str) -> Option<u32> {
        self.numbers(name)?.next()
    }

    /// The first two of them; the latest version where none is named.
    pub fn version(&self, name: &str) -> (u32, u32) {
        let mut numbers = self.numbers(name).into_iter().flatten();
        let (major, minor) = (numbers.next(), numbers.next());
        major.map_or((u32::MAX, 0), |major| (major, minor.unwrap_or(u32::MAX)))
    }

    fn numbers(&self, name: &str) -> Option<impl Iterator<Item = u32>> {
        let lists = ["dependencies", "devDependencies"].into_iter();
        let mut asked = lists.filter_map(|list| self.json.get(list)?.get(name)?.as_str());
        let parts = asked.next()?.split(|c: char| !c.is_ascii_digit());
        Some(parts.filter_map(|part| part.parse().ok()))
    }

    /// The names of the scripts that begin with `start`.
    pub fn script_names<'a>(&'a self, start: &'a str) -> impl Iterator<Item = &'a str> {
        let scripts = self.json.get("scripts").and_then(Value::as_object);
        let names = scripts.into_iter().flat_map(|scripts| scripts.keys());
        names
            .map(String::as_str)
            .filter(move |name| name.starts_with(start))
    }

    pub fn any(&self, list: &str) -> bool {
        let full = |list: &Value| list.as_object().is_some_and(|list| !list.is_empty());
        self.json.get(list).is_some_and(full)
    }

    /// The first folders of `workspaces`: `node_modules` links into them.
    pub fn workspaces(&self) -> Vec<String> {
        let list = self.json.get("workspaces");
        let list = list.and_then(|list| list.get("packages").or(Some(list))?.as_array());
        let mut dirs: Vec<String> = list
            .into_iter()
            .flatten()
            .filter_map(|path| path.as_str()?.trim_start_matches("./").split('/').next())
            .filter(|dir| !dir.is_empty() && !dir.contains('*'))
            .map(str::to_owned)
            .collect();
        dirs.dedup();
        dirs
    }
}

/// Looks for a Node project.
pub(super) fn detect(folder: &Folder) -> Option<Guess> {
    let package = match Package::read(folder) {
        Some(package) => package,
        None if folder.is_file("package.json") => {
            let mut guess = Guess::new(Stack::Node, TYPES);
            guess.note("package.json is not valid JSON, so it was not used");
            return Some(guess);
        }
        None => return bare(folder),
    };
    let mut guess = Guess::new(Stack::Node, TYPES);
    guess.named("package.json", package.text("name").map(str::to_owned));
    guess.because(About::App, "package.json", "is there");
    let manager = PackageManager::of(folder, &package);
    guess.needs("node");
    guess.needs(manager.name());
    let (build, builds) = steps(folder, &package, &manager, &mut guess);
    guess.build = build;
    guess.build.env = manager.step_env();
    if package.uses_nx() {
        // Its daemon would outlive the build.
        let env = ("NX_DAEMON".to_owned(), "false".to_owned());
        guess.build.env.extend([env]);
    }
    guess.test.env.clone_from(&guess.build.env);
    node_tests::apply(&package, &manager, &mut guess);
    if let Some(says) = node_frameworks::varies(folder, &package) {
        guess.note(says);
    }
    if let Some(says) = node_frameworks::other_apps(folder) {
        guess.note(says);
    }
    if let Some(site) = node_static::detect(folder, &package) {
        guess
            .notes
            .extend(node_static::leaves_version(folder, &package));
        guess.because(
            About::Service,
            site.tool,
            format!("builds static files into {}/", site.dir),
        );
        if let Some(build) = &site.build {
            // What a site is built with is for development alone.
            if let Some(install) = guess.build.run.first_mut() {
                *install = manager.install(folder, false);
            }
            guess.build.push(match build {
                Build::Script(name) => manager.run_script(&package, name),
                Build::Command(command) => format!("{} {command}", manager.runner()),
            });
        }
        guess.notes.extend(neighbours::of_visitors(folder));
        guess.serves(Strength::Certain, site.dir.clone());
        for service in &mut guess.services {
            service.fallback.clone_from(&site.fallback);
        }
        guess.include = Include::Only(vec![site.dir]);
        return Some(guess);
    }
    guess
        .env
        .insert("NODE_ENV".to_owned(), "production".to_owned());
    match node_frameworks::lacks(folder, &package) {
        Some(lack) => {
            guess.note(lack);
            guess.lacks_a_server = true;
        }
        None => node_serve::serve(folder, &package, &manager, builds, &mut guess),
    }
    if let Some(data) = Data::of(folder, &package) {
        let hook = data.apply(&manager, &mut guess);
        guess.hooks.extend(hook);
        if guess.include.names("node_modules") && !guess.hooks.is_empty() {
            for path in data.reads() {
                guess.add(path);
            }
        }
    }
    let script = node_scripts::build(folder, &package).and_then(|name| package.script(name));
    let is_built_by_bun = script.is_none_or(|script| script.starts_with("bun "));
    let is_bun = |service: &ServiceGuess| {
        let command = service.command.as_deref().unwrap_or_default();
        command.starts_with("bun ") && is_built_by_bun
    };
    // It runs itself, and the tools of its packages as well.
    if guess.services.iter().any(is_bun) {
        guess.needs.retain(|need| need.name != "node");
    }
    Some(guess)
}

/// A folder with a `server.js` and no `package.json`.
fn bare(folder: &Folder) -> Option<Guess> {
    let entry = folder.first(&["server.js", "server.mjs", "app.js", "index.mjs", "main.mjs"])?;
    let mut guess = Guess::new(Stack::Node, TYPES);
    guess.needs("node");
    guess.because(About::Service, entry, "is there, without a package.json");
    guess.runs(Strength::Runs, format!("node {entry}"));
    Some(guess)
}

/// The steps that install and build, and whether there is a build script.
pub(super) fn steps(
    folder: &Folder,
    package: &Package,
    manager: &PackageManager,
    guess: &mut Guess,
) -> (Steps, bool) {
    let mut steps = Steps::default();
    let build = node_scripts::build(folder, package);
    let builds = build.is_some();
    let lists = ["dependencies", "devDependencies", "optionalDependencies"];
    if let Some(home) = folder.home() {
        let (mut first, is_built) = manager.workspace_steps(home);
        let generated = generated(home, manager, guess);
        first.splice(1..1, generated);
        guess.root_steps = first;
        locked(folder, manager, guess);
        if let Some(name) = build {
            guess.legacy_builder = node_frameworks::legacy_builder(package);
            guess.because(About::Build, "package.json", package.says(name));
            if !is_built {
                steps.push(manager.run_script(package, name));
            }
        }
        return (steps, builds);
    }
    if lists.iter().any(|list| package.any(list)) || manager.has_members() {
        // What only build and test need is left out when there is neither.
        let data = Data::of(folder, package);
        let lean = data.is_none() && !builds && !node_tests::any(package) && !manager.has_members();
        steps.push(manager.install(folder, lean));
        locked(folder, manager, guess);
        steps
            .run
            .extend(data.and_then(|data| data.generates(manager)));
    }
    if let Some(name) = build {
        guess.because(About::Build, "package.json", package.says(name));
        guess.legacy_builder = node_frameworks::legacy_builder(package);
        steps.push(manager.run_script(package, name));
    }
    (steps, builds)
}

/// The steps that generate code in the members that the app of `home` needs, and in itself; the
/// hooks of those members.
fn generated(home: &Home, manager: &PackageManager, guess: &mut Guess) -> Vec<String> {
    let mut steps = Vec::new();
    for member in home.workspace.closure(&home.member) {
        let folder = Folder::open(&home.workspace.root.join(&member.dir));
        let Some(package) = Package::read(&folder) else {
            continue;
        };
        let Some(data) = Data::of(&folder, &package) else {
            continue;
        };
        let step = data.generates(manager);
        steps.extend(step.map(|step| format!("cd {} && {step}", member.dir)));
        if member.dir != home.member.dir
            && let Some(hook) = data.apply(manager, guess)
        {
            let run = home.command_of(member, &hook.run);
            guess.root_hooks.push(HookGuess::once(run));
        }
    }
    steps
}

/// Says what locks the dependencies, or which file of the workspace's root is missing.
fn locked(folder: &Folder, manager: &PackageManager, guess: &mut Guess) {
    match manager.lock {
        Some(lock) => guess.because(About::Build, lock, "locks the dependencies"),
        None => guess.note(no_lock(folder.root(), manager.own_lock())),
    }
}
