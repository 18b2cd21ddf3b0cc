//! Clojure: Leiningen's `project.clj`, or `deps.edn` with a `build.clj`.

use crate::project::detect::folder::Folder;
use crate::project::detect::guess::{Guess, Include, Stack, Strength};
use crate::project::detect::reason::About;
use crate::project::detect::text::literals;

/// Functions of a `build.clj` that make the jar, by custom.
const BUILDS: &[&str] = &["uber", "uberjar", "jar-uber", "release"];

/// Looks for a Clojure project.
pub(in crate::project::detect) fn detect(folder: &Folder) -> Option<Guess> {
    let file = folder.first(&["project.clj", "deps.edn"])?;
    let text = folder.read(file)?;
    let mut guess = Guess::new(Stack::Clojure, &["clj"]);
    guess.needs("java");
    guess.because(About::App, file, "is there");
    let jar = if file == "project.clj" {
        let name = text
            .split_once("(defproject ")
            .and_then(|(_, rest)| rest.split_whitespace().next())
            .and_then(|name| name.rsplit('/').next());
        guess.named(file, name.map(str::to_owned));
        guess.build.push("lein do clean, uberjar");
        if folder.is_dir("test") {
            guess.because(About::Test, "test/", "is there");
            guess.test.push("lein test");
        }
        let dir = match text.contains("\"target/%s") {
            true => "target/uberjar",
            false => "target",
        };
        let given = text
            .split_once(":uberjar-name")
            .and_then(|(_, rest)| literals(rest).first().map(|name| (*name).to_owned()));
        format!("{dir}/{}", given.as_deref().unwrap_or("*-standalone.jar"))
    } else {
        let build = folder.read("build.clj").unwrap_or_default();
        let Some(task) = BUILDS
            .iter()
            .find(|name| build.contains(&format!("(defn {name}")))
        else {
            guess.note("deps.edn alone makes no jar: add a build.clj with a function `uber` that does (tools.build), or a Procfile with what runs");
            return Some(guess);
        };
        guess.because(
            About::Build,
            "build.clj",
            format!("has the function {task}"),
        );
        guess
            .build
            .push(format!("rm -rf target && clojure -T:build {task}"));
        "target/*.jar".to_owned()
    };
    guess.runs(Strength::Certain, format!("java -jar {jar}"));
    guess.include = Include::Only(vec![jar]);
    if [
        "ring",
        "compojure",
        "reitit",
        "http-kit",
        "luminus",
        "pedestal",
    ]
    .iter()
    .any(|name| text.contains(name))
    {
        guess.because(About::Port, file, "names a web server");
        guess.framework = Some(("Ring".to_owned(), 3000));
    }
    Some(guess)
}
