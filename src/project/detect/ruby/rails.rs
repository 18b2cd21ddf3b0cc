//! Rails.

use super::Gems;
use crate::project::detect::folder::Folder;
use crate::project::detect::guess::{Guess, HealthGuess, HookGuess};
use crate::project::detect::reason::About;
use crate::project::detect::text::literals;

/// Gems with a folder of their own for what they build; the others use public/assets.
const BUILT: &[(&str, &str)] = &[
    ("vite_rails", "public/vite"),
    ("webpacker", "public/packs"),
    ("shakapacker", "public/packs"),
];

/// Gems that build assets.
const ASSETS: &[&str] = &[
    "sprockets",
    "sprockets-rails",
    "propshaft",
    "webpacker",
    "importmap-rails",
    "sass-rails",
    "vite_rails",
    "shakapacker",
];

/// Files that hold keys, which no release has.
const KEYS: &[&str] = &["config/master.key", "config/credentials/*.key"];

/// Adds what Rails needs, and to `made` what its build makes.
pub(super) fn add(folder: &Folder, gems: &Gems, guess: &mut Guess, made: &mut Vec<String>) {
    let production = folder
        .read("config/environments/production.rb")
        .unwrap_or_default();
    let version = version(folder);
    for (name, value) in [("RAILS_ENV", "production"), ("RAILS_LOG_TO_STDOUT", "1")] {
        guess.env.insert(name.to_owned(), value.to_owned());
    }
    if production.contains("RAILS_SERVE_STATIC_FILES") {
        guess.because(
            About::Env,
            "config/environments/production.rb",
            "serves public/ with RAILS_SERVE_STATIC_FILES alone",
        );
        guess
            .env
            .insert("RAILS_SERVE_STATIC_FILES".to_owned(), "1".to_owned());
    }
    if ASSETS.iter().any(|gem| gems.has(gem)) || folder.is_dir("app/assets") {
        // The real key is on no machine that builds. Rails 7.1 and later make one up.
        let key = match version {
            Some(version) if version < (7, 1) => "SECRET_KEY_BASE=for-the-build",
            _ => "SECRET_KEY_BASE_DUMMY=1",
        };
        let own = BUILT.iter().filter(|(gem, _)| gems.has(gem));
        let own: Vec<String> = own.map(|(_, dir)| (*dir).to_owned()).collect();
        if own.is_empty() || folder.is_dir("app/assets") {
            made.push("public/assets".to_owned());
        }
        made.extend(own);
        guess.build.push(format!(
            "RAILS_ENV=production {key} bundle exec rails assets:precompile"
        ));
    }
    keys(folder, guess);
    guess.shared = ["log", "storage", "tmp"].map(str::to_owned).to_vec();
    guess
        .hooks
        .push(HookGuess::each("mkdir -p tmp/pids tmp/cache"));
    database(folder, version, guess);
    for (path, why) in [
        ("log", "logs"),
        ("storage", "uploads and databases"),
        ("tmp", "caches"),
    ] {
        guess.because_quietly(About::Shared, "Rails", format!("writes {why} to {path}/"));
    }
    let set = |setting: &str| {
        production
            .lines()
            .any(|line| line.trim().replace(' ', "") == format!("config.{setting}=true"))
    };
    let mut health = HealthGuess::path("");
    if set("force_ssl") {
        // Else every path redirects to https.
        let (name, value) = ("X-Forwarded-Proto".to_owned(), "https".to_owned());
        health.headers.insert(name, value);
        guess.health_headers.clone_from(&health.headers);
        guess.note("the app redirects to https: put a server with a certificate in front of it");
    }
    if production
        .lines()
        .any(|line| line.trim_start().starts_with("config.hosts"))
        && !production.contains("host_authorization")
    {
        guess.no_health =
            Some("config.hosts may refuse 127.0.0.1, so a health route may not answer".to_owned());
    } else if let Some(path) = health_route(folder) {
        guess.because(About::Health, "config/routes.rb", format!("answers {path}"));
        health.path = path;
        guess.health = Some(health);
    }
}

/// The route of Rails' own health check: `get "up" => "rails/health#show"`.
fn health_route(folder: &Folder) -> Option<String> {
    let routes = folder.read("config/routes.rb")?;
    let line = routes
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .find(|line| line.contains("rails/health#show"))?;
    let path = literals(line).first()?.trim_start_matches('/').to_owned();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    path.chars().all(plain).then(|| format!("/{path}"))
}

fn keys(folder: &Folder, guess: &mut Guess) {
    guess
        .exclude
        .extend(KEYS.iter().map(|key| (*key).to_owned()));
    if folder.is_file("config/credentials.yml.enc") {
        guess.secret("RAILS_MASTER_KEY", "config/credentials.yml.enc");
        guess.note("RAILS_MASTER_KEY is what config/master.key holds, which is not released");
    } else {
        guess.secret("SECRET_KEY_BASE", "Rails");
        guess.note("`bundle exec rails secret` makes a value for SECRET_KEY_BASE");
    }
}

fn database(folder: &Folder, version: Option<(u32, u32)>, guess: &mut Guess) {
    let Some(settings) = folder.read("config/database.yml") else {
        return;
    };
    // `db:prepare` makes and fills the databases of queues and caches, too.
    let task = match version {
        Some(version) if version < (6, 0) => "db:migrate",
        _ => "db:prepare",
    };
    guess.because(About::Hook, "config/database.yml", "names a database");
    guess
        .hooks
        .push(HookGuess::once(format!("bundle exec rails {task}")));
    let production = settings
        .split_once("\nproduction:")
        .map_or("", |(_, rest)| rest);
    // Since 7.1 in storage/, which survives anyway.
    let files = production
        .lines()
        .filter_map(|line| line.trim().strip_prefix("database:"))
        .map(|path| path.trim().trim_matches(['"', '\'']))
        .filter(|path| path.ends_with(".sqlite3") && !path.starts_with(['/', '.', '<']));
    for path in files {
        guess.because(
            About::Shared,
            "config/database.yml",
            format!("keeps data in {path}"),
        );
        guess.shared.push(path.to_owned());
    }
    // `ENV["X"]`, and `ENV.fetch("X")` without a value to fall back on.
    let variables = production
        .lines()
        .filter(|line| !line.trim_start().starts_with('#') && line.contains("ENV"))
        .filter(|line| !line.contains('{') && !line.contains("||"))
        .flat_map(literals)
        .filter(|text| text.ends_with("_PASSWORD") || text.ends_with("_URL"));
    for name in variables {
        guess.secret(name, "config/database.yml");
    }
}

/// The version in Gemfile.lock: `    rails (7.1.2)`.
fn version(folder: &Folder) -> Option<(u32, u32)> {
    let lock = folder.read("Gemfile.lock")?;
    let version = lock
        .lines()
        .find_map(|line| line.trim().strip_prefix("rails ("))?;
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}
