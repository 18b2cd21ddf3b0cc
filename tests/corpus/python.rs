//! Python.

use crate::ask::{Ask, Write};
use crate::project::{Edit, Project};

pub const PROJECTS: &[Project] = &[
    // By hand: Flask has no generator. It is the quickstart's layout, with a form that keeps
    // what is written in SQLite.
    Project {
        name: "flask-sqlite",
        ecosystem: "Python",
        files: "flask-sqlite",
        needs: &["python3"],
        asks: &[
            Ask::Page("/", "Guests"),
            Ask::Asset("/", ".css"),
            Ask::Deep("/about", "About the guests"),
        ],
        writes: Some(Write {
            path: "/",
            media: "application/x-www-form-urlencoded",
            body: "name=Ada",
            then: Ask::Page("/", "Ada"),
        }),
        fixed: true,
        ..Project::PLAIN
    },
    // As the generator leaves it: no list of packages, and nobody but localhost may ask.
    Project {
        name: "django-startproject",
        ecosystem: "Python",
        make: "python3 -m venv .tool && .tool/bin/pip install --quiet Django==5.2.8 && .tool/bin/django-admin startproject mysite . && rm -rf .tool",
        needs: &["python3"],
        asks: &[
            Ask::Page("/admin/login/", "Django administration"),
            Ask::Asset("/admin/login/", ".css"),
            Ask::Deep("/admin/login/?next=/admin/auth/", "Django administration"),
        ],
        edits: &[Edit {
            says: "leaves ALLOWED_HOSTS empty",
            does: "sed -i \"s/^ALLOWED_HOSTS = .*/ALLOWED_HOSTS = ['*']/\" mysite/settings.py && git add mysite/settings.py",
        }],
        ..Project::PLAIN
    },
    // The generator, and then what Django's and whitenoise's own guides say about production.
    Project {
        name: "django-whitenoise",
        ecosystem: "Python",
        files: "django-whitenoise",
        make: "python3 -m venv .tool && .tool/bin/pip install --quiet Django==5.2.8 && .tool/bin/django-admin startproject shop . && .tool/bin/django-admin startapp polls && rm -rf .tool && sh ./production.sh && rm production.sh",
        needs: &["python3"],
        asks: &[
            Ask::Page("/admin/login/", "Django administration"),
            Ask::Asset("/admin/login/", ".css"),
            Ask::Deep("/admin/login/?next=/admin/auth/", "Django administration"),
        ],
        fixed: true,
        ..Project::PLAIN
    },
    // The app is what FastAPI's own first steps have, the test what its guide to testing has.
    Project {
        name: "fastapi-uv",
        ecosystem: "Python",
        files: "fastapi",
        make: "python3 -m venv .tool && .tool/bin/pip install --quiet uv==0.9.11 && .tool/bin/uv init --quiet --bare --name shop-api --python 3.11 && .tool/bin/uv add --quiet --no-sync fastapi==0.121.3 uvicorn==0.38.0 && .tool/bin/uv add --quiet --no-sync --dev pytest==9.0.1 httpx==0.28.1 && rm -rf .tool .venv",
        needs: &["python3", "uv"],
        asks: &[
            Ask::Page("/", "World"),
            Ask::Asset("/docs", ".json"),
            Ask::Deep("/items/5?q=x", "5"),
        ],
        ..Project::PLAIN
    },
    Project {
        name: "uv-workspace",
        ecosystem: "Python",
        files: "uv-workspace",
        make: "python3 -m venv .tool && .tool/bin/pip install --quiet uv==0.9.11 && .tool/bin/uv lock --quiet --python 3.11 && rm -rf .tool .venv",
        needs: &["python3", "uv"],
        dir: "apps/api",
        asks: &[
            Ask::Page("/", "hello from core"),
            Ask::Asset("/docs", ".json"),
            Ask::Deep("/healthz", "true"),
        ],
        ..Project::PLAIN
    },
    // Flask's own tutorial, out of its source package.
    Project {
        name: "flask-tutorial",
        ecosystem: "Python",
        make: "python3 -m pip download --quiet --no-deps --no-binary :all: Flask==3.1.2 && tar xf flask-3.1.2.tar.gz && cp -R flask-3.1.2/examples/tutorial/. . && rm -rf flask-3.1.2 flask-3.1.2.tar.gz",
        needs: &["python3"],
        asks: &[
            Ask::Page("/auth/login", "Log In"),
            Ask::Asset("/auth/login", ".css"),
            Ask::Deep("/auth/register", "Register"),
        ],
        ..Project::PLAIN
    },
    // A server from the package index, and the file that it serves.
    Project {
        name: "datasette",
        ecosystem: "Python",
        make: "echo datasette==0.65.2 > requirements.txt && python3 -c \"import sqlite3; c = sqlite3.connect('fixtures.db'); c.execute('create table facts (name)'); c.execute('insert into facts values (1)'); c.commit()\"",
        needs: &["python3"],
        asks: &[
            Ask::Page("/", "fixtures"),
            Ask::Asset("/", ".css"),
            Ask::Deep("/fixtures/facts", "facts"),
        ],
        ..Project::PLAIN
    },
    // By hand, after Streamlit's first steps: it has no generator.
    Project {
        name: "streamlit",
        ecosystem: "Python",
        make: "echo streamlit==1.51.0 > requirements.txt && printf 'import streamlit as st\\n\\nst.title(\"Hello\")\\nst.text_input(\"Name\")\\n' > streamlit_app.py",
        needs: &["python3"],
        asks: &[
            Ask::Page("/", "Streamlit"),
            Ask::Asset("/", ".js"),
            Ask::Deep("/_stcore/health", "ok"),
        ],
        ..Project::PLAIN
    },
];
