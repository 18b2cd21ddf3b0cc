//! A runtime that is installed already (`source = "host"`): how it is asked for its version, and how
//! its answer is read. Both ends ask alike; what answers a request, [`version`](super::version)
//! knows.

use super::version::Version;

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
    ("bundler", "bundle", &["--version"]),
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
    for number in numbers(printed) {
        if number.contains('.') {
            return Some(number.to_owned());
        }
        whole.get_or_insert(number);
    }
    whole.map(str::to_owned)
}

/// Whether what a runtime printed can be that of `version`: one of its numbers is, or it has none.
/// Java 8 calls itself 1.8.
#[must_use]
pub fn tells(printed: &str, version: &Version) -> bool {
    let mut found = numbers(printed).filter_map(Version::parse).peekable();
    let same = |found: Version| {
        let count = found.numbers().len().max(version.numbers().len());
        (0..count).all(|place| found.number(place) == version.number(place))
            || version.number(0) == 8 && found.is_within(&[1, 8])
    };
    found.peek().is_none() || found.any(same)
}

/// The numbers in a text, dotted ones and whole ones.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .map(|number| number.trim_matches('.'))
        .filter(|number| !number.is_empty() && !number.contains(".."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_runtime_tells_its_version() {
        for (printed, version, same) in [
            ("v20.11.1\n", "20.11.1", true),
            ("v18.20.8\n", "20.11.1", false),
            ("go version go1.22 linux/amd64", "1.22", true),
            ("go version go1.22.1 linux/amd64", "1.22", false),
            ("Python 3.13.0rc2", "3.13.0rc2", true),
            (
                "Picked up JAVA_TOOL_OPTIONS: -Xmx1.5g\nopenjdk version \"22\" 2024-03-19",
                "22.0.0+36",
                true,
            ),
            (
                "openjdk version \"21.0.2\" 2024-01-16 LTS",
                "21.0.2+13",
                true,
            ),
            ("openjdk version \"1.8.0_402\"", "8.0.402+6", true),
            ("openjdk version \"17.0.9\" 2023-10-17", "21.0.2+13", false),
            ("hello", "20.11.1", true),
        ] {
            let version = Version::parse(version).unwrap();
            assert_eq!(tells(printed, &version), same, "{printed}");
        }
    }

    #[test]
    fn the_version_is_read_from_what_runtimes_print() {
        for (printed, version) in [
            (
                "PHP 8.3.6 (cli) (built: Apr 15 2024 19:21:47) (NTS)\nZend Engine v4.3.6",
                "8.3.6",
            ),
            (
                "ruby 3.1.2p20 (2022-04-12 revision 4491bb740a) [x86_64-linux-gnu]",
                "3.1.2",
            ),
            (
                "openjdk version \"17.0.9\" 2023-10-17\nOpenJDK Runtime Environment",
                "17.0.9",
            ),
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
    fn known_runtimes_are_asked_in_their_own_way() {
        assert_eq!(VersionCommand::of("java").line(), "java -version");
        assert_eq!(VersionCommand::of("php").line(), "php -v");
        assert_eq!(VersionCommand::of("zig").line(), "zig --version");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(printed in ".{0,40}") {
            let _ = version_in(&printed);
        }

        #[test]
        fn a_version_is_found_between_words(
            version in "[0-9]{1,3}(\\.[0-9]{1,3}){1,3}", before in "[a-z ]{0,9}", after in "[a-z )+-]{0,9}"
        ) {
            prop_assert_eq!(version_in(&format!("{before}{version}{after}")), Some(version));
        }
    }
}
