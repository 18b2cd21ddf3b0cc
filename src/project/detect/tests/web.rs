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
fn laravel_tells_its_health_and_each_lock_that_is_missing_is_named() {
    let laravel = |more: &[(&str, &str)]| {
        let mut files = vec![
            ("composer.json", r#"{"require":{"laravel/framework":"11"}}"#),
            ("artisan", ""),
            ("public/index.php", ""),
            (
                "bootstrap/app.php",
                "return Application::configure()->withRouting(\n    web: 'routes/web.php',\n    \
                 health: '/up',\n)->create();\n",
            ),
            (
                "package.json",
                r#"{"scripts":{"build":"vite build"},"devDependencies":{"vite":"5"}}"#,
            ),
        ];
        files.extend(more);
        seen(&files)
    };
    let locks = |more: &[(&str, &str)]| {
        let notes = laravel(more).notes.into_iter();
        let locks: Vec<String> = notes.filter(|note| note.contains("two builds")).collect();
        locks
    };
    let both = [("composer.lock", ""), ("package-lock.json", "")];
    let health = laravel(&both).services.remove(0).health.expect("a route");
    assert_eq!(health.path, "/up");
    assert_eq!(locks(&both), [""; 0]);
    let missing = |lock: &str| format!("there is no {lock}: two builds may differ; commit one");
    assert_eq!(locks(&both[1..]), [missing("composer.lock")]);
    assert_eq!(locks(&both[..1]), [missing("package-lock.json")]);
    let ignored = [both[0], (".gitignore", "package-lock.json\n")];
    let said = ".gitignore leaves package-lock.json out, so two builds may differ: take that line out, \
                and commit the file";
    assert_eq!(locks(&ignored), [said]);
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
    let detected = seen(&[
        (
            "index.php",
            "<?php $db = new PDO('sqlite:' . __DIR__ . '/data.db');",
        ),
        ("about.php", ""),
    ]);
    assert_eq!(detected.include, ["www"]);
    assert_eq!(detected.shared, ["www/data.db"]);
    let says = "data.db lies among the pages, so visitors can load all of it: move it out of the \
                folder that they see";
    assert!(detected.notes.iter().any(|note| note == says));
    let command = detected.services[0].command.as_deref();
    assert!(command.is_some_and(|command| command.ends_with("-t www")));
}

#[test]
fn what_an_app_in_php_writes_and_what_apache_would_hide() {
    let detected = seen(&[
        ("index.php", "<?php"),
        (".gitignore", "bl-content/*\n!bl-content/.keep\n"),
        ("bl-content/.keep", ""),
        (
            ".htaccess",
            "RewriteRule ^bl-content/(databases|pages)/.*$ - [R=404,L]\nRewriteRule ^x - [F]\n",
        ),
    ]);
    assert_eq!(detected.shared, ["www/bl-content"]);
    let says = ".htaccess keeps visitors from some files, and only Apache reads it: PHP's own \
                server shows these files";
    assert!(
        detected.notes.iter().any(|note| note == says),
        "{:?}",
        detected.notes
    );
}

/// A build has made the copy already.
#[test]
fn a_second_look_at_pages_in_php_finds_the_same() {
    let detected = seen(&[
        ("index.php", "<?php"),
        ("www/index.php", "<?php"),
        (".gitignore", "/www/\n"),
    ]);
    assert_eq!(detected.include, ["www"]);
    assert!(
        detected.build.run[0].starts_with("rm -rf www"),
        "{:?}",
        detected.build.run
    );
}

/// Served as static files, they would show their source.
#[test]
fn one_page_in_php_of_any_name_is_the_front() {
    let serve = "php -d variables_order=EGPCS -S 0.0.0.0:$PORT -t www";
    let router = "<?php if (is_file('.' . $_SERVER['REQUEST_URI'])) { return false; }";
    for (files, command, copies) in [
        (
            &[("guestbook.php", "<?php"), ("style.css", "")][..],
            Some(serve.to_owned()),
            true,
        ),
        (
            &[("app.php", "<?php"), ("config.php", "<?php")],
            Some(serve.to_owned()),
            true,
        ),
        (
            &[("router.php", router)],
            Some(format!("{serve} www/router.php")),
            false,
        ),
        // What the build left.
        (
            &[
                ("app.php", "<?php"),
                ("www/index.php", "<?php"),
                (".gitignore", "www\n"),
            ],
            Some(serve.to_owned()),
            true,
        ),
        (&[("a.php", "<?php"), ("b.php", "<?php")], None, false),
        (
            &[("rector.php", "<?php"), ("composer.json", "{}")],
            None,
            false,
        ),
    ] {
        let detected = seen(files);
        let service = detected.services.first();
        let found = service.and_then(|service| service.command.clone());
        assert_eq!(found, command, "{files:?}");
        let last = detected.build.run.last();
        let is_copied = last.is_some_and(|step| step.ends_with(" www/index.php"));
        assert_eq!(is_copied, copies, "{files:?}");
    }
    let other = seen(&[
        ("tool.php", "<?php"),
        ("package.json", r#"{"scripts":{"start":"node a.js"}}"#),
    ]);
    assert_eq!(other.services[0].command.as_deref(), Some("node a.js"));
}

#[test]
fn pages_in_php_beside_an_index_html() {
    let detected = seen(&[("index.html", ""), ("send.php", "<?php")]);
    assert_eq!(detected.stack, Some(crate::project::detect::Stack::Php));
    assert_eq!(detected.include, ["www"]);
}

#[test]
fn symfony() {
    insta::assert_snapshot!(manifest(&[
        (
            "composer.json",
            r#"{"require":{"php":">=8.2","symfony/framework-bundle":"7.2.*","symfony/runtime":"7.2.*","doctrine/doctrine-migrations-bundle":"^3.4"}}"#
        ),
        ("composer.lock", ""),
        (
            ".env",
            "APP_ENV=dev\nAPP_SECRET=\nDATABASE_URL=\"postgresql://app:x@127.0.0.1:5432/app\"\n"
        ),
        ("bin/console", ""),
        ("importmap.php", ""),
        ("migrations/Version1.php", ""),
        ("public/index.php", ""),
        ("src/Kernel.php", ""),
    ]));
}

#[test]
fn php_runs_on_the_server_that_the_project_has() {
    let detected = seen(&[
        (
            "composer.json",
            r#"{"require":{"laravel/framework":"12","laravel/octane":"^2"}}"#,
        ),
        ("artisan", ""),
        ("public/index.php", ""),
    ]);
    assert_eq!(
        detected.services[0].command.as_deref(),
        Some("php artisan octane:start --host=0.0.0.0 --port=$PORT")
    );
    assert_eq!(detected.required, ["APP_KEY"]);
}

/// What runs once before the app is a hook, in place of what the framework would do.
#[test]
fn a_procfile_that_migrates_before_it_serves() {
    let detected = seen(&[
        (
            "Procfile",
            "web: rake db:migrate && bundle exec rails server -p $PORT\nconsole: rails console\n",
        ),
        ("Gemfile", "gem 'rails'\n"),
        ("Gemfile.lock", ""),
        ("config/database.yml", ""),
    ]);
    let hooks: Vec<&str> = detected
        .hooks
        .iter()
        .map(|hook| hook.run.as_str())
        .collect();
    assert_eq!(
        hooks,
        ["mkdir -p tmp/pids tmp/cache", "bundle exec rake db:migrate"]
    );
    assert_eq!(detected.services.len(), 1);
    assert_eq!(
        detected.services[0].command.as_deref(),
        Some("bundle exec rails server -p $PORT")
    );
}

#[test]
fn sinatra_without_a_gemfile() {
    let detected = seen(&[
        ("app.rb", "require 'sinatra'\nget '/' do\n  'x'\nend\n"),
        ("views/index.erb", ""),
    ]);
    assert_eq!(detected.services[0].command.as_deref(), Some("ruby app.rb"));
    assert_eq!(detected.services[0].port, Some(4567));
    assert_eq!(detected.env["RACK_ENV"], "production");
}

/// What `rails new` of Rails 8 writes: jobs in a database, assets by Propshaft, keys in git but
/// for the one that opens them.
#[test]
fn rails_8() {
    insta::assert_snapshot!(manifest(&[
        (
            "Gemfile",
            "source 'x'\ngem \"rails\", \"~> 8.0.1\"\ngem \"propshaft\"\ngem \"sqlite3\", \">= 2.1\"\ngem \"puma\", \">= 5.0\"\ngem \"importmap-rails\"\ngem \"solid_queue\"\ngem \"bootsnap\", require: false\n"
        ),
        (
            "Gemfile.lock",
            "GEM\n  specs:\n    rails (8.0.1)\n\nPLATFORMS\n  arm64-darwin-23\n\nBUNDLED WITH\n"
        ),
        (".ruby-version", "ruby-3.3.6\n"),
        ("config.ru", ""),
        ("bin/jobs", ""),
        ("config/puma.rb", "port ENV.fetch(\"PORT\", 3000)\n"),
        (
            "config/routes.rb",
            "  get \"up\" => \"rails/health#show\", as: :rails_health_check\n"
        ),
        ("config/credentials.yml.enc", "x"),
        ("config/master.key", "x"),
        (
            "config/database.yml",
            "default: &default\n  adapter: sqlite3\n\nproduction:\n  primary:\n    database: storage/production.sqlite3\n    password: <%= ENV[\"SHOP_DATABASE_PASSWORD\"] %>\n"
        ),
        (
            "config/environments/production.rb",
            "  config.assume_ssl = true\n  config.force_ssl = true\n"
        ),
        ("db/queue_schema.rb", ""),
        ("app/assets/stylesheets/application.css", ""),
        ("public/robots.txt", ""),
        ("test/x_test.rb", ""),
        ("storage/.keep", ""),
        ("lib/tasks/.keep", ""),
    ]));
}

#[test]
fn jekyll_publishes_no_file_of_ship() {
    let seen = seen(&[
        ("Gemfile", "gem \"jekyll\", \"~> 4.3\"\n"),
        ("Gemfile.lock", ""),
        ("_config.yml", ""),
    ]);
    assert_eq!(seen.exclude, ["/_site/ship.*"]);
    assert_eq!(seen.build.env["JEKYLL_ENV"], "production");
}

#[test]
fn pages_of_php_are_served_where_their_user_may_listen_and_without_files_for_tools() {
    let seen = seen(&[
        ("index.php", ""),
        ("requirements.php", ""),
        ("README.md", ""),
        ("Dockerfile", "FROM php:8-apache\nEXPOSE 80\n"),
        (
            ".htaccess",
            "RewriteEngine on\nRewriteRule ^(content|system)/ error [L]\n",
        ),
    ]);
    assert_eq!(seen.services[0].port, Some(8000));
    let copy = &seen.build.run[0];
    assert!(copy.contains("--exclude=./README.md") && copy.contains("--exclude=./Dockerfile"));
    assert!(!copy.contains("requirements.php"));
    assert!(
        seen.notes
            .iter()
            .any(|note| note.starts_with(".htaccess has rules that only Apache reads"))
    );
}
