//! Node projects whose build is static files: no process is needed to serve them.

use super::folder::Folder;
use super::node::Package;
use super::node_frameworks;
use super::node_scripts::BUILDS;
use super::node_sites::{OPTIONS, ROUTERS, SCRIPTS, SERVERS, SETTINGS, TOOLS, Tool, VITE_CONFIG};
use super::text::{has_word, literals};

/// A tool that builds static files.
pub(super) struct Site {
    pub tool: &'static str,
    /// Where its build lands.
    pub dir: String,
    /// The same, if it is beside the project: a path that begins with `../`.
    pub beside: Option<String>,
    /// The page that answers where no file does: the app has routes of its own.
    pub fallback: Option<String>,
    /// The script, or else the tool's own command, that builds it, where no script has a usual name.
    pub build: Option<Build>,
}

/// How a site is built.
pub(super) enum Build {
    /// A script of `package.json`.
    Script(String),
    /// A command of an installed package.
    Command(String),
}

pub(super) const NEXT_CONFIG: &[&str] = &["next.config.js", "next.config.mjs", "next.config.ts"];
pub(super) const SVELTE_CONFIG: &[&str] = &[
    "svelte.config.js",
    "svelte.config.ts",
    "vite.config.ts",
    "vite.config.js",
];
const ROUTER_CONFIG: &[&str] = &[
    "react-router.config.ts",
    "react-router.config.js",
    "vite.config.ts",
    "vite.config.js",
];
const NUXT_CONFIG: &[&str] = &["nuxt.config.ts", "nuxt.config.js"];

/// The text of the first of these files.
fn config(folder: &Folder, files: &[&str]) -> String {
    let file = folder.first(files);
    file.and_then(|file| folder.read(file)).unwrap_or_default()
}

/// Whether a line of `text` sets `key` to the literal `word`.
pub(super) fn sets(text: &str, key: &str, word: &str) -> bool {
    let mut lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.any(|line| has_word(line, key) && literals(line).contains(&word))
}

/// The literal that a line of `text` gives to `key`.
fn value(text: &str, key: &str) -> Option<String> {
    let mut lines = text.lines().filter(|line| has_word(line, key));
    let line = lines.find(|line| !line.trim_start().starts_with("//"))?;
    let (_, after) = line.split_once(key)?;
    literals(after).first().map(|text| (*text).to_owned())
}

/// Whether `text` says that nothing is rendered on a server.
fn renders_in_browser(text: &str) -> bool {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .any(|line| line.replace(' ', "").contains("ssr:false"))
}

/// A framework that builds static files when its configuration says so.
fn of_framework(folder: &Folder, package: &Package, build: &str) -> Option<Site> {
    let site = |tool, dir: &str, fallback: Option<String>| {
        let dir = dir.to_owned();
        Some(Site {
            tool,
            dir,
            beside: None,
            fallback,
            build: None,
        })
    };
    let index = || Some("index.html".to_owned());
    if package.has("next") {
        let text = config(folder, NEXT_CONFIG);
        let dir = value(&text, "distDir").unwrap_or_else(|| "out".to_owned());
        return sets(&text, "output", "export").then(|| site("Next.js", &dir, None))?;
    }
    if package.has("@sveltejs/adapter-static") {
        let text = config(folder, SVELTE_CONFIG);
        let dir = value(&text, "pages").unwrap_or_else(|| "build".to_owned());
        return site("SvelteKit", &dir, value(&text, "fallback"));
    }
    if package.has("nuxt") && (build.contains("generate") || build.contains("--prerender")) {
        let is_app = renders_in_browser(&config(folder, NUXT_CONFIG));
        let fallback = is_app.then(|| "200.html".to_owned());
        return site("Nuxt", ".output/public", fallback);
    }
    for (dependency, tool) in [
        ("@react-router/dev", "React Router"),
        ("@remix-run/dev", "Remix"),
    ] {
        let text = config(folder, ROUTER_CONFIG);
        if package.has(dependency) && renders_in_browser(&text) {
            let prerenders = has_word(&text, "prerender");
            let page = if prerenders {
                Some("__spa-fallback.html".to_owned())
            } else {
                index()
            };
            return site(tool, "build/client", page);
        }
    }
    None
}

