//! A runtime that is installed already (`source = "host"`): how it is asked for its version, how
//! its answer is read, and whether that is what the manifest asks for. Both ends ask alike.

use std::cmp::Ordering;

/// What makes a runtime print its version: a program and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionCommand {
    /// Looked up on `PATH`.
    pub program: String,
    /// Its arguments.
    pub args: &'static [&'static str],
}

/// Runtimes that are not asked by `NAME --version`: name, program, arguments.
const ASKED: &[(&str, &str, &[&str])] = &[
    ("dart", "dart", &["--version"]),
    ("elixir", "elixir", &["--short-version"]),
    (
        "erlang",
        "erl",
        &[
            "-noshell",
            "-eval",
            "io:put_chars(erlang:system_info(otp_release)), halt().",
        ],
    ),
    ("go", "go", &["version"]),
    ("java", "java", &["-version"]),
    ("lua", "lua", &["-v"]),
    ("nodejs", "node", &["--version"]),
    ("perl", "perl", &["-e", "printf '%vd', $^V"]),
    ("php", "php", &["-v"]),
    ("python", "python3", &["--version"]),
    ("r", "R", &["--version"]),
    ("ruby", "ruby", &["-v"]),
    ("rust", "rustc", &["--version"]),
    ("scala", "scala", &["-version"]),
];

impl VersionCommand {
    /// How the runtime `name` is asked: known ones in their own way, any other by
    /// `NAME --version`.
    #[must_use]
    pub fn of(name: &str) -> Self {
        match ASKED.iter().find(|(known, _, _)| *known == name) {
            Some((_, program, args)) => Self {
                program: (*program).to_owned(),
                args,
            },
            None => Self {
                program: name.to_owned(),
                args: &["--version"],
            },
        }
    }

    /// As a person would type it.
    #[must_use]
    pub fn line(&self) -> String {
        let mut words = vec![self.program.as_str()];
        words.extend(self.args);
        words.join(" ")
    }
}

/// The version in what a runtime printed: its first dotted number (`8.3.6` of `PHP 8.3.6 (cli)`),
/// else its first number (`27` of Erlang). `None` where there is none.
#[must_use]
pub fn version_in(printed: &str) -> Option<String> {
    let mut whole = None;
    let numbers = printed.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    for number in numbers {
        let number = number.trim_matches('.');
        if number.is_empty() || number.contains("..") {
            continue;
        }
        if number.contains('.') {
            return Some(number.to_owned());
        }
        whole.get_or_insert(number);
    }
    whole.map(str::to_owned)
}

/// Whether the exact version `version` is one that `request` asks for: a version or the beginning
/// of one (`8.3`, `8.3.x`, `8.*`), comparisons that must all hold (`>=8.1, <8.4`), `^8.1`
/// (before the next number that breaks things, as npm and Composer have it), `~8.1` and `~>8.1`
/// (`~=8.1`), alternatives with `||`, or anything (`*`, `latest`).
#[must_use]
pub fn answers(version: &str, request: &str) -> bool {
    let Some(version) = numbers(version) else {
        return false;
    };
    request
        .split("||")
        .any(|all| comparisons(all).is_some_and(|all| all.iter().all(|one| one.holds(&version))))
}

/// `request` in a form that [`answers`] knows.
#[must_use]
pub fn is_request(request: &str) -> bool {
    request.split("||").all(|all| comparisons(all).is_some())
}

/// One comparison: an operator and the numbers behind it.
struct Comparison {
    operator: &'static str,
    numbers: Vec<u64>,
}

/// Longer ones before their beginnings.
const OPERATORS: [&str; 11] = [
    ">=", "<=", "==", "!=", "~>", "~=", ">", "<", "=", "^", "~",
];

/// The comparisons of `text`, which white space or commas separate.
fn comparisons(text: &str) -> Option<Vec<Comparison>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start_matches(separates);
    while !rest.is_empty() {
        let operator = OPERATORS.into_iter().find(|known| rest.starts_with(known));
        let after = rest[operator.map_or(0, str::len)..].trim_start();
        let end = after.find(separates).unwrap_or(after.len());
        let (word, others) = after.split_at(end);
        if !(operator.is_none() && matches!(word, "*" | "x" | "latest")) {
            found.push(Comparison {
                operator: operator.unwrap_or_default(),
                numbers: numbers(word)?,
            });
        }
        rest = others.trim_start_matches(separates);
    }
    Some(found).filter(|_| !text.trim().is_empty())
}

fn separates(c: char) -> bool {
    c == ',' || c.is_whitespace()
}

/// `8.3.6` as numbers; what follows a wildcard does not count.
fn numbers(text: &str) -> Option<Vec<u64>> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let parts = text.split('.').take_while(|part| !matches!(*part, "x" | "*"));
    let numbers: Vec<u64> = parts.map(|part| part.parse().ok()).collect::<Option<_>>()?;
    (!numbers.is_empty()).then_some(numbers)
}

