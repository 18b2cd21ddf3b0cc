//! Python projects: chains of commands, what the app writes, servers of their own.

use super::python::{MANAGE, SETTINGS};
use super::seen;

/// Each command of a line finds the packages, and what only compiles belongs into the build.
#[test]
fn a_chain_of_a_procfile_finds_its_packages() {
    let detected = seen(&[
        ("requirements.txt", "Flask==3\ngunicorn==21\nrq==1\n"),
        (
            "Procfile",
            "web: flask db upgrade; flask translate compile; mkdir -p /tmp/x; gunicorn shop:app\n\
             worker: rq worker & celery -A shop worker\n",
        ),
        (
            "shop.py",
            "from flask import Flask\napp = Flask(__name__)\n",
        ),
        (
            "cli.py",
            "os.system('pybabel compile -d app/translations')\n",
        ),
        ("app/translations/es/LC_MESSAGES/messages.po", ""),
    ]);
    let commands: Vec<_> = detected
        .services
        .iter()
        .map(|it| it.command.as_deref())
        .collect();
    assert_eq!(
        commands,
        [
            Some("mkdir -p /tmp/x; python3 -m gunicorn shop:app"),
            Some("python3 vendor/bin/rq worker & python3 -m celery -A shop worker"),
        ]
    );
    let last = detected.build.run.last().map(String::as_str);
    assert_eq!(
        last,
        Some("PATH=\"vendor/bin:$PATH\" python3 -m flask translate compile")
    );
    assert_eq!(detected.build.env["PYTHONPATH"], "vendor");
    assert_eq!(detected.include, [".", "vendor", "app/translations"]);
}

/// A release is read-only: what the app makes in it must be there before.
#[test]
fn a_folder_that_the_app_makes_survives_releases() {
    let detected = seen(&[
        ("requirements.txt", "Flask==3\ngunicorn==21\n"),
        (
            "app.py",
            "from flask import Flask\napp = Flask(__name__)\nos.mkdir('logs')\n\
             os.makedirs('static/css', exist_ok=True)\nKEY = os.getenv('SECRET_KEY') or 'x'\n",
        ),
        ("static/css/site.css", ""),
        ("scripts/export.py", "os.mkdir('export')\n"),
        (
            "shop/management/commands/dump.py",
            "os.mkdir('dump')\nopen('copy.sqlite3')\n",
        ),
        ("models.py", "URI = 'sqlite:///app.db'\n"),
    ]);
    assert_eq!(detected.shared, ["app.db", "logs"]);
    assert_eq!(detected.required, ["SECRET_KEY"]);
}

#[test]
fn the_folder_of_a_database_is_there_for_the_build() {
    let settings = SETTINGS.replace("'db.sqlite3'", "'data' / 'db.sqlite3'");
    let settings = format!("{settings}STATIC_ROOT = BASE_DIR / 'static'\n");
    let files = [
        ("manage.py", MANAGE),
        ("mysite/settings.py", settings.as_str()),
        ("requirements.txt", "Django==5.2.8\nuWSGI==2.0\n"),
        ("uwsgi.ini", "[uwsgi]\nmodule = mysite.wsgi\n"),
    ];
    let detected = seen(&files);
    assert_eq!(detected.shared, ["data"]);
    assert_eq!(detected.build.run[0], "mkdir -p data");
    assert_eq!(
        detected.services[0].command.as_deref(),
        Some("vendor/bin/uwsgi --ini uwsgi.ini --http-socket 0.0.0.0:$PORT --die-on-term")
    );
    let detected = seen(&[files.as_slice(), &[("data/.gitkeep", "")]].concat());
    assert_ne!(detected.build.run[0], "mkdir -p data");
}

