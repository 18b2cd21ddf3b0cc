//! Commands that people type, so that they find the packages of a release.

use super::super::folder::Folder;
use super::dependencies::Dependencies;

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

/// Programs of packages that are no scripts, each with the packages that bring it.
const NATIVE: &[(&str, &[&str])] = &[("uwsgi", &["uwsgi", "pyuwsgi"])];

/// Programs that start a command in an environment that a release does not have.
const RUNNERS: &[&str] = &[
    "uv run ",
    "poetry run ",
    "pdm run ",
    "pipenv run ",
    "rye run ",
    "hatch run ",
];

/// Words of the shell and programs before the program that matters.
const BEFORE: &[&str] = &[
    "exec ", "env ", "nohup ", "time ", "then ", "do ", "else ", "if ", "while ", "until ", "! ",
];

/// Programs of packages that start another one.
const WRAPPERS: &[&str] = &[
    "ddtrace-run ",
    "newrelic-admin run-program ",
    "opentelemetry-instrument ",
];

/// Programs that a host has, and words of the shell. Any other one is taken for a script of a
/// package, where the project has packages.
#[rustfmt::skip]
const SYSTEM: &[&str] = &[
    // The shell.
    ".", ":", "[", "[[", "alias", "break", "case", "cd", "command", "continue", "done", "echo",
    "elif", "esac", "eval", "exit", "export", "false", "fi", "for", "kill", "printf", "pwd", "read",
    "return", "set", "shift", "source", "test", "trap", "true", "type", "ulimit", "umask", "unset",
    "wait",
    // Every host.
    "awk", "basename", "bash", "cat", "chmod", "chown", "cp", "cut", "date", "dirname", "find",
    "grep", "gzip", "head", "hostname", "id", "install", "ln", "ls", "mkdir", "mktemp", "mv", "nice",
    "rm", "rmdir", "sed", "seq", "sh", "sleep", "sort", "stat", "stdbuf", "su", "sudo", "systemctl",
    "tail", "tar", "tee", "timeout", "touch", "tr", "uname", "unzip", "wc", "which", "xargs",
    // What somebody installs.
    "apache2", "apachectl", "bun", "bundle", "caddy", "cargo", "cloudflared", "cron", "curl", "deno",
    "docker", "dumb-init", "ffmpeg", "git", "go", "gosu", "haproxy", "hatch", "httpd", "java",
    "litestream", "make", "mongod", "mysql", "nc", "nginx", "node", "npm", "npx", "openssl", "pdm",
    "perl", "pg_isready", "php", "pip", "pip3", "pipenv", "pnpm", "poetry", "psql", "redis-cli",
    "redis-server", "ruby", "rye", "sqlite3", "su-exec", "tini", "uv", "uvx", "wget", "yarn",
    "memcached", "xvfb-run",
];

/// A command, so that it runs in a release: the scripts of packages name the Python of the build
/// machine, and no host has the environment of `poetry run`. `vendor` is the folder of packages.
pub(super) fn adapt(
    command: &str,
    folder: &Folder,
    dependencies: &Dependencies,
    vendor: &str,
) -> String {
    let has_packages = dependencies.manager.is_some();
    let (mut before, mut rest) = (String::new(), command.trim());
    loop {
        let (variables, command) = before_program(rest);
        before.push_str(variables);
        let first = |words: &[&'static str]| {
            words.iter().find_map(|word| {
                let rest = command.strip_prefix(word)?.trim_start();
                (!rest.starts_with('-')).then_some((*word, rest))
            })
        };
        if let Some((word, next)) = first(BEFORE) {
            before.push_str(word);
            rest = next;
        } else if let Some((_, next)) = first(RUNNERS) {
            rest = next;
        } else if let Some((word, next)) = first(WRAPPERS).filter(|_| has_packages) {
            before.push_str(&format!("python3 {vendor}/bin/{word}"));
            rest = next;
        } else {
            rest = command;
            break;
        }
    }
    let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let program = word.strip_prefix("./").unwrap_or(word);
    let program = [".venv/bin/", "venv/bin/", "env/bin/"]
        .iter()
        .find_map(|dir| program.strip_prefix(dir))
        .unwrap_or(word);
    let module = MODULES.iter().find(|(tool, _)| *tool == program);
    let is_native = |(tool, packages): &(&str, &[&str])| {
        let mut packages = packages.iter();
        *tool == program && packages.any(|package| dependencies.packages.has(package))
    };
    let new = if let Some(start) = own_script(folder, program) {
        start
    } else if let Some((_, module)) = module {
        format!("python3 -m {module}")
    } else if program == "python" || program == "python3" {
        "python3".to_owned()
    } else if word.ends_with(".py") && folder.is_file(word) {
        format!("python3 {word}")
    } else if NATIVE.iter().any(is_native) {
        format!("{vendor}/bin/{program}")
    } else if has_packages && is_script(program) {
        // Its script can be found in any case.
        format!("python3 {vendor}/bin/{program}")
    } else {
        word.to_owned()
    };
    format!("{before}{new} {rest}").trim().to_owned()
}

