//! Nx: targets of `project.json`, or of `nx` in `package.json`, stand in for the scripts that a
//! package does not have. <https://nx.dev/docs/reference/project-configuration>

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::folder::Folder;
use super::node_sites::VITE_CONFIG;
use super::node_static::NEXT_CONFIG;

/// How many folders above a project the `nx.json` of its workspace is looked for.
const MAX_UP: usize = 5;

/// How a target is run: nx(1), `nx run [project][:target]`.
const RUN: &str = "nx run ";

/// Where the projects of a workspace are that has no package for each.
const APPS: &[&str] = &["apps", "packages", "projects"];

/// Executors that make a program for Node, and the file that it begins with in their output; they
/// name it after `main` of their options.
const PROGRAMS: &[&str] = &[
    "@nx/esbuild:esbuild",
    "@nx/js:swc",
    "@nx/js:tsc",
    "@nx/node:build",
    "@nx/webpack:webpack",
    "@nrwl/esbuild:esbuild",
    "@nrwl/js:swc",
    "@nrwl/js:tsc",
    "@nrwl/node:webpack",
    "@nrwl/webpack:webpack",
];

/// Plugins that give a target `build` to each project with one of these files.
const PLUGINS: &[(&str, &[&str])] = &[
    ("@nx/next/plugin", NEXT_CONFIG),
    ("@nx/nuxt/plugin", &["nuxt.config.ts", "nuxt.config.js"]),
    ("@nx/vite/plugin", VITE_CONFIG),
    ("@nx/webpack/plugin", &["webpack.config.js"]),
];

/// Lists of a `package.json` that a project without any has from the root of its workspace.
const LISTS: [&str; 2] = ["dependencies", "devDependencies"];

/// Gives `package`, which is that of `folder`, the dependencies of its workspace where it lists none
/// itself: Nx takes them from there.
pub(super) fn complete(folder: &Folder, package: &mut Value) {
    let Some((root, place)) = workspace(folder.dir()) else {
        return;
    };
    if place.is_empty() || LISTS.iter().any(|list| package.get(list).is_some()) {
        return;
    }
    let root = Folder::open(&root).json("package.json").unwrap_or_default();
    for list in LISTS {
        if let Some(found) = root.get(list) {
            package[list] = found.clone();
        }
    }
}

/// The scripts that the targets of the project in `folder` stand in for: `build` and `test` as Nx
/// runs them, and `start` for the program that the build makes. Empty where there is no Nx.
pub(super) fn scripts(folder: &Folder, package: &Value) -> BTreeMap<&'static str, String> {
    let Some((root, place)) = workspace(folder.dir()) else {
        return BTreeMap::new();
    };
    let root = Folder::open(&root);
    let settings = root.json("nx.json").unwrap_or_default();
    let own = Project::read(folder, package, &place, &settings);
    let project = match own {
        Some(project) => Some(project),
        None if place.is_empty() => only_app(&root),
        None => None,
    };
    project
        .map(|project| project.scripts(&place))
        .unwrap_or_default()
}

/// Whether a step runs a target: it names its project by itself, and runs in the root.
pub(super) fn is_target(step: &str) -> bool {
    step.contains(RUN)
}

/// Whether a script starts a target `serve`, which is a server for development.
pub(super) fn serves(script: &str) -> bool {
    let mut words = script.split_whitespace().filter(|word| *word != "npx");
    let is_serve = |word: &str| word == "serve" || word.ends_with(":serve");
    words.next() == Some("nx") && words.any(is_serve)
}

/// The root of the workspace that `dir` lies in, and the place of `dir` in it.
fn workspace(dir: &Path) -> Option<(PathBuf, String)> {
    let mut above = dir.ancestors().take(MAX_UP + 1);
    let root = above.find(|dir| dir.join("nx.json").is_file())?;
    let place = dir.strip_prefix(root).ok()?.to_str()?.to_owned();
    Some((root.to_owned(), place))
}

/// A project of a workspace.
struct Project {
    name: String,
    /// Its folder, relative to the workspace.
    place: String,
    targets: Value,
    /// Whether a plugin gives it a target `build`.
    is_built: bool,
    folder: PathBuf,
}

impl Project {
    /// The project in `folder`; `settings` are those of `nx.json`. `None` where it has no target.
    fn read(folder: &Folder, package: &Value, place: &str, settings: &Value) -> Option<Self> {
        let file = folder.json("project.json").unwrap_or_default();
        let in_package = package.get("nx").cloned().unwrap_or_default();
        let name = [
            file.get("name"),
            in_package.get("name"),
            package.get("name"),
        ];
        let name = name.into_iter().flatten().find_map(Value::as_str)?;
        let mut targets = [file.get("targets"), in_package.get("targets")].into_iter();
        let targets = targets.find_map(|found| found.filter(|it| it.is_object()));
        let is_built = gives_build(settings, folder);
        if targets.is_none() && !is_built {
            return None;
        }
        Some(Self {
            name: name.to_owned(),
            place: place.to_owned(),
            targets: targets.cloned().unwrap_or_default(),
            is_built,
            folder: folder.dir().to_owned(),
        })
    }

