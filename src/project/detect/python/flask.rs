//! Flask: the folder that it writes to, and commands that somebody runs once.

use super::super::folder::Source;
use super::super::guess::Guess;
use super::super::reason::{About, Reason};
use super::super::text::literals;
use super::packages::Packages;
use super::server::App;

/// What a Flask app says about the manifest.
pub(super) fn tell(sources: &[&Source], app: &App, packages: &Packages, guess: &mut Guess) {
    let writes = ["instance_path", "instance_relative_config=True"];
    let instance = sources
        .iter()
        .find(|source| writes.iter().any(|word| source.text.contains(word)));
    if let Some(source) = instance {
        guess.shared.push("instance".to_owned());
        guess.reasons.push(Reason::new(
            About::Shared,
            &source.path,
            "keeps files in Flask's instance folder: it survives releases",
        ));
    }
    if packages.has("flask-sqlalchemy") {
        // Its `sqlite:///app.db` lies in the instance folder.
        guess.database_urls_in = Some("instance");
    }
    let module = &app.module;
    for source in sources {
        let commands = source.lines().filter_map(|line| {
            let rest = line.trim().strip_prefix('@')?;
            let is_command = rest.starts_with("click.command(") || rest.contains("cli.command(");
            is_command
                .then(|| literals(rest).first().copied())
                .flatten()
        });
        for command in commands.filter(|command| command.contains("init")).take(1) {
            guess.is_prepared_by_hand = true;
            guess.note(format!(
                "{} has the command {command}, which no deploy runs: once, and only if its data may \
                 go, `ship exec production -- python3 -m flask --app {module} {command}`",
                source.path
            ));
        }
    }
}
