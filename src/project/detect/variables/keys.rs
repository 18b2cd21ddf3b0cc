//! Keys that sign sessions. An app that falls back on one of its own starts without them, but every
//! reader of the sources knows that key, and a random one ends all sessions at each start.

use super::super::folder::Source;
use super::super::text::literals;

/// Names of such keys.
#[rustfmt::skip]
const KEYS: &[&str] = &[
    "ACCESS_TOKEN_SECRET", "APP_SECRET", "APP_SECRET_KEY", "AUTH_SECRET", "COOKIE_KEY",
    "COOKIE_SECRET", "DJANGO_SECRET_KEY", "FLASK_SECRET", "FLASK_SECRET_KEY", "JWT_KEY",
    "JWT_SECRET", "JWT_SECRET_KEY", "REFRESH_TOKEN_SECRET", "SECRET_KEY", "SECRET_KEY_BASE",
    "SESSION_KEY", "SESSION_SECRET", "SESSION_SECRET_KEY", "TOKEN_SECRET", "WTF_CSRF_SECRET_KEY",
];

/// Reads of a variable, by the ends of the sources' names.
const READS: &[(&[&str], &[&str])] = &[
    (
        &["py"],
        &["environ.get(", "getenv(", "env(", "env.str(", "config("],
    ),
    (
        &["js", "mjs", "cjs", "ts", "mts", "cts", "jsx", "tsx"],
        &[
            "process.env.",
            "process.env[",
            "Bun.env.",
            "Deno.env.get(",
            "config.get(",
        ],
    ),
    (&["rb", "ru"], &["ENV.fetch(", "ENV["]),
    (&["php"], &["getenv(", "env(", "$_ENV[", "$_SERVER["]),
    (&["go"], &["getEnv(", "GetEnv(", "getenv(", "envOr("]),
];

/// Operators in front of another value.
const ELSE: &[&str] = &["or ", "||", "??", "?:", "{"];

/// Functions that make a random key.
const RANDOM: &[&str] = &["urandom(", "token_", "uuid", "random", "generate_key("];

/// The keys that a source reads, and for which it has another value.
pub(super) fn replaced(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let reads = READS.iter().filter(|(types, _)| source.is(types));
    let reads: Vec<&str> = reads.flat_map(|(_, reads)| *reads).copied().collect();
    let lines: Vec<&str> = source.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        for read in &reads {
            let Some((_, rest)) = line.split_once(*read) else {
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

/// The key at the beginning of `text`, and what follows it and its quote.
fn named(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let (name, behind) = match text.strip_prefix(['"', '\'']) {
        Some(inner) => inner.split_once(['"', '\''])?,
        None => {
            let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
            text.split_at(end)
        }
    };
    KEYS.contains(&name).then_some((name, behind))
}

/// Whether a value stands behind the name: `, "x")`, `, default="x")`, `) or "x"`, `|| "x"`.
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
        None => {
            let rest = behind.trim_start_matches([')', ']']).trim_start();
            let mut operators = ELSE.iter();
            operators
                .find_map(|it| rest.strip_prefix(it))
                .unwrap_or_default()
        }
    };
    let other = other
        .trim_start()
        .trim_start_matches(['\\', ' ', 'b', 'f', 'r']);
    let is_text = other.starts_with(['"', '\'', '`']);
    let text = literals(other).first().copied().unwrap_or_default();
    let call = other.split(['(', ' ']).next().unwrap_or_default();
    let call = call.to_ascii_lowercase();
    let is_random = RANDOM.iter().any(|word| format!("{call}(").contains(word));
    is_text && !text.is_empty() || is_random
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_another_value_to_fall_back_on_is_known() {
        for (file, text, is_key) in [
            ("a.js", "process.env.SESSION_SECRET || 'x',", true),
            ("a.js", "process.env.COOKIE_SECRET ?? `x`", true),
            ("a.ts", "process.env['JWT_SECRET'] ||\n  'x'", true),
            (
                "a.js",
                "process.env.JWT_SECRET || crypto.randomBytes(9)",
                true,
            ),
            ("a.js", "process.env.SESSION_SECRET", false),
            ("a.js", "process.env.SESSION_SECRET || ''", false),
            ("a.js", "process.env.SESSION_SECRET_OLD || 'x'", false),
            ("a.js", "process.env.STRIPE_SECRET || 'x'", false),
            ("a.rb", "ENV.fetch('SESSION_SECRET', 'x')", true),
            ("a.rb", "ENV['SESSION_SECRET'] || 'x'", true),
            (
                "a.rb",
                "ENV.fetch('SESSION_SECRET') { SecureRandom.hex(64) }",
                true,
            ),
            ("a.php", "getenv('APP_SECRET') ?: 'x'", true),
            ("a.php", "$_ENV['APP_SECRET'] ?? 'x'", true),
            ("a.go", "getEnv(\"JWT_SECRET\", \"x\")", true),
            (
                "a.py",
                "os.environ.get('SECRET_KEY') or 'you-will-never-guess'",
                true,
            ),
            ("a.py", "os.environ.get(\"SECRET_KEY\", \"dev\")", true),
            (
                "a.py",
                "os.environ.get(\n    'SECRET_KEY',\n    'dev',\n)",
                true,
            ),
            (
                "a.py",
                "os.getenv('JWT_SECRET', secrets.token_hex(16))",
                true,
            ),
            (
                "a.py",
                "os.environ.get('SECRET_KEY') or os.urandom(24)",
                true,
            ),
            ("a.py", "config('SECRET_KEY', default='x')", true),
            ("a.py", "config('SECRET_KEY', cast=str)", false),
            ("a.py", "os.environ.get('SECRET_KEY')", false),
            ("a.py", "os.environ.get('SECRET_KEY', '')", false),
            ("a.py", "os.environ.get('STRIPE_SECRET_KEY', 'x')", false),
            ("a.py", "os.environ.get('SECRET_KEY') or load()", false),
        ] {
            let source = Source {
                path: file.to_owned(),
                text: text.to_owned(),
            };
            assert_eq!(!replaced(&source).is_empty(), is_key, "{text}");
        }
    }
}
