//! Scala: `build.sbt`, and the plugin that makes something to run.

use crate::project::detect::folder::Folder;
use crate::project::detect::guess::{Guess, Include, Stack, Strength};
use crate::project::detect::programs::is_plain;
use crate::project::detect::reason::About;
use crate::project::detect::text::literals;

/// Looks for a Scala project.
pub(in crate::project::detect) fn detect(folder: &Folder) -> Option<Guess> {
    let build = folder.read("build.sbt")?;
    let plugins: String = folder
        .names_in("project")
        .iter()
        .filter(|name| name.ends_with(".sbt"))
        .filter_map(|name| folder.read(&format!("project/{name}")))
        .collect();
    let mut guess = Guess::new(Stack::Scala, &["scala"]);
    guess.needs("java");
    guess.because(About::App, "build.sbt", "is there");
    let name = build
        .lines()
        .find(|line| line.contains("name") && line.contains(":="))
        .and_then(|line| literals(line).first().map(|name| (*name).to_owned()));
    guess.named("build.sbt", name.clone());
    let play = plugins.contains("playframework") || plugins.contains("typesafe.play");
    if plugins.contains("sbt-assembly") {
        guess.because(
            About::Build,
            "project/",
            "names sbt-assembly, which makes one jar",
        );
        guess.build.push("sbt clean assembly");
        let jar = "target/scala-*/*-assembly-*.jar";
        guess.runs(Strength::Certain, format!("java -jar {jar}"));
        guess.include = Include::Only(vec![jar.to_owned()]);
    } else if play || plugins.contains("sbt-native-packager") {
        guess.because(
            About::Build,
            "project/",
            "names a plugin that stages the app",
        );
        guess.build.push("sbt clean stage");
        let stage = "target/universal/stage";
        let name = name.unwrap_or_default().to_lowercase().replace(' ', "-");
        if name.is_empty() || !is_plain(&name) {
            guess.note(
                "build.sbt has no line `name := \"…\"`, so the name of the program is not known",
            );
            return Some(guess);
        }
        let settings = match play {
            true => {
                " -Dhttp.port=$PORT -Dpidfile.path=/dev/null -Dplay.http.secret.key=$APPLICATION_SECRET"
            }
            false => "",
        };
        guess.runs(Strength::Certain, format!("{stage}/bin/{name}{settings}"));
        guess.include = Include::Only(vec![stage.to_owned()]);
        if play {
            guess.framework = Some(("Play".to_owned(), 9000));
            guess.secret("APPLICATION_SECRET", "Play");
        }
    } else {
        guess.note("sbt makes no program here: add sbt-assembly to project/plugins.sbt");
        return Some(guess);
    }
    if folder.is_dir("src/test") || folder.is_dir("test") {
        guess.because(About::Test, "the project", "has tests");
        guess.test.push("sbt test");
    }
    Some(guess)
}
