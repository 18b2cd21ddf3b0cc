//! The servers that run a Python web app: one table.

use super::packages::Packages;

/// What a server and an app say to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interface {
    /// PEP 3333.
    Wsgi,
    /// ASGI 3.
    Asgi,
}

/// What a module holds for a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Callable {
    /// `app = Flask(__name__)`.
    Object(String),
    /// `def create_app(): …`, without arguments that must be given.
    Factory(String),
}

/// An app as a server is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct App {
    /// `shop.web`.
    pub module: String,
    pub callable: Callable,
    pub interface: Interface,
}

/// A server. In its commands, `{module}` and `{name}` stand for the app.
pub(super) struct Server {
    /// The package, and what it is called.
    pub package: &'static str,
    interface: Interface,
    /// How it starts an object.
    object: &'static str,
    /// How it starts a factory, if it can.
    factory: Option<&'static str>,
    /// The port that it takes by itself.
    pub port: u16,
}

/// The best first.
const SERVERS: &[Server] = &[
    Server {
        package: "uvicorn",
        interface: Interface::Asgi,
        object: "python3 -m uvicorn {module}:{name} --host 0.0.0.0 --port $PORT",
        factory: Some("python3 -m uvicorn --factory {module}:{name} --host 0.0.0.0 --port $PORT"),
        port: 8000,
    },
    Server {
        package: "hypercorn",
        interface: Interface::Asgi,
        object: "python3 -m hypercorn {module}:{name} --bind 0.0.0.0:$PORT",
        factory: Some("python3 -m hypercorn '{module}:{name}()' --bind 0.0.0.0:$PORT"),
        port: 8000,
    },
    Server {
        package: "granian",
        interface: Interface::Asgi,
        object: "python3 -m granian --interface asgi {module}:{name} --host 0.0.0.0 --port $PORT",
        factory: Some(
            "python3 -m granian --interface asgi --factory {module}:{name} --host 0.0.0.0 --port $PORT",
        ),
        port: 8000,
    },
    Server {
        package: "daphne",
        interface: Interface::Asgi,
        object: "python3 -m daphne -b 0.0.0.0 -p $PORT {module}:{name}",
        factory: None,
        port: 8000,
    },
    Server {
        package: "gunicorn",
        interface: Interface::Wsgi,
        object: "python3 -m gunicorn {module}:{name} --bind 0.0.0.0:$PORT",
        factory: Some("python3 -m gunicorn '{module}:{name}()' --bind 0.0.0.0:$PORT"),
        port: 8000,
    },
    Server {
        package: "waitress",
        interface: Interface::Wsgi,
        object: "python3 -m waitress --listen=0.0.0.0:$PORT {module}:{name}",
        factory: Some("python3 -m waitress --listen=0.0.0.0:$PORT --call {module}:{name}"),
        port: 8080,
    },
    Server {
        package: "granian",
        interface: Interface::Wsgi,
        object: "python3 -m granian --interface wsgi {module}:{name} --host 0.0.0.0 --port $PORT",
        factory: Some(
            "python3 -m granian --interface wsgi --factory {module}:{name} --host 0.0.0.0 --port $PORT",
        ),
        port: 8000,
    },
];

impl Server {
    /// The first server among `packages` that can start `app`.
    pub fn of(app: &App, packages: &Packages) -> Option<&'static Self> {
        SERVERS.iter().find(|server| {
            server.interface == app.interface
                && packages.has(server.package)
                && server.template(&app.callable).is_some()
        })
    }

    /// The server to add to a project that has none.
    pub fn recommended(interface: Interface) -> &'static Self {
        let package = match interface {
            Interface::Asgi => "uvicorn",
            Interface::Wsgi => "gunicorn",
        };
        SERVERS
            .iter()
            .find(|server| server.package == package)
            .unwrap_or(&SERVERS[0])
    }

    fn template(&self, callable: &Callable) -> Option<&'static str> {
        match callable {
            Callable::Object(_) => Some(self.object),
            Callable::Factory(_) => self.factory,
        }
    }

    /// The command that starts `app`.
    pub fn command(&self, app: &App) -> String {
        let template = self.template(&app.callable).unwrap_or(self.object);
        app.fill(template)
    }
}

impl App {
    /// `template` with the names of this app.
    pub fn fill(&self, template: &str) -> String {
        let (Callable::Object(name) | Callable::Factory(name)) = &self.callable;
        template
            .replace("{module}", &self.module)
            .replace("{name}", name)
    }
}