impl Comparison {
    fn holds(&self, version: &[u64]) -> bool {
        let wanted = &self.numbers;
        let order = compare(version, wanted);
        match self.operator {
            ">=" => order != Ordering::Less,
            ">" => order == Ordering::Greater && !begins(version, wanted),
            "<=" => order != Ordering::Greater || begins(version, wanted),
            "<" => order == Ordering::Less,
            "!=" => !begins(version, wanted),
            "^" => {
                let zeros = wanted.iter().take_while(|number| **number == 0).count();
                order != Ordering::Less && begins(version, &wanted[..wanted.len().min(zeros + 1)])
            }
            // `~8` and `~8.1` stay within what they name, `~8.1.2` within 8.1.
            "~" => order != Ordering::Less && begins(version, &wanted[..wanted.len().min(2)]),
            // PEP 440 and Ruby: the last number may grow.
            "~>" | "~=" => {
                let fixed = wanted.len().saturating_sub(1).max(1);
                order != Ordering::Less && begins(version, &wanted[..fixed])
            }
            _ => begins(version, wanted),
        }
    }
}

/// Compares as numbers; a number that is not there is 0.
fn compare(a: &[u64], b: &[u64]) -> Ordering {
    let at = |numbers: &[u64], at: usize| numbers.get(at).copied().unwrap_or(0);
    (0..a.len().max(b.len()))
        .map(|i| at(a, i).cmp(&at(b, i)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn begins(version: &[u64], beginning: &[u64]) -> bool {
    version.len() >= beginning.len() && version.starts_with(beginning)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_version_is_read_from_what_runtimes_print() {
        for (printed, version) in [
            ("PHP 8.3.6 (cli) (built: Apr 15 2024 19:21:47) (NTS)\nZend Engine v4.3.6", "8.3.6"),
            ("ruby 3.1.2p20 (2022-04-12 revision 4491bb740a) [x86_64-linux-gnu]", "3.1.2"),
            ("openjdk version \"17.0.9\" 2023-10-17\nOpenJDK Runtime Environment", "17.0.9"),
            ("java version \"1.8.0_392\"", "1.8.0"),
            ("Python 3.11.2", "3.11.2"),
            ("v18.19.0\n", "18.19.0"),
            ("go version go1.22.1 linux/amd64", "1.22.1"),
            ("rustc 1.75.0 (82e1608df 2023-12-21)", "1.75.0"),
            ("27", "27"),
            ("version: 7.0.", "7.0"),
        ] {
            assert_eq!(version_in(printed).as_deref(), Some(version), "{printed}");
        }
        for nothing in ["", "command not found", "..."] {
            assert_eq!(version_in(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_version_answers_a_beginning_or_a_range() {
        for (request, yes, no) in [
            ("8.3", "8.3.6", "8.30.1"),
            ("8", "8.3.6", "9.0.0"),
            ("8.3.6", "8.3.6", "8.3.7"),
            ("v8.3.x", "8.3.0", "8.4.0"),
            ("8.*", "8.4.1", "7.4.1"),
            (">=8.1,<8.4", "8.3.6", "8.4.0"),
            (">= 8.1 < 8.4", "8.1", "8.0.30"),
            (">8.1", "8.2.0", "8.1.9"),
            ("<=8.1", "8.1.9", "8.2.0"),
            ("^8.1", "8.4.2", "9.0.0"),
            ("^0.2.3", "0.2.9", "0.3.0"),
            ("~8.1", "8.1.7", "8.2.0"),
            ("~> 3.1", "3.4.0", "4.0.0"),
            ("~=3.11.2", "3.11.9", "3.12.0"),
            ("7.4 || 8.1", "8.1.2", "8.0.0"),
            ("!=8.1", "8.2.0", "8.1.3"),
        ] {
            assert!(answers(yes, request), "{yes} is {request}");
            assert!(!answers(no, request), "{no} is not {request}");
        }
        assert!(answers("1.2.3", "*") && answers("1.2.3", "latest"));
        for nonsense in ["", "  ", "new", ">=", "8.3-fpm", "8..3"] {
            assert!(!is_request(nonsense), "{nonsense}");
            assert!(!answers("8.3", nonsense), "{nonsense}");
        }
    }

    #[test]
    fn known_runtimes_are_asked_in_their_own_way() {
        assert_eq!(VersionCommand::of("java").line(), "java -version");
        assert_eq!(VersionCommand::of("php").line(), "php -v");
        assert_eq!(VersionCommand::of("zig").line(), "zig --version");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(version in ".{0,20}", request in ".{0,30}") {
            let _ = version_in(&version);
            let _ = answers(&version, &request);
        }

        #[test]
        fn a_version_answers_itself_and_its_beginnings(
            numbers in proptest::collection::vec(0u64..100, 2..5), cut in 1usize..5
        ) {
            let words: Vec<String> = numbers.iter().map(u64::to_string).collect();
            let version = words.join(".");
            prop_assert_eq!(version_in(&version), Some(version.clone()));
            let beginning = words[..cut.min(words.len())].join(".");
            for operator in ["", "=", ">=", "~", "^", "<="] {
                let request = format!("{operator}{beginning}");
                let whole = format!("{operator}{version}");
                prop_assert!(answers(&version, &request) || operator == "^", "{}", request);
                prop_assert!(answers(&version, &whole), "{}", whole);
            }
        }
    }
}
