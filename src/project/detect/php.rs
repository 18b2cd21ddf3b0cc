//! PHP: `composer.json`, Laravel, Symfony, `index.php`.

mod extensions;
mod heroku;
mod laravel;

use super::files::{ignored, no_lock};
use super::folder::Folder;
use super::guess::{Guess, HookGuess, Include, Stack, Strength};
use super::programs::is_plain;
use super::reason::About;
use super::stays::is_for_tools;
use super::text::has_word;
pub(super) use heroku::service as on_heroku;

const TYPES: &[&str] = &["php"];

/// Folders that hold what a visitor may see, best first.
const ROOTS: &[&str] = &["public", "web", "www", "htdocs", "pub", "webroot"];

/// Servers for real traffic: a package or a file that shows one, its name, and its command.
const SERVERS: &[(&str, &str, &str)] = &[
    (
        "laravel/octane",
        "Octane",
        "php artisan octane:start --host=0.0.0.0 --port=$PORT",
    ),
    (
        "runtime/frankenphp-symfony",
        "FrankenPHP",
        "frankenphp php-server --listen :$PORT --root public",
    ),
    (".rr.yaml", "RoadRunner", "rr serve -c .rr.yaml"),
    (
        "Caddyfile",
        "FrankenPHP",
        "frankenphp run --config Caddyfile",
    ),
];

/// Frameworks and systems that write to folders of their own: the package or the file that shows
/// one, its name, and these folders.
#[rustfmt::skip]
const WRITERS: &[(&str, &str, &[&str])] = &[
    ("cakephp/cakephp", "CakePHP", &["logs", "tmp"]),
    ("codeigniter4/framework", "CodeIgniter", &["writable"]),
    ("spark", "CodeIgniter", &["writable"]),
    ("craftcms/cms", "Craft", &["storage", "web/cpresources"]),
    ("doku.php", "DokuWiki", &["conf", "data"]),
    ("drupal/core-recommended", "Drupal", &["web/sites/default/files"]),
    ("drupal/core", "Drupal", &["web/sites/default/files"]),
    ("getgrav/grav", "Grav", &["backup", "cache", "images", "logs", "tmp", "user/accounts", "user/data"]),
    ("getkirby/cms", "Kirby", &["media", "site/accounts", "site/cache", "site/sessions"]),
    ("nette/application", "Nette", &["log", "temp"]),
    ("roots/wordpress", "WordPress", &["web/app/uploads"]),
    ("typo3/cms-core", "TYPO3", &["public/fileadmin", "public/typo3temp", "var"]),
    ("wp-settings.php", "WordPress", &["wp-content/uploads"]),
    ("yiisoft/yii2", "Yii", &["runtime", "web/assets"]),
];

/// Looks for a PHP project.
pub(super) fn detect(folder: &Folder) -> Option<Guess> {
    let composer = folder.read("composer.json");
    let root = ROOTS
        .iter()
        .copied()
        .find(|dir| folder.is_file(&format!("{dir}/index.php")) && !is_copy(folder, dir))
        .map(str::to_owned)
        .or_else(|| where_visitors_are_sent(folder))
        .or_else(|| is_folder_of_pages(folder).then(|| ".".to_owned()));
    let page = match &root {
        Some(_) => None,
        None => page(folder),
    };
    if composer.is_none() && root.is_none() && page.is_none() {
        return None;
    }
    let mut guess = Guess::new(Stack::Php, TYPES);
    let json = folder.json("composer.json");
    let request = json
        .as_ref()
        .and_then(|json| json.get("require")?.get("php")?.as_str());
    match request {
        Some(request) => guess.needs_version("php", request, "composer.json"),
        None => guess.needs("php"),
    }
    let mut add = Vec::new();
    if composer.is_some() {
        packages(folder, &mut guess);
        add.push("vendor".to_owned());
    }
    guess.include = Include::Sources { add, drop: vec![] };
    let composer = composer.unwrap_or_default();
    let server = SERVERS
        .iter()
        .find(|(sign, ..)| composer.contains(&format!("\"{sign}\"")) || serves(folder, sign));
    match (root.as_deref(), server) {
        (_, Some((sign, name, command))) => {
            guess.because(About::Service, *sign, format!("shows the server {name}"));
            guess.runs(Strength::Certain, *command);
            guess.framework = Some(((*name).to_owned(), 8000));
        }
        (Some("."), None) => public_copy(folder, &mut guess),
        (Some(root), None) => {
            guess.because(About::Service, format!("{root}/index.php"), "is there");
            serve(folder, root, &mut guess);
        }
        (None, None) => {
            if let Some(page) = &page {
                front(folder, page, &mut guess);
            }
        }
    }
    let sources = folder.sources(TYPES);
    guess
        .notes
        .extend(extensions::note(json.as_ref(), &sources));
    let mut writers = WRITERS.iter();
    let writer = writers
        .find(|(sign, ..)| composer.contains(&format!("\"{sign}\"")) || folder.is_file(sign));
    if let Some((sign, name, folders)) = writer {
        guess.because(About::Service, *sign, format!("shows {name}"));
        for path in *folders {
            guess.because(About::Shared, *name, format!("writes to {path}"));
            guess.shared.push((*path).to_owned());
        }
    }
    if folder.is_file("artisan") {
        laravel::complete(folder, &mut guess);
    } else if folder.is_file("bin/console") && composer.contains("\"symfony/") {
        symfony(folder, &composer, &mut guess);
    }
    Some(guess)
}

