//! Node: `package.json`, its lock file, its scripts.

use serde_json::Value;

use super::files::names_path;
use super::folder::Folder;
use super::guess::{Guess, Include, Stack, Steps, Strength};
use super::node_static;
use super::node_tool::PackageManager;

const TYPES: &[&str] = &["js", "mjs", "cjs", "ts", "mts", "cts", "jsx", "tsx"];

/// What starts a project in production, best first.
const STARTS: &[&str] = &[
    "start:prod",
    "start:production",
    "serve:prod",
    "production",
    "start",
];

/// Files that `npm start` or a habit would run.
const ENTRIES: &[&str] = &[
    "server.js",
    "server.mjs",
    "index.js",
    "index.mjs",
    "app.js",
    "app.mjs",
    "main.js",
    "src/server.js",
    "src/index.js",
    "src/app.js",
    "src/main.js",
];

/// Frameworks that listen, their default port, and what a release of theirs needs beside
/// `node_modules` and `package.json`.
const FRAMEWORKS: &[(&str, &str, u16, &[&str])] = &[
    ("next", "Next.js", 3000, &[".next"]),
    ("@remix-run/serve", "Remix", 3000, &["build"]),
    ("@react-router/serve", "React Router", 3000, &["build"]),
    ("nuxt", "Nuxt", 3000, &[".output"]),
    ("@sveltejs/adapter-node", "SvelteKit", 3000, &["build"]),
    ("@astrojs/node", "Astro", 4321, &["dist"]),
    ("@nestjs/core", "Nest", 3000, &["dist"]),
    ("express", "Express", 3000, &[]),
    ("fastify", "Fastify", 3000, &[]),
    ("koa", "Koa", 3000, &[]),
    ("@hapi/hapi", "hapi", 3000, &[]),
    ("hono", "Hono", 3000, &[]),
];

/// `package.json`, as far as it matters.
pub(super) struct Package {
    json: Value,
}

impl Package {
    pub fn read(folder: &Folder) -> Option<Self> {
        let json = folder.json("package.json")?;
        json.is_object().then_some(Self { json })
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        self.json.get(key)?.as_str()
    }

