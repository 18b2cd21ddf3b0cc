//! The tests of a Python project, and what runs them.

use std::collections::BTreeSet;

use super::super::folder::Folder;
use super::super::guess::Guess;
use super::super::reason::About;
use super::dependencies::{self, Dependencies, TEST_PACKAGES, TestGroup};
use super::django::Django;
use super::plugins;

/// What the steps of `[test]` depend on.
pub(super) struct Project<'a> {
    pub folder: &'a Folder,
    pub pyproject: Option<&'a toml::Table>,
    pub dependencies: &'a Dependencies,
    /// `PYTHONPATH` of the services.
    pub path: &'a [String],
    pub vendor: &'a str,
    pub django: Option<&'a Django>,
}

/// What was found of tests.
#[derive(Default)]
struct Found {
    /// Files, with their folders.
    files: Vec<String>,
    /// The folders at the top that hold all of them; none when a file lies beside the sources.
    dirs: BTreeSet<String>,
    /// Whether one lies at the top or in a folder of sources.
    beside: bool,
    text: String,
}

/// pytest, Django's own runner or unittest: only when there are tests.
pub(super) fn steps(project: &Project<'_>, guess: &mut Guess) {
    let found = look(project.folder);
    let settings = project
        .pyproject
        .is_some_and(|p| p.get("tool").is_some_and(|t| t.get("pytest").is_some()));
    let group = dependencies::test_group(project.folder, project.pyproject, "pytest");
    let pytest = group.is_some()
        || settings
        || project.dependencies.packages.has("pytest")
        || found.text.contains("import pytest")
        || project
            .folder
            .first(&["pytest.ini", "conftest.py", "tests/conftest.py"])
            .is_some();
    if let Some(django) = project.django.filter(|_| !pytest) {
        return django_steps(project, django, guess);
    }
    let Some(first) = found.files.first() else {
        return;
    };
    if !pytest && found.text.contains("unittest") {
        guess.because(About::Test, first, "is a test of unittest");
        besides(project, guess);
        let dirs: Vec<&String> = found.dirs.iter().collect();
        guess.test.push(match dirs.as_slice() {
            [dir] if !found.beside => format!("python3 -m unittest discover -s {dir}"),
            _ => "python3 -m unittest".to_owned(),
        });
        return;
    }
    guess.because(About::Test, first, "is a test of pytest");
    pytest_steps(project, group, &found, guess);
}

fn pytest_steps(project: &Project<'_>, group: Option<TestGroup>, found: &Found, guess: &mut Guess) {
    let dependencies = project.dependencies;
    let packages = &dependencies.packages;
    let runner = dependencies.manager.and_then(|manager| manager.runner);
    let mut missing = plugins::wanted(project.folder, &found.text);
    missing.retain(|plugin| {
        let group = || dependencies::test_group(project.folder, project.pyproject, plugin);
        !packages.has(plugin) && group().is_none()
    });
    let lists_pytest = group.is_some() || packages.has("pytest");
    // Its own runner has only what it installs itself.
    let group = group.or_else(|| {
        let named = dependencies::named_test_group(project.folder, project.pyproject)?;
        (runner.is_none() || matches!(named, TestGroup::File(_))).then_some(named)
    });
    let has_group = group.is_some();
    let is_file = matches!(group, Some(TestGroup::File(_)));
    let mut steps = group.map_or(Vec::new(), |group| dependencies.install_tests(&group));
    if !lists_pytest {
        missing.insert(0, "pytest");
    }
    let names = missing.join(" ");
    match steps.last_mut().filter(|_| is_file) {
        _ if missing.is_empty() => {}
        // Together, so that their versions fit.
        Some(step) => step.push_str(&format!(" {names}")),
        None => {
            if !steps.iter().any(|step| step.contains(TEST_PACKAGES)) {
                steps.push(format!("rm -rf {TEST_PACKAGES}"));
            }
            steps.push(format!(
                "python3 -m pip install --no-compile --target {TEST_PACKAGES} {names}"
            ));
        }
    }
    if !missing.is_empty() {
        let newest = if missing.len() == 1 {
            "one is"
        } else {
            "ones are"
        };
        guess.note(format!(
            "the tests need {}, which no file lists: the newest {newest} taken",
            missing.join(" and ")
        ));
    }
    let fills = steps.iter().any(|step| step.contains(TEST_PACKAGES));
    guess.test.run.extend(steps);
    // Its environment holds the packages already.
    let runs_inside = runner.filter(|_| has_group);
    path(
        project,
        runs_inside.is_none(),
        fills.then_some(TEST_PACKAGES),
        guess,
    );
    if let (Some(manager), Some(_)) = (dependencies.manager, runs_inside) {
        guess.test.env.extend(manager.environment());
    }
    let runner = runs_inside.unwrap_or_default();
    // The project has not seen the warnings of versions that it does not name.
    let lenient = match !missing.is_empty() && plugins::fails_on_warnings(project.folder) {
        true => " -o filterwarnings=",
        false => "",
    };
    let dirs: Vec<&str> = found.dirs.iter().map(String::as_str).collect();
    guess.test.push(if found.beside || dirs.is_empty() {
        // Else it would run the tests of the packages, too.
        format!(
            "{runner}python3 -m pytest{lenient} --ignore={}",
            project.vendor
        )
    } else {
        format!("{runner}python3 -m pytest{lenient} {}", dirs.join(" "))
    });
}

