//! Ruby: `Gemfile`, Rails, Sinatra and whatever speaks Rack.

mod rails;

use super::files::{no_lock, requires};
use super::folder::Folder;
use super::guess::{Guess, Include, ServiceGuess, Stack, Strength};
use super::reason::About;

const TYPES: &[&str] = &["rb", "ru"];

/// Servers for Rack, best first: the gem, its settings, the command with them and without.
const SERVERS: &[(&str, &str, &str, &str)] = &[
    (
        "puma",
        "config/puma.rb",
        "puma -C config/puma.rb",
        "puma -b tcp://0.0.0.0:$PORT",
    ),
    ("falcon", "", "", "falcon serve --bind http://0.0.0.0:$PORT"),
    (
        "unicorn",
        "config/unicorn.rb",
        "unicorn -c config/unicorn.rb -p $PORT",
        "unicorn -p $PORT",
    ),
    ("iodine", "", "", "iodine -p $PORT"),
    ("thin", "", "", "thin start -p $PORT"),
];

/// Frameworks: the gem, the name, and the port that it takes by itself.
const FRAMEWORKS: &[(&str, &str, u16)] = &[
    ("rails", "Rails", 3000),
    ("hanami", "Hanami", 2300),
    ("sinatra", "Sinatra", 4567),
    ("roda", "Roda", 9292),
    ("grape", "Grape", 9292),
    ("padrino", "Padrino", 3000),
];

const JEKYLL: &str = "jekyll";

/// Gems that make a static site: the command, and the folder that it fills.
const SITES: &[(&str, &str, &str)] = &[
    (JEKYLL, "jekyll build", "_site"),
    ("bridgetown", "bridgetown deploy", "output"),
    ("middleman", "middleman build", "build"),
    ("nanoc", "nanoc compile", "output"),
];

/// Gems that run jobs beside the app: the command, and a file without which the gem is not in use;
/// empty for none.
const WORKERS: &[(&str, &str, &str)] = &[
    ("solid_queue", "ruby bin/jobs", "bin/jobs"),
    ("good_job", "good_job start", ""),
    ("sidekiq", "sidekiq", ""),
    ("delayed_job_active_record", "rake jobs:work", ""),
    ("resque", "rake resque:work QUEUE='*'", ""),
];

/// Gems that run JavaScript while the assets are built.
const NEED_NODE: &[&str] = &[
    "execjs",
    "uglifier",
    "webpacker",
    "coffee-rails",
    "autoprefixer-rails",
];

/// Looks for a Ruby project.
pub(super) fn detect(folder: &Folder) -> Option<Guess> {
    let gemfile = folder.read("Gemfile");
    let entry = folder.first(&["config.ru", "app.rb", "server.rb", "main.rb"]);
    if gemfile.is_none() && entry.is_none() {
        return None;
    }
    let mut guess = Guess::new(Stack::Ruby, TYPES);
    guess.needs("ruby");
    let gems = Gems(gemfile.as_deref().unwrap_or_default());
    let mut add = Vec::new();
    let exec = if gemfile.is_some() {
        bundle(folder, &mut guess);
        add.push("vendor/bundle".to_owned());
        "bundle exec "
    } else {
        ""
    };
    if let Some((gem, build, dir)) = SITES.iter().find(|(gem, ..)| gems.has(gem)) {
        guess.because(
            About::Service,
            "Gemfile",
            format!("names {gem}, which builds static files into {dir}/"),
        );
        guess.build.push(format!("{exec}{build}"));
        if *gem == JEKYLL {
            // It publishes whatever lies in the project's folder.
            guess.exclude.push(format!("/{dir}/ship.*"));
            let production = ("JEKYLL_ENV".to_owned(), "production".to_owned());
            guess.build.env.extend([production]);
        }
        guess.serves(Strength::Certain, *dir);
        guess.include = Include::Only(vec![(*dir).to_owned()]);
        return Some(guess);
    }
    // Without a Gemfile, the gems are those of the system.
    let loads = |gem: &str| {
        let text = entry
            .and_then(|entry| folder.read(entry))
            .unwrap_or_default();
        [format!("require '{gem}"), format!("require \"{gem}")]
            .iter()
            .any(|line| text.contains(line))
    };
    let framework = FRAMEWORKS
        .iter()
        .find(|(gem, ..)| gems.has(gem) || loads(gem));
    if let Some((gem, name, port)) = framework {
        let file = match gemfile.is_some() {
            true => "Gemfile",
            false => entry.unwrap_or_default(),
        };
        guess.because(About::Service, file, format!("names {gem}"));
        guess.framework = Some(((*name).to_owned(), *port));
    }
    let is_rails = gems.has("rails") && folder.is_dir("config");
    if is_rails {
        rails::add(folder, &gems, &mut guess, &mut add);
    }
    let server = SERVERS.iter().find(|(gem, ..)| gems.has(gem));
    let server = server.map(
        |(_, settings, with, without)| match folder.is_file(settings) {
            true => *with,
            false => *without,
        },
    );
    if is_rails || folder.is_file("config.ru") {
        guess.because(About::Service, "config.ru", "says what a server runs");
        let plain = if is_rails {
            "rails server -b 0.0.0.0 -p $PORT"
        } else {
            "rackup -o 0.0.0.0 -p $PORT"
        };
        let command = server.unwrap_or(plain);
        guess.runs(Strength::Certain, format!("{exec}{command}"));
        guess.framework.get_or_insert(("Rack".to_owned(), 9292));
    } else if let Some(entry) = entry {
        guess.because(About::Service, entry, "is there");
        guess.runs(Strength::Runs, format!("{exec}ruby {entry}"));
    }
    if !is_rails && (framework.is_some() || folder.is_file("config.ru")) {
        // Sinatra and others listen on this machine alone while they are developed.
        guess
            .env
            .insert("RACK_ENV".to_owned(), "production".to_owned());
    }
    if let Some(node) = NEED_NODE.iter().find(|gem| gems.has(gem)) {
        guess.because(
            About::Runtime,
            "Gemfile",
            format!("names {node}, which runs JavaScript"),
        );
        guess.needs("node");
    }
    workers(folder, &gems, &mut guess);
    if gemfile.is_some() {
        for service in &mut guess.services {
            service.env.extend(environment());
        }
    }
    tests(folder, &gems, exec, &mut guess);
    guess.include = Include::Sources {
        add,
        drop: vec!["log".to_owned(), "tmp".to_owned()],
    };
    Some(guess)
}