/// Whether `dir` is what an earlier build made of pages that lie in the project's own folder.
fn is_copy(folder: &Folder, dir: &str) -> bool {
    folder.names().any(|name| name.ends_with(".php")) && ignored(folder).contains(dir)
}

/// The folder with the pages, where the page at the top does nothing but send visitors there: the
/// others of such a project are for Apache to close.
fn where_visitors_are_sent(folder: &Folder) -> Option<String> {
    const SENDS: [(&str, &str); 2] = [("index.php", "Location:"), ("index.html", "url=")];
    SENDS.iter().find_map(|(file, word)| {
        let text = folder.read(file)?;
        let (_, rest) = text.split_once(word)?;
        let dir = rest.trim_start().split(['"', '\'']).next()?;
        let dir = dir.trim_start_matches("./").trim_end_matches('/');
        let is_one = !dir.is_empty() && !dir.contains(['/', ':', '.', '$', '?']);
        (is_one && folder.is_file(&format!("{dir}/index.php"))).then(|| dir.to_owned())
    })
}

/// Whether pages in PHP lie in the project's own folder. Beside a composer.json they may be settings
/// of tools; served as static files they would show their source.
fn is_folder_of_pages(folder: &Folder) -> bool {
    let pages = || folder.names().any(|name| name.ends_with(".php"));
    folder.is_file("index.php")
        || folder.is_file("index.html") && !folder.is_file("composer.json") && pages()
}

/// Names of a page that answers for all, where no `index.php` is there.
const PAGES: &[&str] = &[
    "app.php",
    "main.php",
    "home.php",
    "router.php",
    "server.php",
];

/// The page that is the app: one of such a name, or the only one. Beside a composer.json, others may
/// be settings of tools.
fn page(folder: &Folder) -> Option<String> {
    let mut pages = folder.names().filter(|name| name.ends_with(".php"));
    let named = folder.first(PAGES).map(str::to_owned);
    let only = || match (pages.next(), pages.next()) {
        (Some(page), None) if !folder.is_file("composer.json") => Some(page.to_owned()),
        _ => None,
    };
    named.or_else(only).filter(|page| is_plain(page))
}

/// Serves `page`, which answers for all: as a router where it leaves files to the server, else in
/// the place of `index.php`.
fn front(folder: &Folder, page: &str, guess: &mut Guess) {
    public_copy(folder, guess);
    guess.because(About::Service, page, "is the page");
    let text = folder.read(page).unwrap_or_default();
    let is_router = text.contains("return false;") && text.contains("REQUEST_URI");
    let command = guess
        .services
        .first_mut()
        .and_then(|it| it.command.as_mut());
    match command.filter(|_| is_router) {
        Some(command) => command.push_str(&format!(" www/{page}")),
        None => guess.build.push(format!("cp www/{page} www/index.php")),
    }
    // In a project of another language it is a page of something else.
    guess.strength = Strength::Present;
}

/// Whether a file of this name sets up PHP.
fn serves(folder: &Folder, file: &str) -> bool {
    match file {
        "Caddyfile" => folder
            .read(file)
            .is_some_and(|text| text.contains("php_server") || text.contains("frankenphp")),
        file => folder.is_file(file),
    }
}

