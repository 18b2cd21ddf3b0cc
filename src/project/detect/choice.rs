//! Which stack a project is: the one that is surest of itself, and an app before the pages beside it.

use std::path::Path;

use super::folder::Folder;
use super::guess::{Guess, Stack};
use super::{
    beam, deno, dotnet, files, front_end, generator, go, java, native, node, node_static,
    node_tool, perl, php, python, ruby, rust, shell, static_site,
};

/// The stack that is surest of itself; the earlier one when two are.
pub(super) fn best(folder: &Folder) -> Option<Guess> {
    if folder.focus().is_some() {
        return rust::detect(folder);
    }
    let detectors = [
        rust::detect,
        go::detect,
        ruby::detect,
        php::detect,
        perl::detect,
        java::detect,
        java::clojure,
        java::scala,
        deno::detect,
        node::detect,
        python::detect,
        dotnet::detect,
        beam::elixir,
        beam::gleam,
        native::detect,
        generator::detect,
        static_site::detect,
        shell::detect,
        python::package,
    ];
    let mut best: Option<Guess> = None;
    for guess in detectors.iter().filter_map(|detect| detect(folder)) {
        let is_better = |best: &Guess| {
            guess.strength > best.strength
                || guess.strength == best.strength && hands_out(folder, &guess, best)
        };
        if best.as_ref().is_none_or(is_better) {
            best = Some(guess);
        }
    }
    let mut best = best?;
    if best.stack == Stack::Static && best.build.run.is_empty() && is_beside_an_app(folder, &best) {
        return None;
    }
    // A folder of static files beside a package.json that starts nothing.
    if best.services.is_empty()
        && let Some(mut site) = static_site::detect(folder)
        && !is_beside_an_app(folder, &site)
    {
        site.name = best.name.take();
        site.reasons.splice(0..0, best.reasons);
        site.build = best.build;
        site.test = best.test;
        best = site;
    }
    if best.stack == Stack::Static {
        generator::add_assets(folder, &mut best);
    } else if best.stack != Stack::Node {
        add_assets(folder, &mut best);
    }
    front_end::apply(folder, &mut best);
    Some(best)
}

/// Whether `app` runs a program that hands out the static files which `site` is.
fn hands_out(folder: &Folder, app: &Guess, site: &Guess) -> bool {
    let runs = app.services.iter().any(|service| service.command.is_some());
    let mut dirs = site
        .services
        .iter()
        .filter_map(|service| service.static_dir.as_deref());
    runs && dirs.any(|dir| files::names_path(&folder.sources(app.types), dir))
}

/// A `package.json` that only builds the assets of another stack.
fn add_assets(folder: &Folder, guess: &mut Guess) {
    let Some(package) = node::Package::read(folder).filter(|p| p.script("build").is_some()) else {
        return;
    };
    let manager = node_tool::PackageManager::of(folder, &package);
    let (mut assets, _) = node::steps(folder, &package, &manager, guess);
    guess.needs("node");
    guess.needs(manager.name());
    assets.run.append(&mut guess.build.run);
    guess.build.run = assets.run;
    // Elsewhere they land in a folder of the app that is shipped anyway.
    let sources = folder.sources(guess.types);
    if let Some(site) = node_static::detect(folder, &package)
        && files::names_path(&sources, &site.dir)
    {
        guess.add(site.dir);
    }
}

/// The folders right below `dir` that hold a project of their own, for a hint.
#[must_use]
pub fn projects_below(dir: &Path) -> Vec<String> {
    let below = guesses_below(&Folder::open(dir));
    below.into_iter().map(|(name, _)| name).collect()
}

fn guesses_below(folder: &Folder) -> Vec<(String, Guess)> {
    let names = folder
        .names()
        .filter(|name| !name.starts_with('.') && folder.is_dir(name))
        .filter(|name| !["node_modules", "vendor", "target"].contains(name))
        .take(50);
    names
        .filter_map(|name| {
            Some((
                name.to_owned(),
                best(&Folder::open(&folder.dir().join(name)))?,
            ))
        })
        .filter(|(_, guess)| !guess.services.is_empty())
        .collect()
}

/// Whether pages lie in a folder beside one with an app: then nothing says which of the two the
/// project is.
fn is_beside_an_app(folder: &Folder, pages: &Guess) -> bool {
    let is_own = pages.include.names(".") || static_site::is_told(folder);
    let is_app = |(_, guess): (String, Guess)| guess.stack != Stack::Static;
    !is_own && guesses_below(folder).into_iter().any(is_app)
}
