//! Laravel: its server, its key, its storage, its jobs.

use super::TYPES;
use crate::project::detect::folder::Folder;
use crate::project::detect::guess::{Guess, HealthGuess, HookGuess, ServiceGuess};
use crate::project::detect::reason::About;
use crate::project::detect::text::literals;

/// Adds what an app of Laravel needs.
pub(super) fn complete(folder: &Folder, guess: &mut Guess) {
    guess.because(About::Env, "artisan", "is Laravel's");
    if let Some(command) = guess.services.first_mut().and_then(|s| s.command.as_mut())
        && command.ends_with(" -t public")
    {
        // Laravel's own script also answers routes that look like files.
        *command = match folder.is_file("server.php") {
            true => format!("{command} server.php"),
            false => "cd public && exec php -S 0.0.0.0:$PORT ../vendor/laravel/framework/src/Illuminate/Foundation/resources/server.php".to_owned(),
        };
    }
    for (name, value) in [("APP_ENV", "production"), ("LOG_CHANNEL", "stderr")] {
        guess.env.insert(name.to_owned(), value.to_owned());
    }
    guess.secret("APP_KEY", "config/app.php");
    guess.note("`php artisan key:generate --show` makes a value for APP_KEY");
    guess.because_quietly(
        About::Shared,
        "Laravel",
        "writes uploads, logs and caches to storage/",
    );
    guess.shared.push("storage".to_owned());
    guess.hooks.push(HookGuess::each(
        "mkdir -p storage/app/public storage/logs storage/framework/cache/data storage/framework/sessions storage/framework/views",
    ));
    if !guess.test.run.is_empty() {
        // A key for tests alone: `.env` is not in git.
        let key = "base64:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        guess.test.env.insert("APP_KEY".to_owned(), key.to_owned());
    }
    // Composer's scripts fill it, and git ignores what is in it.
    guess.add("bootstrap/cache");
    if folder.is_file("package.json")
        && ["vite.config.js", "vite.config.ts", "vite.config.mjs"]
            .iter()
            .any(|file| folder.is_file(file))
    {
        guess.add("public/build");
    }
    // It is not in git, and composer's scripts need it.
    guess.build.run.insert(
        0,
        "mkdir -p bootstrap/cache storage/framework/views".to_owned(),
    );
    let database = folder.read("config/database.php").unwrap_or_default();
    if database.contains("env('DB_CONNECTION', 'sqlite')") {
        guess.because(
            About::Shared,
            "config/database.php",
            "keeps data in database/database.sqlite",
        );
        guess.shared.push("database/database.sqlite".to_owned());
    }
    if folder.is_dir("database/migrations") {
        guess.because(About::Hook, "database/migrations", "holds migrations");
        guess
            .hooks
            .push(HookGuess::once("php artisan migrate --force"));
    }
    if let Some(path) = health_route(folder) {
        guess.because(
            About::Health,
            "bootstrap/app.php",
            format!("answers {path}"),
        );
        guess.health = Some(HealthGuess::path(path));
    }
    let sources = folder.sources(TYPES);
    if sources
        .iter()
        .any(|source| source.text.contains("disk('public')"))
    {
        guess.because(
            About::Build,
            "the sources",
            "keep files on the disk `public`",
        );
        guess
            .build
            .push("ln -sfn ../storage/app/public public/storage");
    }
    let scheduled = sources.iter().any(|source| {
        source
            .lines()
            .any(|line| line.contains("Schedule::") || line.contains("$schedule->"))
    });
    for (wanted, name, command, why) in [
        (
            folder.is_dir("app/Jobs"),
            "worker",
            "php artisan queue:work",
            ("app/Jobs", "holds jobs"),
        ),
        (
            scheduled,
            "scheduler",
            "php artisan schedule:work",
            ("the sources", "schedule tasks"),
        ),
    ] {
        if wanted && !guess.services.is_empty() {
            guess.because(About::Service, why.0, why.1);
            guess.services.push(ServiceGuess {
                name: name.to_owned(),
                command: Some(command.to_owned()),
                ..ServiceGuess::default()
            });
        }
    }
}

/// The route of Laravel's own health check: `health: '/up'`.
fn health_route(folder: &Folder) -> Option<String> {
    let text = folder.read("bootstrap/app.php")?;
    let line = text
        .lines()
        .find(|line| line.trim_start().starts_with("health:"))?;
    literals(line)
        .first()
        .filter(|path| path.starts_with('/'))
        .map(|path| (*path).to_owned())
}
