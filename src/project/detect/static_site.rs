//! Static files: an `index.html` and nothing that runs.

use super::folder::Folder;
use super::guess::{Guess, Include, Stack, Strength};
use super::reason::About;
use super::stays;

/// Where people put them, the most telling first.
const DIRS: &[&str] = &[
    "public", "dist", "site", "_site", "build", "out", "www", "htdocs", "html", "docs",
];

/// What a folder of pages holds that is not for visitors: hidden names (but `.well-known`), and
/// what tools leave.
const EXCLUDE: &[&str] = &[".[!w]*", "node_modules", "/ship.toml", "/ship.lock"];

/// Files of tools that are no page either, where they are there.
const TOOLS: &[&str] = &[
    "package.json",
    "composer.json",
    "gulpfile.js",
    "Gruntfile.js",
    "netlify.toml",
    "vercel.json",
    "wrangler.toml",
    "firebase.json",
];

/// Looks for static files.
pub(super) fn detect(folder: &Folder) -> Option<Guess> {
    let mut guess = Guess::new(Stack::Static, &[]);
    if let Some(dir) = staticfile(folder) {
        guess.because(About::Service, "Staticfile", format!("has the root {dir}"));
        guess.serves(Strength::Present, &dir);
        guess.include = Include::Only(vec![dir]);
        return Some(guess);
    }
    if let Some(dir) = DIRS
        .iter()
        .find(|dir| folder.is_file(&format!("{dir}/index.html")))
    {
        guess.because(About::Service, format!("{dir}/index.html"), "is there");
        guess.serves(Strength::Present, *dir);
        guess.include = Include::Only(vec![(*dir).to_owned()]);
        return Some(guess);
    }
    if folder.is_file("index.html") {
        guess.because(About::Service, "index.html", "is there");
        guess.serves(Strength::Present, ".");
        // All of it: tomorrow's page is released, too.
        guess.include = Include::Only(vec![".".to_owned()]);
        guess.exclude = EXCLUDE.iter().map(|text| (*text).to_owned()).collect();
        let home = folder.names().filter(|name| {
            !EXCLUDE.contains(&format!("/{name}").as_str())
                && folder.is_file(name)
                && (TOOLS.contains(name) || stays::is_for_tools(name))
        });
        guess.exclude.extend(home.map(|name| format!("/{name}")));
        return Some(guess);
    }
    None
}

/// Whether a file says which folder is served.
pub(super) fn is_told(folder: &Folder) -> bool {
    staticfile(folder).is_some()
}

/// The `root:` of a Staticfile, as builders of images read it.
fn staticfile(folder: &Folder) -> Option<String> {
    let text = folder.read("Staticfile")?;
    let root = text.lines().find_map(|line| line.strip_prefix("root:"))?;
    let root = root.trim().trim_matches(['"', '\'']).trim_matches('/');
    (folder.is_dir(root) && !root.is_empty() && !root.contains("..")).then(|| root.to_owned())
}
