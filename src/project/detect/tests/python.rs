//! Python projects.

use super::{manifest, seen};

#[test]
fn flask_with_gunicorn() {
    insta::assert_snapshot!(manifest(&[
        ("requirements.txt", "Flask==3.0.0\ngunicorn==21.2.0\n"),
        ("requirements-dev.txt", "-r requirements.txt\npytest==8\n"),
        (
            "app.py",
            "from flask import Flask\napp = Flask(__name__)\n@app.route('/health')\ndef health(): return 'ok'\nDB = 'sqlite:///shop.db'\n"
        ),
        ("models.py", ""),
        ("templates/index.html", ""),
        ("tests/test_app.py", "def test_it(): pass"),
        (".env.example", "SECRET_KEY=change-me\n"),
    ]));
}

#[test]
fn django() {
    insta::assert_snapshot!(manifest(&[
        (
            "manage.py",
            "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')"
        ),
        ("requirements.txt", "Django==5.0\ngunicorn==21\n"),
        (
            "shop/settings.py",
            "ALLOWED_HOSTS = ['shop.example.com']\nSTATIC_ROOT = BASE_DIR / 'static'\nDATABASES = {'default': {'NAME': BASE_DIR / 'db.sqlite3'}}\nMEDIA_ROOT = BASE_DIR / 'media'\n"
        ),
        ("shop/urls.py", "urlpatterns = [path('healthz/', ok)]"),
        ("shop/wsgi.py", ""),
        (
            "orders/tests.py",
            "class T(TestCase):\n    def test_x(self): pass\n"
        ),
        (".python-version", "3.12.1\n"),
    ]));
}

#[test]
fn fastapi_with_uv() {
    insta::assert_snapshot!(manifest(&[
        (
            "pyproject.toml",
            "[project]\nname = \"shop-api\"\ndependencies = [\"fastapi\", \"uvicorn\"]\n"
        ),
        ("uv.lock", ""),
        ("src/shop/__init__.py", ""),
        (
            "src/shop/web.py",
            "app = FastAPI()\n@app.get(\"/healthz\")\ndef ok(): return {}\n"
        ),
        ("Dockerfile", "FROM python\nEXPOSE 8123\n"),
    ]));
}

#[test]
fn no_dependencies() {
    insta::assert_snapshot!(manifest(&[
        (
            "app.py",
            "server = ThreadingHTTPServer((\"\", 8000), Handler)\nif self.path == \"/healthz\": pass\n"
        ),
        ("tests/test_app.py", "import unittest"),
    ]));
}

#[test]
fn locks_of_other_tools() {
    let poetry = "[tool.poetry]\nname = \"x\"\n[tool.poetry.dependencies]\npython = \"^3.11\"\nflask = \"3\"\n";
    for (lock, steps) in [
        (
            "poetry.lock",
            vec![
                "mkdir -p .ship",
                "poetry export --only main -f requirements.txt -o .ship/requirements.txt",
                "python3 -m pip install --upgrade --target vendor -r .ship/requirements.txt",
            ],
        ),
        (
            "none",
            vec!["python3 -m pip install --upgrade --target vendor ."],
        ),
    ] {
        let detected = seen(&[
            ("pyproject.toml", poetry),
            (lock, ""),
            ("app.py", "import flask\napp = flask.Flask(__name__)\n"),
        ]);
        assert_eq!(detected.build.run, steps);
        assert_eq!(
            detected.services[0].command.as_deref(),
            Some("python3 -m flask --app app:app run --host 0.0.0.0 --port $PORT")
        );
        assert_eq!(detected.services[0].port, Some(5000));
    }
}

#[test]
fn a_bot_is_a_worker() {
    let detected = seen(&[
        ("requirements.txt", "discord.py==2\n"),
        ("bot.py", "client.run(token)"),
    ]);
    assert_eq!(
        (
            detected.services[0].name.as_str(),
            detected.services[0].port
        ),
        ("worker", None)
    );
}