    pub fn script(&self, name: &str) -> Option<&str> {
        self.json
            .get("scripts")?
            .get(name)?
            .as_str()
            .filter(|script| !script.trim().is_empty())
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

    fn any(&self, list: &str) -> bool {
        let full = |list: &Value| list.as_object().is_some_and(|list| !list.is_empty());
        self.json.get(list).is_some_and(full)
    }

    /// The first folders of `workspaces`: `node_modules` links into them.
    fn workspaces(&self) -> Vec<String> {
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
    guess.name = package.text("name").map(str::to_owned);
    guess.saw("package.json is there");
    let manager = PackageManager::of(folder, &package);
    let (build, builds) = steps(folder, &package, &manager, &mut guess);
    guess.build = build;
    if let Some(test) = real_test(&package) {
        guess.saw(format!("package.json has a test script: {test}"));
        guess.test.push(manager.run("test"));
    }
    if let Some(site) = node_static::detect(folder, &package) {
        guess.saw(format!(
            "{} builds static files into {}/",
            site.tool, site.dir
        ));
        guess.serves(Strength::Certain, site.dir.clone());
        guess.include = Include::Only(vec![site.dir]);
        return Some(guess);
    }
    guess
        .env
        .insert("NODE_ENV".to_owned(), "production".to_owned());
    serve(folder, &package, &manager, builds, &mut guess);
    Some(guess)
}

/// A folder with a `server.js` and no `package.json`.
fn bare(folder: &Folder) -> Option<Guess> {
    let entry = folder.first(&["server.js", "server.mjs", "app.js", "index.mjs", "main.mjs"])?;
    let mut guess = Guess::new(Stack::Node, TYPES);
    guess.saw(format!("{entry} is there, without a package.json"));
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
    let builds = package.script("build").is_some();
    let lists = [
        "dependencies",
        "devDependencies",
        "optionalDependencies",
        "workspaces",
    ];
    if lists.iter().any(|list| package.any(list)) || !package.workspaces().is_empty() {
        // What only build and test need is left out when there is neither.
        let lean = !builds && real_test(package).is_none();
        steps.push(manager.install(folder, lean));
        match manager.lock {
            Some(lock) => guess.saw(format!("{lock} locks the dependencies")),
            None => guess.note("there is no lock file: two builds may differ; commit one"),
        }
    }
    if let Some(script) = package.script("build") {
        guess.saw(format!("package.json has a build script: {script}"));
        steps.push(manager.run("build"));
    }
    (steps, builds)
}

/// The test script, unless it is what `npm init` writes.
fn real_test(package: &Package) -> Option<&str> {
    package
        .script("test")
        .filter(|script| !script.contains("no test specified"))
}

/// A project that runs a server (or a worker).
fn serve(
    folder: &Folder,
    package: &Package,
    manager: &PackageManager,
    builds: bool,
    guess: &mut Guess,
) {
    let framework = FRAMEWORKS
        .iter()
        .find(|(dependency, ..)| package.has(dependency));
    if let Some((_, name, port, _)) = framework {
        guess.saw(format!("package.json depends on {name}"));
        guess.framework = Some(((*name).to_owned(), *port));
    }
    let standalone = framework.is_some_and(|f| f.0 == "next")
        && next_config(folder).is_some_and(|text| text.contains("standalone"));
    let (command, why) = if standalone {
        guess
            .build
            .push("cp -R .next/static .next/standalone/.next/");
        if folder.is_dir("public") {
            guess.build.push("cp -R public .next/standalone/");
        }
        (
            Some("node .next/standalone/server.js".to_owned()),
            "next.config asks for a standalone build".to_owned(),
        )
    } else if framework.is_some_and(|f| f.0 == "nuxt") {
        (
            Some("node .output/server/index.mjs".to_owned()),
            "nuxt builds a server of its own".to_owned(),
        )
    } else if let Some((name, start)) = STARTS.iter().find_map(|n| Some((n, package.script(n)?))) {
        (
            manager.production(package, start, guess),
            format!("package.json has a {name} script: {start}"),
        )
    } else if framework.is_some_and(|f| f.0 == "@sveltejs/adapter-node") {
        (
            Some("node build".to_owned()),
            "the node adapter of SvelteKit builds a server".to_owned(),
        )
    } else if framework.is_some_and(|f| f.0 == "@astrojs/node") {
        (
            Some("node ./dist/server/entry.mjs".to_owned()),
            "the node adapter of Astro builds a server".to_owned(),
        )
    } else {
        let main = package
            .text("main")
            .map(|main| main.trim_start_matches("./"));
        let main = main.filter(|main| folder.is_file(main) && framework.is_some());
        match main.or_else(|| folder.first(ENTRIES)) {
            Some(entry) => (Some(format!("node {entry}")), format!("{entry} is there")),
            None => (
                None,
                "package.json has no start script, and no server.js was seen".to_owned(),
            ),
        }
    };
    guess.saw(why);
    let Some(command) = command else { return };
    let strength = if framework.is_some() {
        Strength::Certain
    } else {
        Strength::Runs
    };
    guess.runs(strength, command.clone());

    let mut add = vec![];
    let outputs = framework.map_or(&[][..], |f| f.3);
    let built = built_dir(&command, builds);
    add.extend(
        outputs
            .iter()
            .filter(|_| !standalone)
            .map(|dir| (*dir).to_owned()),
    );
    add.extend(built.clone().filter(|dir| !outputs.contains(&dir.as_str())));
    let sources = folder.sources(TYPES);
    let output =
        |dir: &&&str| builds && built.as_deref() != Some(**dir) && names_path(&sources, dir);
    add.extend(
        ["dist", "build"]
            .iter()
            .filter(output)
            .map(|dir| (*dir).to_owned()),
    );
    if package.any("dependencies") || package.any("devDependencies") {
        add.extend(
            manager
                .shipped(folder)
                .iter()
                .map(|path| (*path).to_owned()),
        );
        add.extend(package.workspaces());
    }
    guess.include = match framework.map(|f| f.0) {
        _ if standalone => Include::Only(vec![".next/standalone".to_owned()]),
        Some("nuxt") => Include::Only(vec![".output".to_owned()]),
        Some("next") => {
            let files = [
                "public",
                "next.config.js",
                "next.config.mjs",
                "next.config.ts",
            ];
            add.extend(
                files
                    .iter()
                    .filter(|f| folder.is_file(f) || folder.is_dir(f))
                    .map(|f| (*f).to_owned()),
            );
            add.push("package.json".to_owned());
            Include::Only(add)
        }
        // Once built, the sources of the sources stay at home.
        _ if built.is_some() => Include::Sources {
            add,
            drop: ["src", "app", "routes", "components"]
                .map(str::to_owned)
                .to_vec(),
        },
        _ => Include::Sources { add, drop: vec![] },
    };
    if framework.is_some_and(|f| f.0 == "next") && !standalone {
        guess.exclude.push(".next/cache".to_owned());
        guess.shared.push(".next/cache".to_owned());
        guess.saw("Next.js writes to .next/cache while it runs");
    }
}

fn next_config(folder: &Folder) -> Option<String> {
    let file = folder.first(&["next.config.js", "next.config.mjs", "next.config.ts"])?;
    folder.read(file)
}

/// The folder that the build makes and the command starts from: `dist` of `node dist/main.js`.
fn built_dir(command: &str, builds: bool) -> Option<String> {
    const OUTPUTS: &[&str] = &[
        "dist",
        "build",
        "out",
        "lib",
        ".output",
        "output",
        "server-build",
    ];
    if !builds {
        return None;
    }
    command.split_whitespace().find_map(|word| {
        let dir = word.trim_start_matches("./").split('/').next()?;
        OUTPUTS.contains(&dir).then(|| dir.to_owned())
    })
}
