//! Ruby: `Gemfile`, Rails, Rack, Puma.

use super::files::requires;
use super::folder::Folder;
use super::guess::{Guess, HookGuess, Include, Stack, Strength};

const TYPES: &[&str] = &["rb", "ru"];

/// Looks for a Ruby project.
pub(super) fn detect(folder: &Folder) -> Option<Guess> {
    let gemfile = folder.read("Gemfile");
    let entry = folder.first(&["config.ru", "app.rb", "server.rb", "main.rb"]);
    if gemfile.is_none() && entry.is_none() {
        return None;
    }
    let mut guess = Guess::new(Stack::Ruby, TYPES);
    let gems = gemfile.as_deref().unwrap_or_default();
    let has = |gem: &str| {
        gems.lines()
            .any(|line| line.trim_start().starts_with("gem ") && requires(line, gem))
    };
    let mut add = Vec::new();
    let exec = if gemfile.is_some() {
        guess.saw("Gemfile is there");
        guess.build.push("bundle install");
        guess
            .build
            .why
            .push("gems go into vendor/bundle, beside the app".to_owned());
        guess
            .build
            .env
            .insert("BUNDLE_PATH".to_owned(), "vendor/bundle".to_owned());
        if folder.is_file("Gemfile.lock") {
            guess.saw("Gemfile.lock locks the gems");
            guess
                .build
                .env
                .insert("BUNDLE_FROZEN".to_owned(), "true".to_owned());
        } else {
            guess.note("there is no Gemfile.lock: two builds may differ; commit one");
        }
        add.push("vendor".to_owned());
        "bundle exec "
    } else {
        ""
    };
    let puma = has("puma").then(|| {
        if folder.is_file("config/puma.rb") {
            "puma -C config/puma.rb"
        } else {
            "puma -b tcp://0.0.0.0:$PORT"
        }
    });
    if has("jekyll") {
        guess.saw("Gemfile names Jekyll, which builds static files into _site/");
        guess.build.push(format!("{exec}jekyll build"));
        guess.serves(Strength::Certain, "_site");
        guess.include = Include::Only(vec!["_site".to_owned()]);
        return Some(guess);
    }
    if has("rails") {
        rails(folder, gems, &mut guess);
        let server = puma.unwrap_or("rails server -b 0.0.0.0 -p $PORT");
        guess.runs(Strength::Certain, format!("bundle exec {server}"));
        guess.framework = Some(("Rails".to_owned(), 3000));
    } else if folder.is_file("config.ru") {
        guess.saw("config.ru is there");
        let server = puma.unwrap_or("rackup -o 0.0.0.0 -p $PORT");
        guess.runs(Strength::Certain, format!("{exec}{server}"));
        guess.framework = Some(("Rack".to_owned(), 9292));
    } else if let Some(entry) = entry {
        guess.saw(format!("{entry} is there"));
        guess.runs(Strength::Runs, format!("{exec}ruby {entry}"));
        guess.framework = has("sinatra").then(|| ("Sinatra".to_owned(), 4567));
    }
    if gemfile.is_some() {
        for service in &mut guess.services {
            service
                .env
                .insert("BUNDLE_PATH".to_owned(), "vendor/bundle".to_owned());
        }
    }
    if folder.is_dir("spec") && (has("rspec") || has("rspec-rails")) {
        guess.saw("there are specs");
        guess.test.push("bundle exec rspec");
    } else if has("rails") && folder.is_dir("test") {
        guess.saw("there are Rails tests");
        guess.test.push("bundle exec rails test");
    } else if folder.is_dir("test")
        && folder
            .read("Rakefile")
            .is_some_and(|r| r.contains("TestTask"))
    {
        guess.saw("Rakefile has a test task");
        guess.test.push(format!("{exec}rake test"));
    }
    if !guess.test.run.is_empty() && gemfile.is_some() {
        guess
            .test
            .env
            .insert("BUNDLE_PATH".to_owned(), "vendor/bundle".to_owned());
    }
    guess.include = Include::Sources {
        add,
        drop: vec!["log".to_owned(), "tmp".to_owned()],
    };
    Some(guess)
}

fn rails(folder: &Folder, gems: &str, guess: &mut Guess) {
    guess.saw("Gemfile names rails");
    guess
        .env
        .insert("RAILS_ENV".to_owned(), "production".to_owned());
    guess
        .env
        .insert("RAILS_LOG_TO_STDOUT".to_owned(), "1".to_owned());
    if ["sprockets", "propshaft", "webpacker", "importmap-rails"]
        .iter()
        .any(|gem| gems.contains(gem))
    {
        // Rails 7.1 and later take a dummy; the real key stays on the host.
        guess.build.push(
            "RAILS_ENV=production SECRET_KEY_BASE_DUMMY=1 bundle exec rails assets:precompile",
        );
    }
    guess
        .hooks
        .push(HookGuess::each("mkdir -p tmp/pids tmp/cache"));
    if folder.is_dir("db/migrate") {
        guess.saw("db/migrate holds migrations");
        guess
            .hooks
            .push(HookGuess::once("bundle exec rails db:migrate"));
    }
    guess.shared = ["log", "storage", "tmp"].map(str::to_owned).to_vec();
    let production = folder
        .read("config/environments/production.rb")
        .unwrap_or_default();
    let forces = production
        .lines()
        .any(|line| line.trim().replace(' ', "") == "config.force_ssl=true");
    if forces {
        // Else every path redirects to https.
        guess
            .health_headers
            .insert("X-Forwarded-Proto".to_owned(), "https".to_owned());
    }
    if production
        .lines()
        .any(|line| line.trim_start().starts_with("config.hosts"))
        && !production.contains("host_authorization")
    {
        guess.no_health =
            Some("config.hosts may refuse 127.0.0.1, so a health route may not answer".to_owned());
    }
}
