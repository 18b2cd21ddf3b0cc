//! Servers that are programs of a package and take the app as an argument: one table.

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
        // `/_stcore/health` answers, too, where the script fails.
        health: Some("/_stcore/script-health-check"),
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
    // Its route for health.
    (
        "streamlit",
        "STREAMLIT_SERVER_SCRIPT_HEALTH_CHECK_ENABLED",
        "true",
    ),
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
