//! The web frameworks of Python: one table.

use super::super::folder::Source;
use super::server::Interface;

/// A framework whose app is an object that a server imports.
pub(super) struct Framework {
    /// What a person calls it.
    pub name: &'static str,
    /// The package that holds it.
    pub package: &'static str,
    /// What is called to make an app, as in `app = Flask(__name__)`.
    makers: &'static [&'static str],
    pub interface: Interface,
    /// Its own development server, for a project without another one.
    pub development: Option<&'static str>,
    /// The port that this takes.
    pub port: u16,
}

const BASE: Framework = Framework {
    name: "",
    package: "",
    makers: &[],
    interface: Interface::Asgi,
    development: None,
    port: 8000,
};

/// The more special first: what builds on another framework imports it, too.
pub(super) const FRAMEWORKS: &[Framework] = &[
    Framework {
        name: "FastHTML",
        package: "fasthtml",
        makers: &["fast_app", "FastHTML"],
        port: 5001,
        ..BASE
    },
    Framework {
        name: "FastAPI",
        package: "fastapi",
        makers: &["FastAPI"],
        ..BASE
    },
    Framework {
        name: "Litestar",
        package: "litestar",
        makers: &["Litestar"],
        ..BASE
    },
    Framework {
        name: "Quart",
        package: "quart",
        makers: &["Quart"],
        ..BASE
    },
    Framework {
        name: "BlackSheep",
        package: "blacksheep",
        makers: &["Application"],
        ..BASE
    },
    Framework {
        name: "Falcon",
        package: "falcon",
        makers: &["asgi.App"],
        ..BASE
    },
    Framework {
        name: "Starlette",
        package: "starlette",
        makers: &["Starlette"],
        ..BASE
    },
    Framework {
        name: "Falcon",
        package: "falcon",
        makers: &["App", "API"],
        interface: Interface::Wsgi,
        ..BASE
    },
    Framework {
        name: "Dash",
        package: "dash",
        makers: &["Dash"],
        interface: Interface::Wsgi,
        port: 8050,
        ..BASE
    },
    Framework {
        name: "Flask",
        package: "flask",
        makers: &["Flask", "APIFlask"],
        interface: Interface::Wsgi,
        development: Some("python3 -m flask --app {module}:{name} run --host 0.0.0.0 --port $PORT"),
        port: 5000,
    },
    Framework {
        name: "Bottle",
        package: "bottle",
        makers: &["Bottle", "default_app"],
        interface: Interface::Wsgi,
        development: Some("python3 -m bottle --bind 0.0.0.0:$PORT {module}:{name}"),
        port: 8080,
    },
    Framework {
        name: "Pyramid",
        package: "pyramid",
        makers: &["make_wsgi_app"],
        interface: Interface::Wsgi,
        ..BASE
    },
];

/// A callable of PEP 3333 that no framework made.
pub(super) const PLAIN: Framework = Framework {
    name: "WSGI",
    interface: Interface::Wsgi,
    ..BASE
};

/// The framework whose app is made somewhere in `source`, also inside a function.
pub(super) fn made_in(source: &Source) -> Option<&'static Framework> {
    FRAMEWORKS.iter().find(|framework| {
        framework.imported_by(source)
            && framework
                .makers
                .iter()
                .any(|maker| source.text.contains(&format!("{maker}(")))
    })
}

impl Framework {
    /// What pip calls it.
    pub fn distribution(&self) -> &'static str {
        match self.package {
            "fasthtml" => "python-fasthtml",
            package => package,
        }
    }

    /// Whether a call of `callee` makes an app.
    pub fn makes(&self, callee: &str) -> bool {
        self.makers.iter().any(|maker| {
            let before = callee.strip_suffix(maker);
            before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
        })
    }

    /// Whether `source` imports it.
    pub fn imported_by(&self, source: &Source) -> bool {
        imports(&source.text).any(|module| module == self.package)
    }
}

/// The top-level names of the modules that a source imports: `flask` of `from flask.views import x`.
pub(in crate::project::detect) fn imports(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| {
        let line = line.trim_start();
        let modules = match line.strip_prefix("from ") {
            Some(rest) => rest.split(' ').next().unwrap_or_default(),
            None => line.strip_prefix("import ").unwrap_or_default(),
        };
        modules
            .split(',')
            .map(|module| module.trim().split([' ', '.']).next().unwrap_or_default())
            .filter(|module| !module.is_empty())
    })
}