/// Whether a word may be the name of a package's script.
fn is_script(program: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let is_native = NATIVE.iter().any(|(tool, _)| *tool == program);
    program.starts_with(|c: char| c.is_ascii_alphanumeric())
        && program.chars().all(plain)
        && !program.ends_with(".sh")
        && !program.starts_with("python")
        && !SYSTEM.contains(&program)
        && !is_native
}

/// The command for a script of the project itself, which need not be installed.
pub(super) fn own_script(folder: &Folder, program: &str) -> Option<String> {
    let pyproject = folder.toml("pyproject.toml")?;
    let own = |table: Option<&toml::Value>| {
        let entry = table?.get("scripts")?.get(program)?.as_str()?;
        Some(entry.to_owned())
    };
    let poetry = || own(pyproject.get("tool").and_then(|tool| tool.get("poetry")));
    let entry = own(pyproject.get("project")).or_else(poetry)?;
    let (module, function) = entry.split_once(':')?;
    let (module, function) = (module.trim(), function.split('[').next()?.trim());
    let name = function.split('.').next()?;
    Some(format!(
        "python3 -c 'import sys; from {module} import {name}; sys.exit({function}())'"
    ))
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

/// The scripts of packages that a command starts.
pub(super) fn scripts<'a>(command: &'a str, vendor: &'a str) -> impl Iterator<Item = &'a str> {
    let words = command.split([' ', ';', '&', '|', '\'', '"']);
    words.filter_map(move |word| word.strip_prefix(vendor)?.strip_prefix("/bin/"))
}

#[cfg(test)]
mod tests {
    use super::super::dependencies;
    use super::*;

    #[test]
    fn a_typed_command_finds_its_packages() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::write(temp.path().join("serve.py"), "").unwrap();
        std::fs::write(
            temp.path().join("requirements.txt"),
            "pypiserver\nuWSGI==2\n",
        )
        .unwrap();
        let own = "[project.scripts]\nshop = \"shop.cli:app.run\"\n";
        std::fs::write(temp.path().join("pyproject.toml"), own).unwrap();
        let folder = Folder::open(temp.path());
        let dependencies = dependencies::read(&folder, None);
        for (typed, runs) in [
            ("gunicorn x:y", "python3 -m gunicorn x:y"),
            ("A=1 B= gunicorn x:y", "A=1 B= python3 -m gunicorn x:y"),
            ("exec uvicorn a:b", "exec python3 -m uvicorn a:b"),
            (
                "exec env A=1 rq worker",
                "exec env A=1 python3 vendor/bin/rq worker",
            ),
            ("poetry run uvicorn a:b", "python3 -m uvicorn a:b"),
            ("uv run serve.py --x", "python3 serve.py --x"),
            ("./serve.py", "python3 ./serve.py"),
            ("python serve.py", "python3 serve.py"),
            (".venv/bin/gunicorn x:y", "python3 -m gunicorn x:y"),
            ("pserve x.ini", "python3 vendor/bin/pserve x.ini"),
            (
                "huey_consumer.py a.b",
                "python3 vendor/bin/huey_consumer.py a.b",
            ),
            (
                "ddtrace-run gunicorn x:y",
                "python3 vendor/bin/ddtrace-run python3 -m gunicorn x:y",
            ),
            ("uwsgi --ini x.ini", "vendor/bin/uwsgi --ini x.ini"),
            (
                "shop serve",
                "python3 -c 'import sys; from shop.cli import app; sys.exit(app.run())' serve",
            ),
            ("nginx -g x", "nginx -g x"),
            ("$RUN x", "$RUN x"),
            ("/usr/bin/rq worker", "/usr/bin/rq worker"),
            ("if test -f x", "if test -f x"),
            (
                "python3 -m datasette serve x.db",
                "python3 -m datasette serve x.db",
            ),
        ] {
            assert_eq!(
                adapt(typed, &folder, &dependencies, "vendor"),
                runs,
                "{typed}"
            );
        }
        let none = tempfile::tempdir().unwrap();
        let none = Folder::open(none.path());
        let dependencies = dependencies::read(&none, None);
        assert_eq!(
            adapt("pserve x", &none, &dependencies, "vendor"),
            "pserve x"
        );
    }
}