fn django_steps(project: &Project<'_>, django: &Django, guess: &mut Guess) {
    let folder = project.folder;
    let has_tests = |dir: &str| {
        folder.is_dir(&format!("{dir}/tests"))
            || folder
                .read(&format!("{dir}/tests.py"))
                .is_some_and(|text| text.contains("def test"))
    };
    let Some(app) = folder.names().find(|name| has_tests(name)) else {
        return;
    };
    if !django.uses_sqlite() {
        guess.note(
            "the tests of Django need your database server: where one runs, add `python3 manage.py \
             test` to [test]",
        );
        return;
    }
    guess.because(About::Test, format!("{app}/"), "has Django tests");
    besides(project, guess);
    guess.test.push("python3 manage.py test");
}

/// For tests that need no runner: what the project lists for them besides, and their `PYTHONPATH`.
fn besides(project: &Project<'_>, guess: &mut Guess) {
    let dependencies = project.dependencies;
    // The environment of its own would need its own runner.
    let is_plain = dependencies
        .manager
        .is_none_or(|manager| manager.runner.is_none());
    let group = dependencies::named_test_group(project.folder, project.pyproject);
    let group = group.filter(|group| is_plain || matches!(group, TestGroup::File(_)));
    let steps = group.map_or(Vec::new(), |group| dependencies.install_tests(&group));
    let fills = steps.iter().any(|step| step.contains(TEST_PACKAGES));
    guess.test.run.extend(steps);
    path(project, true, fills.then_some(TEST_PACKAGES), guess);
}

/// `PYTHONPATH` of the tests: that of the services, with or without the packages, and `extra`.
fn path(project: &Project<'_>, packages: bool, extra: Option<&str>, guess: &mut Guess) {
    let own = project.path.iter().map(String::as_str);
    let own = own.filter(|part| packages || *part != project.vendor);
    let parts: Vec<&str> = own.chain(extra).collect();
    if !parts.is_empty() {
        guess
            .test
            .env
            .insert("PYTHONPATH".to_owned(), parts.join(":"));
    }
}

/// Looks at the top, in `tests/` and `test/` and a folder below them, and in `NAME/tests/`.
fn look(folder: &Folder) -> Found {
    let mut found = Found::default();
    for name in folder.names().filter(|name| is_test(name)) {
        found.files.push(name.to_owned());
        found.beside = true;
    }
    for top in ["tests", "test"] {
        let mut dirs = vec![top.to_owned()];
        let below = folder
            .names_in(top)
            .into_iter()
            .map(|name| format!("{top}/{name}"));
        dirs.extend(below.filter(|dir| folder.is_dir(dir)).take(50));
        for dir in dirs {
            let names = folder.names_in(&dir);
            let files = names.iter().filter(|name| is_test(name));
            let before = found.files.len();
            found
                .files
                .extend(files.map(|name| format!("{dir}/{name}")));
            if found.files.len() > before {
                found.dirs.insert(top.to_owned());
            }
        }
    }
    for name in folder.names().filter(|name| is_package(folder, name)) {
        let dir = format!("{name}/tests");
        let before = found.files.len();
        let names = folder.names_in(&dir);
        found.files.extend(
            names
                .iter()
                .filter(|name| is_test(name))
                .map(|name| format!("{dir}/{name}")),
        );
        if found.files.len() > before {
            found.dirs.insert(dir);
        }
    }
    let texts = found
        .files
        .iter()
        .take(50)
        .filter_map(|file| folder.read(file));
    found.text = texts.collect();
    found
}

fn is_package(folder: &Folder, name: &str) -> bool {
    !name.starts_with('.')
        && !["vendor", "venv", "env", "node_modules", "tests", "test"].contains(&name)
        && folder.is_dir(name)
}

fn is_test(name: &str) -> bool {
    let stem = name.strip_suffix(".py");
    stem.is_some_and(|stem| stem.starts_with("test_") || stem.ends_with("_test"))
}
