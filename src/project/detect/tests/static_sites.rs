//! Folders of pages, and the generators of such.

use super::super::{Stack, detect};
use super::{seen, tree};

#[test]
fn all_of_a_folder_of_pages_is_released() {
    let temp = tree(&[
        ("index.html", ""),
        (".well-known/security.txt", ""),
        (".env", "A=1"),
        (".github/workflows/ci.yml", ""),
        ("README.md", ""),
        ("package.json", "{\"devDependencies\":{\"prettier\":\"3\"}}"),
        ("node_modules/prettier/index.js", ""),
    ]);
    let dir = temp.path().join("My Shop");
    let detected = detect(&dir);
    std::fs::write(dir.join("ship.toml"), "").unwrap();
    std::fs::write(dir.join("about.html"), "tomorrow").unwrap();
    std::fs::create_dir_all(dir.join("blog")).unwrap();
    std::fs::write(dir.join("blog/first.html"), "tomorrow").unwrap();
    let chosen = crate::artifact::select(&dir, &detected.include, &detected.exclude).unwrap();
    let files = chosen.entries().iter().map(|entry| entry.path.to_string());
    let files: Vec<String> = files.filter(|path| path.contains('.')).collect();
    assert_eq!(
        files,
        [
            ".well-known",
            ".well-known/security.txt",
            "about.html",
            "blog/first.html",
            "index.html"
        ]
    );
}

#[test]
fn generators() {
    for (files, steps, dir) in [
        (
            &[("hugo.toml", "baseURL = 'https://a.example/'\n")][..],
            &["hugo --minify --cleanDestinationDir"][..],
            "public",
        ),
        (
            &[
                ("config.toml", "baseURL = 'x'\npublishDir = \"docs\"\n"),
                (
                    "package.json",
                    r#"{"devDependencies":{"postcss-cli":"11"}}"#,
                ),
                ("package-lock.json", ""),
            ],
            &["npm ci", "hugo --minify --cleanDestinationDir"],
            "docs",
        ),
        (
            &[
                ("hugo.yaml", ""),
                (
                    "package.json",
                    r#"{"scripts":{"build":"hugo --gc","start":"hugo server"},"devDependencies":{"hugo-bin":"1"}}"#,
                ),
                ("package-lock.json", ""),
            ],
            &["npm ci", "npm run build"],
            "public",
        ),
        (
            &[("config.toml", "base_url = 'https://a.example'\n")],
            &["zola build --force"],
            "public",
        ),
        (
            &[("book.toml", "[book]\ntitle = \"a\"\n")],
            &["mdbook build"],
            "book",
        ),
        (
            &[
                (
                    "mkdocs.yml",
                    "site_name: My Docs\ntheme:\n  name: material\n",
                ),
                ("docs/index.md", ""),
            ],
            &[
                "python3 -m pip install --upgrade --target vendor mkdocs mkdocs-material",
                "python3 -m mkdocs build --clean",
            ],
            "site",
        ),
        (
            &[
                (
                    "mkdocs.yml",
                    "site_name: My Docs\nsite_dir: out/docs # here\n",
                ),
                ("requirements.txt", "mkdocs-material==9\n"),
            ],
            &[
                "python3 -m pip install --upgrade --target vendor -r requirements.txt",
                "python3 -m mkdocs build --clean",
            ],
            "out/docs",
        ),
        (
            &[
                ("docs/conf.py", "html_theme = 'alabaster'\n"),
                ("docs/index.rst", ""),
            ],
            &[
                "python3 -m pip install --upgrade --target vendor sphinx alabaster",
                "rm -rf _build && python3 -m sphinx -b html docs _build/html",
            ],
            "_build/html",
        ),
        (
            &[
                ("pelicanconf.py", "SITENAME = 'b'\n"),
                ("publishconf.py", "from pelicanconf import *\n"),
            ],
            &[
                "python3 -m pip install --upgrade --target vendor 'pelican[markdown]'",
                "python3 -m pelican content -s publishconf.py --delete-output-directory",
            ],
            "output",
        ),
    ] {
        let detected = seen(files);
        assert_eq!(detected.stack, Some(Stack::Static), "{files:?}");
        assert_eq!(detected.build.run, steps, "{files:?}");
        assert_eq!(detected.services[0].static_dir.as_deref(), Some(dir));
        assert_eq!(detected.include, [dir]);
    }
}

