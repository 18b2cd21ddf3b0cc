//! Servers that are programs of a package and take the app as an argument: one table. And commands
//! that people type, so that they find the packages of a release.

use super::super::folder::{Folder, Source};
use super::framework::imports;
use super::packages::Packages;

/// A program that serves a file of the project.
pub(super) struct Tool {
    /// What a person calls it.
    pub name: &'static str,
    package: &'static str,
    serves: Serves,
    /// `{file}` is what it serves.
    command: &'static str,
    /// The port that it takes by itself.
    pub port: u16,
    /// A path that answers 2xx.
    pub health: Option<&'static str>,
}

/// What a tool is given.
enum Serves {
    /// The first source that imports this, the usual names first.
    Importer(&'static str),
    /// All files at the top with these ends.
    Files(&'static [&'static str]),
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "Streamlit",
        package: "streamlit",
        serves: Serves::Importer("streamlit"),
        command: "python3 -m streamlit run {file} --server.address 0.0.0.0 --server.port $PORT --server.headless true",
        port: 8501,
        health: Some("/_stcore/health"),
    },
    Tool {
        name: "Datasette",
        package: "datasette",
        serves: Serves::Files(&[".db", ".sqlite", ".sqlite3"]),
        command: "python3 -m datasette serve {file} --host 0.0.0.0 --port $PORT",
        port: 8001,
        health: Some("/-/versions.json"),
    },
    Tool {
        name: "Chainlit",
        package: "chainlit",
        serves: Serves::Importer("chainlit"),
        command: "python3 -m chainlit run {file} --headless --host 0.0.0.0 --port $PORT",
        port: 8000,
        health: None,
    },
    Tool {
        name: "marimo",
        package: "marimo",
        serves: Serves::Importer("marimo"),
        command: "python3 -m marimo run {file} --headless --host 0.0.0.0 --port $PORT",
        port: 2718,
        health: Some("/health"),
    },
    Tool {
        name: "Panel",
        package: "panel",
        serves: Serves::Importer("panel"),
        command: "python3 -m panel serve {file} --address 0.0.0.0 --port $PORT --allow-websocket-origin '*'",
        port: 5006,
        health: None,
    },
    Tool {
        name: "Bokeh",
        package: "bokeh",
        serves: Serves::Importer("bokeh"),
        command: "python3 -m bokeh serve {file} --address 0.0.0.0 --port $PORT --allow-websocket-origin '*'",
        port: 5006,
        health: None,
    },
    Tool {
        name: "Gradio",
        package: "gradio",
        serves: Serves::Importer("gradio"),
        command: "GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=$PORT python3 {file}",
        port: 7860,
        health: None,
    },
];

/// Environment that an app with such a package needs, whatever starts it.
const ENVIRONMENT: &[(&str, &str, &str)] = &[
    // It takes itself for a checkout of its own sources unless it lies in a `site-packages`.
    ("streamlit", "STREAMLIT_GLOBAL_DEVELOPMENT_MODE", "false"),
];

/// The environment that these packages need.
pub(super) fn environment(packages: &Packages) -> impl Iterator<Item = (String, String)> {
    let known = ENVIRONMENT
        .iter()
        .filter(|(package, ..)| packages.has(package));
    known.map(|(_, name, value)| ((*name).to_owned(), (*value).to_owned()))
}

/// Names that such a file usually has.
const FILES: &[&str] = &[
    "streamlit_app.py",
    "app.py",
    "main.py",
    "Home.py",
    "home.py",
];

/// The tool that serves this project, and its command.
pub(super) fn find(
    folder: &Folder,
    sources: &[&Source],
    packages: &Packages,
) -> Option<(&'static Tool, String, String)> {
    TOOLS
        .iter()
        .filter(|tool| packages.has(tool.package))
        .find_map(|tool| {
            let files = tool.files(folder, sources)?;
            Some((tool, tool.command.replace("{file}", &files), files))
        })
}

impl Tool {
    fn files(&self, folder: &Folder, sources: &[&Source]) -> Option<String> {
        match self.serves {
            Serves::Importer(module) => {
                let place = |source: &Source| {
                    let at = FILES.iter().position(|name| *name == source.path);
                    (at.unwrap_or(FILES.len()), source.path.matches('/').count())
                };
                let source = sources
                    .iter()
                    .filter(|source| imports(&source.text).any(|name| name == module))
                    .min_by_key(|source| place(source))?;
                Some(quoted(&source.path))
            }
            Serves::Files(ends) => {
                let files: Vec<String> = folder
                    .names()
                    .filter(|name| ends.iter().any(|end| name.ends_with(end)))
                    .map(quoted)
                    .collect();
                (!files.is_empty()).then(|| files.join(" "))
            }
        }
    }
}

