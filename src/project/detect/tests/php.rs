//! PHP: packages, extensions and servers.

use super::super::Detected;
use super::seen;

const FPM: &str = "vendor/bin/heroku-php-nginx -C nginx.conf -l log.txt web";

fn command(found: &Detected) -> &str {
    let command = found.services.first().and_then(|it| it.command.as_deref());
    command.unwrap_or_default()
}

#[test]
fn packages_in_the_repository_are_not_installed() {
    let files = [
        ("composer.json", "{}"),
        ("composer.lock", "{}"),
        ("public/index.php", ""),
        ("vendor/autoload.php", ""),
    ];
    let committed = seen(&[&files[..], &[(".git/HEAD", "")]].concat());
    assert!(committed.build.run.is_empty(), "{:?}", committed.build.run);
    assert!(!committed.exclude.contains(&"/vendor".to_owned()));
    for other in [&[][..], &[(".git/HEAD", ""), (".gitignore", "/vendor/\n")]] {
        let installed = seen(&[&files[..], other].concat());
        assert!(installed.build.run[0].starts_with("composer install"));
    }
}

#[test]
fn the_server_of_heroku_is_replaced() {
    for (line, files, root) in [
        (
            "vendor/bin/heroku-php-apache2 public/",
            &["public/index.php"][..],
            "public",
        ),
        (
            "heroku-php-apache2 public",
            &["public/index.php", "web/index.php"],
            "public",
        ),
        (FPM, &["public/index.php", "web/app.php"], "web"),
        ("vendor/bin/heroku-php-apache2", &["index.php"], "www"),
        (
            "vendor/bin/heroku-php-apache2 htdocs",
            &["htdocs/start.php"],
            "htdocs",
        ),
    ] {
        let procfile = format!("web: {line}\n");
        let mut all = vec![("composer.json", "{}"), ("Procfile", procfile.as_str())];
        all.extend(files.iter().map(|file| (*file, "")));
        let found = seen(&all);
        assert!(
            command(&found).ends_with(&format!(" -t {root}")),
            "{line}: {}",
            command(&found)
        );
        assert!(command(&found).starts_with("php "), "{}", command(&found));
        let of_server = |note: &&String| note.starts_with("PHP's own server");
        assert_eq!(found.notes.iter().filter(of_server).count(), 1);
    }
}

#[test]
fn extensions_that_a_host_may_lack_are_told() {
    for (require, told) in [
        (r#""php":">=8","ext-json":"*","ext-ctype":"*""#, None),
        (
            r#""ext-gmp":"*","ext-zip":"*""#,
            Some("apt install php-gmp php-zip"),
        ),
        (
            r#""ext-pdo_mysql":"*","ext-mysqli":"*","ext-dom":"*""#,
            Some("apt install php-mysql php-xml"),
        ),
    ] {
        let composer = format!(r#"{{"require":{{{require}}}}}"#);
        let found = seen(&[
            ("composer.json", composer.as_str()),
            ("public/index.php", ""),
        ]);
        let notes = found.notes.join("\n");
        assert_eq!(
            notes.contains("needs extensions"),
            told.is_some(),
            "{notes}"
        );
        assert!(notes.contains(told.unwrap_or_default()), "{notes}");
    }
}

#[test]
fn extensions_that_the_code_insists_on_are_told() {
    let seen = seen(&[(
        "index.php",
        "<?php if (!extension_loaded('zip')) { exit(1); } if (extension_loaded('apcu')) {}",
    )]);
    let note = seen
        .notes
        .iter()
        .find(|note| note.contains("extensions of PHP"));
    assert!(note.is_some_and(|note| note.ends_with("apt install php-zip")));
}

#[test]
fn the_router_of_composers_start_script_is_kept() {
    const START: &str = r#"{"scripts":{"start":["Composer\\Config::disableProcessTimeout","@php -S localhost:8000 lib/router.php"]}}"#;
    let found = |page| {
        let files = [
            ("composer.json", START),
            (page, "<?php\n"),
            ("lib/router.php", "<?php\n"),
        ];
        command(&seen(&files)).to_owned()
    };
    let start = "php -d variables_order=EGPCS -S 0.0.0.0:$PORT";
    let below = format!("{start} -t public lib/router.php");
    assert_eq!(found("public/index.php"), below);
    assert_eq!(
        found("index.php"),
        format!("{start} -t www www/lib/router.php")
    );
}

#[test]
fn a_package_that_is_committed_is_no_source_of_the_app() {
    let shared = |require: &str| {
        let json = format!(r#"{{"require":{{{require}}}}}"#);
        let files = [
            ("composer.json", json.as_str()),
            ("public/index.php", "<?php\n"),
            ("core/composer.json", r#"{"name":"maker/core"}"#),
            ("core/db.php", "<?php\nnew PDO('sqlite:data.sqlite');\n"),
        ];
        seen(&files).shared
    };
    assert_eq!(shared(r#""maker/core":"1""#), [""; 0]);
    assert_eq!(shared(""), ["data.sqlite"]);
}

#[test]
fn what_a_framework_writes_to_survives_releases() {
    let shared = |composer: &str, page: &str| {
        let files = [("composer.json", composer), (page, "<?php\n")];
        seen(&files).shared
    };
    let igniter = r#"{"require":{"codeigniter4/framework":"^4.6"}}"#;
    assert_eq!(shared(igniter, "public/index.php"), ["writable"]);
    // Pages in the project's own folder are served from a copy.
    let kirby = r#"{"require":{"getkirby/cms":"^5"}}"#;
    assert_eq!(
        shared(kirby, "index.php"),
        [
            "www/media",
            "www/site/accounts",
            "www/site/cache",
            "www/site/sessions"
        ]
    );
}

#[test]
fn a_wiki_of_files_keeps_what_it_writes_and_tells_what_apache_would_hide() {
    let found = seen(&[
        ("index.php", "<?php\n"),
        ("doku.php", "<?php\n"),
        ("data/.htaccess", "Require all denied\n"),
    ]);
    assert_eq!(found.shared, ["www/conf", "www/data"]);
    let notes = found.notes.join("\n");
    assert!(
        notes.contains("data/.htaccess keeps visitors from some files"),
        "{notes}"
    );
}

#[test]
fn pages_that_the_first_page_sends_visitors_to_are_the_site() {
    // As FreshRSS has it: all but `p` is for Apache to close.
    let files = [
        ("index.php", "<?php\nheader('Location: p/', true, 301);\n"),
        ("p/index.php", "<?php require '../constants.php';"),
        ("constants.php", "<?php"),
        ("lib/.htaccess", "Require all denied\n"),
        ("data/.htaccess", "Require all denied\n"),
        ("data/.gitignore", "config.php\n"),
        ("data/users/.gitignore", "*/\n!_/\n"),
        ("data/users/_/index.html", ""),
        ("data/tos.example.html", "x"),
    ];
    let found = super::seen(&files);
    let command = found.services[0].command.as_deref().unwrap_or_default();
    assert!(command.ends_with("-t p"), "{command}");
    assert!(
        found.shared.iter().any(|path| path == "data"),
        "{:?}",
        found.shared
    );
}

#[test]
fn every_folder_that_apache_would_close_is_named() {
    let closed = "Require all denied\n";
    let found = super::seen(&[
        ("index.php", "<?php echo 1;"),
        ("data/.htaccess", closed),
        ("lib/.htaccess", closed),
    ]);
    let told = |note: &&String| note.contains("data/.htaccess, lib/.htaccess keep visitors");
    assert!(
        found.notes.iter().any(|note| told(&note)),
        "{:?}",
        found.notes
    );
}