/// Whether Vite builds a library here, which nobody serves.
fn is_library(folder: &Folder) -> bool {
    let text = config(folder, VITE_CONFIG);
    text.lines()
        .any(|line| line.trim_start().starts_with("lib:"))
}

/// What to commit where Hexo is, which writes its version into `package.json` when it runs.
pub(super) fn leaves_version(folder: &Folder, package: &Package) -> Option<String> {
    let written = folder.json("package.json")?;
    let written = written.pointer("/hexo/version")?.as_str()?;
    let lock = folder.json("package-lock.json");
    let locked = lock.as_ref().and_then(|lock| {
        let installed = lock.pointer("/packages/node_modules~1hexo/version")?;
        installed.as_str()
    });
    let version = locked.unwrap_or("the installed version");
    let is_right = locked.map_or(!written.is_empty(), |locked| locked == written);
    (package.has("hexo") && !is_right).then(|| {
        format!(
            "Hexo writes its version into package.json when it builds, which is a change that nobody \
             committed: set `hexo.version` there to {version}, and commit it"
        )
    })
}

/// The static site that the build makes, if it makes one.
pub(super) fn detect(folder: &Folder, package: &Package) -> Option<Site> {
    let usual = BUILDS.iter().find_map(|name| package.script(name));
    if let Some(script) = usual
        && let Some(site) = of_framework(folder, package, script)
    {
        return Some(site);
    }
    let renders = node_frameworks::of(package).is_some_and(|row| row.start.is_some());
    if renders || node_frameworks::lacks(folder, package).is_some() {
        return None;
    }
    let tool = TOOLS.iter().find(|tool| package.has(tool.dependency))?;
    let own = || SCRIPTS.iter().find(|name| package.script(name).is_some());
    let build = match usual {
        Some(_) => None,
        None => Some(match own() {
            Some(name) => Build::Script((*name).to_owned()),
            // A package that only tests with a tool has no build.
            None if tool.is_app => return None,
            None => Build::Command(tool.command(folder)),
        }),
    };
    let script = match &build {
        None => usual.unwrap_or_default(),
        Some(Build::Script(name)) => package.script(name).unwrap_or_default(),
        Some(Build::Command(command)) => command.as_str(),
    };
    let start = package.script("start").unwrap_or_default();
    // A start script that is only the tool's own server, or one for files.
    let files = [
        "serve",
        "http-server",
        "sirv",
        "npm run dev",
        "npm run preview",
        "yarn dev",
        "pnpm dev",
    ];
    let previews = start.is_empty()
        || (has_word(start, tool.program) && !start.contains("&&"))
        || has_word(start, tool.dependency)
        || files
            .iter()
            .any(|server| start.starts_with(server) || start.starts_with(&format!("npx {server}")));
    let serves = start.is_empty() && SERVERS.iter().any(|name| package.has(name));
    let renders = SERVERS[..2].iter().any(|name| package.has(name));
    let builds_library = tool.dependency == "vite" && is_library(folder);
    if !previews || serves || renders || builds_library || start.starts_with("node ") {
        return None;
    }
    let is_app =
        tool.is_app && ROUTERS.iter().any(|name| package.has(name)) && !has_many_pages(folder);
    let asked = tool.asked_dir(folder, script);
    let is_beside = |dir: &String| dir.starts_with("../");
    Some(Site {
        tool: tool.name,
        dir: asked
            .as_deref()
            .and_then(below)
            .unwrap_or_else(|| tool.dir.to_owned()),
        beside: asked.filter(is_beside),
        fallback: is_app.then(|| "index.html".to_owned()),
        build,
    })
}

