//! Heroku's own servers for PHP, which a Procfile may start.

use super::super::folder::Folder;
use super::super::guess::{Guess, ServiceGuess, Stack};
use super::super::programs::is_plain;
use super::{public_copy, serve};

/// The folder that Heroku's own server shows, by a line of a Procfile: that server is not part of
/// the project.
fn root(command: &str) -> Option<String> {
    const WITH_VALUE: &[&str] = &["-C", "-c", "-F", "-f", "-i", "-l", "-p", "-t"];
    let mut words = command.split_whitespace();
    let program = words.find(|word| !word.contains('='))?;
    let name = program.rsplit('/').next()?;
    if !name.starts_with("heroku-php-") && !name.starts_with("heroku-hhvm-") {
        return None;
    }
    let mut root = ".";
    while let Some(word) = words.next() {
        match word.starts_with('-') {
            true if WITH_VALUE.contains(&word) => drop(words.next()),
            true => {}
            false => root = word,
        }
    }
    let root = root.trim_start_matches("./").trim_end_matches('/');
    let root = if root.is_empty() { "." } else { root };
    (is_plain(root) && !root.contains("..")).then(|| root.to_owned())
}

/// The service in the place of Heroku's own server, where `command` starts that.
pub(in crate::project::detect) fn service(
    folder: &Folder,
    guess: &mut Guess,
    command: &str,
) -> Option<ServiceGuess> {
    let root = root(command)?;
    if guess.stack != Stack::Php {
        return None;
    }
    let shown = guess.services.first().and_then(|it| it.command.as_deref());
    let shown = shown.map(|shown| shown.split_once(" -t ").map(|(_, root)| root.to_owned()));
    match (shown, root.as_str()) {
        (None, ".") => public_copy(folder, guess),
        // What was seen is more than a folder, or the folder of pages in that of the project.
        (Some(None), _) | (Some(_), ".") => {}
        (Some(Some(shown)), root) if shown == root => {}
        (_, root) => serve(folder, root, guess),
    }
    guess.services.first().cloned()
}