/// A command, as it runs beside a Gemfile: programs of gems are found by Bundler alone.
pub(super) fn adapt(folder: &Folder, command: &str) -> String {
    const OF_GEMS: &[&str] = &["rake", "rails", "rackup", "sidekiq", "foreman"];
    match command.split_whitespace().find(|word| !word.contains('=')) {
        Some(program)
            if folder.is_file("Gemfile")
                && (OF_GEMS.contains(&program)
                    || SERVERS.iter().any(|(gem, ..)| program == *gem)) =>
        {
            command.replacen(program, &format!("bundle exec {program}"), 1)
        }
        _ => command.to_owned(),
    }
}

/// The gems that a Gemfile names.
struct Gems<'a>(&'a str);

impl Gems<'_> {
    fn has(&self, gem: &str) -> bool {
        self.0
            .lines()
            .any(|line| line.trim_start().starts_with("gem ") && requires(line, gem))
    }
}

/// Where the gems are, and which of them a release has.
fn environment() -> [(String, String); 2] {
    [
        ("BUNDLE_PATH".to_owned(), "vendor/bundle".to_owned()),
        ("BUNDLE_WITHOUT".to_owned(), "development:test".to_owned()),
    ]
}

fn bundle(folder: &Folder, guess: &mut Guess) {
    guess.needs("bundler");
    guess.because(About::App, "Gemfile", "is there");
    guess.build.push("bundle install");
    guess.build.why.push(
        "gems go into vendor/bundle, beside the app, without those for development".to_owned(),
    );
    guess.build.env.extend(environment());
    let Some(lock) = folder.read("Gemfile.lock") else {
        guess.note(no_lock(folder, "Gemfile.lock"));
        return;
    };
    guess.because(About::Build, "Gemfile.lock", "locks the gems");
    guess
        .build
        .env
        .insert("BUNDLE_FROZEN".to_owned(), "true".to_owned());
    let platforms: Vec<&str> = lock
        .lines()
        .skip_while(|line| *line != "PLATFORMS")
        .skip(1)
        .take_while(|line| line.starts_with(' '))
        .map(str::trim)
        .collect();
    if !platforms.is_empty()
        && !platforms
            .iter()
            .any(|p| *p == "ruby" || p.contains("linux"))
    {
        guess.note(
            "Gemfile.lock has gems for other systems only: run `bundle lock --add-platform x86_64-linux` and commit it",
        );
    }
}

fn workers(folder: &Folder, gems: &Gems, guess: &mut Guess) {
    let found = WORKERS
        .iter()
        .find(|(gem, _, file)| gems.has(gem) && (file.is_empty() || folder.is_file(file)));
    let Some((gem, command, _)) = found.filter(|_| !guess.services.is_empty()) else {
        return;
    };
    guess.because(
        About::Service,
        "Gemfile",
        format!("names {gem}, which runs jobs"),
    );
    guess.services.push(ServiceGuess {
        name: "worker".to_owned(),
        command: Some(format!("bundle exec {command}")),
        ..ServiceGuess::default()
    });
}

fn tests(folder: &Folder, gems: &Gems, exec: &str, guess: &mut Guess) {
    let rakefile = folder.read("Rakefile").unwrap_or_default();
    let (subject, says, run) =
        if folder.is_dir("spec") && gems.has("rspec") || gems.has("rspec-rails") {
            ("spec/", "holds specs", "rspec")
        } else if gems.has("rails") && folder.is_dir("test") {
            ("test/", "holds Rails tests", "rails test")
        } else if folder.is_dir("test") && rakefile.contains("TestTask") {
            ("Rakefile", "has a test task", "rake test")
        } else {
            return;
        };
    guess.because(About::Test, subject, says);
    if !exec.is_empty() {
        // The gems of the release lack those for tests.
        guess.test.push("bundle install");
        guess
            .test
            .env
            .insert("BUNDLE_PATH".to_owned(), ".bundle/test".to_owned());
    }
    guess.test.push(format!("{exec}{run}"));
}