    /// See [`scripts`]; paths are said from the folder `from` of the workspace.
    fn scripts(&self, from: &str) -> BTreeMap<&'static str, String> {
        let mut scripts = BTreeMap::new();
        for target in ["build", "test"] {
            if self.targets.get(target).is_some() || self.is_built && target == "build" {
                scripts.insert(target, format!("{RUN}{}:{target}", self.name));
            }
        }
        if let Some(program) = self.program() {
            let below = match from {
                "" => Some(program.as_str()),
                from => program
                    .strip_prefix(from)
                    .and_then(|rest| rest.strip_prefix('/')),
            };
            let path = below.map_or_else(
                || format!("{}{program}", "../".repeat(from.split('/').count())),
                str::to_owned,
            );
            scripts.insert("start", format!("node {path}"));
        }
        scripts
    }

    /// The program that the build makes, relative to the workspace.
    fn program(&self) -> Option<String> {
        let build = self.targets.get("build").unwrap_or(&Value::Null);
        let options = build.get("options");
        let option = |key: &str| options?.get(key)?.as_str();
        let executor = build.get("executor").and_then(Value::as_str);
        if executor.is_some_and(|executor| PROGRAMS.contains(&executor)) {
            let output = option("outputPath")?;
            let file = option("outputFileName").map(str::to_owned).or_else(|| {
                let (_, name) = option("main")?.rsplit_once('/')?;
                let (stem, _) = name.rsplit_once('.')?;
                Some(format!("{stem}.js"))
            });
            let output = output
                .replace("{projectRoot}", &self.place)
                .replace("{workspaceRoot}/", "");
            return Some(format!("{}/{}", output.trim_end_matches('/'), file?));
        }
        // The webpack of an app for Node writes `main.js`.
        let command = option("command").or_else(|| build.get("command")?.as_str());
        let command = command.unwrap_or(if self.is_built { "webpack" } else { "" });
        let config = Folder::open(&self.folder).read("webpack.config.js")?;
        let is_node = command.contains("webpack") && config.contains("target: 'node'");
        let output = is_node.then(|| in_config(&config)).flatten()?;
        Some(in_workspace(&format!("{}/{output}/main.js", self.place)))
    }
}

/// Whether a plugin of `settings` gives a target `build` to the project in `folder`.
fn gives_build(settings: &Value, folder: &Folder) -> bool {
    let plugins = settings.get("plugins").and_then(Value::as_array);
    let names = plugins.into_iter().flatten().filter_map(|plugin| {
        let name = plugin.as_str().or_else(|| plugin.get("plugin")?.as_str())?;
        let target = plugin
            .pointer("/options/buildTargetName")
            .and_then(Value::as_str);
        (target.unwrap_or("build") == "build").then_some(name)
    });
    let mut known = names.filter_map(|name| PLUGINS.iter().find(|(plugin, _)| *plugin == name));
    known.any(|(_, files)| folder.first(files).is_some())
}

/// The folder of the output in a configuration of webpack: `path: join(__dirname, 'dist')`.
fn in_config(text: &str) -> Option<&str> {
    let (_, after) = text.split_once("join(__dirname, '")?;
    Some(after.split_once('\'')?.0)
}

/// `path` without `..` and without slashes at its ends.
fn in_workspace(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
    {
        match part {
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The project of the workspace whose build makes a program, if there is only one.
fn only_app(root: &Folder) -> Option<Project> {
    let places = APPS.iter().flat_map(|dir| {
        let names = root.names_in(dir).into_iter();
        names.map(move |name| format!("{dir}/{name}"))
    });
    let mut apps = places.filter_map(|place| {
        let folder = Folder::open(&root.dir().join(&place));
        let project = Project::read(&folder, &Value::Null, &place, &Value::Null)?;
        project.program().is_some().then_some(project)
    });
    let app = apps.next()?;
    apps.next().is_none().then_some(app)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_said_from_the_workspace() {
        assert_eq!(
            in_workspace("apps/api/../../dist/api/main.js"),
            "dist/api/main.js"
        );
        assert_eq!(in_workspace("/dist/main.js"), "dist/main.js");
        assert_eq!(
            in_config("output: { path: join(__dirname, 'dist') }"),
            Some("dist")
        );
    }
}
