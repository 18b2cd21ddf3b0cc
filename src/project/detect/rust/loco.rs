//! Loco: a program with subcommands that reads its settings from `config/` when it starts.

use super::super::folder::Folder;
use super::super::guess::Guess;
use super::super::reason::About;

/// The settings of production, and those that every project has.
const PRODUCTION: &str = "config/production.yaml";
const DEVELOPMENT: &str = "config/development.yaml";

/// Folders that the settings of a generated project name.
const FOLDERS: &[&str] = &["config", "assets"];

/// Says in `guess` how the one service is started, with what.
pub(super) fn apply(folder: &Folder, guess: &mut Guess) {
    let Some(service) = guess.services.first_mut() else {
        return;
    };
    // Without a subcommand it says how it is used.
    if let Some(command) = &mut service.command {
        command.push_str(" start");
    }
    for dir in FOLDERS.iter().filter(|dir| folder.is_dir(dir)) {
        guess.because(About::Release, *dir, "is read when the program starts");
        guess.add(*dir);
    }
    let Some(settings) = folder.read(PRODUCTION) else {
        guess.note(format!(
            "{PRODUCTION} is not there, so Loco runs with {DEVELOPMENT}: write it, then \
             `ship init --force`"
        ));
        return;
    };
    guess.because(About::Env, PRODUCTION, "is for LOCO_ENV=production");
    guess
        .env
        .insert("LOCO_ENV".to_owned(), "production".to_owned());
    for name in required(&settings) {
        guess.secret(name, PRODUCTION);
    }
}

/// The variables that `settings` have no value to fall back on for: `get_env(name="JWT_SECRET")`.
fn required(settings: &str) -> impl Iterator<Item = &str> {
    let lines = settings.lines().map(str::trim_start);
    let lines = lines.filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let (_, call) = line.split_once("get_env(")?;
        let (arguments, _) = call.split_once(')')?;
        let name = arguments.trim().strip_prefix("name=")?;
        let name = name.strip_prefix(['"', '\''])?;
        let (name, rest) = name.split_once(['"', '\''])?;
        (!rest.contains("default")).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::seen;

    #[test]
    fn a_program_of_loco_is_started_with_its_settings() {
        let cargo = "[package]\nname = \"todo\"\ndefault-run = \"todo-cli\"\n\
                     [dependencies]\nloco-rs = \"0.16\"\n\
                     [[bin]]\nname = \"todo-cli\"\npath = \"src/bin/main.rs\"\n";
        let settings = "server:\n  port: <%= get_env(name=\"PORT\", default=\"5150\") %>\n\
                        database:\n  uri: <%= get_env(name=\"DATABASE_URL\") %>\n\
                        auth:\n  # get_env(name=\"NO\")\n  secret: {{ get_env(name=\"JWT_SECRET\") }}\n";
        let found = seen(&[
            ("Cargo.toml", cargo),
            ("src/bin/main.rs", "loco_rs::cli::main::<App>().await"),
            ("config/production.yaml", settings),
            ("assets/static/404.html", ""),
        ]);
        let service = &found.services[0];
        assert_eq!(
            service.command.as_deref(),
            Some("./target/release/todo-cli start")
        );
        assert_eq!(service.port, Some(5150));
        assert_eq!(found.required, ["DATABASE_URL", "JWT_SECRET"]);
        let env = found.env.get("LOCO_ENV").map(String::as_str);
        assert_eq!(env, Some("production"));
        for dir in ["config", "assets"] {
            assert!(found.include.iter().any(|it| it == dir), "{dir}");
        }
    }
}
