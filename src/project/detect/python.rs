//! Python: its dependencies, its framework, its entry.

use super::files::requires;
use super::folder::Folder;
use super::guess::{Guess, Include, Stack, Strength};
use super::python_deps;
use super::python_web::{self, Web};

const TYPES: &[&str] = &["py"];

/// Files that start an app by custom.
const ENTRIES: &[&str] = &[
    "app.py",
    "main.py",
    "server.py",
    "wsgi.py",
    "asgi.py",
    "run.py",
    "web.py",
    "bot.py",
    "__main__.py",
    "src/main.py",
    "src/app.py",
    "app/main.py",
];

/// Looks for a Python project.
pub(super) fn detect(folder: &Folder) -> Option<Guess> {
    let marker = folder.first(&[
        "manage.py",
        "requirements.txt",
        "pyproject.toml",
        "Pipfile",
        "setup.py",
    ]);
    let entry = folder.first(ENTRIES);
    marker.or(entry)?;
    let mut guess = Guess::new(Stack::Python, TYPES);
    guess.saw(format!("{} is there", marker.or(entry).unwrap_or_default()));
    let project = folder.toml("pyproject.toml");
    if project.is_none() && folder.is_file("pyproject.toml") {
        guess.note("pyproject.toml is not valid TOML, so it was not used");
    }
    let text = |table: &toml::Value| Some(table.get("name")?.as_str()?.to_owned());
    guess.name = project
        .as_ref()
        .and_then(|p| text(p.get("project")?).or_else(|| text(p.get("tool")?.get("poetry")?)));

    let dependencies = python_deps::read(folder, project.as_ref());
    let vendor = python_deps::vendor_dir(folder);
    if dependencies.any() {
        guess.saw(dependencies.saw.clone());
        guess.build.run = dependencies.install(vendor);
        guess
            .build
            .why
            .push("into a folder, not a venv: a venv's paths would break on a host".to_owned());
        if let Some(note) = &dependencies.note {
            guess.note(note.clone());
        }
    }
    let path = python_path(folder, dependencies.any().then_some(vendor));
    let web = python_web::detect(folder, &dependencies.text);
    start(&mut guess, web.as_ref(), entry);
    let mut env: Vec<(&str, String)> = vec![("PYTHONUNBUFFERED", "1".to_owned())];
    if let Some(path) = &path {
        env.push(("PYTHONPATH", path.clone()));
    }
    for service in &mut guess.services {
        service.env.extend(
            env.iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone())),
        );
    }
    if let Some(path) = &path {
        guess.test.env.insert("PYTHONPATH".to_owned(), path.clone());
        if web.as_ref().is_some_and(|web| web.collects) {
            guess
                .build
                .env
                .insert("PYTHONPATH".to_owned(), path.clone());
        }
    }
    tests(
        folder,
        &dependencies.text,
        path.as_deref(),
        vendor,
        web.as_ref(),
        &mut guess,
    );
    guess.include = Include::Sources {
        add: dependencies
            .any()
            .then(|| vendor.to_owned())
            .into_iter()
            .collect(),
        drop: vec![],
    };
    Some(guess)
}

/// What runs, from the framework or by custom.
fn start(guess: &mut Guess, web: Option<&Web>, entry: Option<&str>) {
    if let Some(web) = web {
        guess.saw(web.saw.clone());
        guess.runs(Strength::Certain, web.command.clone());
        if let Some(service) = guess.services.first_mut() {
            service.why.extend(web.why.clone());
        }
        guess.framework = Some((web.name.to_owned(), web.port));
        guess.no_health.clone_from(&web.no_health);
        guess.hooks.clone_from(&web.hooks);
        if web.collects {
            guess
                .build
                .push("python3 manage.py collectstatic --noinput");
        }
    } else if let Some(entry) = entry {
        guess.saw(format!("{entry} is there"));
        guess.runs(Strength::Runs, format!("python3 {entry}"));
    }
}

/// `PYTHONPATH`: relative, because the service starts in its release.
fn python_path(folder: &Folder, vendor: Option<&str>) -> Option<String> {
    let nested = |name: &String| folder.is_file(&format!("src/{name}/__init__.py"));
    let src = folder.names_in("src").iter().any(nested).then_some("src");
    let parts: Vec<&str> = vendor.into_iter().chain(src).collect();
    (!parts.is_empty()).then(|| parts.join(":"))
}

