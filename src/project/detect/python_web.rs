//! Django, Flask, FastAPI and their servers.

use super::files::requires;
use super::folder::{Folder, Source};
use super::guess::HookGuess;
use super::text::literals;

/// A web framework and how it is served.
pub(super) struct Web {
    pub name: &'static str,
    pub saw: String,
    pub command: String,
    /// What the manifest says above the command.
    pub why: Option<String>,
    pub port: u16,
    /// Why a health route would not answer, if so.
    pub no_health: Option<String>,
    pub hooks: Vec<HookGuess>,
    /// Whether the build collects static files with `manage.py`.
    pub collects: bool,
}

impl Web {
    fn new(name: &'static str, saw: String, command: String, port: u16) -> Self {
        Self {
            name,
            saw,
            command,
            why: None,
            port,
            no_health: None,
            hooks: Vec::new(),
            collects: false,
        }
    }
}

/// Looks for a framework; `requirements` is whatever names the dependencies.
pub(super) fn detect(folder: &Folder, requirements: &str) -> Option<Web> {
    if folder.is_file("manage.py") {
        return Some(django(folder, requirements));
    }
    let sources = folder.sources(&["py"]);
    let has = |package: &str| requires(requirements, package);
    if let Some((source, object)) = object(&sources, &["FastAPI(", "Starlette(", "Litestar("]) {
        let saw = format!("{} makes an ASGI app", source.path);
        if runs_itself(source, "uvicorn.run(") {
            return Some(Web::new(
                "uvicorn",
                saw,
                format!("python3 {}", source.path),
                8000,
            ));
        }
        let app = format!("{}:{object}", module(source));
        let command = if has("hypercorn") {
            format!("python3 -m hypercorn {app} --bind 0.0.0.0:$PORT")
        } else {
            format!("python3 -m uvicorn {app} --host 0.0.0.0 --port $PORT")
        };
        return Some(Web::new("uvicorn", saw, command, 8000));
    }
    let (source, object) = object(&sources, &["Flask(", "Bottle(", "create_app("])
        .or_else(|| application(&sources))?;
    let flask = source.text.contains("flask");
    let saw = format!(
        "{} makes a {} app",
        source.path,
        if flask { "Flask" } else { "WSGI" }
    );
    let app = format!("{}:{object}", module(source));
    let mut web = if has("gunicorn") {
        Web::new(
            "gunicorn",
            saw,
            format!("python3 -m gunicorn {app} --bind 0.0.0.0:$PORT"),
            8000,
        )
    } else if has("waitress") {
        Web::new(
            "waitress",
            saw,
            format!("python3 -m waitress --listen=0.0.0.0:$PORT {app}"),
            8080,
        )
    } else if runs_itself(source, ".run(") {
        Web::new("Flask", saw, format!("python3 {}", source.path), 5000)
    } else if flask {
        Web::new(
            "Flask",
            saw,
            format!("python3 -m flask --app {app} run --host 0.0.0.0 --port $PORT"),
            5000,
        )
    } else {
        return None;
    };
    if web.name == "Flask" {
        web.why = Some(
            "this is Flask's development server: add gunicorn to your requirements".to_owned(),
        );
    }
    Some(web)
}

fn django(folder: &Folder, requirements: &str) -> Web {
    let manage = folder.read("manage.py").unwrap_or_default();
    let settings = manage
        .lines()
        .filter(|line| line.contains("DJANGO_SETTINGS_MODULE"))
        .flat_map(literals)
        .find(|text| text.contains('.') && !text.contains(' '));
    let site = settings
        .and_then(|text| text.split('.').next())
        .unwrap_or("config")
        .to_owned();
    let path = settings.unwrap_or("config.settings").replace('.', "/");
    let settings_text = folder
        .read(&format!("{path}.py"))
        .or_else(|| folder.read(&format!("{site}/settings/base.py")))
        .unwrap_or_default();
    let asgi = folder.is_file(&format!("{site}/asgi.py"));
    let has = |package: &str| requires(requirements, package);
    let saw = format!(
        "manage.py is Django's; its settings are {}",
        settings.unwrap_or("unknown")
    );
    let mut web = if has("gunicorn") {
        Web::new(
            "Django",
            saw,
            format!("python3 -m gunicorn {site}.wsgi --bind 0.0.0.0:$PORT"),
            8000,
        )
    } else if has("uvicorn") && asgi {
        Web::new(
            "Django",
            saw,
            format!("python3 -m uvicorn {site}.asgi:application --host 0.0.0.0 --port $PORT"),
            8000,
        )
    } else if has("daphne") && asgi {
        Web::new(
            "Django",
            saw,
            format!("python3 -m daphne -b 0.0.0.0 -p $PORT {site}.asgi:application"),
            8000,
        )
    } else {
        let mut web = Web::new(
            "Django",
            saw,
            "python3 manage.py runserver --noreload 0.0.0.0:$PORT".to_owned(),
            8000,
        );
        web.why = Some(
            "this is Django's development server: add gunicorn to your requirements".to_owned(),
        );
        web
    };
    web.hooks
        .push(HookGuess::once("python3 manage.py migrate --noinput"));
    web.collects = settings_text
        .lines()
        .any(|line| line.trim_start().starts_with("STATIC_ROOT"));
    let allows = settings_text
        .lines()
        .filter(|line| line.contains("ALLOWED_HOSTS"))
        .flat_map(literals)
        .any(|host| ["*", "127.0.0.1"].contains(&host));
    if !allows {
        web.no_health = Some(
            "ALLOWED_HOSTS does not hold 127.0.0.1, so a health route would not answer".to_owned(),
        );
    }
    web
}

/// `name = Flask(...)`: the first source that makes such an object at its top level.
fn object<'a>(sources: &[&'a Source], makers: &[&str]) -> Option<(&'a Source, String)> {
    sources.iter().find_map(|source| {
        source.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            let name = name.split(':').next()?.trim();
            let plain =
                !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let value = value.trim_start();
            let made = makers.iter().any(|maker| {
                value.starts_with(maker)
                    || value
                        .split_once('.')
                        .is_some_and(|(_, v)| v.starts_with(maker))
            });
            (plain && made && !line.starts_with(char::is_whitespace))
                .then(|| (*source, name.to_owned()))
        })
    })
}

/// `def application(environ, start_response)` of PEP 3333.
fn application<'a>(sources: &[&'a Source]) -> Option<(&'a Source, String)> {
    sources.iter().find_map(|source| {
        source.lines().find_map(|line| {
            let (name, arguments) = line.strip_prefix("def ")?.split_once('(')?;
            arguments
                .contains("start_response")
                .then(|| (*source, name.trim().to_owned()))
        })
    })
}

/// Whether the file starts its own server when it is run.
fn runs_itself(source: &Source, call: &str) -> bool {
    source.text.contains("__main__") && source.lines().any(|line| line.contains(call))
}

/// `src/shop/web.py` → `shop.web`: `src` is on the path.
fn module(source: &Source) -> String {
    let path = source.path.strip_suffix(".py").unwrap_or(&source.path);
    let path = path.strip_suffix("/__init__").unwrap_or(path);
    path.strip_prefix("src/")
        .filter(|p| p.contains('/'))
        .unwrap_or(path)
        .replace('/', ".")
}
