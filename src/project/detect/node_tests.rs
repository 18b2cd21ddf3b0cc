//! The tests of a Node project: the `test` script, or as much of it as ends by itself and needs no
//! app that runs already.

use super::guess::Guess;
use super::node::Package;
use super::node_scripts::says;
use super::node_tool::PackageManager;
use super::reason::About;
use super::text::has_word;

/// Programs that drive a browser, or ask an app that somebody else has started.
const DRIVERS: &[&str] = &[
    "codeceptjs",
    "cypress",
    "nightwatch",
    "playwright",
    "testcafe",
    "wdio",
];

/// Programs that run the scripts of a project.
const MANAGERS: &[&str] = &["bun", "npm", "pnpm", "yarn"];

/// Says in `guess` how the project is tested.
pub(super) fn apply(package: &Package, manager: &PackageManager, guess: &mut Guess) {
    let Some(script) = written(package) else {
        return;
    };
    if watches(script) {
        guess.note(format!(
            "the test script `{script}` watches the files and does not end, so no test is run: add a step to [test] that ends"
        ));
        return;
    }
    let steps: Vec<&str> = script.split("&&").map(str::trim).collect();
    let rest: Vec<&&str> = steps.iter().filter(|step| !drives(package, step)).collect();
    if rest.is_empty() {
        guess.note(format!(
            "the test script `{script}` drives a browser or asks an app that runs already, so no \
             test is run: add a step to [test] that needs neither"
        ));
        return;
    }
    guess.because(About::Test, "package.json", package.says("test"));
    if rest.len() == steps.len() {
        guess.test.push(manager.run_script(package, "test"));
    } else {
        for step in rest {
            let is_managed = MANAGERS.iter().any(|name| first(step) == *name);
            guess.test.push(match is_managed {
                true => (*step).to_owned(),
                false => format!("{} {step}", manager.runner()),
            });
        }
    }
    if waits_for_a_person(script) {
        guess.test.env.insert("CI".to_owned(), "true".to_owned());
    }
}

/// Whether the project has tests that can be run.
pub(super) fn any(package: &Package) -> bool {
    written(package).is_some_and(|script| {
        let mut steps = script.split("&&");
        !watches(script) && steps.any(|step| !drives(package, step))
    })
}

/// The test script, unless it is what `npm init` writes.
fn written(package: &Package) -> Option<&str> {
    package
        .script("test")
        .filter(|script| !script.contains("no test specified"))
}

/// Whether a step of a script drives a browser, itself or by the scripts that it runs.
fn drives(package: &Package, step: &str) -> bool {
    let runs = |word: &&str| MANAGERS.contains(&first(step)) && package.script(word).is_some();
    let mut scripts = step.split_whitespace().filter(runs);
    DRIVERS.iter().any(|name| has_word(step, name))
        || scripts.any(|script| DRIVERS.iter().any(|name| says(package, script, name)))
}

fn first(step: &str) -> &str {
    step.split_whitespace().next().unwrap_or_default()
}

/// Whether the tests watch the files unless a CI system runs them, as those of Create React App do.
fn waits_for_a_person(script: &str) -> bool {
    let runners = ["react-scripts", "react-app-rewired", "craco"];
    let mut runners = runners.map(|name| format!("{name} test")).into_iter();
    runners.any(|it| script.contains(&it))
}

/// Whether a test script watches unless it is told not to, or waits for a browser.
fn watches(script: &str) -> bool {
    let has = |words: &[&str]| words.iter().any(|word| script.contains(word));
    let ends = [
        "--watch=false",
        "--watch false",
        "--watchAll=false",
        "--no-watch",
        "--single-run",
        "--run",
    ];
    has(&["ng test", "karma start", "--watch"]) && !has(&ends)
}
