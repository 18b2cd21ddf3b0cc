//! Keys that sign sessions. An app that falls back on one of its own starts without them, but every
//! reader of the sources knows that key, and a random one ends all sessions at each start.

use super::super::folder::Source;
use super::super::text::literals;

/// Names of such keys.
const KEYS: &[&str] = &[
    "APP_SECRET",
    "APP_SECRET_KEY",
    "DJANGO_SECRET_KEY",
    "FLASK_SECRET",
    "FLASK_SECRET_KEY",
    "JWT_SECRET",
    "JWT_SECRET_KEY",
    "SECRET_KEY",
    "SESSION_SECRET",
    "SESSION_SECRET_KEY",
    "WTF_CSRF_SECRET_KEY",
];

/// Calls that read a variable.
const READS: &[&str] = &["environ.get(", "getenv(", "env(", "env.str(", "config("];

/// Functions that make a random key.
const RANDOM: &[&str] = &["urandom(", "token_", "uuid", "random", "generate_key("];

/// The keys that a Python source reads, and for which it has another value.
pub(super) fn replaced(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    if !source.is(&["py"]) {
        return found;
    }
    let lines: Vec<&str> = source.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        for read in READS {
            let Some((_, rest)) = line.split_once(read) else {
                continue;
            };
            // The call and its fallback may go on on the next lines.
            let whole = [rest]
                .into_iter()
                .chain(lines[at + 1..].iter().take(3).copied());
            let whole: Vec<&str> = whole.map(str::trim).collect();
            let whole = whole.join(" ");
            let Some((name, behind)) = named(&whole) else {
                continue;
            };
            if has_other(behind) && !found.iter().any(|have| have == name) {
                found.push(name.to_owned());
            }
        }
    }
    found
}

/// The key at the beginning of `text`, and what follows its quote.
fn named(text: &str) -> Option<(&str, &str)> {
    let inner = text.trim_start().strip_prefix(['"', '\''])?;
    let (name, behind) = inner.split_once(['"', '\''])?;
    KEYS.contains(&name).then_some((name, behind))
}

/// Whether a value stands behind the name: `, "x")`, `, default="x")`, `) or "x"`.
fn has_other(behind: &str) -> bool {
    let behind = behind.trim_start();
    let other = match behind.strip_prefix(',') {
        Some(rest) => {
            rest.split_once('=')
                .map_or(rest, |(key, value)| match key.trim() == "default" {
                    true => value,
                    false => rest,
                })
        }
        None => match behind.strip_prefix(')').map(str::trim_start) {
            Some(rest) => rest.strip_prefix("or ").unwrap_or_default(),
            None => "",
        },
    };
    let other = other
        .trim_start()
        .trim_start_matches(['\\', ' ', 'b', 'f', 'r']);
    let is_text = other.starts_with(['"', '\'']);
    let text = literals(other).first().copied().unwrap_or_default();
    let call = other.split(['(', ' ']).next().unwrap_or_default();
    let is_random = RANDOM.iter().any(|word| format!("{call}(").contains(word));
    is_text && !text.is_empty() || is_random
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_another_value_to_fall_back_on_is_known() {
        for (text, is_key) in [
            (
                "os.environ.get('SECRET_KEY') or 'you-will-never-guess'",
                true,
            ),
            ("os.environ.get(\"SECRET_KEY\", \"dev\")", true),
            ("os.environ.get(\n    'SECRET_KEY',\n    'dev',\n)", true),
            ("os.getenv('JWT_SECRET', secrets.token_hex(16))", true),
            ("os.environ.get('SECRET_KEY') or os.urandom(24)", true),
            ("config('SECRET_KEY', default='x')", true),
            ("config('SECRET_KEY', cast=str)", false),
            ("os.environ.get('SECRET_KEY')", false),
            ("os.environ.get('SECRET_KEY', '')", false),
            ("os.environ.get('STRIPE_SECRET_KEY', 'x')", false),
            ("os.environ.get('SECRET_KEY') or load()", false),
        ] {
            let source = Source {
                path: "a.py".to_owned(),
                text: text.to_owned(),
            };
            assert_eq!(!replaced(&source).is_empty(), is_key, "{text}");
        }
    }
}
