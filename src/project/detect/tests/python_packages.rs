//! Python projects whose program lies in a package: its modules are found from the folder above.

use super::seen;

const PLAIN: &str =
    "from http.server import HTTPServer\nHTTPServer(('', 8001), H).serve_forever()\n";

fn command(files: &[(&str, &str)]) -> Option<String> {
    let mut services = seen(files).services.into_iter();
    services.next().and_then(|service| service.command)
}

#[test]
fn a_program_in_a_package_runs_from_the_folder_above() {
    let init = ("shop/__init__.py", "");
    let lists = ("requirements.txt", "requests==2\n");
    for (files, expected) in [
        (&[init, ("shop/__main__.py", PLAIN)][..], "python3 -m shop"),
        (&[init, ("shop/main.py", PLAIN)], "python3 -m shop.main"),
        (&[init, ("shop/bot.py", "run()")], "python3 -m shop.bot"),
        (
            &[lists, init, ("shop/server.py", PLAIN)],
            "python3 -m shop.server",
        ),
        // The one that serves.
        (
            &[
                ("cli/__init__.py", ""),
                ("cli/main.py", "print(1)"),
                init,
                ("shop/run.py", PLAIN),
            ],
            "python3 -m shop.run",
        ),
        // Without `__init__.py`, a package all the same.
        (
            &[("app/main.py", "from app.pages import H\nrun()")],
            "python3 -m app.main",
        ),
        (
            &[("app/main.py", "from .pages import H\nrun()")],
            "python3 -m app.main",
        ),
        (
            &[("app/main.py", "import pages\nrun()")],
            "python3 app/main.py",
        ),
        (&[("main.py", PLAIN), init], "python3 main.py"),
        (
            &[
                ("requirements.txt", "fastapi\nuvicorn\n"),
                init,
                (
                    "shop/main.py",
                    "from fastapi import FastAPI\napp = FastAPI()",
                ),
            ],
            "python3 -m uvicorn shop.main:app --host 0.0.0.0 --port $PORT",
        ),
        (
            &[
                init,
                (
                    "shop/web.py",
                    "from flask import Flask\nfrom .db import x\napp = Flask(__name__)",
                ),
            ],
            "python3 -m flask --app shop.web:app run --host 0.0.0.0 --port $PORT",
        ),
    ] {
        assert_eq!(command(files).as_deref(), Some(expected), "{files:?}");
    }
}

/// A folder of scripts is not the app of a project in another language.
#[test]
fn a_package_beside_another_app_is_not_the_app() {
    let files = [
        ("tools/__init__.py", ""),
        ("tools/main.py", "print(1)"),
        ("index.html", "<p>"),
    ];
    assert_eq!(command(&files), None);
    let inside = [
        ("__init__.py", ""),
        ("main.py", "from .pages import H\nrun()"),
    ];
    let notes = seen(&inside).notes.join("\n");
    assert!(notes.contains("in the folder above"), "{notes}");
}

/// pytest refuses the options of a plugin that is not there.
#[test]
fn a_plugin_that_no_file_lists_is_installed_for_the_tests() {
    let test = ("tests/test_a.py", "import pytest\n");
    let settings = (
        "pytest.ini",
        "[pytest]\naddopts = --cov=shop -n auto\nfilterwarnings =\n    error\n",
    );
    let app = ("app.py", PLAIN);
    let pip = "python3 -m pip install --no-compile --target .ship/test-packages";
    for (requirements, steps, note) in [
        (
            ("requirements.txt", "pytest\n"),
            format!("{pip} pytest-cov pytest-xdist"),
            "need pytest-cov and pytest-xdist, which no file lists",
        ),
        (
            ("requirements.txt", "requests\npytest-xdist\n"),
            format!("{pip} pytest pytest-cov"),
            "need pytest and pytest-cov, which no file lists",
        ),
        (
            ("requirements-dev.txt", "pytest\npytest-cov\n"),
            format!("{pip} -r requirements-dev.txt pytest-xdist"),
            "need pytest-xdist, which no file lists",
        ),
    ] {
        let detected = seen(&[test, settings, app, requirements]);
        assert!(
            detected.test.run.contains(&steps),
            "{:?}",
            detected.test.run
        );
        let last = detected.test.run.last().map(String::as_str);
        assert_eq!(last, Some("python3 -m pytest -o filterwarnings= tests"));
        assert!(detected.test.env["PYTHONPATH"].ends_with(".ship/test-packages"));
        let notes = detected.notes.join("\n");
        assert!(notes.contains(note), "{notes}");
    }
}

/// Bottle has an app of its own, and `run()` in a module does nothing when Bottle itself imports it.
#[test]
fn routes_of_bottle_are_served_to_all() {
    let text = "from bottle import route, run\n@route('/')\ndef f(): pass\nrun(host='localhost', port=8080)\n";
    for (packages, expected) in [
        ("bottle\n", "python3 -m bottle --bind 0.0.0.0:$PORT todo"),
        (
            "bottle\nwaitress\n",
            "python3 -m bottle --bind 0.0.0.0:$PORT todo --server waitress",
        ),
    ] {
        let files = [("requirements.txt", packages), ("todo.py", text)];
        assert_eq!(command(&files).as_deref(), Some(expected));
        let notes = seen(&files).notes.join("\n");
        let has_none = notes.contains("no server for production");
        assert_eq!(has_none, !packages.contains("waitress"), "{notes}");
    }
}

