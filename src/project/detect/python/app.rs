//! Where the sources make the app that a server imports.

use super::super::folder::Source;
use super::framework::{FRAMEWORKS, Framework, PLAIN, made_in};
use super::packages::Packages;
use super::server::{App, Callable};

/// Functions that make an app, by custom.
const FACTORIES: &[&str] = &[
    "create_app",
    "make_app",
    "build_app",
    "get_app",
    "create_application",
    "make_application",
    "get_application",
    "app_factory",
];

/// Files that hold the app, by custom; the one for servers first.
const FILES: &[&str] = &[
    "wsgi.py",
    "asgi.py",
    "app.py",
    "main.py",
    "server.py",
    "api.py",
    "web.py",
    "application.py",
    "__init__.py",
];

/// Names of an app that is meant for a server.
const NAMES: &[&str] = &["app", "application", "asgi", "wsgi", "api", "server"];

/// An app that was found.
pub(super) struct Found<'a> {
    pub source: &'a Source,
    pub framework: &'static Framework,
    pub app: App,
}

/// The app that the sources make: an object before a factory, and of several the one whose file and
/// name are usual.
pub(super) fn find<'a>(sources: &[&'a Source], packages: &Packages) -> Option<Found<'a>> {
    let objects = sources.iter().flat_map(|source| {
        objects(source, sources)
            .map(|(framework, name)| (*source, framework, Callable::Object(name)))
    });
    let factories = sources.iter().filter_map(|source| {
        let name = factory(source)?;
        let framework = made_in(source).or_else(|| project(sources, packages))?;
        Some((*source, framework, Callable::Factory(name)))
    });
    let (source, framework, callable) = objects
        .chain(factories)
        .min_by_key(|(source, _, callable)| rank(source, callable))
        .or_else(|| plain(sources))
        .or_else(|| routes(sources))?;
    let callable = match callable {
        Callable::Object(name) if framework.package == "dash" => {
            Callable::Object(served(source, name))
        }
        callable => callable,
    };
    Some(Found {
        source,
        framework,
        app: App {
            module: module(&source.path),
            callable,
            interface: framework.interface,
        },
    })
}

/// The name of the WSGI app of a Dash app: that of its line `server = app.server`, or `app.server`.
fn served(source: &Source, name: String) -> String {
    let server = format!("{name}.server");
    let named = source.lines().find_map(|line| {
        let (left, value) = line.split_once('=')?;
        (value.trim() == server && !line.starts_with(' ')).then(|| left.trim().to_owned())
    });
    named.unwrap_or(server)
}

/// The smaller, the likelier that a server is meant to import it.
fn rank(source: &Source, callable: &Callable) -> (bool, usize, usize, usize) {
    let file = source.path.rsplit('/').next().unwrap_or_default();
    let place = |list: &[&str], what: &str| {
        let at = list.iter().position(|known| *known == what);
        at.unwrap_or(list.len())
    };
    let (is_factory, name) = match callable {
        Callable::Object(name) => (false, place(NAMES, name)),
        Callable::Factory(name) => (true, place(FACTORIES, name)),
        Callable::Routes => (true, FACTORIES.len()),
    };
    let depth = source.path.matches('/').count();
    (is_factory, place(FILES, file), depth, name)
}

