//! Node projects whose build is static files: no process is needed to serve them.

use super::folder::Folder;
use super::node::Package;
use super::text::{has_word, literals};

/// A tool that builds static files.
pub(super) struct Site {
    pub tool: &'static str,
    /// Where its build lands.
    pub dir: String,
}

/// Dependency, name, folder of its build, and what its development servers are called in scripts.
const TOOLS: &[(&str, &str, &str, &[&str])] = &[
    (
        "react-scripts",
        "Create React App",
        "build",
        &["react-scripts"],
    ),
    ("@vue/cli-service", "Vue CLI", "dist", &["vue-cli-service"]),
    ("gatsby", "Gatsby", "public", &["gatsby"]),
    ("@docusaurus/core", "Docusaurus", "build", &["docusaurus"]),
    ("astro", "Astro", "dist", &["astro"]),
    ("@angular/cli", "Angular", "dist", &["ng"]),
    ("@angular/core", "Angular", "dist", &["ng"]),
    (
        "@11ty/eleventy",
        "Eleventy",
        "_site",
        &["eleventy", "@11ty/eleventy"],
    ),
    ("parcel", "Parcel", "dist", &["parcel"]),
    ("vite", "Vite", "dist", &["vite"]),
];

/// Dependencies that make one of the tools build a server after all.
const SERVERS: &[&str] = &[
    "@astrojs/node",
    "@sveltejs/adapter-node",
    "@remix-run/serve",
    "@remix-run/node",
    "@react-router/serve",
    "nuxt",
    "@angular/ssr",
    "@solidjs/start",
    "vike",
    "express",
    "fastify",
    "koa",
    "hono",
];

/// The static site that the build makes, if it makes one.
pub(super) fn detect(folder: &Folder, package: &Package) -> Option<Site> {
    package.script("build")?;
    if package.has("next") {
        let config = ["next.config.js", "next.config.mjs", "next.config.ts"];
        let exports = folder
            .first(&config)
            .and_then(|file| folder.read(file))
            .is_some_and(|text| {
                text.lines()
                    .any(|line| has_word(line, "output") && literals(line).contains(&"export"))
            });
        return exports.then(|| Site {
            tool: "Next.js",
            dir: "out".to_owned(),
        });
    }
    if package.has("@sveltejs/adapter-static") {
        return Some(Site {
            tool: "SvelteKit",
            dir: "build".to_owned(),
        });
    }
    let (dependency, tool, dir, commands) = TOOLS.iter().find(|(name, ..)| package.has(name))?;
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
        || commands
            .iter()
            .any(|command| has_word(start, command) && !start.contains("&&"))
        || files
            .iter()
            .any(|server| start.starts_with(server) || start.starts_with(&format!("npx {server}")));
    let serves = start.is_empty() && SERVERS.iter().any(|name| package.has(name));
    if !previews
        || serves
        || SERVERS[..8].iter().any(|name| package.has(name))
        || start.starts_with("node ")
    {
        return None;
    }
    let dir = match *dependency {
        "vite" => vite_out(folder).unwrap_or_else(|| (*dir).to_owned()),
        "@angular/cli" | "@angular/core" => {
            angular_out(folder).unwrap_or_else(|| (*dir).to_owned())
        }
        _ => (*dir).to_owned(),
    };
    Some(Site { tool, dir })
}

/// `outDir: 'public'` of the Vite configuration.
fn vite_out(folder: &Folder) -> Option<String> {
    let file = folder.first(&["vite.config.ts", "vite.config.js", "vite.config.mjs"])?;
    let text = folder.read(file)?;
    let line = text.lines().find(|line| has_word(line, "outDir"))?;
    let dir = literals(line)
        .first()?
        .trim_start_matches("./")
        .trim_end_matches('/');
    (!dir.is_empty() && !dir.starts_with(['/', '.'])).then(|| dir.to_owned())
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
