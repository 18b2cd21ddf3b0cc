//! Ruby, PHP, static files and Procfiles.

use super::{manifest, seen};

#[test]
fn rails() {
    insta::assert_snapshot!(manifest(&[
        (
            "Gemfile",
            "source 'x'\ngem \"rails\", \"~> 7.1\"\ngem \"puma\"\ngem \"propshaft\"\n"
        ),
        ("Gemfile.lock", ""),
        (".ruby-version", "ruby-3.3.0\n"),
        ("config.ru", ""),
        ("config/puma.rb", "port ENV.fetch(\"PORT\") { 3000 }"),
        (
            "config/routes.rb",
            "get \"up\" => \"rails/health#show\", as: :rails_health_check\nget '/up' => 'x'"
        ),
        (
            "config/environments/production.rb",
            "  config.force_ssl = true\n"
        ),
        ("db/migrate/1_x.rb", ""),
        ("app/models/x.rb", ""),
        ("test/x_test.rb", ""),
        ("storage/x", ""),
        ("tmp/x", ""),
    ]));
}

#[test]
fn laravel() {
    insta::assert_snapshot!(manifest(&[
        (
            "composer.json",
            r#"{"name":"acme/shop","require":{"laravel/framework":"11"}}"#
        ),
        ("composer.lock", ""),
        ("artisan", ""),
        ("app/x.php", ""),
        ("public/index.php", ""),
        ("database/migrations/1.php", ""),
        ("storage/logs/x", ""),
        (
            "package.json",
            r#"{"scripts":{"build":"vite build"},"devDependencies":{"vite":"5"}}"#
        ),
        ("package-lock.json", ""),
    ]));
}

#[test]
fn static_files() {
    insta::assert_snapshot!(manifest(&[
        ("public/index.html", ""),
        ("public/style.css", ""),
        ("README.md", "")
    ]));
}

#[test]
fn static_files_at_the_root() {
    insta::assert_snapshot!(manifest(&[
        ("index.html", ""),
        ("css/style.css", ""),
        ("README.md", ""),
        (".env", "A=1")
    ]));
}

#[test]
fn procfile_of_a_python_app() {
    insta::assert_snapshot!(manifest(&[
        (
            "Procfile",
            "# comment\nweb: gunicorn shop.wsgi --workers 3\nworker: celery -A shop worker\nrelease: python manage.py migrate\n"
        ),
        ("requirements.txt", "Django==5\ngunicorn==21\ncelery==5\n"),
        ("manage.py", "'DJANGO_SETTINGS_MODULE', 'shop.settings'"),
        ("shop/settings.py", "ALLOWED_HOSTS = ['*']"),
        ("shop/wsgi.py", ""),
    ]));
}

#[test]
fn procfile_alone() {
    insta::assert_snapshot!(manifest(&[
        (
            "Procfile",
            "web: ./serve --port $PORT\nclock_tick: ./tick\n"
        ),
        ("serve", ""),
        ("tick", "")
    ]));
}

#[test]
fn jekyll() {
    let detected = seen(&[
        ("Gemfile", "gem 'jekyll'\n"),
        ("Gemfile.lock", ""),
        ("index.html", ""),
    ]);
    assert_eq!(detected.services[0].static_dir.as_deref(), Some("_site"));
    assert_eq!(
        detected.build.run,
        ["bundle install", "bundle exec jekyll build"]
    );
    assert_eq!(detected.include, ["_site"]);
}

/// PHP's server shows every file below its root: `.ship/env` of the release must not be there.
#[test]
fn php_never_serves_the_whole_release() {
    let detected = seen(&[("index.php", "<?php"), ("about.php", "")]);
    assert!(detected.services.is_empty());
    assert_eq!(detected.notes.len(), 1);
}