/// `name = Flask(…)` at the top level of `source`, each with the framework that makes it.
fn objects<'a>(
    source: &'a Source,
    sources: &'a [&'a Source],
) -> impl Iterator<Item = (&'static Framework, String)> + 'a {
    source.lines().filter_map(|line| {
        let (names, value) = line.split_once('=')?;
        // `app: FastAPI = …` has a type, `app, rt = …` takes a pair apart.
        let name = names.split([':', ',']).next()?.trim_end();
        let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let (callee, _) = value.trim_start().split_once('(')?;
        let made = || {
            let mut known = FRAMEWORKS.iter();
            known.find(|framework| framework.makes(callee) && framework.imported_by(source))
        };
        let by_factory = || {
            let last = callee.rsplit('.').next().unwrap_or(callee);
            FACTORIES.contains(&last).then_some(())?;
            made_in(source).or_else(|| sources.iter().find_map(|source| made_in(source)))
        };
        let framework = plain.then(|| made().or_else(by_factory)).flatten()?;
        Some((framework, name.to_owned()))
    })
}

/// The first factory of `source` that can be called without arguments.
fn factory(source: &Source) -> Option<String> {
    FACTORIES.iter().find_map(|name| {
        let start = format!("def {name}(");
        let at = source
            .text
            .match_indices(&start)
            .map(|(at, _)| at)
            .find(|at| *at == 0 || source.text[..*at].ends_with('\n'))?;
        let arguments = &source.text[at + start.len()..];
        all_optional(arguments).then(|| (*name).to_owned())
    })
}

/// Whether each argument before the closing bracket has a default or is a `*args`.
fn all_optional(text: &str) -> bool {
    let (mut depth, mut argument) = (0usize, String::new());
    let optional = |argument: &str| {
        let argument = argument.trim();
        argument.is_empty()
            || argument == "/"
            || argument.starts_with('*')
            || argument.contains('=')
    };
    for c in text.chars().take(2000) {
        match c {
            ')' if depth == 0 => return optional(&argument),
            ',' if depth == 0 => {
                if !optional(&argument) {
                    return false;
                }
                argument.clear();
                continue;
            }
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        argument.push(c);
    }
    false
}

/// The framework of the whole project, when the factory only calls other modules.
fn project(sources: &[&Source], packages: &Packages) -> Option<&'static Framework> {
    sources
        .iter()
        .find_map(|source| made_in(source))
        .or_else(|| FRAMEWORKS.iter().find(|known| packages.has(known.package)))
}

/// `def application(environ, start_response)` of PEP 3333.
fn plain<'a>(sources: &[&'a Source]) -> Option<(&'a Source, &'static Framework, Callable)> {
    sources.iter().find_map(|source| {
        source.lines().find_map(|line| {
            let (name, arguments) = line.strip_prefix("def ")?.split_once('(')?;
            let callable = Callable::Object(name.trim().to_owned());
            arguments
                .contains("start_response")
                .then_some((*source, &PLAIN, callable))
        })
    })
}

/// `@route("/")` of Bottle, which has an app of its own.
fn routes<'a>(sources: &[&'a Source]) -> Option<(&'a Source, &'static Framework, Callable)> {
    const ROUTES: &[&str] = &["@route(", "@get(", "@post("];
    let bottle = FRAMEWORKS.iter().find(|known| known.package == "bottle")?;
    let mut sources = sources.iter().filter(|source| bottle.imported_by(source));
    sources.find_map(|source| {
        let is_route = |line: &str| {
            let line = line.replacen("@bottle.", "@", 1);
            ROUTES.iter().any(|route| line.starts_with(route))
        };
        let mut lines = source.lines();
        lines
            .any(is_route)
            .then_some((*source, bottle, Callable::Routes))
    })
}

/// The source that makes an app, and its framework, for a project that lists no packages.
pub(super) fn imported<'a>(sources: &[&'a Source]) -> Option<(&'a Source, &'static Framework)> {
    let mut made = sources
        .iter()
        .filter_map(|source| Some((*source, made_in(source)?)));
    made.next()
}

/// What a source does when it is run as a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    /// It starts the app's server, and nothing else.
    Plain,
    /// It does more before that, such as making tables.
    More,
    /// It starts a server of its own for sockets.
    Sockets,
}

/// Whether and how `source` serves its app when it is run as a program.
pub(super) fn script(source: &Source) -> Option<Script> {
    let main = |line: &&str| line.starts_with("if __name__") && line.contains("__main__");
    let lines: Vec<&str> = source
        .lines()
        .skip_while(|line| !main(line))
        .skip(1)
        .collect();
    let body: Vec<&str> = lines
        .iter()
        .take_while(|line| line.starts_with([' ', '\t']) || line.trim().is_empty())
        .map(|line| line.trim())
        .filter(|line| !line.is_empty())
        .collect();
    let runs = body.iter().position(|line| {
        ["run(", "run_server(", "serve("]
            .iter()
            .any(|it| line.contains(it))
    })?;
    Some(if body[runs].contains("socketio.run(") {
        Script::Sockets
    } else if body[..runs]
        .iter()
        .any(|line| line.contains("create_all(") || line.contains("init_db("))
    {
        Script::More
    } else {
        Script::Plain
    })
}