#[test]
fn documentation_beside_an_app_is_not_the_app() {
    let detected = seen(&[
        ("mkdocs.yml", "site_name: Docs\n"),
        ("requirements.txt", "flask==3\ngunicorn==21\n"),
        ("app.py", "from flask import Flask\napp = Flask(__name__)\n"),
    ]);
    assert_eq!(detected.stack, Some(Stack::Python));
}

/// Build, folder and fallback of a site that Node builds.
fn built(package: &str, files: &[(&str, &str)]) -> (Vec<String>, String, Option<String>) {
    let lock = [("package.json", package), ("package-lock.json", "{}")];
    let detected = seen(&[&lock[..], files].concat());
    let service = detected.services.first().cloned().unwrap_or_default();
    (
        detected.build.run,
        service.static_dir.unwrap_or_default(),
        service.fallback,
    )
}

#[test]
fn an_app_that_routes_in_the_browser_has_a_fallback() {
    for (packages, files, fallback) in [
        (
            r#""vite":"6","react-router":"7""#,
            &[("index.html", "")][..],
            true,
        ),
        (
            r#""vite":"6","vue-router":"4""#,
            &[("index.html", "")],
            true,
        ),
        (
            r#""vite":"6","svelte-routing":"2""#,
            &[("index.html", "")],
            true,
        ),
        (r#""vite":"6","wouter":"3""#, &[("index.html", "")], true),
        (
            r#""vite":"6","@tanstack/react-router":"1""#,
            &[("index.html", "")],
            true,
        ),
        (r#""react-scripts":"5","react-router-dom":"6""#, &[], true),
        (r#""@angular/core":"19","@angular/router":"19""#, &[], true),
        (r#""vite":"6","svelte":"5""#, &[("index.html", "")], false),
        (
            r#""vite":"6","react-router":"7""#,
            &[("index.html", ""), ("admin.html", "")],
            false,
        ),
        (r#""astro":"5","react-router":"7""#, &[], false),
    ] {
        let package = format!(r#"{{"scripts":{{"build":"b"}},"dependencies":{{{packages}}}}}"#);
        let (_, _, found) = built(&package, files);
        let expected = fallback.then(|| "index.html".to_owned());
        assert_eq!(found, expected, "{packages}");
    }
}

#[test]
fn sites_of_node_tools() {
    for (package, files, steps, dir) in [
        // As Eleventy's own guide leaves it: no script at all.
        (
            r#"{"scripts":{"test":"echo \"Error: no test specified\" && exit 1"},"devDependencies":{"@11ty/eleventy":"3"}}"#,
            &[("index.md", "")][..],
            &["npm ci", "npx eleventy"][..],
            "_site",
        ),
        (
            r#"{"scripts":{"build":"tailwindcss --output css/a.css && eleventy"},"devDependencies":{"@11ty/eleventy":"3"}}"#,
            &[(
                ".eleventy.js",
                "return { dir: { input: 'src', output: 'www' } }",
            )],
            &["npm ci", "npm run build"],
            "www",
        ),
        (
            r#"{"scripts":{"docs:dev":"vitepress dev docs","docs:build":"vitepress build docs"},"devDependencies":{"vitepress":"1"}}"#,
            &[("docs/.vitepress/config.mts", "")],
            &["npm ci", "npm run docs:build"],
            "docs/.vitepress/dist",
        ),
        (
            r#"{"devDependencies":{"vitepress":"1"}}"#,
            &[(".vitepress/config.mts", "")],
            &["npm ci", "npx vitepress build"],
            ".vitepress/dist",
        ),
        (
            r#"{"scripts":{"start":"docusaurus start","build":"docusaurus build"},"dependencies":{"@docusaurus/core":"3"}}"#,
            &[],
            &["npm ci", "npm run build"],
            "build",
        ),
        (
            r#"{"scripts":{"build":"astro build","start":"astro dev"},"dependencies":{"astro":"5"}}"#,
            &[(
                "astro.config.mjs",
                "export default { output: 'static', outDir: './www' }",
            )],
            &["npm ci", "npm run build"],
            "www",
        ),
        (
            r#"{"scripts":{"build":"hexo generate"},"dependencies":{"hexo":"7"}}"#,
            &[],
            &["npm ci", "npm run build"],
            "public",
        ),
        (
            r#"{"scripts":{"build":"vite build --outDir=site"},"devDependencies":{"vite":"6","svelte":"5","@sveltejs/vite-plugin-svelte":"5"}}"#,
            &[("index.html", "")],
            &["npm ci", "npm run build"],
            "site",
        ),
    ] {
        let (run, found, fallback) = built(package, files);
        assert_eq!(run, steps, "{package}");
        assert_eq!(found, dir, "{package}");
        assert_eq!(fallback, None, "{package}");
    }
}

#[test]
fn what_hexo_would_write_into_the_repository_is_told() {
    for (written, lock, told) in [
        (
            "",
            r#"{"packages":{"node_modules/hexo":{"version":"7.3.0"}}}"#,
            Some("to 7.3.0,"),
        ),
        (
            "7.2.0",
            r#"{"packages":{"node_modules/hexo":{"version":"7.3.0"}}}"#,
            Some("to 7.3.0,"),
        ),
        (
            "7.3.0",
            r#"{"packages":{"node_modules/hexo":{"version":"7.3.0"}}}"#,
            None,
        ),
        ("", "{}", Some("to the installed version,")),
        ("7.3.0", "{}", None),
    ] {
        let package = format!(
            r#"{{"name":"hexo-site","scripts":{{"build":"hexo generate"}},"hexo":{{"version":"{written}"}},"dependencies":{{"hexo":"^7.0.0"}}}}"#
        );
        let found = seen(&[
            ("package.json", package.as_str()),
            ("package-lock.json", lock),
        ]);
        let notes = found.notes.join("\n");
        assert_eq!(told.is_some(), !notes.is_empty(), "{written}: {notes}");
        assert!(notes.contains(told.unwrap_or_default()), "{notes}");
        assert_eq!(found.name.as_str(), "my-shop");
    }
}

#[test]
fn the_documentation_of_a_program_is_not_the_project() {
    let docs = ("docs/conf.py", "extensions = []\n");
    for program in [
        (
            "pyproject.toml",
            "[project]\nname = \"x\"\n[project.scripts]\nx = \"x:main\"\n",
        ),
        (
            "setup.py",
            "setup(entry_points={'console_scripts': ['x = x:main']})",
        ),
        ("Dockerfile", "FROM python\nCMD [\"gunicorn\", \"x.run\"]\n"),
    ] {
        let found = seen(&[docs, program]);
        assert!(
            found.services.iter().all(|it| it.static_dir.is_none()),
            "{program:?}"
        );
    }
    for other in [
        ("pyproject.toml", "[project]\nname = \"x\"\n"),
        (
            "Dockerfile",
            "FROM python\nCMD python3 -m http.server -d _build\n",
        ),
        ("Dockerfile", "FROM nginx\nCOPY _build /usr/share/nginx\n"),
    ] {
        let found = seen(&[docs, other]);
        assert!(found.services[0].static_dir.is_some(), "{other:?}");
    }
}

#[test]
fn extensions_of_sphinx_come_from_packages_of_their_names() {
    let found = seen(&[(
        "docs/conf.py",
        "extensions = ['sphinx.ext.autodoc', 'sphinx_reredirects', 'sphinx_tabs.tabs', 'sphinxcontrib.mermaid']\nredirects = {}\nhtml_theme = 'furo'\n# 'sphinx_old'\n",
    )]);
    let install = &found.build.run[0];
    assert!(
        install.ends_with(" sphinx furo sphinx-reredirects sphinx-tabs sphinxcontrib-mermaid"),
        "{install}"
    );
    let listed = seen(&[
        (
            "docs/conf.py",
            "extensions = []\nhtml_theme = 'sphinx_rtd_theme'\n",
        ),
        ("docs/requirements.txt", "sphinx-rtd-theme==3\n"),
    ]);
    assert!(listed.build.run[0].ends_with(" -r docs/requirements.txt"));
}

#[test]
fn nanoc_builds_what_it_is_served_as() {
    let found = seen(&[
        (
            "nanoc.yaml",
            "base_url: 'https://example.com'\nprune:\n  auto_prune: true\n",
        ),
        ("Rules", ""),
        ("content/index.html", "---\ntitle: Home\n---\n"),
    ]);
    assert_eq!(found.build.run, ["nanoc compile"]);
    assert_eq!(found.include, ["output"]);
}