impl Tool {
    /// The folder that the script or command `build` makes, where it or the settings say.
    fn asked_dir(&self, folder: &Folder, build: &str) -> Option<String> {
        let found = match self.program {
            "ng" => angular_out(folder),
            "vitepress" | "vuepress" => {
                let root = docs_root(folder, self.program, build);
                root.map(|root| format!("{root}/{}", self.dir))
            }
            program => {
                let mut settings = SETTINGS.iter();
                let row = settings.find(|(of, ..)| *of == program);
                row.and_then(|(_, files, key)| value(&config(folder, files), key))
            }
        };
        // Of a script of several commands, the one that starts the tool.
        let mut commands = build.split([';', '&', '|']);
        let own = commands.find(|command| has_word(command, self.program));
        let words: Vec<&str> = own.unwrap_or_default().split(['=', ' ']).collect();
        let option = words.windows(2).find(|pair| OPTIONS.contains(&pair[0]));
        let option = option.map(|pair| pair[1].trim_matches(['"', '\'']).to_owned());
        // Vite's paths are relative to its root.
        let root = match self.program {
            "vite" => value(&config(folder, VITE_CONFIG), "root:").and_then(|root| below(&root)),
            _ => None,
        };
        let dir = option.or(found);
        match root {
            Some(root) => {
                let dir = dir.unwrap_or_else(|| self.dir.to_owned());
                joined(&root, &dir)
            }
            None => dir,
        }
    }

    /// What builds the site where no script does.
    fn command(&self, folder: &Folder) -> String {
        match docs_root(folder, self.program, "") {
            Some(root) => format!("{} {root}", self.build),
            None => self.build.to_owned(),
        }
    }
}

/// Where `path` leads from the folder `root`; `None` where that is the project's own folder, or outside.
pub(super) fn joined(root: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = root.split('/').collect();
    for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
        match part {
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// A path that settings name, as one below the project.
fn below(path: &str) -> Option<String> {
    let path = path.trim_start_matches("./").trim_end_matches('/');
    let is_below = !path.is_empty()
        && !path.starts_with(['/', '$', '~'])
        && !path.split('/').any(|part| part == "..");
    is_below.then(|| path.to_owned())
}

/// The folder below the project that VitePress or VuePress work in, if it is not the project's own.
fn docs_root(folder: &Folder, program: &str, build: &str) -> Option<String> {
    if !matches!(program, "vitepress" | "vuepress") {
        return None;
    }
    let named = build
        .split_once(" build ")
        .and_then(|(_, rest)| rest.split_whitespace().next());
    let named = named.filter(|word| !word.starts_with('-')).and_then(below);
    let has_settings = |dir: &&&str| folder.is_dir(&format!("{dir}/.{program}"));
    let usual = || ["docs", "doc", "src"].iter().find(has_settings);
    named.or_else(|| usual().map(|dir| (*dir).to_owned()))
}

/// Whether the sources have more pages than the one that an app begins with.
fn has_many_pages(folder: &Folder) -> bool {
    let pages = folder
        .names()
        .filter(|name| name.ends_with(".html") && *name != "404.html");
    pages.count() > 1
}

/// `outputPath` of the first project in `angular.json`; the application builder adds `browser`.
fn angular_out(folder: &Folder) -> Option<String> {
    let json = folder.json("angular.json")?;
    let (name, project) = json.get("projects")?.as_object()?.iter().next()?;
    let build = project.get("architect")?.get("build")?;
    let path = build
        .get("options")
        .and_then(|o| o.get("outputPath"))
        .and_then(|p| p.as_str());
    let path = path.map_or_else(|| format!("dist/{name}"), str::to_owned);
    let builder = build
        .get("builder")
        .and_then(|b| b.as_str())
        .unwrap_or_default();
    Some(if builder.ends_with(":application") {
        format!("{path}/browser")
    } else {
        path
    })
}