/// `src/shop/web.py` → `shop.web`: the folder `src` is on the path.
pub(super) fn module(path: &str) -> String {
    let path = path.strip_suffix(".py").unwrap_or(path);
    let path = path.strip_suffix("/__init__").unwrap_or(path);
    path.strip_prefix("src/")
        .filter(|p| p.contains('/'))
        .unwrap_or(path)
        .replace('/', ".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Option<(&'static str, String, Callable)> {
        let sources: Vec<Source> = files
            .iter()
            .map(|(path, text)| Source {
                path: (*path).to_owned(),
                text: (*text).to_owned(),
            })
            .collect();
        let sources: Vec<&Source> = sources.iter().collect();
        let found = find(&sources, &Packages::default())?;
        Some((found.framework.name, found.app.module, found.app.callable))
    }

    #[test]
    fn apps_are_found_as_objects_and_as_factories() {
        let object = |name: &str| Callable::Object(name.to_owned());
        let factory = |name: &str| Callable::Factory(name.to_owned());
        for (files, expected) in [
            (
                &[(
                    "main.py",
                    "from fastapi import FastAPI\napp: FastAPI = FastAPI()\n",
                )] as &[_],
                ("FastAPI", "main", object("app")),
            ),
            (
                &[(
                    "main.py",
                    "from fasthtml.common import *\napp, rt = fast_app()\n",
                )],
                ("FastHTML", "main", object("app")),
            ),
            (
                &[(
                    "flaskr/__init__.py",
                    "from flask import Flask\n\ndef create_app(test_config=None):\n    app = Flask(__name__)\n    return app\n",
                )],
                ("Flask", "flaskr", factory("create_app")),
            ),
            (
                &[
                    (
                        "shop/factory.py",
                        "from flask import Flask\ndef create_app(config):\n    return Flask(__name__)\n",
                    ),
                    (
                        "autoapp.py",
                        "from shop.factory import create_app\napp = create_app('production')\n",
                    ),
                ],
                ("Flask", "autoapp", object("app")),
            ),
            (
                &[(
                    "app.py",
                    "import falcon.asgi\nother = falcon.asgi.App()\napp = falcon.asgi.App()\n",
                )],
                ("Falcon", "app", object("app")),
            ),
            (
                &[
                    (
                        "a/admin.py",
                        "from fastapi import FastAPI\napp = FastAPI()\n",
                    ),
                    (
                        "src/shop/main.py",
                        "from fastapi import FastAPI\napp = FastAPI()\n",
                    ),
                ],
                ("FastAPI", "shop.main", object("app")),
            ),
            (
                &[(
                    "shop/x.py",
                    "from bottle import route, run\n@route('/')\ndef f(): pass\nrun(host='localhost')\n",
                )],
                ("Bottle", "shop.x", Callable::Routes),
            ),
            (
                &[("x.py", "import bottle\n@bottle.get('/')\ndef f(): pass\n")],
                ("Bottle", "x", Callable::Routes),
            ),
            (
                &[(
                    "x.py",
                    "def application(environ, start_response):\n    pass\n",
                )],
                ("WSGI", "x", object("application")),
            ),
        ] {
            let (name, module, callable) = expected;
            assert_eq!(
                found(files),
                Some((name, module.to_owned(), callable)),
                "{files:?}"
            );
        }
    }

    #[test]
    fn what_only_looks_like_an_app_is_none() {
        for text in [
            "from flask import Flask\ndef create_app(config):\n    return Flask(config)\n",
            "app = FastAPI()\n",
            "import flask\n    app = Flask(__name__)\n",
            "# app = Flask(__name__)\nimport flask\n",
        ] {
            assert_eq!(found(&[("app.py", text)]), None, "{text}");
        }
    }
}
