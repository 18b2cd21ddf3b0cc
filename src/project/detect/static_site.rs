//! Static files: an `index.html` and nothing that runs.

use super::folder::Folder;
use super::guess::{Guess, Include, Stack, Strength};

/// Where people put them, the most telling first.
const DIRS: &[&str] = &[
    "public", "dist", "site", "_site", "build", "out", "www", "htdocs", "html", "docs",
];

/// Looks for static files.
pub(super) fn detect(folder: &Folder) -> Option<Guess> {
    let mut guess = Guess::new(Stack::Static, &[]);
    if let Some(dir) = DIRS
        .iter()
        .find(|dir| folder.is_file(&format!("{dir}/index.html")))
    {
        guess.saw(format!("{dir}/index.html is there"));
        guess.serves(Strength::Present, *dir);
        guess.include = Include::Only(vec![(*dir).to_owned()]);
        return Some(guess);
    }
    if folder.is_file("index.html") {
        guess.saw("index.html is there");
        guess.serves(Strength::Present, ".");
        return Some(guess);
    }
    None
}
