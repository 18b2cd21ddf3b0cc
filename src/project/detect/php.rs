//! PHP: `composer.json`, Laravel, `index.php`.

use super::folder::Folder;
use super::guess::{Guess, HookGuess, Include, Stack, Strength};

const TYPES: &[&str] = &["php"];

/// Looks for a PHP project.
pub(super) fn detect(folder: &Folder) -> Option<Guess> {
    let composer = folder.is_file("composer.json");
    let root = ["public", "web", "www", "htdocs"]
        .into_iter()
        .find(|dir| folder.is_file(&format!("{dir}/index.php")))
        .or_else(|| folder.is_file("index.php").then_some("."));
    if !composer && root.is_none() {
        return None;
    }
    let mut guess = Guess::new(Stack::Php, TYPES);
    let mut add = Vec::new();
    let json = folder.json("composer.json");
    if composer {
        guess.saw("composer.json is there");
        let text = |key: &str| json.as_ref()?.get(key)?.as_str().map(str::to_owned);
        guess.name = text("name").and_then(|name| name.rsplit('/').next().map(str::to_owned));
        let phpunit = folder.first(&["phpunit.xml", "phpunit.xml.dist"]).is_some();
        let dev = if phpunit { "" } else { " --no-dev" };
        guess.build.push(format!(
            "composer install{dev} --no-interaction --optimize-autoloader"
        ));
        if phpunit {
            guess.saw("phpunit.xml is there");
            guess.test.push("./vendor/bin/phpunit");
        }
        if folder.is_file("composer.lock") {
            guess.saw("composer.lock locks the packages");
        } else {
            guess.note("there is no composer.lock: two builds may differ; commit one");
        }
        add.push("vendor".to_owned());
    }
    match root {
        Some(".") => guess.note(
            "index.php is in the project's own folder: a server there would show everything in the \
             release, its secrets too; move what is public into public/",
        ),
        Some(root) => serve(root, &mut guess),
        None => {}
    }
    if folder.is_file("artisan") {
        guess.saw("artisan is Laravel's");
        guess.shared.push("storage".to_owned());
        guess.hooks.push(HookGuess::each(
            "mkdir -p storage/logs storage/framework/cache/data storage/framework/sessions storage/framework/views",
        ));
        guess
            .env
            .insert("APP_ENV".to_owned(), "production".to_owned());
        guess
            .env
            .insert("LOG_CHANNEL".to_owned(), "stderr".to_owned());
        if folder.is_dir("database/migrations") {
            guess.saw("database/migrations holds migrations");
            guess
                .hooks
                .push(HookGuess::once("php artisan migrate --force"));
        }
    }
    guess.include = Include::Sources { add, drop: vec![] };
    Some(guess)
}

fn serve(root: &str, guess: &mut Guess) {
    guess.saw(format!("{root}/index.php is there"));
    guess.runs(Strength::Certain, format!("php -S 0.0.0.0:$PORT -t {root}"));
    if let Some(service) = guess.services.first_mut() {
        service.why = vec![
            "PHP's own server is meant for development: for real traffic run php-fpm on the"
                .to_owned(),
            "host behind nginx, with its root in the release's folder `current`".to_owned(),
        ];
    }
    guess.framework = Some(("PHP".to_owned(), 8000));
}