/// pytest, Django's own runner or unittest: only when there are tests.
fn tests(
    folder: &Folder,
    requirements: &str,
    path: Option<&str>,
    vendor: &str,
    web: Option<&Web>,
    guess: &mut Guess,
) {
    let test_dir = ["tests", "test"].into_iter().find(|dir| folder.is_dir(dir));
    let is_test = |name: &str| {
        (name.starts_with("test_") || name.ends_with("_test.py")) && name.ends_with(".py")
    };
    let in_dir = test_dir.filter(|dir| folder.names_in(dir).iter().any(|name| is_test(name)));
    let at_root = folder.names().any(is_test);
    let mut texts = in_dir
        .map(|dir| {
            folder
                .names_in(dir)
                .into_iter()
                .map(|n| format!("{dir}/{n}"))
                .collect::<Vec<_>>()
        })
        .unwrap_or_default();
    texts.extend(
        folder
            .names()
            .filter(|name| is_test(name))
            .map(str::to_owned),
    );
    let text: String = texts
        .iter()
        .filter(|n| n.ends_with(".py"))
        .filter_map(|n| folder.read(n))
        .collect();

    let dev = [
        "requirements-dev.txt",
        "requirements-test.txt",
        "dev-requirements.txt",
        "requirements/dev.txt",
    ];
    let dev = folder.first(&dev);
    let dev_text = dev.and_then(|file| folder.read(file)).unwrap_or_default();
    let tool_settings = folder
        .toml("pyproject.toml")
        .is_some_and(|p| p.get("tool").is_some_and(|t| t.get("pytest").is_some()));
    let pytest = requires(requirements, "pytest")
        || requires(&dev_text, "pytest")
        || tool_settings
        || folder
            .first(&["pytest.ini", "conftest.py", "tests/conftest.py"])
            .is_some()
        || text.contains("import pytest");
    if in_dir.is_none() && !at_root {
        let apps = folder.names().any(|name| {
            folder.is_dir(&format!("{name}/tests"))
                || folder
                    .read(&format!("{name}/tests.py"))
                    .is_some_and(|text| text.contains("def test"))
        });
        if web.is_some_and(|web| web.name == "Django") && apps {
            guess.saw("there are Django tests");
            guess.test.push("python3 manage.py test");
        } else {
            guess.test.env.clear();
        }
        return;
    }
    if !pytest && text.contains("unittest") {
        guess.saw("there are unittest tests");
        guess.test.push(match in_dir {
            Some(dir) => format!("python3 -m unittest discover -s {dir}"),
            None => "python3 -m unittest".to_owned(),
        });
        return;
    }
    guess.saw("there are pytest tests");
    if let Some(file) = dev.filter(|_| requires(&dev_text, "pytest")) {
        // Beside the app's own packages, so that they are not shipped.
        let dir = ".ship/test-packages";
        guess.test.push(format!(
            "python3 -m pip install --upgrade --target {dir} -r {file}"
        ));
        let path = path.map_or_else(|| dir.to_owned(), |path| format!("{path}:{dir}"));
        guess.test.env.insert("PYTHONPATH".to_owned(), path);
    } else if !requires(requirements, "pytest") {
        guess.note("the tests need pytest, which no requirements file names");
    }
    guess.test.push(match in_dir {
        Some(dir) => format!("python3 -m pytest {dir}"),
        // Else it would run the tests of the packages too.
        None => format!("python3 -m pytest --ignore={vendor}"),
    });
}

/// Commands of a Procfile, so that they find what is in the vendor folder: its scripts would name
/// the Python of the build machine.
pub(super) fn adapt(command: &str) -> String {
    const MODULES: &[(&str, &str)] = &[
        ("gunicorn", "gunicorn"),
        ("uvicorn", "uvicorn"),
        ("celery", "celery"),
        ("flask", "flask"),
        ("hypercorn", "hypercorn"),
        ("daphne", "daphne"),
        ("waitress-serve", "waitress"),
        ("django-admin", "django"),
        ("streamlit", "streamlit"),
        ("alembic", "alembic.config"),
    ];
    let command = command.trim();
    let (word, rest) = command.split_once(' ').unwrap_or((command, ""));
    match MODULES.iter().find(|(tool, _)| *tool == word) {
        Some((_, module)) => format!("python3 -m {module} {rest}").trim().to_owned(),
        None if word == "python" => format!("python3 {rest}"),
        None => command.to_owned(),
    }
}