fn packages(folder: &Folder, guess: &mut Guess) {
    const INSTALL: &str = "composer install --no-interaction --optimize-autoloader";
    guess.because(About::App, "composer.json", "is there");
    let json = folder.json("composer.json");
    let text = |key: &str| json.as_ref()?.get(key)?.as_str().map(str::to_owned);
    let name = text("name").and_then(|name| name.rsplit('/').next().map(str::to_owned));
    guess.named("composer.json", name);
    // Where composer puts packages: <https://getcomposer.org/doc/06-config.md#vendor-dir>
    let vendor = json
        .as_ref()
        .and_then(|json| json.get("config")?.get("vendor-dir")?.as_str());
    let vendor = vendor.map_or("vendor", |dir| dir.trim_end_matches('/'));
    let loader = format!("{vendor}/autoload.php");
    if folder.in_repository() && folder.is_file(&loader) && !ignored(folder).contains(vendor) {
        let says = "is in the repository: composer has nothing to install";
        guess.because(About::Build, format!("{vendor}/"), says);
        return;
    }
    guess.needs("composer");
    let release = format!("{INSTALL} --no-dev");
    if folder.is_file("composer.lock") {
        guess.because(About::Build, "composer.lock", "locks the packages");
    } else {
        guess.note(no_lock(folder, "composer.lock"));
    }
    let pest = json
        .as_ref()
        .and_then(|json| json.get("require-dev")?.get("pestphp/pest"))
        .is_some();
    if let Some(file) = folder.first(&["phpunit.xml", "phpunit.xml.dist", "phpunit.dist.xml"]) {
        guess.because(About::Test, file, "is there");
        guess.test.push(INSTALL);
        guess.test.push(match pest {
            true => "./vendor/bin/pest",
            false => "./vendor/bin/phpunit",
        });
        // What only tests need is not released.
        guess.test.push(release.clone());
    }
    guess.build.push(release);
}

/// The script that answers before files do, where a script of Composer gives PHP's own server one.
fn router(folder: &Folder) -> Option<String> {
    let json = folder.json("composer.json")?;
    let scripts = json.get("scripts")?;
    let lines = ["start", "serve"].into_iter().flat_map(|name| {
        let script = scripts.get(name);
        let lines = script.and_then(|it| it.as_array()).map(Vec::as_slice);
        lines.unwrap_or(script.map_or(&[], std::slice::from_ref))
    });
    let mut served = lines
        .filter_map(|line| line.as_str())
        .filter(|line| has_word(line, "php") && line.contains(" -S "));
    let last = served.next()?.split_whitespace().last()?;
    let file = last.trim_start_matches("./");
    (file.ends_with(".php") && is_plain(file) && folder.is_file(file)).then(|| file.to_owned())
}

/// PHP's own server, with `root` as what it shows.
fn serve(folder: &Folder, root: &str, guess: &mut Guess) {
    // Debian's settings hide the environment from `$_ENV`.
    let mut command = format!("php -d variables_order=EGPCS -S 0.0.0.0:$PORT -t {root}");
    if let Some(file) = router(folder) {
        guess.because(
            About::Service,
            "composer.json",
            format!("starts with the router {file}"),
        );
        let is_in_root = folder.is_file(&format!("{root}/index.php"));
        command.push_str(&match is_in_root {
            true => format!(" {file}"),
            false => format!(" {root}/{file}"),
        });
    }
    guess.runs(Strength::Certain, command);
    if let Some(service) = guess.services.first_mut() {
        service.why = vec![
            "PHP's own server is meant for development. For real traffic add FrankenPHP, or run"
                .to_owned(),
            format!(
                "php-fpm on the hosts behind nginx, with {root} of the folder `current` as its root"
            ),
        ];
        service
            .env
            .insert("PHP_CLI_SERVER_WORKERS".to_owned(), "4".to_owned());
    }
    guess.note("PHP's own server is meant for development; for real traffic add FrankenPHP, or php-fpm on the hosts");
    guess.framework = Some(("PHP".to_owned(), 8000));
    let closing = [".htaccess".to_owned(), format!("{root}/.htaccess")].into_iter();
    let below = folder.names().filter(|name| folder.is_dir(name));
    let below = below.map(|name| format!("{name}/.htaccess"));
    let below = below.filter(|_| guess.copy.is_some());
    let closed: Vec<String> = closing
        .chain(below)
        .filter(|file| closes(folder, file))
        .collect();
    if !closed.is_empty() {
        let (verb, them) = match closed.len() {
            1 => ("keeps", "it"),
            _ => ("keep", "them"),
        };
        guess.note(format!(
            "{} {verb} visitors from some files, and only Apache reads {them}: PHP's own server shows these files",
            closed.join(", ")
        ));
    } else if folder.read(".htaccess").is_some_and(|text| rewrites(&text)) {
        guess.note(
            ".htaccess has rules that only Apache reads: PHP's own server follows none, and shows files that they may hide",
        );
    }
}

/// Whether rules of Apache in `file` deny something (mod_authz_core, mod_access_compat, the flag F of
/// mod_rewrite).
fn closes(folder: &Folder, file: &str) -> bool {
    let text = folder.read(file).unwrap_or_default().to_ascii_lowercase();
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'));
    let denies = |line: &str| {
        line.starts_with("require all denied")
            || line.starts_with("deny from")
            || line.starts_with("rewriterule") && (line.contains("[f") || line.contains(",f]"))
    };
    lines.into_iter().any(denies)
}