/// The usual route for health of Streamlit answers, too, where the script fails.
#[test]
fn the_script_of_streamlit_proves_its_health() {
    let app = ("app.py", "import streamlit as st\nst.title('x')\n");
    let list = ("requirements.txt", "streamlit\n");
    let procfile = (
        "Procfile",
        "web: streamlit run app.py --server.port $PORT\n",
    );
    for files in [&[app, list][..], &[app, list, procfile]] {
        let service = seen(files).services.remove(0);
        let health = service.health.map(|health| health.path);
        assert_eq!(health.as_deref(), Some("/_stcore/script-health-check"));
        assert_eq!(
            service.env["STREAMLIT_SERVER_SCRIPT_HEALTH_CHECK_ENABLED"],
            "true"
        );
    }
}

#[test]
fn what_the_project_lists_for_its_tests_is_installed() {
    const UNITTEST: (&str, &str) = ("tests/test_a.py", "import unittest\nimport faker\n");
    let pip = |file: &str| {
        format!("python3 -m pip install --no-compile --target .ship/test-packages -r {file}")
    };
    for file in [
        "requirements-dev.txt",
        "dev-requirements.txt",
        "requirements/dev.txt",
        "tests/requirements.txt",
    ] {
        let found = seen(&[
            ("requirements.txt", "flask==3\n"),
            ("app.py", ""),
            UNITTEST,
            (file, "faker==1\n"),
        ]);
        assert_eq!(
            found.test.run,
            [
                "rm -rf .ship/test-packages",
                &pip(file),
                "python3 -m unittest discover -s tests"
            ]
        );
        assert!(found.test.env["PYTHONPATH"].ends_with(":.ship/test-packages"));
        assert!(!found.build.run.iter().any(|step| step.contains(file)));
    }
    let pytest = [
        ("tests/test_a.py", "import pytest\nimport faker\n"),
        ("app.py", ""),
        ("requirements.txt", "flask==3\n"),
    ];
    let found = seen(&[&pytest[..], &[("requirements-dev.txt", "faker==1\n")]].concat());
    assert_eq!(
        found.test.run[1],
        format!("{} pytest", pip("requirements-dev.txt"))
    );
    let group = "[project]\nname = \"x\"\ndependencies = [\"flask\"]\n[dependency-groups]\ndev = [\"faker\"]\n";
    let found = seen(&[
        ("pyproject.toml", group),
        ("uv.lock", ""),
        ("app.py", ""),
        UNITTEST,
    ]);
    assert!(
        found.test.run[0].contains(" --group dev "),
        "{:?}",
        found.test.run
    );
}

#[test]
fn a_list_with_the_name_of_the_app_is_one() {
    let steps = |lists: &[(&str, &str)]| {
        let app = [
            ("look/__init__.py", ""),
            ("look/app.py", "import falcon\n\napp = falcon.App()\n"),
            ("tests/test_app.py", "from look.app import app\n"),
        ];
        seen(&[&app[..], lists].concat()).build.run.join("\n")
    };
    let app = ("requirements/look", "falcon>=2\ngunicorn>=20\n");
    let tests = ("requirements/test", "pytest>=5\n");
    let with = steps(&[app, tests]);
    assert!(with.contains("-r requirements/look"), "{with}");
    let two = steps(&[app, ("requirements/other.txt", "x\n")]);
    assert!(!two.contains("requirements/"), "{two}");
}

/// Each of them installed `pip install --target .ship/test-packages`, and no package.
#[test]
fn a_group_for_tests_is_read_where_pip_builds_the_project() {
    let test = ("tests/test_shop.py", "import pytest\ndef test(): pass\n");
    let app = (
        "shop/__init__.py",
        "from flask import Flask\napp = Flask(__name__)\n",
    );
    for (groups, list) in [
        (
            "[tool.poetry]\nname = \"shop\"\nversion = \"1\"\n[tool.poetry.dependencies]\npython = \"^3.11\"\nflask = \"*\"\n[tool.poetry.dev-dependencies]\npytest = \"*\"\n",
            "[\"tool\"][\"poetry\"][\"dev-dependencies\"]",
        ),
        (
            "[tool.poetry]\nname = \"shop\"\nversion = \"1\"\n[tool.poetry.dependencies]\npython = \"^3.11\"\nflask = \"*\"\n[tool.poetry.group.qa.dependencies]\npytest = \"*\"\n",
            "[\"tool\"][\"poetry\"][\"group\"][\"qa\"][\"dependencies\"]",
        ),
        (
            "[project]\nname = \"shop\"\ndynamic = [\"version\", \"dependencies\"]\n[dependency-groups]\ndev = [\"pytest\"]\n",
            "[\"dependency-groups\"][\"dev\"]",
        ),
    ] {
        let steps = seen(&[("pyproject.toml", groups), ("setup.py", ""), app, test])
            .test
            .run;
        let text = steps.join("\n");
        assert!(text.contains(list), "{text}");
        assert!(text.contains("-r .ship/test-requirements.txt"), "{text}");
    }
}

#[test]
fn a_package_whose_modules_name_it_is_found_from_above_alone() {
    let env = |main: &str| {
        let detected = seen(&[
            ("requirements.txt", "requests\n"),
            ("shop/__init__.py", ""),
            ("shop/__main__.py", &format!("{main}\n{PLAIN}")),
            ("shop/types.py", ""),
        ]);
        detected.services[0].env["PYTHONPATH"].clone()
    };
    assert_eq!(
        env("from types import FrameType\nfrom shop import types"),
        "vendor"
    );
    assert_eq!(
        env("from types import FrameType\nfrom . import types"),
        "vendor"
    );
}