#[test]
fn a_debugger_is_told_of_or_left_out() {
    let own = "from dash import Dash\napp = Dash(__name__)\n";
    let main = "if __name__ == '__main__':\n    app.run(debug=True)\n";
    let served = "server = app.server\n";
    for (packages, text, command, note) in [
        (
            "dash\ngunicorn\n",
            format!("{own}{served}{main}"),
            "python3 -m gunicorn app:server --bind 0.0.0.0:$PORT",
            None,
        ),
        (
            "dash\nwaitress\n",
            format!("{own}{main}"),
            "python3 -m waitress --listen=0.0.0.0:$PORT app:app.server",
            None,
        ),
        (
            "dash\ngunicorn\n",
            format!("{own}{main}"),
            "python3 app.py",
            Some("write server = app.server into app.py"),
        ),
        (
            "dash\n",
            format!("{own}{main}"),
            "python3 app.py",
            Some("debug=True"),
        ),
        (
            "dash\n",
            format!("{own}app.run(\n  debug=True)\n"),
            "python3 app.py",
            Some("debug=True"),
        ),
    ] {
        let detected = seen(&[("requirements.txt", packages), ("app.py", &text)]);
        assert_eq!(detected.services[0].command.as_deref(), Some(command));
        let notes = detected.notes.join("\n");
        assert_eq!(notes.contains("debug=True"), note.is_some(), "{notes}");
        assert!(note.is_none_or(|note| notes.contains(note)), "{notes}");
    }
}

#[test]
fn pyramid_starts_what_its_file_for_production_names() {
    let detected = seen(&[
        (
            "pyproject.toml",
            "[build-system]\nrequires = [\"setuptools\"]\n[project]\nname = \"shop\"\n\
             dependencies = [\"pyramid\", \"waitress\", \"alembic\"]\n\
             [project.scripts]\ninitialize_shop_db = \"shop.init:main\"\n\
             [project.entry-points.\"paste.app_factory\"]\nmain = \"shop:main\"\n",
        ),
        (
            "production.ini",
            "[app:main]\nuse = egg:shop\nsqlalchemy.url = sqlite:///%(here)s/shop.sqlite\n\
             [alembic]\nscript_location = shop/alembic\n[server:main]\nlisten = *:6543\n\
             [loggers]\nkeys = root\n",
        ),
        (
            "shop/__init__.py",
            "def main(global_config, **settings): pass\n",
        ),
    ]);
    let service = &detected.services[0];
    assert_eq!(
        (service.command.as_deref(), service.port),
        (Some("python3 vendor/bin/pserve production.ini"), Some(6543))
    );
    assert_eq!(detected.shared, ["shop.sqlite"]);
    assert_eq!(service.health, None);
    assert!(
        detected
            .notes
            .iter()
            .any(|note| note.contains("initialize_shop_db"))
    );
    assert_eq!(
        detected.hooks[0].run,
        "PYTHONPATH=vendor python3 -m alembic -c production.ini upgrade head"
    );
    let own = "python3 -m pip install --no-compile --no-deps --target vendor .";
    assert!(detected.build.run.iter().any(|step| step == own));
}

#[test]
fn sockets_have_a_server_that_serves_without_a_terminal() {
    let command = |requirements: &str| {
        let seen = seen(&[
            ("requirements.txt", requirements),
            (
                "chat.py",
                "from flask import Flask\nfrom flask_socketio import SocketIO\napp = Flask(__name__)\nsocketio = SocketIO(app)\nif __name__ == '__main__':\n    socketio.run(app)\n",
            ),
        ]);
        seen.services[0].command.clone().unwrap()
    };
    let flask = "flask-socketio==5.3\nflask==3.0\n";
    assert_eq!(
        command(flask),
        "python3 -m flask --app chat:app run --host 0.0.0.0 --port $PORT"
    );
    assert_eq!(
        command(&format!("{flask}gunicorn==23\n")),
        "python3 -m gunicorn chat:app --bind 0.0.0.0:$PORT --threads 100"
    );
    assert_eq!(command(&format!("{flask}gevent==24\n")), "python3 chat.py");
}

#[test]
fn gunicorn_without_an_address_takes_the_port_that_it_is_given() {
    let seen = seen(&[
        ("requirements.txt", "flask==3.0\ngunicorn==23\n"),
        ("Procfile", "web: gunicorn shop:app\n"),
        (
            "shop.py",
            "from flask import Flask\napp = Flask(__name__)\n",
        ),
    ]);
    let web = &seen.services[0];
    assert_eq!((web.port, web.takes_port), (Some(8000), true));
}

