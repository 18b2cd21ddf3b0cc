//! Lines that do something once and then run the app: `rake db:migrate && rails server`. What is
//! done once becomes a hook or a step of the build; the service is only the app.

use super::commands::{self, Command};

/// Words of commands that change a database, and run once before a release goes live.
const HOOKS: &[&str] = &[
    "migrate",
    "migration",
    "db:prepare",
    "db:setup",
    "db:create",
    "db:seed",
    "db:schema:load",
    "db upgrade",
    "db push",
    "alembic upgrade",
    "drizzle-kit push",
    "goose up",
    "flyway",
    "liquibase",
    "createcachetable",
];

/// Words of commands that write into the release, which is read-only on a host.
const STEPS: &[&str] = &[
    "collectstatic",
    "assets:precompile",
    "compilemessages",
    "translate compile",
    "babel compile",
    "manage.py compress",
    "assets build",
    "npm run build",
    "pnpm build",
    "pnpm run build",
    "yarn build",
    "bun run build",
    "composer install",
    "npm install",
    "npm ci",
    "pip install",
    "bundle install",
];

/// A line, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Line {
    /// What belongs into the build.
    pub steps: Vec<String>,
    /// What runs once before the release goes live.
    pub hooks: Vec<String>,
    /// What runs all the time.
    pub command: String,
}

/// Takes a line for the shell apart. What is neither a step nor a hook stays with the command, and
/// a folder or a variable that is set first counts for all that follows.
pub(super) fn split(line: &str) -> Line {
    let parts = commands::of(commands::unwrapped(line));
    let in_turn = |part: &Command| ["&&", ";", ""].contains(&part.operator);
    let Some((last, before)) = parts.split_last() else {
        return Line::default();
    };
    let mut found = Line::default();
    if !parts.iter().all(in_turn) {
        found.command = line.trim().to_owned();
        return found;
    }
    let mut kept = String::new();
    let mut place: Vec<&str> = Vec::new();
    for Command {
        text: part,
        operator,
    } in before
    {
        let whole = |part: &str| {
            let mut all = place.clone();
            all.push(part);
            all.join(" && ")
        };
        if has(STEPS, part) {
            found.steps.push(whole(part));
        } else if has(HOOKS, part) {
            found.hooks.push(whole(part));
        } else {
            if ["cd ", "export "].iter().any(|word| part.starts_with(word)) {
                place.push(part);
            }
            let space = if *operator == ";" { "" } else { " " };
            kept.push_str(&format!("{part}{space}{operator} "));
        }
    }
    kept.push_str(last.text);
    found.command = match found.steps.is_empty() && found.hooks.is_empty() {
        // As it was written.
        true => line.trim().to_owned(),
        false => kept,
    };
    found
}

fn has(words: &[&str], part: &str) -> bool {
    words.iter().any(|word| part.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart() {
        for (line, steps, hooks, command) in [
            (
                "rake db:migrate && bundle exec rails server",
                &[][..],
                &["rake db:migrate"][..],
                "bundle exec rails server",
            ),
            (
                "python manage.py collectstatic --noinput; python manage.py migrate && gunicorn x",
                &["python manage.py collectstatic --noinput"],
                &["python manage.py migrate"],
                "gunicorn x",
            ),
            (
                "cd api && npx prisma migrate deploy && node dist/main.js",
                &[],
                &["cd api && npx prisma migrate deploy"],
                "cd api && node dist/main.js",
            ),
            (
                "sh -c 'flask db upgrade && gunicorn app:app'",
                &[],
                &["flask db upgrade"],
                "gunicorn app:app",
            ),
            (
                "flask db upgrade; flask translate compile; echo go; gunicorn x",
                &["flask translate compile"],
                &["flask db upgrade"],
                "echo go; gunicorn x",
            ),
            ("cd api && node main.js", &[], &[], "cd api && node main.js"),
            ("rake db:migrate", &[], &[], "rake db:migrate"),
            ("a migrate & b", &[], &[], "a migrate & b"),
            ("a migrate || b", &[], &[], "a migrate || b"),
            (
                "x --name 'a && migrate; b'",
                &[],
                &[],
                "x --name 'a && migrate; b'",
            ),
            ("", &[], &[], ""),
        ] {
            let found = split(line);
            assert_eq!(found.steps, steps, "{line}");
            assert_eq!(found.hooks, hooks, "{line}");
            assert_eq!(found.command, command, "{line}");
        }
    }
}
