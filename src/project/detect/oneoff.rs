//! Lines that do something once and then run the app: `rake db:migrate && rails server`. What is
//! done once becomes a hook or a step of the build; the service is only the app.

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
    let parts = chain(unwrapped(line));
    let Some((last, before)) = parts.split_last() else {
        return Line::default();
    };
    let mut found = Line::default();
    let mut kept: Vec<&str> = Vec::new();
    let mut place: Vec<&str> = Vec::new();
    for part in before {
        let whole = |part: &&str| {
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
            kept.push(part);
        }
    }
    kept.push(last);
    found.command = match found.steps.is_empty() && found.hooks.is_empty() {
        // As it was written.
        true => line.trim().to_owned(),
        false => kept.join(" && "),
    };
    found
}

fn has(words: &[&str], part: &str) -> bool {
    words.iter().any(|word| part.contains(word))
}

/// The line inside of `sh -c '…'`.
fn unwrapped(line: &str) -> &str {
    let line = line.trim();
    [
        "bash -c ",
        "sh -c ",
        "bash -lc ",
        "/bin/sh -c ",
        "/bin/bash -c ",
    ]
    .iter()
    .find_map(|shell| {
        let inner = line.strip_prefix(shell)?.trim();
        let quote = inner.chars().next().filter(|c| "'\"".contains(*c))?;
        let inner = inner[1..].strip_suffix(quote)?;
        (!inner.contains(quote)).then_some(inner)
    })
    .unwrap_or(line)
}

/// The commands between `&&` and `;`, outside of quotes and parentheses. One command, if anything
/// else joins them.
fn chain(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut quote, mut depth, mut start) = (None, 0_u32, 0);
    let bytes = line.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"' | b'`') => quote = Some(byte),
            (None, b'(' | b'{') => depth += 1,
            (None, b')' | b'}') => depth = depth.saturating_sub(1),
            (None, b'|') if depth == 0 => return vec![line.trim()],
            (None, b'&' | b';') if depth == 0 => {
                let double = byte == b'&' && bytes.get(at + 1) == Some(&b'&');
                // `a & b` runs both at once.
                if byte == b'&' && !double {
                    return vec![line.trim()];
                }
                parts.push(line[start..at].trim());
                at += usize::from(double);
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    parts.push(line[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
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