#[test]
fn settings_that_git_leaves_out_are_not_used() {
    let files = [
        ("requirements.txt", "django==5.0\ngunicorn==23\n"),
        (
            "manage.py",
            "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.local')",
        ),
        (
            "shop/wsgi.py",
            "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.local')",
        ),
        (
            "shop/settings.py",
            "SECRET_KEY = 'x'\nALLOWED_HOSTS = ['*']\nDATABASES = {}\n",
        ),
        (".gitignore", "local.py\n"),
    ];
    let local = [("shop/local.py", "from .settings import *\nDEBUG = True\n")];
    for files in [files.to_vec(), [&files[..], &local[..]].concat()] {
        let seen = seen(&files);
        let module = seen.services[0].env.get("DJANGO_SETTINGS_MODULE");
        assert_eq!(module.map(String::as_str), Some("shop.settings"));
        assert!(
            seen.notes
                .iter()
                .any(|note| note.starts_with("shop.local, which the project starts with"))
        );
    }
}

const CLOUD: &str = "\
SECRET_KEY = env('DJANGO_SECRET_KEY')\n\
DEBUG = False\n\
INSTALLED_APPS = ['django.contrib.staticfiles']\n\
ALLOWED_HOSTS = env.list('DJANGO_ALLOWED_HOSTS', default=['example.com'])\n\
EMAIL_BACKEND = env(\n    'DJANGO_EMAIL_BACKEND',\n    default='django.core.mail.backends.smtp.EmailBackend',\n)\n\
STORAGES = {'staticfiles': {'BACKEND': 'storages.backends.s3.S3Storage'}}\n\
STATIC_ROOT = BASE_DIR / 'staticfiles'\n";

#[test]
fn django_with_its_files_in_a_cloud_and_its_names_in_the_environment() {
    let found = seen(&[
        ("manage.py", MANAGE),
        (
            "mysite/settings.py",
            &format!("import environ\nenv = environ.Env()\n{CLOUD}"),
        ),
        (
            "requirements.txt",
            "Django==5.2\ngunicorn==23\ndjango-environ\ndjango-storages[s3]\n",
        ),
    ]);
    // A build has no keys to upload anything.
    let steps = found.build.run.join("\n");
    assert!(!steps.contains("collectstatic"), "{steps}");
    let hooks: Vec<&str> = found.hooks.iter().map(|hook| hook.run.as_str()).collect();
    assert!(
        hooks.iter().any(|hook| hook.contains("collectstatic")),
        "{hooks:?}"
    );
    assert!(!found.notes.join("\n").contains("whitenoise"));
    assert_eq!(found.env["DJANGO_ALLOWED_HOSTS"], "localhost,127.0.0.1");
    assert!(found.notes.join("\n").contains("add those of your site"));
    assert_eq!(found.required, ["DJANGO_SECRET_KEY"]);
}

#[test]
fn names_of_hosts_that_are_worked_out_get_a_value_or_are_let_off() {
    let with = |settings: &str| {
        let settings = format!("SECRET_KEY = 'x'\nDATABASES = {{}}\n{settings}");
        seen(&[
            ("requirements.txt", "django\ngunicorn\n"),
            (
                "manage.py",
                "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')",
            ),
            ("shop/settings.py", &settings),
            ("shop/wsgi.py", "application = get_wsgi_application()"),
        ])
    };
    let found = with(
        "if names := os.getenv('ALLOWED_HOSTS'):\n    ALLOWED_HOSTS = names.split(',')\n\
         else:\n    ALLOWED_HOSTS = [domain]\n",
    );
    assert_eq!(found.env["ALLOWED_HOSTS"], "localhost,127.0.0.1");
    let found = with("ALLOWED_HOSTS = [urlparse(SITE).hostname]\n");
    let health = found.services[0].health.clone().expect("a page");
    assert!(!health.refuses_with_400, "400 is what every host name gets");
}

#[test]
fn django_whose_files_name_no_settings_gets_those_that_are_there() {
    let found = seen(&[
        ("requirements.txt", "django\ngunicorn\n"),
        ("manage.py", "execute_from_command_line(sys.argv)"),
        ("shop/wsgi.py", "application = get_wsgi_application()"),
        ("shop/settings/__init__.py", ""),
        (
            "shop/settings/base.py",
            "SECRET_KEY = 'x'\nDATABASES = {}\nALLOWED_HOSTS = ['*']",
        ),
        ("shop/settings/development.py", "from .base import *"),
    ]);
    let name = "DJANGO_SETTINGS_MODULE";
    assert_eq!(found.services[0].env[name], "shop.settings.base");
    let command = found.services[0].command.clone().expect("a command");
    assert!(command.contains("shop.wsgi"), "{command}");
}