/// Whether rules of Apache lead visitors elsewhere than to a page for all (mod_rewrite).
fn rewrites(text: &str) -> bool {
    text.lines().any(|line| {
        let mut words = line.split_whitespace();
        let is_rule = words
            .next()
            .is_some_and(|word| word.eq_ignore_ascii_case("RewriteRule"));
        let pattern = words.next().unwrap_or_default();
        let to = words.next().unwrap_or_default();
        let is_to_page = to == "-" || to.contains(".php") || to.contains("://");
        // One of some names only, which lie in folders: `^content/(.*)`.
        let is_of_folder = pattern.trim_start_matches('^').contains('/');
        is_rule && !to.is_empty() && (!is_to_page || is_of_folder)
    })
}

/// A server at the top of the release would show everything in it, also `.ship/env`: so the app is
/// copied into a folder of its own.
fn public_copy(folder: &Folder, guess: &mut Guess) {
    guess.because(
        About::Service,
        "the pages",
        "are in the project's own folder",
    );
    guess.build.why.push(
        "what visitors see is a copy: a server at the top would show them all of the release"
            .to_owned(),
    );
    let for_tools = folder
        .names()
        .filter(|name| is_for_tools(name) && is_plain(name))
        .filter(|name| !name.starts_with("ship.") && !name.ends_with(".php"))
        .map(|name| format!(" --exclude=./{name}"));
    let for_tools: String = for_tools.collect();
    guess.build.push(format!(
        "rm -rf www && mkdir www && tar -c --exclude=./www --exclude='./.*' --exclude='./ship.*' --exclude='./composer.*' --exclude=./node_modules{for_tools} . | tar -x -C www",
    ));
    guess.copy = Some("www".to_owned());
    serve(folder, "www", guess);
    guess.include = Include::Only(vec!["www".to_owned()]);
}

fn symfony(folder: &Folder, composer: &str, guess: &mut Guess) {
    guess.because(About::Env, "bin/console", "is Symfony's");
    guess.env.insert("APP_ENV".to_owned(), "prod".to_owned());
    guess
        .build
        .env
        .insert("APP_ENV".to_owned(), "prod".to_owned());
    // The cache belongs to one release, and a release is read-only.
    for service in &mut guess.services {
        if let Some(command) = &mut service.command {
            *command = format!(
                "APP_CACHE_DIR=$RUNTIME_DIRECTORY/cache APP_LOG_DIR=$RUNTIME_DIRECTORY/log {command}"
            );
        }
    }
    if folder.is_file("importmap.php") {
        guess.because(About::Build, "importmap.php", "is there");
        guess.build.push("php bin/console importmap:install");
        guess.build.push("php bin/console asset-map:compile");
        guess.add("public/assets");
    }
    if composer.contains("doctrine-migrations-bundle") && folder.is_dir("migrations") {
        guess.because(About::Hook, "migrations/", "holds migrations");
        guess.hooks.push(HookGuess::once(
            "APP_CACHE_DIR=$(mktemp -d) php bin/console doctrine:migrations:migrate --no-interaction --allow-no-migration",
        ));
    }
    if folder
        .read(".gitignore")
        .is_some_and(|text| text.contains("/public/bundles"))
    {
        guess.build.push("mkdir -p public/bundles");
        guess.add("public/bundles");
    }
    let Some(settings) = folder.read(".env") else {
        return;
    };
    // `.env` is never released; Symfony then reads `.env.dist`. What is secret is in `.env.local`.
    guess.because(
        About::Build,
        ".env",
        "holds the settings that all environments have",
    );
    guess.build.push("cp .env .env.dist");
    guess.add(".env.dist");
    let value = |name: &str| {
        settings.lines().find_map(|line| {
            Some(
                line.trim()
                    .strip_prefix(name)?
                    .strip_prefix('=')?
                    .trim_matches('"')
                    .to_owned(),
            )
        })
    };
    if value("APP_SECRET").is_some_and(|value| value.is_empty()) {
        guess.secret("APP_SECRET", ".env");
    }
    match value("DATABASE_URL") {
        Some(url) if url.starts_with("sqlite:") && url.contains("/var/") => {
            guess.because(About::Shared, ".env", "keeps the database in var/");
            guess.shared.push("var".to_owned());
        }
        Some(url) if !url.starts_with("sqlite:") => guess.secret("DATABASE_URL", ".env"),
        _ => {}
    }
}
