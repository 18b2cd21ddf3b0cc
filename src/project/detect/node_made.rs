//! The file that a command of Node starts, where a step of the build makes it.

use super::files;
use super::folder::Folder;
use super::guess::{Guess, Stack};
use super::node::Package;
use super::node_tool::PackageManager;

/// Folders that builds write to.
const OUTPUTS: &[&str] = &["dist", "build", "out", ".output", "output", "server-build"];

/// Such a folder that may just as well hold sources.
const LIB: &str = "lib";

/// How the file that is given to Node may go on.
const ENDS: &[&str] = &["", ".js", "/index.js", ".mjs", ".cjs", ".ts"];

/// Options of Node whose value is the next word.
const LOADS: &[&str] = &[
    "-r",
    "--require",
    "--import",
    "--loader",
    "--experimental-loader",
];

/// The file that `command` has Node run, if the repository does not hold it.
pub(super) fn missing(folder: &Folder, package: &Package, command: &str) -> Option<String> {
    let last = command.rsplit("&&").next()?;
    let mut words = last.split_whitespace();
    words.find(|word| *word == "node")?;
    let mut file = words.next()?;
    while file.starts_with('-') {
        // What is loaded first is of the packages.
        if LOADS.contains(&file) {
            words.next();
        }
        file = words.next()?;
    }
    let file = match file.trim_start_matches("./").trim_end_matches('/') {
        "." | "" => package.text("main")?.trim_start_matches("./"),
        file => file,
    };
    let place = command.strip_prefix("cd ");
    let place = place.and_then(|rest| rest.split_once(" && "));
    let path = match place {
        Some((dir, _)) => format!("{}/{file}", dir.trim()),
        None => file.to_owned(),
    };
    let mut all = ENDS.iter().map(|end| format!("{path}{end}"));
    let is_there = all.any(|path| folder.is_file(&path));
    let ignored = files::ignored(folder);
    let is_ignored = path.split('/').any(|part| ignored.contains(part));
    let is_plain = !path.contains(['$', '*', '"', '\'']) && !path.starts_with(['/', '~', '.']);
    (is_plain && (!is_there || is_ignored)).then_some(path)
}

/// The folder that the build makes and `command` starts from: `dist` of `node dist/main.js`.
pub(super) fn dir(folder: &Folder, package: &Package, command: &str) -> Option<String> {
    if let Some(file) = missing(folder, package, command)
        && let Some((before, output)) = at_output(&file)
    {
        return Some(format!("{before}{output}"));
    }
    command.split_whitespace().find_map(|word| {
        if word.starts_with("../") {
            return word.rsplit_once('/').map(|(dir, _)| dir.to_owned());
        }
        let dir = word.trim_start_matches("./").split('/').next()?;
        OUTPUTS.contains(&dir).then(|| dir.to_owned())
    })
}

/// The folder that a build makes, where nothing but `.gitignore` tells it: the only one of the usual
/// names that is left out there.
pub(super) fn ignored_output(folder: &Folder) -> Option<String> {
    let ignored = files::ignored(folder);
    let mut outputs = OUTPUTS.iter().filter(|name| ignored.contains(**name));
    match (outputs.next(), outputs.next()) {
        (Some(name), None) => Some((*name).to_owned()),
        _ => None,
    }
}

/// `apps/api/` and `dist` of `apps/api/dist/main.js`.
fn at_output(file: &str) -> Option<(&str, &str)> {
    let mut begin = 0;
    file.split('/').find_map(|part| {
        let at = begin;
        begin += part.len() + 1;
        (part == LIB || OUTPUTS.contains(&part)).then(|| (&file[..at], part))
    })
}

/// What to add to the build, where no step of it makes the file that a service starts.
pub(super) fn note(folder: &Folder, guess: &Guess) -> Option<String> {
    let package = Package::read(folder).filter(|_| guess.stack == Stack::Node)?;
    let commands = guess.services.iter().filter_map(|it| it.command.as_deref());
    let mut files = commands.filter_map(|command| missing(folder, &package, command));
    let file = files.next()?;
    let mut steps = guess.root_steps.iter().chain(&guess.build.run);
    let prepares = ["prepare", "postinstall", "install"].into_iter();
    let mut prepares = prepares.filter_map(|name| package.script(name));
    if steps.any(|step| !is_install(step)) || prepares.any(|script| !script.contains("husky")) {
        return None;
    }
    let manager = PackageManager::of(folder, &package);
    let step = match maker(folder, &package, &file) {
        Some(tool) => format!("\"{} {tool}\"", manager.runner()),
        None => "the command that does".to_owned(),
    };
    Some(format!(
        "nothing makes {file}, which a service starts and git does not hold: add {step} to `steps` \
         of [build] in ship.toml, or a script `build` to package.json"
    ))
}

fn is_install(step: &str) -> bool {
    [" install", " ci", " generate"]
        .iter()
        .any(|word| step.contains(word))
}

/// The tool that may make `file`.
fn maker(folder: &Folder, package: &Package, file: &str) -> Option<String> {
    let (dir, _) = at_output(file)?;
    let dir = dir.trim_end_matches('/');
    let has_settings = |dir: &str| folder.is_file(&format!("{dir}tsconfig.json"));
    match dir.rsplit('/').next().filter(|name| !name.is_empty()) {
        Some(name) if folder.is_file("nx.json") => Some(format!("nx build {name}")),
        Some(_) if has_settings(&format!("{dir}/")) => Some(format!("tsc -p {dir}")),
        None if package.has("typescript") && has_settings("") => Some("tsc".to_owned()),
        _ => None,
    }
}
