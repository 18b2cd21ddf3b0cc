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
    if let Some(source) = sources.iter().find(|source| source.lines().any(has_key)) {
        guess.note(format!(
            "{} has the key that signs Flask's sessions, and so has everybody who sees the code: write \
             os.environ[\"SECRET_KEY\"] there, then `ship init --force`",
            source.path
        ));
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

/// Whether a line sets `SECRET_KEY`, or `app.secret_key`, to a text.
fn has_key(line: &str) -> bool {
    let names = ["SECRET_KEY", "secret_key"];
    names.iter().any(|name| {
        let rest = line.split_once(name).map(|(_, rest)| rest);
        let rest = rest.map(|rest| rest.trim_start_matches(['"', '\'', ']']).trim_start());
        let value = rest.and_then(|rest| rest.strip_prefix(['=', ':']));
        value.is_some_and(|value| {
            let value = value.trim_start().trim_start_matches('b');
            value.starts_with(['"', '\'']) && !value[1..].starts_with(['"', '\''])
        })
    })
}

#[cfg(test)]
mod tests {
    use super::has_key;

    #[test]
    fn a_key_in_the_code_is_a_text_that_is_not_empty() {
        for line in [
            "app.config.from_mapping(SECRET_KEY=\"dev\")",
            "app.config['SECRET_KEY'] = 'x'",
            "app.secret_key = b'_5#y2L'",
            "    SECRET_KEY: str = \"no\"",
        ] {
            assert_eq!(has_key(line), !line.contains(": str"), "{line}");
        }
        for line in [
            "SECRET_KEY = os.environ[\"SECRET_KEY\"]",
            "SECRET_KEY = os.environ.get('SECRET_KEY', 'dev')",
            "app.secret_key = \"\"",
            "if not app.config['SECRET_KEY'] == x:",
        ] {
            assert!(!has_key(line), "{line}");
        }
    }
}
