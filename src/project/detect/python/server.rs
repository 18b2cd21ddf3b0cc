//! The servers that run a Python web app: one table.

use super::super::folder::Folder;
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
    /// Nothing by name: its functions are routes of the framework's own app.
    Routes,
}

/// An app as a server is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct App {
    /// `shop.web`.
    pub module: String,
    pub callable: Callable,
    pub interface: Interface,
}

/// A server. In its commands, `{module}` and `{name}` stand for the app, and `{vendor}` for the folder
/// of packages.
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
    Server {
        package: "uwsgi",
        interface: Interface::Wsgi,
        object: "{vendor}/bin/uwsgi --http-socket 0.0.0.0:$PORT --master --need-app --die-on-term --module {module}:{name}",
        factory: Some(
            "{vendor}/bin/uwsgi --http-socket 0.0.0.0:$PORT --master --need-app --die-on-term --module '{module}:{name}()'",
        ),
        port: 8000,
    },
];

/// Servers that find an app in an attribute: `app.server`.
const ATTRIBUTES: &[&str] = &["granian", "waitress"];

/// The server among `packages` that Bottle starts by itself, for an app that has no name.
pub(super) fn adapter(app: &App, packages: &Packages) -> Option<&'static str> {
    let known = ["gunicorn", "waitress"].into_iter();
    let mut known = known.filter(|_| app.callable == Callable::Routes);
    known.find(|package| packages.has(package))
}

impl Server {
    /// The first server among `packages` that can start `app`.
    pub fn of(app: &App, packages: &Packages) -> Option<&'static Self> {
        SERVERS.iter().find(|server| {
            server.interface == app.interface
                && packages.has(server.package)
                && server.template(&app.callable).is_some()
                && (!app.is_attribute() || ATTRIBUTES.contains(&server.package))
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
            Callable::Routes => None,
        }
    }

    /// The command that starts `app`, with the packages in `vendor`, and the port that it takes by
    /// itself. A file of the project may say how.
    pub fn command(&self, app: &App, folder: &Folder, vendor: &str) -> (String, u16) {
        let template = self.template(&app.callable).unwrap_or(self.object);
        let own = match self.package {
            "uwsgi" => uwsgi_ini(&folder.read(UWSGI_INI).unwrap_or_default()),
            _ => None,
        };
        let (template, port) = own.unwrap_or((template, self.port));
        (app.fill(template).replace("{vendor}", vendor), port)
    }
}

/// The file that says how uWSGI serves the app.
pub(super) const UWSGI_INI: &str = "uwsgi.ini";

/// The command for a `uwsgi.ini`, and its port, 8000 where the environment says it. It must name the
/// app, and speak HTTP or leave open what it speaks; another user or environment is none of a host.
fn uwsgi_ini(text: &str) -> Option<(&'static str, u16)> {
    let settings = || {
        let lines = text.lines().filter_map(|line| line.split_once('='));
        lines.map(|(key, value)| (key.trim(), value.trim()))
    };
    let has = |keys: &[&str]| settings().any(|(key, _)| keys.contains(&key));
    if has(&[
        "uid",
        "gid",
        "chroot",
        "home",
        "pyhome",
        "venv",
        "virtualenv",
    ]) {
        return None;
    }
    let http = settings().find(|(key, _)| ["http", "http-socket"].contains(key));
    if let Some((_, address)) = http {
        let (_, port) = address.rsplit_once(':')?;
        return Some((
            "{vendor}/bin/uwsgi --ini uwsgi.ini",
            port.parse().unwrap_or(8000),
        ));
    }
    let open = "{vendor}/bin/uwsgi --ini uwsgi.ini --http-socket 0.0.0.0:$PORT --die-on-term";
    let is_open = has(&["module", "wsgi", "wsgi-file"])
        && !has(&["socket", "uwsgi-socket", "fastcgi-socket"]);
    is_open.then_some((open, 8000))
}

impl App {
    /// Whether the app is no name of its module, but an attribute of one.
    pub fn is_attribute(&self) -> bool {
        matches!(&self.callable, Callable::Object(name) if name.contains('.'))
    }

    /// `template` with the names of this app.
    pub fn fill(&self, template: &str) -> String {
        let template = template.replace("{module}", &self.module);
        match &self.callable {
            Callable::Object(name) | Callable::Factory(name) => template.replace("{name}", name),
            Callable::Routes => template.replace(":{name}", ""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_uwsgi_says_how_it_serves() {
        for (text, port, is_open) in [
            ("[uwsgi]\nhttp = :8080\n", Some(8080), false),
            ("http-socket=0.0.0.0:$(PORT)", Some(8000), false),
            ("module = a:b\nhttp-timeout = 3", Some(8000), true),
            ("socket = :3031\nmodule = a:b\n", None, false),
            ("http = :8080\nuid = www-data", None, false),
            ("processes = 2", None, false),
            ("", None, false),
        ] {
            let found = uwsgi_ini(text);
            assert_eq!(found.map(|(_, port)| port), port, "{text}");
            let adds = found.is_some_and(|(command, _)| command.contains("--http-socket"));
            assert_eq!(adds, is_open, "{text}");
        }
    }
}