/// A path as a word for the shell.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    if path.chars().all(plain) && !path.starts_with('-') {
        return path.to_owned();
    }
    format!("'{}'", path.replace('\'', "'\\''"))
}

/// Programs of packages that are modules, too: as such they have the app's folder on their path.
const MODULES: &[(&str, &str)] = &[
    ("alembic", "alembic.config"),
    ("bokeh", "bokeh"),
    ("celery", "celery"),
    ("chainlit", "chainlit"),
    ("daphne", "daphne"),
    ("datasette", "datasette"),
    ("django-admin", "django"),
    ("fastapi", "fastapi"),
    ("flask", "flask"),
    ("granian", "granian"),
    ("gunicorn", "gunicorn"),
    ("hypercorn", "hypercorn"),
    ("litestar", "litestar"),
    ("marimo", "marimo"),
    ("mlflow", "mlflow"),
    ("panel", "panel"),
    ("quart", "quart"),
    ("sanic", "sanic"),
    ("streamlit", "streamlit"),
    ("uvicorn", "uvicorn"),
    ("waitress-serve", "waitress"),
];

/// Programs that start a command in an environment that a release does not have.
const RUNNERS: &[&str] = &[
    "uv run ",
    "poetry run ",
    "pdm run ",
    "pipenv run ",
    "rye run ",
    "hatch run ",
];

/// A command, so that it runs in a release: the scripts of packages name the Python of the build
/// machine, and no host has the environment of `poetry run`. `vendor` is the folder of packages.
pub(super) fn adapt(command: &str, folder: &Folder, packages: &Packages, vendor: &str) -> String {
    let (before, command) = before_program(command.trim());
    let (exec, command) = match command.strip_prefix("exec ") {
        Some(rest) => ("exec ", rest.trim_start()),
        None => ("", command),
    };
    let command = RUNNERS
        .iter()
        .find_map(|runner| command.strip_prefix(runner))
        .unwrap_or(command)
        .trim_start();
    let (word, rest) = command.split_once(' ').unwrap_or((command, ""));
    let program = word.strip_prefix("./").unwrap_or(word);
    let program = [".venv/bin/", "venv/bin/", "env/bin/"]
        .iter()
        .find_map(|dir| program.strip_prefix(dir))
        .unwrap_or(word);
    let module = MODULES.iter().find(|(tool, _)| *tool == program);
    let new = match module {
        Some((_, module)) => format!("python3 -m {module}"),
        None if program == "python" || program == "python3" => "python3".to_owned(),
        None if word.ends_with(".py") && folder.is_file(word) => format!("python3 {word}"),
        // Its script can be found in any case.
        None if packages.has(program) => format!("python3 {vendor}/bin/{program}"),
        None => word.to_owned(),
    };
    format!("{before}{exec}{new} {rest}").trim().to_owned()
}

/// `A=1 B=2 program …` → the variables with the space behind them, and the rest.
fn before_program(command: &str) -> (&str, &str) {
    let mut at = 0;
    for word in command.split_inclusive(' ') {
        let name = word.split_once('=').map(|(name, _)| name);
        let variable = name.is_some_and(|name| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        });
        if !variable && !word.trim().is_empty() {
            break;
        }
        at += word.len();
    }
    command.split_at(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_command_finds_its_packages() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::write(temp.path().join("serve.py"), "").unwrap();
        let folder = Folder::open(temp.path());
        let mut packages = Packages::default();
        packages.add("pypiserver");
        packages.add("pgcli");
        for (typed, runs) in [
            ("gunicorn x:y", "python3 -m gunicorn x:y"),
            ("A=1 B= gunicorn x:y", "A=1 B= python3 -m gunicorn x:y"),
            ("exec uvicorn a:b", "exec python3 -m uvicorn a:b"),
            ("poetry run uvicorn a:b", "python3 -m uvicorn a:b"),
            ("uv run serve.py --x", "python3 serve.py --x"),
            ("./serve.py", "python3 ./serve.py"),
            ("python serve.py", "python3 serve.py"),
            (".venv/bin/gunicorn x:y", "python3 -m gunicorn x:y"),
            ("pgcli --help", "python3 vendor/bin/pgcli --help"),
            ("nginx -g x", "nginx -g x"),
            (
                "python3 -m datasette serve x.db",
                "python3 -m datasette serve x.db",
            ),
        ] {
            assert_eq!(adapt(typed, &folder, &packages, "vendor"), runs, "{typed}");
        }
    }
}
